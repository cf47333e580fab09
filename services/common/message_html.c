/* Writes the HTML part of a mail out of its plain text. */
#include "message_html.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES_MAX = 60 };

/* Colours come in pairs, and in two sets: a reader in the dark that knows the media query gets the
 * second, one that turns colours around itself has both halves of a pair to turn. */
static const char style[] =
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "body{margin:0;padding:0;background:#f4f1ec;color:#1f2328;"
    "font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif}"
    ".page{max-width:36em;margin:0 auto;padding:12px}"
    ".card{background:#ffffff;color:#1f2328;border-top:4px solid #c2570c;border-radius:4px;"
    "padding:16px 20px;overflow-wrap:anywhere}"
    ".from{margin:0 0 16px;font-size:14px;font-weight:600;color:#9a3f06;background:#ffffff}"
    "p{margin:0 0 16px}p.last{margin:0;padding-top:12px;border-top:1px solid #d8d2c8;"
    "font-size:14px}"
    "table{border-collapse:collapse;margin:0 0 16px}"
    "th,td{padding:4px 12px 4px 0;text-align:left;vertical-align:top}th{font-weight:600}"
    "a{color:#9a3f06;background:#ffffff}"
    "@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8e6e3}"
    ".card{background:#212428;color:#e8e6e3;border-top-color:#f0883e}"
    ".from,a{color:#ffab70;background:#212428}p.last{border-top-color:#3d434a}}";

struct place {
	FILE *out;
	const char *base_url;
};

static void
put_text(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(text[i], out);
		}
	}
}

/* Bytes of the address of ours that begins here, 0: none does.  "https://a.example.evil" is none
 * although it begins like one. */
static size_t
link_len(const struct place *p, const char *text, size_t len)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/?=&%";
	size_t base = strlen(p->base_url), used = base;

	if (base == 0 || len < base || strncmp(text, p->base_url, base) != 0)
		return 0;
	while (used < len && strchr(plain, text[used]) != NULL)
		used++;
	if (used == base && used < len && strchr(":@", text[used]) != NULL)
		return 0; /* another port, or a user's name before another host */
	while (used > base && strchr(".?", text[used - 1]) != NULL)
		used--; /* the sentence's */
	return used == base || text[base] == '/' || text[base] == '?' ? used : 0;
}

static void
put_line(const struct place *p, const char *text, size_t len)
{
	size_t at = 0, from = 0;

	while (at < len) {
		size_t link = text[at] == 'h' ? link_len(p, text + at, len - at) : 0;
		if (link == 0) {
			at++;
			continue;
		}
		put_text(p->out, text + from, at - from);
		fputs("<a href=\"", p->out);
		put_text(p->out, text + at, link);
		fputs("\">", p->out);
		put_text(p->out, text + at, link);
		fputs("</a>", p->out);
		at += link;
		from = at;
	}
	put_text(p->out, text + from, len - from);
}

static size_t
line_len(const char *text, const char *end)
{
	const char *stop = memchr(text, '\n', (size_t)(end - text));

	return (size_t)((stop != NULL ? stop : end) - text);
}

/* Bytes before the ": " of "Konu: Çöp toplanmadı"; 0: the line is none such. */
static size_t
key_len(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t key = colon != NULL ? (size_t)(colon - line) : 0;

	return key > 0 && key <= KEY_BYTES_MAX && key + 2 < len && colon[1] == ' ' ? key : 0;
}

/* More than one line, and a key in each. */
static bool
is_table(const char *text, const char *end)
{
	size_t lines = 0;

	for (; text < end; text += line_len(text, end) + 1, lines++)
		if (key_len(text, line_len(text, end)) == 0)
			return false;
	return lines > 1;
}

static void
put_table(const struct place *p, const char *text, const char *end)
{
	fputs("<table>\n", p->out);
	for (; text < end; text += line_len(text, end) + 1) {
		size_t len = line_len(text, end), key = key_len(text, len);
		fputs("<tr><th scope=\"row\">", p->out);
		put_text(p->out, text, key);
		fputs("</th><td>", p->out);
		put_line(p, text + key + 2, len - key - 2);
		fputs("</td></tr>\n", p->out);
	}
	fputs("</table>\n", p->out);
}

static void
put_paragraph(const struct place *p, const char *text, const char *end, bool last)
{
	if (is_table(text, end)) {
		put_table(p, text, end);
		return;
	}
	fputs(last ? "<p class=\"last\">" : "<p>", p->out);
	for (const char *line = text; line < end; line += line_len(line, end) + 1) {
		if (line > text)
			fputs("<br>\n", p->out);
		put_line(p, line, line_len(line, end));
	}
	fputs("</p>\n", p->out);
}

static void
put_body(const struct place *p, const char *body)
{
	const char *at = body + strspn(body, "\n");

	while (*at != '\0') {
		const char *end = strstr(at, "\n\n");
		const char *next = end != NULL ? end + strspn(end, "\n") : at + strlen(at);
		if (end == NULL)
			end = next;
		while (end > at && end[-1] == '\n')
			end--;
		put_paragraph(p, at, end, *next == '\0');
		at = next;
	}
}

char *
message_html_make(const struct message_html *mail, size_t *ret_size)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const struct place place = { out, mail->base_url };

	if (out == NULL)
		return NULL;
	fputs("<!DOCTYPE html>\n<html lang=\"", out);
	put_text(out, mail->language, strlen(mail->language));
	fputs("\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>",
	    out);
	put_text(out, mail->title, strlen(mail->title));
	fprintf(out,
	    "</title>\n<style>%s</style>\n</head>\n<body>\n<div class=\"page\">\n"
	    "<div class=\"card\" role=\"article\">\n",
	    style);
	if (mail->sender[0] != '\0') {
		fputs("<p class=\"from\">", out);
		put_text(out, mail->sender, strlen(mail->sender));
		fputs("</p>\n", out);
	}
	put_body(&place, mail->body);
	fputs("</div>\n</div>\n</body>\n</html>\n", out);
	bool failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	*ret_size = size;
	return text;
}
