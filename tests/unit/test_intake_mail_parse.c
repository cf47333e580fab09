/* What is read of mails, and how it is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "check.h"
#include "mail_item.h"
#include "mail_letter.h"
#include "mail_parse.h"

#define HEAD                                                                                   \
	"Return-Path: <ayse@example.org>\r\nReceived: from a by b; Sat, 28 Nov 2026 10:00:00 " \
	"+0300\r\nFrom: =?utf-8?Q?Ay=C5=9Fe?= <Ayse@Example.org>\r\nTo: masa@m.example\r\n"    \
	"Subject: konu\r\nMIME-Version: 1.0\r\n"

static struct mail_letter
read_mail(const char *mail)
{
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };

	mail_parse_begin();
	if (!CHECK(mail_parse(mail, strlen(mail), &letter)))
		exit(1);
	return letter;
}

static const struct {
	const char *name, *mail, *text, *files;
	enum mail_kind kind;
} mails[] = {
	{ "plain", HEAD "\r\nselam\r\n", "selam\n", "", MAIL_OF_PERSON },
	{ "no content type, windows-1254", HEAD "\r\n\xc7\xf6p\r\n", "Çöp\n", "", MAIL_OF_PERSON },
	{ "HTML alone",
	    HEAD "Content-Type: text/html; charset=iso-8859-1\r\n\r\n<p>\xddlk</p><p>son</p>",
	    "İlk\n\nson", "", MAIL_OF_PERSON },
	{ "alternative",
	    HEAD "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\ndüz\r\n--x\r\n"
		 "Content-Type: text/html\r\n\r\n<p>süslü</p>\r\n--x--\r\n",
	    "düz", "", MAIL_OF_PERSON },
	{ "alternative with an empty plain text",
	    HEAD "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\n \r\n--x\r\n"
		 "Content-Type: text/html\r\n\r\n<p>süslü</p>\r\n--x--\r\n",
	    "süslü", "", MAIL_OF_PERSON },
	{ "files",
	    HEAD
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nekte\r\n--x\r\n"
	    "Content-Type: application/pdf\r\nContent-Disposition: attachment; "
	    "filename*=utf-8''dilek%C3%A7e.pdf\r\n\r\n%PDF\r\n--x\r\nContent-Type: text/plain\r\n"
	    "Content-Disposition: attachment; filename=not.txt\r\n\r\nnot\r\n--x\r\n"
	    "Content-Type: image/jpeg; "
	    "name=\"=?iso-8859-9?Q?=FE.jpg?=\"\r\n\r\nbroken\r\n--x--\r\n",
	    "ekte", "dilekçe.pdf, not.txt, ş.jpg", MAIL_OF_PERSON },
	{ "a mail sent on",
	    HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: "
		 "message/rfc822\r\n\r\nSubject: eski\r\n\r\nasıl metin\r\n--x--\r\n",
	    "asıl metin", "", MAIL_OF_PERSON },
	{ "a multipart that does not end",
	    HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nyarım", "yarım", "",
	    MAIL_OF_PERSON },
	{ "a multipart without its boundary", HEAD "Content-Type: multipart/mixed\r\n\r\nx", "", "",
	    MAIL_OF_PERSON },
	{ "absence", HEAD "Auto-Submitted: auto-replied (vacation)\r\n\r\nyokum\r\n", "yokum\n", "",
	    MAIL_OF_MACHINE },
	{ "not automatic, and says so", HEAD "Auto-Submitted: no\r\n\r\nselam\r\n", "selam\n", "",
	    MAIL_OF_PERSON },
	{ "bulk", HEAD "Precedence: bulk\r\n\r\nx\r\n", "x\n", "", MAIL_OF_MACHINE },
	{ "our own", HEAD "X-Turunc-Ticket: 26-0000001-6\r\n\r\nx\r\n", "x\n", "",
	    MAIL_OF_MACHINE },
	{ "it was read",
	    HEAD "Content-Type: multipart/report; report-type=disposition-notification; "
		 "boundary=x\r\n\r\n"
		 "--x\r\n\r\nokundu\r\n--x--\r\n",
	    "okundu", "", MAIL_OF_MACHINE },
	{ "no sender", "Return-Path: <>\r\nFrom: a@b.tr\r\n\r\nx\r\n", "x\n", "", MAIL_OF_MACHINE },
	{ "a person whose Return-Path somebody else wrote",
	    "Return-Path: <a@b.tr>\r\nReturn-Path: <>\r\nFrom: a@b.tr\r\n\r\nx\r\n", "x\n", "",
	    MAIL_OF_PERSON },
};

TEST(test_mail_parse)
{
	for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
		struct mail_letter letter = read_mail(mails[i].mail);
		CHECK_STR(mails[i].name, letter.texts[MAIL_TEXT], mails[i].text);
		CHECK_STR(mails[i].name, letter.texts[MAIL_FILES], mails[i].files);
		CHECK_U64(mails[i].name, letter.kind, mails[i].kind);
		mail_letter_finish(&letter);
	}
}

TEST(test_mail_parse_head)
{
	struct mail_letter letter = read_mail(
	    HEAD "Cc: x <masa+r.26-0012345-4.aaaaaaaaaaaaa@m.example>, y@m.example\r\n"
		 "In-Reply-To: <017f22e2-79b0-7cc3-98c4-dc0c0c07398f@m.example>\r\n"
		 "References: <x@y> <017f22e2-79b0-7cc3-98c4-dc0c0c073990@m.example>\r\n "
		 "<017f22e2@x>\r\n"
		 "\r\n");

	CHECK_STR("name", letter.texts[MAIL_NAME], "Ayşe");
	CHECK_STR("address", letter.texts[MAIL_ADDRESS], "Ayse@Example.org");
	CHECK_STR("subject", letter.texts[MAIL_SUBJECT], "konu");
	CHECK_I64("received", letter.received_us, INT64_C(1795849200000000));
	CHECK_U64("answered", letter.answered_count, 2);
	CHECK_U64("the second", letter.answered[1].bytes[15], 0x90);
	CHECK_U64("to", letter.to_count, 1);
	CHECK_STR("with a +", letter.to[0], "masa+r.26-0012345-4.aaaaaaaaaaaaa@m.example");
	mail_letter_finish(&letter);
}

static const struct {
	const char *name, *from, *shown, *address;
} senders[] = {
	{ "a name in quotes", "\"Inan, Ayse\" <a@b.tr>", "Inan, Ayse", "a@b.tr" },
	{ "a label that lies", "=?iso-8859-1?Q?=DDnan?= <a@b.tr>", "İnan", "a@b.tr" },
	{ "raw windows-1254", "\xddnan <a@b.tr>", "İnan", "a@b.tr" },
	{ "an address alone", "a@b.tr", "", "a@b.tr" },
	{ "two people", "a@b.tr, c@d.tr", "", "a@b.tr" },
	{ "a group", "masa: a@b.tr, c@d.tr;", "", "a@b.tr" },
	{ "nobody", "", "", "" },
};

TEST(test_mail_parse_senders)
{
	char mail[500];

	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		(void)snprintf(mail, sizeof(mail), "From: %s\r\n\r\nx", senders[i].from);
		struct mail_letter letter = read_mail(mail);
		CHECK_STR(senders[i].name, letter.texts[MAIL_NAME], senders[i].shown);
		CHECK_STR(senders[i].name, letter.texts[MAIL_ADDRESS], senders[i].address);
		mail_letter_finish(&letter);
	}
}

#define REPORT(fields)                                                                          \
	"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; " \
	"report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\r\nolmadı\r\n--x\r\n"          \
	"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n" fields    \
	"\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nbizim\r\n--x--\r\n"

static const struct {
	const char *name, *mail, *status;
	enum mail_kind kind;
	bool failed;
} reports[] = {
	{ "given up", REPORT("Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n"),
	    "5.1.1", MAIL_OF_POSTMASTER, true },
	{ "delayed", REPORT("Action: delayed\r\nStatus: 4.4.1 (no route)\r\n"), "4.4.1",
	    MAIL_OF_POSTMASTER, false },
	{ "arrived", REPORT("Action: delivered\r\nStatus: 2.0.0\r\n"), "", MAIL_OF_MACHINE, false },
	{ "a status that is none", REPORT("Action: failed\r\nStatus: 5\r\n"), "",
	    MAIL_OF_POSTMASTER, true },
	{ "older than RFC 3464",
	    "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx\r\n\r\nHi. <a@b>:\r\nSorry, no mailbox. "
	    "(#5.1.1)\r\n",
	    "5.1.1", MAIL_OF_POSTMASTER, true },
	{ "in words alone", "Return-Path: <>\r\nFrom: postmaster@mx\r\n\r\nmailbox full\r\n", "",
	    MAIL_OF_POSTMASTER, false },
};

TEST(test_mail_parse_reports)
{
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		struct mail_letter letter = read_mail(reports[i].mail);
		CHECK_U64(reports[i].name, letter.kind, reports[i].kind);
		CHECK_U64(reports[i].name, letter.failed, reports[i].failed);
		CHECK_STR(reports[i].name, letter.status, reports[i].status);
		mail_letter_finish(&letter);
	}
}

/* A mail in a mail in a mail: read as deep as the bound, and said to be cut. */
TEST(test_mail_parse_nested)
{
	char *mail = NULL;
	size_t len;
	FILE *out = open_memstream(&mail, &len);

	fputs(HEAD, out);
	for (int i = 0; i < 3000; i++)
		fprintf(
		    out, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i);
	fputs("\r\ndip\r\n", out);
	(void)fclose(out);
	struct mail_letter letter = read_mail(mail);
	CHECK_TRUE("cut", letter.cut);
	mail_letter_finish(&letter);
	free(mail);
}

/* Ten thousand parts: so many are looked at. */
TEST(test_mail_parse_many_parts)
{
	char *mail = NULL;
	size_t len;
	FILE *out = open_memstream(&mail, &len);

	fputs(HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nilk\r\n", out);
	for (int i = 0; i < 10000; i++)
		fputs("--x\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n", out);
	(void)fclose(out);
	struct mail_letter letter = read_mail(mail);
	CHECK_TRUE("cut", letter.cut);
	CHECK_TRUE("names are bounded", strlen(letter.texts[MAIL_FILES]) < MAIL_LETTER_FILES_BYTES);
	CHECK_STR("text", letter.texts[MAIL_TEXT], "ilk");
	mail_letter_finish(&letter);
	free(mail);
}

/* CPU time of reading a mail of so many bytes with a piece repeated in its subject, its sender and
 * the names of some files; the least of some runs. */
static uint64_t
reading_us(const char *piece, size_t bytes)
{
	char *mail = NULL;
	size_t len;
	uint64_t least = UINT64_MAX;
	FILE *out = open_memstream(&mail, &len);

	fputs("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n", out);
	for (int field = 0; field < 4; field++) {
		fputs(field == 0   ? "Subject: "
		      : field == 1 ? "From: "
		      : field == 2 ? "\r\n--x\r\nContent-Type: a/b; name=\""
				   : "Content-Disposition: attachment; filename=\"",
		    out);
		for (size_t i = 0; i < bytes; i += strlen(piece))
			fputs(piece, out);
		fputs(field < 2 ? "\r\n" : "\"\r\n", out);
	}
	fputs("\r\nx\r\n--x--\r\n", out);
	(void)fclose(out);
	for (int i = 0; i < 4; i++) {
		struct timespec from, to;
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		struct mail_letter letter = read_mail(mail);
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		mail_letter_finish(&letter);
		int64_t took = (to.tv_sec - from.tv_sec) * INT64_C(1000000)
			       + (to.tv_nsec - from.tv_nsec) / 1000;
		least = (uint64_t)took < least ? (uint64_t)took : least;
	}
	free(mail);
	return least;
}

/* 64 times the header takes 64 times the time, and not 4096 times: between them is room for the
 * caches, which hold the small one and not the large one, and for a busy machine. */
TEST(test_mail_parse_takes_linear_time)
{
	enum { LOOKS = 4, SMALL_BYTES = 6250, TIMES = 64, BOUND = 8 * TIMES };
	static const char *const pieces[] = { "=?a?q?x", "=?a?q?x ", "=?", "=?a?q?x?=", "a@b, ",
		"<", "a ", ";a=b", "\\" };

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		bool linear = false;
		for (int look = 0; look < LOOKS && !linear; look++) {
			uint64_t small = reading_us(pieces[i], SMALL_BYTES);
			uint64_t large = reading_us(pieces[i], (size_t)SMALL_BYTES * TIMES);
			linear = large < BOUND * small;
		}
		CHECK_TRUE(pieces[i], linear);
	}
}

/* --- letters -----------------------------------------------------------------------------------
 */

static char *
told(struct mail_letter *letter, size_t *ret_len)
{
	char *data = NULL;
	FILE *out = open_memstream(&data, ret_len);

	CHECK(mail_letter_tell(letter, out));
	(void)fclose(out);
	return data;
}

TEST(test_mail_letter_round_trip)
{
	struct mail_letter letter = read_mail(
	    HEAD "Cc: masa+x@m.example\r\nIn-Reply-To: "
		 "<017f22e2-79b0-7cc3-98c4-dc0c0c07398f@m>\r\n\r\nçöp\n");
	struct mail_letter back = { .kind = MAIL_OF_MACHINE };
	size_t len;

	letter.photos[0] = (struct mail_photo){ (uint8_t *)strdup("photo"), 5 };
	letter.photo_count = 1;
	letter.failed = letter.cut = letter.no_answers = true;
	strcpy(letter.status, "4.2.2");
	char *data = told(&letter, &len);
	if (!CHECK(mail_letter_take(&back, (uint8_t *)data, len)))
		return;
	for (size_t i = 0; i < MAIL_TEXTS; i++)
		CHECK_STR("text", back.texts[i], letter.texts[i]);
	CHECK_MEM("photo", back.photos[0].data, back.photos[0].len, "photo", 5);
	CHECK_STR("to", back.to[0], "masa+x@m.example");
	CHECK_MEM(
	    "answered", back.answered[0].bytes, UUID_BYTES, letter.answered[0].bytes, UUID_BYTES);
	CHECK_I64("received", back.received_us, letter.received_us);
	CHECK_TRUE(
	    "facts", back.failed && back.cut && back.no_answers && back.kind == MAIL_OF_PERSON);
	CHECK_STR("status", back.status, "4.2.2");
	mail_letter_finish(&back);
	/* Whatever is cut off or changed is no letter, or one that may be believed. */
	for (size_t i = 0; i < len; i++) {
		CHECK_FALSE("cut", mail_letter_take(&back, (uint8_t *)data, i));
		char kept = data[i];
		data[i] = (char)(kept ^ 0x55);
		if (mail_letter_take(&back, (uint8_t *)data, len))
			mail_letter_finish(&back);
		data[i] = kept;
	}
	mail_letter_finish(&letter);
	free(data);
}

/* --- as a ticket's words ------------------------------------------------------------------------
 */

TEST(test_mail_item_words)
{
	static struct mail_item words;
	struct item item = { 0 };
	struct mail_letter letter = read_mail(HEAD "\r\n\r\n  metin\r\n\r\n");

	mail_item_fill(&words, &letter, "", &item);
	CHECK_STR("subject and text", item.description, "konu\n\nmetin");
	CHECK_STR("name", item.name, "Ayşe");
	CHECK_STR("email", item.email, "Ayse@Example.org");
	mail_letter_finish(&letter);

	letter = read_mail("Subject: yalniz konu\r\nFrom: \xc5\x9f@b.tr\r\n\r\n");
	mail_item_fill(&words, &letter, "z@b.tr", &item);
	CHECK_STR("an address nobody can write to", item.description,
	    "yalniz konu\n\n[Gönderen: ş@b.tr]");
	CHECK_STR("no email", item.email, NULL);
	mail_letter_finish(&letter);

	letter = read_mail("\r\n");
	mail_item_fill(&words, &letter, "z@b.tr", &item);
	CHECK_STR("an empty mail", item.description, "[Boş e-posta]");
	CHECK_STR("the envelope's sender", item.email, "z@b.tr");
	mail_letter_finish(&letter);

	mail_item_fill(&words, NULL, "", &item);
	CHECK_TRUE("unreadable", strstr(item.description, "okunamadı") != NULL);
	CHECK_STR("nobody", item.email, NULL);
}

static const struct {
	const char *name, *mail;
	bool no_answers;
} answered[] = {
	{ "a person", HEAD "\r\nx\r\n", false },
	{ "a list by its precedence", HEAD "Precedence: list\r\n\r\nx\r\n", true },
	{ "a list by its id", HEAD "List-Id: <mahalle.example.org>\r\n\r\nx\r\n", true },
	{ "a newsletter", HEAD "List-Unsubscribe: <mailto:x@y.tr>\r\n\r\nx\r\n", true },
	{ "who says so", HEAD "X-Auto-Response-Suppress: DR, AutoReply\r\n\r\nx\r\n", true },
	{ "who wants no receipts alone", HEAD "X-Auto-Response-Suppress: DR, RN\r\n\r\nx\r\n",
	    false },
};

/* Such a mail is a person's, and nothing goes back by itself: there is no address to write to. */
TEST(test_mail_that_wants_no_answers)
{
	static struct mail_item words;

	for (size_t i = 0; i < ARRAY_LEN(answered); i++) {
		struct item item = { 0 };
		struct mail_letter letter = read_mail(answered[i].mail);
		CHECK_U64(answered[i].name, letter.kind, MAIL_OF_PERSON);
		mail_item_fill(&words, &letter, "z@b.tr", &item);
		CHECK_U64(answered[i].name, item.email == NULL, answered[i].no_answers);
		CHECK_U64(answered[i].name,
		    strstr(item.description, "[Gönderen: Ayse@Example.org]") != NULL,
		    answered[i].no_answers);
		mail_letter_finish(&letter);
	}
}

/* What is left of a mail whose words the record refuses: who wrote it, while that can be. */
TEST(test_mail_item_plain)
{
	static struct mail_item words;
	struct item item = { 0 };
	struct mail_letter letter = read_mail(HEAD "\r\nx\r\n");

	mail_item_fill(&words, &letter, "", &item);
	mail_item_plain(&words, true, &item);
	CHECK_TRUE("its words", strstr(item.description, "okunamadı") != NULL);
	CHECK_STR("name", item.name, "Ayşe");
	CHECK_STR("email", item.email, "Ayse@Example.org");
	strcpy(words.name, "A\x01");
	strcpy(words.email, "a@\xff");
	mail_item_plain(&words, true, &item);
	CHECK_STR("no good name", item.name, NULL);
	CHECK_STR("no good email", item.email, NULL);
	mail_item_fill(&words, &letter, "", &item);
	mail_item_plain(&words, false, &item);
	CHECK_STR("nobody's name", item.name, NULL);
	CHECK_STR("nor email", item.email, NULL);
	mail_letter_finish(&letter);
}

static size_t
chars(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* The longest mail is cut between characters, within what the record's pages show, and says so. */
TEST(test_mail_item_long)
{
	static struct mail_item words;
	static char mail[200000];
	struct item item = { 0 };

	strcpy(mail, "Subject: uzun\r\n\r\n");
	size_t len = strlen(mail);
	while (len < sizeof(mail) - 3) {
		memcpy(mail + len, "ş", 2);
		len += 2;
	}
	mail[len] = '\0';
	struct mail_letter letter = read_mail(mail);
	mail_item_fill(&words, &letter, "", &item);
	CHECK_TRUE("within the bound", chars(item.description) <= FIELD_DESCRIPTION_CHARS);
	CHECK_TRUE("says so", strstr(item.description, "[Devamı e-postanın aslındadır.]") != NULL);
	mail_letter_finish(&letter);
}

TEST(test_mail_item_arrived)
{
	const int64_t now_us = INT64_C(1795849200000000), day_us = INT64_C(86400000000);
	struct mail_letter letter = { .received_us = now_us - day_us };

	CHECK_I64("our server's date", mail_item_arrived(&letter, now_us), now_us - day_us);
	letter.received_us = 0;
	CHECK_I64("none", mail_item_arrived(&letter, now_us), now_us);
	letter.received_us = now_us + 1000;
	CHECK_I64("a clock a little ahead", mail_item_arrived(&letter, now_us), now_us);
	letter.received_us = now_us + day_us;
	CHECK_I64("tomorrow", mail_item_arrived(&letter, now_us), now_us);
	letter.received_us = now_us - 31 * day_us;
	CHECK_I64("too long ago", mail_item_arrived(&letter, now_us), now_us);
	CHECK_I64("unreadable", mail_item_arrived(NULL, now_us), now_us);
}
