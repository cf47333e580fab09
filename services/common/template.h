/*
 * template - a text to a citizen, filled in.
 *
 * Placeholders are {name}; the catalogue's check has refused unknown ones.  Values are plain text.
 * A value with line ends is allowed in a body and becomes one line in a subject.
 */
#ifndef TURUNC_TEMPLATE_H
#define TURUNC_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum template_field {
	FIELD_NUMBER,
	FIELD_STATUS,
	FIELD_SUBJECT,
	FIELD_LINK,
	FIELD_MUNICIPALITY,
	FIELD_PHONE,
	FIELD_DATE,
	FIELD_DEPARTMENT,
	FIELD_DUE_DATE,
	FIELD_CLOSURE_REASON,
	FIELD_INSTITUTION,
	FIELD_NAME,
	FIELD_ANSWER,
	FIELD_REFERENCE,
	FIELD_SURVEY_LINK,
	FIELD_SMS_REPLY_TO,
	FIELD_REASON, /* of an extension */
	FIELD_SMS_KEYWORD,
	FIELD_MOMENT, /* of a wish */
	FIELD_SURVEY_STOP_LINK,
	TEMPLATE_FIELDS
};

struct template_values {
	const char *of[TEMPLATE_FIELDS]; /* NULL counts as "" */
};

enum template_shape {
	TEMPLATE_LINE, /* line ends and tabs of values become spaces */
	TEMPLATE_TEXT,
};

/* False: it did not fit, or the text has an unknown placeholder; out is then "". */
MUST_CHECK bool template_fill(const char *text, const struct template_values *values,
    enum template_shape shape, char *out, size_t size);

#endif
