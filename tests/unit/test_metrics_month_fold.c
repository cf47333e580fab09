/* A month is counted from records alone: whatever order and however late they come, and whether one
 * counts along or anew. */
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
static int64_t
noon(int month, int day)
{
	return istanbul_moment_us(civil_day(2026, month, day), 720);
}

/* The ticket's number; serials 1 to 3. */
static char *
numbered(int serial)
{
	static char numbers[4][NUMBER_SIZE];

	CHECK(number_format(number_make(26, serial), numbers[serial]));
	return numbers[serial];
}

/* --- records ---------------------------------------------------------------------------------- */

static void
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

static void
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

static void
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

static void
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

static void
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

static void
message(struct month_fold *f, char *number, const char *type, const char *way, uint64_t about_seq,
    int64_t at_us)
{
	static char about[] = "survey.invited";
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__NotificationStep body = TURUNC__V1__NOTIFICATION_STEP__INIT;
	char channel[8];

	(void)snprintf(channel, sizeof(channel), "%s", way);
	body.about = about;
	body.about_seq = about_seq;
	body.channel = channel;
	event.subject = number;
	event.body_case = TURUNC__V1__EVENT__BODY_NOTIFICATION;
	event.notification = &body;
	add(f, &event, type, at_us, at_us + 1000);
}

/* --- what is looked at ------------------------------------------------------------------------ */

static int64_t
of(const struct month_fold *f, int32_t month, const char *name)
{
	int64_t n;

	return month_cells_get(&f->cells, month, name, &n) ? n : 0;
}

/* What is counted along is what one counts anew from the facts. */
static void
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

/* --- calls ------------------------------------------------------------------------------------ */

struct told {
	const char *type, *disposition;
	int64_t after_us;
};

static void
tell_in_order(struct month_fold *f, const struct told *told, const int *order, int count)
{
	int64_t at_us = noon(3, 2); /* a Monday */

	month_fold_init(f, MONTH_FOLD_WHOLE);
	for (int i = 0; i < count; i++)
		call(f, "1", told[order[i]].type, told[order[i]].disposition,
		    at_us + told[order[i]].after_us, at_us + i * 1000000);
}

TEST(test_a_call_counts_the_same_whatever_order_it_is_told_in)
{
	static const struct told told[] = { { "call.offered", "", 0 },
		{ "call.answered", "", 12345000 }, { "call.ended", "", 90000000 },
		{ "call.ended", "information", 100000000 }, { "call.ended", "ticket", 110000000 } };
	int order[5] = { 0, 1, 2, 3, 4 };

	for (int n = 0; n < 120; n++) {
		struct month_fold f;
		int left[5] = { 0, 1, 2, 3, 4 };
		for (int i = 0, code = n; i < 5; i++) {
			int k = code % (5 - i);
			code /= 5 - i;
			order[i] = left[k];
			memmove(&left[k], &left[k + 1], (size_t)(4 - k) * sizeof(int));
			left[4] = 0;
		}
		tell_in_order(&f, told, order, 5);
		CHECK_I64("offered", of(&f, 202603, "calls.offered"), 1);
		CHECK_I64("answered", of(&f, 202603, "calls.answered"), 1);
		CHECK_I64("at noon on Monday", of(&f, 202603, "calls.answered.w1.h12"), 1);
		CHECK_I64("recorded", of(&f, 202603, "calls.recorded"), 1);
		CHECK_I64("no longer information", of(&f, 202603, "calls.information"), 0);
		CHECK_I64("not unfinished", of(&f, 202603, "calls.unfinished"), 0);
		CHECK_I64("waited", of(&f, 202603, "calls.wait_ms"), 12345);
		CHECK_I64("a contact", of(&f, 202603, "contacts.call"), 1);
		CHECK_I64("with a ticket", of(&f, 202603, "contacts.without_ticket.call"), 0);
		month_fold_finish(&f);
	}
}

TEST(test_each_call_offered_is_answered_abandoned_or_unfinished)
{
	static const struct {
		const char *name, *types[3], *disposition, *counts;
	} cases[] = {
		{ "rang", { "call.offered" }, "", "calls.unfinished" },
		{ "hung up", { "call.offered", "call.abandoned" }, "", "calls.abandoned" },
		{ "only its end", { "call.ended" }, "", "calls.unfinished" },
		{ "an end that says what became of it", { "call.ended" }, "nuisance",
		    "calls.nuisance" },
		{ "answered, nothing said", { "call.answered" }, "", "calls.undisposed" },
		{ "both said", { "call.offered", "call.abandoned", "call.answered" }, "",
		    "calls.undisposed" },
		{ "a word that is none", { "call.offered", "call.answered", "call.ended" }, "odd",
		    "calls.undisposed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct month_fold f;
		month_fold_init(&f, MONTH_FOLD_WHOLE);
		for (int k = 0; k < 3 && cases[i].types[k] != NULL; k++)
			call(&f, "x", cases[i].types[k], cases[i].disposition, noon(3, 3) + k,
			    noon(3, 3) + k);
		CHECK_I64(cases[i].name, of(&f, 202603, "calls.offered"), 1);
		CHECK_I64(cases[i].name,
		    of(&f, 202603, "calls.answered") + of(&f, 202603, "calls.abandoned")
			+ of(&f, 202603, "calls.unfinished"),
		    1);
		CHECK_I64(cases[i].name, of(&f, 202603, cases[i].counts), 1);
		check_counted_anew(&f);
		month_fold_finish(&f);
	}
}

/* --- tickets ---------------------------------------------------------------------------------- */

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

TEST(test_a_ticket_is_counted_where_it_came_moved_and_ended)
{
	char *number = numbered(1);
	struct month_fold f;
	int64_t legal = noon(4, 10), service = noon(3, 20);

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "fener", noon(3, 5), noon(3, 5) + 5);
	CHECK_I64("nobody's", of(&f, 202603, "tickets.department.-"), 1);
	step(&f, number, (struct said){ "ticket.routed", ROUTED, "zabita", legal, service },
	    noon(3, 5) + 9);
	CHECK_I64("where it lies", of(&f, 202603, "tickets.department.zabita"), 1);
	step(&f, number, (struct said){ "ticket.triaged", TRIAGE, "", legal, 0 }, noon(3, 6));
	CHECK_I64("nobody's again", of(&f, 202603, "tickets.department.-"), 1);
	step(&f, number, (struct said){ "ticket.routed", ROUTED, "temizlik", legal, service },
	    noon(3, 7));
	step(&f, number, (struct said){ "ticket.accepted", ACCEPTED, "temizlik", legal, service },
	    noon(3, 8));
	step(&f, number, (struct said){ "ticket.transferred", ROUTED, "fen", legal, service },
	    noon(4, 2));
	CHECK_I64("who took it up", of(&f, 202603, "tickets.department.temizlik"), 1);
	CHECK_I64("moved in March", of(&f, 202603, "hops"), 1);
	CHECK_I64("moved in April", of(&f, 202604, "hops"), 1);
	CHECK_I64("open at the end of March", of(&f, 202603, "open"), 1);
	CHECK_I64("its age", of(&f, 202603, "open.age.15"), 1);
	CHECK_I64("of whom", of(&f, 202603, "d.temizlik.open.age.15"), 1);
	step(&f, number, (struct said){ "ticket.resolved", RESOLVED, "fen", legal, service },
	    noon(4, 3));
	CHECK_I64("ended", of(&f, 202604, "ended.resolved"), 1);
	CHECK_I64("by whom", of(&f, 202604, "d.fen.ended"), 1);
	CHECK_I64("a deadline", of(&f, 202604, "ended.legal.of"), 1);
	CHECK_I64("kept", of(&f, 202604, "d.fen.ended.legal.within"), 1);
	CHECK_I64("a promise", of(&f, 202604, "ended.service.of"), 1);
	CHECK_I64("broken", of(&f, 202604, "ended.service.within"), 0);
	CHECK_I64("still open at the end of March", of(&f, 202603, "open"), 1);
	check_counted_anew(&f);
	step(&f, number, (struct said){ "ticket.reopened", ROUTED, "fen", legal, service },
	    noon(5, 2));
	step(&f, number, (struct said){ "ticket.rejected", REJECTED, "fen", legal, service },
	    noon(5, 3));
	CHECK_I64("reopened", of(&f, 202605, "reopened"), 1);
	CHECK_I64("ended again", of(&f, 202605, "ended.rejected"), 1);
	CHECK_I64("the law asks once", of(&f, 202605, "ended.legal.of"), 0);
	CHECK_I64("a promise each time", of(&f, 202605, "ended.service.of"), 1);
	CHECK_I64("not open at the end of April", of(&f, 202604, "open"), 0);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_time_that_a_ticket_waits_breaks_no_promise)
{
	static const struct {
		const char *name;
		int waits, ends;
		int64_t within;
	} cases[] = { { "began in time", 9, 20, 1 }, { "began too late", 11, 20, 0 } };
	char *number = numbered(1);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct month_fold f;
		struct said said = { "ticket.routed", ROUTED, "fen", 0, noon(3, 10) };
		month_fold_init(&f, MONTH_FOLD_WHOLE);
		open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
		step(&f, number, said, noon(3, 5));
		said = (struct said){ "ticket.waiting", WAITING, "fen", 0, 0 };
		step(&f, number, said, noon(3, cases[i].waits));
		said = (struct said){ "ticket.resolved", RESOLVED, "fen", 0, noon(3, 10) };
		step(&f, number, said, noon(3, cases[i].ends));
		CHECK_I64(cases[i].name, of(&f, 202603, "ended.service.within"), cases[i].within);
		CHECK_I64(cases[i].name, of(&f, 202603, "ended.service.of"), 1);
		month_fold_finish(&f);
	}
}

TEST(test_a_joining_that_is_undone_has_not_ended_anything)
{
	char *number = numbered(1);
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 1, "cop", "", noon(3, 5), noon(3, 5));
	step(&f, number, (struct said){ "ticket.joined", DUPLICATE, "", 0, 0 }, noon(3, 6));
	CHECK_I64("ended", of(&f, 202603, "ended.duplicate"), 1);
	CHECK_I64("not asked about", of(&f, 202603, "ladder.ended"), 0);
	step(&f, number, (struct said){ "ticket.separated", TRIAGE, "", 0, 0 }, noon(3, 7));
	CHECK_I64("not ended", of(&f, 202603, "ended"), 0);
	CHECK_I64("not reopened either", of(&f, 202603, "reopened"), 0);
	CHECK_I64("told by phone without an exchange", of(&f, 202603, "contacts.call"), 1);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

/* --- satisfaction ----------------------------------------------------------------------------- */

static void
check_ladder(const char *name, const struct month_fold *f, const char *rungs)
{
	static const char *const steps[] = { "ladder.ended", "ladder.eligible", "ladder.invited",
		"ladder.delivered", "ladder.answered", "ladder.satisfied" };
	char got[ARRAY_LEN(steps) + 1] = "";

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		got[i] = (char)('0' + of(f, 202603, steps[i]));
	CHECK_STR(name, got, rungs);
}

TEST(test_the_ladder_is_climbed_by_records)
{
	char *number = numbered(1), late[] = "late";
	Turunc__V1__SurveyStep nothing = TURUNC__V1__SURVEY_STEP__INIT, invited = nothing,
			       skipped = nothing, five = nothing, denied = nothing;
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
	step(&f, number, (struct said){ "ticket.resolved", RESOLVED, "fen", 0, 0 }, noon(3, 6));
	check_ladder("ended", &f, "100000");
	CHECK_I64("the delay", of(&f, 202603, "ladder.rest.waiting"), 1);
	skipped.ended_seq = invited.ended_seq = f.state.seq;
	skipped.reason = late;
	survey(&f, number, "survey.skipped", skipped, noon(3, 7));
	CHECK_I64("why not", of(&f, 202603, "ladder.rest.late"), 1);
	CHECK_I64("not waiting", of(&f, 202603, "ladder.rest.waiting"), 0);
	survey(&f, number, "survey.invited", invited, noon(3, 7));
	check_ladder("eligible", &f, "110000");
	uint64_t seq = f.state.seq;
	message(&f, number, "notification.sent", "sms", seq + 7, noon(3, 7));
	check_ladder("about something else", &f, "110000");
	message(&f, number, "notification.sent", "sms", seq, noon(3, 7));
	check_ladder("an SMS was sent", &f, "111000");
	message(&f, number, "notification.delivered", "sms", seq, noon(3, 7));
	check_ladder("and arrived", &f, "111100");
	five.score = 5;
	survey(&f, number, "survey.answered", five, noon(4, 2));
	check_ladder("the month is the end's", &f, "111111");
	denied.not_solved = true;
	denied.score = 1;
	survey(&f, number, "survey.answered", denied, noon(4, 3));
	check_ladder("taken back, and the score stays", &f, "111110");
	CHECK_I64("not solved", of(&f, 202603, "ladder.not_solved"), 1);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_a_mail_has_arrived_until_it_comes_back)
{
	char *number = numbered(1);
	Turunc__V1__SurveyStep invited = TURUNC__V1__SURVEY_STEP__INIT;
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
	step(&f, number, (struct said){ "ticket.resolved", RESOLVED, "fen", 0, 0 }, noon(3, 6));
	invited.ended_seq = f.state.seq;
	survey(&f, number, "survey.invited", invited, noon(3, 7));
	uint64_t seq = f.state.seq;
	message(&f, number, "notification.sent", "email", seq, noon(3, 7));
	check_ladder("taken by our server", &f, "111100");
	message(&f, number, "notification.failed", "email", seq, noon(3, 8));
	check_ladder("it came back", &f, "111000");
	month_fold_finish(&f);
}

/* --- publishing ------------------------------------------------------------------------------- */

static struct month_report
report_of(const struct month_fold *f, int32_t month)
{
	struct month_report report;

	CHECK(month_fold_report(f, month, NULL, &report));
	return report;
}

TEST(test_late_records_make_a_numbered_revision)
{
	char *numbers[] = { numbered(1), numbered(2), numbered(3) };
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, numbers[0], 2, "cop", "", noon(3, 5), noon(3, 5));
	call(&f, "1", "call.answered", "", noon(4, 5), noon(4, 5));
	struct month_report r = report_of(&f, 202603);
	CHECK_TRUE("over", r.over);
	CHECK_U64("not published on the fifth", r.revision_count, 0);
	CHECK_I64("due", r.published_from_us, noon(4, 6) - 12 * 60 * US_PER_MIN);
	month_report_finish(&r);

	call(&f, "2", "call.answered", "", noon(4, 6), noon(4, 6));
	r = report_of(&f, 202603);
	CHECK_U64("published on the sixth", r.revision_count, 1);
	CHECK_U64("with all before that", r.revisions[0].seq, 2);
	CHECK_U64("which changed nothing", r.revisions[0].change_count, 0);
	month_report_finish(&r);

	open_ticket(&f, numbers[1], 5, "su", "", noon(3, 30), noon(4, 8));
	r = report_of(&f, 202603);
	CHECK_I64("counted at once", month_value(&r.figures, "tickets"), 2);
	CHECK_U64("told of when the day is over", r.revision_count, 1);
	month_report_finish(&r);

	call(&f, "3", "call.answered", "", noon(4, 9), noon(4, 9));
	r = report_of(&f, 202603);
	if (CHECK_U64("told of", r.revision_count, 2)) {
		const struct month_revision *second = &r.revisions[1];
		bool told = false;
		for (size_t i = 0; i < second->change_count; i++)
			told = told
			       || (strcmp(second->changes[i].name, "tickets") == 0
				   && second->changes[i].was == 1 && second->changes[i].is == 2);
		CHECK_TRUE("which, from what to what", told);
		CHECK_U64("its number", second->number, 2);
		CHECK_U64("as of", second->seq, 4);
	}
	CHECK_I64("open at its end", month_value(&r.figures, "open"), 2);
	month_report_finish(&r);

	/* What changes and changes back within a day is no news. */
	open_ticket(&f, numbers[2], 5, "su", "", noon(4, 9), noon(4, 9));
	step(&f, numbers[0], (struct said){ "ticket.noted", ROUTED, "fen", 0, 0 }, noon(4, 9));
	step(&f, numbers[0], (struct said){ "ticket.noted", TRIAGE, "", 0, 0 }, noon(4, 9) + 1);
	call(&f, "4", "call.answered", "", noon(4, 10), noon(4, 10));
	r = report_of(&f, 202603);
	CHECK_U64("no revision", r.revision_count, 2);
	char *text = month_report_text(&r);
	CHECK(text != NULL && strstr(text, "\"revision\":2") != NULL);
	free(text);
	month_report_finish(&r);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_answers_are_no_revision_while_they_may_come)
{
	char *number = numbered(1);
	Turunc__V1__SurveyStep said = TURUNC__V1__SURVEY_STEP__INIT;
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
	step(&f, number, (struct said){ "ticket.resolved", RESOLVED, "fen", 0, 0 }, noon(3, 6));
	said.ended_seq = f.state.seq;
	survey(&f, number, "survey.invited", said, noon(3, 7));
	call(&f, "1", "call.answered", "", noon(4, 10), noon(4, 10));
	said.score = 5;
	survey(&f, number, "survey.answered", said, noon(4, 11));
	call(&f, "2", "call.answered", "", noon(4, 12), noon(4, 12));
	struct month_report r = report_of(&f, 202603);
	CHECK_U64("an answer in time", r.revision_count, 1);
	CHECK_FALSE("not final", r.ladder_final);
	CHECK_I64("counted", month_value(&r.figures, "ladder.satisfied"), 1);
	month_report_finish(&r);
	call(&f, "3", "call.answered", "", noon(5, 7), noon(5, 7));
	said.not_solved = true;
	survey(&f, number, "survey.answered", said, noon(5, 8));
	call(&f, "4", "call.answered", "", noon(5, 9), noon(5, 9));
	r = report_of(&f, 202603);
	CHECK_U64("one that comes too late", r.revision_count, 2);
	CHECK_TRUE("final", r.ladder_final);
	month_report_finish(&r);
	month_fold_finish(&f);
}

TEST(test_a_month_that_is_not_over)
{
	char *number = numbered(1);
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
	call(&f, "1", "call.answered", "", noon(3, 9), noon(3, 9));
	struct month_report r = report_of(&f, 202603);
	CHECK_FALSE("not over", r.over);
	CHECK_I64("open so far", month_value(&r.figures, "open"), 1);
	CHECK_I64("four days old", month_value(&r.figures, "d.-.open.age.03"), 1);
	CHECK_I64("minutes", month_value(&r.figures, "minutes"), 8 * 1440 + 720);
	CHECK_FALSE("nothing to compare with", r.has_month_before || r.has_year_before);
	month_report_finish(&r);
	month_fold_finish(&f);
}

/* --- anything, in any order ------------------------------------------------------------------- */

static uint32_t
dice(uint64_t *seed, uint32_t sides)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % sides;
}

/* Records that make no sense together must still count the same along and anew. */
TEST(test_whatever_is_said_counts_along_as_anew)
{
	static const char *const departments[] = { "", "fen", "temizlik", "zabita" };
	static const char *const types[] = { "ticket.routed", "ticket.accepted", "ticket.waiting",
		"ticket.resolved", "ticket.reopened", "ticket.separated", "ticket.joined",
		"ticket.answered", "ticket.closed" };
	static const char *const told[] = { "call.offered", "call.answered", "call.abandoned",
		"call.ended" };
	static const char *const said[] = { "", "ticket", "joined", "information", "nuisance" };
	uint64_t seed = 7;
	int64_t now_us = noon(2, 10);
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	for (int i = 0; i < 20000; i++) {
		char number[NUMBER_SIZE], id[16];
		now_us += (int64_t)dice(&seed, 1200) * US_PER_S;
		int64_t at_us = now_us
				- (int64_t)dice(&seed, 50) * dice(&seed, 50) * 3600 * US_PER_S;
		if (!number_format(number_make(26, 1 + dice(&seed, 600)), number))
			continue;
		(void)snprintf(id, sizeof(id), "%u", dice(&seed, 900));
		switch (dice(&seed, 6)) {
		case 0:
			open_ticket(&f, number, (int)dice(&seed, 9), "cop", "fener", at_us, now_us);
			break;
		case 1:
			call(&f, id, told[dice(&seed, 4)], said[dice(&seed, 5)], at_us, now_us);
			break;
		default:
			step(&f, number,
			    (struct said){ types[dice(&seed, 9)], 1 + (int)dice(&seed, 12),
				departments[dice(&seed, 4)], now_us, now_us - 5 },
			    now_us);
		}
	}
	CHECK_TRUE("months have passed", f.state.calendar.rolled >= 202605);
	CHECK_TRUE("and were revised", f.revision_count > 10);
	CHECK_TRUE("and much is open", of(&f, 202604, "open") > 100);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_bytes_that_are_no_fact_are_refused)
{
	struct month_fold f;
	char *number = numbered(1);
	struct month_fact fact;
	uint8_t bytes[600];

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "fener", noon(3, 5), noon(3, 5));
	step(&f, number, (struct said){ "ticket.resolved", RESOLVED, "fen", 5, 6 }, noon(3, 6));
	const struct month_kept *kept = month_facts_get(&f.facts, "t260000001");
	if (!CHECK(kept != NULL && kept->len < sizeof(bytes)))
		return;
	for (size_t len = 0; len < kept->len; len++)
		CHECK_FALSE("cut short", month_fact_unpack(&fact, kept->bytes, len));
	memcpy(bytes, kept->bytes, kept->len);
	bytes[kept->len] = 0;
	CHECK_FALSE("too long", month_fact_unpack(&fact, bytes, kept->len + 1u));
	bytes[0] ^= 2;
	CHECK_FALSE("another version", month_fact_unpack(&fact, bytes, kept->len));
	month_fold_finish(&f);
}
