/* Reads telephone numbers in all the ways people in Türkiye write them. */
#include "phone.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

enum {
	DIGITS_MAX = 24, /* kept while reading, so that "too long" can be told from "bad" */
	NATIONAL_DIGITS = 10,
	SHORT_DIGITS = 7,
	E164_MIN = 7,
	E164_MAX = 15
};

/* Known three-digit beginnings.  Numbers move between operators: this says "exists", no more. */
static const uint16_t mobile_prefixes[] = { 501, 505, 506, 507, 510, 516, 530, 531, 532, 533, 534,
	535, 536, 537, 538, 539, 540, 541, 542, 543, 544, 545, 546, 547, 548, 549, 550, 551, 552,
	553, 554, 555, 556, 557, 558, 559, 561 };
static const uint16_t fixed_prefixes[] = { 212, 216, 222, 224, 226, 228, 232, 236, 242, 246, 248,
	252, 256, 258, 262, 264, 266, 272, 274, 276, 282, 284, 286, 288, 312, 318, 322, 324, 326,
	328, 332, 338, 342, 344, 346, 348, 352, 354, 356, 358, 362, 364, 366, 368, 370, 372, 374,
	376, 378, 380, 382, 384, 386, 388, 392, 412, 414, 416, 422, 424, 426, 428, 432, 434, 436,
	438, 442, 446, 452, 454, 456, 458, 462, 464, 466, 472, 474, 476, 478, 482, 484, 486, 488,
	800, 811, 822, 850, 888, 900 };

static const char *const reasons[] = {
	[PHONE_OK] = "",
	[PHONE_EMPTY] = "no number was given",
	[PHONE_BAD_CHARACTER] = "a telephone number has digits only",
	[PHONE_TOO_SHORT] = "the number is too short",
	[PHONE_TOO_LONG] = "the number is too long",
	[PHONE_NO_AREA_CODE] = "the area code is missing",
	[PHONE_NOT_IN_TURKIYE] = "no number in Türkiye begins like this",
	[PHONE_NO_COUNTRY_CODE] = "a foreign number needs + and its country code",
};
_Static_assert(ARRAY_LEN(reasons) == PHONE_STATUSES, "a reason for every status");

struct digits {
	char at[DIGITS_MAX + 1];
	size_t count;
	bool international; /* after '+' or 00, which are not in it */
};

const char *
phone_status_reason(enum phone_status status)
{
	return (size_t)status < ARRAY_LEN(reasons) ? reasons[status] : "";
}

static bool
is_separator(int32_t c)
{
	return c == ' ' || c == '\t' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')'
	       || c == 0xa0 || (c >= 0x2000 && c <= 0x2015) || (c >= 0x2028 && c <= 0x202f)
	       || c == 0x2060 || c == 0x2212 || c == 0xfeff;
}

static enum phone_status
collect(const char *text, struct digits *d)
{
	const char *at = text, *end = text + strlen(text);

	while (at < end) {
		int32_t c = utf8_next(&at, end);
		if (is_separator(c))
			continue;
		if (c == '+' && d->count == 0 && !d->international) {
			d->international = true;
			continue;
		}
		if (c < '0' || c > '9')
			return PHONE_BAD_CHARACTER;
		if (d->count == DIGITS_MAX)
			return PHONE_TOO_LONG;
		d->at[d->count++] = (char)c;
	}
	d->at[d->count] = '\0';
	if (d->count == 0)
		return PHONE_EMPTY;
	if (!d->international && strncmp(d->at, "00", 2) == 0) {
		d->international = true;
		d->count -= 2;
		memmove(d->at, d->at + 2, d->count + 1);
	}
	return PHONE_OK;
}

static bool
known_prefix(const uint16_t *table, size_t count, const char *digits)
{
	int prefix = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');

	for (size_t i = 0; i < count; i++) {
		if (table[i] == prefix)
			return true;
	}
	return false;
}

static enum phone_status
take_short(const char *digits, struct phone *p)
{
	memcpy(p->number, digits, SHORT_DIGITS + 1);
	p->is_short = true;
	return PHONE_OK;
}

/* digits: what follows +90 or the trunk 0. */
static enum phone_status
take_national(const char *digits, size_t count, struct phone *p)
{
	if (count == SHORT_DIGITS && strncmp(digits, "444", 3) == 0)
		return take_short(digits, p);
	if (count == SHORT_DIGITS)
		return PHONE_NO_AREA_CODE;
	if (count != NATIONAL_DIGITS)
		return count < NATIONAL_DIGITS ? PHONE_TOO_SHORT : PHONE_TOO_LONG;
	/* 444 is no area code: this is a 444 number with something behind it. */
	if (strchr("23458", digits[0]) == NULL && strncmp(digits, "900", 3) != 0)
		return PHONE_NOT_IN_TURKIYE;
	if (strncmp(digits, "444", 3) == 0)
		return PHONE_NOT_IN_TURKIYE;

	p->mobile = digits[0] == '5';
	p->unknown_prefix = p->mobile
				? !known_prefix(mobile_prefixes, ARRAY_LEN(mobile_prefixes), digits)
				: !known_prefix(fixed_prefixes, ARRAY_LEN(fixed_prefixes), digits);
	memcpy(p->number, "+90", 3);
	memcpy(p->number + 3, digits, NATIONAL_DIGITS + 1);
	return PHONE_OK;
}

static enum phone_status
take_international(const struct digits *d, struct phone *p)
{
	if (strncmp(d->at, "90", 2) == 0) {
		/* "+90 (0)532 ..." is a common way of writing it. */
		size_t skip = d->at[2] == '0' ? 3 : 2;
		return take_national(d->at + skip, d->count - skip, p);
	}
	if (d->count < E164_MIN)
		return PHONE_TOO_SHORT;
	if (d->count > E164_MAX)
		return PHONE_TOO_LONG;
	if (d->at[0] == '0')
		return PHONE_NO_COUNTRY_CODE;
	p->number[0] = '+';
	memcpy(p->number + 1, d->at, d->count + 1);
	p->foreign = true;
	return PHONE_OK;
}

static enum phone_status
take_digits(const struct digits *d, struct phone *p)
{
	if (d->international)
		return take_international(d, p);
	if (d->at[0] == '0')
		return take_national(d->at + 1, d->count - 1, p);
	if (d->count > NATIONAL_DIGITS) {
		if (strncmp(d->at, "90", 2) == 0)
			return take_international(d, p);
		return PHONE_NO_COUNTRY_CODE;
	}
	return take_national(d->at, d->count, p);
}

enum phone_status
phone_parse(const char *text, struct phone *ret_phone)
{
	struct digits d = { .count = 0 };
	struct phone p = { .number = "" };

	enum phone_status status = collect(text, &d);
	if (status == PHONE_OK)
		status = take_digits(&d, &p);
	if (status == PHONE_OK)
		*ret_phone = p;
	return status;
}

void
phone_mask(const char *number, char out[PHONE_SIZE])
{
	size_t len = strlen(number);

	if (len == SHORT_DIGITS && strncmp(number, "444", 3) == 0) {
		memcpy(out, number, len + 1);
		return;
	}
	if (number[0] != '+' || len <= E164_MIN || len >= PHONE_SIZE) {
		memcpy(out, "***", 4);
		return;
	}
	/* Country and operator, and the two digits by which its owner knows it again. */
	size_t shown = strncmp(number, "+90", 3) == 0 ? 6 : 3;
	for (size_t i = 0; i < len; i++)
		out[i] = i < shown || i + 2 >= len ? number[i] : '*';
	out[len] = '\0';
}

bool
tckn_valid(const char *text)
{
	int d[11], odd = 0, even = 0, sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(d); i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		d[i] = text[i] - '0';
	}
	if (text[11] != '\0' || d[0] == 0)
		return false;
	for (size_t i = 0; i < 9; i++) {
		if (i % 2 == 0)
			odd += d[i];
		else
			even += d[i];
	}
	for (size_t i = 0; i < 10; i++)
		sum += d[i];
	/* The even places can outweigh the odd ones, by 36 at most: 40 keeps it positive. */
	return (7 * odd - even + 40) % 10 == d[9] && sum % 10 == d[10];
}
