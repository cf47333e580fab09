/* The pipeline of one connection: statements and units go in, results come out in order. */
#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "db_connection.h"
#include "log.h"

/* --- sending --- */

/* What could not be sent leaves when the socket takes it.  The server may refuse to read before
 * its answers are read, so reading goes on meanwhile. */
void
db_pipeline_flush(struct db_connection *c)
{
	int pending = PQflush(c->pg);

	if (pending < 0)
		db_connection_break(c, PQerrorMessage(c->pg));
	else if (pending > 0)
		event_add(c->writable, NULL);
	else
		event_del(c->writable);
}

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
		db_connection_break(c, PQerrorMessage(c->pg));
	else
		db_pipeline_flush(c);
}

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
		db_copy_message(c->why, sizeof(c->why), message);
	if (strcmp(severity, "WARNING") == 0 && unit != NULL && unit->got + 1 >= unit->call_count)
		unit->warned = true;
	log_debug("db notice severity=%s text=%s", severity, log_quoted(message));
}

bool
db_pipeline_prepare(struct db_connection *c)
{
	PQsetNoticeReceiver(c->pg, on_notice, c);
	c->prepared = 0;
	for (size_t i = 0; i < c->settings.statement_count; i++) {
		const struct db_statement *s = &c->settings.statements[i];
		if (PQsendPrepare(c->pg, s->name, s->sql, 0, NULL) != 1)
			return false;
	}
	return PQpipelineSync(c->pg) == 1;
}

/* --- results --- */

static void
become_ready(struct db_connection *c)
{
	if (c->prepared != c->settings.statement_count) {
		db_connection_break(c, "a statement could not be prepared");
		return;
	}
	db_connection_enter(c, LINK_READY);
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
		db_connection_break(c, why);
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
		db_connection_break(c, PQresultErrorMessage(result));
		PQclear(result);
		return;
	}
	if (fatal && c->why[0] == '\0')
		db_copy_message(c->why, sizeof(c->why), PQresultErrorMessage(result));
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
		db_connection_break(c, "the session is stale");
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
		db_connection_break(c, "an answer that no statement of ours can have");
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

void
db_pipeline_event(evutil_socket_t fd, short what, void *arg)
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
			db_connection_break(c, PQerrorMessage(c->pg));
	}
	if (c->state == LINK_PREPARING || c->state == LINK_READY)
		db_pipeline_flush(c);
}
