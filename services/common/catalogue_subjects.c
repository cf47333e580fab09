/* Reads what people report: subjects and their questions. */
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"

enum { NAME_BYTES_MAX = 120, TEXT_BYTES_MAX = 1000, VALUES_MAX = 64, QUESTIONS_MAX = 32 };
enum { SERVICE_HOURS_MAX = 5000, MS_PER_HOUR = 3600 * 1000 };

/* --- subjects.csv -------------------------------------------------------------------- */

/* Words joined by ',' as Open311 wants them, whatever joined them in the file. */
static const char *
read_keywords(struct sheet *s, size_t column)
{
	const char *text = cell_text(s, column, TEXT_BYTES_MAX);
	size_t len = strlen(text), used = 0;
	char part[NAME_BYTES_MAX];

	if (len == 0)
		return text;
	char *joined = parse_take(s->p, len + 1);
	const char *at = text;
	for (char separator = strchr(text, ';') != NULL ? ';' : ',';
	     joined != NULL && next_part(&at, separator, part, sizeof(part));) {
		size_t part_len = strlen(part);
		if (part_len == 0)
			continue;
		if (used > 0)
			joined[used++] = ',';
		memcpy(joined + used, part, part_len);
		used += part_len;
	}
	return joined == NULL ? "" : joined;
}

static int64_t
read_promise(struct sheet *s, size_t column)
{
	if (cell(s, column)[0] == '\0')
		return 0;
	return (int64_t)(cell_number(s, column, 0.01, SERVICE_HOURS_MAX) * MS_PER_HOUR);
}

static const char *
read_type(struct sheet *s, size_t column)
{
	static const char *const types[] = { "realtime", "batch", "blackbox" };

	if (cell(s, column)[0] == '\0')
		return types[0];
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(cell(s, column), types[i]) == 0)
			return types[i];
	}
	sheet_error(s, "type \"%.20s\" is not realtime, batch or blackbox", cell(s, column));
	return "";
}

static void
read_subject(struct parse *p, struct list *subjects, struct sheet *s)
{
	enum {
		CODE_,
		NAME_TR,
		NAME_EN,
		GROUP,
		GROUP_EN,
		KEYWORDS,
		DESCRIPTION_TR,
		DESCRIPTION_EN,
		LEGAL_BASIS,
		SERVICE_HOURS,
		PRIORITY,
		PUBLIC,
		SPECIAL,
		TYPE
	};
	struct catalogue_subject subject = { .code = cell_code(s, CODE_),
		.name = cell_both(s, NAME_TR, NAME_BYTES_MAX, true),
		.group = cell_both(s, GROUP, NAME_BYTES_MAX, true),
		.keywords = read_keywords(s, KEYWORDS),
		.description = cell_both(s, DESCRIPTION_TR, TEXT_BYTES_MAX, false),
		.service_ms = read_promise(s, SERVICE_HOURS),
		.priority = PRIORITY_NORMAL,
		.is_public = cell_yes(s, PUBLIC),
		.special_category = cell_yes(s, SPECIAL),
		.type = read_type(s, TYPE) };

	if (cell(s, LEGAL_BASIS)[0] != '\0'
	    && !legal_basis_parse(cell(s, LEGAL_BASIS), &subject.legal_basis))
		sheet_error(s, "legal_basis \"%.20s\" is not none, 3071, 4982 or kvkk",
		    cell(s, LEGAL_BASIS));
	if (cell(s, PRIORITY)[0] != '\0'
	    && !catalogue_priority_parse(cell(s, PRIORITY), &subject.priority))
		sheet_error(
		    s, "priority \"%.20s\" is not urgent, high, normal or low", cell(s, PRIORITY));
	if (subject.is_public && subject.special_category)
		sheet_error(s, "a special-category subject cannot be public");
	if (list_has_code(subjects, subject.code))
		sheet_error(s, "subject \"%s\" twice", subject.code);
	struct catalogue_subject *to = s->bad ? NULL
					      : list_add(p, subjects, s->file, sheet_line(s));
	if (to != NULL)
		*to = subject;
}

/* --- questions.csv ------------------------------------------------------------------- */

struct asked {
	struct catalogue_subject *subject;
	struct catalogue_question question;
};

static int
compare_asked(const void *a, const void *b)
{
	const struct asked *left = a, *right = b;
	int order = strcmp(left->subject->code, right->subject->code);

	return order != 0 ? order : left->question.order - right->question.order;
}

/* "key:Türkçe|English" */
static bool
read_value(struct sheet *s, char *text, struct catalogue_value *ret_value)
{
	char *colon = strchr(text, ':');

	if (colon == NULL || colon[1] == '\0' || colon[1] == '|') {
		sheet_error(s, "value \"%.60s\" is not key:Türkçe|English", text);
		return false;
	}
	*colon = '\0';
	if (!code_valid(text)) {
		sheet_error(s, "value key \"%.40s\" is not a code", text);
		return false;
	}
	char *tr = colon + 1, *bar = strchr(tr, '|');
	if (bar != NULL)
		*bar = '\0';
	const char *en = bar == NULL || bar[1] == '\0' ? tr : bar + 1;
	ret_value->key = parse_keep(s->p, text, strlen(text));
	ret_value->name.in[CATALOGUE_TR] = parse_keep(s->p, tr, strlen(tr));
	ret_value->name.in[CATALOGUE_EN] = parse_keep(s->p, en, strlen(en));
	return true;
}

static void
read_values(struct sheet *s, const char *text, struct catalogue_question *q)
{
	struct catalogue_value values[VALUES_MAX];
	char part[2 * NAME_BYTES_MAX];
	size_t count = 0;

	while (next_part(&text, ';', part, sizeof(part))) {
		if (part[0] == '\0')
			continue;
		if (count == VALUES_MAX) {
			sheet_error(s, "more than %d values", VALUES_MAX);
			return;
		}
		if (!read_value(s, part, &values[count]))
			return;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(values[i].key, values[count].key) == 0)
				sheet_error(s, "value \"%s\" twice", values[i].key);
		}
		count++;
	}
	struct catalogue_value *kept = count == 0 ? NULL : parse_take(s->p, count * sizeof(*kept));
	if (kept == NULL)
		return;
	memcpy(kept, values, count * sizeof(*kept));
	q->values = kept;
	q->value_count = count;
}

static enum catalogue_datatype
read_datatype(struct sheet *s, size_t column)
{
	for (int d = 0; d < QUESTION_DATATYPES; d++) {
		if (strcmp(cell(s, column), catalogue_datatype_name((enum catalogue_datatype)d))
		    == 0)
			return (enum catalogue_datatype)d;
	}
	sheet_error(s, "datatype \"%.20s\" is none of Open311's", cell(s, column));
	return QUESTION_STRING;
}

static void
check_asked_before(struct sheet *s, const struct list *all, const struct asked *a)
{
	size_t same_subject = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct asked *other = list_at(all, i);
		if (other->subject != a->subject)
			continue;
		same_subject++;
		if (strcmp(other->question.code, a->question.code) == 0)
			sheet_error(s, "question \"%s\" of this subject twice", a->question.code);
		if (other->question.order == a->question.order)
			sheet_error(s, "order %d of this subject twice", a->question.order);
	}
	if (same_subject >= QUESTIONS_MAX)
		sheet_error(s, "more than %d questions of one subject", QUESTIONS_MAX);
}

static void
read_question(struct parse *p, struct list *all, struct sheet *s,
    struct catalogue_subject *subjects, size_t subject_count)
{
	enum { SUBJECT, ORDER, CODE_, DATATYPE, REQUIRED, DESCRIPTION_TR, DESCRIPTION_EN, VALUES };
	struct asked a = { .question = { .code = cell_code(s, CODE_),
			       .order = cell_int(s, ORDER, 1, 1000),
			       .datatype = read_datatype(s, DATATYPE),
			       .required = cell_yes(s, REQUIRED),
			       .description = cell_both(
				   s, DESCRIPTION_TR, TEXT_BYTES_MAX, true) } };

	for (size_t i = 0; i < subject_count; i++) {
		if (strcmp(subjects[i].code, cell(s, SUBJECT)) == 0)
			a.subject = &subjects[i];
	}
	if (a.subject == NULL)
		sheet_error(s, "unknown subject \"%.40s\"", cell(s, SUBJECT));
	else
		check_asked_before(s, all, &a);
	read_values(s, cell(s, VALUES), &a.question);
	bool is_list = a.question.datatype == QUESTION_SINGLEVALUELIST
		       || a.question.datatype == QUESTION_MULTIVALUELIST;
	if (!s->bad && is_list && a.question.value_count == 0)
		sheet_error(s, "a list needs values");
	if (!s->bad && !is_list && a.question.value_count > 0)
		sheet_error(s, "only a list has values");
	struct asked *to = s->bad ? NULL : list_add(p, all, s->file, sheet_line(s));
	if (to != NULL)
		*to = a;
}

/* Gives each subject its stretch of the sorted questions. */
static void
settle_questions(struct parse *p, struct list *all)
{
	size_t count;
	const struct asked *asked = list_settle(p, all, &count, compare_asked);
	struct catalogue_question *questions = parse_take(p, (count + 1) * sizeof(*questions));

	if (questions == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		questions[i] = asked[i].question;
		if (asked[i].subject->question_count++ == 0)
			asked[i].subject->questions = &questions[i];
	}
}

void
parse_subjects(struct parse *p)
{
	static const char *const subject_columns[] = { "code", "name_tr", "name_en", "group",
		"group_en?", "keywords?", "description_tr?", "description_en?", "legal_basis?",
		"service_hours?", "priority?", "public", "special_category", "type?" };
	static const char *const question_columns[] = { "subject", "order", "code", "datatype",
		"required", "description_tr", "description_en", "values?" };
	struct list subjects, questions;
	struct sheet s;

	list_init(&subjects, sizeof(struct catalogue_subject));
	if (sheet_open(&s, p, "subjects.csv", subject_columns, ARRAY_LEN(subject_columns), false)) {
		while (sheet_next(&s))
			read_subject(p, &subjects, &s);
		if (subjects.count == 0)
			parse_error(p, s.file, 0, "there is no subject");
	}
	/* Copied by hand: questions still write to the subjects. */
	struct catalogue_subject *kept = parse_take(p, (subjects.count + 1) * sizeof(*kept));
	size_t count = kept == NULL ? 0 : subjects.count;
	if (count > 0) {
		qsort(subjects.items, count, subjects.item_size, compare_codes);
		memcpy(kept, subjects.items, count * sizeof(*kept));
	}
	free(subjects.items);
	p->cat->subjects = kept;
	p->cat->subject_count = count;

	list_init(&questions, sizeof(struct asked));
	if (sheet_open(
		&s, p, "questions.csv", question_columns, ARRAY_LEN(question_columns), true)) {
		while (sheet_next(&s))
			read_question(p, &questions, &s, kept, count);
	}
	settle_questions(p, &questions);
}
