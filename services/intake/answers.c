/* Checks answers against the questions of a subject. */
#include "answers.h"

#include <event2/buffer.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "w3c_time.h"

enum { STATUS_BAD = 400, STATUS_OURS = 503, STRING_CHARS = 500 };
enum { FIELD_NAME_BYTES = 96 };

static bool
is_listed(const struct catalogue_question *q, const char *key)
{
	for (size_t i = 0; i < q->value_count; i++)
		if (strcmp(q->values[i].key, key) == 0)
			return true;
	return false;
}

static bool
check_value(
    const struct catalogue_question *q, const char *field, const char *value, struct problems *p)
{
	double number;
	int64_t when;

	switch (q->datatype) {
	case QUESTION_NUMBER:
		return field_check_number(p, field, value, -DBL_MAX, DBL_MAX, &number);
	case QUESTION_DATETIME:
		if (w3c_time_parse(value, &when))
			return true;
		problems_add(
		    p, STATUS_BAD, "%s: not a date-time like 2026-03-02T08:15:00+03:00", field);
		return false;
	case QUESTION_SINGLEVALUELIST:
	case QUESTION_MULTIVALUELIST:
		if (is_listed(q, value))
			return true;
		problems_add(p, STATUS_BAD, "%s: not one of the values offered", field);
		return false;
	case QUESTION_TEXT:
		return field_check_text(p, field, value, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
	case QUESTION_STRING:
	case QUESTION_DATATYPES:
		break;
	}
	return field_check_text(p, field, value, FIELD_LINE, STRING_CHARS);
}

static void
check_codes(const struct catalogue_subject *subject, const struct answer *given, size_t count,
    struct problems *p)
{
	for (size_t i = 0; i < count; i++) {
		if (subject == NULL || catalogue_question(subject, given[i].code) == NULL) {
			problems_add(p, STATUS_BAD, "attribute: the service has no such question");
			return;
		}
	}
}

/* One question's values; returns how many there were. */
static size_t
check_question(const struct catalogue_question *q, const struct answer *given, size_t count,
    struct problems *p, struct evbuffer *json)
{
	char field[FIELD_NAME_BYTES];
	size_t values = 0;
	bool ok = true;

	(void)snprintf(field, sizeof(field), "attribute[%s]", q->code);
	for (size_t i = 0; i < count; i++) {
		if (given[i].value[0] == '\0' || strcmp(given[i].code, q->code) != 0)
			continue;
		if (!check_value(q, field, given[i].value, p))
			continue;
		if (values++ == 0) {
			ok = ok
			     && evbuffer_add_printf(
				    json, "%s", evbuffer_get_length(json) > 1 ? "," : "")
				    >= 0
			     && doc_add_json_string(json, q->code)
			     && evbuffer_add(json, ":[", 2) == 0;
		} else {
			ok = ok && evbuffer_add(json, ",", 1) == 0;
		}
		ok = ok && doc_add_json_string(json, given[i].value);
	}
	if (values > 0)
		ok = ok && evbuffer_add(json, "]", 1) == 0;
	if (values > 1 && q->datatype != QUESTION_MULTIVALUELIST)
		problems_add(p, STATUS_BAD, "%s: takes one value", field);
	if (!ok)
		problems_add(p, STATUS_OURS, "out of memory");
	return values;
}

bool
answers_check(const struct catalogue_subject *subject, const struct answer *given, size_t count,
    bool required, struct problems *p, char **ret_json)
{
	size_t before = p->count;

	*ret_json = NULL;
	check_codes(subject, given, count, p);
	if (subject == NULL || subject->question_count == 0 || p->count > before)
		return p->count == before;
	struct evbuffer *json = evbuffer_new();
	if (json == NULL || evbuffer_add(json, "{", 1) != 0) {
		problems_add(p, STATUS_OURS, "out of memory");
		if (json != NULL)
			evbuffer_free(json);
		return false;
	}
	for (size_t i = 0; p->count < PROBLEMS_MAX && i < subject->question_count; i++) {
		const struct catalogue_question *q = &subject->questions[i];
		size_t already = p->count;
		size_t values = check_question(q, given, count, p, json);
		if (values == 0 && required && q->required && p->count == already)
			problems_add(p, STATUS_BAD, "attribute[%s]: required (%.100s)", q->code,
			    catalogue_say(&q->description, CATALOGUE_TR));
	}
	if (p->count == before && evbuffer_get_length(json) > 1) {
		size_t len = evbuffer_get_length(json);
		char *text = malloc(len + 2);
		if (text != NULL && evbuffer_remove(json, text, len) == (int)len)
			memcpy(text + len, "}", 2);
		else
			problems_add(p, STATUS_OURS, "out of memory");
		*ret_json = text;
	}
	evbuffer_free(json);
	return p->count == before;
}
