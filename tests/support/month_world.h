/*
 * month_world - records of calls, tickets and what citizens say, put into a fold as the log has
 * them.
 *
 * For tests of metrics alone: this is all in the header, for what it calls is no part of common.
 */
#ifndef TEST_MONTH_WORLD_H
#define TEST_MONTH_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"
#include "month_fold.h"
#include "month_words.h"
#include "number.h"

typedef Turunc__V1__Event event_t;

/* Noon in Istanbul on a day of 2026. */
static inline int64_t
noon(int month, int day)
{
	return istanbul_moment_us(civil_day(2026, month, day), 720);
}

/* The ticket's number; serials 1 to 3. */
static inline char *
numbered(int serial)
{
	static char numbers[4][NUMBER_SIZE];

	CHECK(number_format(number_make(26, serial), numbers[serial]));
	return numbers[serial];
}

/* --- records ---------------------------------------------------------------------------------- */

static inline void
add(struct month_fold *f, event_t *event, const char *type, int64_t at_us, int64_t committed_us)
{
	uint8_t packed[2048];
	char kind[40];

	(void)snprintf(kind, sizeof(kind), "%s", type);
	event->type = kind;
	event->time_us = at_us;
	size_t len = turunc__v1__event__get_packed_size(event);
	if (!CHECK(len <= sizeof(packed)))
		return;
	(void)turunc__v1__event__pack(event, packed);
	CHECK(month_fold_add(f, f->state.seq + 1, committed_us, packed, len));
}

static inline void
call(struct month_fold *f, const char *id, const char *type, const char *disposition, int64_t at_us,
    int64_t committed_us)
{
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__CallStep step = TURUNC__V1__CALL_STEP__INIT;
	char call_id[64], said[20];

	(void)snprintf(call_id, sizeof(call_id), "%s", id);
	(void)snprintf(said, sizeof(said), "%s", disposition);
	step.call_id = call_id;
	step.disposition = said;
	step.at_us = at_us;
	event.body_case = TURUNC__V1__EVENT__BODY_CALL;
	event.call = &step;
	add(f, &event, type, at_us, committed_us);
}

static inline void
open_ticket(struct month_fold *f, char *number, int channel, const char *subject, const char *place,
    int64_t arrived_us, int64_t committed_us)
{
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketOpened opened = TURUNC__V1__TICKET_OPENED__INIT;
	char subject_code[41], neighbourhood[41];

	(void)snprintf(subject_code, sizeof(subject_code), "%s", subject);
	(void)snprintf(neighbourhood, sizeof(neighbourhood), "%s", place);
	opened.channel = (Turunc__V1__Channel)channel;
	opened.subject_code = subject_code;
	opened.neighbourhood = neighbourhood;
	opened.arrived_us = arrived_us;
	event.subject = number;
	event.body_case = TURUNC__V1__EVENT__BODY_OPENED;
	event.opened = &opened;
	add(f, &event, "ticket.opened", arrived_us, committed_us);
}

struct said {
	const char *type;
	int status;
	const char *department;
	int64_t legal_due_us, service_due_us;
};

static inline void
step(struct month_fold *f, char *number, struct said said, int64_t at_us)
{
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketStep body = TURUNC__V1__TICKET_STEP__INIT;
	char department[41];

	(void)snprintf(department, sizeof(department), "%s", said.department);
	body.status = (Turunc__V1__Status)said.status;
	body.department = department;
	body.legal_due_us = said.legal_due_us;
	body.service_due_us = said.service_due_us;
	event.subject = number;
	event.body_case = TURUNC__V1__EVENT__BODY_STEP;
	event.step = &body;
	add(f, &event, said.type, at_us, at_us + 1000);
}

static inline void
contact(struct month_fold *f, const char *number, int channel, const char *kind, int64_t at_us)
{
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__ContactRecorded body = TURUNC__V1__CONTACT_RECORDED__INIT;
	char said[20], subject[NUMBER_SIZE];

	(void)snprintf(said, sizeof(said), "%s", kind);
	(void)snprintf(subject, sizeof(subject), "%s", number);
	body.channel = (Turunc__V1__Channel)channel;
	body.kind = said;
	event.subject = subject;
	event.body_case = TURUNC__V1__EVENT__BODY_CONTACT;
	event.contact = &body;
	add(f, &event, "contact.recorded", at_us, at_us + 1000);
}

static inline void
survey(struct month_fold *f, char *number, const char *type, Turunc__V1__SurveyStep body,
    int64_t at_us)
{
	static char id[] = "0190a000-0000-7000-8000-000000000001";
	event_t event = TURUNC__V1__EVENT__INIT;

	body.survey_id = id;
	event.subject = number;
	event.body_case = TURUNC__V1__EVENT__BODY_SURVEY;
	event.survey = &body;
	add(f, &event, type, at_us, at_us + 1000);
}

static inline void
message(struct month_fold *f, char *number, const char *type, const char *way, uint64_t about_seq,
    int64_t at_us)
{
	static char about[] = "survey.invited", unwanted[] = "unwanted";
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__NotificationStep body = TURUNC__V1__NOTIFICATION_STEP__INIT;
	char channel[8];

	(void)snprintf(channel, sizeof(channel), "%s", way);
	body.about = about;
	body.about_seq = about_seq;
	body.channel = channel;
	/* Says what notifier says of it. */
	if (strcmp(type, "notification.discarded") == 0) {
		body.reason = unwanted;
		type = "notification.failed";
	}
	event.subject = number;
	event.body_case = TURUNC__V1__EVENT__BODY_NOTIFICATION;
	event.notification = &body;
	add(f, &event, type, at_us, at_us + 1000);
}

/* --- what is looked at ------------------------------------------------------------------------ */

static inline int64_t
of(const struct month_fold *f, int32_t month, const char *name)
{
	int64_t n;

	return month_cells_get(&f->cells, month, name, &n) ? n : 0;
}

/* What is counted along is what one counts anew from the facts. */
static inline void
check_counted_anew(const struct month_fold *f)
{
	struct month_cells anew = { 0 };
	size_t contacts = 0, wrong = 0;

	for (size_t i = 0; i < f->facts.table_size; i++) {
		const struct month_kept *kept = f->facts.table[i];
		struct month_fact fact;
		if (kept == NULL)
			continue;
		if (!CHECK(month_fact_unpack(&fact, kept->bytes, kept->len)))
			return;
		month_fact_cells(&fact, &f->state.calendar, 1, month_cells_add, &anew);
		month_fact_finish(&fact);
	}
	for (size_t i = 0; i < f->cells.count; i++) {
		const struct month_cell *c = &f->cells.at[i];
		int64_t n = 0;
		if (strncmp(c->name, "contacts.", 9) == 0) {
			contacts++;
			continue;
		}
		if (!month_cells_get(&anew, c->month, c->name, &n))
			n = 0;
		if (n != c->n && wrong++ < 5)
			CHECK_I64(c->name, c->n, n);
	}
	for (size_t i = 0; i < anew.count; i++)
		wrong += anew.at[i].n != 0 && of(f, anew.at[i].month, anew.at[i].name) == 0;
	CHECK_U64("figures that differ", wrong, 0);
	CHECK(f->cells.count > contacts);
	month_cells_finish(&anew);
}

/* turunc.v1.Status, short. */
enum {
	OPENED = 1,
	TRIAGE,
	ROUTED,
	ACCEPTED,
	IN_PROGRESS,
	WAITING,
	RESOLVED,
	REJECTED,
	FORWARDED,
	DUPLICATE,
	WITHDRAWN,
	CLOSED
};

#endif
