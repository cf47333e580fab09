/* Writes what bus.h counts. */
#include "bus_metrics.h"

#include <event2/buffer.h>
#include <inttypes.h>

#include "bus.h"

static bool
head(struct evbuffer *out, const char *name, const char *help)
{
	return evbuffer_add_printf(out, "# HELP %s %s.\n# TYPE %s counter\n", name, help, name) > 0;
}

static bool
sample(struct evbuffer *out, const char *name, const char *label, const char *of, uint64_t count)
{
	return evbuffer_add_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, of, count) > 0;
}

bool
bus_write_metrics(const struct bus *bus, struct evbuffer *out)
{
	static const char events[] = "turunc_bus_events_total";
	static const char refused[] = "turunc_bus_frames_refused_total";
	static const char closed[] = "turunc_bus_sessions_closed_total";
	bool ok = head(out, events, "What happened at the doors of the bus");

	for (int i = 0; ok && i < BUS_COUNTERS; i++)
		ok = sample(out, events, "what", bus_counter_name((enum bus_counter)i),
		    bus_count(bus, (enum bus_counter)i));
	ok = ok && head(out, refused, "Frames that could not be read");
	for (int i = FRAME_OK + 1; ok && i < FRAME_RESULTS; i++)
		ok = sample(out, refused, "why", frame_result_name((enum frame_result)i),
		    bus_count_refused(bus, (enum frame_result)i));
	ok = ok && head(out, closed, "Sessions ended");
	for (int i = 0; ok && i < BUS_CLOSE_REASONS; i++)
		ok = sample(out, closed, "why", bus_close_reason_name((enum bus_close_reason)i),
		    bus_count_closed(bus, (enum bus_close_reason)i));
	return ok;
}
