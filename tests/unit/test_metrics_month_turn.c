/* The ladder of satisfaction, and what the log's calendar does: months end, are published, revised.
 */
#include "month_world.h"

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
	message(&f, number, "notification.discarded", "sms", seq, noon(3, 7));
	check_ladder("one that was not wanted", &f, "110000");
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
	message(&f, number, "notification.sent", "email", seq, noon(3, 9));
	check_ladder("another address took it", &f, "111100");
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

TEST(test_months_before_the_log_are_never_revised)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, numbered(1), 2, "cop", "", noon(3, 5), noon(3, 5));
	call(&f, "1", "call.answered", "", noon(4, 7), noon(4, 7));
	open_ticket(&f, numbered(2), 5, "su", "", noon(2, 20), noon(4, 8));
	open_ticket(&f, numbered(3), 5, "su", "", noon(3, 20), noon(4, 8));
	call(&f, "2", "call.answered", "", noon(4, 9), noon(4, 9));
	struct month_report r = report_of(&f, 202602);
	CHECK_I64("counted", month_value(&r.figures, "tickets"), 1);
	CHECK_U64("February is not revised", r.revision_count, 0);
	month_report_finish(&r);
	r = report_of(&f, 202603);
	CHECK_U64("March is", r.revision_count, 2);
	month_report_finish(&r);
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

/* --- clocks that are wrong -------------------------------------------------------------------- */

#define HOUR_US (60 * US_PER_MIN)

/* A call that is offered then, by the clock of whoever commits it. */
static void
tick(struct month_fold *f, int64_t at_us)
{
	static int number;
	char id[20];

	(void)snprintf(id, sizeof(id), "tick-%d", ++number);
	call(f, id, "call.answered", "", at_us, at_us);
}

static int64_t
far(int month, int day)
{
	return istanbul_moment_us(civil_day(2031, month, day), 720);
}

static void
check_stands(const char *name, const struct month_fold *f, int64_t at_us, int32_t rolled,
    int32_t published, size_t revisions)
{
	CHECK_I64(name, f->state.at_us, at_us);
	CHECK_I64(name, f->state.calendar.rolled, rolled);
	CHECK_I64(name, f->state.published, published);
	CHECK_U64(name, f->revision_count, revisions);
	check_counted_anew(f);
}

TEST(test_a_clock_far_ahead_moves_nothing)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, numbered(1), 2, "cop", "", noon(3, 5), noon(3, 5));
	tick(&f, noon(4, 5));
	for (int i = 0; i < 500; i++)
		tick(&f, far(8, 1) + i);
	check_stands("in one minute", &f, noon(4, 5), 202603, 202602, 0);
	CHECK_I64("and yet it counts", of(&f, 203108, "calls.answered"), 500);
	/* A service with a wrong clock among others whose clocks are right. */
	for (int i = 0; i < 100; i++) {
		tick(&f, far(8, 1) + i * HOUR_US);
		tick(&f, noon(4, 5) + i);
	}
	check_stands("among others", &f, noon(4, 5) + 99, 202603, 202602, 0);
	tick(&f, noon(4, 6));
	check_stands("days pass as ever", &f, noon(4, 6), 202603, 202603, 1);
	month_fold_finish(&f);
}

TEST(test_after_a_long_silence_an_hour_is_believed)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	tick(&f, noon(3, 5));
	tick(&f, noon(5, 1));
	check_stands("57 days are doubted", &f, noon(3, 5), 202602, 202602, 0);
	tick(&f, noon(5, 1) + HOUR_US - 1);
	check_stands("not an hour yet", &f, noon(3, 5), 202602, 202602, 0);
	tick(&f, noon(5, 1) + HOUR_US);
	check_stands("believed", &f, noon(5, 1) + HOUR_US, 202604, 202603, 1);
	/* 45 days are at once. */
	tick(&f, noon(6, 15));
	check_stands("a short one", &f, noon(6, 15), 202605, 202605, 3);
	month_fold_finish(&f);
}

TEST(test_a_calendar_that_was_led_ahead_goes_back)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, numbered(1), 2, "cop", "", noon(3, 5), noon(3, 5));
	tick(&f, noon(4, 7));
	check_stands("March is published", &f, noon(4, 7), 202603, 202603, 1);
	open_ticket(&f, numbered(2), 2, "cop", "", noon(3, 6), noon(4, 7));
	tick(&f, far(8, 1));
	tick(&f, far(8, 1) + HOUR_US);
	CHECK_I64("led ahead", f.state.published, 203106);
	CHECK_I64("open at an end that never was", of(&f, 203106, "open"), 2);
	CHECK_I64("of its department", of(&f, 203106, "d.-.open"), 2);
	size_t drawn_up = f.revision_count;
	tick(&f, noon(4, 8));
	tick(&f, noon(4, 8) + HOUR_US - 1);
	CHECK_U64("not for an hour", f.revision_count, drawn_up);
	/* What changes meanwhile is told of if its month is published still. */
	open_ticket(&f, numbered(3), 2, "cop", "", noon(3, 7), noon(4, 8) + HOUR_US - 1);
	tick(&f, noon(4, 8) + HOUR_US);
	check_stands("right again", &f, noon(4, 8) + HOUR_US, 202603, 202603, 3);
	CHECK_I64("no end in 2031", of(&f, 203106, "open"), 0);
	CHECK_I64("that of March stays", of(&f, 202603, "open"), 3);
	struct month_report r = report_of(&f, 202603);
	if (CHECK_U64("March", r.revision_count, 3))
		CHECK_I64("drawn up", r.revisions[2].at_us, noon(4, 8) - 12 * HOUR_US);
	month_report_finish(&r);
	r = report_of(&f, 202606);
	CHECK_U64("June has no revision", r.revision_count, 0);
	CHECK_FALSE("nor is it over", r.over);
	month_report_finish(&r);
	tick(&f, noon(5, 7));
	check_stands("and goes on", &f, noon(5, 7), 202604, 202604, 4);
	r = report_of(&f, 202604);
	if (CHECK_U64("April is published once", r.revision_count, 1))
		CHECK_U64("as its first", r.revisions[0].number, 1);
	month_report_finish(&r);
	month_fold_finish(&f);
}

/* A clock that is behind stops nothing, and takes nothing back that was published in its time. */
TEST(test_a_clock_behind_takes_nothing_back)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	for (int day = 1; day <= 120; day++)
		tick(&f, noon(3, 1) + (day - 1) * US_PER_DAY);
	size_t revisions = f.revision_count;
	int64_t at_us = f.state.at_us;
	for (int i = 0; i < 48; i++)
		tick(&f, noon(3, 20) + i * HOUR_US);
	CHECK_I64("stands", f.state.at_us, at_us);
	CHECK_U64("all stay, but of that day", f.revision_count, revisions);
	/* After a leap it goes back to where it leapt from, and no further. */
	tick(&f, at_us + 20 * US_PER_DAY);
	for (int i = 0; i < 48; i++)
		tick(&f, noon(3, 20) + i * HOUR_US);
	CHECK_I64("not to March", f.state.at_us, at_us + 20 * US_PER_DAY);
	tick(&f, at_us + US_PER_DAY);
	tick(&f, at_us + US_PER_DAY + HOUR_US);
	CHECK_I64("to the day after", f.state.at_us, at_us + US_PER_DAY + HOUR_US);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_a_log_that_began_in_the_future)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	tick(&f, far(8, 1));
	open_ticket(&f, numbered(1), 2, "cop", "", noon(3, 5), noon(3, 5));
	tick(&f, noon(3, 5) + HOUR_US);
	CHECK_I64("begins", f.state.calendar.first, 202603);
	check_stands("in its month", &f, noon(3, 5) + HOUR_US, 202602, 202602, 0);
	tick(&f, noon(4, 6));
	check_stands("which is published", &f, noon(4, 6), 202603, 202603, 1);
	month_fold_finish(&f);
}
