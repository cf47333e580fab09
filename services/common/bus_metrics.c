/* Brings the counters of bus.h into a table of stats.h. */
#include "bus_metrics.h"

#include <stdlib.h>

#include "bus.h"
#include "stats.h"

enum { ROW_EVENTS, ROW_REFUSED, ROW_CLOSED, ROWS };

struct bus_metrics {
	const struct bus *bus;
	struct stats *stats;
	struct stat_row rows[ROWS];
	const char *events[BUS_COUNTERS + 1];
	const char *refused[FRAME_RESULTS + 1];
	const char *closed[BUS_CLOSE_REASONS + 1];
};

static void
name_rows(struct bus_metrics *m)
{
	for (int i = 0; i < BUS_COUNTERS; i++)
		m->events[i] = bus_counter_name((enum bus_counter)i);
	for (int i = 0; i < FRAME_RESULTS; i++)
		m->refused[i] = frame_result_name((enum frame_result)i);
	for (int i = 0; i < BUS_CLOSE_REASONS; i++)
		m->closed[i] = bus_close_reason_name((enum bus_close_reason)i);
	m->rows[ROW_EVENTS] = (struct stat_row){ .name = "turunc_bus_events_total",
		.help = "What happened at the doors of the bus",
		.label = "what",
		.label_values = m->events };
	m->rows[ROW_REFUSED] = (struct stat_row){ .name = "turunc_bus_frames_refused_total",
		.help = "Frames that could not be read",
		.label = "why",
		.label_values = m->refused };
	m->rows[ROW_CLOSED] = (struct stat_row){ .name = "turunc_bus_sessions_closed_total",
		.help = "Sessions ended",
		.label = "why",
		.label_values = m->closed };
}

struct bus_metrics *
bus_metrics_create(const struct bus *bus)
{
	struct bus_metrics *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->bus = bus;
	name_rows(m);
	m->stats = stats_create(m->rows, ROWS);
	if (m->stats == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void
bus_metrics_destroy(struct bus_metrics *m)
{
	if (m == NULL)
		return;
	stats_destroy(m->stats);
	free(m);
}

const struct stats *
bus_metrics_stats(const struct bus_metrics *m)
{
	return m->stats;
}

static void
catch_up(struct bus_metrics *m, size_t row, size_t value, uint64_t count)
{
	stats_add_at(m->stats, row, value, count - (uint64_t)stats_get(m->stats, row, value));
}

void
bus_metrics_refresh(void *arg)
{
	struct bus_metrics *m = arg;

	for (size_t i = 0; i < BUS_COUNTERS; i++)
		catch_up(m, ROW_EVENTS, i, bus_count(m->bus, (enum bus_counter)i));
	for (size_t i = 0; i < FRAME_RESULTS; i++)
		catch_up(m, ROW_REFUSED, i, bus_count_refused(m->bus, (enum frame_result)i));
	for (size_t i = 0; i < BUS_CLOSE_REASONS; i++)
		catch_up(m, ROW_CLOSED, i, bus_count_closed(m->bus, (enum bus_close_reason)i));
}
