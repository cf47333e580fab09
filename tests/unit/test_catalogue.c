/* The parser of the municipality's files: what it refuses, where, and in which words. */
#include "catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bundle.h"
#include "check.h"
#include "istanbul.h"

#define MUNICIPALITY                                                                              \
	"key,value\nname,Deneme Belediyesi\njurisdiction_id,deneme\ntime_zone,Europe/Istanbul\n"  \
	"phone,444 80 07\nbase_url,https://ornek.example\nemail_from,masa@ornek.example\n"        \
	"sms_sender,DENEME\ninformation_text_version,v1\n"                                        \
	"information_text_url,https://ornek.example/metin\noffice_calendar,ofis\n"                \
	"default_language,tr\nreopen_window_days,10\nsurvey_enabled,yes\nsurvey_delay_hours,24\n" \
	"service_due_soon_percent,75\nlegal_due_soon_days,5\nquiet_from,21:00\nquiet_to,08:00\n"  \
	"min_latitude,36\nmin_longitude,30\nmax_latitude,37\nmax_longitude,31\n"

#define HOLIDAYS                                                                       \
	"date,name_tr,name_en,closed_from,closed_to,calendars\n2026-01-01,a,,,,*\n"    \
	"2026-04-23,a,,,,*\n2026-05-01,a,,,,*\n2026-05-19,a,,,,*\n2026-07-15,a,,,,*\n" \
	"2026-08-30,a,,,,*\n2026-10-28,a,,13:00,,*\n2026-10-29,a,,,,*\n"

#define CALENDARS                                                                                 \
	"name,weekday,open,close\nofis,mon-fri,08:00,12:00\nofis,mon-fri,13:00,17:00\n7-24,*,00:" \
	"00,24:00\n"
#define DEPARTMENTS                                                                              \
	"code,name_tr,name_en,calendar,email,active\nfen,Fen,Works,ofis,,yes\neski,Eski,,ofis,," \
	"no\n"
#define SUBJECTS                                                             \
	"code,name_tr,name_en,group,service_hours,public,special_category\n" \
	"yol,Yol,Road,Yol,8,yes,no\nevde,Evde,,Sağlık,,no,yes\n"
#define QUESTIONS                                                                     \
	"subject,order,code,datatype,required,description_tr,description_en,values\n" \
	"yol,2,b,string,no,B?,,\nyol,1,a,singlevaluelist,yes,A?,,x:X|Ex;y:Y\n"
#define NEIGHBOURHOODS                                                                             \
	"code,name,population,latitude,longitude,aliases\nbir,Bir,10,36.5,30.5,Birinci\niki,İki," \
	"20,36.6,30.6,\n"
#define RULES                                                                                 \
	"order,subject,neighbourhood,channel,department,priority\n20,*,*,*,fen,\n10,yol,bir," \
	"cimer;web,fen,high\n"
#define COMPETENCE                                                                \
	"subject,neighbourhood,street,institution,note_tr,note_en\nyol,bir,Gazi " \
	"Blv.,su,Onların,Theirs\n"                                               \
	"yol,*,Gazi Bulvarı,-,Bizim,Ours\n"
#define CLOSURE "code,name_tr,name_en,applies_to\ntamam,Tamam,Done,*\n"
#define WAIT "code,name_tr,name_en\nhava,Hava,Weather\n"
#define INSTITUTIONS "code,name_tr,name_en\nsu,Su İdaresi,\n"

static const struct {
	const char *name;
	const char *text;
} sound[] = {
	{ "municipality.csv", MUNICIPALITY },
	{ "calendars.csv", CALENDARS },
	{ "holidays.csv", HOLIDAYS },
	{ "departments.csv", DEPARTMENTS },
	{ "institutions.csv", INSTITUTIONS },
	{ "closure_reasons.csv", CLOSURE },
	{ "wait_reasons.csv", WAIT },
	{ "subjects.csv", SUBJECTS },
	{ "questions.csv", QUESTIONS },
	{ "neighbourhoods.csv", NEIGHBOURHOODS },
	{ "rules.csv", RULES },
	{ "templates/received.sms.tr.txt", "{number} {status}\n" },
	{ "templates/received.email.tr.txt", "Subject: {number}\r\n\r\n{status}\r\n" },
	{ "templates/routed.sms.tr.txt", "{number} {status} {department}" },
	{ "templates/routed.email.tr.txt", "Subject: {number}\n\n{status} {department}\n" },
	{ "templates/resolved.sms.tr.txt", "{number} {status}" },
	{ "templates/resolved.email.tr.txt", "Subject: {number}\n\n{status} {answer}\n" },
	{ "templates/rejected.sms.tr.txt", "{number} {status} {closure_reason}" },
	{ "templates/rejected.email.tr.txt", "Subject: {number}\n\n{status} {closure_reason}\n" },
	{ "templates/forwarded.sms.tr.txt", "{number} {status} {institution}" },
	{ "templates/forwarded.email.tr.txt", "Subject: {number}\n\n{status} {institution}\n" },
};

/* The sound configuration with one file replaced (text NULL: left out; an unknown name: added). */
static struct catalogue *
parse_with(const char *file, const char *text, struct catalogue_report *report)
{
	struct bundle b;
	const char *why = "";
	bool replaced = false;

	bundle_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		bool this_one = file != NULL && strcmp(sound[i].name, file) == 0;
		const char *use = this_one ? text : sound[i].text;
		replaced = replaced || this_one;
		if (use != NULL)
			CHECK_TRUE(why, bundle_add(&b, sound[i].name, use, strlen(use), &why));
	}
	if (file != NULL && !replaced)
		CHECK_TRUE(why, bundle_add(&b, file, text, strlen(text), &why));
	struct catalogue *cat = catalogue_parse(&b, report);
	bundle_finish(&b);
	return cat;
}

static void
say(const char *name, const struct catalogue_report *report)
{
	for (size_t i = 0; i < report->kept; i++)
		printf("[%s] %s:%d: %s\n", name, report->problems[i].file, report->problems[i].line,
		    report->problems[i].reason);
}

TEST(test_catalogue_sound)
{
	static struct catalogue_report report;
	struct catalogue *cat = parse_with(NULL, NULL, &report);

	if (!CHECK(cat != NULL)) {
		say("sound", &report);
		return;
	}
	/* English: 10.  Not everybody has them: 12.  Discreet ones: 10. */
	CHECK_U64("only texts that may be missing are missed", report.warnings, 32);
	const struct catalogue_municipality *m = &cat->municipality;
	CHECK_STR("name", m->name, "Deneme Belediyesi");
	CHECK_I64("quiet", m->quiet_from_min, 21 * 60);
	CHECK_I64("window", m->reopen_window_days, 10);
	CHECK(m->survey_enabled && m->default_language == CATALOGUE_TR);
	CHECK(m->survey_reminder_days == 3 && m->survey_expiry_days == 14); /* not in the file */
	CHECK(m->min_lat == 36 && m->max_long == 31);
	CHECK_STR("English falls back", catalogue_say(&cat->institutions[0].name, CATALOGUE_EN),
	    "Su İdaresi");

	const struct catalogue_subject *yol = catalogue_subject(cat, "yol");
	CHECK_I64("eight hours", yol->service_ms, 8 * 3600 * 1000);
	CHECK_I64("normal by default", yol->priority, PRIORITY_NORMAL);
	CHECK_STR("realtime by default", yol->type, "realtime");
	CHECK_U64("questions", yol->question_count, 2);
	CHECK_STR("in their order", yol->questions[0].code, "a");
	CHECK_STR("a label", yol->questions[0].values[1].name.in[CATALOGUE_EN], "Y");
	CHECK_U64("no questions", catalogue_subject(cat, "evde")->question_count, 0);
	CHECK_I64("no promise", catalogue_subject(cat, "evde")->service_ms, 0);

	const struct calendar *watch = catalogue_calendar(cat, "7-24");
	CHECK_TRUE("holidays do not close a watch", watch->always_open);
	CHECK_U64("they close an office", catalogue_calendar(cat, "ofis")->holiday_count, 8);
	CHECK(catalogue_department(cat, "fen")->calendar == catalogue_calendar(cat, "ofis"));

	CHECK_I64("sorted by order", cat->rules[0].order, 10);
	CHECK_I64("the first match", catalogue_route(cat, "yol", "bir", "web")->order, 10);
	CHECK_I64("another channel", catalogue_route(cat, "yol", "bir", "call")->order, 20);
	CHECK_I64("no neighbourhood", catalogue_route(cat, "yol", "", "web")->order, 20);
	CHECK_STR("alias", catalogue_neighbourhood_named(cat, "BİRİNCİ Mah.")->code, "bir");
	CHECK_STR("e-mail body with LF",
	    catalogue_template(cat, "received", "email", CATALOGUE_EN, false)->body, "{status}");
	catalogue_destroy(cat);
}

static const struct {
	const char *name;
	const char *file;
	const char *text;
	const char *in_file; /* where the problem is said to be */
	int line;
	const char *reason; /* part of it */
} refused[] = {
	{ "a file left out", "rules.csv", NULL, "rules.csv", 0, "the file is missing" },
	{ "an empty file", "rules.csv", "", "rules.csv", 0, "needs a header" },
	{ "a stray file", "rule.csv", "x", "rule.csv", 0, "no such file belongs" },
	{ "a wrong column", "wait_reasons.csv", "code,name_tr,name_en,x\n", "wait_reasons.csv", 1,
	    "unknown column \"x\"" },
	{ "a column left out", "wait_reasons.csv", "code,name_tr\nhava,Hava\n", "wait_reasons.csv",
	    1, "column \"name_en\" is missing" },
	{ "a column twice", "wait_reasons.csv", "code,name_tr,name_en,code\n", "wait_reasons.csv",
	    1, "column \"code\" twice" },
	{ "a bad quote in the header", "wait_reasons.csv", "co\"de\n", "wait_reasons.csv", 1,
	    "a quote inside" },
	{ "a row too short", "wait_reasons.csv", WAIT "mevsim,Mevsim\n", "wait_reasons.csv", 3,
	    "2 fields, but the header has 3" },
	{ "CSV broken in line 3", "wait_reasons.csv", WAIT "\"mevsim,x,y\n", "wait_reasons.csv", 3,
	    "never closed" },
	{ "not UTF-8", "wait_reasons.csv", WAIT "yaz,\xfe,y\n", "wait_reasons.csv", 3,
	    "not UTF-8" },
	{ "a code with a space", "wait_reasons.csv", WAIT "bu ne,x,y\n", "wait_reasons.csv", 3,
	    "is not a code" },
	{ "a Turkish code", "wait_reasons.csv", WAIT "kış,x,y\n", "wait_reasons.csv", 3,
	    "is not a code" },
	{ "an empty code", "wait_reasons.csv", WAIT ",x,y\n", "wait_reasons.csv", 3,
	    "is not a code" },
	{ "a code twice", "wait_reasons.csv", WAIT "hava,x,y\n", "wait_reasons.csv", 3,
	    "reason \"hava\" twice" },
	{ "no name", "wait_reasons.csv", WAIT "yaz,,y\n", "wait_reasons.csv", 3,
	    "name_tr is empty" },
	{ "spaces around", "wait_reasons.csv", WAIT "yaz, x,y\n", "wait_reasons.csv", 3,
	    "name_tr has spaces around it" },
	{ "a control character", "wait_reasons.csv", WAIT "yaz,a\tb,y\n", "wait_reasons.csv", 3,
	    "control character" },
	{ "no reason at all", "wait_reasons.csv", "code,name_tr,name_en\n", "wait_reasons.csv", 0,
	    "there is no reason" },
	{ "an end that is none", "closure_reasons.csv", CLOSURE "x,X,,resolved;closed\n",
	    "closure_reasons.csv", 3, "neither * nor a list of ends" },

	{ "an unknown key", "municipality.csv", MUNICIPALITY "colour,orange\n", "municipality.csv",
	    24, "unknown key \"colour\"" },
	{ "a key twice", "municipality.csv", MUNICIPALITY "name,X\n", "municipality.csv", 24,
	    "key \"name\" twice" },
	{ "a key left out", "municipality.csv", "key,value\nname,X\n", "municipality.csv", 0,
	    "key \"jurisdiction_id\" is missing" },
	{ "another time zone", "municipality.csv", "key,value\ntime_zone,Europe/Berlin\n",
	    "municipality.csv", 2, "must be Europe/Istanbul" },
	{ "no phone", "municipality.csv", "key,value\nphone,bizi arayin\n", "municipality.csv", 2,
	    "not a telephone number" },
	{ "a final slash", "municipality.csv", "key,value\nbase_url,https://x.example/\n",
	    "municipality.csv", 2, "without a final '/'" },
	{ "no URL", "municipality.csv", "key,value\nbase_url,x.example\n", "municipality.csv", 2,
	    "must be http(s)" },
	{ "no address", "municipality.csv", "key,value\nemail_from,masa\n", "municipality.csv", 2,
	    "not an e-mail address" },
	{ "a Turkish sender", "municipality.csv", "key,value\nsms_sender,MURATPAŞA\n",
	    "municipality.csv", 2, "1 to 11 ASCII" },
	{ "a long sender", "municipality.csv", "key,value\nsms_sender,MURATPASABEL\n",
	    "municipality.csv", 2, "longer than 11 bytes" },
	{ "a negative window", "municipality.csv", "key,value\nreopen_window_days,-1\n",
	    "municipality.csv", 2, "not a whole number from 0 to 365" },
	{ "half a day", "municipality.csv", "key,value\nreopen_window_days,1.5\n",
	    "municipality.csv", 2, "not a whole number" },
	{ "perhaps", "municipality.csv", "key,value\nsurvey_enabled,evet\n", "municipality.csv", 2,
	    "neither yes nor no" },
	{ "25 o'clock", "municipality.csv", "key,value\nquiet_from,25:00\n", "municipality.csv", 2,
	    "not a time of day" },
	{ "a language we lack", "municipality.csv", "key,value\ndefault_language,de\n",
	    "municipality.csv", 2, "neither tr nor en" },
	{ "a latitude beyond the pole", "municipality.csv", "key,value\nmin_latitude,90.5\n",
	    "municipality.csv", 2, "not a number from -90 to 90" },
	{ "a decimal comma", "municipality.csv", "key,value\nmin_latitude,\"36,5\"\n",
	    "municipality.csv", 2, "not a number" },
	{ "bounds the wrong way", "municipality.csv",
	    "key,value\nmin_latitude,37\nmax_latitude,36\n", "municipality.csv", 0,
	    "the wrong way round" },
	{ "an office that is unknown", "calendars.csv",
	    "name,weekday,open,close\nx,mon,08:00,09:00\n", "municipality.csv", 11,
	    "unknown calendar \"ofis\"" },
	{ "an office day and night", "calendars.csv",
	    "name,weekday,open,close\nofis,*,00:00,24:00\n", "municipality.csv", 11,
	    "no working days" },

	{ "intervals that overlap", "calendars.csv", CALENDARS "ofis,wed,11:00,14:00\n",
	    "calendars.csv", 2, "calendar ofis: intervals of a day overlap" },
	{ "intervals that touch", "calendars.csv", CALENDARS "ofis,wed,12:00,12:30\n",
	    "calendars.csv", 2, "overlap or touch" },
	{ "five intervals", "calendars.csv",
	    CALENDARS "x,mon,01:00,02:00\nx,mon,03:00,04:00\nx,mon,05:00,06:00\nx,mon,07:00,08:00\n"
		      "x,mon,09:00,10:00\n",
	    "calendars.csv", 9, "more than 4 intervals on mon" },
	{ "closing before opening", "calendars.csv", CALENDARS "x,mon,17:00,08:00\n",
	    "calendars.csv", 5, "to a later one" },
	{ "past midnight", "calendars.csv", CALENDARS "x,mon,17:00,24:01\n", "calendars.csv", 5,
	    "to a later one" },
	{ "a weekday in Turkish", "calendars.csv", CALENDARS "x,pzt,08:00,17:00\n", "calendars.csv",
	    5, "weekday \"pzt\"" },
	{ "a week backwards", "calendars.csv", CALENDARS "x,fri-mon,08:00,17:00\n", "calendars.csv",
	    5, "weekday \"fri-mon\"" },
	{ "a long name", "calendars.csv",
	    CALENDARS "abcdefghijklmnopqrstuvwxyzabcdefgh,mon,08:00,17:00\n", "calendars.csv", 5,
	    "at most 31 letters" },
	{ "no calendar", "calendars.csv", "name,weekday,open,close\n", "calendars.csv", 0,
	    "there is no calendar" },

	{ "30 February", "holidays.csv", HOLIDAYS "2026-02-30,a,,,,*\n", "holidays.csv", 10,
	    "not a date" },
	{ "a German date", "holidays.csv", HOLIDAYS "01.01.2027,a,,,,*\n", "holidays.csv", 10,
	    "not a date" },
	{ "a closure twice", "holidays.csv", HOLIDAYS "2026-10-29,b,,,,*\n", "holidays.csv", 10,
	    "the same closure twice" },
	{ "closed backwards", "holidays.csv", HOLIDAYS "2026-12-31,b,,13:00,12:00,*\n",
	    "holidays.csv", 10, "to a later one" },
	{ "an unknown scope", "holidays.csv", HOLIDAYS "2026-12-31,b,,,,ofis;kat\n", "holidays.csv",
	    10, "neither * nor known calendars" },

	{ "a department without a calendar", "departments.csv", DEPARTMENTS "x,X,,hic,,yes\n",
	    "departments.csv", 4, "unknown calendar \"hic\"" },
	{ "a department twice", "departments.csv", DEPARTMENTS "fen,X,,ofis,,yes\n",
	    "departments.csv", 4, "department \"fen\" twice" },
	{ "two addresses", "departments.csv", DEPARTMENTS "x,X,,ofis,\"a@b,c@d\",yes\n",
	    "departments.csv", 4, "not an e-mail address" },

	{ "a public secret", "subjects.csv", SUBJECTS "x,X,,G,,yes,yes\n", "subjects.csv", 4,
	    "cannot be public" },
	{ "a subject twice", "subjects.csv", SUBJECTS "yol,X,,G,,yes,no\n", "subjects.csv", 4,
	    "subject \"yol\" twice" },
	{ "a promise of nothing", "subjects.csv", SUBJECTS "x,X,,G,0,yes,no\n", "subjects.csv", 4,
	    "service_hours \"0\" is not a number" },
	{ "an unknown law", "subjects.csv",
	    "code,name_tr,name_en,group,legal_basis,public,special_category\nyol,X,,G,657,yes,no\n",
	    "subjects.csv", 2, "legal_basis \"657\"" },
	{ "an unknown priority", "subjects.csv",
	    "code,name_tr,name_en,group,priority,public,special_category\nyol,X,,G,acil,yes,no\n",
	    "subjects.csv", 2, "priority \"acil\"" },
	{ "an unknown type", "subjects.csv",
	    "code,name_tr,name_en,group,type,public,special_category\nyol,X,,G,later,yes,no\n",
	    "subjects.csv", 2, "type \"later\"" },
	{ "no subject", "subjects.csv", "code,name_tr,name_en,group,public,special_category\n",
	    "subjects.csv", 0, "there is no subject" },

	{ "a question about nothing", "questions.csv", QUESTIONS "x,1,c,string,no,C,,\n",
	    "questions.csv", 4, "unknown subject \"x\"" },
	{ "a question twice", "questions.csv", QUESTIONS "yol,3,a,string,no,C,,\n", "questions.csv",
	    4, "question \"a\" of this subject twice" },
	{ "an order twice", "questions.csv", QUESTIONS "yol,1,c,string,no,C,,\n", "questions.csv",
	    4, "order 1 of this subject twice" },
	{ "an unknown datatype", "questions.csv", QUESTIONS "yol,3,c,list,no,C,,\n",
	    "questions.csv", 4, "datatype \"list\"" },
	{ "a list of nothing", "questions.csv", QUESTIONS "yol,3,c,multivaluelist,no,C,,\n",
	    "questions.csv", 4, "a list needs values" },
	{ "a text with values", "questions.csv", QUESTIONS "yol,3,c,text,no,C,,x:X\n",
	    "questions.csv", 4, "only a list has values" },
	{ "a value without a label", "questions.csv", QUESTIONS "yol,3,c,singlevaluelist,no,C,,x\n",
	    "questions.csv", 4, "is not key:Türkçe|English" },
	{ "a value twice", "questions.csv", QUESTIONS "yol,3,c,singlevaluelist,no,C,,x:X;x:Y\n",
	    "questions.csv", 4, "value \"x\" twice" },

	{ "a neighbourhood twice", "neighbourhoods.csv", NEIGHBOURHOODS "bir,Üç,1,36.5,30.5,\n",
	    "neighbourhoods.csv", 4, "neighbourhood \"bir\" twice" },
	{ "one name for two", "neighbourhoods.csv", NEIGHBOURHOODS "uc,BIRINCI mh.,1,36.5,30.5,\n",
	    "neighbourhoods.csv", 4, "also means neighbourhood \"bir\"" },
	{ "one alias for two", "neighbourhoods.csv", NEIGHBOURHOODS "uc,Üç,1,36.5,30.5,iki\n",
	    "neighbourhoods.csv", 4, "also means neighbourhood \"iki\"" },
	{ "in the sea", "neighbourhoods.csv", NEIGHBOURHOODS "uc,Üç,1,35.5,30.5,\n",
	    "neighbourhoods.csv", 4, "outside the municipality's bounds" },
	{ "fewer than nobody", "neighbourhoods.csv", NEIGHBOURHOODS "uc,Üç,-1,36.5,30.5,\n",
	    "neighbourhoods.csv", 4, "population \"-1\"" },
	{ "a nameless place", "neighbourhoods.csv", NEIGHBOURHOODS "uc,...,1,36.5,30.5,\n",
	    "neighbourhoods.csv", 4, "has no letters" },

	{ "somebody's business of an unknown subject", "competence.csv",
	    COMPETENCE "yok,*,*,su,,\n", "competence.csv", 4, "unknown subject \"yok\"" },
	{ "somebody's business that is nobody's", "competence.csv", COMPETENCE "yol,*,*,yok,,\n",
	    "competence.csv", 4, "institution \"yok\"" },
	{ "somebody's business in no street", "competence.csv", COMPETENCE "yol,*,Park,su,,\n",
	    "competence.csv", 4, "street \"Park\"" },
	{ "somebody's business said twice", "competence.csv",
	    COMPETENCE "yol,bir,gazi bulvar,-,,\n", "competence.csv", 4,
	    "says the same as line 2" },
	{ "a rule for an unknown subject", "rules.csv", RULES "30,yok,*,*,fen,\n", "rules.csv", 4,
	    "unknown subject \"yok\"" },
	{ "a rule for an unknown place", "rules.csv", RULES "30,yol,bir;yok,*,fen,\n", "rules.csv",
	    4, "unknown neighbourhood \"yok\"" },
	{ "a rule for an unknown channel", "rules.csv", RULES "30,yol,*,fax,fen,\n", "rules.csv", 4,
	    "unknown channel \"fax\"" },
	{ "an empty pattern", "rules.csv", RULES "30,,*,*,fen,\n", "rules.csv", 4,
	    "unknown subject \"\"" },
	{ "a rule to nobody we know", "rules.csv", RULES "30,yol,*,*,yok,\n", "rules.csv", 4,
	    "unknown department \"yok\"" },
	{ "a rule to a department that ended", "rules.csv", RULES "30,yol,*,*,eski,\n", "rules.csv",
	    4, "department \"eski\" is not active" },
	{ "two rules of one order", "rules.csv", RULES "10,yol,*,*,fen,\n", "rules.csv", 4,
	    "order 10 also in line 3" },
	{ "order zero", "rules.csv", RULES "0,yol,*,*,fen,\n", "rules.csv", 4, "order \"0\"" },

	{ "a template of an unknown event", "templates/closed.sms.tr.txt", "{number} {status}",
	    "templates/closed.sms.tr.txt", 0, "of known words" },
	{ "a template of an unknown channel", "templates/routed.fax.tr.txt", "{number} {status}",
	    "templates/routed.fax.tr.txt", 0, "of known words" },
	{ "a template with more in its name", "templates/routed.sms.tr.old.txt", "x",
	    "templates/routed.sms.tr.old.txt", 0, "of known words" },
	{ "an unknown placeholder", "templates/received.email.tr.txt",
	    "Subject: {number}\n\n{status}\n{nunber}\n", "templates/received.email.tr.txt", 4,
	    "unknown placeholder {nunber}" },
	{ "one in the subject", "templates/received.email.tr.txt",
	    "Subject: {x}\n\n{number} {status}\n", "templates/received.email.tr.txt", 1,
	    "unknown placeholder {x}" },
	{ "one that has no value yet", "templates/received.sms.tr.txt",
	    "{number} {status} {closure_reason}", "templates/received.sms.tr.txt", 1,
	    "has no value when a ticket is received" },
	{ "a name in an SMS", "templates/received.sms.tr.txt", "{number} {status} {name}",
	    "templates/received.sms.tr.txt", 1, "may stand in an e-mail" },
	{ "no number", "templates/received.sms.tr.txt", "{status}", "templates/received.sms.tr.txt",
	    0, "{number} is missing" },
	{ "no reason when rejected", "templates/rejected.sms.tr.txt", "{number} {status}",
	    "templates/rejected.sms.tr.txt", 0, "{closure_reason} is missing" },
	{ "an open brace", "templates/received.sms.tr.txt", "{number} {status} {",
	    "templates/received.sms.tr.txt", 1, "a brace without its partner" },
	{ "a closing brace", "templates/received.sms.tr.txt", "{number} {status}\n}",
	    "templates/received.sms.tr.txt", 2, "a brace without its partner" },
	{ "braces across lines", "templates/received.sms.tr.txt", "{number} {status} {sub\nject}",
	    "templates/received.sms.tr.txt", 1, "a brace without its partner" },
	{ "no subject line", "templates/received.email.tr.txt", "{number} {status}\n",
	    "templates/received.email.tr.txt", 1, "begins with a line" },
	{ "no empty line", "templates/received.email.tr.txt", "Subject: {number}\n{status}\n",
	    "templates/received.email.tr.txt", 2, "an empty line must follow" },
	{ "an empty text", "templates/received.sms.tr.txt", "\n", "templates/received.sms.tr.txt",
	    0, "the text is empty" },
	{ "a text in windows-1254", "templates/received.sms.tr.txt", "{number} {status} \xfe",
	    "templates/received.sms.tr.txt", 0, "not UTF-8" },
	{ "a tab", "templates/received.sms.tr.txt", "{number}\t{status}",
	    "templates/received.sms.tr.txt", 0, "control character" },
	{ "UCS-2 that does not fit", "templates/received.sms.tr.txt",
	    "{number} {status} ☺ uzun bir ileti uzun bir ileti uzun bir ileti uzun bir ileti uzun "
	    "bir ileti "
	    "uzun bir ileti uzun bir ileti",
	    "templates/received.sms.tr.txt", 0, "units in ucs2" },
};

TEST(test_catalogue_refuses)
{
	static struct catalogue_report report;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct catalogue *cat = parse_with(refused[i].file, refused[i].text, &report);
		bool found = false;
		CHECK_TRUE(refused[i].name, cat == NULL && report.errors > 0);
		for (size_t k = 0; k < report.kept; k++) {
			const struct catalogue_problem *p = &report.problems[k];
			found = found
				|| (!p->warning && p->line == refused[i].line
				    && strcmp(p->file, refused[i].in_file) == 0
				    && strstr(p->reason, refused[i].reason) != NULL);
		}
		if (!CHECK_TRUE(refused[i].name, found))
			say(refused[i].name, &report);
		catalogue_destroy(cat);
	}
}

static const struct {
	const char *name;
	const char *file;
	const char *text;
	int line;
	const char *reason;
} warned[] = {
	{ "a subject without a rule", "rules.csv",
	    "order,subject,neighbourhood,channel,department\n1,yol,*,*,fen\n", 0,
	    "no rule for subject \"evde\"" },
	{ "a rule never reached", "rules.csv", RULES "30,yol,*,*,fen,\n", 4,
	    "never reached: rule 20 in line 2" },
	{ "covered in part by a list", "rules.csv",
	    "order,subject,neighbourhood,channel,department\n1,yol;evde,*,*,fen\n2,evde,bir,web,"
	    "fen\n",
	    3, "never reached: rule 1 in line 2" },
	{ "a year with few holidays", "holidays.csv", HOLIDAYS "2027-01-01,a,,,,*\n", 0,
	    "year 2027 has 1 closures" },
	{ "no holidays at all", "holidays.csv",
	    "date,name_tr,name_en,closed_from,closed_to,calendars\n", 0, "no year is complete" },
	{ "a dear character", "templates/received.sms.tr.txt", "{number} {status} ☺", 0,
	    "each message costs UCS-2" },
};

TEST(test_whose_business_it_is)
{
	static struct catalogue_report report;
	struct catalogue *cat = parse_with("competence.csv", COMPETENCE, &report);
	const struct catalogue_competence *c = catalogue_competence(
	    cat, "yol", "bir", "gazi bulvar");

	CHECK(c != NULL && c->institution == catalogue_institution(cat, "su"));
	c = catalogue_competence(cat, "yol", "iki", "gazi bulvar");
	CHECK_TRUE("ours elsewhere", c != NULL && c->institution == NULL);
	CHECK(catalogue_competence(cat, "yol", "bir", "") == NULL);
	CHECK(catalogue_competence(cat, "evde", "bir", "gazi bulvar") == NULL);
	catalogue_destroy(cat);
}

TEST(test_catalogue_warns)
{
	static struct catalogue_report report;

	for (size_t i = 0; i < ARRAY_LEN(warned); i++) {
		struct catalogue *cat = parse_with(warned[i].file, warned[i].text, &report);
		bool found = false;
		CHECK_TRUE(warned[i].name, cat != NULL && report.errors == 0);
		for (size_t k = 0; k < report.kept; k++)
			found = found
				|| (report.problems[k].warning
				    && report.problems[k].line == warned[i].line
				    && strcmp(report.problems[k].file, warned[i].file) == 0
				    && strstr(report.problems[k].reason, warned[i].reason) != NULL);
		if (!CHECK_TRUE(warned[i].name, found))
			say(warned[i].name, &report);
		catalogue_destroy(cat);
	}
}

TEST(test_catalogue_rule_for_people)
{
	static struct catalogue_report report;
	struct catalogue *cat = parse_with("rules.csv",
	    "order,subject,neighbourhood,channel,department\n1,evde,*,*,\n2,*,*,*,fen\n", &report);

	if (!CHECK(cat != NULL))
		return;
	CHECK(catalogue_route(cat, "evde", "bir", "call") == NULL);
	CHECK(catalogue_route(cat, "yol", "bir", "call") != NULL);
	catalogue_destroy(cat);
}

TEST(test_catalogue_holidays_by_scope)
{
	static struct catalogue_report report;
	struct catalogue *cat = parse_with(
	    "holidays.csv", HOLIDAYS "2026-12-31,yarım gün,,13:00,17:00,7-24\n", &report);

	if (!CHECK(cat != NULL))
		return;
	const struct calendar *watch = catalogue_calendar(cat, "7-24");
	CHECK_FALSE("a named closure closes a watch", watch->always_open);
	CHECK_U64("that one alone", watch->holiday_count, 1);
	CHECK_U64("and not the office", cat->office->holiday_count, 8);
	CHECK_I64("coverage", cat->office->first_year, 2026);
	CHECK_I64("coverage", cat->office->last_year, 2026);
	CHECK(calendar_is_open(watch, istanbul_moment_us(civil_day(2026, 12, 31), 17 * 60)));
	CHECK(!calendar_is_open(watch, istanbul_moment_us(civil_day(2026, 12, 31), 13 * 60)));
	catalogue_destroy(cat);
}

TEST(test_catalogue_report_is_bounded)
{
	static struct catalogue_report report;
	static char text[20000];
	size_t used = (size_t)snprintf(text, sizeof(text), "code,name_tr,name_en\n");

	for (int i = 0; i < 400; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "-%d!,x,\n", i);
	CHECK(parse_with("wait_reasons.csv", text, &report) == NULL);
	CHECK_U64("counted", report.errors, 401);
	CHECK_U64("kept", report.kept, CATALOGUE_PROBLEMS_MAX);
	CHECK_I64("the first ones", report.problems[0].line, 2);
	CHECK_STR("in words", report.problems[0].reason,
	    "code \"-0!\" is not a code: 1 to 40 ASCII letters, digits, - or _");
}

TEST(test_catalogue_digest)
{
	static struct catalogue_report report;
	struct catalogue *a = parse_with(NULL, NULL, &report);
	struct catalogue *b = parse_with(NULL, NULL, &report);
	struct catalogue *c = parse_with("wait_reasons.csv", WAIT "yaz,Yaz,Summer\n", &report);

	if (CHECK(a != NULL && b != NULL && c != NULL)) {
		CHECK_STR("the same files", a->digest, b->digest);
		CHECK_TRUE("another file", strcmp(a->digest, c->digest) != 0);
		CHECK_STR("its calendars stay the same", a->office->version, c->office->version);
	}
	catalogue_destroy(a);
	catalogue_destroy(b);
	catalogue_destroy(c);
}

TEST(test_catalogue_empty_bundle)
{
	static struct catalogue_report report;
	struct bundle b;

	bundle_init(&b);
	CHECK(catalogue_parse(&b, &report) == NULL);
	CHECK_TRUE("every missing file is named", report.errors >= 8);
	bundle_finish(&b);
}

/* Any one byte of any file changed: no crash, and a verdict (the sanitizer looks too). */
TEST_WITHIN(test_catalogue_mutations, 120)
{
	static struct catalogue_report report;
	static char text[4096];
	static const char bytes[] = { '\0', '\n', ',', '"', ';', '{', '\xc4', '9', '*' };
	size_t parsed = 0;

	for (size_t f = 0; f < ARRAY_LEN(sound); f++) {
		size_t len = strlen(sound[f].text);
		for (size_t at = 0; at < len; at += 3) {
			memcpy(text, sound[f].text, len + 1);
			text[at] = bytes[(at + f) % ARRAY_LEN(bytes)];
			struct catalogue *cat = parse_with(sound[f].name, text, &report);
			CHECK((cat == NULL) == (report.errors > 0));
			catalogue_destroy(cat);
			parsed++;
		}
	}
	CHECK(parsed > 500);
}

TEST(test_catalogue_words)
{
	enum catalogue_priority priority;
	enum catalogue_language language;

	for (int p = PRIORITY_URGENT; p <= PRIORITY_LOW; p++) {
		CHECK(catalogue_priority_parse(
		    catalogue_priority_name((enum catalogue_priority)p), &priority));
		CHECK_I64("there and back", priority, p);
	}
	CHECK_FALSE("no priority", catalogue_priority_parse("", &priority));
	CHECK_STR("the channels' numbers", catalogue_channel_name(1), "call");
	CHECK_STR("the channels' numbers", catalogue_channel_name(8), "sms");
	CHECK_STR("none", catalogue_channel_name(0), "");
	CHECK_STR("none", catalogue_channel_name(9), "");
	CHECK_STR("none", catalogue_channel_name(-1), "");
	CHECK(catalogue_channel_known("cimer") && !catalogue_channel_known(""));
	CHECK(catalogue_language_parse("en", &language) && language == CATALOGUE_EN);
	CHECK_FALSE("no language", catalogue_language_parse("EN", &language));
	catalogue_destroy(NULL);
}
