/*
 * search_index - keeps the words of contacts behind the log, so that people find them.
 *
 * A follower of the log with a place and a connection of its own: it reads who is new, who said
 * more and which ticket went to another department, folds, and writes the words together with its
 * place, by compare-and-set.  Nobody waits for it; while the record is away it stands still.
 */
#ifndef ROUTER_SEARCH_INDEX_H
#define ROUTER_SEARCH_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "stats.h"

struct search_index;

struct search_index_world {
	struct db *db; /* of search_statements */
	void (*wake)(void *arg);
	void *arg;
};

/* NULL: out of memory.  Destroy after the db was closed; takes NULL. */
struct search_index *search_index_create(const struct search_index_world *world);
void search_index_destroy(struct search_index *s);

void search_index_grew(struct search_index *s, uint64_t seq);
/* The connection is there (again), or the history is another: its place is read anew. */
void search_index_renew(struct search_index *s);
int64_t search_index_tick(struct search_index *s, uint64_t now_ms);
void search_index_stop(struct search_index *s);
bool search_index_busy(const struct search_index *s);

const struct stats *search_index_stats(const struct search_index *s);
void search_index_refresh(void *s);

#endif
