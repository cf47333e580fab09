/*
 * ticket - what the router knows of one ticket while it decides.
 *
 * Plain values: read from STORE_TICKETS, changed by clocks.h and step.h, written by changes.h.
 */
#ifndef ROUTER_TICKET_H
#define ROUTER_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "number.h"
#include "status.h"

struct pg_result;

/* A code of the catalogue has at most 40 characters; what is longer is no code and is cut. */
enum { TICKET_CODE_BYTES = 72, TICKET_VERSION_BYTES = 24 };
/* Until rules or people set it: the bus's "normal". */
enum { TICKET_PRIORITY_UNDECIDED = 2 };

enum ticket_clock_state { CLOCK_ABSENT, CLOCK_RUNNING, CLOCK_PAUSED, CLOCK_STOPPED };
enum ticket_alarm { ALARM_ABSENT, ALARM_DUE_SOON, ALARM_OVERDUE, ALARM_NONE_LEFT };

struct ticket_clock {
	enum ticket_clock_state state; /* ABSENT: the ticket has no such clock */
	int basis; /* legal: turunc.v1.LegalBasis */
	char calendar[TICKET_CODE_BYTES];
	char calendar_version[TICKET_VERSION_BYTES];
	int64_t started_us;
	int64_t due_us;
	int64_t promise_ms; /* service: working time promised */
	int64_t elapsed_ms; /* service: working time used before running_since_us */
	int64_t running_since_us;
	enum ticket_alarm next_alarm;
	int64_t next_alarm_us; /* 0: none is to come */
	/* As read, to notice that somebody else changed it; ABSENT: there is no row. */
	enum ticket_alarm read_alarm;
	int64_t read_alarm_us;
	bool changed;
};

struct ticket {
	int64_t ticket_id;
	char number[NUMBER_SIZE];
	/* as intake wrote it */
	int channel;
	char given_subject[TICKET_CODE_BYTES];
	char neighbourhood[TICKET_CODE_BYTES];
	int given_basis;
	int64_t arrived_us;
	int64_t recorded_us;
	/* what became of it; times 0: none */
	int32_t read_version; /* 0: there is no row yet */
	ticket_status status;
	int32_t version;
	char department[TICKET_CODE_BYTES]; /* "" before any had it */
	char subject[TICKET_CODE_BYTES];
	int priority;
	char reason[TICKET_CODE_BYTES];
	int64_t until_us;
	int64_t primary_id;
	int64_t legal_due_us;
	int64_t service_due_us;
	int64_t answered_us;
	bool extended;
	int64_t ended_us;
	bool has_joined; /* others are joined to it */
	struct ticket_clock legal;
	struct ticket_clock service;
	bool changed;
};

/* A row of STORE_TICKETS. */
void ticket_read(struct ticket *t, const struct pg_result *rows, int row);

/* Copies a code, cut to the size of its place. */
void ticket_copy_code(char to[TICKET_CODE_BYTES], const char *code);

#endif
