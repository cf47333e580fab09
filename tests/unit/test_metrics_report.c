/* A month's report in all its forms, of figures made up here. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "html.h"
#include "muratpasa.h"
#include "report.h"
#include "report_csv.h"
#include "report_page.h"
#include "report_press.h"
#include "report_xlsx.h"

enum { AS_OF_US = 1775120400 };

static const struct {
	const char *name;
	int64_t now, before, year_before;
} made[] = {
	{ "calls.offered", 21800, 20000, 0 },
	{ "calls.answered", 21219, 20360, 22000 },
	{ "calls.abandoned", 581, 640, 0 },
	{ "calls.recorded", 11651, 11651, 0 },
	{ "calls.joined", 200, 0, 0 },
	{ "calls.information", 9000, 0, 0 },
	{ "calls.nuisance", 118, 0, 0 },
	{ "calls.undisposed", 7, 0, 0 },
	{ "calls.wait_ms", 21219 * 4000, 0, 0 },
	{ "calls.answered.w1.h9", 400, 0, 0 },
	{ "calls.answered.w7.h23", 3, 0, 0 },
	{ "contacts.call", 21219, 0, 0 },
	{ "contacts.without_ticket.call", 9368, 0, 0 },
	{ "minutes", 44640, 40320, 44640 },
	{ "tickets", 14400, 14000, 0 },
	{ "inhabitants", 510887, 510887, 510887 },
	{ "tickets.channel.call", 11651, 0, 0 },
	{ "tickets.channel.web", 2749, 0, 0 },
	{ "tickets.channel.sms", 0, 12, 0 },
	{ "tickets.subject.cop-alinmadi", 2000, 1000, 0 },
	{ "tickets.subject.evde-saglik", 2900, 0, 0 },
	{ "tickets.subject.cadde-supurme", 2000, 0, 0 },
	{ "tickets.subject.konteyner-hasar", 4, 0, 0 },
	{ "tickets.subject.-", 7000, 0, 0 },
	{ "tickets.subject.gone-long-ago", 496, 0, 0 },
	{ "tickets.subject.fell-to-nothing", 0, 31, 0 },
	{ "tickets.department.temizlik", 4000, 0, 0 },
	{ "tickets.neighbourhood.balbey", 98, 0, 0 },
	{ "tickets.neighbourhood.guzeloba", 900, 0, 0 },
	{ "tickets.neighbourhood.barbaros", 3, 0, 0 },
	{ "tickets.neighbourhood.-", 12000, 0, 0 },
	{ "inhabitants.balbey", 988, 0, 0 },
	{ "inhabitants.guzeloba", 45000, 0, 0 },
	{ "inhabitants.barbaros", 220, 0, 0 },
	{ "tickets.day.1", 460, 0, 0 },
	{ "tickets.day.31", 470, 0, 0 },
	{ "ended", 13900, 0, 0 },
	{ "ended.legal.of", 1000, 0, 0 },
	{ "ended.legal.within", 991, 0, 0 },
	{ "ended.service.of", 9000, 0, 0 },
	{ "ended.service.within", 8000, 0, 0 },
	{ "open", 1200, 0, 0 },
	{ "open.age.00", 700, 0, 0 },
	{ "open.age.90", 12, 0, 0 },
	{ "ladder.ended", 12000, 0, 0 },
	{ "ladder.invited", 9000, 0, 0 },
	{ "ladder.answered", 3210, 3000, 0 },
	{ "ladder.satisfied", 3059, 2850, 0 },
	{ "ladder.rest.no_address", 300, 0, 0 },
};

struct world {
	struct month_report month;
	struct catalogue *cat;
	struct report report;
};

static bool
begin(struct world *w, enum catalogue_language language)
{
	*w = (struct world){ .cat = muratpasa_load() };
	struct month_report *m = &w->month;
	m->month = 202603;
	m->as_of_seq = 123456;
	m->as_of_us = (int64_t)AS_OF_US * 1000000;
	m->over = true;
	m->has_month_before = m->has_year_before = true;
	m->catalogue = w->cat;
	(void)snprintf(m->head_hash, sizeof(m->head_hash), "%s", "feedface");
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		if (!figures_set(&m->figures, made[i].name, made[i].now)
		    || (made[i].before != 0
			&& !figures_set(&m->month_before, made[i].name, made[i].before))
		    || (made[i].year_before != 0
			&& !figures_set(&m->year_before, made[i].name, made[i].year_before)))
			return false;
	return w->cat != NULL && report_init(&w->report, m, language);
}

static void
end(struct world *w)
{
	report_finish(&w->report);
	month_report_finish(&w->month);
	catalogue_destroy(w->cat);
}

static const struct report_line *
line_named(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->lines[i].name, name) == 0)
			return &r->lines[i];
	return NULL;
}

/* NUL-terminated; goes with out. */
static const char *
text_of(struct evbuffer *out)
{
	CHECK(evbuffer_add(out, "", 1) == 0);
	return (const char *)evbuffer_pullup(out, -1);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum report_kind kind;
	struct report_value value;
	const char *tr, *en;
} numbers[] = {
	{ "a count", REPORT_COUNT, { true, 21219 }, "21.219", "21,219" },
	{ "nothing", REPORT_COUNT, { true, 0 }, "0", "0" },
	{ "three digits", REPORT_COUNT, { true, 999 }, "999", "999" },
	{ "millions", REPORT_COUNT, { true, 1234567 }, "1.234.567", "1,234,567" },
	{ "a share", REPORT_PERCENT, { true, 953 }, "%95,3", "95.3%" },
	{ "all", REPORT_PERCENT, { true, 1000 }, "%100,0", "100.0%" },
	{ "minutes", REPORT_MINUTES, { true, 21 }, "2,1", "2.1" },
	{ "a large rate", REPORT_PER_1000, { true, 123456 }, "12.345,6", "12,345.6" },
	{ "less than nothing", REPORT_COUNT, { true, -5 }, "−5", "−5" },
	{ "not known", REPORT_PERCENT, { false, 7 }, "–", "–" },
	{ "the most there is", REPORT_COUNT, { true, INT64_MAX }, "9.223.372.036.854.775.807",
	    "9,223,372,036,854,775,807" },
};

TEST(test_numbers_as_people_write_them)
{
	char text[REPORT_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		report_format(CATALOGUE_TR, numbers[i].kind, numbers[i].value, text);
		CHECK_STR(numbers[i].name, text, numbers[i].tr);
		report_format(CATALOGUE_EN, numbers[i].kind, numbers[i].value, text);
		CHECK_STR(numbers[i].name, text, numbers[i].en);
	}
}

static const struct {
	const char *name;
	enum report_kind kind;
	struct report_value now, then;
	const char *tr, *en;
} changes[] = {
	{ "more", REPORT_COUNT, { true, 21219 }, { true, 20360 }, "+%4,2", "+4.2%" },
	{ "less", REPORT_COUNT, { true, 21219 }, { true, 22000 }, "−%3,6", "−3.6%" },
	{ "as many", REPORT_COUNT, { true, 5 }, { true, 5 }, "±%0,0", "±0.0%" },
	{ "from nothing", REPORT_COUNT, { true, 5 }, { true, 0 }, "", "" },
	{ "to nothing", REPORT_COUNT, { true, 0 }, { true, 5 }, "−%100,0", "−100.0%" },
	{ "points", REPORT_PERCENT, { true, 953 }, { true, 950 }, "+0,3 puan", "+0.3 points" },
	{ "fewer points", REPORT_PERCENT, { true, 50 }, { true, 1000 }, "−95,0 puan",
	    "−95.0 points" },
	{ "minutes", REPORT_MINUTES, { true, 21 }, { true, 20 }, "+0,1", "+0.1" },
	{ "no month before", REPORT_COUNT, { true, 5 }, { false, 0 }, "", "" },
	{ "half a tenth away from zero", REPORT_COUNT, { true, 2001 }, { true, 2000 }, "+%0,1",
	    "+0.1%" },
};

TEST(test_changes)
{
	char text[REPORT_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		report_change(CATALOGUE_TR, changes[i].kind, changes[i].now, changes[i].then, text);
		CHECK_STR(changes[i].name, text, changes[i].tr);
		report_change(CATALOGUE_EN, changes[i].kind, changes[i].now, changes[i].then, text);
		CHECK_STR(changes[i].name, text, changes[i].en);
	}
}

/* --- the report ------------------------------------------------------------------------------- */

TEST(test_lines_hold_the_figures)
{
	struct world w;
	char text[REPORT_TEXT_SIZE];

	if (!CHECK(begin(&w, CATALOGUE_TR)))
		return;
	const struct report_line *answered = line_named(&w.report, "calls.answered");
	if (CHECK(answered != NULL)) {
		CHECK_I64("now", answered->in[REPORT_NOW].value, 21219);
		CHECK_I64("before", answered->in[REPORT_BEFORE].value, 20360);
		CHECK_I64("year before", answered->in[REPORT_YEAR_BEFORE].value, 22000);
	}
	const struct report_line *every = line_named(&w.report, "rate.calls.every");
	if (CHECK(every != NULL)) {
		report_format(CATALOGUE_TR, every->kind, every->in[REPORT_NOW], text);
		CHECK_STR("one every", text, "2,1");
	}
	report_interval(&w.report, text);
	CHECK_STR("interval", text, "%94,5 – %96,0");
	report_month_title(&w.report, REPORT_BEFORE, text);
	CHECK_STR("before", text, "Şubat 2026");
	report_month_title(&w.report, REPORT_YEAR_BEFORE, text);
	CHECK_STR("year before", text, "Mart 2025");
	CHECK_I64("an hour", report_hour(&w.report, true, 1, 9), 400);
	CHECK_I64("a quiet one", report_hour(&w.report, true, 2, 9), 0);
	end(&w);
}

TEST(test_ranks)
{
	static const char *const subjects[] = { "-", "evde-saglik", "cadde-supurme", "cop-alinmadi",
		"gone-long-ago", "konteyner-hasar", "fell-to-nothing" };
	/* By what falls on a thousand people; whose people nobody knows, last. */
	static const char *const places[] = { "balbey", "guzeloba", "barbaros", "-" };
	struct world w;

	if (!CHECK(begin(&w, CATALOGUE_EN)))
		return;
	CHECK_U64("subjects", w.report.sections[REPORT_SUBJECTS].count, ARRAY_LEN(subjects));
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		CHECK_STR(
		    "subject", report_line_at(&w.report, REPORT_SUBJECTS, i)->code, subjects[i]);
	CHECK_U64("places", w.report.sections[REPORT_NEIGHBOURHOODS].count, ARRAY_LEN(places));
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		CHECK_STR(
		    "place", report_line_at(&w.report, REPORT_NEIGHBOURHOODS, i)->code, places[i]);
	CHECK_STR("its name", report_line_at(&w.report, REPORT_SUBJECTS, 3)->title,
	    "Rubbish not collected");
	CHECK_STR("the code of what has left", report_line_at(&w.report, REPORT_SUBJECTS, 4)->title,
	    "gone-long-ago");
	const struct report_line *fell = report_line_at(&w.report, REPORT_SUBJECTS, 6);
	CHECK_I64("what fell to nothing", fell->in[REPORT_NOW].value, 0);
	CHECK_I64("from that many", fell->in[REPORT_BEFORE].value, 31);
	CHECK_U64("days", w.report.sections[REPORT_DAYS].count, 31);
	CHECK_U64("ages", w.report.sections[REPORT_AGES].count, MONTH_AGES);
	/* "contacts.without_ticket.call" is no channel of contacts. */
	CHECK_U64("contacts", w.report.sections[REPORT_CONTACTS].count, 1);
	CHECK_U64("without", w.report.sections[REPORT_UNTICKETED].count, 1);
	end(&w);
}

TEST(test_every_line_is_defined_in_both_languages)
{
	struct world w;

	if (!CHECK(begin(&w, CATALOGUE_EN)))
		return;
	for (int s = 0; s < REPORT_SECTIONS; s++)
		for (size_t i = 0; i < w.report.sections[s].count; i++) {
			const struct report_line *line = report_line_at(
			    &w.report, (enum report_section_code)s, i);
			for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
				const char *words = line->definition[l] != NULL
							? line->definition[l]
							: w.report.sections[s].definition[l];
				CHECK_TRUE(line->name, words != NULL && strlen(words) > 10);
			}
		}
	end(&w);
}

TEST(test_an_empty_month)
{
	struct month_report month = { .month = 202602 };
	struct report r;
	struct evbuffer *out = evbuffer_new();
	struct html h = { .out = evbuffer_new(), .language = CATALOGUE_TR };

	if (!CHECK(report_init(&r, &month, CATALOGUE_TR)) || out == NULL)
		return;
	CHECK(report_csv(&r, out));
	CHECK(report_press(&r, out));
	report_page(&h, &r);
	CHECK(html_finish(&h, out));
	CHECK_TRUE("says so", strstr(text_of(out), "Bu ay hiç yok.") != NULL);
	evbuffer_free(out);
	report_finish(&r);
}

/* --- its forms -------------------------------------------------------------------------------- */

TEST(test_page)
{
	static const char *const wanted[] = { "21.219", "%97,3", "<small>+%4,2</small>",
		"data-value=\"21219\"", "Kayda alınan çağrı", "%94,5 – %96,0", "feedface",
		"data-chart=\"hours\"", "<td class=\"heat h8\" data-value=\"400\">400</td>",
		"/reports/2026-03.xlsx?lang=tr", "Balbey", "99,2" };
	struct world w;
	struct evbuffer *out = evbuffer_new();

	if (!CHECK(begin(&w, CATALOGUE_TR)) || out == NULL)
		return;
	struct html h = { .out = evbuffer_new(), .language = CATALOGUE_TR };
	report_page(&h, &w.report);
	CHECK(html_finish(&h, out));
	const char *text = text_of(out);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		CHECK_TRUE(wanted[i], strstr(text, wanted[i]) != NULL);
	/* A strict policy takes no style in the markup and no script but files. */
	CHECK_TRUE("no style", strstr(text, "style=") == NULL);
	CHECK_TRUE("no handler", strstr(text, " on") == NULL || strstr(text, " onclick") == NULL);
	evbuffer_free(out);
	end(&w);
}

TEST(test_csv)
{
	struct world w;
	struct evbuffer *out = evbuffer_new();
	size_t lines = 0;
	char text[200];

	if (!CHECK(begin(&w, CATALOGUE_TR)) || out == NULL)
		return;
	CHECK(report_csv(&w.report, out));
	const char *all = text_of(out);
	CHECK_MEM("mark", all, 3, "\xef\xbb\xbf", 3);
	CHECK_TRUE("a figure",
	    strstr(all, "Çağrılar;calls.answered;Yanıtlanan çağrı;adet;21219;20360;22000;;;")
		!= NULL);
	CHECK_TRUE("a rate", strstr(all, "rate.calls.every;") != NULL);
	CHECK_TRUE("its decimals", strstr(all, ";dakika;\"2,1\";\"2,0\";\"2,0\";") != NULL);
	(void)snprintf(text, sizeof(text), ";calls.answered.w7.h23;Pazar 23:00;adet;3;");
	CHECK_TRUE("an hour", strstr(all, text) != NULL);
	for (const char *at = all; (at = strstr(at, "\r\n")) != NULL; at += 2)
		lines++;
	CHECK_U64("lines", lines, 1 + w.report.count + 2 * 7 * 24);
	evbuffer_free(out);
	end(&w);
}

TEST(test_the_same_workbook_for_ever)
{
	struct world w;
	struct evbuffer *first = evbuffer_new(), *second = evbuffer_new();

	if (!CHECK(begin(&w, CATALOGUE_TR)) || first == NULL || second == NULL)
		return;
	CHECK(report_xlsx(&w.report, "/tmp", first));
	CHECK(report_xlsx(&w.report, "/tmp", second));
	size_t len = evbuffer_get_length(first);
	CHECK_TRUE("large enough", len > 10000);
	CHECK_MEM("bytes", (const char *)evbuffer_pullup(first, -1), len,
	    (const char *)evbuffer_pullup(second, -1), evbuffer_get_length(second));
	CHECK_MEM("a zip", (const char *)evbuffer_pullup(first, -1), 4, "PK\x03\x04", 4);
	evbuffer_free(first);
	evbuffer_free(second);
	end(&w);
}

TEST(test_press_sheet)
{
	static const char *const wanted[] = {
		"Çağrı merkezi 2026 yılı Mart ayında 21.219 çağrıyı yanıtladı\n\n",
		"Muratpaşa Belediyesi · Basın bülteni\n\n",
		"2026 yılı Mart ayında 444 80 07 numaralı çağrı merkezine gelen 21.800 çağrının "
		"21.219’u yanıtlandı (%97,3); gece gündüz, ortalama 2,1 dakikada bir çağrı.",
		" Yanıtlanan çağrı sayısı, önceki aya (Şubat 2026) göre %4,2 arttı, geçen yılın "
		"aynı ayına (Mart 2025) göre %3,6 azaldı.",
		"Yanıtlanan çağrıların 11.651’i başvuru olarak kayda alındı. Kayda alınan çağrı "
		"sayısı, önceki aya (Şubat 2026) göre aynı kaldı.",
		"Bütün kanallardan gelen başvuru sayısı 14.400 oldu: Telefon %80,9, Web formu "
		"%19,1.",
		"En çok başvurulan konular: Cadde ve sokak süpürme (%14), Çöp toplanmadı (%14).\n",
		"En çok başvuru gelen mahalleler: Güzeloba, Balbey.\n",
		/* A share says little without how many were asked. */
		"Sonuçlanan başvurularda memnuniyet 9.000 kez soruldu, bunların 3.210’u "
		"yanıtlandı; yanıtlayanların memnuniyet oranı %95,3 oldu (%95 güven aralığı "
		"%94,5 – %96,0). Anketi yanıtlamayanlar memnun sayılmaz.",
		/* What was not recorded is told whole. */
		"daha önce açılmış bir başvuruya eklendi; 118 çağrı ise asılsızdı; 7 çağrının "
		"sonucu henüz girilmedi.\n",
		"123456 numaralı kayda kadar",
	};
	struct world w;
	struct evbuffer *out = evbuffer_new();

	if (!CHECK(begin(&w, CATALOGUE_TR)) || out == NULL)
		return;
	CHECK(report_press(&w.report, out));
	const char *text = text_of(out);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		CHECK_TRUE(wanted[i], strstr(text, wanted[i]) != NULL);
	CHECK_TRUE("special", strstr(text, "Evde sağlık") == NULL);
	CHECK_TRUE("small", strstr(text, "konteyneri kırık") == NULL);
	CHECK_TRUE("small", strstr(text, "Barbaros") == NULL);
	CHECK_TRUE("a draft until it is published", strstr(text, "TASLAK") != NULL);
	evbuffer_free(out);
	end(&w);
}

/* One month's sheet; the caller frees the buffer. */
static struct evbuffer *
sheet_of(const struct month_report *month)
{
	struct evbuffer *out = evbuffer_new();
	struct report r;

	if (!CHECK(report_init(&r, month, CATALOGUE_TR)) || !CHECK(out != NULL))
		exit(1);
	CHECK(report_press(&r, out));
	report_finish(&r);
	return out;
}

/* Where a percent would stand for a few counts only, there is none. */
TEST(test_a_small_month_tells_no_shares)
{
	struct world w;

	if (!CHECK(begin(&w, CATALOGUE_TR)))
		return;
	CHECK(figures_set(&w.month.figures, "tickets", 999));
	CHECK(figures_set(&w.month.figures, "tickets.subject.cop-alinmadi", 200));
	CHECK(figures_set(&w.month.figures, "tickets.subject.cadde-supurme", 100));
	struct evbuffer *out = sheet_of(&w.month);
	CHECK_TRUE("names alone",
	    strstr(text_of(out),
		"En çok başvurulan konular: Çöp toplanmadı, Cadde ve sokak süpürme.\n")
		!= NULL);
	evbuffer_free(out);
	end(&w);
}

/* With a month that is not whole nothing is compared, nor is one that goes on. */
TEST(test_whole_months_are_compared)
{
	static const struct {
		bool over;
		int32_t log_begins;
		bool with_month, with_year;
		const char *not_whole; /* of those shown */
	} cases[] = {
		{ true, 0, true, true, "" },
		{ true, 202502, true, true, "" },
		{ true, 202503, true, false, "Kayıtlar Mart 2025 ayında başlar" },
		{ true, 202601, true, false, "" },
		{ true, 202602, false, false, "Kayıtlar Şubat 2026 ayında başlar" },
		{ true, 202603, false, false, "Kayıtlar Mart 2026 ayında başlar" },
		{ false, 202502, false, false, "" },
	};
	struct world w;

	if (!CHECK(begin(&w, CATALOGUE_TR)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		w.month.over = cases[i].over;
		w.month.log_begins = cases[i].log_begins;
		struct evbuffer *out = sheet_of(&w.month);
		const char *text = text_of(out);
		CHECK_TRUE("month", (strstr(text, "önceki aya") != NULL) == cases[i].with_month);
		CHECK_TRUE("year", (strstr(text, "geçen yılın") != NULL) == cases[i].with_year);
		evbuffer_drain(out, evbuffer_get_length(out));
		struct html h = { .out = evbuffer_new(), .language = CATALOGUE_TR };
		report_page(&h, &w.report);
		CHECK(html_finish(&h, out));
		CHECK_TRUE("not whole", strstr(text_of(out), cases[i].not_whole) != NULL);
		CHECK_TRUE("and said of no other",
		    (cases[i].not_whole[0] != '\0')
			== (strstr(text_of(out), " ayında başlar: ") != NULL));
		CHECK_TRUE("page, the value", strstr(text_of(out), "20.360") != NULL);
		CHECK_TRUE(
		    "page, month", (strstr(text_of(out), "20.360 <small>+%4,2</small>") != NULL)
				       == cases[i].with_month);
		CHECK_TRUE(
		    "page, year", (strstr(text_of(out), "22.000 <small>−%3,6</small>") != NULL)
				      == cases[i].with_year);
		evbuffer_free(out);
	}
	end(&w);
}

static const struct {
	int64_t number;
	const char *spoken;
} endings[] = { { 1, "’i " }, { 12, "’si " }, { 10, "’u " }, { 40, "’ı " }, { 100, "’ü " },
	{ 3000, "’i " }, { 5000000, "’u " }, { 19, "’u " }, { 76, "’sı " }, { 60, "’ı " } };

/* 21.219’u, 11.650’si: as the number is spoken. */
TEST(test_endings_of_numbers)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct month_report month = { .month = 202603 };
		struct evbuffer *out = evbuffer_new();
		struct report r;
		char want[REPORT_TEXT_SIZE * 2], number[REPORT_TEXT_SIZE];
		CHECK(figures_set(&month.figures, "calls.answered", 6000000));
		CHECK(figures_set(&month.figures, "calls.recorded", endings[i].number));
		if (!CHECK(report_init(&r, &month, CATALOGUE_TR)) || out == NULL)
			return;
		CHECK(report_press(&r, out));
		report_format(CATALOGUE_TR, REPORT_COUNT,
		    (struct report_value){ true, endings[i].number }, number);
		(void)snprintf(want, sizeof(want), "çağrıların %s%s", number, endings[i].spoken);
		CHECK_TRUE(want, strstr(text_of(out), want) != NULL);
		evbuffer_free(out);
		report_finish(&r);
		month_report_finish(&month);
	}
}
