/* bus_metrics - the counters of a bus as Prometheus text, for /metrics. */
#ifndef TURUNC_BUS_METRICS_H
#define TURUNC_BUS_METRICS_H

#include <stdbool.h>

#include "base.h"

struct bus;
struct evbuffer;

/* Appends turunc_bus_events_total{what}, turunc_bus_frames_refused_total{why} and
 * turunc_bus_sessions_closed_total{why}.  False: out of memory. */
MUST_CHECK bool bus_write_metrics(const struct bus *bus, struct evbuffer *out);

#endif
