/* Reminders of departments and what is read of CİMER, one thing spoiled at a time, in the worked
 * municipality. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "muratpasa.h"

#define CIMER                                                                             \
	"what,name,value\ncolumn,Başvuru No,reference\ncolumn,Tarih,date\ncolumn,Metin," \
	"text\nkind,*,3071\nsubject,*,diger\nunit,12345678,fen\nkind,Bilgi Edinme,4982\n"
#define OFFICES                                                                            \
	"code,name_tr,name_en,calendar,email,active,remind_at,escalate_to,escalate_after_" \
	"hours\n"

#define TRIAGE "key,value\nname,X\ntriage_department,"

static const struct {
	const char *name, *file, *text;
	int line;
	const char *reason;
} cases[] = {
	{ "a time that is none", "departments.csv", OFFICES "fen,F,,ofis,a@b.example,yes,9:00,,\n",
	    2, "remind_at \"9:00\" is not a time" },
	{ "midnight at the end", "departments.csv", OFFICES "fen,F,,ofis,a@b.example,yes,24:00,,\n",
	    2, "is not a time" },
	{ "times backwards", "departments.csv",
	    OFFICES "fen,F,,ofis,a@b.example,yes,14:00;09:00,,\n", 2, "not ascending" },
	{ "times without end", "departments.csv",
	    OFFICES "fen,F,,ofis,a@b.example,yes,01:00;02:00;03:00;04:00;05:00,,\n", 2,
	    "more than 4 times" },
	{ "reminding nobody", "departments.csv", OFFICES "fen,F,,ofis,,yes,09:00,,\n", 2,
	    "remind_at without email" },
	{ "escalating after nothing", "departments.csv",
	    OFFICES "fen,F,,ofis,a@b.example,yes,09:00,c@d.example,\n", 2, "both or neither" },
	{ "escalating never", "departments.csv",
	    OFFICES "fen,F,,ofis,a@b.example,yes,,c@d.example,8\n", 2,
	    "escalate_to without remind_at" },

	{ "triage of nobody", "municipality.csv", TRIAGE "yok\n", 3, "unknown department \"yok\"" },
	{ "triage of two", "municipality.csv", TRIAGE "a b\n", 3, "must be a code" },

	{ "an application without a text", "cimer.csv",
	    "what,name,value\ncolumn,No,reference\ncolumn,Tarih,date\nkind,*,3071\nsubject,*,"
	    "diger\n",
	    0, "no column is the text" },
	{ "an application of no basis", "cimer.csv",
	    "what,name,value\ncolumn,No,reference\ncolumn,T,date\ncolumn,M,text\nsubject,*,"
	    "diger\n",
	    0, "kind,*,... is missing" },
	{ "a header for two fields", "cimer.csv", CIMER "column,BAŞVURU  NO.,text\n", 9,
	    "\"basvuru no\" twice" },
	{ "a field that is none", "cimer.csv", CIMER "column,TC,tckn\n", 9,
	    "no field of an application" },
	{ "a unit of seven digits", "cimer.csv", CIMER "unit,1234567,fen\n", 9, "not a unit code" },
	{ "a unit of nobody", "cimer.csv", CIMER "unit,12345679,yok\n", 9, "unknown department" },
	{ "a law that is none", "cimer.csv", CIMER "kind,Öneri,657\n", 9, "not none, 3071, 4982" },
	{ "a kind of no subject", "cimer.csv", CIMER "subject,Öneri,yok\n", 9,
	    "unknown subject \"yok\"" },
	{ "a row of nothing", "cimer.csv", CIMER "sheet,a,b\n", 9, "what \"sheet\"" },
	{ "two reminders", "cimer.csv", CIMER "reminder,7,fen\nreminder,3,park\n", 10,
	    "a reminder twice" },
	{ "a reminder after the end", "cimer.csv", CIMER "reminder,30,fen\n", 9,
	    "not a whole number from 1 to 29" },
};

TEST(test_catalogue_offices_lint)
{
	static struct catalogue_report report;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct catalogue *cat = muratpasa_load_with(cases[i].file, cases[i].text, &report);
		bool said = false;
		CHECK_TRUE(cases[i].name, cat == NULL);
		for (size_t p = 0; p < report.kept; p++)
			said = said
			       || (strcmp(report.problems[p].file, cases[i].file) == 0
				   && report.problems[p].line == cases[i].line
				   && strstr(report.problems[p].reason, cases[i].reason) != NULL);
		if (!CHECK_TRUE(cases[i].name, said) && report.kept > 0)
			printf("\t%s\n", report.problems[0].reason);
		catalogue_destroy(cat);
	}
}

TEST(test_how_applications_are_read)
{
	static struct catalogue_report report;
	struct catalogue *cat = muratpasa_load_with("cimer.csv", CIMER, &report);

	if (!CHECK(cat != NULL))
		return;
	const struct catalogue_cimer_column *column = catalogue_cimer_column(cat, "basvuru no");
	CHECK(column != NULL && column->field == CIMER_REFERENCE);
	CHECK(catalogue_cimer_column(cat, "konu") == NULL);
	CHECK_I64(
	    "as it is named", catalogue_cimer_basis(cat, "bilgi edinme"), LEGAL_INFORMATION_4982);
	CHECK_I64("all others", catalogue_cimer_basis(cat, ""), LEGAL_PETITION_3071);
	CHECK_STR("subject", catalogue_cimer_subject(cat, "bilgi edinme")->code, "diger");
	CHECK_STR("unit", catalogue_cimer_unit(cat, "12345678")->code, "fen");
	CHECK(catalogue_cimer_unit(cat, "87654321") == NULL);
	CHECK(cat->cimer.reminded == NULL);
	catalogue_destroy(cat);
}

TEST(test_without_it_nothing_is_read)
{
	static struct catalogue_report report;
	struct catalogue *cat = muratpasa_load_with("cimer.csv", NULL, &report);

	if (CHECK(cat != NULL))
		CHECK_U64("no column", cat->cimer.column_count, 0);
	catalogue_destroy(cat);
}
