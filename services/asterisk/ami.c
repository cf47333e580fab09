/* Cuts what a manager says into messages. */
#include "ami.h"

#include <string.h>
#include <strings.h>

const char *
ami_value(const struct ami_message *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcasecmp(m->of[i].name, name) == 0)
			return m->of[i].value;
	return "";
}

static void
begin_message(struct ami_reader *r)
{
	r->text_len = 0;
	r->message.count = 0;
	r->skip_message = false;
}

void
ami_begin(struct ami_reader *r)
{
	r->line_len = 0;
	r->skip_line = false;
	begin_message(r);
}

static void
end_message(struct ami_reader *r)
{
	if (r->skip_message) {
		r->too_long++;
	} else if (r->message.count > 0) {
		r->messages++;
		r->on_message(r->arg, &r->message);
	}
	begin_message(r);
}

/* Keeps the line's field; it is the message's until its end. */
static void
take_field(struct ami_reader *r, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	/* A NUL ends no text here: what holds one is no field. */
	if (colon == NULL || colon == line || memchr(line, 0, len) != NULL)
		return;
	if (r->text_len + len + 2 > sizeof(r->text) || r->message.count == AMI_FIELDS_MAX) {
		r->skip_message = true;
		return;
	}
	char *name = r->text + r->text_len;
	memcpy(name, line, len);
	name[len] = '\0';
	name[colon - line] = '\0';
	char *value = name + (colon - line) + 1;
	value += *value == ' ';
	r->text_len += len + 1;
	r->message.of[r->message.count++] = (struct ami_field){ name, value };
}

static void
end_line(struct ami_reader *r)
{
	size_t len = r->line_len;

	r->line_len = 0;
	if (r->skip_line) {
		/* A field is missing, so what the message says is not known. */
		r->skip_line = false;
		r->skip_message = true;
		return;
	}
	if (len > 0 && r->line[len - 1] == '\r')
		len--;
	if (len == 0)
		end_message(r);
	else if (!r->skip_message)
		take_field(r, r->line, len);
}

void
ami_feed(struct ami_reader *r, const void *data, size_t len)
{
	const char *at = data, *end = at + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t part = (size_t)((newline == NULL ? end : newline) - at);
		if (r->line_len + part > sizeof(r->line)) {
			r->skip_line = true;
			r->line_len = 0;
		} else if (!r->skip_line) {
			memcpy(r->line + r->line_len, at, part);
			r->line_len += part;
		}
		if (newline == NULL)
			return;
		end_line(r);
		at = newline + 1;
	}
}
