/* What browsers say about a session: cookies, where to go next, where they come from. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "digest.h"
#include "people.h"
#include "people_parse.h"

#define TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static const struct {
	const char *header;
	bool found;
} cookies[] = {
	{ "turunc=" TOKEN, true },
	{ "a=b; turunc=" TOKEN "; c=d", true },
	{ "a=b;turunc=" TOKEN " ;c", true },
	{ "", false },
	{ "turunc", false },
	{ "turunc=", false },
	{ "Turunc=" TOKEN, false },
	{ "xturunc=" TOKEN, false },
	{ "turunc=" TOKEN "A", false },
	{ "turunc=\"" TOKEN "\"", false },
	{ "x=turunc=" TOKEN, false },
	/* A neighbour's page may have put one in front: neither is believed. */
	{ "turunc=" TOKEN "; turunc=" TOKEN, false },
	{ "turunc=x; turunc=" TOKEN, false },
	{ "turunc=" TOKEN "; turunc=", false },
	/* Spare bits that say nothing would be a second spelling. */
	{ "turunc=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", false },
	{ "turunc=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh\xc3", false },
};

TEST(test_finds_the_one_cookie)
{
	uint8_t token[PEOPLE_TOKEN_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(cookies); i++) {
		memset(token, 0xff, sizeof(token));
		CHECK_I64(cookies[i].header, people_cookie_find(cookies[i].header, "turunc", token),
		    cookies[i].found);
		CHECK_I64(cookies[i].header, token[31], cookies[i].found ? 0x1f : 0xff);
	}
	CHECK_FALSE("no header", people_cookie_find(NULL, "turunc", token));
}

TEST(test_tokens)
{
	uint8_t token[PEOPLE_TOKEN_BYTES], other[PEOPLE_TOKEN_BYTES];
	char text[PEOPLE_TOKEN_SIZE], header[80], form[PEOPLE_TOKEN_SIZE], again[PEOPLE_TOKEN_SIZE];
	struct digest digest, others;

	people_token_make(token, text);
	(void)snprintf(header, sizeof(header), "__Host-turunc=%s", text);
	CHECK(people_cookie_find(header, "__Host-turunc", other));
	CHECK(memcmp(token, other, sizeof(token)) == 0);
	people_token_digest(token, &digest);
	CHECK(memcmp(digest.bytes, token, sizeof(token)) != 0);
	people_form_token(token, form);
	people_form_token(token, again);
	CHECK_STR("follows from the token", form, again);
	CHECK(strcmp(form, text) != 0);
	people_token_make(other, text);
	people_token_digest(other, &others);
	CHECK_FALSE("another session", digest_equal(&digest, &others));
	people_form_token(other, again);
	CHECK_FALSE("another session's forms", people_form_token_equal(again, form));
	CHECK(people_form_token_equal(form, form));
	CHECK_FALSE("none", people_form_token_equal(NULL, form));
	CHECK_FALSE("empty", people_form_token_equal("", form));
	form[PEOPLE_TOKEN_SIZE - 2] = '\0';
	CHECK_FALSE("short", people_form_token_equal(form, again));
}

static const struct {
	const char *next;
	bool valid;
} nexts[] = {
	{ "/desk/", true }, { "/desk/ticket/26-0012345-4?tab=history&x=%C3%BC+a", true },
	{ "/desk/a.b/c-d_e~f", true }, { "", false }, { "/", false }, { "/call/", false },
	{ "/deskx", false }, { "desk/", false }, { "//evil.example/desk/", false },
	{ "/desk//evil.example", false }, { "/\\evil.example", false },
	{ "/desk/\\evil.example", false }, { "\\\\evil.example/desk/", false },
	{ "https://evil.example/desk/", false }, { "javascript:alert(1)", false },
	{ "/desk/\n", false }, { "/desk/\r\nSet-Cookie: a=b", false },
	{ "/desk/\t/evil.example", false }, { " /desk/", false }, { "/desk/ ", false },
	{ "/desk/../call/", false }, { "/desk/./x", false }, { "/desk/.hidden", false },
	{ "/desk/\xc3\xbc", false }, { "/desk/#x", false }, { "/desk/\"><script>", false },
	{ "/desk/sign-in", false }, { "/desk/sign-out", false },
	{ "/desk/sign-in?next=/desk/", false },
	{ "/desk/?q=a//b/../c", true }, /* the query is no path */
};

TEST(test_next_is_a_page_of_ours)
{
	char longest[PEOPLE_NEXT_BYTES + 2] = "/desk/";

	for (size_t i = 0; i < ARRAY_LEN(nexts); i++)
		CHECK_I64(
		    nexts[i].next, people_next_valid(nexts[i].next, "/desk/"), nexts[i].valid);
	memset(longest + 6, 'a', PEOPLE_NEXT_BYTES - 6);
	CHECK(people_next_valid(longest, "/desk/"));
	longest[PEOPLE_NEXT_BYTES] = 'a';
	CHECK_FALSE("too long", people_next_valid(longest, "/desk/"));
}

static const struct {
	const char *name, *origin, *site;
	bool secure, same;
} origins[] = {
	{ "by its name", "http://masa.example:8000", NULL, false, true },
	{ "any case", "http://MASA.example:8000", NULL, false, true },
	{ "and by the browser's word", "http://masa.example:8000", "same-origin", false, true },
	{ "the browser's word alone", NULL, "same-origin", false, true },
	{ "nothing said", NULL, NULL, false, false },
	{ "null", "null", NULL, false, false },
	{ "null, said to be ours", "null", "same-origin", false, false },
	{ "a stranger", "http://evil.example", NULL, false, false },
	{ "a stranger, said to be ours", "http://evil.example", "same-origin", false, false },
	{ "another port", "http://masa.example", NULL, false, false },
	{ "another port of it", "http://masa.example:80000", NULL, false, false },
	{ "a name that begins like it", "http://masa.example:8000.evil.example", NULL, false,
	    false },
	{ "a name inside", "http://evil.example/http://masa.example:8000", NULL, false, false },
	{ "with a user", "http://masa.example:8000@evil.example", NULL, false, false },
	{ "a sister page", "http://masa.example:8000", "same-site", false, false },
	{ "a stranger's page", "http://masa.example:8000", "cross-site", false, false },
	{ "typed by hand", NULL, "none", false, false },
	{ "plain where HTTPS is asked for", "http://masa.example:8000", NULL, true, false },
	{ "HTTPS", "https://masa.example:8000", NULL, true, true },
	{ "HTTPS in front of plain", "https://masa.example:8000", NULL, false, true },
	{ "no scheme", "masa.example:8000", NULL, false, false },
	{ "another scheme", "ftp://masa.example:8000", NULL, false, false },
};

TEST(test_origin)
{
	for (size_t i = 0; i < ARRAY_LEN(origins); i++)
		CHECK_I64(origins[i].name,
		    people_same_origin(
			origins[i].origin, origins[i].site, "masa.example:8000", origins[i].secure),
		    origins[i].same);
	CHECK_FALSE("no host", people_same_origin("http://", NULL, NULL, false));
}

TEST(test_addresses)
{
	static const char *const rows[][2] = { { "10.1.2.3", "10.1.2.3" },
		{ "::ffff:10.1.2.3", "10.1.2.3" }, { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:DB8:1:2::1", "2001:db8:1:2::/64" }, { "unix", "unknown" },
		{ "", "unknown" } };
	char key[PEOPLE_ADDRESS_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		people_address(rows[i][0], key);
		CHECK_STR(rows[i][0], key, rows[i][1]);
	}
}

TEST(test_escape)
{
	char out[32] = "/x?next=";

	CHECK(people_escape(out, sizeof(out), "/a b&\xc3\xbc", "/"));
	CHECK_STR("escaped", out, "/x?next=/a%20b%26%C3%BC");
	CHECK_FALSE("full", people_escape(out, sizeof(out), "\xc3\xbc\xc3\xbc", ""));
	CHECK(strlen(out) < sizeof(out));
}

TEST(test_names)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = { { "a", true }, { "ayse.yilmaz-2_x", true }, { "9a", true }, { "", false },
		{ ".a", false }, { "-a", false }, { "_a", false }, { "Ayse", false },
		{ "ay\xc5\x9f"
		  "e",
		    false },
		{ "a b", false }, { "a\n", false },
		{ "a23456789012345678901234567890123456789012345678901234567890123", true },
		{ "a234567890123456789012345678901234567890123456789012345678901234", false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_I64(rows[i].name, people_name_valid(rows[i].name), rows[i].valid);
}
