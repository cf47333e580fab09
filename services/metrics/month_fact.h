/*
 * month_fact - what must be remembered of a call or a ticket to count it, and what it counts for.
 *
 * A fact is all that the log's records have said of one call or one ticket, as far as a month's
 * figures ask for it.  month_fact_cells() says what it counts for; when a record changes a fact,
 * whoever keeps the figures takes what it counted for off and puts on what it counts for now.  So
 * figures that are kept are those that one counts anew.  Pure; texts are codes, never people's.
 */
#ifndef METRICS_MONTH_FACT_H
#define METRICS_MONTH_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "figures.h"
#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

/* Raised when the same records give other facts or figures: kept ones are counted anew.
 * tests/unit/test_metrics_month_golden.c holds it to that. */
enum { MONTH_FOLD_VERSION = 3 };

enum {
	MONTH_KEY_SIZE = 208, /* "t260012345", or "c" and the exchange's id of a call */
	MONTH_CODE_SIZE = 41,
	MONTH_ENDS_MAX = 250 /* of one ticket; each is looked at with each of its records */
};

enum month_disposition {
	MONTH_UNDISPOSED,
	MONTH_TICKET,
	MONTH_JOINED,
	MONTH_INFORMATION,
	MONTH_TRANSFERRED,
	MONTH_NUISANCE,
	MONTH_DISPOSITIONS
};

/* A call; moments are 0 when they were not told. */
struct month_call {
	int64_t offered_us, answered_us, abandoned_us, ended_us;
	int64_t disposition_us; /* the latest saying stands */
	int disposition;
};

/* A message that asks whether one was satisfied. */
struct month_message {
	uint64_t seq; /* of the record that it is about; 0: none */
	bool sent, delivered, failed, is_mail;
};

/* Each time that a ticket has ended. */
struct month_end {
	uint64_t seq;
	int64_t ended_us;
	int64_t again_us; /* when it went on; 0: it has not */
	int status; /* turunc.v1.Status */
	char department[MONTH_CODE_SIZE]; /* where it lay; "-": with nobody */
	bool undone; /* a joining that was taken back: it never ended */
	bool has_legal, legal_within, has_service, service_within;
	struct uuid survey;
	struct month_message asked[2]; /* invited, reminded */
	int not_asked; /* enum ladder_rest + 1; 0: nothing was said */
	bool answered, denied;
	int score;
};

/* The moves of a month, however many: where the last of them put it, and how many went from one
 * department to another, maybe by way of triage. */
struct month_moves {
	int32_t month;
	int hops;
	char department[MONTH_CODE_SIZE]; /* "-": with nobody, in triage */
};

struct month_ticket {
	bool opened; /* its record was seen */
	int64_t arrived_us;
	int channel;
	bool told; /* in a call of the exchange, or in a message before: these count themselves */
	int status;
	bool taken_up; /* by department owner; else it is where it lies */
	char subject[MONTH_CODE_SIZE], neighbourhood[MONTH_CODE_SIZE];
	char department[MONTH_CODE_SIZE]; /* the last that had it, for hops; "-": none had */
	char owner[MONTH_CODE_SIZE];
	int64_t legal_due_us, service_due_us; /* 0: none */
	int64_t answered_us; /* the first answer; 0: none yet */
	bool paused_in_time; /* it waits, and its time had not passed when that began */
	struct month_moves *moves; /* one a month, in the order of the log by their last ones */
	size_t move_count;
	struct month_end *ends; /* in the order of the log */
	size_t end_count;
};

struct month_fact {
	bool is_call;
	struct month_call call;
	struct month_ticket ticket;
};

/* How far months have come by the log's own time, which what is open depends on. */
struct month_calendar {
	int32_t first; /* the month in which the log begins; 0: it is empty */
	int32_t rolled; /* the last one that is over; before first: none */
};

void month_fact_finish(struct month_fact *fact);

/* The fact that the record is about; false: it is about none that counts. */
MUST_CHECK bool month_fact_key(const Turunc__V1__Event *event, char ret_key[MONTH_KEY_SIZE]);

/* Nothing more can be remembered of it: records that go on about it count for nothing. */
bool month_fact_is_full(const struct month_fact *fact);

/* Zeroed is one of which nothing was said.  False: no memory, and the fact is as it was or
 * unusable: what was being counted is to be given up. */
MUST_CHECK bool month_fact_take(
    struct month_fact *fact, uint64_t seq, int64_t committed_us, const Turunc__V1__Event *event);

/* n of name in month; month 0 is what is open at this moment (month_open.h). */
typedef void month_cell_fn(void *arg, int32_t month, const char *name, int64_t n);
void month_fact_cells(const struct month_fact *fact, const struct month_calendar *calendar,
    int64_t sign, month_cell_fn *fn, void *arg);
/* A record that makes no fact and counts by itself: a contact. */
void month_contact_cells(
    const Turunc__V1__Event *event, int64_t committed_us, month_cell_fn *fn, void *arg);

/* --- as bytes, for keeping it --- */

/* The bytes, freed by the caller; NULL: no memory. */
uint8_t *month_fact_pack(const struct month_fact *fact, size_t *ret_len);
/* False: they are damaged, of another version, or there is no memory; the fact is finished. */
MUST_CHECK bool month_fact_unpack(struct month_fact *fact, const void *bytes, size_t len);

#endif
