/* Records become ops; days and hours turn where Istanbul's do. */
#include "ops.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "clock.h"
#include "istanbul.h"
#include "window.h"

/* 2026-03-02 00:00 in Istanbul is 2026-03-01 21:00 UTC. */
#define MIDNIGHT_US (INT64_C(1772398800) * US_PER_S)
enum { DAY = 20514 };

static char *
lend(const char *text)
{
	char *lent;

	memcpy(&lent, &text, sizeof(lent));
	return lent;
}

static const struct {
	const char *name;
	int64_t at_us;
	int32_t want_day;
	int64_t want_start_us;
} days[] = {
	{ "the last microsecond of a day is that day's", MIDNIGHT_US - 1, DAY - 1,
	    MIDNIGHT_US - US_PER_DAY },
	{ "midnight begins the next", MIDNIGHT_US, DAY, MIDNIGHT_US },
	{ "noon in UTC is the same day", MIDNIGHT_US + 15 * 60 * US_PER_MIN, DAY, MIDNIGHT_US },
};

TEST(test_today_is_istanbuls_day)
{
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		struct window w = window_at(days[i].at_us);
		CHECK_I64(days[i].name, w.day, days[i].want_day);
		CHECK_I64(days[i].name, w.day_start_us, days[i].want_start_us);
		CHECK_I64(days[i].name, w.next_day_us, days[i].want_start_us + US_PER_DAY);
	}
}

TEST(test_the_last_hour_has_sixty_minutes)
{
	struct window w = window_at(MIDNIGHT_US + 30 * US_PER_S);

	CHECK_I64("this minute", w.minute, MIDNIGHT_US / US_PER_MIN);
	CHECK_I64("its first moment", w.hour_start_us, MIDNIGHT_US - 59 * US_PER_MIN);
	CHECK_I64("just within", window_minute(w.hour_start_us), w.minute - 59);
	CHECK_I64("just without", window_minute(w.hour_start_us - 1), w.minute - 60);
}

TEST(test_a_simulated_clock_rolls_the_day_over)
{
	const char *file = check_path("clock");
	const struct clock_speed still = { 0, 1 };

	CHECK(clock_simulation_create(file, MIDNIGHT_US - 1, still) && clock_open(file));
	CHECK_I64("before", window_at(clock_now_us()).day, DAY - 1);
	CHECK(clock_simulation_set(file, MIDNIGHT_US, still));
	CHECK_I64("after", window_at(clock_now_us()).day, DAY);
	clock_close();
}

/* --- ops -------------------------------------------------------------------------------------- */

static void
check_op(const char *name, const Turunc__V1__Record *record, bool fits, const char *want)
{
	struct ops ops = { 0 };

	CHECK_TRUE(name, ops_add_record(&ops, record) == fits);
	CHECK_U64(name, ops.count, want == NULL ? 0 : 1);
	if (want != NULL && ops.count == 1)
		CHECK_STR(name, ops_at(&ops, 0), want);
	ops_finish(&ops);
}

static void
check_event(const char *name, Turunc__V1__Event *event, bool fits, const char *want)
{
	Turunc__V1__Record record = TURUNC__V1__RECORD__INIT;

	record.seq = 7;
	record.committed_at_us = MIDNIGHT_US + 1;
	record.event = event;
	check_op(name, &record, fits, want);
}

TEST(test_an_opened_ticket)
{
	Turunc__V1__TicketOpened opened = TURUNC__V1__TICKET_OPENED__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	opened.channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
	event.type = lend("ticket.opened");
	event.subject = lend("26-0000001-3");
	event.body_case = TURUNC__V1__EVENT__BODY_OPENED;
	event.opened = &opened;
	check_event("a wrong check digit names no ticket", &event, false, NULL);
	event.subject = lend("");
	check_event("nor does nothing", &event, false, NULL);
	for (char digit = '0'; digit <= '9'; digit++) {
		char number[] = "26-0000001-?";
		number[11] = digit;
		event.subject = number;
		Turunc__V1__Record record = TURUNC__V1__RECORD__INIT;
		record.committed_at_us = MIDNIGHT_US + 1;
		record.event = &event;
		struct ops ops = { 0 };
		if (ops_add_record(&ops, &record))
			CHECK_STR("opened", ops_at(&ops, 0),
			    "o 260000001 1772398800000001 2 20514 29539980 -");
		ops_finish(&ops);
	}
}

static const struct {
	const char *name, *type, *department;
	Turunc__V1__Status status;
	const char *want; /* after the ticket's id; NULL: does not fit */
} steps[] = {
	{ "routed comes in", "ticket.routed", "fen", 3, "3 fen 0 5 6 in 29539980" },
	{ "started stays", "ticket.started", "fen", 5, "5 fen 0 5 6 - 29539980" },
	{ "answered stops the legal clock", "ticket.answered", "fen", 5, "5 fen 1 5 6 - 29539980" },
	{ "resolved goes out and answers", "ticket.resolved", "fen", 7,
	    "7 fen 1 5 6 out 29539980" },
	{ "joined goes out unanswered", "ticket.joined", "fen", 10, "10 fen 0 5 6 out 29539980" },
	{ "no department yet", "ticket.triaged", "", 2, "2 - 0 5 6 - 29539980" },
	{ "a code that would break an op", "ticket.routed", "a b", 3, "3 - 0 5 6 in 29539980" },
	{ "closed", "ticket.closed", "fen", 12, "12 fen 0 5 6 - 29539980" },
	{ "no status", "ticket.routed", "fen", 0, NULL },
	{ "a status of the future", "ticket.routed", "fen", 13, NULL },
};

TEST(test_steps)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		Turunc__V1__TicketStep step = TURUNC__V1__TICKET_STEP__INIT;
		Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
		char want[100];
		step.status = steps[i].status;
		step.department = lend(steps[i].department);
		step.legal_due_us = 5;
		step.service_due_us = 6;
		event.type = lend(steps[i].type);
		event.subject = lend("26-0012345-4");
		event.body_case = TURUNC__V1__EVENT__BODY_STEP;
		event.step = &step;
		(void)snprintf(want, sizeof(want), "s 260012345 %s",
		    steps[i].want == NULL ? "" : steps[i].want);
		check_event(steps[i].name, &event, steps[i].want != NULL,
		    steps[i].want == NULL ? NULL : want);
	}
}

static const struct {
	const char *name, *type, *id;
	int64_t at_us;
	const char *want;
} calls[] = {
	{ "on its own day, not the record's", "call.offered", "c 1", MIDNIGHT_US - 1,
	    "c 20513 o 1772398799999999 29539980 c 1" },
	{ "undated: the record's day", "call.answered", "x", 0,
	    "c 20514 a 1772398800000001 29539980 x" },
	{ "abandoned", "call.abandoned", "x", MIDNIGHT_US,
	    "c 20514 x 1772398800000000 29539980 x" },
	{ "a call without a name", "call.offered", "", MIDNIGHT_US, NULL },
	{ "a step nobody counts", "call.parked", "x", MIDNIGHT_US, NULL },
};

TEST(test_calls)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		Turunc__V1__CallStep call = TURUNC__V1__CALL_STEP__INIT;
		Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
		call.call_id = lend(calls[i].id);
		call.at_us = calls[i].at_us;
		event.type = lend(calls[i].type);
		event.body_case = TURUNC__V1__EVENT__BODY_CALL;
		event.call = &call;
		check_event(calls[i].name, &event, calls[i].want != NULL, calls[i].want);
	}
}

TEST(test_what_no_figure_needs_is_passed_over)
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	event.type = lend("config.applied");
	check_event("no body", &event, true, NULL);
	check_event("no event at all", NULL, false, NULL);
}

static const struct {
	const char *name, *neighbourhood, *subject, *want;
} places[] = {
	{ "where and what", "fener", "cop-alinmadi", "fener/cop-alinmadi" },
	{ "not known where", "", "cop-alinmadi", "-" },
	{ "not known what", "fener", "", "-" },
	{ "a code that would break an op", "fe ner", "x", "-" },
	{ "or the name of its figure", "fener", "a/b", "-" },
	{ "as long as it may be",
	    "1234567890123456789012345678901234567890123456789012345678901234",
	    "12345678901234567890123456",
	    "1234567890123456789012345678901234567890123456789012345"
	    "678901234/12345678901234567890123456" },
	{ "one too long", "1234567890123456789012345678901234567890123456789012345678901234",
	    "123456789012345678901234567", "-" },
};

TEST(test_places)
{
	char place[OPS_PLACE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		ops_place(places[i].neighbourhood, places[i].subject, place);
		CHECK_STR(places[i].name, place, places[i].want);
	}
}

TEST(test_a_long_list_keeps_every_op)
{
	struct ops ops = { 0 };

	for (int i = 0; i < 5000; i++)
		ops_add(&ops, "d %d today.1 1", i);
	CHECK_U64("all", ops.count, 5000);
	CHECK_STR("the first", ops_at(&ops, 0), "d 0 today.1 1");
	CHECK_STR("the last", ops_at(&ops, 4999), "d 4999 today.1 1");
	CHECK(!ops.failed);
	ops_add(&ops, "%600d", 1);
	CHECK_TRUE("one too long is remembered", ops.failed);
	ops_finish(&ops);
}
