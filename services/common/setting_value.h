/* setting_value - one setting's text to its value and back; private to settings.c. */
#ifndef TURUNC_SETTING_VALUE_H
#define TURUNC_SETTING_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"

enum { SETTING_WHY_SIZE = 512, SETTING_SHOWN_SIZE = SETTING_TEXT_MAX + 64 };

/* Reads text into the member at `at`; false: why says what it should have been.  A string there
 * is allocated and owned by the config.  For a secret text is the secret itself. */
MUST_CHECK bool setting_parse(
    const struct setting *s, const char *text, void *at, char why[SETTING_WHY_SIZE]);

/* The member as text that setting_parse() would take back; a secret as *** or nothing. */
void setting_format(const struct setting *s, const void *at, char shown[SETTING_SHOWN_SIZE]);

/* The type and range in words: "duration, 1s to 10m". */
void setting_expected(const struct setting *s, char *to, size_t size);

/* The member is a char * that the config owns. */
bool setting_is_string(const struct setting *s);

#endif
