/* The process's ZeroMQ context, which keys it lets in, and what it counts. */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static const char *const counter_names[] = {
	[BUS_COUNT_ADMITTED] = "admitted",
	[BUS_COUNT_TURNED_AWAY] = "turned_away",
	[BUS_COUNT_FRAMES_IN] = "frames_in",
	[BUS_COUNT_FRAMES_OUT] = "frames_out",
	[BUS_COUNT_BYTES_IN] = "bytes_in",
	[BUS_COUNT_BYTES_OUT] = "bytes_out",
	[BUS_COUNT_SESSIONS_OPENED] = "sessions_opened",
	[BUS_COUNT_SESSIONS_REFUSED] = "sessions_refused",
	[BUS_COUNT_NO_SESSION] = "no_session",
	[BUS_COUNT_MULTIPART] = "multipart",
	[BUS_COUNT_NO_USER] = "no_user",
	[BUS_COUNT_OTHER_KEY] = "other_key",
	[BUS_COUNT_CHOSEN_ID] = "chosen_id",
	[BUS_COUNT_UNKNOWN_FRAME] = "unknown_frame",
	[BUS_COUNT_DEFERRED] = "deferred",
	[BUS_COUNT_CUT_OFF] = "cut_off",
	[BUS_COUNT_SEND_FAILED] = "send_failed",
};
_Static_assert(ARRAY_LEN(counter_names) == BUS_COUNTERS, "name every counter");

static const char *const close_names[] = {
	[BUS_CLOSE_HELLO_AGAIN] = "hello_again",
	[BUS_CLOSE_SILENT] = "silent",
	[BUS_CLOSE_GONE] = "gone",
	[BUS_CLOSE_SLOW] = "slow",
	[BUS_CLOSE_REVOKED] = "revoked",
	[BUS_CLOSE_PROTOCOL] = "protocol",
	[BUS_CLOSE_SUPERSEDED] = "superseded",
	[BUS_CLOSE_OWNER] = "owner",
	[BUS_CLOSE_SHUTTING_DOWN] = "shutting_down",
};
_Static_assert(ARRAY_LEN(close_names) == BUS_CLOSE_REASONS, "name every reason");

const char *
bus_counter_name(enum bus_counter counter)
{
	return counter_names[counter];
}

const char *
bus_close_reason_name(enum bus_close_reason reason)
{
	return close_names[reason];
}

/* --- who may connect -------------------------------------------------------------------------- */

static struct bus_domain *
domain_find(struct bus *bus, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(bus->domains); i++)
		if (bus->domains[i].used && strcmp(bus->domains[i].name, name) == 0)
			return &bus->domains[i];
	return NULL;
}

bool
bus_domain_add(struct bus *bus, const char *name, unsigned verbs)
{
	size_t len = strlen(name);

	if (len == 0 || len >= BUS_DOMAIN_BYTES || domain_find(bus, name) != NULL) {
		errno = EINVAL;
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(bus->domains); i++) {
		struct bus_domain *domain = &bus->domains[i];
		if (domain->used)
			continue;
		*domain = (struct bus_domain){ .verbs = verbs, .used = true };
		memcpy(domain->name, name, len + 1);
		return true;
	}
	errno = ENOSPC;
	return false;
}

void
bus_domain_remove(struct bus *bus, const char *name)
{
	struct bus_domain *domain = domain_find(bus, name);

	if (domain != NULL)
		domain->used = false;
}

static bool
may_connect(void *arg, const char *domain_name, const char *public_key)
{
	struct bus *bus = arg;
	const struct bus_domain *domain = domain_find(bus, domain_name);
	const struct acl_client *client = acl_find_key(bus->acl, public_key);

	return domain != NULL && client != NULL && acl_in_force(client, clock_now_us())
	       && (domain->verbs == 0 || (client->verbs & domain->verbs) != 0);
}

/* --- life ------------------------------------------------------------------------------------- */

static void
free_context(void *context)
{
	while (zmq_ctx_term(context) == -1 && errno == EINTR)
		;
}

struct bus *
bus_create(struct event_base *loop, const struct acl *acl, const struct key_pair *keys)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (bus == NULL)
		return NULL;
	bus->loop = loop;
	bus->acl = acl;
	bus->keys = *keys;
	bus->memory_limit = BUS_MEMORY_LIMIT_BYTES;
	errno = ENOTSUP;
	if (zmq_has("curve") != 1 || (bus->context = zmq_ctx_new()) == NULL
	    || !zap_open(&bus->zap, loop, bus->context, may_connect, bus)) {
		bus_destroy(bus);
		return NULL;
	}
	return bus;
}

void
bus_destroy(struct bus *bus)
{
	int saved_errno = errno;

	if (bus == NULL)
		return;
	zap_close(&bus->zap);
	if (bus->context != NULL)
		free_context(bus->context);
	keys_wipe(&bus->keys);
	free(bus);
	errno = saved_errno;
}

void
bus_limit_memory(struct bus *bus, size_t resident_bytes)
{
	bus->memory_limit = resident_bytes;
}

uint64_t
bus_count(const struct bus *bus, enum bus_counter counter)
{
	switch (counter) {
	case BUS_COUNT_ADMITTED:
		return bus->zap.admitted;
	case BUS_COUNT_TURNED_AWAY:
		return bus->zap.turned_away;
	default:
		return bus->counts[counter];
	}
}

uint64_t
bus_count_refused(const struct bus *bus, enum frame_result why)
{
	return bus->refused[why];
}

uint64_t
bus_count_closed(const struct bus *bus, enum bus_close_reason why)
{
	return bus->closed[why];
}
