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

TEST(test_digest)
{
	struct catalogue *cat = muratpasa_load();
	struct reminder_text text;

	if (cat == NULL)
		return;
	struct catalogue_department d = department_of(cat);
	int64_t now_us = moment(11, 25, 9, 0);
	const struct reminder_item items[] = {
		{ 260000001, "fen", "yol-cukur", "fener", false, moment(11, 24, 16, 30), "",
		    false },
		{ 260000002, "saglik", "evde-saglik", "fener", true, moment(11, 26, 0, 0), "C-9",
		    true },
		{ 260000003, "fen", "no-such-subject", "", true, moment(12, 1, 0, 0), "", false },
	};
	if (CHECK(reminder_compose(cat, &d, REMINDER_DEPARTMENT, items, 3, true, now_us, &text))) {
		CHECK_STR("subject", text.subject,
		    "3+ kaydın süresi dolmak üzere ya da geçmiş: Fen İşleri Müdürlüğü");
		CHECK_TRUE(
		    "overdue", strstr(text.body, "SÜRESİ GEÇENLER (1)\n\n26-0000001-") != NULL);
		CHECK_TRUE("with its moment", strstr(text.body, "hizmet süresi 24.11.2026 16:30, "
								"Yolda çukur, Fener")
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
	if (CHECK(reminder_compose(cat, &d, REMINDER_CIMER, items + 1, 1, false, now_us, &text))) {
		CHECK_TRUE("whose it is", strstr(text.body, "Sağlık İşleri Müdürlüğü") != NULL);
		CHECK_TRUE("no others", strstr(text.body, "başka kayıtlar") == NULL);
		reminder_text_finish(&text);
	}
	catalogue_destroy(cat);
}

TEST(test_a_digest_is_bounded)
{
	static struct reminder_item items[REMINDER_ITEMS_MAX];
	struct catalogue *cat = muratpasa_load();
	struct reminder_text text;
	size_t lines = 0;

	if (cat == NULL)
		return;
	struct catalogue_department d = department_of(cat);
	for (size_t i = 0; i < REMINDER_ITEMS_MAX; i++)
		items[i] = (struct reminder_item){ 260000001 + (int64_t)i, "fen", "yol-cukur", "",
			false, moment(11, 1, 9, 0), "", false };
	if (CHECK(reminder_compose(cat, &d, REMINDER_ESCALATION, items, REMINDER_ITEMS_MAX, false,
		moment(11, 25, 9, 0), &text))) {
		for (const char *at = text.body; (at = strstr(at, "/desk/ticket/")) != NULL; at++)
			lines++;
		CHECK_U64("fifty lines", lines, REMINDER_LINES_MAX);
		CHECK_TRUE("of so many", strstr(text.body, "SÜRESİ GEÇENLER (500)") != NULL);
		CHECK_TRUE("and others", strstr(text.body, "başka kayıtlar") != NULL);
		reminder_text_finish(&text);
	}
	catalogue_destroy(cat);
}
