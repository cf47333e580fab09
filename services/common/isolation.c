/* Halves what is suspected until one is left. */
#include "isolation.h"

#include <assert.h>

size_t
isolation_size(const struct isolation *i, size_t most)
{
	if (i->suspects == 0)
		return most;
	size_t half = i->suspects > 1 ? i->suspects / 2 : 1;
	return half < most ? half : most;
}

void
isolation_failed(struct isolation *i, size_t records)
{
	assert(records > 0);
	i->suspects = records;
	i->found = records == 1;
}

void
isolation_passed(struct isolation *i, size_t records)
{
	i->suspects -= records < i->suspects ? records : i->suspects;
	i->found = false;
}
