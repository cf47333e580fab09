/*
 * statement - what is said of a picture, as JSON.
 *
 * snapshot: {"state","seq","age_ms","now_us","values":{name: number}} and everything of the frame,
 * which is "build", "municipality", "departments":[{"code","tr","en"}], "targets":{name: number},
 * "charts": may uplot.js be asked for, "history": a number that rises when there is more of it, and
 * "alarms": null while they are not known, else [{"id",
 * "kind","value","bound","raised_us","acknowledged_us","by","place":{"tr","en"}}] (alarm_rules.h;
 * acknowledged_us and by are null when nobody has acknowledged, place when it is of none); patch:
 * {"state","seq","age_ms","now_us","values"} with only what changed, null for what is not known any
 * more; beat: a patch without values.  age_ms is null while there are no figures.  NULL: out of
 * memory.
 */
#ifndef METRICS_STATEMENT_H
#define METRICS_STATEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct alarm_row;
struct catalogue;
struct figures;
struct picture;

/* The active departments in the catalogue's order, then others that have figures.  catalogue NULL:
 * only those. */
json_t *statement_departments(const struct catalogue *catalogue, const struct figures *figures);

struct statement_frame {
	const struct catalogue *catalogue; /* NULL: none yet */
	const struct figures *figures;
	const struct alarm_row *alarms;
	size_t alarm_count;
	bool alarms_known;
	uint64_t history_version;
	const char *build;
	bool charts; /* the page's library is there */
};
json_t *statement_frame(const struct statement_frame *frame);

json_t *statement_snapshot(const struct picture *picture, const json_t *frame);
json_t *statement_patch(const struct picture *picture, const struct figures *told);
json_t *statement_beat(const struct picture *picture);

#endif
