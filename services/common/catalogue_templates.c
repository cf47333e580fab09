/* Reads the texts that citizens receive, and finds what is wrong with them before anybody does. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"
#include "catalogue_placeholder.h"
#include "gsm.h"
#include "utf8.h"

enum {
	WORD_MAX = 24,
	EMAIL_BYTES_MAX = 8000,
	EMAIL_SUBJECT_BYTES_MAX = 200,
	SMS_PARTS_MAX = 2,
	FILLED_BYTES_MAX = 2 * EMAIL_BYTES_MAX
};

struct kind {
	enum template_event event;
	enum template_channel channel;
	enum catalogue_language language;
	bool discreet;
	bool reply; /* for who has a number that citizens can answer to */
};

/* --- which template a file is -------------------------------------------------------- */

static size_t
word_at(const char *const *words, size_t count, const char *text, size_t len)
{
	size_t i = 0;

	while (i < count && (strlen(words[i]) != len || strncmp(words[i], text, len) != 0))
		i++;
	return i;
}

static size_t
event_at(const char *text, size_t len)
{
	size_t i = 0;

	while (i < EVENTS
	       && (strlen(template_events[i].word) != len
		   || strncmp(template_events[i].word, text, len) != 0))
		i++;
	return i;
}

/* "templates/received.sms.tr.txt", or with ".discreet" before ".txt"; of an SMS that can be
 * answered, with ".reply" */
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

	size_t e = event_at(event, event_len);
	size_t c = word_at(template_channels, CHANNELS, channel, channel_len);
	size_t l = word_at(languages, ARRAY_LEN(languages), language, language_len);
	bool discreet = strcmp(language + language_len, ".discreet.txt") == 0;
	bool reply = strcmp(language + language_len, ".reply.txt") == 0 && c == SMS && e < EVENTS
		     && template_events[e].replies;
	if (e == EVENTS || (template_events[e].sms_only && c != SMS) || c == CHANNELS
	    || l == ARRAY_LEN(languages)
	    || (!discreet && !reply && strcmp(language + language_len, ".txt") != 0))
		return false;
	*ret_kind = (struct kind){ (enum template_event)e, (enum template_channel)c,
		(enum catalogue_language)l, discreet, reply };
	return true;
}

/* --- the text ------------------------------------------------------------------------ */

struct scan {
	struct parse *p;
	const char *file;
	struct kind kind;
	const struct placeholder_values *longest;
	int line;
	bool sound; /* no unknown placeholder, no brace alone */
	bool in_subject; /* the line that a locked screen shows */
	unsigned seen; /* placeholders, by index */
};

static void
take_placeholder(struct scan *s, const char *word, size_t len)
{
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		const struct placeholder *h = &placeholders[i];
		if (strlen(h->word) != len || strncmp(h->word, word, len) != 0)
			continue;
		if ((h->allowed & BIT(s->kind.event)) == 0)
			parse_error(s->p, s->file, s->line, "{%s} has no value when a ticket is %s",
			    h->word, template_events[s->kind.event].word);
		else if (s->kind.discreet && h->telling)
			parse_error(s->p, s->file, s->line,
			    "{%s} says what the matter is: not in a discreet text", h->word);
		else if (s->kind.channel == SMS && !h->in_sms)
			parse_error(s->p, s->file, s->line,
			    "{%s} may stand in an e-mail, not in an SMS", h->word);
		else if (s->in_subject && !h->in_sms)
			parse_error(s->p, s->file, s->line,
			    "{%s} may stand in the text, not in the subject line", h->word);
		s->seen |= BIT(i);
		return;
	}
	s->sound = false;
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
		text += plain;
		if (text == end)
			break;
		size_t word = *text == '{' ? strcspn(text + 1, "{}\n") : 0;
		if (*text == '\n') {
			s->line++;
			text++;
		} else if (*text == '{' && text[1 + word] == '}') {
			take_placeholder(s, text + 1, word);
			text += word + 2;
		} else {
			s->sound = false;
			parse_error(s->p, s->file, s->line, "a brace without its partner");
			text++;
		}
	}
}

static void
check_required(struct scan *s)
{
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		const struct placeholder *h = &placeholders[i];
		if ((h->required & BIT(s->kind.event)) != 0 && !(s->kind.discreet && h->telling)
		    && (s->seen & BIT(i)) == 0)
			parse_error(s->p, s->file, 0, "{%s} is missing", h->word);
	}
}

/* A digit that stands alone: who is to answer with it must be told where to. */
static bool
asks_for_digit(const char *text)
{
	const char *before = " ";

	while (*text != '\0') {
		if (*text == '{')
			text += strcspn(text, "}");
		else if (*text >= '1' && *text <= '5' && !isalnum((unsigned char)*before)
			 && !isalnum((unsigned char)text[1]))
			return true;
		if (*text == '\0')
			break;
		before = text++;
	}
	return false;
}

/* A sender's title of letters cannot be answered: an SMS asks for an answer only where it says to
 * which number. */
static void
check_reply(struct scan *s, const char *text)
{
	bool says_where = strstr(text, "{sms_reply_to}") != NULL;
	bool says_word = strstr(text, "{sms_keyword}") != NULL;
	bool has_word = s->p->cat->municipality.sms_keyword[0] != '\0';

	if (!template_events[s->kind.event].replies)
		return;
	if (says_word && !has_word)
		parse_error(s->p, s->file, 0, "{sms_keyword} is empty in municipality.csv");
	else if (s->kind.reply && has_word && !says_word)
		parse_error(s->p, s->file, 0,
		    "{sms_keyword} is missing: an answer without it would not arrive");
	if (says_where && s->p->cat->municipality.sms_reply_to[0] == '\0')
		parse_error(s->p, s->file, 0,
		    "{sms_reply_to} is empty in municipality.csv: nobody can answer");
	else if (s->kind.reply && !says_where)
		parse_error(s->p, s->file, 0, "{sms_reply_to} is missing");
	else if (!says_where && s->kind.event != SMS_STOPPED && s->kind.event != SMS_STARTED
		 && asks_for_digit(text))
		parse_error(s->p, s->file, 0,
		    "it asks for a digit and does not say where to send it: {sms_reply_to}");
}

/* The text with the longest values; dear: with those that are in no SMS table, where there are
 * such.  False: it is longer than anything that could be sent. */
static bool
fill_longest(
    const struct placeholder_values *v, const char *text, bool dear, char *out, size_t size)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "{"), word = 0;
		const char *part = text;
		if (len == 0) {
			word = strcspn(text, "}");
			size_t i = 0;
			while (i < PLACEHOLDERS
			       && (strlen(placeholders[i].word) != word - 1
				   || strncmp(placeholders[i].word, text + 1, word - 1) != 0))
				i++;
			if (i == PLACEHOLDERS || text[word] == '\0')
				return false;
			part = dear && v->dearest[i] != NULL ? v->dearest[i] : v->longest[i];
			part = part != NULL ? part : "";
			len = strlen(part);
		}
		if (len >= size - used)
			return false;
		memcpy(out + used, part, len);
		used += len;
		text += word > 0 ? word + 1 : len;
	}
	out[used] = '\0';
	return true;
}

static void
check_sms_length(struct scan *s, const struct catalogue_template *t)
{
	char filled[FILLED_BYTES_MAX];
	struct sms_size worst = { 0 };

	for (int dear = 0; dear < 2; dear++) {
		struct sms_size size;
		if (!fill_longest(s->longest, t->body, dear == 1, filled, sizeof(filled))) {
			parse_error(s->p, s->file, 0, "with the longest values it is too long");
			return;
		}
		sms_measure(filled, strlen(filled), t->sms_policy, GSM_OF_GATEWAY, &size);
		if (size.parts > worst.parts
		    || (size.parts == worst.parts && size.units > worst.units))
			worst = size;
	}
	if (worst.parts > SMS_PARTS_MAX)
		parse_error(s->p, s->file, 0,
		    "with the longest values it takes %zu parts (%zu units in %s); at most %d go "
		    "out",
		    worst.parts, worst.units, gsm_coding_name(worst.coding), SMS_PARTS_MAX);
	else if (worst.coding == GSM_UCS2 && t->sms_policy != SMS_UCS2)
		parse_warning(
		    s->p, s->file, 0, "a character is in no SMS table: each message costs UCS-2");
	if (worst.lost > 0)
		parse_warning(s->p, s->file, 0, "%zu characters become question marks", worst.lost);
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

/* Cuts "Coding: ascii" off the front, if it is there. */
static char *
take_sms_policy(
    struct parse *p, const char *file, char *text, struct catalogue_template *t, int *line)
{
	static const char head[] = "Coding: ";
	char *line_end = strchr(text, '\n');

	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return text;
	if (line_end == NULL || line_end[1] != '\n') {
		parse_error(p, file, 2, "an empty line must follow the coding");
		return text;
	}
	*line_end = '\0';
	if (!sms_policy_parse(text + sizeof(head) - 1, &t->sms_policy))
		parse_error(p, file, 1, "the coding is auto, ascii, tr or ucs2");
	*line = 3;
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

/* Of a text and the one with a number to answer to, the municipality's is used; the other is none.
 */
static bool
in_use(struct parse *p, const struct bundle_file *f, const struct kind *kind)
{
	bool has_number = p->cat->municipality.sms_reply_to[0] != '\0';
	char twin[72];

	if (kind->reply)
		return has_number;
	(void)snprintf(
	    twin, sizeof(twin), "%.*s.reply.txt", (int)(strlen(f->name) - strlen(".txt")), f->name);
	for (size_t i = 0; i < p->bundle->count && has_number; i++)
		if (strcmp(p->bundle->files[i].name, twin) == 0)
			return kind->channel != SMS;
	return true;
}

static void
read_template(struct parse *p, struct list *templates, const struct bundle_file *f,
    const struct placeholder_values *longest)
{
	struct scan s = { .p = p, .file = f->name, .line = 1, .sound = true };

	if (!kind_parse(f->name, &s.kind)) {
		parse_error(p, f->name, 0,
		    "the name is not templates/EVENT.CHANNEL.LANGUAGE.txt of known words");
		return;
	}
	if (!in_use(p, f, &s.kind))
		return;
	char *text = text_sound(p, f) ? normal_text(p, f) : NULL;
	if (text == NULL)
		return;
	struct catalogue_template *t = list_add(p, templates, f->name, 0);
	if (t == NULL)
		return;
	*t = (struct catalogue_template){ .event = template_events[s.kind.event].word,
		.channel = template_channels[s.kind.channel],
		.language = s.kind.language,
		.discreet = s.kind.discreet,
		.subject = "" };
	s.longest = &longest[s.kind.language];
	if (s.kind.channel == EMAIL) {
		text = take_email_subject(p, f->name, text, &t->subject);
		s.in_subject = true;
		scan_text(&s, t->subject);
		s.in_subject = false;
		s.line = t->subject[0] == '\0' ? 1 : 3;
	}
	if (s.kind.channel == SMS)
		text = take_sms_policy(p, f->name, text, t, &s.line);
	t->body = text;
	if (text[0] == '\0')
		parse_error(p, f->name, 0, "the text is empty");
	scan_text(&s, text);
	check_required(&s);
	if (s.kind.channel == SMS)
		check_reply(&s, text);
	if (s.kind.channel == SMS && s.sound)
		check_sms_length(&s, t);
}

static int
compare_templates(const void *a, const void *b)
{
	const struct catalogue_template *left = a, *right = b;
	int order = strcmp(left->event, right->event);

	if (order == 0)
		order = strcmp(left->channel, right->channel);
	if (order == 0)
		order = (int)left->language - (int)right->language;
	return order != 0 ? order : (int)left->discreet - (int)right->discreet;
}

static bool
has_template(const struct catalogue *cat, size_t event, size_t channel,
    enum catalogue_language language, bool discreet)
{
	const struct catalogue_template *t = catalogue_template(
	    cat, template_events[event].word, template_channels[channel], language, discreet);

	return t != NULL && t->language == language && t->discreet == discreet;
}

static void
check_one(struct parse *p, size_t event, size_t channel, enum catalogue_language language)
{
	const struct catalogue_municipality *m = &p->cat->municipality;
	char name[72];

	if (template_events[event].sms_only && channel != SMS)
		return;
	snprintf(name, sizeof(name), "templates/%s.%s.%s.txt", template_events[event].word,
	    template_channels[channel], catalogue_language_name(language));
	if (!has_template(p->cat, event, channel, language, false)) {
		if (language == m->default_language && template_events[event].required)
			parse_error(p, name, 0, "the file is missing");
		else if (language == m->default_language)
			parse_warning(p, name, 0, "the file is missing: nobody is told");
		else if (has_template(p->cat, event, channel, m->default_language, false))
			parse_warning(
			    p, name, 0, "the file is missing: the default language is used");
	}
}

/* What stands in for a missing discreet text tells nothing either, but reads less well. */
static void
check_discreet(struct parse *p, size_t event, size_t channel, enum catalogue_language language)
{
	char name[72];

	if (template_events[event].says_nothing)
		return;
	if (has_template(p->cat, event, channel, language, true)
	    || !has_template(p->cat, event, channel, language, false))
		return;
	snprintf(name, sizeof(name), "templates/%s.%s.%s.discreet.txt", template_events[event].word,
	    template_channels[channel], catalogue_language_name(language));
	parse_warning(
	    p, name, 0, "the file is missing: the ordinary text is used, with general words in it");
}

/* Every text is there in the default language; in the other one it is only missed. */
static void
check_complete(struct parse *p)
{
	bool special = false;

	for (size_t i = 0; i < p->cat->subject_count; i++)
		special = special || p->cat->subjects[i].special_category;
	for (size_t e = 0; e < EVENTS; e++) {
		for (size_t c = 0; c < CHANNELS; c++) {
			for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
				check_one(p, e, c, (enum catalogue_language)l);
				if (special)
					check_discreet(p, e, c, (enum catalogue_language)l);
			}
		}
	}
}

bool
catalogue_template_event(const char *event)
{
	return event_at(event, strlen(event)) < EVENTS;
}

void
parse_templates(struct parse *p)
{
	struct placeholder_values longest[CATALOGUE_LANGUAGES];
	struct list templates;

	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		placeholder_longest(p->cat, (enum catalogue_language)l, &longest[l]);
	list_init(&templates, sizeof(struct catalogue_template));
	for (size_t i = 0; i < p->bundle->count; i++) {
		const struct bundle_file *f = &p->bundle->files[i];
		if (strncmp(f->name, "templates/", strlen("templates/")) == 0)
			read_template(p, &templates, f, longest);
	}
	p->cat->templates = list_settle(p, &templates, &p->cat->template_count, compare_templates);
	check_complete(p);
}
