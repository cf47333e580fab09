/* gsm_tables - for gsm's own files: the alphabets of short messages, 3GPP TS 23.038 clause 6.2.1
 * and annex A. */
#ifndef TURUNC_GSM_TABLES_H
#define TURUNC_GSM_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "gsm.h"

enum { GSM_ESCAPE = 0x1b };

/* U+001B stands where the escape is, which no text can ask for. */
extern const uint16_t gsm_default_table[128];
extern const uint16_t gsm_turkish_locking_table[128];

struct gsm_shifted {
	uint16_t character;
	uint8_t septet;
	uint8_t turkish; /* in the Turkish single shift table only */
};
extern const struct gsm_shifted gsm_shift_table[];
extern const unsigned gsm_shift_count;

/* Folds the next character, and the marks behind it, off [*at, end): returns the bytes written, 0
 * when it goes without a trace.  Never more than were taken; *lost grows by one when it became a
 * question mark. */
enum { SMS_FOLDED_MAX = 4 };
size_t sms_fold_next(enum sms_policy policy, const char **at, const char *end,
    char out[SMS_FOLDED_MAX], size_t *lost);

#endif
