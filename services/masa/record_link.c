/* One question to PostgreSQL within a time, by libpq's own states and poll(). */
#include "record_link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

struct record_link {
	const char *conninfo;
	PGconn *db;
	char why[256];
};

struct record_link *
record_link_create(const char *conninfo)
{
	struct record_link *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->conninfo = conninfo;
	return l;
}

void
record_link_destroy(struct record_link *l)
{
	if (l == NULL)
		return;
	PQfinish(l->db);
	free(l);
}

const char *
record_link_why(const struct record_link *l)
{
	return l->why;
}

/* Gives the connection up.  why NULL: libpq's own word, its first line. */
static enum record_answer
away(struct record_link *l, const char *why)
{
	if (why == NULL)
		why = l->db != NULL ? PQerrorMessage(l->db) : "no memory";
	snprintf(l->why, sizeof(l->why), "%.*s", (int)strcspn(why, "\n"), why);
	PQfinish(l->db);
	l->db = NULL;
	return RECORD_AWAY;
}

/* Waits for the socket; RECORD_ANSWERED: it is ready. */
static enum record_answer
wait_for(struct record_link *l, short events, uint64_t until_ms, int watch_fd)
{
	struct pollfd fds[2] = { { .fd = PQsocket(l->db), .events = events },
		{ .fd = watch_fd, .events = POLLIN } };
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms >= until_ms)
		return away(l, "it does not answer");
	if (poll(fds, 2, (int)(until_ms - now_ms)) > 0 && fds[1].revents != 0) {
		PQfinish(l->db);
		l->db = NULL;
		return RECORD_INTERRUPTED;
	}
	return RECORD_ANSWERED;
}

static enum record_answer
connect_to(struct record_link *l, uint64_t until_ms, int watch_fd)
{
	enum record_answer answer = RECORD_ANSWERED;

	if (l->db != NULL && PQstatus(l->db) == CONNECTION_OK)
		return RECORD_ANSWERED;
	PQfinish(l->db);
	l->db = PQconnectStart(l->conninfo);
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;
	while (answer == RECORD_ANSWERED) {
		if (l->db == NULL || PQstatus(l->db) == CONNECTION_BAD
		    || state == PGRES_POLLING_FAILED)
			return away(l, NULL);
		if (state == PGRES_POLLING_OK)
			return RECORD_ANSWERED;
		answer = wait_for(
		    l, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms, watch_fd);
		if (answer == RECORD_ANSWERED)
			state = PQconnectPoll(l->db);
	}
	return answer;
}

/* The one result of what was sent. */
static enum record_answer
take_result(struct record_link *l, uint64_t until_ms, int watch_fd, PGresult **ret_result)
{
	PGresult *kept = NULL, *next;

	do {
		while (PQisBusy(l->db)) {
			enum record_answer answer = wait_for(l, POLLIN, until_ms, watch_fd);
			if (answer == RECORD_ANSWERED && PQconsumeInput(l->db) == 0)
				answer = away(l, NULL);
			if (answer != RECORD_ANSWERED) {
				PQclear(kept);
				return answer;
			}
		}
		next = PQgetResult(l->db);
		if (next != NULL) {
			PQclear(kept);
			kept = next;
		}
	} while (next != NULL);
	if (PQresultStatus(kept) != PGRES_TUPLES_OK) {
		char why[sizeof(l->why)];
		snprintf(why, sizeof(why), "%s", PQresultErrorMessage(kept));
		PQclear(kept);
		return away(l, why[0] != '\0' ? why : NULL);
	}
	*ret_result = kept;
	return RECORD_ANSWERED;
}

enum record_answer
record_link_ask(
    struct record_link *l, const char *sql, uint64_t limit_ms, int watch_fd, PGresult **ret_result)
{
	uint64_t until_ms = clock_monotonic_ms() + limit_ms;
	enum record_answer answer = connect_to(l, until_ms, watch_fd);

	if (answer != RECORD_ANSWERED)
		return answer;
	/* Small enough for any socket's buffer, so that the blocking send does not block. */
	if (PQsendQueryParams(l->db, sql, 0, NULL, NULL, NULL, NULL, 0) == 0)
		return away(l, NULL);
	return take_result(l, until_ms, watch_fd, ret_result);
}
