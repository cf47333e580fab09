/* The texts to citizens, one spoiled or added at a time, in the worked municipality. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "muratpasa.h"

#define LONG_SMS                                                                                              \
	"{number} {status} Sayın hemşehrimiz, başvurunuz işlemleri tamamlanmış olup ayrıntılı "      \
	"bilgiyi takip sayfamızdan öğrenebilirsiniz. İlginiz için teşekkür eder, sağlıklı günler " \
	"dileriz. {link} {municipality} {phone} {subject}"

static const struct {
	const char *name, *file, *text; /* text NULL: left out */
	int line;
	bool warning;
	const char *reason; /* NULL: nothing is wrong with it */
} cases[] = {
	{ "a name in a subject line", "templates/received.email.tr.txt",
	    "Subject: {number} {name}\n\n{status}\n", 1, false, "not in the subject line" },
	{ "a matter in a discreet text", "templates/routed.sms.tr.discreet.txt",
	    "{number} {status}\n{subject}", 2, false, "says what the matter is" },
	{ "an answer in a discreet mail", "templates/resolved.email.tr.discreet.txt",
	    "Subject: {number}\n\n{status}\n{answer}\n", 4, false, "says what the matter is" },
	{ "no status in a discreet text", "templates/routed.sms.tr.discreet.txt", "{number}", 0,
	    false, "{status} is missing" },
	{ "a discreet text needs no department", "templates/routed.sms.tr.discreet.txt",
	    "{number} {status}", 0, false, NULL },
	{ "a class that is none", "templates/routed.sms.tr.secret.txt", "{number} {status}", 0,
	    false, "of known words" },
	{ "an extension without its day", "templates/extended.sms.tr.txt",
	    "{number} {status} {reason}", 0, false, "{due_date} is missing" },
	{ "an extension without its reason", "templates/extended.sms.tr.txt",
	    "{number} {status} {due_date}", 0, false, "{reason} is missing" },
	{ "a mail of an extension without its reason", "templates/extended.email.tr.txt",
	    "Subject: {number}\n\n{status} {due_date}", 0, false, "{reason} is missing" },
	{ "a discreet one says it too", "templates/extended.email.en.discreet.txt",
	    "Subject: {number}\n\n{status} {due_date}", 0, false, "{reason} is missing" },
	{ "a reason of nothing", "templates/received.email.tr.txt",
	    "Subject: {number}\n\n{status} {reason}", 3, false, "has no value" },
	{ "no discreet text", "templates/received.sms.tr.discreet.txt", NULL, 0, true,
	    "the ordinary text is used" },
	{ "nobody is told of answers", "templates/answered.sms.tr.txt", NULL, 0, true,
	    "nobody is told" },
	{ "no English one", "templates/answered.sms.en.txt", NULL, 0, true,
	    "the default language is used" },
	{ "a text left out", "templates/received.sms.tr.txt", NULL, 0, false,
	    "the file is missing" },
	{ "three parts in Turkish", "templates/received.sms.tr.txt", LONG_SMS, 0, false,
	    "at most 2 go out" },
	{ "two when its letters are plain", "templates/received.sms.tr.txt",
	    "Coding: ascii\n\n" LONG_SMS, 0, false, NULL },
	{ "a coding that is none", "templates/received.sms.tr.txt",
	    "Coding: gsm\n\n{number} {status}", 1, false, "auto, ascii, tr or ucs2" },
	{ "no empty line behind it", "templates/received.sms.tr.txt",
	    "Coding: tr\n{number} {status}", 2, false, "an empty line must follow" },
	{ "lines are counted behind it", "templates/received.sms.tr.txt",
	    "Coding: tr\n\n{number}\n{stat}", 4, false, "unknown placeholder {stat}" },
	{ "a dear character", "templates/received.sms.tr.txt", "{number} {status} \xe2\x98\xba", 0,
	    true, "costs UCS-2" },
	{ "one that is lost in Turkish", "templates/received.sms.tr.txt",
	    "Coding: tr\n\n{number} {status} \xe2\x98\xba", 0, true, "1 characters become" },
};

TEST(test_catalogue_template_lint)
{
	static struct catalogue_report report;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool found = false;
		struct catalogue *cat = muratpasa_load_with(cases[i].file, cases[i].text, &report);
		bool sound = cases[i].reason == NULL || cases[i].warning;
		CHECK_U64(cases[i].name, cat != NULL, sound);
		for (size_t k = 0; k < report.kept; k++) {
			const struct catalogue_problem *p = &report.problems[k];
			bool this_one = cases[i].reason != NULL && p->warning == cases[i].warning
					&& p->line == cases[i].line
					&& strcmp(p->file, cases[i].file) == 0
					&& strstr(p->reason, cases[i].reason) != NULL;
			found = found || this_one;
			if (!this_one)
				printf(
				    "[%s] %s:%d: %s\n", cases[i].name, p->file, p->line, p->reason);
		}
		CHECK_U64(cases[i].name, found, cases[i].reason != NULL);
		catalogue_destroy(cat);
	}
}
