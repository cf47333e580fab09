/* Fills the placeholders of a text. */
#include "template.h"

#include <string.h>

static const char *const names[] = {
	[FIELD_NUMBER] = "number",
	[FIELD_STATUS] = "status",
	[FIELD_SUBJECT] = "subject",
	[FIELD_LINK] = "link",
	[FIELD_MUNICIPALITY] = "municipality",
	[FIELD_PHONE] = "phone",
	[FIELD_DATE] = "date",
	[FIELD_DEPARTMENT] = "department",
	[FIELD_DUE_DATE] = "due_date",
	[FIELD_CLOSURE_REASON] = "closure_reason",
	[FIELD_INSTITUTION] = "institution",
	[FIELD_NAME] = "name",
	[FIELD_ANSWER] = "answer",
	[FIELD_REFERENCE] = "reference",
	[FIELD_SURVEY_LINK] = "survey_link",
	[FIELD_SMS_REPLY_TO] = "sms_reply_to",
	[FIELD_REASON] = "reason",
	[FIELD_SMS_KEYWORD] = "sms_keyword",
	[FIELD_MOMENT] = "moment",
	[FIELD_SURVEY_STOP_LINK] = "survey_stop_link",
};
_Static_assert(ARRAY_LEN(names) == TEMPLATE_FIELDS, "name every field");

struct sink {
	char *out;
	size_t size, used;
	enum template_shape shape;
};

/* Whether the text would leave a second empty line: what stood there was empty. */
static bool
leaves_hole(const struct sink *to)
{
	return to->shape == TEMPLATE_TEXT && to->used >= 2
	       && memcmp(to->out + to->used - 2, "\n\n", 2) == 0;
}

static bool
put(struct sink *to, const char *text, size_t len, bool value)
{
	if (len >= to->size - to->used)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (!value && c == '\n' && leaves_hole(to))
			continue;
		bool control = (unsigned char)c < ' ' || c == 0x7f;
		if (value && control && (to->shape == TEMPLATE_LINE || c != '\n'))
			c = ' ';
		to->out[to->used++] = c;
	}
	to->out[to->used] = '\0';
	return true;
}

static const char *
value_of(const struct template_values *values, const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return values->of[i] != NULL ? values->of[i] : "";
	return NULL;
}

bool
template_fill(const char *text, const struct template_values *values, enum template_shape shape,
    char *out, size_t size)
{
	struct sink to = { .out = out, .size = size, .shape = shape };
	bool fits = size > 0;

	if (fits)
		out[0] = '\0';
	while (fits && *text != '\0') {
		size_t plain = strcspn(text, "{");
		fits = put(&to, text, plain, false);
		text += plain;
		if (*text != '{' || !fits)
			continue;
		size_t len = strcspn(text + 1, "}");
		const char *value = text[1 + len] == '}' ? value_of(values, text + 1, len) : NULL;
		fits = value != NULL && put(&to, value, strlen(value), true);
		text += len + 2;
	}
	if (!fits && size > 0)
		out[0] = '\0';
	return fits;
}
