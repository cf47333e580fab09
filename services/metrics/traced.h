/* traced - records on their way to Redis, so that their trace can say when they are there. */
#ifndef METRICS_TRACED_H
#define METRICS_TRACED_H

#include <stddef.h>

#include "turunc/v1/bus.pb-c.h"

struct traced;

/* Of records [from, to), as many as may be logged at once; NULL: none, or no memory. */
struct traced *traced_take(const Turunc__V1__Deliver *deliver, size_t from, size_t to);
/* One line each.  Takes NULL, and so does destroy. */
void traced_log(const struct traced *t, const char *stage);
void traced_destroy(struct traced *t);

#endif
