/* Writes a mail: headers folded by encoded words, the body in quoted-printable. */
#include "mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "istanbul.h"
#include "mail_address.h"

enum {
	ENCODED_WORD_BYTES = 42, /* of text: 56 in base64, and the frame: under RFC 2047's 75 */
	NAME_MAX_BYTES = 200,
	TOKEN_MAX = 64,
	URL_MAX = 600,
	QUOTED_LINE_MAX = 73, /* room for "=" under RFC 2045's 76 */
};

static void put_header(FILE *out, const char *name, const char *value);
static void put_date(FILE *out, int64_t date_us);
static void put_body(FILE *out, const char *body);

static bool
one_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool
fits_header(const char *text, size_t max)
{
	return one_line(text) && strlen(text) <= max;
}

/* NULL: there is nothing wrong with it. */
static const char *
refusal(const struct mail *mail)
{
	if (!mail_address_valid(mail->to) || !mail_address_valid(mail->from)
	    || (mail->reply_to[0] != '\0' && !mail_address_valid(mail->reply_to)))
		return "an address is not valid";
	if (!fits_header(mail->subject, MAIL_SUBJECT_MAX)
	    || !fits_header(mail->from_name, NAME_MAX_BYTES)
	    || !fits_header(mail->ticket, TOKEN_MAX) || !fits_header(mail->message_id, TOKEN_MAX)
	    || !fits_header(mail->language, TOKEN_MAX) || !fits_header(mail->stop_url, URL_MAX)
	    || strpbrk(mail->message_id, "\"=") != NULL || strpbrk(mail->stop_url, " <>") != NULL)
		return "a header would hold a line end or be too long";
	return NULL;
}

static void
put_headers(FILE *out, const struct mail *mail)
{
	const char *domain = strchr(mail->from, '@') + 1;

	put_date(out, mail->date_us);
	if (mail->from_name[0] != '\0') {
		put_header(out, "From", mail->from_name);
		fprintf(out, "\r\n <%s>\r\n", mail->from);
	} else {
		fprintf(out, "From: <%s>\r\n", mail->from);
	}
	if (mail->reply_to[0] != '\0')
		fprintf(out, "Reply-To:\r\n <%s>\r\n", mail->reply_to);
	fprintf(out, "To: <%s>\r\n", mail->to);
	put_header(out, "Subject", mail->subject);
	fprintf(out, "\r\nMessage-ID: <%s@%s>\r\n", mail->message_id, domain);
	/* All of a ticket's mails are one thread: under a first one that nobody ever sent. */
	if (mail->ticket[0] != '\0')
		fprintf(out, "References: <ticket.%s@%s>\r\nX-Turunc-Ticket: %s\r\n", mail->ticket,
		    domain, mail->ticket);
	fprintf(out,
	    "Content-Language: %s\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "X-Auto-Response-Suppress: All\r\n"
	    "List-Id: <bildirim.%s>\r\n",
	    mail->language, domain);
	if (mail->stop_url[0] != '\0')
		fprintf(out, "List-Unsubscribe:\r\n <%s>\r\n", mail->stop_url);
	if (strncmp(mail->stop_url, "https://", strlen("https://")) == 0)
		fputs("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", out);
	fputs("MIME-Version: 1.0\r\n", out);
}

static void
put_part(FILE *out, const char *type, const char *text)
{
	fprintf(out,
	    "Content-Type: text/%s; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    type);
	put_body(out, text);
}

/* In no line of quoted-printable does '=' stand before '_', so no part holds the boundary. */
static void
put_parts(FILE *out, const struct mail *mail)
{
	fprintf(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_%s\"\r\n\r\n--=_%s\r\n",
	    mail->message_id, mail->message_id);
	put_part(out, "plain", mail->body);
	fprintf(out, "\r\n--=_%s\r\n", mail->message_id);
	put_part(out, "html", mail->html);
	fprintf(out, "\r\n--=_%s--\r\n", mail->message_id);
}

char *
mail_compose(const struct mail *mail, size_t *ret_size, const char **ret_why)
{
	char *text = NULL;
	size_t size = 0;
	const char *why = refusal(mail);
	FILE *out = why == NULL ? open_memstream(&text, &size) : NULL;

	*ret_why = why != NULL ? why : "";
	if (out == NULL) {
		if (why == NULL)
			*ret_why = "out of memory";
		return NULL;
	}
	put_headers(out, mail);
	if (mail->html[0] != '\0')
		put_parts(out, mail);
	else
		put_part(out, "plain", mail->body);
	bool failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		*ret_why = "out of memory";
		return NULL;
	}
	*ret_size = size;
	return text;
}

/* RFC 5322 wants English names, whatever the language of the mail; Istanbul's own offset. */
static void
put_date(FILE *out, int64_t date_us)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct istanbul_time t = istanbul_split(date_us);
	int32_t offset_min = istanbul_span_at(date_us).offset_s / 60;

	fprintf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +%02d%02d\r\n", days[t.weekday], t.day,
	    months[t.month - 1], t.year, t.hour, t.minute, t.second, (int)(offset_min / 60),
	    (int)(offset_min % 60));
}

static void
put_base64(FILE *out, const char *text, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned char b[3] = { 0 };
		size_t left = len - i < 3 ? len - i : 3;
		memcpy(b, text + i, left);
		fputc(digits[b[0] >> 2], out);
		fputc(digits[(b[0] & 3) << 4 | b[1] >> 4], out);
		fputc(left > 1 ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=', out);
		fputc(left > 2 ? digits[b[2] & 63] : '=', out);
	}
}

/* "Name: value" without its line end; folded encoded words when it is not short plain ASCII. */
static void
put_header(FILE *out, const char *name, const char *value)
{
	size_t len = strlen(value);
	bool plain = len < 60 && strpbrk(value, "=?\"<>()@,;:\\[]") == NULL;

	for (const char *c = value; plain && *c != '\0'; c++)
		plain = (unsigned char)*c < 0x80;
	fprintf(out, "%s:", name);
	if (plain) {
		fprintf(out, " %s", value);
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t part = len - at < ENCODED_WORD_BYTES ? len - at : ENCODED_WORD_BYTES;
		while (
		    part > 0 && at + part < len && ((unsigned char)value[at + part] & 0xc0) == 0x80)
			part--; /* a character is not cut */
		if (part == 0)
			part = 1; /* it was none */
		fputs(at == 0 ? " =?UTF-8?B?" : "\r\n =?UTF-8?B?", out);
		put_base64(out, value + at, part);
		fputs("?=", out);
		at += part;
	}
}

static void
put_body(FILE *out, const char *body)
{
	size_t column = 0;

	for (const char *c = body; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte == '\r')
			continue;
		if (byte == '\n') {
			fputs("\r\n", out);
			column = 0;
			continue;
		}
		/* A space at a line's end and a dot at its start would not survive every server. */
		bool last = c[1] == '\n' || c[1] == '\0' || c[1] == '\r';
		bool quote = byte >= 0x7f || byte < ' ' || byte == '=' || (byte == ' ' && last);
		if (column + (quote ? 3 : 1) > QUOTED_LINE_MAX) {
			fputs("=\r\n", out);
			column = 0;
		}
		quote = quote || (byte == '.' && column == 0);
		if (quote)
			fprintf(out, "=%02X", byte);
		else
			fputc(byte, out);
		column += quote ? 3 : 1;
	}
	if (column > 0)
		fputs("\r\n", out);
}
