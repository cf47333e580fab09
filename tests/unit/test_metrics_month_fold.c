/* A month is counted from records alone: whatever order and however late they come, and whether one
 * counts along or anew. */
#include "month_world.h"

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
	step(&f, number, (struct said){ "ticket.triaged", TRIAGE, "zabita", legal, 0 }, noon(3, 6));
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

/* "Not ours" names the department that says so, as router writes it. */
TEST(test_what_a_department_gave_back_is_not_its_own)
{
	static const struct {
		const char *type;
		int status;
		const char *ends;
	} cases[] = { { "ticket.rejected", REJECTED, "ended.rejected" },
		{ "ticket.joined", DUPLICATE, "ended.duplicate" },
		{ "ticket.withdrawn", WITHDRAWN, "ended.withdrawn" } };
	char *number = numbered(1), twin[40];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct month_fold f;
		struct said said = { "ticket.routed", ROUTED, "zabita", 0, 0 };
		month_fold_init(&f, MONTH_FOLD_WHOLE);
		open_ticket(&f, number, 2, "cop", "fener", noon(3, 5), noon(3, 5));
		step(&f, number, said, noon(3, 5));
		said = (struct said){ "ticket.triaged", TRIAGE, "zabita", 0, 0 };
		step(&f, number, said, noon(3, 6));
		CHECK_I64("nobody's", of(&f, 202603, "d.-.tickets"), 1);
		said = (struct said){ "ticket.answered", TRIAGE, "zabita", 0, 0 };
		step(&f, number, said, noon(4, 1));
		CHECK_I64("lies with nobody", of(&f, 202603, "d.-.open"), 1);
		CHECK_I64("not with them", of(&f, 202603, "d.zabita.open"), 0);
		said = (struct said){ cases[i].type, cases[i].status, "zabita", 0, 0 };
		step(&f, number, said, noon(4, 2));
		said = (struct said){ "ticket.closed", CLOSED, "zabita", 0, 0 };
		step(&f, number, said, noon(4, 20));
		(void)snprintf(twin, sizeof(twin), "d.-.%s", cases[i].ends);
		CHECK_I64(twin, of(&f, 202604, twin), 1);
		CHECK_I64("not their end", of(&f, 202604, "d.zabita.ended"), 0);
		CHECK_I64("nor taken up", of(&f, 202603, "tickets.department.zabita"), 0);
		CHECK_I64("nor now", of(&f, 202603, "tickets.department.-"), 1);
		check_counted_anew(&f);
		month_fold_finish(&f);
	}
}

TEST(test_what_was_given_back_comes_to_another_by_a_hop)
{
	char *number = numbered(1);
	struct month_fold f;
	struct said said = { "ticket.routed", ROUTED, "zabita", 0, 0 };

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "fener", noon(3, 5), noon(3, 5));
	step(&f, number, said, noon(3, 5));
	said = (struct said){ "ticket.triaged", TRIAGE, "zabita", 0, 0 };
	step(&f, number, said, noon(3, 6));
	said = (struct said){ "ticket.routed", ROUTED, "zabita", 0, 0 };
	step(&f, number, said, noon(3, 7));
	CHECK_I64("back to the same is no hop", of(&f, 202603, "hops"), 0);
	said = (struct said){ "ticket.triaged", TRIAGE, "zabita", 0, 0 };
	step(&f, number, said, noon(3, 8));
	said = (struct said){ "ticket.routed", ROUTED, "fen", 0, 0 };
	step(&f, number, said, noon(3, 9));
	CHECK_I64("to another is one", of(&f, 202603, "hops"), 1);
	said = (struct said){ "ticket.extended", ROUTED, "fen", 0, 0 };
	step(&f, number, said, noon(3, 10));
	said = (struct said){ "ticket.transferred", ROUTED, "park", 0, 0 };
	step(&f, number, said, noon(3, 11));
	CHECK_I64("an operator takes nothing up", of(&f, 202603, "tickets.department.fen"), 0);
	said = (struct said){ "ticket.accepted", ACCEPTED, "park", 0, 0 };
	step(&f, number, said, noon(3, 11));
	said = (struct said){ "ticket.resolved", RESOLVED, "park", 0, 0 };
	step(&f, number, said, noon(3, 12));
	CHECK_I64("its end", of(&f, 202603, "d.park.ended"), 1);
	CHECK_I64("its own", of(&f, 202603, "tickets.department.park"), 1);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_any_number_of_moves_is_remembered_by_the_month)
{
	char *number = numbered(1);
	struct month_fold f;
	struct said said = { "ticket.routed", ROUTED, "zabita", 0, 0 };
	uint32_t len[2];

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, number, 2, "cop", "fener", noon(3, 5), noon(3, 5));
	step(&f, number, said, noon(3, 5));
	for (int month = 3; month <= 4; month++) {
		for (int i = 0; i < 3000; i++) {
			said = (struct said){ "ticket.transferred", ROUTED,
				i % 2 == 0 ? "fen" : "zabita", 0, 0 };
			step(&f, number, said, noon(month, 6) + i);
		}
		len[month - 3] = month_facts_get(&f.facts, "t260000001")->len;
	}
	CHECK_I64("all of March", of(&f, 202603, "hops"), 3000);
	CHECK_I64("one ticket", of(&f, 202603, "hops.tickets"), 1);
	CHECK_I64("all of April", of(&f, 202604, "hops"), 3000);
	CHECK_I64("one ticket again", of(&f, 202604, "hops.tickets"), 1);
	CHECK_I64("where it lay", of(&f, 202603, "d.zabita.open"), 1);
	CHECK_TRUE("in little room", len[0] < 100 && len[1] < len[0] + 20);
	check_counted_anew(&f);
	/* By a clock that was behind. */
	said = (struct said){ "ticket.transferred", ROUTED, "park", 0, 0 };
	step(&f, number, said, noon(3, 20));
	CHECK_I64("one more", of(&f, 202603, "hops"), 3001);
	CHECK_I64("the last that is told of March", of(&f, 202603, "d.park.open"), 1);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_a_ticket_that_ends_again_and_again_stops_nothing)
{
	char *numbers[] = { numbered(1), numbered(2) };
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	open_ticket(&f, numbers[0], 2, "cop", "fener", noon(3, 5), noon(3, 5));
	for (int i = 0; i < MONTH_ENDS_MAX + 10; i++) {
		struct said said = { "ticket.resolved", RESOLVED, "fen", 0, 0 };
		step(&f, numbers[0], said, noon(3, 6) + 2 * i);
		said = (struct said){ "ticket.reopened", ROUTED, "fen", 0, 0 };
		step(&f, numbers[0], said, noon(3, 6) + 2 * i + 1);
	}
	CHECK_I64("as many as are remembered", of(&f, 202603, "ended"), MONTH_ENDS_MAX);
	CHECK_U64("the rest is damaged", f.damaged, 21);
	open_ticket(&f, numbers[1], 2, "cop", "fener", noon(3, 7), noon(3, 7));
	CHECK_I64("and others count", of(&f, 202603, "tickets"), 2);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_what_machines_write_is_no_contact)
{
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	contact(&f, "", 4, "machine", noon(3, 5));
	CHECK_I64("a machine's", of(&f, 202603, "contacts.email"), 0);
	CHECK_I64("nor one without a ticket", of(&f, 202603, "contacts.without_ticket.email"), 0);
	contact(&f, "", 8, "sms", noon(3, 5));
	CHECK_I64("a person's", of(&f, 202603, "contacts.sms"), 1);
	CHECK_I64("without a ticket", of(&f, 202603, "contacts.without_ticket.sms"), 1);
	contact(&f, numbered(1), 4, "follow_up", noon(3, 5));
	CHECK_I64("about one", of(&f, 202603, "contacts.email"), 1);
	CHECK_I64("with a ticket", of(&f, 202603, "contacts.without_ticket.email"), 0);
	month_fold_finish(&f);
}

/* The message that it was made of counted when it came. */
TEST(test_a_ticket_made_of_a_message_is_no_second_contact)
{
	event_t event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketOpened opened = TURUNC__V1__TICKET_OPENED__INIT;
	struct month_fold f;

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	contact(&f, "", 8, "sms", noon(3, 5));
	opened.channel = TURUNC__V1__CHANNEL__CHANNEL_SMS;
	opened.arrived_us = noon(3, 5);
	opened.told_before = true;
	event.subject = numbered(1);
	event.body_case = TURUNC__V1__EVENT__BODY_OPENED;
	event.opened = &opened;
	add(&f, &event, "ticket.opened", noon(3, 6), noon(3, 6));
	CHECK_I64("a ticket", of(&f, 202603, "tickets.channel.sms"), 1);
	CHECK_I64("one contact", of(&f, 202603, "contacts.sms"), 1);
	CHECK_I64("as it came", of(&f, 202603, "contacts.without_ticket.sms"), 1);
	open_ticket(&f, numbered(2), 8, "cop", "", noon(3, 7), noon(3, 7));
	CHECK_I64("another", of(&f, 202603, "contacts.sms"), 2);
	check_counted_anew(&f);
	month_fold_finish(&f);
}

TEST(test_a_deadline_has_passed_at_its_moment)
{
	char *number = numbered(1);

	for (int early = 0; early < 2; early++) {
		struct month_fold f;
		struct said said = { "ticket.routed", ROUTED, "fen", noon(3, 10), noon(3, 10) };
		month_fold_init(&f, MONTH_FOLD_WHOLE);
		open_ticket(&f, number, 2, "cop", "", noon(3, 5), noon(3, 5));
		step(&f, number, said, noon(3, 5));
		said = (struct said){ "ticket.resolved", RESOLVED, "fen", noon(3, 10),
			noon(3, 10) };
		step(&f, number, said, noon(3, 10) - early);
		CHECK_I64("law", of(&f, 202603, "ended.legal.within"), early);
		CHECK_I64("promise", of(&f, 202603, "ended.service.within"), early);
		month_fold_finish(&f);
	}
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
