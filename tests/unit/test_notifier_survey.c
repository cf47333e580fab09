/* Who is invited, who is reminded, and who is not asked for which reason. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"
#include "muratpasa.h"
#include "surveying.h"

static const int64_t now_us = 1796000000000000;

static const struct survey_due waiting = { .state = SURVEY_WAITING,
	.due_us = 1796000000000000 - 1000,
	.email = "ayse@ornek.example",
	.phone = "+905321112233",
	.language = "tr" };

struct change {
	const char *name;
	bool reopened, erased, answered, marked, opted_out, refused, off, no_links, no_reminder;
	const char *email, *phone;
	int64_t late_days;
	enum survey_state next;
	const char *type, *reason;
};

static const struct change invitations[] = {
	{ .name = "asked", .next = SURVEY_INVITED, .type = "survey.invited", .reason = "" },
	{ .name = "mobile alone",
	    .email = "",
	    .next = SURVEY_INVITED,
	    .type = "survey.invited",
	    .reason = "" },
	{ .name = "without a reminder",
	    .no_reminder = true,
	    .next = SURVEY_SETTLED,
	    .type = "survey.invited",
	    .reason = "" },
	{ .name = "switched off",
	    .off = true,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "disabled" },
	{ .name = "no secret",
	    .no_links = true,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "disabled" },
	{ .name = "reopened",
	    .reopened = true,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "reopened" },
	{ .name = "erased",
	    .erased = true,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "erased" },
	{ .name = "a landline",
	    .email = "",
	    .phone = "+902422222222",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "no_address" },
	{ .name = "nothing given",
	    .email = "",
	    .phone = "",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "no_address" },
	{ .name = "no SMS, but an address",
	    .opted_out = true,
	    .next = SURVEY_INVITED,
	    .type = "survey.invited",
	    .reason = "" },
	{ .name = "no SMS, and nothing else",
	    .opted_out = true,
	    .email = "",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "opted_out" },
	{ .name = "no SMS to a landline",
	    .opted_out = true,
	    .email = "",
	    .phone = "+902422222222",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "no_address" },
	{ .name = "an address that refuses",
	    .refused = true,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "refused" },
	{ .name = "its refusal is no number's",
	    .refused = true,
	    .email = "",
	    .next = SURVEY_INVITED,
	    .type = "survey.invited",
	    .reason = "" },
	{ .name = "a marked address",
	    .marked = true,
	    .email = "",
	    .phone = "",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "unreachable" },
	{ .name = "a marked address, a landline",
	    .marked = true,
	    .email = "",
	    .phone = "+902422222222",
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "unreachable" },
	{ .name = "a marked address, a mobile",
	    .marked = true,
	    .email = "",
	    .next = SURVEY_INVITED,
	    .type = "survey.invited",
	    .reason = "" },
	{ .name = "after a fortnight's outage",
	    .late_days = 15,
	    .next = SURVEY_NOBODY,
	    .type = "survey.skipped",
	    .reason = "late" },
	{ .name = "after a week's outage",
	    .late_days = 7,
	    .next = SURVEY_INVITED,
	    .type = "survey.invited",
	    .reason = "" },
};

static const struct change reminders[] = {
	{ .name = "reminded", .next = SURVEY_SETTLED, .type = "survey.reminded", .reason = "" },
	{ .name = "answered", .answered = true, .next = SURVEY_SETTLED, .reason = "" },
	{ .name = "reopened meanwhile", .reopened = true, .next = SURVEY_SETTLED, .reason = "" },
	{ .name = "refused meanwhile", .refused = true, .next = SURVEY_SETTLED, .reason = "" },
	{ .name = "erased meanwhile", .erased = true, .next = SURVEY_SETTLED, .reason = "" },
	{ .name = "switched off meanwhile", .off = true, .next = SURVEY_SETTLED, .reason = "" },
	{ .name = "over meanwhile", .late_days = 12, .next = SURVEY_SETTLED, .reason = "" },
};

static void
check(struct catalogue *cat, const struct change *c, struct survey_due due)
{
	struct catalogue_municipality was = cat->municipality;

	due.reopened = c->reopened;
	due.erased = c->erased;
	due.answered = c->answered;
	due.marked = c->marked;
	due.opted_out = c->opted_out;
	due.refused = c->refused;
	due.due_us -= c->late_days * US_PER_DAY;
	due.email = c->email != NULL ? c->email : due.email;
	due.phone = c->phone != NULL ? c->phone : due.phone;
	if (due.state == SURVEY_INVITED)
		due.expires_us = due.due_us + 11 * US_PER_DAY;
	cat->municipality.survey_enabled = !c->off;
	if (c->no_reminder)
		cat->municipality.survey_reminder_days = 0;
	struct survey_step step = survey_decide(cat, &due, !c->no_links, now_us);
	CHECK_U64(c->name, step.next, c->next);
	CHECK_STR(c->name, step.type != NULL ? step.type : "", c->type != NULL ? c->type : "");
	CHECK_STR(c->name, step.reason, c->reason);
	bool invites = step.type != NULL && strcmp(step.type, "survey.invited") == 0;
	CHECK_I64(c->name, step.expires_us, invites ? now_us + 14 * US_PER_DAY : 0);
	CHECK_I64(c->name, step.due_us, step.next == SURVEY_INVITED ? now_us + 3 * US_PER_DAY : 0);
	cat->municipality = was;
}

TEST(test_survey_decides_whom_to_ask)
{
	struct catalogue *cat = muratpasa_load();
	struct survey_due invited = waiting;

	if (cat == NULL)
		return;
	invited.state = SURVEY_INVITED;
	for (size_t i = 0; i < ARRAY_LEN(invitations); i++)
		check(cat, &invitations[i], waiting);
	for (size_t i = 0; i < ARRAY_LEN(reminders); i++)
		check(cat, &reminders[i], invited);
	catalogue_destroy(cat);
}

/* One reminder, or none: what is settled is not due any more. */
TEST(test_survey_ends)
{
	struct catalogue *cat = muratpasa_load();
	struct survey_due due = waiting;
	int sent = 0;

	for (int i = 0; cat != NULL && i < 10; i++) {
		struct survey_step step = survey_decide(cat, &due, true, now_us + i * US_PER_DAY);
		sent += step.type != NULL;
		if (step.next == SURVEY_SETTLED)
			break;
		due.state = step.next;
		due.expires_us = step.expires_us;
	}
	CHECK_I64("an invitation and one reminder", sent, 2);
	catalogue_destroy(cat);
}

static const struct {
	const char *name, *file, *text; /* text NULL: the file is left out */
	bool parses;
	const char *reason;
} texts[] = {
	{ "an invitation without its link", "templates/survey.sms.tr.txt", "{number}", false,
	    "{survey_link} is missing" },
	{ "one that says what it is about", "templates/survey.email.tr.txt",
	    "Subject: {number}\n\n{subject} {survey_link}\n", false, "{subject} has no value" },
	{ "a link before there is an invitation", "templates/resolved.sms.tr.txt",
	    "{number} {status} {survey_link}", false, "{survey_link} has no value" },
	{ "one that takes three parts", "templates/survey.sms.tr.txt",
	    "{number} {survey_link} Sayın hemşehrimiz, sizlere daha iyi hizmet verebilmek için "
	    "görüşlerinizi öğrenmek istiyoruz; bu bağlantıyı açarak ya da bir ile beş arasında bir "
	    "rakamla yanıtlayarak sonuçtan ne ölçüde memnun kaldığınızı bildirmenizi rica ederiz.",
	    false, "part" },
	{ "a digit that nobody can send", "templates/survey.sms.tr.txt",
	    "{number}: 1 ile 5 arasında bir rakamla yanıtlayınız ya da {survey_link}", false,
	    "does not say where to send it" },
	{ "one in a reminder", "templates/survey_reminder.sms.en.txt",
	    "{number}: reply (5) or {survey_link}", false, "does not say where to send it" },
	{ "a number that there is not", "templates/survey.sms.en.txt",
	    "{number}: {sms_reply_to} {survey_link}", false, "nobody can answer" },
	{ "a number to answer to in a mail of a step", "templates/resolved.sms.tr.reply.txt",
	    "{number} {status}", false, "of known words" },
	{ "none at all", "templates/survey.sms.tr.txt", NULL, true, "nobody is told" },
};

TEST(test_survey_texts_are_checked)
{
	static struct catalogue_report report;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct catalogue *cat = muratpasa_load_with(texts[i].file, texts[i].text, &report);
		bool found = false;
		CHECK_U64(texts[i].name, cat != NULL, texts[i].parses);
		for (size_t k = 0; k < report.kept; k++)
			found = found
				|| (strcmp(report.problems[k].file, texts[i].file) == 0
				    && strstr(report.problems[k].reason, texts[i].reason) != NULL);
		CHECK_TRUE(texts[i].name, found);
		catalogue_destroy(cat);
	}
}

/* municipality.csv with a number that can be answered. */
static bool
with_number(const char *number, char *out, size_t size)
{
	static char text[4000];
	char *row;

	if (!muratpasa_settings(text, sizeof(text)))
		return false;
	row = strstr(text, "sms_reply_to,\n");
	if (!CHECK(row != NULL))
		return false;
	row += strlen("sms_reply_to,");
	int used = snprintf(out, size, "%.*s%s%s", (int)(row - text), text, number, row);
	return CHECK(used > 0 && (size_t)used < size);
}

/* Who has no number asks by the link alone; who has one, for a digit to it. */
TEST(test_survey_asks_for_what_can_be_sent)
{
	static struct catalogue_report report;
	static char settings[4000];
	static const char *const events[] = { "survey", "survey_reminder" };
	static const struct {
		const char *number;
		bool parses, asks;
	} cases[] = { { "", true, false }, { "3344", true, true }, { "0242 324 44 07", true, true },
		{ "MURATPASA", false, false }, { "3344{", false, false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!with_number(cases[i].number, settings, sizeof(settings)))
			return;
		struct catalogue *cat = muratpasa_load_with("municipality.csv", settings, &report);
		CHECK_U64(cases[i].number, cat != NULL, cases[i].parses);
		for (int e = 0; e < 2 * CATALOGUE_LANGUAGES && cat != NULL; e++) {
			const struct catalogue_template *t = catalogue_template(
			    cat, events[e % 2], "sms", (enum catalogue_language)(e / 2), false);
			if (!CHECK(t != NULL))
				continue;
			bool asks = strstr(t->body, "{sms_reply_to}") != NULL;
			CHECK_U64(cases[i].number, asks, cases[i].asks);
			CHECK_U64(cases[i].number, strstr(t->body, "5 (") != NULL, cases[i].asks);
		}
		catalogue_destroy(cat);
	}
}
