/*
 * bus_metrics - what the bus counts, as a table for /metrics.
 *
 *	http_common_add_stats(common, bus_metrics_stats(m), bus_metrics_refresh, m);
 */
#ifndef TURUNC_BUS_METRICS_H
#define TURUNC_BUS_METRICS_H

#include "base.h"

struct bus;
struct bus_metrics;
struct stats;

/* bus is lent.  NULL: out of memory.  Destroy takes NULL. */
struct bus_metrics *bus_metrics_create(const struct bus *bus);
void bus_metrics_destroy(struct bus_metrics *m);

/* turunc_bus_events_total{what}, turunc_bus_frames_refused_total{why} and
 * turunc_bus_sessions_closed_total{why}.  Lent. */
const struct stats *bus_metrics_stats(const struct bus_metrics *m);
/* Takes over what was counted since the last time; arg is the struct bus_metrics. */
void bus_metrics_refresh(void *arg);

#endif
