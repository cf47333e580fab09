/* Puts a month's figures into sections, in the order in which people read them. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"

enum { ROOM = 64 };

static const char nothing[] = "-";

/* --- lines ------------------------------------------------------------------------------------ */

static struct report_line *
add_line(struct report *r, enum report_section_code section)
{
	if (r->count == r->room && !r->failed) {
		size_t room = r->room == 0 ? ROOM : r->room * 2;
		struct report_line *lines = realloc(r->lines, room * sizeof(*lines));
		r->failed = lines == NULL;
		if (!r->failed) {
			r->lines = lines;
			r->room = room;
		}
	}
	if (r->failed)
		return NULL;
	if (r->sections[section].count == 0)
		r->sections[section].first = r->count;
	r->sections[section].count++;
	r->lines[r->count] = (struct report_line){ .code = "" };
	return &r->lines[r->count++];
}

static const struct figures *
figures_of(const struct report *r, enum report_when when)
{
	const struct month_report *m = r->month;

	switch (when) {
	case REPORT_NOW:
		return &m->figures;
	case REPORT_BEFORE:
		return m->has_month_before ? &m->month_before : NULL;
	case REPORT_YEAR_BEFORE:
	case REPORT_WHENS:
		break;
	}
	return m->has_year_before ? &m->year_before : NULL;
}

/* A figure by its row of the table. */
static struct report_line *
add_figure(struct report *r, enum report_section_code section, const char *name)
{
	const struct month_word *word = month_word_of(name);
	struct report_line *line = word == NULL ? NULL : add_line(r, section);

	if (line == NULL)
		return NULL;
	(void)snprintf(line->name, sizeof(line->name), "%s", name);
	line->title = word->title[r->language];
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		line->definition[l] = word->definition[l];
	for (int when = 0; when < REPORT_WHENS; when++) {
		const struct figures *f = figures_of(r, (enum report_when)when);
		if (f != NULL)
			line->in[when] = (struct report_value){ true, month_value(f, name) };
	}
	return line;
}

static enum report_kind
kind_of(enum month_rate_unit unit)
{
	static const enum report_kind kinds[] = {
		[MONTH_PERCENT] = REPORT_PERCENT,
		[MONTH_PER_1000] = REPORT_PER_1000,
		[MONTH_MINUTES_BETWEEN] = REPORT_MINUTES,
		[MONTH_SECONDS] = REPORT_SECONDS,
		[MONTH_TIMES] = REPORT_TIMES,
	};

	return kinds[unit];
}

static struct report_value
rate_in(
    const struct report *r, const struct month_rate *rate, enum report_when when, const char *code)
{
	const struct figures *f = figures_of(r, when);
	struct report_value value = { 0 };

	if (f != NULL)
		value.known = month_rate_tenths(rate, f, "", code, &value.value);
	return value;
}

static void
add_rate(struct report *r, enum report_section_code section, const char *name)
{
	const struct month_rate *rate = month_rate_named(name);
	struct report_line *line = rate == NULL ? NULL : add_line(r, section);

	if (line == NULL)
		return;
	(void)snprintf(line->name, sizeof(line->name), "rate.%s", name);
	line->title = rate->title[r->language];
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		line->definition[l] = rate->definition[l];
	line->kind = kind_of(rate->unit);
	for (int when = 0; when < REPORT_WHENS; when++)
		line->in[when] = rate_in(r, rate, (enum report_when)when, "");
}

/* The line's definition is that of all lines of its section, and stands there once. */
static void
share_definition(struct report *r, enum report_section_code section, struct report_line *line)
{
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
		r->sections[section].definition[l] = line->definition[l];
		line->definition[l] = NULL;
	}
}

/* --- lines of codes --------------------------------------------------------------------------- */

static const char *
say(const struct report *r, const char *turkish, const char *english)
{
	return r->language == CATALOGUE_EN ? english : turkish;
}

/* The code itself when nobody knows a name for it any more. */
static const char *
name_of(const struct report *r, enum report_section_code section, const char *code)
{
	const struct catalogue *cat = r->month->catalogue;
	const struct catalogue_subject *subject;
	const struct catalogue_department *department;
	const struct catalogue_neighbourhood *neighbourhood;
	const char *name = NULL;

	switch (section) {
	case REPORT_SUBJECTS:
		if (strcmp(code, nothing) == 0)
			return say(r, "Konusu belirlenmemiş", "No subject yet");
		subject = cat == NULL ? NULL : catalogue_subject(cat, code);
		name = subject == NULL ? NULL : catalogue_say(&subject->name, r->language);
		break;
	case REPORT_DEPARTMENTS:
		if (strcmp(code, nothing) == 0)
			return say(r, "Birimi belirlenmemiş", "No department yet");
		department = cat == NULL ? NULL : catalogue_department(cat, code);
		name = department == NULL ? NULL : catalogue_say(&department->name, r->language);
		break;
	case REPORT_NEIGHBOURHOODS:
		if (strcmp(code, nothing) == 0)
			return say(r, "Mahallesi bilinmeyen", "Neighbourhood not known");
		neighbourhood = cat == NULL ? NULL : catalogue_neighbourhood(cat, code);
		name = neighbourhood == NULL ? NULL : neighbourhood->name;
		break;
	default:
		name = month_channel_title(code, r->language);
		break;
	}
	return name == NULL ? code : name;
}

/* The more first; equals by code, so that the order is the same for ever. */
static int
by_rank(const void *a, const void *b)
{
	const struct report_line *left = a, *right = b;

	if (left->in[REPORT_NOW].value != right->in[REPORT_NOW].value)
		return left->in[REPORT_NOW].value < right->in[REPORT_NOW].value ? 1 : -1;
	return strcmp(left->name, right->name);
}

/* Neighbourhoods are compared by what falls on a thousand people; those without people come last.
 */
static int
by_rate(const void *a, const void *b)
{
	const struct report_line *left = a, *right = b;

	if (left->rate.known != right->rate.known)
		return left->rate.known ? -1 : 1;
	if (left->rate.known && left->rate.value != right->rate.value)
		return left->rate.value < right->rate.value ? 1 : -1;
	return by_rank(a, b);
}

static bool
has_line(const struct report *r, const struct report_section *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(r->lines[s->first + i].name, name) == 0)
			return true;
	return false;
}

static void
add_codes_of(struct report *r, enum report_section_code section, const char *prefix,
    const struct month_rate *rate, const struct figures *f)
{
	const struct report_section *s = &r->sections[section];
	size_t len = strlen(prefix);

	for (size_t i = 0; i < f->count; i++) {
		const char *name = f->at[i].name, *code = name + len;
		if (strncmp(name, prefix, len) != 0 || *code == '\0' || strchr(code, '.') != NULL)
			continue;
		if (f->at[i].value == 0 || has_line(r, s, name))
			continue;
		struct report_line *line = add_figure(r, section, name);
		if (line == NULL)
			continue;
		share_definition(r, section, line);
		line->code = code;
		line->title = name_of(r, section, code);
		if (rate != NULL)
			line->rate = rate_in(r, rate, REPORT_NOW, code);
	}
}

/* One line for each name that begins so and goes on with a code, of this month or of one that it is
 * compared with: what fell to nothing is no less news. */
static void
add_codes(struct report *r, enum report_section_code section, const char *prefix,
    const struct month_rate *rate)
{
	struct report_section *s = &r->sections[section];

	s->ranked = true;
	s->rate = rate;
	s->rate_kind = rate == NULL ? REPORT_COUNT : kind_of(rate->unit);
	for (int when = 0; when < REPORT_WHENS; when++) {
		const struct figures *f = figures_of(r, (enum report_when)when);
		if (f != NULL)
			add_codes_of(r, section, prefix, rate, f);
	}
	if (!r->failed && s->count > 0)
		qsort(&r->lines[s->first], s->count, sizeof(*r->lines),
		    section == REPORT_NEIGHBOURHOODS ? by_rate : by_rank);
}

/* --- sections --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *title[CATALOGUE_LANGUAGES];
} heads[REPORT_SECTIONS] = {
	[REPORT_CALLS] = { "calls", { "Çağrılar", "Calls" } },
	[REPORT_CONTACTS] = { "contacts", { "Temaslar, kanala göre", "Contacts by channel" } },
	[REPORT_UNTICKETED] = { "contacts-without-ticket",
	    { "Başvuru gerektirmeyen temaslar", "Contacts without a ticket" } },
	[REPORT_TICKETS] = { "tickets", { "Başvurular", "Tickets" } },
	[REPORT_CHANNELS] = { "channels", { "Başvurular, kanala göre", "Tickets by channel" } },
	[REPORT_SUBJECTS] = { "subjects", { "Başvurular, konuya göre", "Tickets by subject" } },
	[REPORT_DEPARTMENTS] = { "departments",
	    { "Başvurular, birime göre", "Tickets by department" } },
	[REPORT_NEIGHBOURHOODS] = { "neighbourhoods",
	    { "Başvurular, mahalleye göre", "Tickets by neighbourhood" } },
	[REPORT_DAYS] = { "days", { "Başvurular, güne göre", "Tickets by day" } },
	[REPORT_OUTCOMES] = { "outcomes", { "Sonuçlar ve süreler", "Outcomes and times" } },
	[REPORT_OPEN] = { "open", { "Açık başvurular", "Open tickets" } },
	[REPORT_AGES] = { "ages", { "Açık başvurular, yaşa göre", "Open tickets by age" } },
	[REPORT_LADDER] = { "satisfaction", { "Memnuniyet", "Satisfaction" } },
	[REPORT_RESTS] = { "not-asked",
	    { "Memnuniyeti sorulmayanlar", "Not asked for their satisfaction" } },
};

/* What a plain section consists of; a name that begins with '/' is a rate's. */
static const struct {
	enum report_section_code section;
	const char *name;
} plain[] = {
	{ REPORT_CALLS, "calls.offered" },
	{ REPORT_CALLS, "calls.answered" },
	{ REPORT_CALLS, "/calls.answered" },
	{ REPORT_CALLS, "/calls.every" },
	{ REPORT_CALLS, "calls.abandoned" },
	{ REPORT_CALLS, "/calls.abandoned" },
	{ REPORT_CALLS, "calls.unfinished" },
	{ REPORT_CALLS, "calls.recorded" },
	{ REPORT_CALLS, "/calls.recorded" },
	{ REPORT_CALLS, "calls.joined" },
	{ REPORT_CALLS, "calls.information" },
	{ REPORT_CALLS, "calls.transferred" },
	{ REPORT_CALLS, "calls.nuisance" },
	{ REPORT_CALLS, "calls.undisposed" },
	{ REPORT_CALLS, "/calls.wait" },
	{ REPORT_TICKETS, "tickets" },
	{ REPORT_TICKETS, "inhabitants" },
	{ REPORT_TICKETS, "/tickets.per_1000" },
	{ REPORT_OUTCOMES, "ended" },
	{ REPORT_OUTCOMES, "ended.resolved" },
	{ REPORT_OUTCOMES, "ended.rejected" },
	{ REPORT_OUTCOMES, "ended.forwarded" },
	{ REPORT_OUTCOMES, "ended.duplicate" },
	{ REPORT_OUTCOMES, "ended.withdrawn" },
	{ REPORT_OUTCOMES, "ended.legal.of" },
	{ REPORT_OUTCOMES, "ended.legal.within" },
	{ REPORT_OUTCOMES, "/ended.legal" },
	{ REPORT_OUTCOMES, "ended.service.of" },
	{ REPORT_OUTCOMES, "ended.service.within" },
	{ REPORT_OUTCOMES, "/ended.service" },
	{ REPORT_OUTCOMES, "reopened" },
	{ REPORT_OUTCOMES, "/reopened" },
	{ REPORT_OUTCOMES, "hops" },
	{ REPORT_OUTCOMES, "hops.tickets" },
	{ REPORT_OUTCOMES, "/hops" },
	{ REPORT_OPEN, "open" },
};

static void
add_plain(struct report *r, enum report_section_code section)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (plain[i].section != section)
			continue;
		if (plain[i].name[0] == '/')
			add_rate(r, section, plain[i].name + 1);
		else
			(void)add_figure(r, section, plain[i].name);
	}
}

static const char *const day_titles[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11",
	"12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26",
	"27", "28", "29", "30", "31" };

static void
add_days(struct report *r)
{
	int days = month_days(r->month->month);
	char name[FIGURE_NAME_SIZE];

	for (int day = 0; day < days && day < (int)ARRAY_LEN(day_titles); day++) {
		(void)snprintf(name, sizeof(name), "tickets.day.%s", day_titles[day]);
		struct report_line *line = add_figure(r, REPORT_DAYS, name);
		if (line == NULL)
			continue;
		share_definition(r, REPORT_DAYS, line);
		line->title = line->code = day_titles[day];
	}
}

static void
add_ages(struct report *r)
{
	char name[FIGURE_NAME_SIZE];

	for (int age = 0; age < MONTH_AGES; age++) {
		(void)snprintf(name, sizeof(name), "open.age.%s", month_ages[age].bucket);
		struct report_line *line = add_figure(r, REPORT_AGES, name);
		if (line == NULL)
			continue;
		share_definition(r, REPORT_AGES, line);
		line->title = month_ages[age].title[r->language];
		line->code = month_ages[age].bucket;
	}
}

static void
add_ladder(struct report *r)
{
	char name[FIGURE_NAME_SIZE];

	for (int i = 0; i < LADDER_STEPS; i++) {
		enum ladder_step step = (enum ladder_step)i;
		(void)snprintf(name, sizeof(name), "ladder.%s", ladder_step_name(step));
		struct report_line *line = add_figure(r, REPORT_LADDER, name);
		if (line == NULL)
			continue;
		line->title = ladder_step_title(step, r->language);
		for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
			line->definition[l] = ladder_step_definition(
			    step, (enum catalogue_language)l);
	}
	(void)add_figure(r, REPORT_LADDER, "ladder.not_solved");
	add_rate(r, REPORT_LADDER, "ladder.invited");
	add_rate(r, REPORT_LADDER, "ladder.answered");
	add_rate(r, REPORT_LADDER, "ladder.satisfied");
	for (int i = 0; i < LADDER_RESTS; i++) {
		enum ladder_rest rest = (enum ladder_rest)i;
		(void)snprintf(name, sizeof(name), "ladder.rest.%s", ladder_rest_name(rest));
		struct report_line *line = add_figure(r, REPORT_RESTS, name);
		if (line == NULL)
			continue;
		share_definition(r, REPORT_RESTS, line);
		line->title = ladder_rest_title(rest, r->language);
	}
	r->has_satisfaction = wilson_interval(month_value(&r->month->figures, "ladder.satisfied"),
	    month_value(&r->month->figures, "ladder.answered"), &r->satisfaction);
}

bool
report_init(struct report *r, const struct month_report *month, enum catalogue_language language)
{
	*r = (struct report){ .language = language, .month = month };
	for (int i = 0; i < REPORT_SECTIONS; i++) {
		r->sections[i].name = heads[i].name;
		r->sections[i].title = heads[i].title[language];
	}
	add_plain(r, REPORT_CALLS);
	add_codes(r, REPORT_CONTACTS, "contacts.", NULL);
	add_codes(r, REPORT_UNTICKETED, "contacts.without_ticket.", NULL);
	add_plain(r, REPORT_TICKETS);
	add_codes(r, REPORT_CHANNELS, "tickets.channel.", month_rate_named("tickets.channel"));
	add_codes(r, REPORT_SUBJECTS, "tickets.subject.", month_rate_named("tickets.subject"));
	add_codes(
	    r, REPORT_DEPARTMENTS, "tickets.department.", month_rate_named("tickets.department"));
	add_codes(r, REPORT_NEIGHBOURHOODS, "tickets.neighbourhood.",
	    month_rate_named("tickets.neighbourhood"));
	add_days(r);
	add_plain(r, REPORT_OUTCOMES);
	add_plain(r, REPORT_OPEN);
	add_ages(r);
	add_ladder(r);
	return !r->failed;
}

void
report_finish(struct report *r)
{
	free(r->lines);
	*r = (struct report){ 0 };
}

/* --- asking ----------------------------------------------------------------------------------- */

const struct report_line *
report_line_at(const struct report *r, enum report_section_code section, size_t i)
{
	return &r->lines[r->sections[section].first + i];
}

static int32_t
month_at(const struct report *r, enum report_when when)
{
	static const int back[REPORT_WHENS] = { 0, -1, -12 };

	return month_add(r->month->month, back[when]);
}

struct report_value
report_compared(const struct report *r, const struct report_line *line, enum report_when when)
{
	if (!r->month->over || month_at(r, when) <= r->month->log_begins)
		return (struct report_value){ 0 };
	return line->in[when];
}

void
report_month_title(const struct report *r, enum report_when when, char out[REPORT_TEXT_SIZE])
{
	month_title(month_at(r, when), (int)r->language, out, REPORT_TEXT_SIZE);
}

int64_t
report_hour(const struct report *r, bool answered, int weekday, int hour)
{
	char name[FIGURE_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "calls.%s.w%d.h%d", answered ? "answered" : "offered",
	    weekday, hour);
	return month_value(&r->month->figures, name);
}

const char *
report_weekday(enum catalogue_language language, int weekday)
{
	static const char *const names[7][CATALOGUE_LANGUAGES] = { { "Pazartesi", "Monday" },
		{ "Salı", "Tuesday" }, { "Çarşamba", "Wednesday" }, { "Perşembe", "Thursday" },
		{ "Cuma", "Friday" }, { "Cumartesi", "Saturday" }, { "Pazar", "Sunday" } };

	return names[weekday - 1][language];
}

void
report_interval(const struct report *r, char out[REPORT_TEXT_SIZE])
{
	char low[REPORT_TEXT_SIZE], high[REPORT_TEXT_SIZE];

	out[0] = '\0';
	if (!r->has_satisfaction)
		return;
	report_format(r->language, REPORT_PERCENT,
	    (struct report_value){ true, lround(r->satisfaction.low * 1000) }, low);
	report_format(r->language, REPORT_PERCENT,
	    (struct report_value){ true, lround(r->satisfaction.high * 1000) }, high);
	(void)snprintf(out, REPORT_TEXT_SIZE, "%.24s – %.24s", low, high);
}

const char *
report_state(const struct report *r)
{
	const struct month_report *m = r->month;

	if (!m->over)
		return say(r, "Ay sürüyor: rakamlar bugüne kadarki kayıtlardandır.",
		    "The month is not over: the figures are of the records so far.");
	if (m->revision_count == 0)
		return say(r,
		    "Ay bitti, rapor henüz yayımlanmadı: geç gelen kayıtlar rakamları "
		    "değiştirebilir.",
		    "The month is over, the report is not published yet: late records may change "
		    "the figures.");
	if (!m->ladder_final)
		return say(r,
		    "Rapor yayımlandı. Memnuniyet anketlerinin süresi dolmadığından memnuniyet "
		    "rakamları değişebilir.",
		    "The report is published. Surveys can still be answered, so the figures of "
		    "satisfaction may change.");
	return say(r, "Rapor yayımlandı.", "The report is published.");
}

void
report_not_whole(const struct report *r, char out[REPORT_SENTENCE_SIZE])
{
	int32_t begins = r->month->log_begins;
	char title[REPORT_TEXT_SIZE];

	out[0] = '\0';
	for (int when = 0; begins != 0 && when < REPORT_WHENS; when++) {
		if (month_at(r, (enum report_when)when) != begins)
			continue;
		report_month_title(r, (enum report_when)when, title);
		if (r->language == CATALOGUE_EN)
			(void)snprintf(out, REPORT_SENTENCE_SIZE,
			    "The records begin in %s: its figures are not those of the whole "
			    "month.",
			    title);
		else
			(void)snprintf(out, REPORT_SENTENCE_SIZE,
			    "Kayıtlar %s ayında başlar: o ayın rakamları ayın tamamını göstermez.",
			    title);
	}
}
