/* What a citizen's text is behind a keyword, and the words that confirm that SMS stop or come
 * again. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "incoming_text.h"
#include "istanbul.h"
#include "muratpasa.h"
#include "wish_words.h"

TEST(test_behind_the_keyword)
{
	static const struct {
		const char *text, *keyword, *want;
	} cases[] = {
		{ "MASA 5", "MASA", "5" },
		{ "masa ret", "MASA", "ret" },
		{ "  Masa:\n su yok, masa 5", "MASA", "su yok, masa 5" },
		{ "bılgı dur", "BILGI", "dur" },
		{ "MASALAR kirik", "MASA", "MASALAR kirik" },
		{ "su yok", "MASA", "su yok" },
		{ "MASA", "MASA", "MASA" },
		{ "MASA  ", "MASA", "MASA  " },
		{ "MASA MASA", "MASA", "MASA" },
		{ "MASA 5", "", "MASA 5" },
		{ "", "MASA", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_STR(cases[i].text, incoming_text_behind(cases[i].text, cases[i].keyword),
		    cases[i].want);
}

static int64_t
noon(void)
{
	return istanbul_moment_us(civil_day(2026, 11, 30), 12 * 60 + 5);
}

TEST(test_words_of_a_wish)
{
	struct catalogue *cat = muratpasa_load();
	static struct wish_words words;

	if (cat == NULL)
		return;
	wish_words_write(cat, true, noon(), &words);
	if (CHECK(words.count == 2)) {
		CHECK_STR("the default language first", words.languages[0], "tr");
		CHECK_STR("then the other", words.languages[1], "en");
		CHECK_TRUE(
		    "when it was", strncmp(words.bodies[0], "30.11.2026 12:05 tarihli", 24) == 0);
		CHECK_TRUE("the way back", strstr(words.bodies[0], "numaraya BAŞLA yaz") != NULL);
		CHECK_TRUE("in English", strstr(words.bodies[1], "send START to") != NULL);
	}
	wish_words_write(cat, false, noon(), &words);
	if (CHECK(words.count == 2)) {
		CHECK_TRUE("they come again", strstr(words.bodies[0], "yeniden SMS ile") != NULL);
		CHECK_TRUE("and can be stopped", strstr(words.bodies[1], "send STOP to") != NULL);
	}
	cat->municipality.default_language = CATALOGUE_EN;
	wish_words_write(cat, false, noon(), &words);
	CHECK_STR("another default", words.languages[0], "en");

	struct catalogue_template one = { .event = "sms_stopped",
		.channel = "sms",
		.language = CATALOGUE_TR,
		.subject = "",
		.body = "{moment}: {sms_keyword} BAŞLA, {sms_reply_to}" };
	cat->templates = &one;
	cat->template_count = 1;
	cat->municipality.default_language = CATALOGUE_TR;
	cat->municipality.sms_keyword = "MASA";
	cat->municipality.sms_reply_to = "3344";
	wish_words_write(cat, true, noon(), &words);
	CHECK_U64("in one language alone", words.count, 1);
	CHECK_STR("keyword", words.bodies[0], "30.11.2026 12:05: MASA BAŞLA, 3344");
	wish_words_write(cat, false, noon(), &words);
	CHECK_U64("nobody wrote any", words.count, 0);
	catalogue_destroy(cat);
}

/* --- the configuration ------------------------------------------------------------------------ */

static bool
is_said(const struct catalogue_report *report, const char *file, const char *reason)
{
	for (size_t i = 0; i < report->kept; i++)
		if (strcmp(report->problems[i].file, file) == 0
		    && strstr(report->problems[i].reason, reason) != NULL)
			return true;
	return false;
}

/* Its municipality.csv with both rows filled in; NULL: a check has failed. */
static const char *
with_rows(const char *number, const char *keyword)
{
	static char text[4000], out[4200];
	static const char rows[] = "sms_reply_to,\nsms_keyword,\n";

	if (!muratpasa_settings(text, sizeof(text)))
		return NULL;
	const char *at = strstr(text, rows);
	if (!CHECK(at != NULL))
		return NULL;
	snprintf(out, sizeof(out), "%.*ssms_reply_to,%s\nsms_keyword,%s\n%s", (int)(at - text),
	    text, number, keyword, at + strlen(rows));
	return out;
}

TEST(test_a_keyword_is_checked)
{
	static struct catalogue_report report;
	static const struct {
		const char *number, *keyword, *file, *reason;
	} cases[] = {
		{ "", "MASA", "municipality.csv", "sms_keyword without sms_reply_to" },
		{ "3344", "MASA X", "municipality.csv", "is a word of at most 12" },
		{ "3344", "masa", "municipality.csv", "is a word of at most 12" },
		{ "3344", "5", "municipality.csv", "is a word of at most 12" },
		{ "3344", "ABCDEFGHIJKLM", "municipality.csv", "longer than 12" },
		{ "3344", "MASA", "templates/survey.sms.tr.reply.txt", "{sms_keyword} is missing" },
		{ "3344", "MASA", "templates/sms_stopped.sms.en.reply.txt",
		    "{sms_keyword} is missing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *settings = with_rows(cases[i].number, cases[i].keyword);
		if (settings == NULL)
			return;
		struct catalogue *cat = muratpasa_load_with("municipality.csv", settings, &report);
		CHECK_TRUE(cases[i].keyword, cat == NULL);
		CHECK_TRUE(cases[i].reason, is_said(&report, cases[i].file, cases[i].reason));
		catalogue_destroy(cat);
	}
}

TEST(test_texts_of_a_wish_are_checked)
{
	static struct catalogue_report report;
	static const struct {
		const char *file, *text, *reason;
	} cases[] = {
		{ "templates/sms_stopped.sms.tr.txt", "RET", "{moment} is missing" },
		{ "templates/sms_stopped.sms.tr.txt", "{moment} {number}",
		    "{number} has no value" },
		{ "templates/sms_stopped.sms.tr.txt", "{moment} {sms_keyword} RET",
		    "{sms_keyword} is empty" },
		{ "templates/sms_started.sms.tr.txt", "{moment} {sms_reply_to}", "is empty" },
		{ "templates/sms_started.email.tr.txt", "Subject: x\n\n{moment}",
		    "of known words" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct catalogue *cat = muratpasa_load_with(cases[i].file, cases[i].text, &report);
		CHECK_TRUE(cases[i].reason, cat == NULL);
		CHECK_TRUE(cases[i].reason, is_said(&report, cases[i].file, cases[i].reason));
		catalogue_destroy(cat);
	}
}
