/* Forms with files: as browsers write them, and no other way. */
#include "http_multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define TYPE "multipart/form-data; boundary=AaB03x"
#define TEXT(name, value) \
	"--AaB03x\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_(name, file, value)                                                          \
	"--AaB03x\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file \
	"\"\r\nContent-Type: image/png\r\n\r\n" value "\r\n"
#define END "--AaB03x--\r\n"
#define BODY(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *body;
	size_t len;
	const char *type; /* NULL: the usual */
	const char *want; /* name=value|name:file(len)..., or what is wrong */
} cases[] = {
	{ "texts and a file", BODY(TEXT("a", "1") FILE_("photo", "x.png", "abc") TEXT("b", "") END),
	    NULL, "a=1|photo:x.png(3)|b=|" },
	{ "no line end at the end", BODY(TEXT("a", "1") "--AaB03x--"), NULL, "a=1|" },
	{ "quoted boundary", BODY(TEXT("a", "1") END), "multipart/form-data; boundary=\"AaB03x\"",
	    "a=1|" },
	{ "a file with line ends, dashes and NUL", BODY(FILE_("f", "x", "\r\n--AaB03\r\n\0--") END),
	    NULL, "f:x(14)|" },
	{ "a field nobody filled", BODY(FILE_("photo", "", "") TEXT("a", "1") END), NULL, "a=1|" },
	{ "an empty file with a name", BODY(FILE_("photo", "x", "") END), NULL, "photo:x(0)|" },
	{ "escapes in names", BODY(TEXT("a%22b%0D%0Ac%41", "1") END), NULL, "a\"b\r\nc%41=1|" },
	{ "Turkish", BODY(TEXT("ad", "Işıl\r\nÇağrı") END), NULL, "ad=Işıl\r\nÇağrı|" },
	{ "no boundary said", BODY(TEXT("a", "1") END), "multipart/form-data", "bad" },
	{ "an empty boundary", BODY("--\r\n" END), "multipart/form-data; boundary=", "bad" },
	{ "a boundary of strange letters", BODY(END), "multipart/form-data; boundary=a<b", "bad" },
	{ "something before", BODY("hello\r\n" TEXT("a", "1") END), NULL, "bad" },
	{ "something behind", BODY(TEXT("a", "1") END "x"), NULL, "bad" },
	{ "no end", BODY(TEXT("a", "1")), NULL, "bad" },
	{ "a boundary with more behind it", BODY(TEXT("a", "1") "--AaB03xy\r\n" END), NULL, "bad" },
	{ "nothing", BODY(""), NULL, "bad" },
	{ "only the end", BODY(END), NULL, "bad" },
	{ "a part without a name",
	    BODY("--AaB03x\r\nContent-Disposition: form-data\r\n\r\n1\r\n" END), NULL, "bad" },
	{ "an empty name", BODY(TEXT("", "1") END), NULL, "bad" },
	{ "a name that is not quoted",
	    BODY("--AaB03x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" END), NULL,
	    "bad" },
	{ "two names",
	    BODY("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"; "
		 "name=\"b\"\r\n\r\n1\r\n" END),
	    NULL, "bad" },
	{ "two dispositions",
	    BODY("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: "
		 "form-data; name=\"b\"\r\n\r\n1\r\n" END),
	    NULL, "bad" },
	{ "encoded within",
	    BODY("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n"
		 "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n" END),
	    NULL, "bad" },
	{ "a line without a colon",
	    BODY("--AaB03x\r\nContent-Disposition form-data; name=\"a\"\r\n\r\n1\r\n" END), NULL,
	    "bad" },
	{ "a text with a NUL", BODY(TEXT("a", "1\0002") END), NULL, "bad" },
	{ "a text that is no UTF-8", BODY(TEXT("a", "\xff") END), NULL, "bad" },
	{ "a name that is no UTF-8", BODY(TEXT("\xc3", "1") END), NULL, "bad" },
	{ "a head without end",
	    BODY("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\nX: y"), NULL, "bad" },
};

static const char *
said(const struct http_pairs *pairs, const struct http_files *files)
{
	static char out[4096];
	size_t p = 0, f = 0, len = 0;

	out[0] = '\0';
	/* In the order of the body, which both point into. */
	while (p < pairs->count || f < files->count) {
		bool file_next = p == pairs->count
				 || (f < files->count && files->at[f].field < pairs->at[p].name);
		if (file_next) {
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%s:%s(%zu)|",
			    files->at[f].field, files->at[f].name, files->at[f].len);
			f++;
		} else {
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%s=%s|",
			    pairs->at[p].name, pairs->at[p].value);
			p++;
		}
	}
	return out;
}

TEST(test_bodies)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_pairs pairs;
		struct http_files files;
		/* An exact copy with its terminator, so that a byte too many is seen. */
		char *body = malloc(cases[i].len + 1);
		memcpy(body, cases[i].body, cases[i].len);
		body[cases[i].len] = '\0';
		enum http_pairs_result r = http_multipart_parse(body, cases[i].len,
		    cases[i].type == NULL ? TYPE : cases[i].type, &pairs, &files);
		CHECK_STR(cases[i].name,
		    r == HTTP_PAIRS_OK    ? said(&pairs, &files)
		    : r == HTTP_PAIRS_BAD ? "bad"
					  : "many",
		    cases[i].want);
		http_pairs_finish(&pairs);
		free(body);
	}
}

/* count times the part, then the end. */
static enum http_pairs_result
parse_many(const char *part, size_t count)
{
	size_t len = strlen(part), total = count * len + sizeof(END) - 1;
	char *body = malloc(total + 1);
	struct http_pairs pairs;
	struct http_files files;

	for (size_t i = 0; i < count; i++)
		memcpy(body + i * len, part, len);
	memcpy(body + count * len, END, sizeof(END));
	enum http_pairs_result r = http_multipart_parse(body, total, TYPE, &pairs, &files);
	http_pairs_finish(&pairs);
	free(body);
	return r;
}

TEST(test_the_number_of_parts_and_the_length_of_texts_are_bounded)
{
	static char long_part[128 + HTTP_MULTIPART_TEXT_BYTES];
	size_t head;

	CHECK(parse_many(TEXT("a", "1"), HTTP_PAIRS_MAX) == HTTP_PAIRS_OK);
	CHECK(parse_many(TEXT("a", "1"), HTTP_PAIRS_MAX + 1) == HTTP_PAIRS_MANY);
	CHECK(parse_many(FILE_("f", "x", "1"), HTTP_FILES_MAX) == HTTP_PAIRS_OK);
	CHECK(parse_many(FILE_("f", "x", "1"), HTTP_FILES_MAX + 1) == HTTP_PAIRS_MANY);
	(void)snprintf(long_part, sizeof(long_part),
	    "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");
	head = strlen(long_part);
	memset(long_part + head, 'x', HTTP_MULTIPART_TEXT_BYTES);
	memcpy(long_part + head + HTTP_MULTIPART_TEXT_BYTES - 1, "\r\n", 3);
	CHECK(parse_many(long_part, 1) == HTTP_PAIRS_OK);
	memcpy(long_part + head + HTTP_MULTIPART_TEXT_BYTES - 1, "x\r\n", 4);
	CHECK(parse_many(long_part, 1) == HTTP_PAIRS_MANY);
}
