/* What calls, tickets and contacts count for in the months. */
#include <stdio.h>
#include <string.h>

#include "istanbul.h"
#include "ladder.h"
#include "month.h"
#include "month_fact.h"
#include "month_open.h"
#include "month_words.h"

/* Where the cells of one fact go. */
struct out {
	month_cell_fn *fn;
	void *arg;
	int64_t sign;
	const char *department; /* NULL: the figure is not kept by department */
};

static void
count(const struct out *out, int32_t month, int64_t n, const char *name)
{
	char twin[FIGURE_NAME_SIZE];

	out->fn(out->arg, month, name, out->sign * n);
	if (out->department == NULL)
		return;
	(void)snprintf(twin, sizeof(twin), "d.%s.%s", out->department, name);
	out->fn(out->arg, month, twin, out->sign * n);
}

static void
count_of(const struct out *out, int32_t month, const char *kind, const char *of)
{
	char name[FIGURE_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s%s", kind, of);
	count(out, month, 1, name);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void
count_hour(const struct out *out, int32_t month, const char *kind, int64_t at_us)
{
	struct istanbul_time t = istanbul_split(at_us);
	char name[FIGURE_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.w%d.h%d", kind, t.weekday + 1, t.hour);
	count(out, month, 1, name);
}

static void
count_answered(const struct out *out, const struct month_call *call, int32_t month, int64_t at_us)
{
	static const char *const became[MONTH_DISPOSITIONS] = {
		[MONTH_UNDISPOSED] = "calls.undisposed",
		[MONTH_TICKET] = "calls.recorded",
		[MONTH_JOINED] = "calls.joined",
		[MONTH_INFORMATION] = "calls.information",
		[MONTH_TRANSFERRED] = "calls.transferred",
		[MONTH_NUISANCE] = "calls.nuisance",
	};
	int64_t wait_us = call->offered_us != 0 && call->answered_us > call->offered_us
			      ? call->answered_us - call->offered_us
			      : 0;

	count(out, month, 1, "calls.answered");
	count_hour(out, month, "calls.answered", at_us);
	count(out, month, 1, became[call->disposition]);
	count(out, month, wait_us / 1000, "calls.wait_ms");
	count(out, month, 1, "contacts.call");
	if (call->disposition != MONTH_TICKET && call->disposition != MONTH_JOINED)
		count(out, month, 1, "contacts.without_ticket.call");
}

/* Whoever answered it or gave it a disposition had it on the line, told or not. */
static void
count_call(const struct out *out, const struct month_call *call)
{
	const int64_t told[] = { call->offered_us, call->answered_us, call->abandoned_us,
		call->ended_us };
	int64_t at_us = 0;

	for (size_t i = 0; i < ARRAY_LEN(told) && at_us == 0; i++)
		at_us = told[i];
	if (at_us == 0)
		return;
	int32_t month = month_of(at_us);
	count(out, month, 1, "calls.offered");
	count_hour(out, month, "calls.offered", at_us);
	if (call->answered_us != 0 || call->disposition != MONTH_UNDISPOSED)
		count_answered(out, call, month, at_us);
	else
		count(out, month, 1,
		    call->abandoned_us != 0 ? "calls.abandoned" : "calls.unfinished");
}

/* --- tickets ---------------------------------------------------------------------------------- */

static void
count_arrival(struct out *out, const struct month_ticket *t)
{
	int32_t month = month_of(t->arrived_us);
	const char *channel = month_channel_name(t->channel);
	char day[4];

	(void)snprintf(day, sizeof(day), "%d", istanbul_split(t->arrived_us).day);
	count_of(out, month, "tickets.channel.", channel);
	count_of(out, month, "tickets.department.", t->owner);
	count_of(out, month, "tickets.neighbourhood.", t->neighbourhood);
	count_of(out, month, "tickets.day.", day);
	if (!t->told)
		count_of(out, month, "contacts.", channel);
	out->department = t->owner;
	count(out, month, 1, "tickets");
	count_of(out, month, "tickets.subject.", t->subject);
	out->department = NULL;
}

static void
count_hops(const struct out *out, const struct month_ticket *t)
{
	for (size_t i = 0; i < t->move_count; i++) {
		if (t->moves[i].hops == 0)
			continue;
		count(out, t->moves[i].month, t->moves[i].hops, "hops");
		count(out, t->moves[i].month, 1, "hops.tickets");
	}
}

static void
count_deadline(const struct out *out, int32_t month, const char *which, bool has, bool within)
{
	char name[FIGURE_NAME_SIZE];

	if (!has)
		return;
	(void)snprintf(name, sizeof(name), "ended.%s.of", which);
	count(out, month, 1, name);
	if (!within)
		return;
	(void)snprintf(name, sizeof(name), "ended.%s.within", which);
	count(out, month, 1, name);
}

/* It left, or could not. */
static bool
was_tried(const struct month_message *m)
{
	return m->seq != 0 && (m->sent || m->delivered || m->failed);
}

/* Of a mail that our server took, nothing more is heard unless it comes back. */
static bool
has_arrived(const struct month_message *m)
{
	return m->seq != 0 && (m->delivered || (m->is_mail && m->sent && !m->failed));
}

/* ladder.h says what each step is; each holds the next one. */
static void
count_ladder(const struct out *out, const struct month_end *e, int32_t month)
{
	bool eligible = e->asked[0].seq != 0 || e->answered;
	bool invited = e->answered || was_tried(&e->asked[0]) || was_tried(&e->asked[1]);
	bool delivered = e->answered || has_arrived(&e->asked[0]) || has_arrived(&e->asked[1]);
	const bool holds[LADDER_STEPS] = {
		[LADDER_ENDED] = true,
		[LADDER_ELIGIBLE] = eligible,
		[LADDER_INVITED] = invited,
		[LADDER_DELIVERED] = delivered,
		[LADDER_ANSWERED] = e->answered,
		[LADDER_SATISFIED] = e->answered && e->score >= 4 && !e->denied,
	};

	for (int i = 0; i < LADDER_STEPS; i++)
		if (holds[i])
			count_of(out, month, "ladder.", ladder_step_name((enum ladder_step)i));
	if (!eligible)
		count_of(out, month, "ladder.rest.",
		    ladder_rest_name(
			e->not_asked > 0 ? (enum ladder_rest)(e->not_asked - 1) : LADDER_WAITING));
	if (e->answered && e->denied)
		count(out, month, 1, "ladder.not_solved");
}

static void
count_end(struct out *out, const struct month_end *e)
{
	int32_t month = month_of(e->ended_us);
	const char *status = month_status_name(e->status);

	if (e->undone || status == NULL)
		return;
	out->department = e->department;
	count(out, month, 1, "ended");
	count_of(out, month, "ended.", status);
	count_deadline(out, month, "legal", e->has_legal, e->legal_within);
	count_deadline(out, month, "service", e->has_service, e->service_within);
	if (e->again_us != 0)
		count(out, month_of(e->again_us), 1, "reopened");
	/* Who withdrew or was joined to another is not asked. */
	if (e->status <= TURUNC__V1__STATUS__STATUS_FORWARDED)
		count_ladder(out, e, month);
	out->department = NULL;
}

/* --- what is open ----------------------------------------------------------------------------- */

static bool
is_open_at(const struct month_ticket *t, int64_t at_us)
{
	if (t->arrived_us >= at_us)
		return false;
	for (size_t i = 0; i < t->end_count; i++)
		if (t->ends[i].ended_us < at_us
		    && (t->ends[i].again_us == 0 || t->ends[i].again_us >= at_us))
			return false;
	return true;
}

/* At the month's end. */
static const char *
lay_with(const struct month_ticket *t, int32_t month)
{
	for (size_t i = t->move_count; i > 0; i--)
		if (t->moves[i - 1].month <= month)
			return t->moves[i - 1].department;
	return "-";
}

/* A month's end that was passed while it was open counts it; and this moment, by its day. */
static void
count_open(
    const struct out *out, const struct month_ticket *t, const struct month_calendar *calendar)
{
	int32_t arrived = month_of(t->arrived_us);
	int32_t month = arrived > calendar->first ? arrived : calendar->first;
	char name[FIGURE_NAME_SIZE];

	for (; calendar->first != 0 && month <= calendar->rolled; month = month_add(month, 1)) {
		int64_t end_us = month_start_us(month_add(month, 1));
		if (is_open_at(t, end_us))
			month_open_add(lay_with(t, month), istanbul_day(t->arrived_us), out->sign,
			    month, end_us, out->fn, out->arg);
	}
	if (!is_open_at(t, INT64_MAX))
		return;
	month_open_name(lay_with(t, INT32_MAX), t->arrived_us, name);
	out->fn(out->arg, 0, name, out->sign);
}

void
month_fact_cells(const struct month_fact *fact, const struct month_calendar *calendar, int64_t sign,
    month_cell_fn *fn, void *arg)
{
	const struct month_ticket *t = &fact->ticket;
	struct out out = { .fn = fn, .arg = arg, .sign = sign };

	if (fact->is_call)
		count_call(&out, &fact->call);
	if (!t->opened)
		return;
	count_arrival(&out, t);
	count_hops(&out, t);
	for (size_t i = 0; i < t->end_count; i++)
		count_end(&out, &t->ends[i]);
	count_open(&out, t, calendar);
}

/* --- contacts --------------------------------------------------------------------------------- */

void
month_contact_cells(
    const Turunc__V1__Event *event, int64_t committed_us, month_cell_fn *fn, void *arg)
{
	const struct out out = { .fn = fn, .arg = arg, .sign = 1 };

	if (event->body_case != TURUNC__V1__EVENT__BODY_CONTACT)
		return;
	int channel = (int)event->contact->channel;
	int32_t month = month_of(
	    month_moment_us(event->time_us > 0 ? event->time_us : committed_us));
	/* What is said in a call belongs to the call, and what a machine writes is nobody's word.
	 */
	if (channel == TURUNC__V1__CHANNEL__CHANNEL_CALL
	    || strcmp(event->contact->kind, "machine") == 0)
		return;
	count_of(&out, month, "contacts.", month_channel_name(channel));
	if (event->subject[0] == '\0')
		count_of(&out, month, "contacts.without_ticket.", month_channel_name(channel));
}
