/* Filling in texts. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "template.h"

static const struct template_values all = { .of = {
						[FIELD_NUMBER] = "26-0012345-4",
						[FIELD_STATUS] = "Alındı",
						[FIELD_SUBJECT] = "Çöp alımı",
						[FIELD_LINK] = "http://a/?no=1",
						[FIELD_MUNICIPALITY] = "Muratpaşa",
						[FIELD_PHONE] = "444 80 07",
						[FIELD_DATE] = "24.11.2026",
						[FIELD_DEPARTMENT] = "Temizlik",
						[FIELD_DUE_DATE] = "–",
						[FIELD_CLOSURE_REASON] = "Yapıldı",
						[FIELD_INSTITUTION] = "ASAT",
						[FIELD_NAME] = "{number}",
						[FIELD_ANSWER] = "bir\niki\tüç\x7f\x01",
					    } };

static const struct {
	const char *name, *text, *line, *body;
} fills[] = {
	{ "no placeholder", "düz metin", "düz metin", "düz metin" },
	{ "empty", "", "", "" },
	{ "every one",
	    "{number}|{status}|{subject}|{link}|{municipality}|{phone}|{date}|{department}|{due_"
	    "date}|"
	    "{closure_reason}|{institution}|{reference}|",
	    "26-0012345-4|Alındı|Çöp alımı|http://a/?no=1|Muratpaşa|444 80 "
	    "07|24.11.2026|Temizlik|–|"
	    "Yapıldı|ASAT||",
	    "26-0012345-4|Alındı|Çöp alımı|http://a/?no=1|Muratpaşa|444 80 "
	    "07|24.11.2026|Temizlik|–|"
	    "Yapıldı|ASAT||" },
	{ "a value is not filled in again", "{name}", "{number}", "{number}" },
	{ "control characters of values", "<{answer}>", "<bir iki üç  >", "<bir\niki üç  >" },
	{ "those of the text stay", "a\nb", "a\nb", "a\nb" },
	{ "an empty value leaves no hole", "a\n\n{reference}\n\nb", "a\n\n\n\nb", "a\n\nb" },
	{ "a full one keeps its lines", "a\n\n{number}\n\nb", "a\n\n26-0012345-4\n\nb",
	    "a\n\n26-0012345-4\n\nb" },
	{ "twice", "{date}{date}", "24.11.202624.11.2026", "24.11.202624.11.2026" },
	{ "unknown", "{nummer}", NULL, NULL },
	{ "prefix of a known one", "{num}", NULL, NULL },
	{ "longer than a known one", "{numbers}", NULL, NULL },
	{ "empty name", "{}", NULL, NULL },
	{ "not closed", "a {number", NULL, NULL },
	{ "only opened", "{", NULL, NULL },
	{ "a closing one alone is text", "a } b", "a } b", "a } b" },
};

TEST(test_template_fills)
{
	char out[400];

	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		bool fits = template_fill(fills[i].text, &all, TEMPLATE_LINE, out, sizeof(out));
		CHECK_U64(fills[i].name, fits, fills[i].line != NULL);
		CHECK_STR(fills[i].name, out, fits ? fills[i].line : "");
		fits = template_fill(fills[i].text, &all, TEMPLATE_TEXT, out, sizeof(out));
		CHECK_U64(fills[i].name, fits, fills[i].body != NULL);
		CHECK_STR(fills[i].name, out, fits ? fills[i].body : "");
	}
}

TEST(test_template_never_cuts)
{
	static const char text[] = "no {number} yes";
	const size_t whole = strlen("no 26-0012345-4 yes");
	char out[64];

	for (size_t size = 0; size <= whole + 1; size++) {
		memset(out, '#', sizeof(out));
		bool fits = template_fill(text, &all, TEMPLATE_LINE, out, size);
		CHECK_U64("fits", fits, size > whole);
		if (size > 0)
			CHECK_STR("all or nothing", out, fits ? "no 26-0012345-4 yes" : "");
		CHECK_I64("nothing behind it is touched", out[size], '#');
	}
}
