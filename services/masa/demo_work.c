/* The departments at work: what they do next with each ticket, when, and what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "demo.h"
#include "istanbul.h"

enum {
	MS_PER_H = 3600000,
	PROMISE_H = 40, /* of what has no promise of its own: a working week */
	TEXT_BYTES = 300,
	WAIT_DAYS = 2,
	WITHDRAW_AFTER_H = 3
};

static const double bounced_share = 0.015, moved_share = 0.04, waited_share = 0.10,
		    interim_share = 0.5, rejected_share = 0.06, forwarded_share = 0.015,
		    forwarded_share_of_others = 0.75, late_share = 0.12, withdrawn_share = 0.01;
/* Whose business is mostly somebody else's: what people ask the municipality, and other
 * institutions do. */
static const char others_department[] = "halkla-iliskiler";

struct demo_tickets {
	struct demo_ticket **at; /* they stay where they are */
	size_t count, room;
	uint32_t *slots; /* by number; index + 1, 0: free */
	size_t slot_count; /* a power of two */
};

/* --- tickets by number --------------------------------------------------------------------------
 */

static size_t
hash_of(const char *number)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *number != '\0'; number++)
		hash = (hash ^ (unsigned char)*number) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ (hash >> 29));
}

static uint32_t *
slot_of(struct demo_tickets *all, const char *number)
{
	size_t at = hash_of(number) & (all->slot_count - 1);

	while (all->slots[at] != 0 && strcmp(all->at[all->slots[at] - 1]->number, number) != 0)
		at = (at + 1) & (all->slot_count - 1);
	return &all->slots[at];
}

static bool
make_room(struct demo_tickets *all)
{
	if (all->count == all->room) {
		size_t room = all->room == 0 ? 1024 : all->room * 2;
		struct demo_ticket **at = reallocarray(all->at, room, sizeof(*at));
		if (at == NULL)
			return false;
		all->at = at;
		all->room = room;
	}
	if ((all->count + 1) * 2 < all->slot_count)
		return true;
	size_t old_count = all->slot_count;
	uint32_t *old = all->slots;
	uint32_t *slots = calloc(old_count == 0 ? 4096 : old_count * 2, sizeof(*slots));
	if (slots == NULL)
		return false;
	all->slots = slots;
	all->slot_count = old_count == 0 ? 4096 : old_count * 2;
	for (uint32_t i = 0; i < all->count; i++)
		*slot_of(all, all->at[i]->number) = i + 1;
	free(old);
	return true;
}

bool
demo_work_open(struct demo *d)
{
	d->tickets = calloc(1, sizeof(*d->tickets));
	return d->tickets != NULL && make_room(d->tickets);
}

void
demo_work_close(struct demo *d)
{
	if (d->tickets == NULL)
		return;
	for (size_t i = 0; i < d->tickets->count; i++)
		free(d->tickets->at[i]);
	free(d->tickets->at);
	free(d->tickets->slots);
	free(d->tickets);
	d->tickets = NULL;
}

struct demo_ticket *
demo_work_at(struct demo *d, uint32_t index)
{
	return index < d->tickets->count ? d->tickets->at[index] : NULL;
}

struct demo_ticket *
demo_work_ticket(struct demo *d, const char *number)
{
	struct demo_tickets *all = d->tickets;
	uint32_t *slot = slot_of(all, number);

	if (*slot != 0)
		return all->at[*slot - 1];
	struct demo_ticket *t = calloc(1, sizeof(*t));
	if (t == NULL || strlen(number) >= sizeof(t->number) || !make_room(all)) {
		free(t);
		demo_trouble(d, "no room for ticket %s", number);
		return NULL;
	}
	snprintf(t->number, sizeof(t->number), "%s", number);
	t->contact = UINT32_MAX;
	all->at[all->count++] = t;
	*slot_of(all, number) = (uint32_t)all->count;
	return t;
}

uint32_t
demo_work_index(const struct demo *d, const struct demo_ticket *t)
{
	return *slot_of(d->tickets, t->number) - 1;
}

bool
demo_work_is_live(const struct demo_ticket *t)
{
	return t->status >= TURUNC__V1__STATUS__STATUS_OPENED
	       && t->status <= TURUNC__V1__STATUS__STATUS_WAITING;
}

void
demo_work_opened(
    struct demo *d, uint32_t contact, int64_t at_us, const char *number, const char *channel)
{
	const struct demo_person *p = &d->people.at[contact];
	struct istanbul_time t = istanbul_split(at_us);

	demo_count(&d->counts, 1, "tickets");
	demo_count(&d->counts, 1, "tickets.channel.%s", channel);
	demo_count(&d->counts, 1, "tickets.day.%d", t.day);
	demo_count(&d->counts, 1, "tickets.neighbourhood.%s",
	    strcmp(channel, "email") == 0 ? "-" : p->neighbourhood->code);
	if (strcmp(channel, "call") != 0)
		demo_count(&d->counts, 1, "contacts.%s", channel);
	if (number[0] == '\0')
		return;
	struct demo_ticket *ticket = demo_work_ticket(d, number);
	if (ticket != NULL) {
		ticket->contact = contact;
		ticket->subject = p->subject;
	}
	if (d->newest_number[0] == '\0' || contact > d->newest) {
		d->newest = contact;
		snprintf(d->newest_number, sizeof(d->newest_number), "%s", number);
	}
}

/* --- what comes next ----------------------------------------------------------------------------
 */

/* The promise of a ticket in working milliseconds, and how much of it the department needs. */
static double
needed_ms(struct demo *d, const struct demo_ticket *t, struct demo_random *r)
{
	const struct catalogue_subject *subject = t->contact == UINT32_MAX
						      ? NULL
						      : d->people.at[t->contact].subject;
	double promise_ms = subject != NULL && subject->service_ms > 0
				? (double)subject->service_ms
				: (double)PROMISE_H * MS_PER_H;
	bool late = demo_random_chance(r, late_share);

	return promise_ms
	       * (late ? 1.05 + demo_random_wait(r, 0.4) : 0.1 + 0.8 * demo_random_real(r));
}

static struct demo_random
chance_of(const struct demo *d, const struct demo_ticket *t, uint64_t what)
{
	uint64_t about = t->contact != UINT32_MAX ? t->contact : hash_of(t->number);

	return demo_random_of(d->options.seed,
	    (what << 40) + (about & UINT64_C(0xffffffff)) + ((uint64_t)t->ends << 33));
}

/* Of the working time that the ticket needs; it is spent in parts. */
static void
plan_step(struct demo *d, struct demo_ticket *t, double part)
{
	struct demo_random r = chance_of(d, t, 0x3);
	double ms = needed_ms(d, t, &r) * part;
	int64_t at_us = d->now_us + (int64_t)(ms * 1000);

	if (t->department != NULL
	    && !calendar_deadline(t->department->calendar, d->now_us, (int64_t)ms, &at_us, NULL))
		return;
	demo_plan_act(d, at_us, ACT_STEP, demo_work_index(d, t), t->version);
}

/* Whatever has just become of it. */
static void
plan_next(struct demo *d, struct demo_ticket *t)
{
	switch (t->status) {
	case TURUNC__V1__STATUS__STATUS_TRIAGE:
		/* The operator looks every quarter of an hour or so. */
		demo_plan_act(
		    d, d->now_us + 15 * US_PER_MIN, ACT_STEP, demo_work_index(d, t), t->version);
		break;
	case TURUNC__V1__STATUS__STATUS_ROUTED:
		plan_step(d, t, 0.1);
		break;
	case TURUNC__V1__STATUS__STATUS_ACCEPTED:
		plan_step(d, t, 0.2);
		break;
	case TURUNC__V1__STATUS__STATUS_IN_PROGRESS:
		plan_step(d, t, t->waited ? 0.3 : 0.6);
		break;
	case TURUNC__V1__STATUS__STATUS_WAITING:
		demo_plan_act(d, d->now_us + WAIT_DAYS * US_PER_DAY, ACT_STEP,
		    demo_work_index(d, t), t->version);
		break;
	default:
		break;
	}
}

/* Few find that it has settled itself before anybody came. */
static void
plan_withdrawal(struct demo *d, struct demo_ticket *t)
{
	struct demo_random r = chance_of(d, t, 0x4);

	if (t->contact == UINT32_MAX || t->ends > 0 || t->withdrawn
	    || d->people.at[t->contact].phone[0] == '\0'
	    || !demo_random_chance(&r, withdrawn_share))
		return;
	demo_plan_act(d, d->now_us + WITHDRAW_AFTER_H * 60 * US_PER_MIN, ACT_WITHDRAW,
	    demo_work_index(d, t), 0);
}

/* --- what departments hear ----------------------------------------------------------------------
 */

static bool
is_news(const char *type)
{
	static const char *const types[] = { "ticket.routed", "ticket.transferred",
		"ticket.reopened", "ticket.triaged", "ticket.resumed" };

	return masa_word_is_among(type, types, ARRAY_LEN(types));
}

void
demo_work_heard(
    struct demo *d, const struct catalogue_department *by, const Turunc__V1__Record *record)
{
	const Turunc__V1__TicketView *view = record->view;
	const Turunc__V1__Event *event = record->event;

	if (event == NULL || view == NULL)
		return;
	const char *code = by != NULL ? by->code : "";
	/* What was given back still names who had it: it is the operator's news alone. */
	bool given_back = strcmp(event->type, "ticket.triaged") == 0;
	bool ours = by == NULL ? given_back
			       : !given_back && event->body_case == TURUNC__V1__EVENT__BODY_STEP
				     && strcmp(event->step->department, code) == 0;
	if (ours && is_news(event->type))
		d->news_heard++;
	struct demo_ticket *t = demo_work_ticket(d, view->number);
	if (t == NULL)
		return;
	if (t->contact == UINT32_MAX
	    && (!demo_text_contact(view->description, &t->contact)
		|| t->contact >= d->people.count))
		t->contact = UINT32_MAX;
	if (t->subject == NULL)
		t->subject = catalogue_subject(d->cat, view->subject_code);
	if (view->version >= t->told_version && strcmp(view->department, code) == 0) {
		t->told_version = view->version;
		t->legal_due_us = view->legal_due_us;
		t->service_due_us = view->service_due_us;
	}
	if (view->version <= t->version || t->asked || strcmp(view->department, code) != 0)
		return;
	bool first = t->version == 0;
	t->version = view->version;
	t->status = view->status;
	t->department = by;
	if (t->withdrawn)
		return;
	plan_next(d, t);
	if (first)
		plan_withdrawal(d, t);
}

/* --- steps --------------------------------------------------------------------------------------
 */

static const struct catalogue_department *
another_department(struct demo *d, const struct demo_ticket *t, struct demo_random *r)
{
	for (int tries = 0; tries < 50; tries++) {
		const struct catalogue_department *other =
		    &d->cat->departments[demo_random_below(r, (uint32_t)d->cat->department_count)];
		if (other->active && other != t->department)
			return other;
	}
	return NULL;
}

/* Where the operator sends what no rule knew: an e-mail, or what a department did not want. */
static const struct catalogue_department *
routed_to(struct demo *d, const struct demo_ticket *t, const struct catalogue_subject **ret_subject)
{
	struct demo_random r = chance_of(d, t, 0x5);
	const struct catalogue_subject *subject = t->contact != UINT32_MAX
						      ? d->people.at[t->contact].subject
						      : NULL;
	const struct catalogue_rule *rule = NULL;

	for (int tries = 0; tries < 50 && (rule == NULL || rule->department == NULL); tries++) {
		if (subject == NULL || tries > 0)
			subject = &d->cat->subjects[demo_random_pick(
			    &r, d->people.subject_weights, d->cat->subject_count)];
		rule = catalogue_route(d->cat, subject->code, "", "call");
	}
	*ret_subject = subject;
	return rule != NULL ? rule->department : NULL;
}

static const char *
reason_for(struct demo *d, const char *end, struct demo_random *r)
{
	const struct catalogue_reason *fits[64];
	uint32_t count = 0;

	for (size_t i = 0; i < d->cat->closure_reason_count && count < ARRAY_LEN(fits); i++)
		if (strstr(d->cat->closure_reasons[i].applies_to, end) != NULL)
			fits[count++] = &d->cat->closure_reasons[i];
	return count == 0 ? "" : fits[demo_random_below(r, count)]->code;
}

struct choice {
	const char *verb;
	const char *reason, *text;
	const struct catalogue_department *to;
	const struct catalogue_subject *subject;
	const char *institution;
	int64_t until_us;
};

static void
choose_end(struct demo *d, struct demo_ticket *t, struct demo_random *r, struct choice *c)
{
	bool others = strcmp(t->department->code, others_department) == 0;
	double forwarded = others ? forwarded_share_of_others : forwarded_share;
	double at = demo_random_real(r);

	if (at < forwarded && d->cat->institution_count > 0 && t->ends == 0) {
		c->verb = "forward";
		c->reason = reason_for(d, "forwarded", r);
		c->institution =
		    d->cat->institutions[demo_random_below(r, (uint32_t)d->cat->institution_count)]
			.code;
		c->text = "Başvurunuz görevli kuruma iletildi. (Canlandırma)";
	} else if (at < forwarded + rejected_share && t->ends == 0) {
		c->verb = "reject";
		c->reason = reason_for(d, "rejected", r);
		c->text = "Yerinde bakıldı; istem uygun bulunmadı. (Canlandırma)";
	} else {
		c->verb = "resolve";
		c->reason = reason_for(d, "resolved", r);
		c->text = "Ekibimiz işi tamamladı. (Canlandırma)";
	}
}

static void
choose(struct demo *d, struct demo_ticket *t, struct choice *c)
{
	struct demo_random r = chance_of(d, t, 0x6);
	bool bounces = demo_random_chance(&r, bounced_share),
	     moves = demo_random_chance(&r, moved_share),
	     waits = demo_random_chance(&r, waited_share),
	     says = demo_random_chance(&r, interim_share);
	bool legal = t->contact != UINT32_MAX && d->plan.arrivals[t->contact].kind == DEMO_CIMER;

	switch (t->status) {
	case TURUNC__V1__STATUS__STATUS_TRIAGE:
		c->verb = "route";
		c->to = routed_to(d, t, &c->subject);
		break;
	case TURUNC__V1__STATUS__STATUS_ROUTED:
		if (bounces && !t->bounced && !t->moved) {
			c->verb = "triage";
			c->reason = "birimimiz-degil";
		} else if (moves && !t->moved) {
			c->verb = "transfer";
			c->to = another_department(d, t, &r);
			c->reason = "gorev-alani";
		} else {
			c->verb = "accept";
		}
		break;
	case TURUNC__V1__STATUS__STATUS_ACCEPTED:
		c->verb = legal && says && !t->interim ? "answer" : "start";
		c->text = "Başvurunuz inceleniyor; sonucu ayrıca bildirilecektir. (Canlandırma)";
		break;
	case TURUNC__V1__STATUS__STATUS_IN_PROGRESS:
		if (waits && !t->waited && d->cat->wait_reason_count > 0) {
			c->verb = "wait";
			c->reason = d->cat
					->wait_reasons[demo_random_below(
					    &r, (uint32_t)d->cat->wait_reason_count)]
					.code;
			c->until_us = d->now_us + WAIT_DAYS * US_PER_DAY;
		} else {
			choose_end(d, t, &r, c);
		}
		break;
	case TURUNC__V1__STATUS__STATUS_WAITING:
		c->verb = "resume";
		break;
	default:
		break;
	}
}

static char *
copied(char *room, size_t size, const char *text)
{
	snprintf(room, size, "%s", text != NULL ? text : "");
	return room;
}

void
demo_work_act(struct demo *d, const struct demo_entry *entry)
{
	struct demo_ticket *t = demo_work_at(d, entry->about);
	Turunc__V1__Command command = TURUNC__V1__COMMAND__INIT;
	struct choice c = { 0 };
	char verb[24], reason[64], text[TEXT_BYTES], to[64], subject[64], institution[64];

	if (t->version != entry->version || t->asked || t->withdrawn)
		return;
	choose(d, t, &c);
	if (c.verb == NULL)
		return;
	bool worded = c.text != NULL && strcmp(c.verb, "start") != 0;
	command.ticket = t->number;
	command.expected_version = t->version;
	command.verb = copied(verb, sizeof(verb), c.verb);
	command.reason_code = copied(reason, sizeof(reason), c.reason);
	command.text = copied(text, sizeof(text), worded ? c.text : NULL);
	command.department = copied(to, sizeof(to), c.to != NULL ? c.to->code : NULL);
	command.subject_code = copied(
	    subject, sizeof(subject), c.subject != NULL ? c.subject->code : NULL);
	command.institution = copied(institution, sizeof(institution), c.institution);
	command.until_us = c.until_us;
	t->asked = true;
	t->verb = c.verb;
	t->to = c.to;
	t->keyed = c.subject;
	demo_bus_command(d, t->department, &command, entry->about);
}

static void
count_step(struct demo *d, struct demo_ticket *t)
{
	static const char *const taking_up[] = { "accept", "start", "wait", "answer", "resolve",
		"reject", "forward" };
	static const struct {
		const char *verb, *word;
	} ends[] = { { "resolve", "resolved" }, { "reject", "rejected" },
		{ "forward", "forwarded" } };

	if (masa_word_is_among(t->verb, taking_up, ARRAY_LEN(taking_up)))
		demo_figures_taken_up(t);
	if (strcmp(t->verb, "answer") == 0)
		demo_figures_answered(d, t);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (strcmp(t->verb, ends[i].verb) == 0) {
			demo_figures_ended(d, t, ends[i].word);
			t->ends++;
			t->ended_us = d->now_us;
		}
	if (strcmp(t->verb, "transfer") == 0) {
		demo_count(&d->counts, 1, "hops");
		t->hops++;
		t->moved = true;
	}
	if (strcmp(t->verb, "triage") == 0)
		t->left = t->department;
	if (strcmp(t->verb, "route") == 0) {
		if (t->left != NULL && t->left != t->to) {
			demo_count(&d->counts, 1, "hops");
			t->hops++;
		}
		t->left = NULL;
		t->subject = t->keyed;
	}
	t->bounced = t->bounced || strcmp(t->verb, "triage") == 0;
	t->waited = t->waited || strcmp(t->verb, "wait") == 0;
	t->interim = t->interim || strcmp(t->verb, "answer") == 0;
}

void
demo_work_answered(struct demo *d, uint32_t ticket, const struct turunc_answer *answer)
{
	struct demo_ticket *t = demo_work_at(d, ticket);

	t->asked = false;
	if (!answer->done) {
		demo_trouble(d, "ticket %s, %s: %s", t->number, t->verb,
		    answer->timed_out ? "no answer" : answer->text);
		return;
	}
	count_step(d, t);
	t->version = answer->version;
	t->status = answer->status;
	if (t->to != NULL)
		t->department = t->to;
	else if (t->status == TURUNC__V1__STATUS__STATUS_TRIAGE)
		t->department = NULL;
	plan_next(d, t);
}
