/* Holds the parsed configuration, and answers questions about it. */
#include "catalogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"

enum { FOLDED_MAX = 128 };

static const char *const languages[CATALOGUE_LANGUAGES] = { "tr", "en" };
static const char *const priorities[] = {
	[PRIORITY_LOW] = "low",
	[PRIORITY_NORMAL] = "normal",
	[PRIORITY_HIGH] = "high",
	[PRIORITY_URGENT] = "urgent",
};
static const char *const datatypes[QUESTION_DATATYPES] = { "string", "number", "datetime", "text",
	"singlevaluelist", "multivaluelist" };
/* By their numbers on the bus; 0 is none. */
static const char *const channels[] = { "", "call", "web", "open311", "email", "cimer", "desk",
	"bus", "sms" };

static const struct {
	const char *file;
	void (*parse)(struct parse *);
} parts[] = {
	{ "municipality.csv", parse_municipality },
	{ "calendars.csv", parse_calendars },
	{ "holidays.csv", NULL }, /* read with the calendars */
	{ "departments.csv", parse_departments },
	{ "institutions.csv", parse_institutions },
	{ "closure_reasons.csv", parse_reasons },
	{ "wait_reasons.csv", NULL },
	{ "subjects.csv", parse_subjects },
	{ "questions.csv", NULL },
	{ "neighbourhoods.csv", parse_neighbourhoods },
	{ "rules.csv", parse_rules },
	{ "competence.csv", parse_competence },
	{ "cimer.csv", parse_cimer },
	{ "templates/", parse_templates }, /* last: lengths depend on all names above */
	{ "information/", parse_information },
};

static void
refuse_strangers(struct parse *p)
{
	for (size_t f = 0; f < p->bundle->count; f++) {
		const char *name = p->bundle->files[f].name;
		bool known = strncmp(name, "templates/", strlen("templates/")) == 0
			     || strncmp(name, "information/", strlen("information/")) == 0;
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			known = known || strcmp(name, parts[i].file) == 0;
		if (!known)
			parse_error(p, name, 0, "no such file belongs to a configuration");
	}
}

static struct catalogue *
parse_all(const struct bundle *bundle, struct catalogue_report *report, bool past)
{
	struct parse p = { .bundle = bundle, .report = report };

	report->kept = report->errors = report->warnings = 0;
	p.cat = calloc(1, sizeof(*p.cat));
	if (p.cat != NULL)
		p.cat->hidden = calloc(1, sizeof(*p.cat->hidden));
	if (p.cat == NULL || p.cat->hidden == NULL) {
		parse_error(&p, "", 0, "out of memory");
		catalogue_destroy(p.cat);
		return NULL;
	}
	refuse_strangers(&p);
	for (size_t i = 0; i < ARRAY_LEN(parts) && !p.out_of_memory; i++) {
		if (parts[i].parse != NULL)
			parts[i].parse(&p);
	}
	if (p.out_of_memory)
		parse_error(&p, "", 0, "out of memory");
	if (p.out_of_memory || (report->errors > 0 && !past)) {
		catalogue_destroy(p.cat);
		return NULL;
	}
	bundle_digest(bundle, p.cat->digest);
	return p.cat;
}

struct catalogue *
catalogue_parse(const struct bundle *bundle, struct catalogue_report *report)
{
	return parse_all(bundle, report, false);
}

struct catalogue *
catalogue_parse_past(const struct bundle *bundle, struct catalogue_report *report)
{
	return parse_all(bundle, report, true);
}

void
catalogue_destroy(struct catalogue *cat)
{
	if (cat == NULL)
		return;
	if (cat->hidden != NULL)
		memory_release(cat->hidden);
	free(cat->hidden);
	free(cat);
}

/* --- look-ups ------------------------------------------------------------------------ */

const struct catalogue_department *
catalogue_department(const struct catalogue *cat, const char *code)
{
	return find_code(cat->departments, cat->department_count, sizeof(*cat->departments), code);
}

const struct catalogue_subject *
catalogue_subject(const struct catalogue *cat, const char *code)
{
	return find_code(cat->subjects, cat->subject_count, sizeof(*cat->subjects), code);
}

bool
catalogue_is_special(const struct catalogue *cat, const char *subject_code)
{
	const struct catalogue_subject *subject = catalogue_subject(cat, subject_code);

	return subject != NULL ? subject->special_category : subject_code[0] != '\0';
}

const struct catalogue_question *
catalogue_question(const struct catalogue_subject *subject, const char *code)
{
	for (size_t i = 0; i < subject->question_count; i++) {
		if (strcmp(subject->questions[i].code, code) == 0)
			return &subject->questions[i];
	}
	return NULL;
}

const struct catalogue_neighbourhood *
catalogue_neighbourhood(const struct catalogue *cat, const char *code)
{
	return find_code(
	    cat->neighbourhoods, cat->neighbourhood_count, sizeof(*cat->neighbourhoods), code);
}

const struct calendar *
catalogue_calendar(const struct catalogue *cat, const char *name)
{
	for (size_t i = 0; i < cat->calendar_count; i++) {
		if (strcmp(cat->calendars[i].name, name) == 0)
			return &cat->calendars[i];
	}
	return NULL;
}

const struct catalogue_reason *
catalogue_closure_reason(const struct catalogue *cat, const char *code)
{
	return find_code(
	    cat->closure_reasons, cat->closure_reason_count, sizeof(*cat->closure_reasons), code);
}

const struct catalogue_reason *
catalogue_wait_reason(const struct catalogue *cat, const char *code)
{
	return find_code(
	    cat->wait_reasons, cat->wait_reason_count, sizeof(*cat->wait_reasons), code);
}

const struct catalogue_institution *
catalogue_institution(const struct catalogue *cat, const char *code)
{
	return find_code(
	    cat->institutions, cat->institution_count, sizeof(*cat->institutions), code);
}

const struct catalogue_template *
catalogue_template(const struct catalogue *cat, const char *event, const char *channel,
    enum catalogue_language language, bool discreet)
{
	const struct catalogue_template *fallback = NULL;

	for (size_t i = 0; i < cat->template_count; i++) {
		const struct catalogue_template *t = &cat->templates[i];
		if (strcmp(t->event, event) != 0 || strcmp(t->channel, channel) != 0
		    || t->discreet != discreet)
			continue;
		if (t->language == language)
			return t;
		if (t->language == cat->municipality.default_language)
			fallback = t;
	}
	/* Discretion goes before the language. */
	if (fallback == NULL && discreet)
		return catalogue_template(cat, event, channel, language, false);
	return fallback;
}

const struct catalogue_neighbourhood *
catalogue_neighbourhood_named(const struct catalogue *cat, const char *text)
{
	char folded[FOLDED_MAX];

	if (!place_fold(text, folded, sizeof(folded)))
		return NULL;
	const struct place_name *name = find_code(
	    cat->hidden->names, cat->hidden->name_count, sizeof(*cat->hidden->names), folded);
	return name == NULL ? NULL : &cat->neighbourhoods[name->at];
}

static double
distance_m(double lat_a, double long_a, double lat_b, double long_b)
{
	const double earth_radius_m = 6371008.8, radians = 3.14159265358979323846 / 180;
	double lat = sin((lat_b - lat_a) * radians / 2);
	double lon = sin((long_b - long_a) * radians / 2);
	double h = lat * lat + cos(lat_a * radians) * cos(lat_b * radians) * lon * lon;

	return 2 * earth_radius_m * asin(h < 1 ? sqrt(h) : 1);
}

const struct catalogue_neighbourhood *
catalogue_neighbourhood_nearest(
    const struct catalogue *cat, double latitude, double longitude, double *ret_distance_m)
{
	const struct catalogue_municipality *m = &cat->municipality;
	const struct catalogue_neighbourhood *nearest = NULL;
	double best_m = 0;

	/* Written so that a NaN is outside too. */
	if (!(latitude >= m->min_lat && latitude <= m->max_lat && longitude >= m->min_long
		&& longitude <= m->max_long))
		return NULL;
	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		const struct catalogue_neighbourhood *n = &cat->neighbourhoods[i];
		double m_away = distance_m(latitude, longitude, n->latitude, n->longitude);
		if (nearest == NULL || m_away < best_m) {
			nearest = n;
			best_m = m_away;
		}
	}
	if (nearest != NULL && ret_distance_m != NULL)
		*ret_distance_m = best_m;
	return nearest;
}

bool
pattern_has(const struct catalogue_pattern *pattern, const char *code)
{
	if (pattern->any)
		return true;
	for (size_t i = 0; i < pattern->count; i++) {
		if (strcmp(pattern->codes[i], code) == 0)
			return true;
	}
	return false;
}

const struct catalogue_rule *
catalogue_route(const struct catalogue *cat, const char *subject, const char *neighbourhood,
    const char *channel)
{
	for (size_t i = 0; i < cat->rule_count; i++) {
		const struct catalogue_rule *rule = &cat->rules[i];
		if (pattern_has(&rule->subject, subject)
		    && pattern_has(&rule->neighbourhood, neighbourhood)
		    && pattern_has(&rule->channel, channel))
			return rule->department == NULL ? NULL : rule;
	}
	return NULL;
}

/* --- words --------------------------------------------------------------------------- */

const char *
catalogue_say(const struct catalogue_text *text, enum catalogue_language language)
{
	return text->in[(size_t)language < CATALOGUE_LANGUAGES ? language : CATALOGUE_TR];
}

bool
catalogue_same_group(const struct catalogue_subject *a, const struct catalogue_subject *b)
{
	return strcmp(a->group.in[CATALOGUE_TR], b->group.in[CATALOGUE_TR]) == 0;
}

const char *
catalogue_language_name(enum catalogue_language language)
{
	return (size_t)language < ARRAY_LEN(languages) ? languages[language] : "";
}

bool
catalogue_language_parse(const char *text, enum catalogue_language *ret_language)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		if (strcmp(text, languages[i]) == 0) {
			*ret_language = (enum catalogue_language)i;
			return true;
		}
	}
	return false;
}

const char *
catalogue_priority_name(enum catalogue_priority priority)
{
	return priority >= PRIORITY_LOW && priority <= PRIORITY_URGENT ? priorities[priority] : "";
}

bool
catalogue_priority_parse(const char *text, enum catalogue_priority *ret_priority)
{
	for (size_t i = PRIORITY_LOW; i < ARRAY_LEN(priorities); i++) {
		if (strcmp(text, priorities[i]) == 0) {
			*ret_priority = (enum catalogue_priority)i;
			return true;
		}
	}
	return false;
}

const char *
catalogue_datatype_name(enum catalogue_datatype datatype)
{
	return (size_t)datatype < ARRAY_LEN(datatypes) ? datatypes[datatype] : "";
}

const char *
catalogue_channel_name(int channel)
{
	return channel > 0 && (size_t)channel < ARRAY_LEN(channels) ? channels[channel] : "";
}

bool
catalogue_channel_known(const char *channel)
{
	for (size_t i = 1; i < ARRAY_LEN(channels); i++) {
		if (strcmp(channel, channels[i]) == 0)
			return true;
	}
	return false;
}
