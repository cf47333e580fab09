#include "calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

/* A small generator of our own, so that a failing case is the same on every machine. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int
random_below(uint64_t *state, int bound)
{
	return (int)(next_random(state) % (uint64_t)bound);
}

static int64_t
at(int year, int month, int day, int hour, int minute)
{
	return istanbul_moment_us(civil_day(year, month, day), hour * 60 + minute);
}

/* Fen: Monday to Friday 08:00-12:00 and 13:00-17:00. */
static struct calendar
office(const struct calendar_holiday *holidays, size_t count)
{
	struct calendar cal = { .name = "ofis",
		.holidays = holidays,
		.holiday_count = count,
		.first_year = 2024,
		.last_year = 2033 };
	const char *why;

	for (size_t d = 0; d < 5; d++) {
		cal.week[d].count = 2;
		cal.week[d].open[0] = (struct calendar_interval){ 480, 720 };
		cal.week[d].open[1] = (struct calendar_interval){ 780, 1020 };
	}
	CHECK(calendar_seal(&cal, &why));
	return cal;
}

static struct calendar
day_and_night(void)
{
	struct calendar cal = { .name = "7-24", .first_year = 2024, .last_year = 2033 };
	const char *why;

	for (size_t d = 0; d < 7; d++) {
		cal.week[d].count = 1;
		cal.week[d].open[0] = (struct calendar_interval){ 0, MINUTES_A_DAY };
	}
	CHECK(calendar_seal(&cal, &why));
	return cal;
}

/* The one sentence of the header, minute by minute, and nothing clever. */
static bool
naive_open(const struct calendar *cal, int64_t minute_us)
{
	struct istanbul_time t = istanbul_split(minute_us);
	int minute = t.hour * 60 + t.minute;
	bool open = false;

	for (size_t i = 0; i < cal->week[t.weekday].count; i++) {
		const struct calendar_interval *o = &cal->week[t.weekday].open[i];
		open = open || (minute >= o->from_min && minute < o->to_min);
	}
	for (size_t h = 0; h < cal->holiday_count; h++) {
		const struct calendar_holiday *c = &cal->holidays[h];
		if (c->day == t.day_number && minute >= c->closed.from_min
		    && minute < c->closed.to_min)
			return false;
	}
	return open;
}

static int64_t
naive_elapsed_ms(const struct calendar *cal, int64_t from_us, int64_t to_us)
{
	int64_t total_us = 0;

	for (int64_t m = from_us - from_us % US_PER_MIN; m < to_us; m += US_PER_MIN) {
		int64_t a = m > from_us ? m : from_us;
		int64_t b = m + US_PER_MIN < to_us ? m + US_PER_MIN : to_us;
		if (naive_open(cal, m))
			total_us += b - a;
	}
	return total_us / 1000;
}

enum { HOLIDAYS = 8 };

/* Any week, any holidays around that day: closures overlap, touch midnight, cover half days. */
static void
random_calendar(uint64_t *state, int32_t near_day, struct calendar *cal,
    struct calendar_holiday holidays[HOLIDAYS])
{
	const char *why = "";
	int32_t day = near_day - 3;

	*cal = (struct calendar){
		.name = "x", .holidays = holidays, .first_year = 1980, .last_year = 2033
	};
	for (size_t d = 0; d < 7; d++) {
		int minute = random_below(state, 600);
		cal->week[d].count = (uint8_t)random_below(state, CALENDAR_INTERVALS_MAX + 1);
		for (size_t i = 0; i < cal->week[d].count; i++) {
			int to = minute + 1 + random_below(state, 400);
			if (to > MINUTES_A_DAY - 2 * CALENDAR_INTERVALS_MAX)
				to = MINUTES_A_DAY - 2 * (CALENDAR_INTERVALS_MAX - (int)i) + 2;
			if (to <= minute) {
				cal->week[d].count = (uint8_t)i;
				break;
			}
			cal->week[d].open[i] = (struct calendar_interval){ (int16_t)minute,
				(int16_t)to };
			minute = to + 1 + random_below(state, 100);
			if (minute >= MINUTES_A_DAY - 4)
				cal->week[d].count = (uint8_t)(i + 1);
		}
	}
	for (cal->holiday_count = 0; cal->holiday_count < HOLIDAYS; cal->holiday_count++) {
		struct calendar_holiday *h = &holidays[cal->holiday_count];
		int from = random_below(state, 3) == 0 ? 0 : random_below(state, 1400);
		int step = random_below(state, 3);
		day += step;
		if (step == 0 && cal->holiday_count > 0 && from < h[-1].closed.from_min)
			from = h[-1].closed.from_min;
		int to = random_below(state, 3) == 0
			     ? MINUTES_A_DAY
			     : from + 1 + random_below(state, MINUTES_A_DAY - from);
		*h = (struct calendar_holiday){ day, { (int16_t)from, (int16_t)to } };
	}
	if (!CHECK(calendar_seal(cal, &why)))
		CHECK_STR("seal", why, "");
}

/* Moments spread over normal years and, every third time, over a change of the clock. */
static int64_t
random_moment(uint64_t *state)
{
	static const int changes[][3] = { { 1985, 4, 20 }, { 1996, 10, 27 }, { 2007, 3, 25 },
		{ 2011, 3, 28 }, { 2015, 3, 29 }, { 2015, 11, 8 }, { 2016, 3, 27 },
		{ 2016, 9, 7 } };
	int32_t day = civil_day(1980, 1, 1) + random_below(state, 19000);

	if (random_below(state, 3) == 0) {
		size_t i = (size_t)random_below(state, ARRAY_LEN(changes));
		day = civil_day(changes[i][0], changes[i][1], changes[i][2])
		      - random_below(state, 3);
	}
	return istanbul_day_start_us(day) + (int64_t)(next_random(state) % (uint64_t)US_PER_DAY);
}

TEST_WITHIN(test_calendar_equals_the_naive_model, 120)
{
	uint64_t state = 20260312;
	struct calendar_holiday holidays[HOLIDAYS];
	struct calendar cal;
	int64_t worked = 0;

	for (int n = 0; n < 3000; n++) {
		int64_t from_us = random_moment(&state);
		int64_t to_us = from_us
				+ (int64_t)(next_random(&state) % (uint64_t)(5 * US_PER_DAY));
		random_calendar(&state, istanbul_day(from_us), &cal, holidays);
		int64_t want = naive_elapsed_ms(&cal, from_us, to_us);
		worked += want;
		if (!CHECK_I64("elapsed", calendar_elapsed_ms(&cal, from_us, to_us, NULL), want))
			return;
		if (!CHECK(calendar_is_open(&cal, from_us) == naive_open(&cal, from_us)))
			return;
	}
	CHECK_TRUE("the cases are about something", worked > 3000 * HOUR_MS);
}

TEST_WITHIN(test_calendar_deadline_is_the_inverse, 120)
{
	uint64_t state = 4448007;
	struct calendar_holiday holidays[HOLIDAYS];
	struct calendar cal;
	int reached = 0;

	for (int n = 0; n < 5000; n++) {
		int64_t start_us = random_moment(&state), deadline_us = 0;
		uint64_t most_ms = random_below(&state, 4) == 0 ? 5000
								: (uint64_t)(30 * 24 * HOUR_MS);
		int64_t working_ms = (int64_t)(next_random(&state) % most_ms);
		random_calendar(&state, istanbul_day(start_us), &cal, holidays);
		if (!calendar_deadline(&cal, start_us, working_ms, &deadline_us, NULL)) {
			bool empty = true;
			for (size_t d = 0; d < 7; d++)
				empty = empty && cal.week[d].count == 0;
			CHECK(empty);
			continue;
		}
		reached++;
		bool ok = CHECK_I64("elapsed to the deadline",
		    calendar_elapsed_ms(&cal, start_us, deadline_us, NULL), working_ms);
		/* And not a microsecond earlier. */
		if (working_ms > 0)
			ok = ok
			     && CHECK_I64("the first such moment",
				 calendar_elapsed_ms(&cal, start_us, deadline_us - 1, NULL),
				 working_ms - 1);
		else
			ok = ok && CHECK_I64("no work, no wait", deadline_us, start_us);
		if (!ok)
			return;
	}
	CHECK_TRUE("most calendars have working time", reached > 4900);
}

TEST(test_calendar_office_week)
{
	struct calendar cal = office(NULL, 0);
	int64_t friday_us = at(2026, 11, 27, 16, 0), due_us = 0;
	bool unsure = true;

	CHECK(calendar_deadline(&cal, friday_us, 2 * HOUR_MS, &due_us, &unsure));
	CHECK_I64("Friday 16:00 and two hours is Monday 09:00", due_us, at(2026, 11, 30, 9, 0));
	CHECK_FALSE("known years", unsure);
	CHECK(calendar_deadline(&cal, friday_us, HOUR_MS, &due_us, &unsure));
	CHECK_I64("ends with the day, not with the next one's first minute", due_us,
	    at(2026, 11, 27, 17, 0));
	CHECK_I64("lunch does not count",
	    calendar_elapsed_ms(&cal, at(2026, 11, 24, 11, 30), at(2026, 11, 24, 13, 30), NULL),
	    HOUR_MS);
	CHECK_I64(
	    "backwards is nothing", calendar_elapsed_ms(&cal, friday_us, friday_us - 1, NULL), 0);
	CHECK(calendar_is_open(&cal, at(2026, 11, 24, 8, 0)));
	CHECK_FALSE("half-open", calendar_is_open(&cal, at(2026, 11, 24, 12, 0)));
	CHECK_FALSE("Saturday", calendar_is_open(&cal, at(2026, 11, 28, 10, 0)));
}

TEST(test_calendar_half_holidays)
{
	/* 28 October from 13:00, 29 October; 2026: Wednesday and Thursday. */
	const struct calendar_holiday days[] = {
		{ civil_day(2026, 10, 28), { 780, MINUTES_A_DAY } },
		{ civil_day(2026, 10, 29), { 0, MINUTES_A_DAY } },
	};
	struct calendar cal = office(days, ARRAY_LEN(days));
	int64_t due_us = 0;

	CHECK_I64("the morning counts",
	    calendar_elapsed_ms(&cal, at(2026, 10, 28, 0, 0), at(2026, 10, 30, 0, 0), NULL),
	    4 * HOUR_MS);
	CHECK(calendar_deadline(&cal, at(2026, 10, 28, 11, 0), 2 * HOUR_MS, &due_us, NULL));
	CHECK_I64("goes on after the feast", due_us, at(2026, 10, 30, 9, 0));
}

TEST(test_calendar_always_open)
{
	struct calendar cal = day_and_night();
	int64_t due_us = 0;
	bool unsure = true;

	CHECK(cal.always_open);
	CHECK(calendar_deadline(&cal, at(2015, 3, 28, 12, 0), 24 * HOUR_MS, &due_us, &unsure));
	CHECK_I64("24 hours are 24 hours, also in spring", due_us, at(2015, 3, 29, 13, 0));
	CHECK_FALSE("no holiday table is needed", unsure);
}

TEST(test_calendar_says_when_it_does_not_know)
{
	struct calendar cal = office(NULL, 0);
	int64_t us = 0;
	bool unsure = false;

	CHECK(calendar_deadline(&cal, at(2033, 12, 30, 16, 0), HOUR_MS, &us, &unsure));
	CHECK_FALSE("the last working hour of the table", unsure);
	CHECK(calendar_deadline(&cal, at(2033, 12, 30, 16, 0), HOUR_MS + 1, &us, &unsure));
	CHECK_TRUE("one millisecond into 2034", unsure);
	calendar_elapsed_ms(&cal, at(2023, 12, 31, 23, 59), at(2024, 1, 3, 0, 0), &unsure);
	CHECK_TRUE("begins before the table", unsure);
	calendar_elapsed_ms(&cal, at(2033, 1, 1, 0, 0), at(2034, 1, 1, 0, 0), &unsure);
	CHECK_FALSE("up to midnight of the last day", unsure);
	CHECK(legal_deadline(
	    LEGAL_INFORMATION_4982, false, at(2033, 12, 20, 9, 0), &cal, &us, &unsure));
	CHECK_TRUE("fifteen working days from December", unsure);
}

TEST(test_calendar_never)
{
	struct calendar cal = { .name = "never" };
	const char *why;
	int64_t us = 77;

	CHECK(calendar_seal(&cal, &why));
	CHECK_FALSE("no working time", calendar_deadline(&cal, 0, 1, &us, NULL));
	CHECK_FALSE(
	    "no working day", legal_deadline(LEGAL_INFORMATION_4982, false, 0, &cal, &us, NULL));
	CHECK_I64("untouched", us, 77);
	CHECK_TRUE("nothing is there at once", calendar_deadline(&cal, 5, 0, &us, NULL));
	CHECK_FALSE("negative", calendar_deadline(&cal, 0, -1, &us, NULL));
	CHECK_FALSE("absurd", calendar_deadline(&cal, 0, INT64_MAX, &us, NULL));
}

TEST(test_calendar_seal_refuses)
{
	static const struct {
		const char *name;
		uint8_t count;
		struct calendar_interval open[2];
	} weeks[] = {
		{ "backwards", 1, { { 600, 500 } } },
		{ "empty interval", 1, { { 600, 600 } } },
		{ "beyond midnight", 1, { { 600, 1441 } } },
		{ "negative", 1, { { -1, 60 } } },
		{ "overlap", 2, { { 480, 720 }, { 700, 800 } } },
		{ "touching", 2, { { 480, 720 }, { 720, 800 } } },
		{ "out of order", 2, { { 780, 1020 }, { 480, 720 } } },
		{ "too many", CALENDAR_INTERVALS_MAX + 1, { { 0, 1 } } },
	};
	const struct calendar_holiday unordered[] = { { 10, { 0, 60 } }, { 9, { 0, 60 } } };
	const struct calendar_holiday backwards[] = { { 10, { 60, 60 } } };
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_LEN(weeks); i++) {
		struct calendar cal = { .name = "x" };
		cal.week[2].count = weeks[i].count;
		memcpy(cal.week[2].open, weeks[i].open, sizeof(weeks[i].open));
		why = NULL;
		CHECK_FALSE(weeks[i].name, calendar_seal(&cal, &why));
		CHECK_TRUE(weeks[i].name, why != NULL);
	}
	struct calendar cal = { .name = "x", .holidays = unordered, .holiday_count = 2 };
	CHECK_FALSE("unordered holidays", calendar_seal(&cal, &why));
	cal.holidays = backwards;
	cal.holiday_count = 1;
	CHECK_FALSE("a closure of nothing", calendar_seal(&cal, &why));
	struct calendar_holiday many[9];
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct calendar_holiday){ 10, { (int16_t)i, (int16_t)(i + 1) } };
	cal.holidays = many;
	cal.holiday_count = ARRAY_LEN(many);
	CHECK_FALSE("nine closures of one day", calendar_seal(&cal, &why));
	cal.holiday_count--;
	CHECK_TRUE("eight are taken", calendar_seal(&cal, &why));
}

TEST(test_calendar_version_names_the_contents)
{
	const struct calendar_holiday days[] = { { civil_day(2026, 10, 29),
	    { 0, MINUTES_A_DAY } } };
	struct calendar a = office(NULL, 0), b = office(NULL, 0), c = office(days, 1);

	CHECK_STR("same contents", a.version, b.version);
	CHECK_TRUE("another holiday", strcmp(a.version, c.version) != 0);
}

/* 2026: Ramazan 20-22 March (eve the 19th), 23 April a Thursday, 1 May a Friday, 19 May a Tuesday.
 */
TEST(test_legal_deadlines)
{
	const struct calendar_holiday days[] = {
		{ civil_day(2026, 3, 19), { 780, MINUTES_A_DAY } },
		{ civil_day(2026, 3, 20), { 0, MINUTES_A_DAY } },
		{ civil_day(2026, 3, 21), { 0, MINUTES_A_DAY } },
		{ civil_day(2026, 3, 22), { 0, MINUTES_A_DAY } },
		{ civil_day(2026, 4, 23), { 0, MINUTES_A_DAY } },
		{ civil_day(2026, 5, 1), { 0, MINUTES_A_DAY } },
		{ civil_day(2026, 5, 19), { 0, MINUTES_A_DAY } },
	};
	const struct {
		const char *name;
		enum legal_basis basis;
		bool extended;
		int64_t arrival_us;
		int64_t want_us;
	} cases[] = {
		{ "petition: thirty days after the day of arrival", LEGAL_PETITION_3071, false,
		    at(2026, 3, 2, 15, 0), at(2026, 4, 2, 0, 0) },
		{ "the hour of arrival does not matter", LEGAL_PETITION_3071, false,
		    at(2026, 3, 2, 0, 0), at(2026, 4, 2, 0, 0) },
		{ "a minute before midnight", LEGAL_PETITION_3071, false, at(2026, 3, 2, 23, 59),
		    at(2026, 4, 2, 0, 0) },
		{ "no extension for a holiday: the last day is 1 May", LEGAL_PETITION_3071, false,
		    at(2026, 4, 1, 10, 0), at(2026, 5, 2, 0, 0) },
		{ "extension is for 4982 alone", LEGAL_PETITION_3071, true, at(2026, 4, 1, 10, 0),
		    at(2026, 5, 2, 0, 0) },
		{ "KVKK", LEGAL_KVKK_13, false, at(2026, 2, 1, 10, 0), at(2026, 3, 4, 0, 0) },
		/* 3 to 23 March: the 19th, a half day, counts; the 20th does not. */
		{ "information across a feast", LEGAL_INFORMATION_4982, false,
		    at(2026, 3, 2, 10, 0), at(2026, 3, 25, 0, 0) },
		{ "information from a Saturday", LEGAL_INFORMATION_4982, false,
		    at(2026, 1, 3, 10, 0), at(2026, 1, 24, 0, 0) },
		{ "information, extended", LEGAL_INFORMATION_4982, true, at(2026, 4, 6, 10, 0),
		    at(2026, 5, 22, 0, 0) },
	};
	struct calendar cal = office(days, ARRAY_LEN(days));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t us = 0;
		bool unsure = true;
		CHECK_TRUE(cases[i].name, legal_deadline(cases[i].basis, cases[i].extended,
					      cases[i].arrival_us, &cal, &us, &unsure));
		CHECK_I64(cases[i].name, us, cases[i].want_us);
		CHECK_FALSE(cases[i].name, unsure);
	}
	int64_t us = 77;
	CHECK_FALSE("no basis, no deadline", legal_deadline(LEGAL_NONE, false, 0, &cal, &us, NULL));
	CHECK_I64("untouched", us, 77);
}

TEST(test_legal_basis_names)
{
	for (int b = LEGAL_NONE; b < LEGAL_BASES; b++) {
		enum legal_basis basis = LEGAL_BASES;
		CHECK(legal_basis_parse(legal_basis_name((enum legal_basis)b), &basis));
		CHECK_I64("there and back", basis, b);
	}
	enum legal_basis basis;
	CHECK_FALSE("unknown", legal_basis_parse("657", &basis));
	CHECK_FALSE("empty", legal_basis_parse("", &basis));
	CHECK_STR("out of range", legal_basis_name(LEGAL_BASES), "");
}
