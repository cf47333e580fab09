/*
 * demo_counts - what the player of a demonstration knows to have happened, by the names of the
 * monthly report's figures.  Pure.
 */
#ifndef MASA_DEMO_COUNTS_H
#define MASA_DEMO_COUNTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base.h"

enum { DEMO_NAME_SIZE = 96 };

struct demo_counts {
	struct demo_count {
		char name[DEMO_NAME_SIZE];
		int64_t value;
	} * at; /* by name */
	size_t count, room;
	bool lost; /* there was no memory: nothing here can be relied on */
};

PRINTF(3, 4) void demo_count(struct demo_counts *c, int64_t by, const char *name, ...);
int64_t demo_counted(const struct demo_counts *c, const char *name);
/* An object of them; owned by the caller, NULL: no memory. */
json_t *demo_counts_json(const struct demo_counts *c);
void demo_counts_finish(struct demo_counts *c); /* zeroed is empty */

#endif
