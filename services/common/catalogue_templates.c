/* Reads the texts that citizens receive, and finds what is wrong with them before anybody does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"
#include "fold.h"
#include "utf8.h"

enum {
	WORD_MAX = 24,
	EMAIL_BYTES_MAX = 8000,
	EMAIL_SUBJECT_BYTES_MAX = 200,
	LINK_TAIL_CHARS = 24, /* what follows the base URL in a link */
	MOMENT_CHARS = 16, /* "24.11.2026 14:05" */
	STATUS_CHARS = 19, /* "Kurum dışı iletildi" */
	NUMBER_CHARS = 14,
	/* Two parts of an SMS: in the national tables, and in UCS-2. */
	SMS_TURKISH_MAX = 292,
	SMS_UCS2_MAX = 134
};

enum event { RECEIVED, ROUTED, RESOLVED, REJECTED, FORWARDED, EVENTS };
static const char *const events[EVENTS] = { "received", "routed", "resolved", "rejected",
	"forwarded" };

enum channel { SMS, EMAIL, CHANNELS };
static const char *const channels[CHANNELS] = { "sms", "email" };

#define BIT(e) (1u << (e))
enum { ANY = (1 << EVENTS) - 1, ENDS = 1 << RESOLVED | 1 << REJECTED | 1 << FORWARDED };

/* What may stand in braces: where, and where it must. */
static const struct placeholder {
	const char *word;
	unsigned allowed; /* events */
	unsigned required; /* events */
	bool in_sms; /* personal or long texts travel by e-mail alone */
} placeholders[] = {
	{ "number", ANY, ANY, true },
	{ "status", ANY, ANY, true },
	{ "subject", ANY, 0, true },
	{ "department", ANY & ~BIT(RECEIVED), BIT(ROUTED), true },
	{ "closure_reason", ENDS, BIT(REJECTED), true },
	{ "institution", BIT(FORWARDED), BIT(FORWARDED), true },
	{ "link", ANY, 0, true },
	{ "municipality", ANY, 0, true },
	{ "phone", ANY, 0, true },
	{ "date", ANY, 0, true },
	{ "due_date", BIT(RECEIVED) | BIT(ROUTED), 0, true },
	{ "name", ANY, 0, false },
	{ "answer", ENDS, 0, false },
	{ "reference", BIT(FORWARDED), 0, false },
};

struct kind {
	enum event event;
	enum channel channel;
	enum catalogue_language language;
};

/* The longest value of each placeholder, counted in characters; the worst letters of them all. */
struct lengths {
	size_t of[ARRAY_LEN(placeholders)];
	bool ucs2[ARRAY_LEN(placeholders)];
};

/* --- which template a file is
 * ------------------------------------------------------------------------ */

static size_t
word_at(const char *const *words, size_t count, const char *text, size_t len)
{
	size_t i = 0;

	while (i < count && (strlen(words[i]) != len || strncmp(words[i], text, len) != 0))
		i++;
	return i;
}

/* "templates/received.sms.tr.txt" */
static bool
kind_parse(const char *name, struct kind *ret_kind)
{
	static const char *const languages[] = { "tr", "en" };
	const char *event = strchr(name, '/') + 1;
	size_t event_len = strcspn(event, ".");
	const char *channel = event + event_len + (event[event_len] == '.');
	size_t channel_len = strcspn(channel, ".");
	const char *language = channel + channel_len + (channel[channel_len] == '.');
	size_t language_len = strcspn(language, ".");

	size_t e = word_at(events, EVENTS, event, event_len);
	size_t c = word_at(channels, CHANNELS, channel, channel_len);
	size_t l = word_at(languages, ARRAY_LEN(languages), language, language_len);
	if (e == EVENTS || c == CHANNELS || l == ARRAY_LEN(languages)
	    || strcmp(language + language_len, ".txt") != 0)
		return false;
	*ret_kind = (struct kind){ (enum event)e, (enum channel)c, (enum catalogue_language)l };
	return true;
}

/* --- lengths
 * ------------------------------------------------------------------------------------------ */

/*
 * What one character takes in an SMS with the Turkish tables: 1, 2 for those behind an escape, 0
 * for those in no table (the whole message is then UCS-2).
 */
static size_t
sms_weight(int32_t c)
{
	/* Beside ASCII without `: the letters of the default and of the Turkish tables. */
	static const char also[] = "çÇğĞıİşŞöÖüÜäÄåÅæÆøØéÉàèìòùñÑß¡¿§¤£¥€ΔΦΓΛΩΠΨΣΘΞ";

	if (c == '`' || (c < ' ' && c != '\n'))
		return 0;
	if (c < 0x80)
		return strchr("^{}\\[]~|", c) != NULL ? 2 : 1;
	for (const char *at = also, *end = also + sizeof(also) - 1; at < end;) {
		if (utf8_next(&at, end) == c)
			return c == 0x20ac ? 2 : 1;
	}
	return 0;
}

/* Septets that the text needs; *ret_ucs2 becomes true when a character is in no table. */
static size_t
sms_length(const char *text, size_t len, bool *ret_ucs2)
{
	const char *at = text, *end = text + len;
	size_t length = 0;

	while (at < end) {
		int32_t c = utf8_next(&at, end);
		size_t weight = sms_weight(c);
		if (weight == 0)
			*ret_ucs2 = true;
		length += weight == 2 || c > 0xffff ? 2 : 1;
	}
	return length;
}

static void
lengthen(struct lengths *l, const char *word, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
		if (strcmp(placeholders[i].word, word) != 0)
			continue;
		size_t length = sms_length(value, strlen(value), &l->ucs2[i]);
		if (length > l->of[i])
			l->of[i] = length;
	}
}

static void
lengthen_to(struct lengths *l, const char *word, size_t chars)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
		if (strcmp(placeholders[i].word, word) == 0)
			l->of[i] = chars;
	}
}

static struct lengths
longest_values(const struct catalogue *cat, enum catalogue_language language)
{
	struct lengths l = { 0 };

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

/* --- the text
 * ------------------------------------------------------------------------------------------ */

struct scan {
	struct parse *p;
	const char *file;
	struct kind kind;
	struct lengths longest;
	int line;
	unsigned seen; /* placeholders, by index */
	size_t length;
	bool ucs2;
};

static void
take_placeholder(struct scan *s, const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
		const struct placeholder *h = &placeholders[i];
		if (strlen(h->word) != len || strncmp(h->word, word, len) != 0)
			continue;
		if ((h->allowed & BIT(s->kind.event)) == 0)
			parse_error(s->p, s->file, s->line, "{%s} has no value when a ticket is %s",
			    h->word, events[s->kind.event]);
		else if (s->kind.channel == SMS && !h->in_sms)
			parse_error(s->p, s->file, s->line,
			    "{%s} may stand in an e-mail, not in an SMS", h->word);
		s->seen |= BIT(i);
		s->length += s->longest.of[i];
		s->ucs2 = s->ucs2 || s->longest.ucs2[i];
		return;
	}
	parse_error(s->p, s->file, s->line, "unknown placeholder {%.*s}",
	    (int)(len < WORD_MAX ? len : WORD_MAX), word);
}

/* Walks over the text; goes on behind a problem. */
static void
scan_text(struct scan *s, const char *text)
{
	const char *end = text + strlen(text);

	while (text < end) {
		size_t plain = strcspn(text, "{}\n");
		s->length += sms_length(text, plain, &s->ucs2);
		text += plain;
		if (text == end)
			break;
		size_t word = *text == '{' ? strcspn(text + 1, "{}\n") : 0;
		if (*text == '\n') {
			s->line++;
			s->length++;
			text++;
		} else if (*text == '{' && text[1 + word] == '}') {
			take_placeholder(s, text + 1, word);
			text += word + 2;
		} else {
			parse_error(s->p, s->file, s->line, "a brace without its partner");
			text++;
		}
	}
}

static void
check_required(struct scan *s)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
		if ((placeholders[i].required & BIT(s->kind.event)) != 0 && (s->seen & BIT(i)) == 0)
			parse_error(s->p, s->file, 0, "{%s} is missing", placeholders[i].word);
	}
}

static void
check_sms_length(struct scan *s)
{
	size_t most = s->ucs2 ? SMS_UCS2_MAX : SMS_TURKISH_MAX;

	if (s->length > most)
		parse_error(s->p, s->file, 0,
		    "with the longest values it takes %zu characters%s; two parts hold %zu",
		    s->length, s->ucs2 ? " in UCS-2 (a character is in no SMS table)" : "", most);
	else if (s->ucs2)
		parse_warning(
		    s->p, s->file, 0, "a character is in no SMS table: each message costs UCS-2");
}

/* A copy with LF line ends and none at its end. */
static char *
normal_text(struct parse *p, const struct bundle_file *f)
{
	char *text = parse_take(p, f->size + 1);
	size_t used = 0;

	for (size_t i = 0; i < f->size && text != NULL; i++) {
		if (f->data[i] != '\r' || i + 1 == f->size || f->data[i + 1] != '\n')
			text[used++] = f->data[i];
	}
	while (used > 0 && (text[used - 1] == '\n' || text[used - 1] == ' '))
		text[--used] = '\0';
	return text;
}

/* Cuts "Subject: ..." off the front; the rest begins behind the empty line. */
static char *
take_email_subject(struct parse *p, const char *file, char *text, const char **ret_subject)
{
	static const char head[] = "Subject: ";
	char *line_end = strchr(text, '\n');

	if (strncmp(text, head, sizeof(head) - 1) != 0 || line_end == NULL) {
		parse_error(p, file, 1, "an e-mail begins with a line \"Subject: ...\"");
		return text;
	}
	if (line_end[1] != '\n') {
		parse_error(p, file, 2, "an empty line must follow the subject");
		return text;
	}
	*line_end = '\0';
	*ret_subject = text + sizeof(head) - 1;
	if (strlen(*ret_subject) > EMAIL_SUBJECT_BYTES_MAX)
		parse_error(
		    p, file, 1, "the subject is longer than %d bytes", EMAIL_SUBJECT_BYTES_MAX);
	return line_end + 2;
}

static bool
text_sound(struct parse *p, const struct bundle_file *f)
{
	if (!utf8_valid(f->data, f->size)) {
		parse_error(p, f->name, 0, "the text is not UTF-8");
		return false;
	}
	if (f->size > EMAIL_BYTES_MAX) {
		parse_error(p, f->name, 0, "the text is longer than %d bytes", EMAIL_BYTES_MAX);
		return false;
	}
	for (size_t i = 0; i < f->size; i++) {
		if ((unsigned char)f->data[i] < ' ' && strchr("\r\n", f->data[i]) == NULL) {
			parse_error(p, f->name, 0, "the text has a control character");
			return false;
		}
	}
	return true;
}

static void
read_template(struct parse *p, struct list *templates, const struct bundle_file *f,
    const struct lengths *longest)
{
	struct scan s = { .p = p, .file = f->name, .line = 1 };

	if (!kind_parse(f->name, &s.kind)) {
		parse_error(p, f->name, 0,
		    "the name is not templates/EVENT.CHANNEL.LANGUAGE.txt of known words");
		return;
	}
	char *text = text_sound(p, f) ? normal_text(p, f) : NULL;
	if (text == NULL)
		return;
	struct catalogue_template *t = list_add(p, templates, f->name, 0);
	if (t == NULL)
		return;
	*t = (struct catalogue_template){ .event = events[s.kind.event],
		.channel = channels[s.kind.channel],
		.language = s.kind.language,
		.subject = "" };
	s.longest = longest[s.kind.language];
	if (s.kind.channel == EMAIL) {
		text = take_email_subject(p, f->name, text, &t->subject);
		scan_text(&s, t->subject);
		s.line = t->subject[0] == '\0' ? 1 : 3;
	}
	t->body = text;
	if (text[0] == '\0')
		parse_error(p, f->name, 0, "the text is empty");
	scan_text(&s, text);
	check_required(&s);
	if (s.kind.channel == SMS)
		check_sms_length(&s);
}

static int
compare_templates(const void *a, const void *b)
{
	const struct catalogue_template *left = a, *right = b;
	int order = strcmp(left->event, right->event);

	if (order == 0)
		order = strcmp(left->channel, right->channel);
	return order != 0 ? order : (int)left->language - (int)right->language;
}

static bool
has_template(const struct catalogue *cat, const char *event, const char *channel,
    enum catalogue_language language)
{
	const struct catalogue_template *t = catalogue_template(cat, event, channel, language);

	return t != NULL && t->language == language;
}

/* Every text is there in the default language; in the other one it is only missed. */
static void
check_complete(struct parse *p)
{
	for (size_t e = 0; e < EVENTS; e++) {
		for (size_t c = 0; c < CHANNELS; c++) {
			for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
				enum catalogue_language language = (enum catalogue_language)l;
				char name[72];
				if (has_template(p->cat, events[e], channels[c], language))
					continue;
				snprintf(name, sizeof(name), "templates/%s.%s.%s.txt", events[e],
				    channels[c], catalogue_language_name(language));
				if (language == p->cat->municipality.default_language)
					parse_error(p, name, 0, "the file is missing");
				else
					parse_warning(p, name, 0,
					    "the file is missing: the default language is used");
			}
		}
	}
}

void
parse_templates(struct parse *p)
{
	const struct lengths longest[CATALOGUE_LANGUAGES] = { longest_values(p->cat, CATALOGUE_TR),
		longest_values(p->cat, CATALOGUE_EN) };
	struct list templates;

	list_init(&templates, sizeof(struct catalogue_template));
	for (size_t i = 0; i < p->bundle->count; i++) {
		const struct bundle_file *f = &p->bundle->files[i];
		if (strncmp(f->name, "templates/", strlen("templates/")) == 0)
			read_template(p, &templates, f, longest);
	}
	p->cat->templates = list_settle(p, &templates, &p->cat->template_count, compare_templates);
	check_complete(p);
}
