/*
 * picture - what the board shows at this moment, and how old it is.
 *
 * It reads the figures from Redis when they may have moved, and asks the record now and then where
 * the log is: figures that have reached a place the log was seen at are as old as that look, no
 * older.  So the age grows when the record, the stream or Redis is away, and with nothing else.
 * The last figures are kept while they cannot be read.
 */
#ifndef METRICS_PICTURE_H
#define METRICS_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "figures.h"
#include "projector.h"

struct db;
struct live;
struct picture;
struct registry;

/* Adds figures that do not come from the projection to those just read.  False: no memory. */
typedef bool picture_add_fn(void *arg, struct figures *f);

/* All are lent. */
struct picture_options {
	struct db *db; /* store_statements */
	struct live *live;
	struct projector *projector;
	const struct registry *registry; /* whose catalogue says what is quick, near and many */
	uint64_t read_ms; /* between two readings when something moves */
	uint64_t look_ms; /* between two looks at the record */
	picture_add_fn *add; /* called with the creator's arg */
};

/* on_change: the figures or the state are not what they were. */
typedef void picture_change_fn(void *arg);

/* NULL: no memory.  Destroy takes NULL; close db and redis before. */
struct picture *picture_create(picture_change_fn *on_change, void *arg);
/* Before the first tick. */
void picture_set_parts(struct picture *p, const struct picture_options *options);
void picture_destroy(struct picture *p);

/* The projection has moved, or is in another state. */
void picture_moved(struct picture *p);
void picture_state_changed(struct picture *p, enum projector_state state);

enum projector_state picture_state(const struct picture *p);
/* Empty until they were read once. */
const struct figures *picture_figures(const struct picture *p);
/* The record up to which they count; 0 before the first. */
uint64_t picture_seq(const struct picture *p);
/* How old the figures are, -1 when there are none. */
int64_t picture_age_ms(const struct picture *p, uint64_t now_ms);
/* Do the figures follow the log, and were they so less than ten seconds ago?  What is decided or
 * kept by older ones would be wrong. */
bool picture_fresh(const struct picture *picture, uint64_t now_ms);

/* Returns ms until the next call. */
int64_t picture_tick(struct picture *p, uint64_t now_ms);

/* Is name's number a status or a channel ("due.5")?  Then the board's word for it ("status.opened",
 * "today.web") is written; else the name as it is.  False: it does not fit. */
MUST_CHECK bool picture_name(const char *name, char out[FIGURE_NAME_SIZE]);

#endif
