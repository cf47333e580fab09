/*
 * catalogue - the municipality's configuration as one value that never changes.
 *
 * It is parsed from a bundle of files (bundle.h), the same way whether the bytes come from a folder
 * (masa config check) or from the record (the services).  A service keeps one catalogue, replaces
 * the pointer when `config.applied` arrives, and destroys the old one when nothing lends from it.
 *
 * Every string is UTF-8, never NULL ("" when absent) and lent by the catalogue, as are all pointers
 * returned below.  Codes are ASCII letters, digits, '-' and '_', compared exactly.
 */
#ifndef TURUNC_CATALOGUE_H
#define TURUNC_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "calendar.h"
#include "gsm.h"

struct bundle;

enum catalogue_language { CATALOGUE_TR, CATALOGUE_EN, CATALOGUE_LANGUAGES };
/* The numbers are those of the record and the bus. */
enum catalogue_priority { PRIORITY_LOW = 1, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_URGENT };

/* The same words in both languages; en falls back to tr when a file leaves it empty. */
struct catalogue_text {
	const char *in[CATALOGUE_LANGUAGES];
};

struct catalogue_municipality {
	const char *name; /* "Muratpaşa Belediyesi" */
	const char *jurisdiction_id; /* Open311's */
	const char *time_zone; /* always "Europe/Istanbul" */
	const char *phone; /* as people should read it: "444 80 07" */
	const char *base_url; /* without a final '/' */
	const char *email_from;
	const char *sms_sender; /* 1 to 11 ASCII characters */
	const char *sms_reply_to; /* where citizens send an SMS to; "": nowhere */
	const char *sms_keyword; /* and what stands before their text; "": nothing */
	const char *triage_department; /* who is reminded of what is in triage; "": nobody */
	const char *information_text_version;
	const char *information_text_url;
	const char *office_calendar; /* the calendar that makes a "working day" of the law */
	enum catalogue_language default_language;
	int reopen_window_days;
	bool survey_enabled;
	int survey_delay_hours; /* from the end of a ticket to the invitation */
	int survey_reminder_days; /* from there to the one reminder; 0: none */
	int survey_expiry_days; /* from there to the last answer that is taken */
	int service_due_soon_percent; /* of the promise spent when "due soon" is recorded */
	int legal_due_soon_days; /* before the legal end */
	int quiet_from_min; /* no SMS in [quiet_from, quiet_to) local; equal: never quiet */
	int quiet_to_min;
	/* What the live board holds its figures against. */
	int answer_within_s; /* a call answered sooner was answered in time */
	int answer_target_percent; /* so many of the calls should be */
	int wait_alarm_s; /* a call that waits longer is an alarm */
	int overdue_target_percent; /* of what is open, at most so much should be late */
	int triage_alarm_min; /* a ticket without a department for longer is an alarm */
	int surge_reports; /* so many like reports from one neighbourhood within an hour */
	int surge_times; /* and so many times the usual, are a surge */
	double min_lat, min_long, max_lat, max_long; /* where its territory certainly ends */
};

enum { REMIND_TIMES_MAX = 4 };

struct catalogue_department {
	const char *code;
	struct catalogue_text name;
	const struct calendar *calendar;
	const char *email;
	/* Digests of what is due soon and overdue, to email, at these minutes of its working days.
	 */
	int remind_at_min[REMIND_TIMES_MAX]; /* ascending */
	size_t remind_count;
	/* What is overdue by so much of its working time goes to somebody above, too; "": to
	 * nobody. */
	const char *escalate_to;
	int escalate_after_hours;
	bool active; /* an inactive department keeps its past; no rule may route to it */
};

enum catalogue_datatype {
	QUESTION_STRING,
	QUESTION_NUMBER,
	QUESTION_DATETIME,
	QUESTION_TEXT,
	QUESTION_SINGLEVALUELIST,
	QUESTION_MULTIVALUELIST,
	QUESTION_DATATYPES
};

struct catalogue_value {
	const char *key;
	struct catalogue_text name;
};

struct catalogue_question {
	const char *code;
	int order;
	enum catalogue_datatype datatype;
	bool required;
	struct catalogue_text description;
	const struct catalogue_value *values; /* lists only */
	size_t value_count;
};

struct catalogue_subject {
	const char *code;
	struct catalogue_text name;
	struct catalogue_text group; /* the Turkish one says which they are */
	const char *keywords; /* "a,b,c", as Open311 wants them */
	struct catalogue_text description;
	enum legal_basis legal_basis; /* the least the subject carries; a channel may add its own */
	int64_t service_ms; /* the promise in working time; 0 = none */
	enum catalogue_priority priority;
	bool is_public;
	bool special_category; /* health, social aid: private, never named in an SMS */
	const char *type; /* "realtime" */
	const struct catalogue_question *questions; /* by order */
	size_t question_count;
};

struct catalogue_neighbourhood {
	const char *code;
	const char *name;
	int population;
	double latitude, longitude; /* of a centre */
};

/* A pattern of a rule: any, or one of a list of codes. */
struct catalogue_pattern {
	bool any;
	const char *const *codes;
	size_t count;
};

struct catalogue_rule {
	int order; /* as in the file; rules[] is sorted by it */
	struct catalogue_pattern subject, neighbourhood, channel;
	const struct catalogue_department *department;
	bool has_priority;
	enum catalogue_priority priority; /* overrides the subject's when has_priority */
};

/* Whose business a matter is, as a hint to call-takers; the first row that matches. */
struct catalogue_competence {
	int line;
	struct catalogue_pattern subject, neighbourhood;
	const char *street; /* as street_of_address() names it; "": any */
	const struct catalogue_institution *institution; /* NULL: ours */
	struct catalogue_text note;
};

struct catalogue_reason {
	const char *code;
	struct catalogue_text name;
	/* Closure reasons: which ends it may explain (words of the status table, e.g.
	 * "resolved;rejected", or "*").  Wait reasons: "". */
	const char *applies_to;
};

struct catalogue_institution {
	const char *code;
	struct catalogue_text name;
	const char *phone;
	const char *email;
};

struct catalogue_holiday {
	struct catalogue_text name;
	struct calendar_holiday when;
	const char *scope; /* "*" or calendar names with ';' */
};

struct catalogue_template {
	const char
	    *event; /* received, routed, answered, ...: catalogue_placeholder.c has them all */
	const char *channel; /* sms, email */
	enum catalogue_language language;
	bool discreet; /* for subjects of a special category: says nothing of the matter */
	enum sms_policy sms_policy; /* SMS only: how it is folded */
	const char *subject; /* e-mail only; "" for SMS */
	const char *body;
};

/* What becomes of personal data, as told to citizens; one text a version and language. */
struct catalogue_information {
	const char *version;
	enum catalogue_language language;
	const char *title;
	const char *body; /* lines: "## heading", "- point", paragraphs */
};

/* What a column of a CİMER file holds. */
enum cimer_field {
	CIMER_REFERENCE,
	CIMER_DATE,
	CIMER_KIND,
	CIMER_UNIT,
	CIMER_TEXT,
	CIMER_NAME,
	CIMER_PHONE,
	CIMER_EMAIL,
	CIMER_ADDRESS,
	CIMER_NEIGHBOURHOOD,
	CIMER_FIELDS
};

/* name: folded (fold.h) as a file's header or cell is compared; "*": any other. */
struct catalogue_cimer_column {
	const char *name;
	enum cimer_field field;
};
struct catalogue_cimer_kind {
	const char *name;
	enum legal_basis basis;
};
struct catalogue_cimer_subject {
	const char *kind;
	const struct catalogue_subject *subject;
};
struct catalogue_cimer_unit {
	const char *code; /* of eight digits, as DETSİS has it */
	const struct catalogue_department *department;
};

/* How applications of the presidency's portal are read.  column_count 0: they are not taken. */
struct catalogue_cimer {
	const struct catalogue_cimer_column *columns;
	size_t column_count;
	const struct catalogue_cimer_kind *kinds;
	size_t kind_count;
	const struct catalogue_cimer_subject *subjects;
	size_t subject_count;
	const struct catalogue_cimer_unit *units;
	size_t unit_count;
	/* Who is reminded, so many days before the legal end, of what is not in the portal; NULL:
	 * nobody. */
	const struct catalogue_department *reminded;
	int reminder_days;
};

struct catalogue {
	char digest[65]; /* lower-case hex SHA-256 of the bundle */
	struct catalogue_municipality municipality;
	/* Everything is sorted by code (name for calendars), rules by order, holidays by day. */
	const struct calendar *calendars;
	size_t calendar_count;
	const struct calendar
	    *office; /* municipality.office_calendar: give it to legal_deadline() */
	const struct catalogue_department *departments;
	size_t department_count;
	const struct catalogue_department *triage; /* municipality.triage_department; NULL: none */
	const struct catalogue_subject *subjects;
	size_t subject_count;
	const struct catalogue_neighbourhood *neighbourhoods;
	size_t neighbourhood_count;
	const struct catalogue_rule *rules;
	size_t rule_count;
	const struct catalogue_reason *closure_reasons;
	size_t closure_reason_count;
	const struct catalogue_reason *wait_reasons;
	size_t wait_reason_count;
	const struct catalogue_institution *institutions;
	size_t institution_count;
	const struct catalogue_competence *competences; /* in the order of the file */
	size_t competence_count;
	struct catalogue_cimer cimer;
	const struct catalogue_holiday *holidays;
	size_t holiday_count;
	const struct catalogue_template *templates;
	size_t template_count;
	const struct catalogue_information *information;
	size_t information_count;
	struct catalogue_private *hidden; /* the memory of all the above, and the name index */
};

/* --- parsing ------------------------------------------------------------------------- */

enum { CATALOGUE_PROBLEMS_MAX = 50 };

struct catalogue_problem {
	char file[72];
	int line; /* 0: the file as a whole */
	bool warning;
	char reason[200];
};

/* The first problems in order; the counts go on beyond what is kept. */
struct catalogue_report {
	struct catalogue_problem problems[CATALOGUE_PROBLEMS_MAX];
	size_t kept;
	size_t errors;
	size_t warnings;
};

/*
 * NULL when the report has errors (or memory ran out, which is reported as an error without a
 * file).  Warnings alone do not refuse.  The bundle is only read, and not needed afterwards.
 */
MUST_CHECK struct catalogue *catalogue_parse(
    const struct bundle *bundle, struct catalogue_report *report);
/* Of a configuration that was in force once, for its names and numbers: rows that are refused
 * nowadays are left out.  NULL: memory ran out. */
MUST_CHECK struct catalogue *catalogue_parse_past(
    const struct bundle *bundle, struct catalogue_report *report);
void catalogue_destroy(struct catalogue *cat); /* takes NULL */

/* --- look-ups: NULL when unknown ----------------------------------------------------- */

const struct catalogue_department *catalogue_department(
    const struct catalogue *cat, const char *code);
const struct catalogue_subject *catalogue_subject(const struct catalogue *cat, const char *code);
/* Is it of a special category (KVKK art. 6)?  Nothing is known to be harmless of a subject that has
 * left the catalogue; none at all ("") is. */
bool catalogue_is_special(const struct catalogue *cat, const char *subject_code);
const struct catalogue_question *catalogue_question(
    const struct catalogue_subject *subject, const char *code);
const struct catalogue_neighbourhood *catalogue_neighbourhood(
    const struct catalogue *cat, const char *code);
const struct calendar *catalogue_calendar(const struct catalogue *cat, const char *name);
const struct catalogue_reason *catalogue_closure_reason(
    const struct catalogue *cat, const char *code);
const struct catalogue_reason *catalogue_wait_reason(const struct catalogue *cat, const char *code);
const struct catalogue_institution *catalogue_institution(
    const struct catalogue *cat, const char *code);

/* Is it an event that templates are written for? */
bool catalogue_template_event(const char *event);
/* The template in that language, or in the default one when it has none.  discreet: that for
 * subjects of a special category; when there is none in either language the ordinary one, in which
 * what it would tell of the matter must be replaced (its `discreet` says which it is). */
const struct catalogue_template *catalogue_template(const struct catalogue *cat, const char *event,
    const char *channel, enum catalogue_language language, bool discreet);

/* In that language, or else in another; NULL: no such version. */
const struct catalogue_information *catalogue_information(
    const struct catalogue *cat, const char *version, enum catalogue_language language);
/* information_text_url is the page that intake serves. */
bool catalogue_information_is_ours(const struct catalogue_municipality *m);

/* By name or alias as people write it: folded, with or without "Mahallesi" or "Mh.". */
const struct catalogue_neighbourhood *catalogue_neighbourhood_named(
    const struct catalogue *cat, const char *text);

/*
 * The neighbourhood whose centre is nearest: an approximation, for want of borders, and wrong near
 * them.  NULL outside the municipality's bounds.  *ret_distance_m may be NULL.
 */
const struct catalogue_neighbourhood *catalogue_neighbourhood_nearest(
    const struct catalogue *cat, double latitude, double longitude, double *ret_distance_m);

/* The first rule that matches; NULL: a person must decide (triage).  neighbourhood and channel may
 * be "" when unknown; they then match only '*'. */
const struct catalogue_rule *catalogue_route(const struct catalogue *cat, const char *subject,
    const char *neighbourhood, const char *channel);

/* neighbourhood and street may be "" when unknown; NULL: nothing is said of it. */
const struct catalogue_competence *catalogue_competence(const struct catalogue *cat,
    const char *subject, const char *neighbourhood, const char *street);

/* NULL: no column of that header; its name is folded already. */
const struct catalogue_cimer_column *catalogue_cimer_column(
    const struct catalogue *cat, const char *folded);
/* Of a kind as a file has it, folded ("" when it has none).  There always is one. */
enum legal_basis catalogue_cimer_basis(const struct catalogue *cat, const char *kind);
const struct catalogue_subject *catalogue_cimer_subject(
    const struct catalogue *cat, const char *kind);
/* NULL: no department has that unit code. */
const struct catalogue_department *catalogue_cimer_unit(
    const struct catalogue *cat, const char *code);
const char *catalogue_cimer_field_name(enum cimer_field field);

const char *catalogue_say(const struct catalogue_text *text, enum catalogue_language language);

bool catalogue_same_group(const struct catalogue_subject *a, const struct catalogue_subject *b);

const char *catalogue_language_name(enum catalogue_language language); /* "tr", "en" */
MUST_CHECK bool catalogue_language_parse(const char *text, enum catalogue_language *ret_language);
const char *catalogue_priority_name(enum catalogue_priority priority); /* low normal high urgent */
MUST_CHECK bool catalogue_priority_parse(const char *text, enum catalogue_priority *ret_priority);
const char *catalogue_datatype_name(enum catalogue_datatype datatype); /* Open311's words */

/*
 * The word of a channel by its number on the bus (1 call, 2 web, 3 open311, 4 email, 5 cimer, 6
 * desk, 7 bus, 8 sms), as rules.csv and catalogue_route() use it; "" for any other number.
 */
const char *catalogue_channel_name(int channel);
bool catalogue_channel_known(const char *channel);

#endif
