/* Reads who the municipality is: its own settings, departments, other institutions and reasons. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "catalogue_parse.h"
#include "phone.h"

enum {
	NAME_BYTES_MAX = 120,
	URL_BYTES_MAX = 120,
	SMS_SENDER_MAX = 11,
	SMS_REPLY_MAX = 20,
	SMS_KEYWORD_MAX = 12
};

/* --- municipality.csv: one setting a row --------------------------------------------- */

enum kind {
	TEXT,
	URL,
	EMAIL,
	PHONE,
	SENDER,
	REPLY,
	KEYWORD,
	CODE,
	LANGUAGE,
	YES_NO,
	WHOLE,
	MINUTE,
	DEGREES
};

#define AT(member) offsetof(struct catalogue_municipality, member)
static const struct setting {
	const char *key;
	enum kind kind;
	size_t offset;
	int min, max;
} settings[] = {
	/* clang-format off */
	{ "name",                     TEXT,     AT(name),                     1, NAME_BYTES_MAX },
	{ "jurisdiction_id",          TEXT,     AT(jurisdiction_id),          1, 80 },
	{ "time_zone",                TEXT,     AT(time_zone),                1, 40 },
	{ "phone",                    PHONE,    AT(phone),                    1, 30 },
	{ "base_url",                 URL,      AT(base_url),                 1, URL_BYTES_MAX },
	{ "email_from",               EMAIL,    AT(email_from),               1, 254 },
	{ "sms_sender",               SENDER,   AT(sms_sender),               1, SMS_SENDER_MAX },
	{ "sms_reply_to",             REPLY,    AT(sms_reply_to),             0, SMS_REPLY_MAX },
	{ "sms_keyword",              KEYWORD,  AT(sms_keyword),              0, SMS_KEYWORD_MAX },
	{ "triage_department",        CODE,     AT(triage_department),        0, CODE_MAX },
	{ "information_text_version", CODE,     AT(information_text_version), 1, CODE_MAX },
	{ "information_text_url",     URL,      AT(information_text_url),     1, URL_BYTES_MAX },
	{ "office_calendar",          CODE,     AT(office_calendar),          1, CODE_MAX },
	{ "default_language",         LANGUAGE, AT(default_language),         0, 0 },
	{ "reopen_window_days",       WHOLE,    AT(reopen_window_days),       0, 365 },
	{ "survey_enabled",           YES_NO,   AT(survey_enabled),           0, 0 },
	{ "survey_delay_hours",       WHOLE,    AT(survey_delay_hours),       0, 720 },
	{ "survey_reminder_days",     WHOLE,    AT(survey_reminder_days),     0, 90 },
	{ "survey_expiry_days",       WHOLE,    AT(survey_expiry_days),       1, 365 },
	{ "service_due_soon_percent", WHOLE,    AT(service_due_soon_percent), 1, 99 },
	{ "legal_due_soon_days",      WHOLE,    AT(legal_due_soon_days),      0, 29 },
	{ "answer_within_seconds",    WHOLE,    AT(answer_within_s),          1, 600 },
	{ "answer_target_percent",    WHOLE,    AT(answer_target_percent),    1, 100 },
	{ "wait_alarm_seconds",       WHOLE,    AT(wait_alarm_s),             1, 3600 },
	{ "overdue_target_percent",   WHOLE,    AT(overdue_target_percent),   0, 100 },
	{ "triage_alarm_minutes",     WHOLE,    AT(triage_alarm_min),         1, 10080 },
	{ "surge_reports",            WHOLE,    AT(surge_reports),            5, 1000 },
	{ "surge_times",              WHOLE,    AT(surge_times),              2, 100 },
	{ "quiet_from",               MINUTE,   AT(quiet_from_min),           0, 0 },
	{ "quiet_to",                 MINUTE,   AT(quiet_to_min),             0, 0 },
	{ "min_latitude",             DEGREES,  AT(min_lat),                -90, 90 },
	{ "min_longitude",            DEGREES,  AT(min_long),              -180, 180 },
	{ "max_latitude",             DEGREES,  AT(max_lat),                -90, 90 },
	{ "max_longitude",            DEGREES,  AT(max_long),              -180, 180 },
	/* clang-format on */
};
#undef AT

/* Of whole numbers that files written before there was the key need not have. */
static const struct standard {
	const char *key;
	int value;
} standards[] = {
	{ "survey_reminder_days", 3 },
	{ "survey_expiry_days", 14 },
	{ "answer_within_seconds", 20 },
	{ "answer_target_percent", 80 },
	{ "wait_alarm_seconds", 180 },
	{ "overdue_target_percent", 5 },
	{ "triage_alarm_minutes", 60 },
	{ "surge_reports", 5 },
	{ "surge_times", 4 },
};

enum { COLUMN_KEY, COLUMN_VALUE };

static bool
is_url(const char *text)
{
	size_t len = strlen(text);

	return (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0)
	       && strpbrk(text, " \t\r\n\"<>") == NULL && text[len - 1] != '/';
}

static bool
is_ascii(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
			return false;
	}
	return len <= max;
}

/* "3344": a sender's title of letters is not to be answered. */
static bool
is_reply_to(const char *text)
{
	size_t len = strlen(text);

	return len == 0
	       || (len <= SMS_REPLY_MAX && strspn(text, "+0123456789 ") == len
		   && strpbrk(text, "0123456789") != NULL);
}

/* "MASA": what shared numbers want before the text. */
static bool
is_keyword(const char *text)
{
	return isupper((unsigned char)text[0]) && strlen(text) <= SMS_KEYWORD_MAX
	       && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(text);
}

static const char *
read_text(struct sheet *s, const struct setting *setting)
{
	const char *text = setting->min == 0 ? cell_text(s, COLUMN_VALUE, (size_t)setting->max)
					     : cell_required(s, COLUMN_VALUE, (size_t)setting->max);
	struct phone phone;

	if (s->bad || text[0] == '\0')
		return "";
	if (setting->kind == URL && !is_url(text))
		sheet_error(s, "%s must be http(s)://... without a final '/'", setting->key);
	if (setting->kind == SENDER && !is_ascii(text, SMS_SENDER_MAX))
		sheet_error(s, "%s must be 1 to %d ASCII characters", setting->key, SMS_SENDER_MAX);
	if (setting->kind == REPLY && !is_reply_to(text))
		sheet_error(s,
		    "%s must be a number that citizens can send an SMS to, at most %d "
		    "digits and spaces, or empty",
		    setting->key, SMS_REPLY_MAX);
	if (setting->kind == KEYWORD && !is_keyword(text))
		sheet_error(s, "%s is a word of at most %d of the letters A to Z and digits",
		    setting->key, SMS_KEYWORD_MAX);
	if (setting->kind == CODE && !code_valid(text))
		sheet_error(s, "%s must be a code", setting->key);
	if (setting->kind == PHONE && phone_parse(text, &phone) != PHONE_OK)
		sheet_error(s, "%s is not a telephone number", setting->key);
	if (setting->kind == EMAIL)
		return cell_email(s, COLUMN_VALUE);
	return text;
}

static void
read_setting(struct sheet *s, const struct setting *setting)
{
	char *to = (char *)&s->p->cat->municipality + setting->offset;
	enum catalogue_language language = CATALOGUE_TR;
	const char *text = "";
	double number = 0;
	int whole = 0;
	bool yes = false;

	switch (setting->kind) {
	case LANGUAGE:
		if (!catalogue_language_parse(cell(s, COLUMN_VALUE), &language))
			sheet_error(s, "%s is neither tr nor en", setting->key);
		memcpy(to, &language, sizeof(language));
		break;
	case YES_NO:
		yes = cell_yes(s, COLUMN_VALUE);
		memcpy(to, &yes, sizeof(yes));
		break;
	case WHOLE:
		whole = cell_int(s, COLUMN_VALUE, setting->min, setting->max);
		memcpy(to, &whole, sizeof(whole));
		break;
	case MINUTE:
		if (!minute_parse(cell(s, COLUMN_VALUE), &whole))
			sheet_error(s, "%s is not a time of day HH:MM", setting->key);
		memcpy(to, &whole, sizeof(whole));
		break;
	case DEGREES:
		number = cell_number(s, COLUMN_VALUE, setting->min, setting->max);
		memcpy(to, &number, sizeof(number));
		break;
	case TEXT:
	case URL:
	case EMAIL:
	case PHONE:
	case SENDER:
	case REPLY:
	case KEYWORD:
	case CODE:
	default:
		text = read_text(s, setting);
		memcpy(to, &text, sizeof(text));
	}
}

/* Texts must never be NULL, also when their row was missing or wrong. */
static void
clear_municipality(struct catalogue_municipality *m)
{
	static const char *const nothing = "";

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		if (settings[i].kind <= CODE)
			memcpy((char *)m + settings[i].offset, &nothing, sizeof(nothing));
	}
}

/* False: the key must be there. */
static bool
take_standard(struct catalogue_municipality *m, const struct setting *setting)
{
	if (setting->kind <= CODE && setting->min == 0)
		return true; /* empty, as it was cleared */
	for (size_t i = 0; i < ARRAY_LEN(standards); i++) {
		if (strcmp(standards[i].key, setting->key) != 0)
			continue;
		memcpy((char *)m + setting->offset, &standards[i].value, sizeof(int));
		return true;
	}
	return false;
}

void
parse_municipality(struct parse *p)
{
	static const char *const columns[] = { "key", "value" };
	struct catalogue_municipality *m = &p->cat->municipality;
	bool seen[ARRAY_LEN(settings)] = { false };
	struct sheet s;

	clear_municipality(m);
	if (!sheet_open(&s, p, "municipality.csv", columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s)) {
		size_t i = 0;
		while (
		    i < ARRAY_LEN(settings) && strcmp(settings[i].key, cell(&s, COLUMN_KEY)) != 0)
			i++;
		if (i == ARRAY_LEN(settings)) {
			sheet_error(&s, "unknown key \"%.40s\"", cell(&s, COLUMN_KEY));
			continue;
		}
		if (seen[i])
			sheet_error(&s, "key \"%s\" twice", settings[i].key);
		seen[i] = true;
		read_setting(&s, &settings[i]);
		if (strcmp(settings[i].key, "time_zone") == 0
		    && strcmp(m->time_zone, "Europe/Istanbul") != 0)
			sheet_error(&s, "the time zone must be Europe/Istanbul");
		if (strcmp(settings[i].key, "office_calendar") == 0)
			p->office_calendar_line = sheet_line(&s);
		if (strcmp(settings[i].key, "triage_department") == 0)
			p->triage_department_line = sheet_line(&s);
	}
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		if (!seen[i] && !take_standard(m, &settings[i]))
			parse_error(p, s.file, 0, "key \"%s\" is missing", settings[i].key);
	}
	if (m->min_lat > m->max_lat || m->min_long > m->max_long)
		parse_error(p, s.file, 0, "the bounds are the wrong way round");
	if (m->sms_keyword[0] != '\0' && m->sms_reply_to[0] == '\0')
		parse_error(
		    p, s.file, 0, "sms_keyword without sms_reply_to: sent to which number?");
}

/* --- departments.csv ----------------------------------------------------------------- */

enum {
	DEPARTMENT_CODE,
	DEPARTMENT_NAME_TR,
	DEPARTMENT_NAME_EN,
	DEPARTMENT_CALENDAR,
	DEPARTMENT_EMAIL,
	DEPARTMENT_ACTIVE,
	DEPARTMENT_REMIND_AT,
	DEPARTMENT_ESCALATE_TO,
	DEPARTMENT_ESCALATE_AFTER,
};
enum { ESCALATE_HOURS_MAX = 2000 };

/* "09:00;14:00", ascending, or nothing. */
static void
read_remind_at(struct sheet *s, struct catalogue_department *d)
{
	const char *at = cell(s, DEPARTMENT_REMIND_AT);
	char part[CODE_MAX];

	while (at != NULL && at[0] != '\0' && next_part(&at, ';', part, sizeof(part))) {
		int minute;
		if (!minute_parse(part, &minute) || minute == MINUTES_A_DAY)
			sheet_error(s, "remind_at \"%.20s\" is not a time of day HH:MM", part);
		else if (d->remind_count == REMIND_TIMES_MAX)
			sheet_error(s, "more than %d times in remind_at", REMIND_TIMES_MAX);
		else if (d->remind_count > 0 && minute <= d->remind_at_min[d->remind_count - 1])
			sheet_error(s, "the times in remind_at are not ascending");
		else
			d->remind_at_min[d->remind_count++] = minute;
	}
}

static void
read_reminding(struct sheet *s, struct catalogue_department *d)
{
	const char *hours = cell(s, DEPARTMENT_ESCALATE_AFTER);

	read_remind_at(s, d);
	d->escalate_to = cell_email(s, DEPARTMENT_ESCALATE_TO);
	if (hours[0] != '\0')
		d->escalate_after_hours = cell_int(
		    s, DEPARTMENT_ESCALATE_AFTER, 1, ESCALATE_HOURS_MAX);
	if ((d->escalate_to[0] != '\0') != (hours[0] != '\0'))
		sheet_error(s, "escalate_to and escalate_after_hours: both or neither");
	if (d->escalate_to[0] != '\0' && d->remind_count == 0)
		sheet_error(s, "escalate_to without remind_at: nothing would ever be sent");
	if (d->remind_count > 0 && d->email[0] == '\0')
		sheet_error(s, "remind_at without email: nobody would be reminded");
}

/* Who is reminded of what is in triage. */
static void
find_triage(struct parse *p)
{
	const char *code = p->cat->municipality.triage_department;
	const struct catalogue_department *d = catalogue_department(p->cat, code);

	if (code[0] == '\0')
		return;
	if (d == NULL)
		parse_error(p, "municipality.csv", p->triage_department_line,
		    "triage_department: unknown department \"%.40s\"", code);
	else if (d->remind_count == 0 || !d->active)
		parse_error(p, "municipality.csv", p->triage_department_line,
		    "triage_department: \"%.40s\" is not active or has no remind_at", code);
	p->cat->triage = d;
}

void
parse_departments(struct parse *p)
{
	static const char *const columns[] = { "code", "name_tr", "name_en", "calendar", "email?",
		"active", "remind_at?", "escalate_to?", "escalate_after_hours?" };
	struct catalogue *cat = p->cat;
	struct list departments;
	struct sheet s;

	list_init(&departments, sizeof(struct catalogue_department));
	if (!sheet_open(&s, p, "departments.csv", columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s)) {
		struct catalogue_department d = { .code = cell_code(&s, DEPARTMENT_CODE),
			.name = cell_both(&s, DEPARTMENT_NAME_TR, NAME_BYTES_MAX, true),
			.calendar = catalogue_calendar(cat, cell(&s, DEPARTMENT_CALENDAR)),
			.email = cell_email(&s, DEPARTMENT_EMAIL),
			.active = cell_yes(&s, DEPARTMENT_ACTIVE) };
		read_reminding(&s, &d);
		if (d.calendar == NULL)
			sheet_error(
			    &s, "unknown calendar \"%.40s\"", cell(&s, DEPARTMENT_CALENDAR));
		if (list_has_code(&departments, d.code))
			sheet_error(&s, "department \"%s\" twice", d.code);
		struct catalogue_department *to =
		    s.bad ? NULL : list_add(p, &departments, s.file, sheet_line(&s));
		if (to != NULL)
			*to = d;
	}
	cat->departments = list_settle(p, &departments, &cat->department_count, compare_codes);
	if (cat->department_count == 0 && p->report->errors == 0)
		parse_error(p, s.file, 0, "there is no department");
	find_triage(p);
}

/* --- institutions.csv ---------------------------------------------------------------- */

void
parse_institutions(struct parse *p)
{
	enum { CODE_, NAME_TR, NAME_EN, PHONE_, EMAIL_ };
	static const char *const columns[] = { "code", "name_tr", "name_en", "phone?", "email?" };
	struct catalogue *cat = p->cat;
	struct list institutions;
	struct sheet s;

	list_init(&institutions, sizeof(struct catalogue_institution));
	if (!sheet_open(&s, p, "institutions.csv", columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s)) {
		/* Emergency and service lines have three digits: any short text is a phone here. */
		struct catalogue_institution n = { .code = cell_code(&s, CODE_),
			.name = cell_both(&s, NAME_TR, NAME_BYTES_MAX, true),
			.phone = cell_text(&s, PHONE_, 30),
			.email = cell_email(&s, EMAIL_) };
		if (list_has_code(&institutions, n.code))
			sheet_error(&s, "institution \"%s\" twice", n.code);
		struct catalogue_institution *to =
		    s.bad ? NULL : list_add(p, &institutions, s.file, sheet_line(&s));
		if (to != NULL)
			*to = n;
	}
	cat->institutions = list_settle(p, &institutions, &cat->institution_count, compare_codes);
}

/* --- closure_reasons.csv, wait_reasons.csv ------------------------------------------- */

/* Words of the status table that a closure reason may explain. */
static bool
ends_known(const char *applies_to)
{
	static const char *const ends[] = { "resolved", "rejected", "forwarded", "duplicate",
		"withdrawn" };
	char part[CODE_MAX];

	if (strcmp(applies_to, "*") == 0)
		return true;
	while (next_part(&applies_to, ';', part, sizeof(part))) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(ends); i++)
			known = known || strcmp(part, ends[i]) == 0;
		if (!known)
			return false;
	}
	return true;
}

static const struct catalogue_reason *
read_reasons(struct parse *p, const char *file, bool closure, size_t *ret_count)
{
	enum { CODE_, NAME_TR, NAME_EN, APPLIES_TO };
	static const char *const columns[] = { "code", "name_tr", "name_en", "applies_to" };
	struct list reasons;
	struct sheet s;

	*ret_count = 0;
	list_init(&reasons, sizeof(struct catalogue_reason));
	if (!sheet_open(&s, p, file, columns, ARRAY_LEN(columns) - !closure, false))
		return NULL;
	while (sheet_next(&s)) {
		struct catalogue_reason r = { .code = cell_code(&s, CODE_),
			.name = cell_both(&s, NAME_TR, NAME_BYTES_MAX, true),
			.applies_to = closure ? cell_required(&s, APPLIES_TO, 80) : "" };
		if (closure && !s.bad && !ends_known(r.applies_to))
			sheet_error(
			    &s, "applies_to \"%s\" is neither * nor a list of ends", r.applies_to);
		if (list_has_code(&reasons, r.code))
			sheet_error(&s, "reason \"%s\" twice", r.code);
		struct catalogue_reason *to = s.bad ? NULL
						    : list_add(p, &reasons, s.file, sheet_line(&s));
		if (to != NULL)
			*to = r;
	}
	if (reasons.count == 0)
		parse_error(p, file, 0, "there is no reason");
	return list_settle(p, &reasons, ret_count, compare_codes);
}

void
parse_reasons(struct parse *p)
{
	p->cat->closure_reasons = read_reasons(
	    p, "closure_reasons.csv", true, &p->cat->closure_reason_count);
	p->cat->wait_reasons = read_reasons(
	    p, "wait_reasons.csv", false, &p->cat->wait_reason_count);
}
