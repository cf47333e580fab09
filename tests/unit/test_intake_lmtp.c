/* LMTP's lines and data, and which mail is which. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "lmtp_command.h"
#include "lmtp_data.h"
#include "mail_identity.h"

/* --- commands ----------------------------------------------------------------------------------
 */

static const struct {
	const char *line;
	enum lmtp_verb verb;
	enum lmtp_fault fault;
	const char *path;
	uint64_t size;
} commands[] = {
	{ "LHLO mx.example", LMTP_LHLO, LMTP_FINE, "", 0 },
	{ "lhlo mx", LMTP_LHLO, LMTP_FINE, "", 0 },
	{ "LHLO", LMTP_LHLO, LMTP_BAD_SYNTAX, "", 0 },
	{ "EHLO mx", LMTP_HELO, LMTP_FINE, "", 0 },
	{ "MAIL FROM:<a@b.tr>", LMTP_MAIL, LMTP_FINE, "a@b.tr", 0 },
	{ "mail from:<>", LMTP_MAIL, LMTP_FINE, "", 0 },
	{ "MAIL FROM: <a@b.tr> SIZE=1000 BODY=8BITMIME SMTPUTF8", LMTP_MAIL, LMTP_FINE, "a@b.tr",
	    1000 },
	{ "MAIL FROM:<a@b.tr> SIZE=x", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<a@b.tr> SIZE=99999999999999999999", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<a@b.tr> BODY=BINARYMIME", LMTP_MAIL, LMTP_BAD_PARAMETER, NULL, 0 },
	{ "MAIL FROM:<a@b.tr>SIZE=1", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:a@b.tr", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<a@b.tr", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<a b@c.tr>", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<\"a >b\"@c.tr>", LMTP_MAIL, LMTP_FINE, "\"a >b\"@c.tr", 0 },
	{ "MAIL FROM:<ay\xc5\x9f"
	  "e@b.tr> SMTPUTF8",
	    LMTP_MAIL, LMTP_FINE, "ayşe@b.tr", 0 },
	{ "MAIL FROM:<ay\xfe@b.tr>", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "MAIL FROM:<a\x01@b.tr>", LMTP_MAIL, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "RCPT TO:<@relay.tr:a@b.tr>", LMTP_RCPT, LMTP_FINE, "a@b.tr", 0 },
	{ "RCPT TO:<a@b.tr> NOTIFY=NEVER", LMTP_RCPT, LMTP_BAD_PARAMETER, NULL, 0 },
	{ "RCPT TO:<>", LMTP_RCPT, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "RCPT FROM:<a@b.tr>", LMTP_RCPT, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "DATA", LMTP_DATA, LMTP_FINE, "", 0 },
	{ "DATA now", LMTP_DATA, LMTP_BAD_SYNTAX, NULL, 0 },
	{ "DATAX", LMTP_UNKNOWN, LMTP_FINE, "", 0 },
	{ "QUIT", LMTP_QUIT, LMTP_FINE, "", 0 },
	{ "", LMTP_UNKNOWN, LMTP_FINE, "", 0 },
	{ "BDAT 10", LMTP_UNKNOWN, LMTP_FINE, "", 0 },
};

TEST(test_lmtp_commands)
{
	struct lmtp_command c;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		lmtp_command_parse(commands[i].line, strlen(commands[i].line), &c);
		CHECK_U64(commands[i].line, c.verb, commands[i].verb);
		CHECK_U64(commands[i].line, c.fault, commands[i].fault);
		if (commands[i].path != NULL)
			CHECK_STR(commands[i].line, c.path, commands[i].path);
		if (commands[i].fault == LMTP_FINE)
			CHECK_U64(commands[i].line, c.size_bytes, commands[i].size);
	}
}

/* A path of 257 bytes fits, one of 258 does not. */
TEST(test_lmtp_path_bounds)
{
	char line[400];
	struct lmtp_command c;

	for (int len = 257; len <= 258; len++) {
		(void)snprintf(line, sizeof(line), "RCPT TO:<%0*d>", len, 0);
		lmtp_command_parse(line, strlen(line), &c);
		CHECK_U64("bound", c.fault, len == 257 ? LMTP_FINE : LMTP_BAD_SYNTAX);
	}
}

/* --- data --------------------------------------------------------------------------------------
 */

static const struct {
	const char *name, *said, *want;
	bool ends;
} mails[] = {
	{ "a line", "a\r\n.\r\n", "a\r\n", true },
	{ "nothing", ".\r\n", "", true },
	{ "a doubled dot", "..a\r\n.\r\n", ".a\r\n", true },
	{ "a dot that was not doubled", ".a\r\n.\r\n", "a\r\n", true },
	{ "a bare LF does not end it", "a\n.\n.\r\nb\r\n.\r\n", "a\n.\n.\r\nb\r\n", true },
	{ "LF dot CR LF is content", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", true },
	{ "CR dot CR LF is content", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", true },
	{ "dot CR CR LF is content", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", true },
	{ "dot LF is content", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", true },
	{ "what is not over", "a\r\n.", "a\r\n", false },
};

/* In pieces of every size the same comes out, and what is behind the end stays. */
TEST(test_lmtp_data)
{
	char said[128], out[256];

	for (size_t i = 0; i < ARRAY_LEN(mails); i++)
		for (size_t piece = 1; piece <= 16; piece++) {
			struct lmtp_data d = { .place = LMTP_DATA_LINE };
			size_t at = 0, len = 0, out_len;
			(void)snprintf(
			    said, sizeof(said), "%s%s", mails[i].said, mails[i].ends ? "QUIT" : "");
			size_t all = strlen(said);
			while (at < all && d.place != LMTP_DATA_ENDED) {
				size_t n = all - at < piece ? all - at : piece;
				at += lmtp_data_take(&d, said + at, n, out + len, &out_len);
				len += out_len;
			}
			if (!CHECK_MEM(
				mails[i].name, out, len, mails[i].want, strlen(mails[i].want))
			    || !CHECK_U64(mails[i].name, d.place == LMTP_DATA_ENDED, mails[i].ends)
			    || !CHECK_U64(mails[i].name, at, strlen(mails[i].said)))
				return;
		}
}

/* --- identity ----------------------------------------------------------------------------------
 */

static struct digest
identity(const char *mail, size_t piece)
{
	struct mail_identity m;
	struct digest digest;
	size_t len = strlen(mail);

	mail_identity_begin(&m);
	for (size_t at = 0; at < len; at += piece)
		mail_identity_add(&m, mail + at, len - at < piece ? len - at : piece);
	mail_identity_finish(&m, &digest);
	return digest;
}

static const char first[] = "Message-ID: <1@x>\r\nFrom: a@b.tr\r\nSubject: a\r\n b\r\n\r\ntext\r\n";
static const struct {
	const char *name, *mail;
	bool same;
} ways[] = {
	{ "came another way",
	    "Return-Path: <a@b.tr>\r\nReceived: from x\r\n\tby y\r\nMessage-ID: <1@x>\r\nX-Spam: "
	    "no\r\n"
	    "From: a@b.tr\r\nSubject: a\r\n b\r\n\r\ntext\r\n",
	    true },
	{ "names in capitals",
	    "MESSAGE-ID: <1@x>\r\nFROM: a@b.tr\r\nSUBJECT: a\r\n b\r\n\r\ntext\r\n", true },
	{ "another text", "Message-ID: <1@x>\r\nFrom: a@b.tr\r\nSubject: a\r\n b\r\n\r\ntext2\r\n",
	    false },
	{ "another sender", "Message-ID: <1@x>\r\nFrom: c@b.tr\r\nSubject: a\r\n b\r\n\r\ntext\r\n",
	    false },
	{ "another subject in its second line",
	    "Message-ID: <1@x>\r\nFrom: a@b.tr\r\nSubject: a\r\n c\r\n\r\ntext\r\n", false },
	{ "another Message-ID",
	    "Message-ID: <2@x>\r\nFrom: a@b.tr\r\nSubject: a\r\n b\r\n\r\ntext\r\n", false },
	{ "a field's text in another field",
	    "Message-ID: <1@x>\r\nFrom: a@b.tr\r\nX-Subject: a\r\n b\r\n\r\ntext\r\n", false },
};

TEST(test_mail_identity)
{
	struct digest want = identity(first, 1000);

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		for (size_t piece = 1; piece < 40; piece += 7) {
			struct digest got = identity(ways[i].mail, piece);
			CHECK_U64(ways[i].name, digest_equal(&got, &want), ways[i].same);
		}
	struct digest none = identity("", 1), body = identity("\r\nx", 1);
	CHECK_FALSE("no header", digest_equal(&none, &body));
}
