/* One connection to PostgreSQL: attempt, loss, and again. */
#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backoff.h"
#include "clock.h"
#include "db_connection.h"
#include "log.h"

#define BIT(s) (1u << (s))

static const struct {
	const char *name;
	unsigned next;
} states[] = {
	[LINK_IDLE] = { "idle", BIT(LINK_CONNECTING) },
	[LINK_CONNECTING] = { "connecting", BIT(LINK_PREPARING) | BIT(LINK_BROKEN) },
	[LINK_PREPARING] = { "preparing", BIT(LINK_READY) | BIT(LINK_BROKEN) },
	[LINK_READY] = { "ready", BIT(LINK_BROKEN) },
	[LINK_BROKEN] = { "broken", BIT(LINK_IDLE) },
};
_Static_assert(ARRAY_LEN(states) == LINK_STATES, "describe every state");

static const struct backoff retry = { .first_ms = 100, .cap_ms = 1000, .spread_percent = 40 };

/* A larger socket buffer lets a batch leave in one go, so that the log's lock and its Sync are
 * never parted by a full socket. */
enum { SEND_BUFFER_BYTES = 1024 * 1024 };

void
db_connection_enter(struct db_connection *c, enum link_state next)
{
	assert(states[c->state].next & BIT(next));
	log_debug("db connection %s -> %s", states[c->state].name, states[next].name);
	c->state = next;
}

struct db_connection *
db_connection_create(
    const struct db_connection_settings *settings, const struct db_connection_owner *owner)
{
	struct db_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->settings = *settings;
	c->owner = owner;
	TAILQ_INIT(&c->sent);
	return c;
}

bool
db_connection_ready(const struct db_connection *c)
{
	return c->state == LINK_READY;
}

size_t
db_connection_in_flight(const struct db_connection *c)
{
	return c->in_flight;
}

bool
db_connection_has_room(const struct db_connection *c)
{
	return c->state == LINK_READY && !c->stale && c->in_flight < c->settings.in_flight;
}

uint64_t
db_connection_age_ms(const struct db_connection *c, uint64_t now_ms)
{
	const struct db_unit *oldest = TAILQ_FIRST(&c->sent);

	return oldest == NULL || now_ms < oldest->since_ms ? 0 : now_ms - oldest->since_ms;
}

/* --- the socket --- */

static void
unwatch(struct db_connection *c)
{
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	c->readable = c->writable = NULL;
}

static bool
watch(struct db_connection *c, bool for_read, bool for_write, event_callback_fn on_event)
{
	int fd = PQsocket(c->pg);

	c->readable = event_new(c->settings.loop, fd, EV_READ | EV_PERSIST, on_event, c);
	c->writable = event_new(c->settings.loop, fd, EV_WRITE | EV_PERSIST, on_event, c);
	return fd >= 0 && c->readable != NULL && c->writable != NULL
	       && (!for_read || event_add(c->readable, NULL) == 0)
	       && (!for_write || event_add(c->writable, NULL) == 0);
}

/* --- loss --- */

/* One line without what surrounds it, cut to size; libpq ends its messages with a newline. */
void
db_copy_message(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	while (len > 0 && (from[len - 1] == '\n' || from[len - 1] == ' '))
		len--;
	snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), from);
	for (char *c = to; *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

void
db_connection_break(struct db_connection *c, const char *why)
{
	if (c->state == LINK_BROKEN || c->state == LINK_IDLE)
		return;
	/* The first reason is the reason, what a FATAL message said before the end of file. */
	if (c->why[0] == '\0')
		db_copy_message(c->why, sizeof(c->why), why);
	/* libpq may have closed the socket already.  An event left on it would meet the next one
	 * that gets its number, which the loop would then never look at. */
	unwatch(c);
	db_connection_enter(c, LINK_BROKEN);
	c->owner->wake(c->owner->arg, clock_monotonic_ms());
}

/* An error of a statement rolled everything back, even when the Sync was never answered; a
 * connection lost without one leaves the question open. */
static enum db_outcome
outcome_of_lost(const struct db_unit *unit)
{
	return unit->error != NULL ? DB_FAILED : DB_UNKNOWN;
}

static void
disconnect(struct db_connection *c)
{
	unwatch(c);
	PQfinish(c->pg);
	c->pg = NULL;
	c->in_flight = 0;
	c->stale = false;
}

static void
give_back(struct db_connection *c)
{
	struct db_units lost = TAILQ_HEAD_INITIALIZER(lost);
	struct db_unit *unit;

	TAILQ_CONCAT(&lost, &c->sent, link);
	while ((unit = TAILQ_FIRST(&lost)) != NULL) {
		TAILQ_REMOVE(&lost, unit, link);
		c->owner->on_finished(c->owner->arg, unit, outcome_of_lost(unit));
	}
}

static uint32_t
random_u32(void)
{
	uint32_t value;

	evutil_secure_rng_get_bytes(&value, sizeof(value));
	return value;
}

/* The server that was lost comes first; after a failed attempt the next one, at once; after a round
 * of all of them a pause. */
static void
reclaim(struct db_connection *c, uint64_t now_ms)
{
	bool was_ready = c->was_ready;
	char why[sizeof(c->why)];

	disconnect(c);
	db_connection_enter(c, LINK_IDLE);
	c->was_ready = false;
	if (!was_ready) {
		c->failures++;
		c->target++;
	}
	uint32_t rounds = c->failures / (uint32_t)db_address_count(c->settings.address);
	bool round_done = c->failures % db_address_count(c->settings.address) == 0;
	c->retry_at_ms = now_ms;
	if (round_done)
		c->retry_at_ms += backoff_delay_ms(&retry, rounds, random_u32());
	memcpy(why, c->why, sizeof(why));
	c->why[0] = '\0';

	c->owner->on_lost(c->owner->arg, why, was_ready);
	give_back(c);
}

void
db_connection_destroy(struct db_connection *c)
{
	if (c == NULL)
		return;
	disconnect(c);
	give_back(c);
	free(c);
}

/* --- connecting --- */

static void
start_preparing(struct db_connection *c)
{
	int bytes = SEND_BUFFER_BYTES;

	unwatch(c);
	(void)setsockopt(PQsocket(c->pg), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	db_connection_enter(c, LINK_PREPARING);
	if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1
	    || !watch(c, true, false, db_pipeline_event) || !db_pipeline_prepare(c))
		db_connection_break(c, PQerrorMessage(c->pg));
	else
		db_pipeline_flush(c);
}

/* libpq may go on with another socket, so the events are made anew at every step. */
static void
on_connecting_event(evutil_socket_t fd, short what, void *arg)
{
	struct db_connection *c = arg;

	(void)fd;
	(void)what;
	if (c->state != LINK_CONNECTING)
		return;
	unwatch(c);
	PostgresPollingStatusType next = PQconnectPoll(c->pg);
	if (next == PGRES_POLLING_OK)
		start_preparing(c);
	else if (next == PGRES_POLLING_FAILED)
		db_connection_break(c, PQerrorMessage(c->pg));
	else if (!watch(c, next == PGRES_POLLING_READING, next == PGRES_POLLING_WRITING,
		     on_connecting_event))
		db_connection_break(c, "cannot watch the socket");
}

static void
start_connecting(struct db_connection *c, uint64_t now_ms)
{
	db_connection_enter(c, LINK_CONNECTING);
	c->deadline_ms = now_ms + c->settings.connect_ms;
	c->pg = db_address_connect(c->settings.address, c->target);
	if (c->pg == NULL)
		db_connection_break(c, "out of memory");
	else if (PQstatus(c->pg) == CONNECTION_BAD)
		db_connection_break(c, PQerrorMessage(c->pg));
	else if (!watch(c, false, true, on_connecting_event))
		db_connection_break(c, "cannot watch the socket");
}

uint64_t
db_connection_tick(struct db_connection *c, uint64_t now_ms)
{
	char why[80];

	if (c->state == LINK_IDLE && now_ms >= c->retry_at_ms)
		start_connecting(c, now_ms);
	if ((c->state == LINK_CONNECTING || c->state == LINK_PREPARING)
	    && now_ms >= c->deadline_ms) {
		snprintf(why, sizeof(why), "no connection after %llu ms",
		    (unsigned long long)c->settings.connect_ms);
		db_connection_break(c, why);
	}
	if (c->state == LINK_READY && db_connection_age_ms(c, now_ms) >= c->settings.unit_ms) {
		snprintf(why, sizeof(why), "no answer after %llu ms",
		    (unsigned long long)c->settings.unit_ms);
		db_connection_break(c, why);
	}
	if (c->state == LINK_BROKEN)
		reclaim(c, now_ms);

	switch (c->state) {
	case LINK_IDLE:
		return c->retry_at_ms;
	case LINK_CONNECTING:
	case LINK_PREPARING:
		return c->deadline_ms;
	case LINK_READY:
		return TAILQ_EMPTY(&c->sent)
			   ? UINT64_MAX
			   : TAILQ_FIRST(&c->sent)->since_ms + c->settings.unit_ms;
	default:
		return now_ms;
	}
}
