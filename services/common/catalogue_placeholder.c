/* Knows the placeholders of citizens' texts, and the longest values they can take. */
#include "catalogue_placeholder.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

enum {
	LINK_TAIL_CHARS = 24, /* what follows the base URL in a link */
	MOMENT_CHARS = 16, /* "24.11.2026 14:05" */
	STATUS_CHARS = 19, /* "Kurum dışı iletildi" */
	NUMBER_CHARS = 14
};

const struct template_event_word template_events[EVENTS] = {
	[RECEIVED] = { "received", true },
	[ROUTED] = { "routed", true },
	[ANSWERED] = { "answered", false },
	[EXTENDED] = { "extended", false },
	[RESOLVED] = { "resolved", true },
	[REJECTED] = { "rejected", true },
	[FORWARDED] = { "forwarded", true },
	[REOPENED] = { "reopened", false },
};

const char *const template_channels[CHANNELS] = { "sms", "email" };

enum { ANY = (1 << EVENTS) - 1, ENDS = 1 << RESOLVED | 1 << REJECTED | 1 << FORWARDED };

const struct placeholder placeholders[PLACEHOLDERS] = {
	{ "number", ANY, ANY, true, false },
	{ "status", ANY, ANY, true, false },
	{ "subject", ANY, 0, true, true },
	{ "department", ANY & ~BIT(RECEIVED), BIT(ROUTED), true, true },
	{ "closure_reason", ENDS, BIT(REJECTED), true, true },
	{ "institution", BIT(FORWARDED), BIT(FORWARDED), true, true },
	{ "link", ANY, 0, true, false },
	{ "municipality", ANY, 0, true, false },
	{ "phone", ANY, 0, true, false },
	{ "date", ANY, 0, true, false },
	{ "due_date", BIT(RECEIVED) | BIT(ROUTED) | BIT(EXTENDED) | BIT(REOPENED), BIT(EXTENDED),
	    true, false },
	{ "name", ANY, 0, false, false },
	{ "answer", ENDS | BIT(ANSWERED), 0, false, true },
	{ "reference", BIT(FORWARDED), 0, false, true },
};

/* --- lengths ------------------------------------------------------------------------- */

static bool
has_character(const char *set, int32_t c)
{
	const char *at = set, *end = set + strlen(set);

	while (at < end) {
		if (utf8_next(&at, end) == c)
			return true;
	}
	return false;
}

/* What one character takes: 1, 2 for those behind an escape, 3 for what is folded to three, 0 for
 * those in no table. */
static size_t
sms_weight(int32_t c)
{
	/* Beside ASCII without `: the letters of the default and of the Turkish tables. */
	static const char also[] = "çÇğĞıİşŞöÖüÜäÄåÅæÆøØéÉàèìòùñÑß¡¿§¤£¥€ΔΦΓΛΩΠΨΣΘΞ";

	/* Folded before sending, to a letter or sign that looks like it. */
	static const char folded[] = "âÂîÎûÛ‘’“”–—";

	if (c == 0x2026)
		return 3;
	if (c == '`' || (c < ' ' && c != '\n'))
		return 0;
	if (c < 0x80)
		return strchr("^{}\\[]~|", c) != NULL ? 2 : 1;
	if (has_character(folded, c))
		return 1;
	return has_character(also, c) ? (c == 0x20ac ? 2 : 1) : 0;
}

size_t
sms_length(const char *text, size_t len, bool *ret_ucs2)
{
	const char *at = text, *end = text + len;
	size_t length = 0;

	while (at < end) {
		int32_t c = utf8_next(&at, end);
		size_t weight = sms_weight(c);
		if (weight == 0)
			*ret_ucs2 = true;
		length += weight > 1 ? weight : c > 0xffff ? 2 : 1;
	}
	return length;
}

static void
lengthen(struct placeholder_lengths *l, const char *word, const char *value)
{
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		if (strcmp(placeholders[i].word, word) != 0)
			continue;
		size_t length = sms_length(value, strlen(value), &l->ucs2[i]);
		if (length > l->of[i])
			l->of[i] = length;
	}
}

static void
lengthen_to(struct placeholder_lengths *l, const char *word, size_t chars)
{
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		if (strcmp(placeholders[i].word, word) == 0)
			l->of[i] = chars;
	}
}

struct placeholder_lengths
placeholder_longest(const struct catalogue *cat, enum catalogue_language language)
{
	struct placeholder_lengths l = { 0 };

	for (size_t i = 0; i < cat->subject_count; i++) {
		/* Those of a special category are never named in an SMS. */
		if (!cat->subjects[i].special_category)
			lengthen(&l, "subject", catalogue_say(&cat->subjects[i].name, language));
	}
	for (size_t i = 0; i < cat->department_count; i++)
		lengthen(&l, "department", catalogue_say(&cat->departments[i].name, language));
	for (size_t i = 0; i < cat->institution_count; i++)
		lengthen(&l, "institution", catalogue_say(&cat->institutions[i].name, language));
	for (size_t i = 0; i < cat->closure_reason_count; i++)
		lengthen(
		    &l, "closure_reason", catalogue_say(&cat->closure_reasons[i].name, language));
	lengthen(&l, "municipality", cat->municipality.name);
	lengthen(&l, "phone", cat->municipality.phone);
	lengthen_to(&l, "link", strlen(cat->municipality.base_url) + LINK_TAIL_CHARS);
	lengthen_to(&l, "number", NUMBER_CHARS);
	lengthen_to(&l, "status", STATUS_CHARS);
	lengthen_to(&l, "date", MOMENT_CHARS);
	lengthen_to(&l, "due_date", MOMENT_CHARS);
	return l;
}
