/* One connection to PostgreSQL in pipeline mode: attempt, preparation, units, loss, again. */
#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backoff.h"
#include "clock.h"
#include "db_internal.h"
#include "log.h"

enum link_state {
	LINK_IDLE, /* until retry_at_ms, then the next attempt */
	LINK_CONNECTING, /* libpq talks; until deadline_ms */
	LINK_PREPARING, /* the statements are on their way; until deadline_ms */
	LINK_READY,
	LINK_BROKEN, /* reclaimed by the next tick, for it may be in use up the stack */
	LINK_STATES
};
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

struct db_connection {
	struct db_connection_settings settings;
	const struct db_connection_owner *owner;
	enum link_state state;
	PGconn *pg;
	struct event *readable, *writable;
	struct db_units sent; /* in the order their results come */
	size_t in_flight;
	size_t prepared;
	size_t target; /* the server of the next attempt */
	uint32_t failures;
	uint64_t retry_at_ms, deadline_ms;
	bool was_ready;
	bool stale; /* no more units; made anew when the last one has its answer */
	char why[300];
};

static const struct backoff retry = { .first_ms = 100, .cap_ms = 5000, .spread_percent = 40 };

/* A larger socket buffer lets a batch leave in one go, so that the log's lock and its Sync are
 * never parted by a full socket. */
enum { SEND_BUFFER_BYTES = 1024 * 1024 };

static void break_off(struct db_connection *c, const char *why);
static void read_results(struct db_connection *c);

static void
enter(struct db_connection *c, enum link_state next)
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

/* What could not be sent leaves when the socket takes it.  The server may refuse to read before
 * its answers are read, so reading goes on meanwhile. */
static void
flush(struct db_connection *c)
{
	int pending = PQflush(c->pg);

	if (pending < 0)
		break_off(c, PQerrorMessage(c->pg));
	else if (pending > 0)
		event_add(c->writable, NULL);
	else
		event_del(c->writable);
}

static void
on_pipeline_event(evutil_socket_t fd, short what, void *arg)
{
	struct db_connection *c = arg;

	(void)fd;
	if (c->state != LINK_PREPARING && c->state != LINK_READY)
		return;
	if (what & EV_READ) {
		/* Even when the connection has ended, the last answers may have come with it. */
		bool alive = PQconsumeInput(c->pg) == 1;
		read_results(c);
		if (!alive)
			break_off(c, PQerrorMessage(c->pg));
	}
	if (c->state == LINK_PREPARING || c->state == LINK_READY)
		flush(c);
}

/* --- loss --- */

/* One line without what surrounds it, cut to size; libpq ends its messages with a newline. */
static void
copy_message(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	while (len > 0 && (from[len - 1] == '\n' || from[len - 1] == ' '))
		len--;
	snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), from);
	for (char *c = to; *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

static void
break_off(struct db_connection *c, const char *why)
{
	if (c->state == LINK_BROKEN || c->state == LINK_IDLE)
		return;
	/* The first reason is the reason, what a FATAL message said before the end of file. */
	if (c->why[0] == '\0')
		copy_message(c->why, sizeof(c->why), why);
	enter(c, LINK_BROKEN);
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
	enter(c, LINK_IDLE);
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

/* Warnings: one that comes when only the last statement, or nothing, is left to answer may have
 * been the commit's ("committed locally only"), so it makes the outcome uncertain.  libpq hands
 * notices over as soon as it meets them, at most one result early. */
static void
on_notice(void *arg, const PGresult *notice)
{
	struct db_connection *c = arg;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
	struct db_unit *unit = TAILQ_FIRST(&c->sent);

	if (severity == NULL || message == NULL)
		return;
	if (strcmp(severity, "FATAL") == 0 && c->why[0] == '\0')
		copy_message(c->why, sizeof(c->why), message);
	if (strcmp(severity, "WARNING") == 0 && unit != NULL && unit->got + 1 >= unit->call_count)
		unit->warned = true;
	log_debug("db notice severity=%s text=%s", severity, log_quoted(message));
}

static bool
send_preparations(struct db_connection *c)
{
	for (size_t i = 0; i < c->settings.statement_count; i++) {
		const struct db_statement *s = &c->settings.statements[i];
		if (PQsendPrepare(c->pg, s->name, s->sql, 0, NULL) != 1)
			return false;
	}
	return PQpipelineSync(c->pg) == 1;
}

static void
start_preparing(struct db_connection *c)
{
	int bytes = SEND_BUFFER_BYTES;

	unwatch(c);
	(void)setsockopt(PQsocket(c->pg), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	enter(c, LINK_PREPARING);
	c->prepared = 0;
	PQsetNoticeReceiver(c->pg, on_notice, c);
	if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1
	    || !watch(c, true, false, on_pipeline_event) || !send_preparations(c))
		break_off(c, PQerrorMessage(c->pg));
	else
		flush(c);
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
		break_off(c, PQerrorMessage(c->pg));
	else if (!watch(c, next == PGRES_POLLING_READING, next == PGRES_POLLING_WRITING,
		     on_connecting_event))
		break_off(c, "cannot watch the socket");
}

static void
start_connecting(struct db_connection *c, uint64_t now_ms)
{
	enter(c, LINK_CONNECTING);
	c->deadline_ms = now_ms + c->settings.connect_ms;
	c->pg = db_address_connect(c->settings.address, c->target);
	if (c->pg == NULL)
		break_off(c, "out of memory");
	else if (PQstatus(c->pg) == CONNECTION_BAD)
		break_off(c, PQerrorMessage(c->pg));
	else if (!watch(c, false, true, on_connecting_event))
		break_off(c, "cannot watch the socket");
}

/* --- results --- */

static void
become_ready(struct db_connection *c)
{
	if (c->prepared != c->settings.statement_count) {
		break_off(c, "a statement could not be prepared");
		return;
	}
	enter(c, LINK_READY);
	c->failures = 0;
	c->was_ready = true;
	c->owner->on_ready(c->owner->arg, c);
}

/* A preparation's answer; takes the result. */
static void
prepared(struct db_connection *c, PGresult *result)
{
	char why[sizeof(c->why)];

	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		c->prepared++;
	} else if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
		const char *name = c->prepared < c->settings.statement_count
				       ? c->settings.statements[c->prepared].name
				       : "?";
		snprintf(why, sizeof(why), "statement %s: %s", name, PQresultErrorMessage(result));
		break_off(c, why);
	}
	PQclear(result);
}

/* States in which the session itself is of no use any more: the server became a standby, the
 * prepared statements are gone, or a table changed under their plans. */
static bool
session_is_stale(const char *sqlstate)
{
	static const char *const stale[] = { "25006", "26000", "0A000" };

	for (size_t i = 0; i < ARRAY_LEN(stale); i++)
		if (strcmp(sqlstate, stale[i]) == 0)
			return true;
	return false;
}

/* The unit's error, or the connection's: takes the result.  An error without a SQLSTATE is
 * libpq's own and says nothing about the unit; a FATAL one when every statement has its answer
 * leaves open whether the commit came before it. */
static void
take_error(struct db_connection *c, struct db_unit *unit, PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	bool fatal = severity == NULL || strcmp(severity, "ERROR") != 0;
	bool at_commit = unit->got == unit->call_count;

	if (sqlstate == NULL || (fatal && at_commit)) {
		break_off(c, PQresultErrorMessage(result));
		PQclear(result);
		return;
	}
	if (fatal && c->why[0] == '\0')
		copy_message(c->why, sizeof(c->why), PQresultErrorMessage(result));
	if (session_is_stale(sqlstate))
		c->stale = true;
	if (unit->error == NULL) {
		unit->error = result;
		unit->failed_at = unit->got;
	} else {
		PQclear(result);
	}
	if (!at_commit)
		unit->got++;
}

/* The Sync was answered: this unit is over. */
static void
finish_first(struct db_connection *c)
{
	struct db_unit *unit = TAILQ_FIRST(&c->sent);
	enum db_outcome outcome = DB_COMMITTED;

	if (unit->error != NULL)
		outcome = DB_FAILED;
	else if (unit->warned || unit->got != unit->call_count)
		outcome = DB_UNKNOWN;

	TAILQ_REMOVE(&c->sent, unit, link);
	c->in_flight--;
	if (TAILQ_FIRST(&c->sent) != NULL && c->in_flight > 0) {
		/* The next one could not run before: its patience starts now. */
		TAILQ_FIRST(&c->sent)->since_ms = clock_monotonic_ms();
	}
	if (c->stale && c->in_flight == 0)
		break_off(c, "the session is stale");
	c->owner->on_finished(c->owner->arg, unit, outcome);
}

static void
take_result(struct db_connection *c, PGresult *result)
{
	struct db_unit *unit = TAILQ_FIRST(&c->sent);

	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		finish_first(c);
		break;
	case PGRES_FATAL_ERROR:
		take_error(c, unit, result);
		break;
	case PGRES_PIPELINE_ABORTED:
		if (unit->got < unit->call_count)
			unit->got++;
		PQclear(result);
		break;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		assert(unit->got < unit->call_count);
		unit->results[unit->got++] = result;
		break;
	default:
		break_off(c, "an answer that no statement of ours can have");
		PQclear(result);
	}
}

static void
take_preparation(struct db_connection *c, PGresult *result)
{
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		become_ready(c);
	} else {
		prepared(c, result);
	}
}

/* Between the results of two statements libpq says NULL once; twice means it has nothing. */
static void
read_results(struct db_connection *c)
{
	unsigned nulls = 0;

	while (!PQisBusy(c->pg) && nulls < 2) {
		if (c->state != LINK_PREPARING && (c->state != LINK_READY || TAILQ_EMPTY(&c->sent)))
			return;
		PGresult *result = PQgetResult(c->pg);
		nulls = result == NULL ? nulls + 1 : 0;
		if (result == NULL)
			continue;
		if (c->state == LINK_PREPARING)
			take_preparation(c, result);
		else
			take_result(c, result);
	}
}

/* --- sending --- */

void
db_connection_send(struct db_connection *c, struct db_unit *unit)
{
	assert(db_connection_has_room(c));
	unit->since_ms = clock_monotonic_ms();
	TAILQ_INSERT_TAIL(&c->sent, unit, link);
	c->in_flight++;
	if (c->in_flight == 1)
		c->owner->wake(c->owner->arg, unit->since_ms + c->settings.unit_ms);
	if (!db_unit_send(unit, c->pg))
		break_off(c, PQerrorMessage(c->pg));
	else
		flush(c);
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
		break_off(c, why);
	}
	if (c->state == LINK_READY && db_connection_age_ms(c, now_ms) >= c->settings.unit_ms) {
		snprintf(why, sizeof(why), "no answer after %llu ms",
		    (unsigned long long)c->settings.unit_ms);
		break_off(c, why);
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
