/* A temporary slot for as long as a copy is made. */
#include "backup_hold.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "record_link.h"

enum { ASK_MS = 10000 };

enum exit_code
backup_hold_begin(struct backup_hold *hold, const char *conninfo)
{
	char question[128];
	PGresult *rows;

	*hold = (struct backup_hold){ .record = record_link_create(conninfo) };
	if (hold->record == NULL)
		return masa_fail(MASA_FAILED, "no memory");
	snprintf(hold->name, sizeof(hold->name), "turunc_copy_%ld_%llx", (long)getpid(),
	    (unsigned long long)clock_real_us());
	/* Reserved at once, and temporary. */
	snprintf(question, sizeof(question),
	    "SELECT pg_create_physical_replication_slot('%s', true, true)", hold->name);
	hold->held_us = clock_now_us();
	if (record_link_ask(hold->record, question, ASK_MS, -1, &rows) == RECORD_ANSWERED) {
		PQclear(rows);
		return MASA_OK;
	}
	enum exit_code code = masa_fail(MASA_FAILED,
	    "PostgreSQL does not keep its WAL for the copy: %s", record_link_why(hold->record));
	backup_hold_end(hold);
	return code;
}

void
backup_hold_look(struct backup_hold *hold)
{
	char question[256];
	int64_t now_us = clock_now_us(); /* before the question */
	PGresult *rows;

	snprintf(question, sizeof(question),
	    "SELECT FROM pg_stat_progress_basebackup p JOIN pg_stat_activity a ON a.pid = p.pid "
	    "WHERE a.application_name = '%s' AND p.phase = 'streaming database files'",
	    hold->name);
	if (record_link_ask(hold->record, question, ASK_MS, -1, &rows) != RECORD_ANSWERED)
		return;
	if (PQntuples(rows) > 0)
		hold->held_us = now_us;
	PQclear(rows);
}

void
backup_hold_end(struct backup_hold *hold)
{
	record_link_destroy(hold->record);
	hold->record = NULL;
}
