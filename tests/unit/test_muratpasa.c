/* The worked municipality: what deploy/config/muratpasa promises. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "bundle.h"
#include "catalogue.h"
#include "check.h"
#include "istanbul.h"

static struct catalogue *
load(void)
{
	struct bundle b;
	static struct catalogue_report report;
	char folder[1024], why[200] = "";

	/* This file is tests/unit/X.c; the municipality is two folders up. */
	snprintf(folder, sizeof(folder), "%s", __FILE__);
	char *tail = strstr(folder, "tests/unit/");
	if (!CHECK(tail != NULL))
		return NULL;
	snprintf(tail, sizeof(folder) - (size_t)(tail - folder), "deploy/config/muratpasa");
	bundle_init(&b);
	if (!CHECK_TRUE(folder, bundle_read_folder(&b, folder, why, sizeof(why))))
		CHECK_STR("why", why, "");
	struct catalogue *cat = catalogue_parse(&b, &report);
	for (size_t i = 0; i < report.kept; i++)
		printf("%s:%d: %s: %s\n", report.problems[i].file, report.problems[i].line,
		    report.problems[i].warning ? "warning" : "error", report.problems[i].reason);
	CHECK_U64("no warnings", report.warnings, 0);
	CHECK(cat != NULL);
	bundle_finish(&b);
	return cat;
}

TEST(test_muratpasa_parses)
{
	struct catalogue *cat = load();
	size_t with_questions = 0, special = 0;
	int population = 0;

	if (cat == NULL)
		return;
	CHECK_U64("digest", strlen(cat->digest), 64);
	CHECK_U64("departments", cat->department_count, 21);
	CHECK_TRUE("subjects", cat->subject_count >= 40);
	for (size_t i = 0; i < cat->subject_count; i++) {
		const struct catalogue_subject *s = &cat->subjects[i];
		with_questions += s->question_count > 0;
		special += s->special_category;
		CHECK_FALSE(s->code, s->special_category && s->is_public);
		CHECK_TRUE(
		    s->code, strcmp(s->name.in[CATALOGUE_TR], s->name.in[CATALOGUE_EN]) != 0);
	}
	CHECK(with_questions >= 10);
	CHECK(special >= 5);
	CHECK_U64("neighbourhoods", cat->neighbourhood_count, 55);
	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		population += cat->neighbourhoods[i].population;
	CHECK_I64("population", population, 510887);
	CHECK_U64("templates", cat->template_count, 76);
	CHECK_STR("office", cat->office->name, "ofis");
	catalogue_destroy(cat);
}

static bool
closed(const struct catalogue *cat, int year, int month, int day, int from_min, int to_min)
{
	for (size_t i = 0; i < cat->office->holiday_count; i++) {
		const struct calendar_holiday *h = &cat->office->holidays[i];
		if (h->day == civil_day(year, month, day) && h->closed.from_min == from_min
		    && h->closed.to_min == to_min)
			return true;
	}
	return false;
}

/* Ten years of eight fixed closures and nine of the feasts; 2033 has two feasts of Ramazan (four
 * more), and on 2027-05-19 two holidays are one closure. */
TEST(test_muratpasa_holidays)
{
	struct catalogue *cat = load();
	static const struct {
		int year, month, day, from, to;
	} known[] = {
		{ 2024, 4, 9, 780, 1440 },
		{ 2024, 4, 10, 0, 1440 },
		{ 2024, 4, 12, 0, 1440 },
		{ 2024, 6, 15, 780, 1440 },
		{ 2024, 6, 19, 0, 1440 },
		{ 2025, 3, 29, 780, 1440 },
		{ 2025, 10, 28, 780, 1440 },
		{ 2025, 10, 29, 0, 1440 },
		{ 2026, 1, 1, 0, 1440 },
		{ 2026, 3, 19, 780, 1440 },
		{ 2026, 3, 22, 0, 1440 },
		{ 2026, 5, 26, 780, 1440 },
		{ 2026, 5, 30, 0, 1440 },
		{ 2027, 5, 19, 0, 1440 },
		{ 2028, 2, 25, 780, 1440 },
		{ 2029, 4, 23, 780, 1440 },
		{ 2029, 4, 23, 0, 1440 },
		{ 2030, 7, 15, 0, 1440 },
		{ 2033, 1, 1, 780, 1440 },
		{ 2033, 1, 2, 0, 1440 },
		{ 2033, 12, 22, 780, 1440 },
		{ 2033, 12, 25, 0, 1440 },
	};
	static const struct {
		int year, month, day;
	} working[] = { { 2024, 4, 13 }, { 2025, 3, 28 }, { 2026, 3, 23 }, { 2026, 6, 1 },
		{ 2033, 12, 26 } };

	if (cat == NULL)
		return;
	CHECK_U64("closures", cat->holiday_count, 10 * (8 + 4 + 5) + 4 - 1);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		CHECK(closed(
		    cat, known[i].year, known[i].month, known[i].day, known[i].from, known[i].to));
	for (size_t i = 0; i < ARRAY_LEN(working); i++)
		CHECK(!closed(cat, working[i].year, working[i].month, working[i].day, 0, 1440));
	for (size_t i = 0; i < cat->calendar_count; i++) {
		CHECK_I64("first year", cat->calendars[i].first_year, 2024);
		CHECK_I64("last year", cat->calendars[i].last_year, 2033);
	}
	const struct calendar *watch = catalogue_calendar(cat, "nobet");
	CHECK(watch != NULL && watch->always_open);
	catalogue_destroy(cat);
}

TEST(test_muratpasa_routes)
{
	static const struct {
		const char *subject, *neighbourhood, *channel;
		const char *department; /* NULL: triage */
		int priority; /* 0: the subject's own */
	} routes[] = {
		{ "cop-alinmadi", "guzeloba", "call", "temizlik", 0 },
		{ "cadde-supurme", "tuzcular", "call", "temizlik", PRIORITY_HIGH },
		{ "cadde-supurme", "", "web", "temizlik", 0 },
		{ "plaj-temizligi", "fener", "open311", "temizlik", PRIORITY_HIGH },
		{ "gurultu", "kilincarslan", "call", "zabita", PRIORITY_HIGH },
		{ "yarali-hayvan", "fener", "call", "veteriner", 0 },
		{ "su-kanal", "fener", "call", "halkla-iliskiler", 0 },
		{ "bilgi-edinme", "", "cimer", "yazi", 0 },
		{ "oneri-tesekkur", "", "cimer", "yazi", 0 },
		{ "oneri-tesekkur", "", "web", "halkla-iliskiler", 0 },
		{ "diger", "", "cimer", "yazi", 0 },
		{ "diger", "fener", "call", NULL, 0 },
		{ "boyle-konu-yok", "fener", "call", NULL, 0 },
	};
	struct catalogue *cat = load();

	if (cat == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct catalogue_rule *rule = catalogue_route(
		    cat, routes[i].subject, routes[i].neighbourhood, routes[i].channel);
		CHECK_STR(routes[i].subject, rule == NULL ? NULL : rule->department->code,
		    routes[i].department);
		if (rule != NULL)
			CHECK_I64(routes[i].subject, rule->has_priority ? (int)rule->priority : 0,
			    routes[i].priority);
	}
	catalogue_destroy(cat);
}

TEST(test_muratpasa_places)
{
	static const struct {
		const char *text;
		const char *want;
	} names[] = {
		{ "Çağlayan", "caglayan" },
		{ "ÇAĞLAYAN MAHALLESİ", "caglayan" },
		{ "caglayan mh.", "caglayan" },
		{ "Haşim İşcan Mah", "hasimiscan" },
		{ "Haşimişcan", "hasimiscan" },
		{ "Kılıçarslan", "kilincarslan" },
		{ "KILINÇARSLAN", "kilincarslan" },
		{ "şirinyalı", "sirinyali" },
		{ "Mahallesi", NULL },
		{ "", NULL },
		{ "...", NULL },
		{ "Kadıköy", NULL },
		{ "Çağlayan mahallesi 2035. sokak", NULL },
	};
	struct catalogue *cat = load();
	double away_m = -1;

	if (cat == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct catalogue_neighbourhood *n = catalogue_neighbourhood_named(
		    cat, names[i].text);
		CHECK_STR(names[i].text, n == NULL ? NULL : n->code, names[i].want);
	}
	/* Each centre is nearest to itself. */
	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		const struct catalogue_neighbourhood *n = &cat->neighbourhoods[i];
		const struct catalogue_neighbourhood *near = catalogue_neighbourhood_nearest(
		    cat, n->latitude, n->longitude, &away_m);
		CHECK_STR(n->name, near == NULL ? NULL : near->code, n->code);
		CHECK_TRUE(n->name, away_m >= 0 && away_m < 0.001);
	}
	/* A hundredth of a degree of latitude is 1,112 m. */
	const struct catalogue_neighbourhood *g = catalogue_neighbourhood(cat, "guzeloba");
	CHECK(catalogue_neighbourhood_nearest(cat, g->latitude - 0.01, g->longitude, &away_m) == g);
	CHECK_TRUE("distance", away_m > 1111 && away_m < 1113);
	CHECK(catalogue_neighbourhood_nearest(cat, 41.0, 29.0, NULL) == NULL);
	CHECK(catalogue_neighbourhood_nearest(cat, (double)NAN, 30.7, NULL) == NULL);
	catalogue_destroy(cat);
}

TEST(test_muratpasa_looks_up)
{
	struct catalogue *cat = load();

	if (cat == NULL)
		return;
	CHECK_STR("department",
	    catalogue_say(&catalogue_department(cat, "fen")->name, CATALOGUE_TR),
	    "Fen İşleri Müdürlüğü");
	const struct catalogue_subject *s = catalogue_subject(cat, "bilgi-edinme");
	CHECK_I64("legal basis", s->legal_basis, LEGAL_INFORMATION_4982);
	s = catalogue_subject(cat, "yol-cukur");
	CHECK_I64("promise", s->service_ms, INT64_C(40) * 3600 * 1000);
	CHECK_STR("keywords", s->keywords, "çukur,asfalt,yol");
	CHECK_U64("questions", s->question_count, 2);
	const struct catalogue_question *q = catalogue_question(s, "boyut");
	CHECK_I64("datatype", q->datatype, QUESTION_SINGLEVALUELIST);
	CHECK(q->required && q->value_count == 3);
	CHECK_STR("value", q->values[0].key, "kucuk");
	CHECK_STR("value", q->values[0].name.in[CATALOGUE_EN], "Smaller than a hand");
	CHECK(catalogue_question(s, "yok") == NULL);
	CHECK(catalogue_subject(cat, "yok") == NULL && catalogue_department(cat, "") == NULL);
	CHECK(catalogue_closure_reason(cat, "yapildi") != NULL);
	CHECK(catalogue_wait_reason(cat, "malzeme") != NULL);
	CHECK_STR("institution", catalogue_institution(cat, "asat")->phone, "185");
	const struct catalogue_template *t = catalogue_template(
	    cat, "received", "email", CATALOGUE_EN, false);
	CHECK_STR("subject", t->subject, "Your request {number} has been recorded");
	CHECK_TRUE("body", strncmp(t->body, "Dear {name},\n", 13) == 0);
	CHECK(catalogue_template(cat, "received", "pigeon", CATALOGUE_TR, false) == NULL);
	catalogue_destroy(cat);
}
