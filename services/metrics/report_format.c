/* Writes numbers the way people of either language do. */
#include "report_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 11651 as "11.651" or "11,651"; never negative. */
static void
grouped(enum catalogue_language language, int64_t value, char out[REPORT_TEXT_SIZE])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);
	int used = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[used++] = language == CATALOGUE_EN ? ',' : '.';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

/* 953 as "95,3" or "95.3". */
static void
tenths(enum catalogue_language language, int64_t value, char out[REPORT_TEXT_SIZE])
{
	size_t len;

	grouped(language, value / 10, out);
	len = strlen(out);
	out[len] = language == CATALOGUE_EN ? '.' : ',';
	out[len + 1] = (char)('0' + value % 10);
	out[len + 2] = '\0';
}

/* Turkish puts the sign in front: %95,3. */
static void
percent(enum catalogue_language language, int64_t value, const char *sign, char *out)
{
	char number[REPORT_TEXT_SIZE];

	tenths(language, value, number);
	if (language == CATALOGUE_EN)
		(void)snprintf(out, REPORT_TEXT_SIZE, "%s%.40s%%", sign, number);
	else
		(void)snprintf(out, REPORT_TEXT_SIZE, "%s%%%.40s", sign, number);
}

void
report_format(enum catalogue_language language, enum report_kind kind, struct report_value value,
    char out[REPORT_TEXT_SIZE])
{
	int64_t size = value.value < 0 ? -value.value : value.value;
	char number[REPORT_TEXT_SIZE];

	if (!value.known) {
		(void)snprintf(out, REPORT_TEXT_SIZE, "–");
		return;
	}
	if (kind == REPORT_PERCENT) {
		percent(language, size, value.value < 0 ? "−" : "", out);
		return;
	}
	if (kind == REPORT_COUNT)
		grouped(language, size, number);
	else
		tenths(language, size, number);
	(void)snprintf(out, REPORT_TEXT_SIZE, "%s%.48s", value.value < 0 ? "−" : "", number);
}

const char *
report_unit(enum catalogue_language language, enum report_kind kind)
{
	static const char *const words[][CATALOGUE_LANGUAGES] = {
		[REPORT_COUNT] = { "adet", "count" },
		[REPORT_PERCENT] = { "yüzde", "percent" },
		[REPORT_PER_1000] = { "bin kişide", "per 1,000 inhabitants" },
		[REPORT_MINUTES] = { "dakika", "minutes" },
		[REPORT_SECONDS] = { "saniye", "seconds" },
		[REPORT_TIMES] = { "kez", "times" },
	};

	return words[kind][language];
}

/* Half away from zero. */
static int64_t
divided(int64_t over, int64_t under)
{
	int64_t size = over < 0 ? -over : over;
	int64_t result = (2 * size + under) / (2 * under);

	return over < 0 ? -result : result;
}

struct report_value
report_change_tenths(struct report_value now, struct report_value then)
{
	static const int64_t most = INT64_MAX / 4000;

	if (!now.known || !then.known || then.value <= 0 || now.value < 0 || now.value > most
	    || then.value > most)
		return (struct report_value){ 0 };
	return (struct report_value){ true, divided((now.value - then.value) * 1000, then.value) };
}

void
report_change(enum catalogue_language language, enum report_kind kind, struct report_value now,
    struct report_value then, char out[REPORT_TEXT_SIZE])
{
	struct report_value change = { now.known && then.known, now.value - then.value };
	char number[REPORT_TEXT_SIZE];
	const char *sign;
	int64_t size;

	out[0] = '\0';
	/* Rates differ by so much: from 50 % to 55 % is no growth of 10 %, and of a rounded 2.0
	 * even less can be said. */
	if (kind == REPORT_COUNT)
		change = report_change_tenths(now, then);
	if (!change.known)
		return;
	sign = change.value > 0 ? "+" : change.value < 0 ? "−" : "±";
	size = change.value < 0 ? -change.value : change.value;
	if (kind == REPORT_COUNT) {
		percent(language, size, sign, out);
		return;
	}
	tenths(language, size, number);
	(void)snprintf(out, REPORT_TEXT_SIZE, "%s%.40s%s", sign, number,
	    kind != REPORT_PERCENT     ? ""
	    : language == CATALOGUE_EN ? " points"
				       : " puan");
}
