/* What records say of calls and tickets, remembered as far as months ask for it. */
#include "month_fact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "month.h"
#include "number.h"

typedef Turunc__V1__Event event_t;

#define ENDED(status) TURUNC__V1__STATUS__STATUS_##status

static const char *const dispositions[MONTH_DISPOSITIONS] = {
	[MONTH_UNDISPOSED] = "",
	[MONTH_TICKET] = "ticket",
	[MONTH_JOINED] = "joined",
	[MONTH_INFORMATION] = "information",
	[MONTH_TRANSFERRED] = "transferred",
	[MONTH_NUISANCE] = "nuisance",
};

/* Steps by which a department takes a ticket up. */
static const char *const taking_up[] = { "ticket.accepted", "ticket.started", "ticket.waiting",
	"ticket.answered", "ticket.resolved", "ticket.rejected", "ticket.forwarded" };

void
month_fact_finish(struct month_fact *fact)
{
	free(fact->ticket.moves);
	free(fact->ticket.ends);
	*fact = (struct month_fact){ 0 };
}

bool
month_fact_key(const event_t *event, char ret_key[MONTH_KEY_SIZE])
{
	int64_t ticket;
	int len;

	switch (event->body_case) {
	case TURUNC__V1__EVENT__BODY_CALL:
		len = snprintf(ret_key, MONTH_KEY_SIZE, "c%s", event->call->call_id);
		return len > 1 && len < MONTH_KEY_SIZE;
	case TURUNC__V1__EVENT__BODY_OPENED:
	case TURUNC__V1__EVENT__BODY_STEP:
	case TURUNC__V1__EVENT__BODY_SURVEY:
		break;
	case TURUNC__V1__EVENT__BODY_NOTIFICATION:
		if (strncmp(event->notification->about, "survey.", 7) != 0)
			return false;
		break;
	default:
		return false;
	}
	if (number_parse(event->subject, &ticket) != NUMBER_OK)
		return false;
	(void)snprintf(ret_key, MONTH_KEY_SIZE, "t%lld", (long long)ticket);
	return true;
}

#define CODE_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* A code that is none of ours counts as none. */
static void
copy_code(char to[MONTH_CODE_SIZE], const char *code)
{
	size_t len = strlen(code);

	if (len == 0 || len >= MONTH_CODE_SIZE || strspn(code, CODE_LETTERS) != len)
		code = "-";
	(void)snprintf(to, MONTH_CODE_SIZE, "%s", code);
}

/* --- calls ------------------------------------------------------------------------------------ */

static int
disposition_of(const char *text)
{
	for (int i = MONTH_TICKET; i < MONTH_DISPOSITIONS; i++)
		if (strcmp(dispositions[i], text) == 0)
			return i;
	return MONTH_UNDISPOSED;
}

static void
earliest(int64_t *at_us, int64_t told_us)
{
	if (*at_us == 0 || told_us < *at_us)
		*at_us = told_us;
}

/* As the record's own rows of calls are merged: whatever order the events arrive in, of each moment
 * the earliest stands and of the dispositions the latest (of two at one moment the greater word).
 */
static void
take_call(struct month_call *call, int64_t committed_us, const event_t *event)
{
	const Turunc__V1__CallStep *step = event->call;
	int64_t at_us = month_moment_us(step->at_us > 0 ? step->at_us : committed_us);

	if (strcmp(event->type, "call.offered") == 0)
		earliest(&call->offered_us, at_us);
	else if (strcmp(event->type, "call.answered") == 0)
		earliest(&call->answered_us, at_us);
	else if (strcmp(event->type, "call.abandoned") == 0)
		earliest(&call->abandoned_us, at_us);
	else if (strcmp(event->type, "call.ended") == 0)
		earliest(&call->ended_us, at_us);
	else
		return;
	int said = disposition_of(step->disposition);
	if (said == MONTH_UNDISPOSED || at_us < call->disposition_us
	    || (at_us == call->disposition_us
		&& strcmp(dispositions[said], dispositions[call->disposition]) <= 0))
		return;
	call->disposition = said;
	call->disposition_us = at_us;
}

/* --- tickets ---------------------------------------------------------------------------------- */

static void
take_opened(struct month_ticket *t, const event_t *event)
{
	const Turunc__V1__TicketOpened *opened = event->opened;

	if (t->opened)
		return;
	t->opened = true;
	t->arrived_us = month_moment_us(
	    opened->arrived_us > 0 ? opened->arrived_us : event->time_us);
	t->channel = (int)opened->channel;
	t->told = opened->call_id[0] != '\0' || opened->told_before;
	t->status = ENDED(OPENED);
	copy_code(t->subject, opened->subject_code);
	copy_code(t->neighbourhood, opened->neighbourhood);
	copy_code(t->department, "");
	copy_code(t->owner, "");
}

static const char *
lies_with(const struct month_ticket *t)
{
	return t->move_count == 0 ? "-" : t->moves[t->move_count - 1].department;
}

/* The month's earlier moves become part of this one: where a ticket lay is asked at months' ends
 * alone, and there the last of a month speaks for all of it. */
static bool
add_move(struct month_ticket *t, int32_t month, const char *department, bool is_hop)
{
	struct month_moves now = { .month = month };
	int64_t hops = is_hop;
	size_t kept = 0;

	for (size_t i = 0; i < t->move_count; i++)
		if (t->moves[i].month != month)
			t->moves[kept++] = t->moves[i];
		else
			hops += t->moves[i].hops;
	now.hops = hops < INT32_MAX ? (int)hops : INT32_MAX;
	t->move_count = kept;
	struct month_moves *moves = realloc(t->moves, (kept + 1) * sizeof(*moves));
	if (moves == NULL)
		return false;
	t->moves = moves;
	(void)strcpy(now.department, department);
	moves[t->move_count++] = now;
	return true;
}

/* A record names the department that had the ticket last, also when it has given it back: in triage
 * it is nobody's, and what ends there ends as nobody's. */
static bool
is_nobodys(const struct month_ticket *t, int status)
{
	bool ends = status > ENDED(WAITING) && t->status != ENDED(OPENED);

	return status == ENDED(TRIAGE) || (ends && strcmp(lies_with(t), "-") == 0);
}

/* Where it lies, whose it is, and whether it has moved. */
static bool
take_department(struct month_ticket *t, int64_t at_us, const event_t *event)
{
	const char *lies = lies_with(t);
	char now[MONTH_CODE_SIZE];

	copy_code(now, is_nobodys(t, (int)event->step->status) ? "" : event->step->department);
	bool nobody = strcmp(now, "-") == 0;
	bool hop = !nobody && strcmp(t->department, "-") != 0 && strcmp(t->department, now) != 0;
	if (strcmp(now, lies) != 0 && !add_move(t, month_of(at_us), now, hop))
		return false;
	if (!nobody)
		(void)strcpy(t->department, now);
	if (t->taken_up)
		return true;
	(void)strcpy(t->owner, now);
	for (size_t i = 0; !nobody && i < ARRAY_LEN(taking_up); i++)
		t->taken_up = t->taken_up || strcmp(taking_up[i], event->type) == 0;
	return true;
}

static bool
is_answer(int status)
{
	return status == ENDED(RESOLVED) || status == ENDED(REJECTED) || status == ENDED(FORWARDED);
}

static bool
is_end(int status)
{
	return is_answer(status) || status == ENDED(DUPLICATE) || status == ENDED(WITHDRAWN);
}

static bool
has_ended_so(const struct month_ticket *t)
{
	for (size_t i = 0; i < t->end_count; i++)
		if (is_answer(t->ends[i].status))
			return true;
	return false;
}

/* The law asks for the first answer, a department promises each end; time that a ticket waited does
 * not count against the promise.  At its due moment a deadline has passed, as for the clocks. */
static bool
add_end(struct month_ticket *t, uint64_t seq, int64_t at_us, int status, bool waited)
{
	struct month_end *ends = realloc(t->ends, (t->end_count + 1) * sizeof(*ends));

	if (ends == NULL)
		return false;
	t->ends = ends;
	struct month_end *e = &ends[t->end_count];
	*e = (struct month_end){ .seq = seq, .ended_us = at_us, .status = status };
	(void)strcpy(e->department, lies_with(t));
	if (is_answer(status)) {
		e->has_legal = t->legal_due_us != 0 && !has_ended_so(t);
		e->legal_within = e->has_legal && t->answered_us < t->legal_due_us;
		e->has_service = t->service_due_us != 0;
		e->service_within = e->has_service
				    && (waited ? t->paused_in_time : at_us < t->service_due_us);
	}
	t->end_count++;
	return true;
}

static void
go_on(struct month_ticket *t, int64_t at_us, bool undone)
{
	struct month_end *e = t->end_count == 0 ? NULL : &t->ends[t->end_count - 1];

	if (e == NULL || e->again_us != 0)
		return;
	e->again_us = at_us;
	e->undone = undone;
}

static bool
take_step(struct month_ticket *t, uint64_t seq, int64_t committed_us, const event_t *event)
{
	const Turunc__V1__TicketStep *step = event->step;
	int status = (int)step->status;
	/* Never behind its record, so that what is over at a month's end was over before it. */
	int64_t at_us = month_moment_us(
	    event->time_us > 0 && event->time_us < committed_us ? event->time_us : committed_us);
	bool waited = t->status == ENDED(WAITING), was_end = is_end(t->status);

	/* A ticket that the log does not open is none. */
	if (!t->opened || status < ENDED(OPENED) || status > ENDED(CLOSED))
		return true;
	if (step->subject_code[0] != '\0')
		copy_code(t->subject, step->subject_code);
	if (!take_department(t, at_us, event))
		return false;
	if (status == ENDED(WAITING) && !waited)
		t->paused_in_time = t->service_due_us == 0 || at_us < t->service_due_us;
	t->legal_due_us = step->legal_due_us;
	if (step->service_due_us != 0)
		t->service_due_us = step->service_due_us;
	bool answers = strcmp(event->type, "ticket.answered") == 0 || is_answer(status);
	if (answers && t->answered_us == 0)
		t->answered_us = at_us;
	if (is_end(status) && !was_end && !add_end(t, seq, at_us, status, waited))
		return false;
	if (!is_end(status) && status != ENDED(CLOSED) && was_end)
		go_on(t, at_us, strcmp(event->type, "ticket.separated") == 0);
	t->status = status;
	return true;
}

/* --- satisfaction ----------------------------------------------------------------------------- */

static struct month_end *
end_of_survey(struct month_ticket *t, const Turunc__V1__SurveyStep *step)
{
	struct uuid id;

	if (!uuid_parse(step->survey_id, strlen(step->survey_id), &id) || uuid_is_nil(&id))
		return NULL;
	for (size_t i = 0; i < t->end_count; i++)
		if (memcmp(&t->ends[i].survey, &id, sizeof(id)) == 0
		    || (step->ended_seq != 0 && t->ends[i].seq == step->ended_seq)) {
			t->ends[i].survey = id;
			return &t->ends[i];
		}
	return NULL;
}

static int
rest_of(const char *reason)
{
	for (int i = 0; i < LADDER_RESTS; i++)
		if (strcmp(ladder_rest_name((enum ladder_rest)i), reason) == 0)
			return i + 1;
	return 0;
}

static void
take_survey(struct month_ticket *t, uint64_t seq, const event_t *event)
{
	const Turunc__V1__SurveyStep *step = event->survey;
	struct month_end *e = end_of_survey(t, step);

	if (e == NULL)
		return;
	if (strcmp(event->type, "survey.invited") == 0 && e->asked[0].seq == 0)
		e->asked[0].seq = seq;
	else if (strcmp(event->type, "survey.reminded") == 0 && e->asked[1].seq == 0)
		e->asked[1].seq = seq;
	else if (strcmp(event->type, "survey.skipped") == 0)
		e->not_asked = rest_of(step->reason);
	else if (strcmp(event->type, "survey.answered") == 0) {
		e->denied = e->denied || step->not_solved;
		if (!e->answered)
			e->score = (int)step->score;
		e->answered = true;
	}
}

static void
take_message(struct month_ticket *t, const event_t *event)
{
	const Turunc__V1__NotificationStep *step = event->notification;
	struct month_message *m = NULL;

	for (size_t i = 0; i < 2 * t->end_count; i++)
		if (step->about_seq != 0 && t->ends[i / 2].asked[i % 2].seq == step->about_seq)
			m = &t->ends[i / 2].asked[i % 2];
	/* One that its citizen did not want was not tried. */
	if (m == NULL || strcmp(step->reason, "unwanted") == 0)
		return;
	m->is_mail = strcmp(step->channel, "email") == 0;
	if (strcmp(event->type, "notification.sent") == 0) {
		m->sent = true;
		m->failed = false;
	} else if (strcmp(event->type, "notification.delivered") == 0) {
		m->sent = m->delivered = true;
	} else if (strcmp(event->type, "notification.failed") == 0) {
		m->failed = true;
	}
}

bool
month_fact_is_full(const struct month_fact *fact)
{
	return fact->ticket.end_count >= MONTH_ENDS_MAX;
}

bool
month_fact_take(struct month_fact *fact, uint64_t seq, int64_t committed_us, const event_t *event)
{
	struct month_ticket *t = &fact->ticket;

	switch (event->body_case) {
	case TURUNC__V1__EVENT__BODY_CALL:
		fact->is_call = true;
		take_call(&fact->call, committed_us, event);
		return true;
	case TURUNC__V1__EVENT__BODY_OPENED:
		take_opened(t, event);
		return true;
	case TURUNC__V1__EVENT__BODY_STEP:
		return take_step(t, seq, committed_us, event);
	case TURUNC__V1__EVENT__BODY_SURVEY:
		take_survey(t, seq, event);
		return true;
	case TURUNC__V1__EVENT__BODY_NOTIFICATION:
		take_message(t, event);
		return true;
	default:
		return true;
	}
}
