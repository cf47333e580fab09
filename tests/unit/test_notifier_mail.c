/* Mails as whoever receives them reads them: decoded here by code of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"
#include "mail.h"
#include "mail_address.h"

enum { TEXT_MAX = 40000 };

static struct mail
plain(void)
{
	return (struct mail){ .from = "masa@bel.example",
		.from_name = "Muratpaşa Belediyesi",
		.to = "ayse@ornek.example",
		.subject = "Konu",
		.reply_to = "",
		.stop_url = "",
		.html = "",
		.body = "Merhaba\n",
		.message_id = "0198c0de-0000-7000-8000-000000000001",
		.ticket = "26-0012345-4",
		.language = "tr",
		.date_us = istanbul_moment_us(civil_day(2026, 11, 24), 14 * 60 + 5) };
}

/* --- a decoder ------------------------------------------------------------------------------- */

/* The unfolded value of a header, "" when it is not there. */
static void
header_of(const char *mail, const char *name, char *out)
{
	size_t len = strlen(name);
	const char *line = mail;

	out[0] = '\0';
	while (line != NULL && line[0] != '\r') {
		const char *end = strstr(line, "\r\n");
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *at = line + len + 1;
			char *to = out;
			for (; strncmp(at, "\r\n", 2) != 0 || at[2] == ' '; at++)
				if (*at != '\r' && *at != '\n')
					*to++ = *at;
			*to = '\0';
			memmove(out, out + strspn(out, " "), strlen(out + strspn(out, " ")) + 1);
			return;
		}
		line = end != NULL ? end + 2 : NULL;
	}
}

static int
sextet(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* RFC 2047: encoded words in base64, the space between two of them is none. */
static void
words_decode(const char *value, char *out)
{
	static const char mark[] = "=?UTF-8?B?";

	while (*value != '\0') {
		if (strncmp(value, mark, strlen(mark)) != 0) {
			*out++ = *value++;
			continue;
		}
		const char *end = strstr(value + strlen(mark), "?=");
		CHECK_TRUE("an encoded word is at most 75", end + 2 - value <= 75);
		unsigned bits = 0, held = 0;
		for (const char *c = value + strlen(mark); c < end && *c != '='; c++) {
			bits = bits << 6 | (unsigned)sextet(*c);
			held += 6;
			if (held >= 8) {
				held -= 8;
				*out++ = (char)(bits >> held & 0xff);
			}
		}
		value = end + 2;
		if (value[0] == ' ' && strncmp(value + 1, mark, strlen(mark)) == 0)
			value++;
	}
	*out = '\0';
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2045; lines by \n in the result. */
static void
body_decode(const char *mail, char *out)
{
	const char *at = strstr(mail, "\r\n\r\n") + 4;

	while (*at != '\0') {
		if (strncmp(at, "=\r\n", 3) == 0) {
			at += 3;
		} else if (*at == '=') {
			CHECK_TRUE("two hex digits", hex(at[1]) >= 0 && hex(at[2]) >= 0);
			*out++ = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 3;
		} else if (strncmp(at, "\r\n", 2) == 0) {
			*out++ = '\n';
			at += 2;
		} else {
			CHECK_TRUE("printable ASCII", *at >= ' ' && *at <= '~');
			*out++ = *at++;
		}
	}
	*out = '\0';
}

static void
check_lines(const char *name, const char *mail)
{
	for (const char *line = mail; *line != '\0';) {
		const char *end = strstr(line, "\r\n");
		if (!CHECK_TRUE(name, end != NULL))
			return;
		CHECK_TRUE(name, end - line <= 78);
		CHECK_TRUE("no line begins with a dot", line[0] != '.');
		CHECK_TRUE("no line ends with a space", end == line || end[-1] != ' ');
		CHECK_TRUE("no bare line end", memchr(line, '\n', (size_t)(end - line)) == NULL);
		line = end + 2;
	}
}

/* --- what is promised ------------------------------------------------------------------------ */

TEST(test_mail_headers)
{
	struct mail mail = plain();
	size_t size = 0;
	const char *why;
	char value[1000], text[1000];
	static const char *const want[][2] = {
		{ "Date", "Tue, 24 Nov 2026 14:05:00 +0300" },
		{ "To", "<ayse@ornek.example>" },
		{ "Subject", "Konu" },
		{ "Message-ID", "<0198c0de-0000-7000-8000-000000000001@bel.example>" },
		{ "X-Turunc-Ticket", "26-0012345-4" },
		{ "Content-Language", "tr" },
		{ "Auto-Submitted", "auto-generated" },
		{ "MIME-Version", "1.0" },
		{ "Content-Type", "text/plain; charset=UTF-8" },
		{ "Content-Transfer-Encoding", "quoted-printable" },
		{ "From", "Muratpaşa Belediyesi <masa@bel.example>" },
		{ "Bcc", "" },
	};

	char *got = mail_compose(&mail, &size, &why);
	if (!CHECK(got != NULL))
		return;
	CHECK_U64("size", size, strlen(got));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		header_of(got, want[i][0], value);
		words_decode(value, text);
		CHECK_STR(want[i][0], text, want[i][1]);
	}
	check_lines("mail", got);
	free(got);
	mail.from_name = "";
	got = mail_compose(&mail, &size, &why);
	header_of(got, "From", value);
	CHECK_STR("without a name", value, "<masa@bel.example>");
	free(got);
}

/* Cuts the part of that type out of a mail; out is as large as it. */
static void
part_of(const char *mail, const char *type, char *out)
{
	char boundary[100], want[60];
	const char *marked = strstr(mail, "boundary=\"");
	const char *part;

	out[0] = '\0';
	if (!CHECK(marked != NULL))
		return;
	marked += strlen("boundary=\"");
	snprintf(boundary, sizeof(boundary), "\r\n--%.*s", (int)strcspn(marked, "\""), marked);
	snprintf(want, sizeof(want), "Content-Type: %s;", type);
	for (part = strstr(mail, boundary); part != NULL; part = strstr(part + 1, boundary)) {
		const char *begin = part + strlen(boundary) + 2, *end = strstr(begin, boundary);
		if (end == NULL || strncmp(begin, want, strlen(want)) != 0)
			continue;
		memcpy(out, begin, (size_t)(end - begin));
		out[end - begin] = '\0';
	}
}

TEST(test_mail_twice)
{
	struct mail mail = plain();
	char part[2000], text[2000], value[1000];
	const char *why;
	size_t size = 0;
	static const char *const want[][2] = {
		{ "Reply-To", "<masa+r.26-0012345-4.k3v7q2m4x6y5a@bel.example>" },
		{ "References", "<ticket.26-0012345-4@bel.example>" },
		{ "List-Id", "<bildirim.bel.example>" },
		{ "List-Unsubscribe", "<https://masa.example/receipts/stop/x>" },
		{ "List-Unsubscribe-Post", "List-Unsubscribe=One-Click" },
		{ "Content-Type",
		    "multipart/alternative; boundary=\"=_0198c0de-0000-7000-8000-000000000001\"" },
		{ "Content-Transfer-Encoding", "" },
	};

	mail.reply_to = "masa+r.26-0012345-4.k3v7q2m4x6y5a@bel.example";
	mail.stop_url = "https://masa.example/receipts/stop/x";
	mail.body = "düz — metin\n--=_0198c0de-0000-7000-8000-000000000001--\n";
	mail.html = "<p>düz — metin</p>\n--=_0198c0de-0000-7000-8000-000000000001\n";
	char *got = mail_compose(&mail, &size, &why);
	if (!CHECK(got != NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		header_of(got, want[i][0], value);
		CHECK_STR(want[i][0], value, want[i][1]);
	}
	check_lines("both", got);
	part_of(got, "text/plain", part);
	body_decode(part, text);
	CHECK_STR("plain", text, mail.body);
	part_of(got, "text/html", part);
	body_decode(part, text);
	CHECK_STR("html", text, mail.html);
	mail.stop_url = "http://masa.example/x";
	size_t clear_size;
	char *clear = mail_compose(&mail, &clear_size, &why);
	if (CHECK(clear != NULL)) {
		header_of(clear, "List-Unsubscribe", value);
		CHECK_STR("in the clear", value, "<http://masa.example/x>");
		header_of(clear, "List-Unsubscribe-Post", value);
		CHECK_STR("no program posts in the clear", value, "");
	}
	free(clear);
	CHECK_TRUE(
	    "its end", strcmp(got + size - strlen("--\r\n"), "--\r\n") == 0 && strlen(got) == size);
	free(got);
}

TEST(test_mail_subjects_come_back)
{
	static const char *const subjects[] = { "26-0012345-4 numaralı başvurunuz sonuçlandı",
		"şşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşş",
		"a şşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşş",
		("a plain one that is longer than a line may be, so that it has to be folded "
		 "somewhere"),
		"=?UTF-8?B?QQ==?=", "one, two; <three> \"four\" (five)", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "",
		"İ" };
	char value[2000], text[2000];
	const char *why;
	size_t size;

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		struct mail mail = plain();
		mail.subject = subjects[i];
		char *got = mail_compose(&mail, &size, &why);
		if (!CHECK_TRUE(subjects[i], got != NULL))
			continue;
		header_of(got, "Subject", value);
		words_decode(value, text);
		CHECK_STR("comes back", text, subjects[i]);
		if (subjects[i][0] != '\0')
			check_lines(subjects[i], got);
		free(got);
	}
}

TEST(test_mail_bodies_come_back)
{
	static const struct {
		const char *sent, *read;
	} bodies[] = {
		{ "Merhaba\n", "Merhaba\n" },
		{ "no line end", "no line end\n" },
		{ "", "" },
		{ "\n\n", "\n\n" },
		{ ".\n..\n.dot\n", ".\n..\n.dot\n" },
		{ "space at the end \nand here\t\n \n", "space at the end \nand here\t\n \n" },
		{ "1+1=2, =3D\n", "1+1=2, =3D\n" },
		{ "a\r\nb\r\n", "a\nb\n" },
		{ "Şişli'de ağaç — “tamam” 😀\n", "Şişli'de ağaç — “tamam” 😀\n" },
		{ "From here\n", "From here\n" },
		{ "x\ry\x7f\x01\n", "xy\x7f\x01\n" },
	};
	char text[TEXT_MAX];
	const char *why;
	size_t size;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct mail mail = plain();
		mail.body = bodies[i].sent;
		char *got = mail_compose(&mail, &size, &why);
		if (!CHECK(got != NULL))
			continue;
		body_decode(got, text);
		CHECK_STR("comes back", text, bodies[i].read);
		check_lines(bodies[i].sent, got);
		free(got);
	}
}

/* Wherever the fold falls: each length, with a two-byte letter, a space, a dot around it. */
TEST(test_mail_bodies_of_every_length)
{
	static const char *const tails[] = { "ş son", " son", ". son", "= son", "." };
	char body[300], want[301], text[1000];
	const char *why;
	size_t size;

	for (size_t len = 60; len < 160; len++)
		for (size_t t = 0; t < ARRAY_LEN(tails); t++) {
			struct mail mail = plain();
			memset(body, 'x', len);
			strcpy(body + len, tails[t]);
			snprintf(want, sizeof(want), "%s\n", body);
			mail.body = body;
			char *got = mail_compose(&mail, &size, &why);
			body_decode(got, text);
			CHECK_STR(tails[t], text, want);
			check_lines(tails[t], got);
			free(got);
		}
}

TEST(test_mail_refuses_injection)
{
	static const char evil[] = "x\r\nBcc: herkes@ornek.example";
	struct mail bad[11];
	const char *why = "";
	size_t size;
	char long_subject[MAIL_SUBJECT_MAX + 2];

	memset(long_subject, 'x', sizeof(long_subject) - 1);
	long_subject[sizeof(long_subject) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = plain();
	bad[0].subject = evil;
	bad[1].from_name = evil;
	bad[2].ticket = evil;
	bad[3].message_id = evil;
	bad[4].language = evil;
	bad[5].to = "a@b.example\r\nBcc: c@d.example";
	bad[6].from = "a@b.example>\r\nX: y";
	bad[7].subject = long_subject;
	bad[8].reply_to = "a@b.example\r\nBcc: c@d.example";
	bad[9].stop_url = "https://a.example/\r\nBcc: c@d.example";
	bad[10].stop_url = "https://a.example/>, <mailto:x@y.example";
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *got = mail_compose(&bad[i], &size, &why);
		CHECK(got == NULL);
		CHECK_TRUE("says why", why[0] != '\0');
		free(got);
	}
	/* In a body it is text. */
	struct mail mail = plain();
	char text[1000], value[100];
	mail.body = "x\nBcc: herkes@ornek.example\n.\nQUIT\n";
	char *got = mail_compose(&mail, &size, &why);
	body_decode(got, text);
	CHECK_STR("body", text, mail.body);
	header_of(got, "Bcc", value);
	CHECK_STR("no header", value, "");
	free(got);
}

static const struct {
	const char *address;
	bool valid;
} addresses[] = {
	{ "a@b.example", true },
	{ "ayse.yilmaz+masa@posta.bel.example", true },
	{ "o'neil_1-2@b-c.example", true },
	{ "", false },
	{ "@b.example", false },
	{ "a@", false },
	{ "a@b", false },
	{ "a@.example", false },
	{ "a@b.example.", false },
	{ "a@b..example", false },
	{ ".a@b.example", false },
	{ "a.@b.example", false },
	{ "a@b@c.example", false },
	{ "a b@c.example", false },
	{ "a\n@c.example", false },
	{ "<a@c.example>", false },
	{ "a@c.example>", false },
	{ "\"a\"@c.example", false },
	{ "a,b@c.example", false },
	{ "ş@c.example", false },
	{ "a@[127.0.0.1]", false },
};

TEST(test_mail_addresses)
{
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		CHECK_U64(addresses[i].address, mail_address_valid(addresses[i].address),
		    addresses[i].valid);
	char long_one[300] = "a@";
	memset(long_one + 2, 'b', 270);
	strcpy(long_one + 272, ".example");
	CHECK_FALSE("too long", mail_address_valid(long_one));
}
