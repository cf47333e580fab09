/*
 * phone - telephone numbers as people write them, and Turkish identity numbers.
 *
 * Kept in E.164 ("+905321234567"), except numbers that have no international form: the seven
 * digits of "444 80 07" stay 4448007 and are marked short.
 */
#ifndef TURUNC_PHONE_H
#define TURUNC_PHONE_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum { PHONE_SIZE = 17 }; /* '+', 15 digits, NUL */

struct phone {
	char number[PHONE_SIZE];
	bool is_short; /* 444 XXXX: can be called within Türkiye, cannot receive an SMS */
	bool mobile; /* a Turkish mobile number */
	bool foreign; /* not +90; whether it is mobile is not known */
	bool unknown_prefix; /* Turkish, well formed, but not a prefix we know: warn, do not refuse
			      */
};

enum phone_status {
	PHONE_OK,
	PHONE_EMPTY,
	PHONE_BAD_CHARACTER,
	PHONE_TOO_SHORT,
	PHONE_TOO_LONG,
	PHONE_NO_AREA_CODE, /* seven digits, and not a 444 number */
	PHONE_NOT_IN_TURKIYE, /* ten digits beginning with one that no Turkish number has */
	PHONE_NO_COUNTRY_CODE, /* looks foreign: must be written with '+' or 00 */
	PHONE_STATUSES
};

/* Spaces, '-', '.', '/', parentheses and what copying from a contact list adds are passed over.
 * *ret_phone is written on PHONE_OK alone. */
MUST_CHECK enum phone_status phone_parse(const char *text, struct phone *ret_phone);

/* What to tell the person, as a sentence in English; "" for PHONE_OK. */
const char *phone_status_reason(enum phone_status status);

/* "+90532*****67"; short numbers belong to offices and are shown.  Any other text becomes "***". */
void phone_mask(const char *number, char out[PHONE_SIZE]);

/* Eleven digits with right check digits; nothing else around them. */
bool tckn_valid(const char *text);

#endif
