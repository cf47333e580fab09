/* Reads whose business a matter is, as call-takers are to be hinted: ours, or another
 * institution's. */
#include <string.h>

#include "catalogue_parse.h"
#include "street.h"

enum { NOTE_BYTES_MAX = 300 };
static const char file[] = "competence.csv";

/* NULL: ours. */
static const struct catalogue_institution *
read_institution(struct sheet *s, size_t column)
{
	const char *code = cell(s, column);

	if (strcmp(code, "-") == 0)
		return NULL;
	const struct catalogue_institution *found = catalogue_institution(s->p->cat, code);
	if (found == NULL)
		sheet_error(s, "institution \"%.40s\" is neither known nor - for ours", code);
	return found;
}

/* "" when any. */
static const char *
read_street(struct sheet *s, size_t column)
{
	const char *text = cell(s, column);
	struct street street;

	if (strcmp(text, "*") == 0)
		return "";
	if (!street_of_address(text, &street)) {
		sheet_error(s,
		    "street \"%.40s\" is neither * nor a name with sokak, cadde or bulvar", text);
		return "";
	}
	return parse_keep(s->p, street.name, strlen(street.name));
}

static bool
same_pattern(const struct catalogue_pattern *a, const struct catalogue_pattern *b)
{
	if (a->any || a->count != b->count)
		return a->any && b->any;
	for (size_t i = 0; i < a->count; i++)
		if (!pattern_has(b, a->codes[i]))
			return false;
	return true;
}

static int
compare_lines(const void *a, const void *b)
{
	const struct catalogue_competence *left = a, *right = b;

	return left->line - right->line;
}

void
parse_competence(struct parse *p)
{
	enum { SUBJECT, NEIGHBOURHOOD, STREET, INSTITUTION, NOTE_TR };
	static const char *const columns[] = { "subject", "neighbourhood", "street", "institution",
		"note_tr", "note_en" };
	struct list rows;
	struct sheet s;

	list_init(&rows, sizeof(struct catalogue_competence));
	if (!sheet_open(&s, p, file, columns, ARRAY_LEN(columns), true))
		return;
	while (sheet_next(&s)) {
		struct catalogue_competence c = { .line = sheet_line(&s),
			.subject = parse_subject_pattern(&s, SUBJECT),
			.neighbourhood = parse_neighbourhood_pattern(&s, NEIGHBOURHOOD),
			.street = read_street(&s, STREET),
			.institution = read_institution(&s, INSTITUTION),
			.note = cell_both(&s, NOTE_TR, NOTE_BYTES_MAX, false) };
		for (size_t i = 0; i < rows.count && !s.bad; i++) {
			const struct catalogue_competence *other = list_at(&rows, i);
			if (same_pattern(&c.subject, &other->subject)
			    && same_pattern(&c.neighbourhood, &other->neighbourhood)
			    && strcmp(c.street, other->street) == 0)
				sheet_error(&s, "says the same as line %d", other->line);
		}
		struct catalogue_competence *to = s.bad ? NULL : list_add(p, &rows, file, c.line);
		if (to != NULL)
			*to = c;
	}
	p->cat->competences = list_settle(p, &rows, &p->cat->competence_count, compare_lines);
}

const struct catalogue_competence *
catalogue_competence(
    const struct catalogue *cat, const char *subject, const char *neighbourhood, const char *street)
{
	for (size_t i = 0; i < cat->competence_count; i++) {
		const struct catalogue_competence *c = &cat->competences[i];
		if (pattern_has(&c->subject, subject)
		    && pattern_has(&c->neighbourhood, neighbourhood)
		    && (c->street[0] == '\0' || strcmp(c->street, street) == 0))
			return c;
	}
	return NULL;
}
