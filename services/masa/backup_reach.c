/* Follows a mark in the WAL until the receiver has it on its disk. */
#include "backup_reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "masa.h"

enum { ASK_MS = 10000 };

/* A receiver that is away has no row, one that has flushed nothing yet no position. */
static const char question[] =
    "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint, r.application_name, "
    "pg_wal_lsn_diff(r.flush_lsn, '0/0')::bigint FROM (SELECT) AS now LEFT JOIN "
    "pg_stat_replication r ON r.application_name LIKE 'turunc-backup-%'";

bool
backup_reach_open(struct backup_reach *r, const char *conninfo)
{
	*r = (struct backup_reach){ .record = record_link_create(conninfo) };
	snprintf(r->receiver, sizeof(r->receiver), "turunc-backup-%ld-%llx", (long)getpid(),
	    (unsigned long long)clock_real_us());
	return r->record != NULL;
}

void
backup_reach_close(struct backup_reach *r)
{
	record_link_destroy(r->record);
	r->record = NULL;
}

static int64_t
number_at(const PGresult *rows, int row, int column)
{
	return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

static int64_t
is_behind(struct backup_reach *r, const char *why)
{
	if (!r->told)
		(void)masa_fail(MASA_FAILED,
		    "what is committed now is not known to be kept, and the backup does not count "
		    "as one of now: %s",
		    why);
	r->told = true;
	return 0;
}

int64_t
backup_reach_ask(struct backup_reach *r)
{
	/* Before the question: what was committed by now stands before the position it gives. */
	int64_t now_us = clock_now_us(), flushed = -1;
	PGresult *rows;

	if (record_link_ask(r->record, question, ASK_MS, -1, &rows) != RECORD_ANSWERED)
		return is_behind(r, record_link_why(r->record));
	int64_t position = number_at(rows, 0, 0);
	for (int row = 0; row < PQntuples(rows); row++)
		if (strcmp(PQgetvalue(rows, row, 1), r->receiver) == 0
		    && !PQgetisnull(rows, row, 2))
			flushed = number_at(rows, row, 2);
	PQclear(rows);
	if (r->mark_us != 0 && flushed < r->mark_position)
		return is_behind(r, flushed < 0 ? "PostgreSQL sees nobody who takes the WAL"
						: "who takes the WAL has not put it on its disk");
	int64_t reached_us = r->mark_us;
	if (reached_us != 0)
		r->told = false;
	r->mark_position = position;
	r->mark_us = now_us;
	return reached_us;
}
