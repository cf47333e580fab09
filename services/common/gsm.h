/*
 * gsm - a text as the short messages it becomes: how many parts it costs, and their octets.
 *
 * Pure.  The tables are those of 3GPP TS 23.038: the default alphabet with its extension, and the
 * Turkish national tables (language 1), of which a message may use the single shift table, the
 * locking table, or both, at the price of a header in each part.  What fits in none of them goes
 * out as UCS-2, seventy characters to a message.
 *
 * A text is folded first (sms_fold), then measured and sent; all functions read UTF-8 and take a
 * byte that is none as a question mark.
 */
#ifndef TURUNC_GSM_H
#define TURUNC_GSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum gsm_coding {
	GSM_DEFAULT, /* 160 units, or 153 in each of several parts */
	GSM_SINGLE, /* with the Turkish single shift table: 155 / 149 */
	GSM_LOCKING, /* the Turkish locking table in place of the default one: 155 / 149 */
	GSM_BOTH, /* 152 / 146 */
	GSM_UCS2, /* 70 / 67 */
	GSM_CODINGS
};
const char *gsm_coding_name(enum gsm_coding coding);

/* Sets of codings to choose from.  A gateway that is told "Turkish" chooses the table itself: one
 * bills ş as one unit, another as two.  GSM_OF_GATEWAY counts as the dearer one, with the single
 * shift table; the others are for whoever builds the message's octets himself. */
enum {
	GSM_OF_GATEWAY = 1u << GSM_DEFAULT | 1u << GSM_SINGLE | 1u << GSM_UCS2,
	GSM_OF_ALL = (1u << GSM_CODINGS) - 1
};

/* How a template wants its texts sent. */
enum sms_policy {
	SMS_AUTO, /* the cheapest coding that loses no letter */
	SMS_ASCII, /* Turkish letters become their plain ones: the cheapest there is */
	SMS_TURKISH, /* Turkish letters stay, what is in no table becomes the nearest letter */
	SMS_UCS2, /* every character stays as it was written */
	SMS_POLICIES
};
const char *sms_policy_name(enum sms_policy policy);
/* "auto", "ascii", "tr", "ucs2"; false: another word. */
MUST_CHECK bool sms_policy_parse(const char *word, enum sms_policy *ret_policy);

/*
 * The text as it will be sent, as UTF-8 with a NUL, never longer than it was: out has len + 1
 * bytes.  Under every policy but SMS_UCS2 typographic quotes, dashes, dots and spaces become those
 * of a typewriter, a letter with a mark of its own becomes one letter, and circumflexes go (one
 * curly apostrophe would cost the whole message UCS-2).  Returns how many characters were lost:
 * those that had to become a question mark.
 */
size_t sms_fold(enum sms_policy policy, const char *text, size_t len, char *out);

struct sms_size {
	enum gsm_coding coding;
	size_t units; /* septets, or UTF-16 units */
	size_t parts; /* 0 only for an empty text */
	size_t lost; /* characters that became question marks */
};

/* What the text costs once folded; codings: the set to choose from, GSM_UCS2 always in it. */
void sms_measure(const char *text, size_t len, enum sms_policy policy, unsigned codings,
    struct sms_size *ret_size);

/* The parts that a gateway bills for this text, at most. */
size_t sms_parts(const char *text, size_t len, enum sms_policy policy);

/* A folded text in one coding, its units counted with escapes; false: a character is not in it. */
MUST_CHECK bool gsm_measure(
    const char *text, size_t len, enum gsm_coding coding, size_t *ret_units, size_t *ret_parts);

enum { GSM_OCTETS_MAX = 140, GSM_PARTS_MAX = 8 };
struct gsm_part {
	uint8_t octets[GSM_OCTETS_MAX]; /* the user data: header, if any, and packed text */
	size_t octet_count;
	size_t length; /* as the user data length says it: septets, or octets of UCS-2 */
};

/*
 * The parts of a folded text, each with the header that it needs; an escape and the character
 * behind it, or the two halves of a surrogate pair, are never in different parts.  reference: of
 * the parts of one message.  Returns their count, 0: empty, more than GSM_PARTS_MAX, or a
 * character is not in the coding.
 */
size_t gsm_encode(const char *text, size_t len, enum gsm_coding coding, uint8_t reference,
    struct gsm_part ret_parts[GSM_PARTS_MAX]);

#endif
