/*
 * fields - is what a person or a system wrote fit to keep?  Shared by every door.
 *
 * Each check says what is wrong in a sentence that names the field and no more of its content.
 * Text is valid UTF-8 without NUL already.
 */
#ifndef INTAKE_FIELDS_H
#define INTAKE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "catalogue.h"
#include "phone.h"
#include "problems.h"

enum {
	FIELD_DESCRIPTION_CHARS = 4000,
	FIELD_ADDRESS_CHARS = 500,
	FIELD_NAME_CHARS = 200,
	FIELD_ID_CHARS = 128,
	FIELD_URL_CHARS = 1000,
	FIELD_EMAIL_BYTES = 254,
};

enum field_kind { FIELD_LINE, FIELD_LINES }; /* may it hold line breaks and tabs? */

/* At most max_chars characters (not bytes), no control characters.  NULL is fit. */
bool field_check_text(struct problems *p, const char *field, const char *text, enum field_kind kind,
    size_t max_chars);

/* One address that notifier can write to, so of ASCII; not that somebody reads it. */
bool field_email_valid(const char *text);
bool field_check_email(struct problems *p, const char *field, const char *text);

/* Writes the normal form; NULL text leaves ret_phone as it is and is fit. */
bool field_check_phone(
    struct problems *p, const char *field, const char *text, struct phone *ret_phone);

/* http:// or https:// and a host. */
bool field_check_url(struct problems *p, const char *field, const char *text);

/* A whole decimal number within [min, max]; both finite. */
bool field_check_number(struct problems *p, const char *field, const char *text, double min,
    double max, double *ret_value);

/* A position's latitude and longitude: finite and within the globe. */
bool field_check_position(struct problems *p, double latitude, double longitude);

/* The neighbourhood's code that an address names ("Fener Mah. 1964 Sok., Antalya"), or "". */
const char *field_neighbourhood_of_address(const struct catalogue *cat, const char *address);
/* That nearest to the position, or "" outside the municipality. */
const char *field_neighbourhood_of_position(
    const struct catalogue *cat, double latitude, double longitude);

#endif
