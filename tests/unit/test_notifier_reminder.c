/* When departments are reminded, what is escalated, and what a digest says. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "istanbul.h"
#include "muratpasa.h"
#include "reminder.h"

static int64_t
moment(int month, int day, int hour, int minute)
{
	return istanbul_moment_us(civil_day(2026, month, day), hour * 60 + minute);
}

/* fen works from 8 to 12 and 13 to 17 on weekdays, and is reminded at 9:00 and 14:00. */
static struct catalogue_department
department_of(const struct catalogue *cat)
{
	struct catalogue_department d = *catalogue_department(cat, "fen");

	d.remind_count = 3;
	d.remind_at_min[0] = 540;
	d.remind_at_min[1] = 750; /* half past twelve: lunch */
	d.remind_at_min[2] = 840;
	d.escalate_to = "ust@example.org";
	d.escalate_after_hours = 16;
	return d;
}

TEST(test_windows)
{
	static const struct {
		const char *name;
		int month, day, hour, minute;
		int window_hour; /* 0: none is open */
	} cases[] = {
		{ "before the first", 11, 25, 8, 59, 0 },
		{ "at it", 11, 25, 9, 0, 9 },
		{ "later in the morning", 11, 25, 10, 59, 9 },
		{ "over after two hours", 11, 25, 11, 0, 0 },
		{ "at lunch", 11, 25, 12, 31, 0 },
		{ "one that was at lunch is none", 11, 25, 13, 10, 0 },
		{ "in the afternoon", 11, 25, 14, 0, 14 },
		{ "at night", 11, 25, 23, 0, 0 },
		{ "on Saturday", 11, 28, 9, 30, 0 },
		{ "on a holiday", 10, 29, 9, 30, 0 },
		{ "on the morning before one", 10, 28, 9, 30, 9 },
		{ "and not on its afternoon", 10, 28, 14, 0, 0 },
	};
	struct catalogue *cat = muratpasa_load();

	if (cat == NULL)
		return;
	struct catalogue_department d = department_of(cat);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t window_us = 0;
		bool open = reminder_window(&d,
		    moment(cases[i].month, cases[i].day, cases[i].hour, cases[i].minute),
		    &window_us);
		CHECK_TRUE(cases[i].name, open == (cases[i].window_hour != 0));
		if (open)
			CHECK_I64(cases[i].name, window_us,
			    moment(cases[i].month, cases[i].day, cases[i].window_hour, 0));
	}
	int64_t window_us;
	d.active = false;
	CHECK_FALSE("none that is gone", reminder_window(&d, moment(11, 25, 9, 0), &window_us));
	d.active = true;
	d.email = "";
	CHECK_FALSE("none without mail", reminder_window(&d, moment(11, 25, 9, 0), &window_us));
	catalogue_destroy(cat);
}

TEST(test_escalation_counts_working_time)
{
	struct catalogue *cat = muratpasa_load();

	if (cat == NULL)
		return;
	struct catalogue_department d = department_of(cat);
	/* Due on Friday at noon: four hours on Friday, eight on Monday, four on Tuesday. */
	const struct reminder_item item = { .due_us = moment(11, 20, 12, 0) };
	CHECK_FALSE(
	    "not before it is due", reminder_is_escalated(&d, &item, moment(11, 20, 11, 0)));
	CHECK_FALSE("a weekend is no time", reminder_is_escalated(&d, &item, moment(11, 23, 8, 0)));
	CHECK_FALSE("a minute early", reminder_is_escalated(&d, &item, moment(11, 24, 11, 59)));
	CHECK_TRUE("sixteen hours", reminder_is_escalated(&d, &item, moment(11, 24, 12, 0)));
	d.escalate_to = "";
	CHECK_FALSE("to nobody", reminder_is_escalated(&d, &item, moment(11, 24, 12, 0)));
	catalogue_destroy(cat);
}

/* --- who gets which digest -------------------------------------------------------------------- */

/* fen and park escalate to the same, who also has park's own address; imar works elsewhere. */
static struct catalogue
catalogue_of(const struct catalogue *cat, struct catalogue_department departments[3])
{
	struct catalogue small = *cat;

	departments[0] = department_of(cat);
	departments[1] = *catalogue_department(cat, "imar");
	departments[2] = *catalogue_department(cat, "park");
	departments[0].code = "fen";
	departments[1].remind_count = 0;
	departments[2].email = "UST@example.org";
	departments[2].escalate_to = "ust@Example.org";
	departments[2].remind_count = 2;
	departments[2].remind_at_min[0] = 540;
	departments[2].remind_at_min[1] = 600;
	small.departments = departments;
	small.department_count = 3;
	small.triage = &departments[2];
	small.cimer.reminded = &departments[0];
	return small;
}

TEST(test_one_digest_a_recipient_and_window)
{
	struct catalogue *cat = muratpasa_load();
	struct catalogue_department d[3];
	struct reminder_plan plan;
	size_t at = 0;

	if (cat == NULL)
		return;
	struct catalogue small = catalogue_of(cat, d);
	int64_t now_us = moment(11, 25, 9, 30);
	CHECK(reminder_next(&small, now_us, &at, &plan));
	CHECK_STR("the first's own", plan.recipient, d[0].email);
	CHECK_I64("at nine", plan.window_us, moment(11, 25, 9, 0));
	CHECK(reminder_next(&small, now_us, &at, &plan));
	CHECK_STR("whoever is above", plan.recipient, "ust@example.org");
	CHECK_FALSE(
	    "the other names the same mailbox twice", reminder_next(&small, now_us, &at, &plan));

	/* Another time is another window. */
	size_t count = 0;
	now_us = moment(11, 25, 10, 30);
	for (at = 0; reminder_next(&small, now_us, &at, &plan);)
		count++;
	CHECK_U64("fen, above fen at nine, park at ten", count, 3);
	at = 0;
	CHECK_FALSE("nobody at night", reminder_next(&small, moment(11, 25, 23, 0), &at, &plan));
	catalogue_destroy(cat);
}

TEST(test_what_belongs_into_a_digest)
{
	struct catalogue *cat = muratpasa_load();
	struct catalogue_department d[3];

	if (cat == NULL)
		return;
	struct catalogue small = catalogue_of(cat, d);
	const struct reminder_plan above = { "Ust@example.org", moment(11, 25, 9, 0) },
				   later = { "ust@example.org", moment(11, 25, 10, 0) },
				   sunday = { "ust@example.org", moment(11, 29, 9, 0) },
				   own = { d[0].email, moment(11, 25, 9, 0) };
	CHECK_TRUE(
	    "what fen escalates", reminder_belongs(&small, &d[0], REMINDER_ESCALATION, &above));
	CHECK_TRUE("what park does", reminder_belongs(&small, &d[2], REMINDER_ESCALATION, &above));
	CHECK_FALSE("not fen's own", reminder_belongs(&small, &d[0], REMINDER_DEPARTMENT, &above));
	CHECK_TRUE("park's own", reminder_belongs(&small, &d[2], REMINDER_DEPARTMENT, &above));
	CHECK_TRUE("triage is park's", reminder_belongs(&small, &d[2], REMINDER_TRIAGE, &above));
	CHECK_FALSE("and not fen's", reminder_belongs(&small, &d[0], REMINDER_TRIAGE, &own));
	CHECK_TRUE("CİMER is fen's", reminder_belongs(&small, &d[0], REMINDER_CIMER, &own));
	CHECK_FALSE(
	    "fen has no such window", reminder_belongs(&small, &d[0], REMINDER_ESCALATION, &later));
	CHECK_TRUE("park has", reminder_belongs(&small, &d[2], REMINDER_ESCALATION, &later));
	CHECK_FALSE("nobody works", reminder_belongs(&small, &d[2], REMINDER_ESCALATION, &sunday));
	catalogue_destroy(cat);
}

/* --- words ------------------------------------------------------------------------------------ */

static struct reminder_part parts[REMINDER_KINDS];

/* False: none was written. */
static bool
compose(const struct catalogue *cat, struct reminder_text *text)
{
	bool ok = reminder_compose(cat, parts, moment(11, 25, 9, 0), text);

	memset(parts, 0, sizeof(parts));
	return CHECK(ok);
}

static void
add(enum reminder_kind kind, struct reminder_item item)
{
	parts[kind].items[parts[kind].count++] = item;
}

TEST(test_digest)
{
	struct catalogue *cat = muratpasa_load();
	struct reminder_text text;

	if (cat == NULL)
		return;
	const struct reminder_item overdue = { 260000001, "fen", "yol-cukur", "fener", false,
		moment(11, 24, 16, 30), 0, "", false },
				   special = { 260000002, "fen", "evde-saglik", "fener", true,
					   moment(11, 26, 0, 0), 0, "C-9", true },
				   unknown = { 260000003, "fen", "no-such-subject", "", true,
					   moment(12, 1, 0, 0), 0, "", false };
	add(REMINDER_DEPARTMENT, overdue);
	add(REMINDER_DEPARTMENT, special);
	add(REMINDER_DEPARTMENT, unknown);
	parts[REMINDER_DEPARTMENT].more = true;
	if (compose(cat, &text)) {
		CHECK_STR("subject", text.subject,
		    "3+ kaydın süresi dolmak üzere ya da geçmiş: Fen İşleri Müdürlüğü");
		CHECK_TRUE(
		    "overdue", strncmp(text.body, "SÜRESİ GEÇENLER (1)\n\n26-0000001-", 30) == 0);
		CHECK_TRUE("with its moment", strstr(text.body, "hizmet süresi 24.11.2026 16:30, "
								"Yolda çukur, Fener\n")
						  != NULL);
		CHECK_TRUE("soon", strstr(text.body, "SÜRESİ DOLMAK ÜZERE OLANLAR (2+)") != NULL);
		CHECK_TRUE("the last day, not the one after",
		    strstr(text.body, "yasal sürenin son günü 25.11.2026, (özel nitelikli konu), "
				      "CİMER C-9, cevaplandı, CİMER’e girilmedi")
			!= NULL);
		CHECK_TRUE("a special subject is not named", strstr(text.body, "Evde") == NULL);
		CHECK_TRUE("others", strstr(text.body, "başka kayıtlar") != NULL);
		reminder_text_finish(&text);
	}
	add(REMINDER_CIMER, special);
	parts[REMINDER_CIMER].items[0].department = "saglik";
	if (compose(cat, &text)) {
		CHECK_STR("its subject", text.subject, "1 CİMER başvurusunun cevabı bekleniyor");
		CHECK_TRUE("whose it is", strstr(text.body, "Sağlık İşleri Müdürlüğü") != NULL);
		CHECK_TRUE("no others", strstr(text.body, "başka kayıtlar") == NULL);
		reminder_text_finish(&text);
	}
	catalogue_destroy(cat);
}

TEST(test_several_departments_and_kinds_are_one_digest)
{
	struct catalogue *cat = muratpasa_load();
	struct reminder_text text;

	if (cat == NULL)
		return;
	struct reminder_item item = { 260000001, "fen", "yol-cukur", "fener", false,
		moment(11, 20, 16, 30), moment(11, 19, 8, 5), "", false };
	add(REMINDER_ESCALATION, item);
	add(REMINDER_ESCALATION, item);
	item.department = "park";
	add(REMINDER_ESCALATION, item);
	item.due_us = 0;
	item.subject = "";
	add(REMINDER_TRIAGE, item);
	item.department = "";
	item.legal = true;
	item.due_us = moment(11, 26, 0, 0);
	add(REMINDER_TRIAGE, item);
	if (compose(cat, &text)) {
		CHECK_STR("subject", text.subject,
		    "3 kaydın süresi uzun zamandır geçmiş: 2 birim; "
		    "2 kayıt birim seçilmesini bekliyor");
		CHECK_TRUE("how many of each", strstr(text.body, "Fen İşleri Müdürlüğü: 2\n"
								 "Park ve Bahçeler Müdürlüğü: 1\n")
						   != NULL);
		CHECK_TRUE("whose each is",
		    strstr(text.body, "16:30, Yolda çukur, Fener, Fen İşleri Müdürlüğü\n") != NULL);
		CHECK_TRUE("triage", strstr(text.body, "=== TRİYAJ ===\n\nBİRİM SEÇİLMESİNİ "
						       "BEKLEYENLER (2)\n\n26-0000001-")
					 != NULL);
		CHECK_TRUE("without a clock",
		    strstr(text.body,
			"geliş 19.11.2026 08:05, (konusu belirsiz), Fener, iade eden: "
			"Park ve Bahçeler Müdürlüğü\n")
			!= NULL);
		CHECK_TRUE("with one",
		    strstr(text.body, "geliş 19.11.2026 08:05, yasal sürenin son günü 25.11.2026, "
				      "(konusu belirsiz), Fener\n")
			!= NULL);
		reminder_text_finish(&text);
	}
	catalogue_destroy(cat);
}

TEST(test_a_digest_is_bounded)
{
	struct catalogue *cat = muratpasa_load();
	struct reminder_text text;
	size_t lines = 0;

	if (cat == NULL)
		return;
	for (size_t i = 0; i < REMINDER_ITEMS_MAX; i++)
		add(REMINDER_ESCALATION,
		    (struct reminder_item){ 260000001 + (int64_t)i, "fen", "yol-cukur", "", false,
			moment(11, 1, 9, 0), 0, "", false });
	if (compose(cat, &text)) {
		for (const char *at = text.body; (at = strstr(at, "/desk/ticket/")) != NULL; at++)
			lines++;
		CHECK_U64("fifty lines", lines, REMINDER_LINES_MAX);
		CHECK_TRUE("of so many", strstr(text.body, "SÜRESİ GEÇENLER (500)") != NULL);
		CHECK_TRUE("and others", strstr(text.body, "başka kayıtlar") != NULL);
		reminder_text_finish(&text);
	}
	catalogue_destroy(cat);
}
