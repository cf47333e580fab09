/* Every figure has one definition in both languages, rates are made of figures, months are months.
 */
#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"
#include "month.h"
#include "month_words.h"

TEST(test_each_word_stands_once_and_says_something)
{
	for (size_t i = 0; i < month_word_count; i++) {
		const struct month_word *w = &month_words[i];
		for (size_t k = 0; k < i; k++)
			CHECK_FALSE(w->name, strcmp(w->name, month_words[k].name) == 0);
		for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
			CHECK_TRUE(w->name, w->title[l] != NULL && w->title[l][0] != '\0');
			CHECK_TRUE(
			    w->name, w->definition[l] != NULL && strlen(w->definition[l]) > 20);
		}
		CHECK_TRUE(w->name, (w->name[strlen(w->name) - 1] == '.') == w->is_prefix);
	}
}

TEST(test_words_are_found_by_the_names_of_figures)
{
	static const struct {
		const char *name, *word;
	} cases[] = {
		{ "calls.offered", "calls.offered" },
		{ "calls.offered.w1.h0", "calls.offered." },
		{ "contacts.email", "contacts." },
		{ "contacts.without_ticket.call", "contacts.without_ticket." },
		{ "ladder.rest.no_address", "ladder.rest." },
		{ "ladder.ended", "ladder." },
		{ "ladder.not_solved", "ladder.not_solved" },
		{ "d.temizlik.ended.legal.of", "ended.legal.of" },
		{ "d.-.open.age.00", "open.age." },
		{ "tickets.subject.-", "tickets.subject." },
		{ "tickets.subject.", NULL },
		{ "ended.of", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct month_word *w = month_word_of(cases[i].name);
		CHECK_STR(cases[i].name, w == NULL ? NULL : w->name, cases[i].word);
	}
}

TEST(test_rates_are_made_of_figures)
{
	char name[FIGURE_NAME_SIZE * 2];

	for (size_t i = 0; i < month_rate_count; i++) {
		const struct month_rate *r = &month_rates[i];
		CHECK_TRUE(r->name, month_rate_named(r->name) == r);
		snprintf(name, sizeof(name), "%s%s", r->numerator, r->is_prefix ? "x" : "");
		CHECK_TRUE(r->name, month_word_of(name) != NULL);
		snprintf(name, sizeof(name), "%s%s", r->denominator,
		    r->denominator[strlen(r->denominator) - 1] == '.' ? "x" : "");
		CHECK_TRUE(r->name, month_word_of(name) != NULL);
		CHECK_TRUE(r->name, r->definition[0][0] != '\0' && r->definition[1][0] != '\0');
	}
}

static int64_t
tenths(const struct figures *f, const char *rate, const char *prefix, const char *code)
{
	int64_t value = 0;

	return month_rate_tenths(month_rate_named(rate), f, prefix, code, &value) ? value : -1;
}

TEST(test_rates_are_rounded_in_whole_numbers)
{
	static const struct figure values[] = { { "calls.answered", 21219 },
		{ "calls.offered", 22000 }, { "calls.wait_ms", 21219 * 12345 },
		{ "minutes", 44640 }, { "tickets", 2000 }, { "tickets.neighbourhood.fener", 25 },
		{ "inhabitants.fener", 20000 }, { "tickets.subject.cop", 1 }, { "d.x.ended", 8 },
		{ "d.x.reopened", 1 } };
	struct figures f = { 0 };
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ok = ok && figures_set(&f, values[i].name, values[i].value);
	CHECK(ok);
	CHECK_I64("96.45 % is 96.5 %", tenths(&f, "calls.answered", "", ""), 965);
	CHECK_I64("minutes between two calls", tenths(&f, "calls.every", "", ""), 21);
	CHECK_I64("seconds", tenths(&f, "calls.wait", "", ""), 123);
	CHECK_I64("1.25 is 1.3", tenths(&f, "tickets.neighbourhood", "", "fener"), 13);
	CHECK_I64("of nobody", tenths(&f, "tickets.neighbourhood", "", "yok"), -1);
	CHECK_I64("0.05 % is 0.1 %", tenths(&f, "tickets.subject", "", "cop"), 1);
	CHECK_I64("of a department", tenths(&f, "reopened", "d.x.", ""), 125);
	CHECK_I64("nothing ended", tenths(&f, "reopened", "", ""), -1);
	figures_finish(&f);
}

TEST(test_months)
{
	static const char *const wrong[] = { "", "2026-3", "2026-13", "2026-00", "202603",
		"1969-12", "3000-01", "2026-03 ", "2026/03", "20a6-03" };
	char text[MONTH_TEXT_SIZE], title[40];
	int32_t month = 0;

	CHECK(month_parse("2026-03", &month));
	CHECK_I64("parsed", month, 202603);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK_FALSE(wrong[i], month_parse(wrong[i], &month));
	month_format(202603, text);
	CHECK_STR("formatted", text, "2026-03");
	CHECK_I64("on", month_add(202612, 1), 202701);
	CHECK_I64("back", month_add(202601, -1), 202512);
	CHECK_I64("a year back", month_add(202603, -12), 202503);
	CHECK_I64("days", month_days(202402), 29);
	CHECK_I64("starts in Istanbul", month_start_us(202603), INT64_C(1772312400000000));
	CHECK_I64("its first moment", month_of(month_start_us(202603)), 202603);
	CHECK_I64("the moment before", month_of(month_start_us(202603) - 1), 202602);
	month_title(202603, CATALOGUE_TR, title, sizeof(title));
	CHECK_STR("in Turkish", title, "Mart 2026");
	for (int i = 1; i < MONTH_AGES; i++)
		CHECK_I64(
		    month_ages[i].bucket, month_ages[i].from_days, month_ages[i - 1].below_days);
}
