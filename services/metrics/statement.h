/*
 * statement - what is said of a picture, as JSON.
 *
 * snapshot: {"state","seq","age_ms","now_us","municipality","departments":[{"code","tr","en"}],
 * "values":{name: number}}; patch: {"state","seq","age_ms","now_us","values"} with only what
 * changed, null for what is not known any more; beat: a patch without values.  age_ms is null while
 * there are no figures.  NULL: out of memory.
 */
#ifndef METRICS_STATEMENT_H
#define METRICS_STATEMENT_H

#include <jansson.h>

struct catalogue;
struct figures;
struct picture;

/* The active departments in the catalogue's order, then others that have figures.  catalogue NULL:
 * only those. */
json_t *statement_departments(const struct catalogue *catalogue, const struct figures *figures);

json_t *statement_snapshot(
    const struct picture *picture, const struct catalogue *catalogue, json_t *departments);
json_t *statement_patch(const struct picture *picture, const struct figures *told);
json_t *statement_beat(const struct picture *picture);

#endif
