/*
 * month_facts - facts as bytes, by key: all of a log, or those that a batch of records is about.
 */
#ifndef METRICS_MONTH_FACTS_H
#define METRICS_MONTH_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct month_kept {
	uint8_t *bytes; /* owned */
	uint32_t len;
	bool changed; /* since it was put here as kept */
	char key[];
};

/* Zeroed is empty. */
struct month_facts {
	struct month_kept **table; /* NULL: free */
	size_t table_size, count;
};

void month_facts_finish(struct month_facts *facts);
void month_facts_clear(struct month_facts *facts);
const struct month_kept *month_facts_get(const struct month_facts *facts, const char *key);
/* Takes bytes on success.  False: no memory. */
MUST_CHECK bool month_facts_put(
    struct month_facts *facts, const char *key, uint8_t *bytes, size_t len, bool changed);

#endif
