/* Texts of mails as Turkish senders write them: charsets, labels that lie, encoded words, HTML. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "check.h"
#include "mail_charset.h"
#include "mail_plain.h"
#include "mail_words.h"
#include "utf8.h"

/* domain.md's bytes: they are these letters in windows-1254 and ISO-8859-9. */
#define LETTERS_1254 "\xd0\xdc\xde\xdd\xd6\xc7\xf0\xfc\xfe\xfd\xf6\xe7"
#define LETTERS "ĞÜŞİÖÇğüşıöç"

static const struct {
	const char *name, *bytes, *charset, *want;
} sets[] = {
	{ "labelled right", LETTERS_1254, "windows-1254", LETTERS },
	{ "ISO-8859-9", LETTERS_1254, "ISO-8859-9", LETTERS },
	{ "ISO-8859-9 with a curly quote of windows-1254", "\x93\xfe\x94", "iso-8859-9", "“ş”" },
	{ "labelled ISO-8859-1 and Turkish", LETTERS_1254, "iso-8859-1", LETTERS },
	{ "labelled windows-1252 and Turkish", "\xdd\x6c\xe7\x65", "Windows-1252", "İlçe" },
	{ "really ISO-8859-1",
	    "M\xfcller, Stra\xdf"
	    "e",
	    "iso-8859-1", "Müller, Straße" },
	{ "euro sign of windows-1252 as Latin 1", "5 \x80", "iso-8859-1", "5 €" },
	{ "UTF-8 labelled ISO-8859-1", "çöp şikâyeti", "iso-8859-1", "çöp şikâyeti" },
	{ "UTF-8 labelled ISO-8859-9", "ğ", "iso-8859-9", "ğ" },
	{ "no label, UTF-8", LETTERS, NULL, LETTERS },
	{ "no label, windows-1254", LETTERS_1254, NULL, LETTERS },
	{ "us-ascii, windows-1254", "\xde", "us-ascii", "Ş" },
	{ "labelled UTF-8, windows-1254", "\xc7\xf6p \xfeikayeti", "utf-8", "Çöp şikayeti" },
	{ "a label nobody knows", LETTERS_1254, "x-klingon", LETTERS },
	{ "UTF-8 cut in a character", "şş\xc5", "utf-8", "şş\xef\xbf\xbd" },
	{ "koi8-r, by iconv", "\xd0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "привет" },
	{ "ISO-8859-3, by iconv", "\xb1\xab", "iso-8859-3", "ħĞ" },
	{ "cp857, by iconv", "\xa6\x98\x8d", "cp857", "Ğİı" },
	{ "UTF-7, by iconv", "+AR8-", "utf-7", "ğ" },
	{ "a byte order mark",
	    "\xef\xbb\xbf"
	    "a",
	    "utf-8", "a" },
	{ "line ends of every kind", "a\r\nb\rc\nd", NULL, "a\nb\nc\nd" },
	{ "control characters", "a\x01\x1b[31m\tb\x7f", NULL, "a[31m\tb" },
	{ "a label without end", "ş",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ş" },
	{ "nothing", "", "utf-8", "" },
};

TEST(test_mail_charsets)
{
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		char *text = mail_charset_decode(
		    sets[i].bytes, strlen(sets[i].bytes), sets[i].charset);
		CHECK_STR(sets[i].name, text, sets[i].want);
		free(text);
	}
}

/* UTF-16 has NULs, so the table cannot hold it. */
TEST(test_mail_charset_utf16)
{
	char *text = mail_charset_decode("\x1f\x01\x5e\x01", 4, "utf-16le");

	CHECK_STR("UTF-16", text, "ğŞ");
	free(text);
	text = mail_charset_decode("a\0b", 3, NULL);
	CHECK_STR("a NUL is left out", text, "ab");
	free(text);
}

/* Whatever the bytes and the label: valid text that the record can keep. */
TEST(test_mail_charset_any_bytes)
{
	static const char *const labels[] = { NULL, "utf-8", "iso-8859-1", "iso-8859-9", "utf-16",
		"iso-2022-jp", "gb18030", "cp857", "nonsense" };
	char bytes[512];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		char *text = mail_charset_decode(bytes, sizeof(bytes), labels[i]);
		if (!CHECK(text != NULL))
			return;
		CHECK_TRUE(labels[i] == NULL ? "none" : labels[i],
		    utf8_valid(text, strlen(text)) && !utf8_has_control(text, true));
		free(text);
	}
}

static const struct {
	const char *name, *value, *want;
} headers[] = {
	{ "plain", "Cop alinmiyor", "Cop alinmiyor" },
	{ "Q", "=?utf-8?Q?=C3=87=C3=B6p_?= alındı", "Çöp alındı" },
	{ "B", "=?UTF-8?B?w4fDtnA=?=", "Çöp" },
	{ "B without padding", "=?UTF-8?B?w4fDtnA?=", "Çöp" },
	{ "windows-1254", "=?windows-1254?Q?=DEik=E2yet?=", "Şikâyet" },
	{ "labelled ISO-8859-1", "=?iso-8859-1?Q?=DDnan=E7l=FD?=", "İnançlı" },
	{ "a language", "=?iso-8859-9*tr?Q?=FE?=", "ş" },
	{ "a character cut between two words",
	    "=?UTF-8?B?xJ8g?= =?UTF-8?B?xA==?=\r\n =?UTF-8?B?sQ==?=", "ğ ı" },
	{ "words of two charsets", "=?utf-8?Q?=C5=9F?= =?iso-8859-9?Q?=FE?=", "şş" },
	{ "a word inside quotes", "\"=?utf-8?Q?=C5=9F?=\"", "\"ş\"" },
	{ "spaces in a word", "=?utf-8?Q?a b?=", "a b" },
	{ "raw UTF-8", "Çöp şikâyeti", "Çöp şikâyeti" },
	{ "raw windows-1254", "\xc7\xf6p \xfeikayeti", "Çöp şikayeti" },
	{ "folded", "Re: =?utf-8?Q?a?=\r\n\t b", "Re: a b" },
	{ "a word that does not end", "=?utf-8?Q?abc", "=?utf-8?Q?abc" },
	{ "no word at all", "=?=?=?", "=?=?=?" },
	{ "a wrong escape", "=?utf-8?Q?=ZZ=C5?=", "=ZZÅ" },
	{ "a header smuggled in", "=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x" },
	{ "spaces only", " \r\n\t ", "" },
};

TEST(test_mail_words)
{
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		char *text = mail_words_decode(headers[i].value, strlen(headers[i].value));
		CHECK_STR(headers[i].name, text, headers[i].want);
		free(text);
	}
}

static uint64_t
cpu_us(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

/* CPU time of decoding a value of so many bytes made of a piece, the least of some runs. */
static uint64_t
decoding_us(const char *piece, size_t bytes)
{
	char *value = malloc(bytes);
	size_t len = strlen(piece);
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < bytes; i++)
		value[i] = piece[i % len];
	for (int i = 0; i < 5; i++) {
		uint64_t from = cpu_us();
		for (int times = 0; times < 20; times++)
			free(mail_words_decode(value, bytes));
		uint64_t took = cpu_us() - from;
		least = took < least ? took : least;
	}
	free(value);
	return least;
}

/* Words that do not end, and what else would have a careless reader look ahead at every byte: twice
 * the bytes take twice the time and not four times, and a megabyte no longer than what is read: a
 * busy machine may slow down one look or the other, not all of them. */
TEST(test_mail_words_take_linear_time)
{
	enum { LOOKS = 8 };
	static const char *const pieces[] = { "=?a?q?x", "=?", "=?a?b?", "=?aaaaaaaaaaaaaaa", " ",
		"=?a?q?x?=", "=?a?q?x?= " };

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		bool linear = false;
		for (int look = 0; look < LOOKS && !linear; look++) {
			uint64_t half = decoding_us(pieces[i], 4096);
			uint64_t whole = decoding_us(pieces[i], 8192);
			linear = whole < 3 * half + 200
				 && decoding_us(pieces[i], 1000000) < 3 * whole + 200;
		}
		CHECK_TRUE(pieces[i], linear);
	}
}

/* A form's script puts the whole subject into one word, whatever RFC 2047 says of 75 bytes. */
TEST(test_mail_words_long)
{
	char value[1500] = "=?utf-8?Q?";

	memset(value + 10, 'a', 1200);
	strcpy(value + 1210, "=C5=9F?=");
	char *text = mail_words_decode(value, strlen(value));
	CHECK_U64("all of it", strlen(text), 1202);
	CHECK_STR("its end", text + 1200, "ş");
	free(text);
}

static const struct {
	const char *name, *html, *want;
} pages[] = {
	{ "words", "<html><body>Merhaba</body></html>", "Merhaba" },
	{ "blocks end lines", "<div>bir</div><div>iki</div>", "bir\niki" },
	{ "paragraphs stand apart", "<p>bir</p>\n<p>iki</p>", "bir\n\niki" },
	{ "breaks", "bir<br>iki<br/><br>üç", "bir\niki\n\nüç" },
	{ "space is one", "bir  \n\t iki", "bir iki" },
	{ "entities", "&lt;b&gt; &amp; &#351;&#x130;&scedil;&Ccedil;&nbsp;a&yok; &",
	    "<b> & şİşÇ a&yok; &" },
	{ "what is hidden",
	    "<head><title>t</title><style>p{}</style></head><body>a<script>if (a<b) x()</script>b"
	    "<!-- c -->d</body>",
	    "abd" },
	{ "a head that is not closed", "<html><head><title>t</title><meta charset=utf-8><body>a",
	    "a" },
	{ "nor the body opened", "<head><style>p{}</style><p>a</p>b", "a\n\nb" },
	{ "a header is no head", "<head><title>t</title><header>a</header><div>b</div>", "a\nb" },
	{ "a style with a tag that only begins so", "<style>a</styles>b</STYLE >c", "c" },
	{ "a tag with > in a value", "<a title=\"x>y\" href='z'>a</a>", "a" },
	{ "a tag that does not end", "a<img src=\"", "a" },
	{ "a style that does not end", "a<style>b", "a" },
	{ "a list", "<ul><li>bir<li>iki</ul>", "bir\niki" },
	{ "entities of what is no text", "a&#0;&#7;&#xd800;&#x110000;b", "ab" },
};

TEST(test_mail_html)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		char *text = mail_plain_text(pages[i].html, strlen(pages[i].html));
		CHECK_STR(pages[i].name, text, pages[i].want);
		free(text);
	}
}
