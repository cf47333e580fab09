/* Targets, alarms and the keys of screens: what is so, and what is not quite so. */
#include <stdio.h>
#include <string.h>

#include "alarm_rules.h"
#include "base.h"
#include "board_wall.h"
#include "board_words.h"
#include "calendar.h"
#include "catalogue.h"
#include "check.h"
#include "figures.h"
#include "istanbul.h"
#include "targets.h"

#define NOW_US (INT64_C(1772442000) * US_PER_S)

static const struct catalogue_municipality bounds = {
	.answer_within_s = 20,
	.answer_target_percent = 80,
	.wait_alarm_s = 180,
	.overdue_target_percent = 5,
	.triage_alarm_min = 60,
	.surge_reports = 5,
	.surge_times = 4,
};

enum { FIGURES = 4 };

/* NOW_US is a Monday noon; the office opens at nine and has been closed since Friday evening. */
static const struct calendar office = {
	.week = {
		{ 1, { { 540, 1080 } } }, { 1, { { 540, 1080 } } }, { 1, { { 540, 1080 } } },
		{ 1, { { 540, 1080 } } }, { 1, { { 540, 1080 } } },
	},
	.first_year = 2020,
	.last_year = 2030,
};

static void
fill(struct figures *f, const struct figure rows[FIGURES])
{
	for (size_t i = 0; i < FIGURES && rows[i].name[0] != '\0'; i++)
		CHECK(figures_set(f, rows[i].name, rows[i].value));
}

static const struct {
	const char *name;
	struct figure figures[FIGURES];
	const char *state;
	int64_t want; /* -1: not known */
} targets[] = {
	{ "no call yet has no level", { { "open", 1 } }, "state.level", -1 },
	{ "a level on its target is close to it", { { "calls.level", 800 } }, "state.level", 1 },
	{ "a tenth below has missed it", { { "calls.level", 799 } }, "state.level", 2 },
	{ "five points above is well", { { "calls.level", 850 } }, "state.level", 0 },
	{ "nobody waits", { { "open", 1 } }, "state.wait", 0 },
	{ "waits as long as an answer may take", { { "calls.longest", NOW_US - 20 * US_PER_S } },
	    "state.wait", 0 },
	{ "a second longer", { { "calls.longest", NOW_US - 21 * US_PER_S } }, "state.wait", 1 },
	{ "as long as it may", { { "calls.longest", NOW_US - 180 * US_PER_S } }, "state.wait", 1 },
	{ "too long", { { "calls.longest", NOW_US - 181 * US_PER_S } }, "state.wait", 2 },
	{ "offered by a clock that is ahead", { { "calls.longest", NOW_US + US_PER_S } },
	    "state.wait", 0 },
	{ "nothing open is nothing late", { { "open", 0 } }, "state.overdue", 0 },
	{ "four in a hundred is at the edge of well", { { "open", 100 }, { "overdue", 4 } },
	    "state.overdue", 0 },
	{ "five are close", { { "open", 100 }, { "overdue", 5 } }, "state.overdue", 1 },
	{ "more are too many", { { "open", 1000 }, { "overdue", 51 } }, "state.overdue", 2 },
	{ "none of CİMER waits", { { "open", 1 } }, "state.cimer", 0 },
	{ "one of CİMER is due soon", { { "soon.cimer", 1 } }, "state.cimer", 1 },
	{ "one of CİMER is late", { { "soon.cimer", 1 }, { "late.cimer", 1 } }, "state.cimer", 2 },
	{ "a ticket new in triage", { { "d.-.oldest", NOW_US - 30 * US_PER_MIN } }, "state.triage",
	    0 },
	{ "one that has waited there", { { "d.-.oldest", NOW_US - 61 * US_PER_MIN } },
	    "state.triage", 2 },
};

TEST(test_figures_against_their_targets)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct figures f = { 0 };
		fill(&f, targets[i].figures);
		CHECK_TRUE(targets[i].name, targets_set(&f, &bounds, &office, NOW_US));
		CHECK_I64(targets[i].name, figures_or(&f, targets[i].state, -1), targets[i].want);
		figures_finish(&f);
	}
}

/* --- alarms ----------------------------------------------------------------------------------- */

/* Two subjects of the worked municipality's kind: one for everybody, one that is health's. */
static const struct catalogue_subject subjects[] = {
	{ .code = "cop", .is_public = true },
	{ .code = "saglik", .is_public = true, .special_category = true },
};

static const struct {
	const char *name;
	struct figure figures[FIGURES];
	enum alarm_kind want; /* ALARM_KINDS: none */
	int64_t value;
} alarms[] = {
	{ "all is well", { { "open", 100 } }, ALARM_KINDS, 0 },
	{ "a call at the limit", { { "calls.longest", NOW_US - 180 * US_PER_S } }, ALARM_KINDS, 0 },
	{ "a call over it", { { "calls.longest", NOW_US - 181 * US_PER_S } }, ALARM_WAIT, 181 },
	{ "a level ten points under its target", { { "hour.level", 700 }, { "hour.known", 20 } },
	    ALARM_KINDS, 0 },
	{ "a tenth more under it", { { "hour.level", 699 }, { "hour.known", 20 } }, ALARM_LEVEL,
	    699 },
	{ "a bad level of few calls", { { "hour.level", 0 }, { "hour.known", 19 } }, ALARM_KINDS,
	    0 },
	{ "abandoned calls count among them",
	    { { "hour.level", 0 }, { "hour.known", 10 }, { "hour.abandoned", 10 } }, ALARM_LEVEL,
	    0 },
	{ "a bad morning that is over",
	    { { "calls.level", 100 }, { "calls.known", 90 }, { "hour.level", 900 },
		{ "hour.known", 20 } },
	    ALARM_KINDS, 0 },
	{ "one of CİMER is late", { { "late.cimer", 1 } }, ALARM_CIMER, 1 },
	{ "others may be late by law", { { "late.email", 9 } }, ALARM_KINDS, 0 },
	{ "as much late as may be", { { "open", 20 }, { "overdue", 1 } }, ALARM_KINDS, 0 },
	{ "more", { { "open", 20 }, { "overdue", 2 } }, ALARM_OVERDUE, 100 },
	{ "of few tickets", { { "open", 19 }, { "overdue", 19 } }, ALARM_KINDS, 0 },
	{ "an hour without a department", { { "d.-.oldest", NOW_US - 60 * US_PER_MIN } },
	    ALARM_KINDS, 0 },
	{ "a minute more", { { "d.-.oldest", NOW_US - 61 * US_PER_MIN } }, ALARM_TRIAGE, 61 },
	{ "since the weekend, of which Monday's three hours count",
	    { { "d.-.oldest", NOW_US - 40 * 60 * US_PER_MIN } }, ALARM_TRIAGE, 180 },
};

static void
rules(const struct figure rows[FIGURES], struct alarms *ret)
{
	const struct catalogue catalogue = {
		.municipality = bounds,
		.office = &office,
		.subjects = subjects,
		.subject_count = ARRAY_LEN(subjects),
	};
	struct figures f = { 0 };

	fill(&f, rows);
	alarm_rules(&f, &catalogue, NOW_US, ret);
	figures_finish(&f);
}

TEST(test_alarms)
{
	struct alarms found;

	for (size_t i = 0; i < ARRAY_LEN(alarms); i++) {
		rules(alarms[i].figures, &found);
		CHECK_U64(alarms[i].name, found.count, alarms[i].want == ALARM_KINDS ? 0 : 1);
		if (found.count == 1) {
			CHECK_STR(alarms[i].name, alarm_kind_name(found.at[0].kind),
			    alarm_kind_name(alarms[i].want));
			CHECK_I64(alarms[i].name, found.at[0].value, alarms[i].value);
		}
	}
	struct figures f = { 0 };
	CHECK(figures_set(&f, "late.cimer", 1));
	CHECK(figures_set(&f, "d.-.oldest", NOW_US - 40 * 60 * US_PER_MIN));
	CHECK_I64("closed hours are no waiting",
	    targets_triage_min(&f, &office, NOW_US - 3 * 60 * US_PER_MIN), 0);
	CHECK_I64("hours of any kind where there is no office",
	    targets_triage_min(&f, NULL, NOW_US), 2400);
	alarm_rules(&f, NULL, NOW_US, &found);
	CHECK_U64("without a catalogue nothing is an alarm", found.count, 0);
	figures_finish(&f);
	for (int k = 0; k <= ALARM_KINDS; k++)
		CHECK(k == ALARM_KINDS ? alarm_kind_parse("none of them") == ALARM_KINDS
				       : alarm_kind_parse(alarm_kind_name((enum alarm_kind)k))
					     == (enum alarm_kind)k);
}

/* More places than can be told at a time: the greatest stay, and those that may not be named never
 * take their place. */
TEST(test_surges)
{
	const struct catalogue catalogue = {
		.municipality = bounds,
		.subjects = subjects,
		.subject_count = ARRAY_LEN(subjects),
	};
	struct figures f = { 0 };
	struct alarms found;
	char name[FIGURE_NAME_SIZE];
	int64_t least = INT64_MAX;

	for (int i = 0; i < ALARMS_MAX + 3; i++) {
		(void)snprintf(name, sizeof(name), "surge.m%02d/cop", i);
		CHECK(figures_set(&f, name, 10 + i));
		(void)snprintf(name, sizeof(name), "surge.m%02d/saglik", i);
		CHECK(figures_set(&f, name, 100));
		(void)snprintf(name, sizeof(name), "surge.m%02d/gone", i);
		CHECK(figures_set(&f, name, 100));
	}
	alarm_rules(&f, &catalogue, NOW_US, &found);
	CHECK_U64("as many as there is room for", found.count, ALARMS_MAX);
	CHECK_U64("the others are counted", found.left_out, 3);
	for (size_t i = 0; i < found.count; i++) {
		CHECK_TRUE(found.at[i].about, strstr(found.at[i].about, "/cop") != NULL);
		least = found.at[i].value < least ? found.at[i].value : least;
	}
	CHECK_I64("the smallest are left out", least, 13);
	/* As many times its hourly share of a week as it takes, and one fewer. */
	CHECK(figures_set(&f, "usual.m42/cop", 52 * 168 / 4));
	alarm_rules(&f, &catalogue, NOW_US, &found);
	CHECK_U64("a surge on the edge is one", found.left_out, 3);
	CHECK(figures_set(&f, "usual.m42/cop", 52 * 168 / 4 + 1));
	alarm_rules(&f, &catalogue, NOW_US, &found);
	CHECK_U64("what is usual is none", found.left_out, 2);
	figures_finish(&f);
}

/* --- screens ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *cookie, *authorization, *want; /* NULL: none */
} keys[] = {
	{ "neither", NULL, NULL, NULL },
	{ "a cookie", "turunc_wall=trn_aB-9", NULL, "trn_aB-9" },
	{ "among others", "a=b; turunc_wall=k; c=d", NULL, "k" },
	{ "one whose name begins so", "turunc_wallet=k", NULL, NULL },
	{ "an empty one", "turunc_wall=", NULL, NULL },
	{ "one that is no key", "turunc_wall=a%20b", NULL, NULL },
	{ "a program's", NULL, "Bearer k", "k" },
	{ "a program's goes before a cookie", "turunc_wall=a", "Bearer b", "b" },
	{ "another scheme does not hide a cookie", "turunc_wall=a", "Basic b", "a" },
	{ "with something behind it", NULL, "Bearer k x", NULL },
	{ "as long as can be",
	    "turunc_wall=0123456789012345678901234567890123456789012345678901234567890123", NULL,
	    "0123456789012345678901234567890123456789012345678901234567890123" },
	{ "one too long",
	    "turunc_wall=01234567890123456789012345678901234567890123456789012345678901234", NULL,
	    NULL },
	{ "blanks alone", " ; \t;", "Bearer ", NULL },
};

TEST(test_keys_of_screens)
{
	char key[WALL_KEY_BYTES_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		bool found = wall_key_find(keys[i].cookie, keys[i].authorization, key);
		CHECK_TRUE(keys[i].name, found == (keys[i].want != NULL));
		if (found && keys[i].want != NULL)
			CHECK_STR(keys[i].name, key, keys[i].want);
	}
}

/* --- numbers ---------------------------------------------------------------------------------- */

TEST(test_numbers_are_written_as_each_language_does)
{
	char text[BOARD_TEXT_BYTES];

	board_number(1234567, CATALOGUE_TR, text);
	CHECK_STR("Turkish", text, "1.234.567");
	board_number(-1234, CATALOGUE_EN, text);
	CHECK_STR("English", text, "-1,234");
	board_percent(953, CATALOGUE_TR, text);
	CHECK_STR("Turkish", text, "%95,3");
	board_percent(1000, CATALOGUE_EN, text);
	CHECK_STR("English", text, "100.0%");
	board_span(59, CATALOGUE_TR, text);
	CHECK_STR("seconds", text, "59 sn");
	board_span(90061, CATALOGUE_EN, text);
	CHECK_STR("days", text, "1 d 1 h");
	board_alarm_value(ALARM_TRIAGE, 61, CATALOGUE_TR, text);
	CHECK_STR("minutes", text, "1 sa 1 dk");
}
