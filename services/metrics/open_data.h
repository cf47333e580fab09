/*
 * open_data - what anybody may download: the requests of each month that is over.
 *
 *	/open-data/			which months there are
 *	/open-data/YYYY-MM		one of them: its files with their sizes and checksums, and
 *the dictionary /open-data/YYYY-MM/<file>	the files of open_data_files.h
 *
 * A month is read from the record when somebody asks, and kept for a stated time, so that its files
 * and their checksums belong together; the two asked for last are held.  One is read at a time, and
 * the record is busy with that for a tenth of the time at most: others wait their turn, and when
 * too many do, the answer is 503.
 *
 * A month is there when its report is published first, some days after its end, and what is
 * recorded later is never in it: the difference between two readings would tell what is hidden.
 */
#ifndef METRICS_OPEN_DATA_H
#define METRICS_OPEN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct db;
struct http;
struct open_data;
struct registry;
struct stats;
struct worker;

struct open_data_options {
	struct db *db;
	const struct registry *registry;
	struct worker *worker; /* closed before open_data_destroy() */
	uint64_t fresh_ms; /* how long a month is kept */
	size_t tickets_max; /* a month with more is not published, and the log says so */
	void (*on_work)(void *arg); /* open_data_tick() has something to do */
	void *arg;
};

/* All are lent.  NULL: no memory.  Destroy takes NULL; close db and http before. */
struct open_data *open_data_create(const struct open_data_options *options);
void open_data_destroy(struct open_data *o);
/* False: no room for another table of routes. */
MUST_CHECK bool open_data_add_routes(struct open_data *o, struct http *http);
/* Returns ms until the next call, -1: not before on_work. */
int64_t open_data_tick(struct open_data *o, uint64_t now_ms);
/* turunc_metrics_open_data_*.  Lent. */
const struct stats *open_data_stats(const struct open_data *o);

#endif
