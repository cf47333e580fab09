/* Reads a ticket from its row. */
#include "ticket.h"

#include <stdio.h>

#include "db_result.h"
#include "store.h"

void
ticket_copy_code(char to[TICKET_CODE_BYTES], const char *code)
{
	(void)snprintf(to, TICKET_CODE_BYTES, "%s", code);
}

static int64_t
int_or_zero(const struct pg_result *rows, int row, int column)
{
	return db_is_null(rows, row, column) ? 0 : db_get_int(rows, row, column);
}

static void
read_state(struct ticket *t, const struct pg_result *rows, int row)
{
	t->read_version = (int32_t)db_get_int(rows, row, TICKET_VERSION);
	t->version = t->read_version;
	t->status = (ticket_status)db_get_int(rows, row, TICKET_STATUS);
	ticket_copy_code(t->department, db_get_text(rows, row, TICKET_DEPARTMENT));
	ticket_copy_code(t->subject, db_get_text(rows, row, TICKET_SUBJECT));
	t->priority = (int)db_get_int(rows, row, TICKET_PRIORITY);
	ticket_copy_code(t->reason, db_get_text(rows, row, TICKET_REASON));
	t->until_us = int_or_zero(rows, row, TICKET_UNTIL);
	t->primary_id = int_or_zero(rows, row, TICKET_PRIMARY);
	t->legal_due_us = int_or_zero(rows, row, TICKET_LEGAL_DUE);
	t->service_due_us = int_or_zero(rows, row, TICKET_SERVICE_DUE);
	t->answered_us = int_or_zero(rows, row, TICKET_ANSWERED);
	t->extended = db_get_bool(rows, row, TICKET_EXTENDED);
	t->ended_us = int_or_zero(rows, row, TICKET_ENDED);
}

/* The clock whose columns begin at first. */
static void
read_clock(struct ticket_clock *c, const struct pg_result *rows, int row, int first)
{
	if (db_is_null(rows, row, first + CLOCK_STATE))
		return;
	c->state = (enum ticket_clock_state)db_get_int(rows, row, first + CLOCK_STATE);
	c->basis = (int)db_get_int(rows, row, first + CLOCK_BASIS);
	ticket_copy_code(c->calendar, db_get_text(rows, row, first + CLOCK_CALENDAR));
	(void)snprintf(c->calendar_version, sizeof(c->calendar_version), "%s",
	    db_get_text(rows, row, first + CLOCK_CALENDAR_VERSION));
	c->started_us = db_get_int(rows, row, first + CLOCK_STARTED);
	c->due_us = db_get_int(rows, row, first + CLOCK_DUE);
	c->promise_ms = db_get_int(rows, row, first + CLOCK_PROMISE);
	c->elapsed_ms = db_get_int(rows, row, first + CLOCK_ELAPSED);
	c->running_since_us = db_get_int(rows, row, first + CLOCK_RUNNING_SINCE);
	c->next_alarm = (enum ticket_alarm)db_get_int(rows, row, first + CLOCK_NEXT_ALARM);
	c->next_alarm_us = int_or_zero(rows, row, first + CLOCK_NEXT_ALARM_AT);
	c->read_alarm = c->next_alarm;
	c->read_alarm_us = c->next_alarm_us;
}

void
ticket_read(struct ticket *t, const struct pg_result *rows, int row)
{
	*t = (struct ticket){ .ticket_id = db_get_int(rows, row, TICKET_ID) };
	if (!number_format(t->ticket_id, t->number))
		t->number[0] = '\0';
	t->channel = (int)db_get_int(rows, row, TICKET_CHANNEL);
	ticket_copy_code(t->given_subject, db_get_text(rows, row, TICKET_GIVEN_SUBJECT));
	ticket_copy_code(t->neighbourhood, db_get_text(rows, row, TICKET_NEIGHBOURHOOD));
	t->given_basis = (int)db_get_int(rows, row, TICKET_GIVEN_BASIS);
	t->arrived_us = db_get_int(rows, row, TICKET_ARRIVED);
	t->recorded_us = db_get_int(rows, row, TICKET_RECORDED);
	t->has_joined = db_get_bool(rows, row, TICKET_HAS_JOINED);
	t->status = TURUNC__V1__STATUS__STATUS_OPENED;
	t->version = 1;
	ticket_copy_code(t->subject, t->given_subject);
	t->priority = TICKET_PRIORITY_UNDECIDED;
	if (!db_is_null(rows, row, TICKET_STATUS))
		read_state(t, rows, row);
	read_clock(&t->legal, rows, row, TICKET_LEGAL_CLOCK);
	read_clock(&t->service, rows, row, TICKET_SERVICE_CLOCK);
}
