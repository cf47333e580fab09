/*
 * stats - counters, gauges and histograms by enum from a const table, as Prometheus text.
 *
 *	enum { STAT_TICKETS, STAT_QUEUE, STAT_COMMIT };
 *	static const char *const doors[] = { "open311", "bus", NULL };
 *	static const struct stat_row intake_stats[] = {
 *		[STAT_TICKETS] = { .name = "turunc_intake_tickets_total", .type = STAT_COUNTER,
 *		    .help = "Tickets committed", .label = "door", .label_values = doors },
 *		[STAT_COMMIT] = { .name = "turunc_intake_commit_seconds", .type = STAT_HISTOGRAM,
 *		    .help = "Time from send to commit", .divisor = 1000000, .bounds = ... },
 *	};
 *
 * A module keeps its own table and its own struct stats; /metrics writes them one after another.
 * Values are whole numbers in the unit they are measured in (microseconds, bytes); divisor brings
 * them to the base unit Prometheus asks for, exactly.  Rows of one name that differ only in their
 * fixed labels stand next to each other.  One thread.
 */
#ifndef TURUNC_STATS_H
#define TURUNC_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct evbuffer;
struct stats;

enum stat_type { STAT_COUNTER, STAT_GAUGE, STAT_HISTOGRAM };

struct stat_row {
	const char
	    *name; /* turunc_..., counters end in _total, times in _seconds, sizes in _bytes */
	const char *help;
	enum stat_type type;
	int64_t divisor; /* a power of ten, 0 counts as 1 */
	const char *fixed; /* name of a label that is the same for the row, or NULL */
	const char *fixed_value;
	const char *label; /* name of the label that varies, or NULL */
	const char *const *label_values; /* its values, ends with NULL */
	const int64_t *bounds; /* histograms: upper bounds, rising, ends with 0 */
};

/* Upper bounds of a histogram in microseconds, 100 us to 60 s: fits most waiting times. */
extern const int64_t stats_bounds_us[];

/* The same for stages that people or other systems may hold up, 1 ms to a day. */
extern const int64_t stats_stage_bounds_us[];

/* A row of the histogram that every service has for its stage of a message's way, under one name:
 * commit (from the door to the record), routed, delivered, told.  docs/watching.md defines them. */
#define STATS_STAGE(stage_)                                                                     \
	{                                                                                       \
		.name = "turunc_stage_seconds",                                                 \
		.help =                                                                         \
		    "How long a stage of a report's way took: commit, routed, delivered, told", \
		.type = STAT_HISTOGRAM, .divisor = 1000000, .bounds = stats_stage_bounds_us,    \
		.fixed = "stage", .fixed_value = stage_                                         \
	}

/* The table is lent and is checked (asserted): names, endings, labels, bounds.  NULL: no memory.
 * Destroy takes NULL. */
struct stats *stats_create(const struct stat_row *table, size_t count);
void stats_destroy(struct stats *s);

/* value is the index into label_values (asserted to be there); rows without a label have only 0. */
void stats_incr(struct stats *s, size_t row);
void stats_add(struct stats *s, size_t row, uint64_t n);
void stats_add_at(struct stats *s, size_t row, size_t value, uint64_t n);
void stats_set(struct stats *s, size_t row, int64_t gauge);
void stats_set_at(struct stats *s, size_t row, size_t value, int64_t gauge);
void stats_observe(struct stats *s, size_t row, int64_t measured);
void stats_observe_at(struct stats *s, size_t row, size_t value, int64_t measured);

/* A counter's or gauge's present value, a histogram's count; undivided. */
int64_t stats_get(const struct stats *s, size_t row, size_t value);

/* Appends the table in Prometheus text format 0.0.4; false: out of memory. */
MUST_CHECK bool stats_write(const struct stats *s, struct evbuffer *out);
#define STATS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends what every process shows: turunc_build_info, process_* (memory, CPU, open files, start),
 * lines of the log dropped. */
MUST_CHECK bool stats_write_process(const char *service, struct evbuffer *out);

#endif
