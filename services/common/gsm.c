/* Measures and encodes: one walk over the text puts each character into its part. */
#include "gsm.h"

#include <assert.h>
#include <string.h>

#include "gsm_tables.h"
#include "utf8.h"

enum {
	REPLACEMENT = '?',
	UNITS_MAX = 2, /* of one character */
	UNITS_ONE_MAX = 160,
	IEI_CONCATENATED = 0x00,
	IEI_SINGLE_SHIFT = 0x24,
	IEI_LOCKING_SHIFT = 0x25,
	TURKISH = 1,
	SURROGATES_FROM = 0x10000,
};

static const struct coding {
	const char *name;
	size_t one, several; /* units of a message in one part, of each part of several */
	bool single, locking;
} codings_table[] = {
	[GSM_DEFAULT] = { "default", 160, 153, false, false },
	[GSM_SINGLE] = { "turkish-single", 155, 149, true, false },
	[GSM_LOCKING] = { "turkish-locking", 155, 149, false, true },
	[GSM_BOTH] = { "turkish-both", 152, 146, true, true },
	[GSM_UCS2] = { "ucs2", 70, 67, false, false },
};
_Static_assert(ARRAY_LEN(codings_table) == GSM_CODINGS, "describe every coding");

static const char *const policy_names[] = {
	[SMS_AUTO] = "auto", [SMS_ASCII] = "ascii", [SMS_TURKISH] = "tr", [SMS_UCS2] = "ucs2"
};
_Static_assert(ARRAY_LEN(policy_names) == SMS_POLICIES, "name every policy");

const char *
gsm_coding_name(enum gsm_coding coding)
{
	return codings_table[coding].name;
}

const char *
sms_policy_name(enum sms_policy policy)
{
	return policy_names[policy];
}

bool
sms_policy_parse(const char *word, enum sms_policy *ret_policy)
{
	for (int i = 0; i < SMS_POLICIES; i++) {
		if (strcmp(word, policy_names[i]) == 0) {
			*ret_policy = (enum sms_policy)i;
			return true;
		}
	}
	return false;
}

/* --- one character ---------------------------------------------------------------------------- */

/* Its units, escape first; 0: it is not in the coding. */
static size_t
units_of(int32_t c, enum gsm_coding coding, uint16_t out[UNITS_MAX])
{
	const struct coding *how = &codings_table[coding];

	if (coding == GSM_UCS2) {
		if (c < SURROGATES_FROM) {
			out[0] = (uint16_t)c;
			return 1;
		}
		out[0] = (uint16_t)(0xd800 + ((c - SURROGATES_FROM) >> 10));
		out[1] = (uint16_t)(0xdc00 + ((c - SURROGATES_FROM) & 0x3ff));
		return 2;
	}
	const uint16_t *table = how->locking ? gsm_turkish_locking_table : gsm_default_table;
	for (uint16_t i = 0; i < 128; i++) {
		if (table[i] == c && i != GSM_ESCAPE) {
			out[0] = i;
			return 1;
		}
	}
	for (unsigned i = 0; i < gsm_shift_count; i++) {
		const struct gsm_shifted *s = &gsm_shift_table[i];
		if (s->character == c && (s->turkish == 0 || how->single)) {
			out[0] = GSM_ESCAPE;
			out[1] = s->septet;
			return 2;
		}
	}
	return 0;
}

static int32_t
next_character(const char **at, const char *end)
{
	int32_t c = utf8_next(at, end);

	return c == UTF8_INVALID ? REPLACEMENT : c;
}

/* --- measuring -------------------------------------------------------------------------------- */

/* What a walk over the text has found for one coding. */
struct tally {
	size_t units, closed_parts, in_part;
};

static void
tally_add(struct tally *t, enum gsm_coding coding, size_t n)
{
	if (t->in_part + n > codings_table[coding].several) {
		t->closed_parts++;
		t->in_part = 0;
	}
	t->in_part += n;
	t->units += n;
}

static size_t
tally_parts(const struct tally *t, enum gsm_coding coding)
{
	if (t->units <= codings_table[coding].one)
		return t->units == 0 ? 0 : 1;
	return t->closed_parts + 1;
}

bool
gsm_measure(
    const char *text, size_t len, enum gsm_coding coding, size_t *ret_units, size_t *ret_parts)
{
	const char *end = text + len;
	struct tally t = { 0 };
	uint16_t out[UNITS_MAX];

	while (text < end) {
		size_t n = units_of(next_character(&text, end), coding, out);
		if (n == 0)
			return false;
		tally_add(&t, coding, n);
	}
	*ret_units = t.units;
	*ret_parts = tally_parts(&t, coding);
	return true;
}

/* Takes one folded character into each coding that is still able; returns those that are. */
static unsigned
tally_character(struct tally tallies[GSM_CODINGS], unsigned able, int32_t c)
{
	uint16_t out[UNITS_MAX];

	for (int i = 0; i < GSM_CODINGS; i++) {
		size_t n = (able & 1u << i) != 0 ? units_of(c, (enum gsm_coding)i, out) : 0;
		if (n == 0)
			able &= ~(1u << i);
		else
			tally_add(&tallies[i], (enum gsm_coding)i, n);
	}
	return able;
}

void
sms_measure(const char *text, size_t len, enum sms_policy policy, unsigned codings,
    struct sms_size *ret_size)
{
	const char *end = text + len;
	struct tally tallies[GSM_CODINGS] = { 0 };
	unsigned able = 1u << GSM_DEFAULT | 1u << GSM_UCS2;
	struct sms_size best = { .coding = GSM_UCS2 };

	if (policy == SMS_UCS2)
		able = 1u << GSM_UCS2;
	else if (policy != SMS_ASCII)
		able = codings | 1u << GSM_UCS2;
	while (text < end) {
		char folded[SMS_FOLDED_MAX];
		const char *at = folded;
		size_t size = sms_fold_next(policy, &text, end, folded, &best.lost);
		while (at < folded + size)
			able = tally_character(tallies, able, utf8_next(&at, folded + size));
	}
	best.parts = SIZE_MAX;
	for (int i = 0; i < GSM_CODINGS; i++) { /* a plainer coding wins among equals */
		enum gsm_coding coding = (enum gsm_coding)i;
		if ((able & 1u << i) == 0 || tally_parts(&tallies[i], coding) >= best.parts)
			continue;
		best.coding = coding;
		best.units = tallies[i].units;
		best.parts = tally_parts(&tallies[i], coding);
	}
	*ret_size = best;
}

size_t
sms_parts(const char *text, size_t len, enum sms_policy policy)
{
	struct sms_size size;

	sms_measure(text, len, policy, GSM_OF_GATEWAY, &size);
	return size.parts;
}

/* --- encoding --------------------------------------------------------------------------------- */

/* The user data header; number: of this part, from 1; 0: the message is in one part. */
static size_t
put_header(uint8_t *out, enum gsm_coding coding, uint8_t reference, size_t number, size_t total)
{
	size_t used = 1;

	if (number > 0) {
		const uint8_t concatenated[] = { IEI_CONCATENATED, 3, reference, (uint8_t)total,
			(uint8_t)number };
		memcpy(out + used, concatenated, sizeof(concatenated));
		used += sizeof(concatenated);
	}
	if (codings_table[coding].single) {
		out[used++] = IEI_SINGLE_SHIFT;
		out[used++] = 1;
		out[used++] = TURKISH;
	}
	if (codings_table[coding].locking) {
		out[used++] = IEI_LOCKING_SHIFT;
		out[used++] = 1;
		out[used++] = TURKISH;
	}
	out[0] = (uint8_t)(used - 1);
	return used > 1 ? used : 0;
}

/* Seven bits at the given bit, lowest first. */
static void
put_septet(uint8_t *octets, size_t at_bit, uint16_t septet)
{
	size_t shift = at_bit % 8;

	octets[at_bit / 8] |= (uint8_t)(septet << shift);
	if (shift > 1)
		octets[at_bit / 8 + 1] |= (uint8_t)(septet >> (8 - shift));
}

static void
put_units(struct gsm_part *part, enum gsm_coding coding, size_t header, const uint16_t *units,
    size_t count)
{
	size_t septets_before = (header * 8 + 6) / 7;

	for (size_t i = 0; i < count; i++) {
		if (coding == GSM_UCS2) {
			part->octets[header + 2 * i] = (uint8_t)(units[i] >> 8);
			part->octets[header + 2 * i + 1] = (uint8_t)units[i];
		} else {
			put_septet(part->octets, (septets_before + i) * 7, units[i]);
		}
	}
	part->length = coding == GSM_UCS2 ? header + 2 * count : septets_before + count;
	part->octet_count = coding == GSM_UCS2 ? part->length : (part->length * 7 + 7) / 8;
}

size_t
gsm_encode(const char *text, size_t len, enum gsm_coding coding, uint8_t reference,
    struct gsm_part ret_parts[GSM_PARTS_MAX])
{
	const char *end = text + len;
	size_t total_units, total;

	if (!gsm_measure(text, len, coding, &total_units, &total) || total == 0
	    || total > GSM_PARTS_MAX)
		return 0;
	size_t room = total == 1 ? codings_table[coding].one : codings_table[coding].several;
	for (size_t number = 1; number <= total; number++) {
		struct gsm_part *part = &ret_parts[number - 1];
		uint16_t units[UNITS_ONE_MAX];
		size_t count = 0;
		memset(part, 0, sizeof(*part));
		while (text < end) {
			const char *ahead = text;
			uint16_t out[UNITS_MAX];
			size_t n = units_of(next_character(&ahead, end), coding, out);
			if (count + n > room)
				break;
			memcpy(units + count, out, n * sizeof(*units));
			count += n;
			text = ahead;
		}
		size_t header = put_header(
		    part->octets, coding, reference, total > 1 ? number : 0, total);
		if (header == 0)
			part->octets[0] = 0;
		put_units(part, coding, header, units, count);
	}
	assert(text == end);
	return total;
}
