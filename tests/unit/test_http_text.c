#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "http_peer.h"
#include "http_text.h"

static const struct {
	const char *pattern;
	const char *path;
	bool match;
	const char *captures; /* "name=part name=part" */
} patterns[] = {
	{ "/", "/", true, "" },
	{ "/a", "/a", true, "" },
	{ "/a", "/a/", false, "" },
	{ "/a", "/ab", false, "" },
	{ "/a/{id}", "/a/1", true, "id=1" },
	{ "/a/{id}", "/a/", false, "" },
	{ "/a/{id}", "/a/1/2", false, "" },
	{ "/a/{id}/b", "/a/1/b", true, "id=1" },
	{ "/a/{id}/b", "/a//b", false, "" },
	{ "/r/{id}.{format}", "/r/26-1.json", true, "id=26-1 format=json" },
	{ "/r/{id}.{format}", "/r/a.b.xml", true, "id=a.b format=xml" },
	{ "/r/{id}.{format}", "/r/.xml", false, "" },
	{ "/r/{id}.{format}", "/r/a.", false, "" },
	{ "/r/{id}.{format}", "/r/a", false, "" },
	{ "/s.{format}", "/s.json", true, "format=json" },
	{ "/live/{path*}", "/live/", true, "path=" },
	{ "/live/{path*}", "/live/a/b.js", true, "path=a/b.js" },
	{ "/live/{path*}", "/live", false, "" },
	{ "/{a}-{b}", "/1-2-3", true, "a=1-2 b=3" },
};

TEST(test_pattern_match)
{
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct http_captures got;
		char text[256] = "";
		size_t used = 0;

		CHECK_TRUE(patterns[i].pattern, http_pattern_valid(patterns[i].pattern));
		bool match = http_pattern_match(patterns[i].pattern, patterns[i].path, &got);
		if (!CHECK_TRUE(patterns[i].path, match == patterns[i].match) || !match)
			continue;
		for (size_t c = 0; c < got.count; c++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s=%.*s",
			    c > 0 ? " " : "", (int)got.of[c].name_len, got.of[c].name,
			    (int)got.of[c].len, patterns[i].path + got.of[c].at);
		CHECK_STR(patterns[i].path, text, patterns[i].captures);
	}
}

TEST(test_pattern_invalid)
{
	static const char *const bad[] = { "", "a", "/{", "/{}", "/}", "/{a}{b}", "/{a", "/{A}",
		"/{a*}/b", "/x{a*}", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_FALSE(bad[i], http_pattern_valid(bad[i]));
}

static const struct {
	const char *target;
	const char *path; /* NULL: refused */
	const char *query; /* NULL: none */
} targets[] = {
	{ "/", "/", NULL },
	{ "/a?b=c", "/a", "b=c" },
	{ "/a?", "/a", "" },
	{ "/%C3%87%20+", "/\xc3\x87 +", NULL },
	{ "/a?%zz", "/a", "%zz" },
	{ "/%", NULL, NULL },
	{ "/%2", NULL, NULL },
	{ "/%2?1", NULL, NULL },
	{ "/%g0", NULL, NULL },
	{ "/%00", NULL, NULL },
	{ "/%2f", NULL, NULL },
	{ "/%FF", NULL, NULL },
	{ "/%C0%AF", NULL, NULL },
	{ "/.", NULL, NULL },
	{ "/..", NULL, NULL },
	{ "/a/../b", NULL, NULL },
	{ "/a/%2E%2e", NULL, NULL },
	{ "/a/./b", NULL, NULL },
	{ "/.well-known/a..b/...", "/.well-known/a..b/...", NULL },
};

TEST(test_path_decode)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const char *target = targets[i].target, *query;
		char path[64], query_text[64];
		size_t query_len;
		const char *why = http_path_decode(
		    target, strlen(target), path, &query, &query_len);

		if (!CHECK_TRUE(target, (why == NULL) == (targets[i].path != NULL)) || why != NULL)
			continue;
		CHECK_STR(target, path, targets[i].path);
		snprintf(query_text, sizeof(query_text), "%.*s", (int)query_len,
		    query == NULL ? "" : query);
		CHECK_STR(target, query == NULL ? NULL : query_text, targets[i].query);
	}
}

static const struct {
	const char *text;
	enum http_pairs_result result;
	const char *pairs;
} pairs[] = {
	{ "", HTTP_PAIRS_OK, "" },
	{ "a=1", HTTP_PAIRS_OK, "a=1;" },
	{ "a", HTTP_PAIRS_OK, "a=;" },
	{ "a=", HTTP_PAIRS_OK, "a=;" },
	{ "&&a=1&&", HTTP_PAIRS_OK, "a=1;" },
	{ "a=1&a=2&b=%26%3D", HTTP_PAIRS_OK, "a=1;a=2;b=&=;" },
	{ "a=b=c", HTTP_PAIRS_OK, "a=b=c;" },
	{ "a+b=c+d%2B", HTTP_PAIRS_OK, "a b=c d+;" },
	{ "attribute[X]=%C4%B1", HTTP_PAIRS_OK, "attribute[X]=\xc4\xb1;" },
	{ "=1", HTTP_PAIRS_BAD, "" },
	{ "a=%", HTTP_PAIRS_BAD, "" },
	{ "a=%4", HTTP_PAIRS_BAD, "" },
	{ "a=%4&b", HTTP_PAIRS_BAD, "" },
	{ "a=%xy", HTTP_PAIRS_BAD, "" },
	{ "a=%00", HTTP_PAIRS_BAD, "" },
	{ "%00=a", HTTP_PAIRS_BAD, "" },
	{ "a=\xff", HTTP_PAIRS_BAD, "" },
	{ "a=%ED%A0%80", HTTP_PAIRS_BAD, "" },
	{ "a=1&b=%F5%80%80%80", HTTP_PAIRS_BAD, "" },
};

TEST(test_pairs)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct http_pairs got;
		char text[256] = "";
		size_t used = 0;

		CHECK_I64(pairs[i].text,
		    http_pairs_parse(pairs[i].text, strlen(pairs[i].text), &got), pairs[i].result);
		for (size_t p = 0; p < got.count; p++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%s;",
			    got.at[p].name, got.at[p].value);
		CHECK_STR(pairs[i].text, text, pairs[i].pairs);
		http_pairs_finish(&got);
	}
}

TEST(test_pairs_find_and_limit)
{
	static const char twice[] = "a=1&b=2&a=3";
	char many[2 * HTTP_PAIRS_MAX + 2];
	struct http_pairs got;
	size_t count;

	CHECK_I64("parse", http_pairs_parse(twice, sizeof(twice) - 1, &got), HTTP_PAIRS_OK);
	CHECK_STR("first", http_pairs_find(&got, "a", &count), "1");
	CHECK_U64("how many", count, 2);
	CHECK_STR("none", http_pairs_find(&got, "c", &count), NULL);
	CHECK_U64("none", count, 0);
	http_pairs_finish(&got);

	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "a&", 2);
	CHECK_I64("as many as there may be", http_pairs_parse(many, 2 * HTTP_PAIRS_MAX - 1, &got),
	    HTTP_PAIRS_OK);
	CHECK_U64("all of them", got.count, HTTP_PAIRS_MAX);
	http_pairs_finish(&got);
	CHECK_I64(
	    "one more", http_pairs_parse(many, 2 * HTTP_PAIRS_MAX + 1, &got), HTTP_PAIRS_MANY);
}

static const struct {
	const char *name;
	const char *peer;
	const char *forwarded;
	const char *client;
} forwards[] = {
	{ "the proxy speaks", "127.0.0.1", "1.2.3.4", "1.2.3.4" },
	{ "what the client claims is further away", "127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4" },
	{ "through a second proxy", "::1", "1.2.3.4, 10.0.0.1", "1.2.3.4" },
	{ "an untrusted peer is not heard", "5.5.5.5", "1.2.3.4", "5.5.5.5" },
	{ "IPv6", "127.0.0.1", "2001:DB8::0:1", "2001:db8::1" },
	{ "IPv6 in brackets", "127.0.0.1", "[2001:db8::1]", "2001:db8::1" },
	{ "IPv4 as IPv6", "::ffff:127.0.0.1", "::ffff:1.2.3.4", "1.2.3.4" },
	{ "no address", "127.0.0.1", "unknown", "::" },
	{ "no address behind one", "127.0.0.1", "unknown, 10.0.0.1", "::" },
	{ "an address with a port", "127.0.0.1", "1.2.3.4:80", "::" },
	{ "an empty item", "127.0.0.1", "1.2.3.4, ", "::" },
	{ "nothing", "127.0.0.1", "", "::" },
	{ "nothing from a stranger", "5.5.5.5", "", "5.5.5.5" },
};

TEST(test_network)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "::1", "::/64" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444::/64" },
	};
	struct http_address at[ARRAY_LEN(rows)], other;
	char text[HTTP_NETWORK_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK(http_address_parse(rows[i][0], strlen(rows[i][0]), &at[i]));
		http_network_format(&at[i], text);
		CHECK_STR(rows[i][0], text, rows[i][1]);
	}
	CHECK(http_network_equal(&at[0], &at[1]));
	CHECK_FALSE("another", http_network_equal(&at[2], &at[4]));
	CHECK(http_address_parse("2001:db8:1:2::", 14, &other));
	CHECK(http_network_equal(&at[2], &other));
	CHECK(http_address_parse("192.0.2.2", 9, &other));
	CHECK_FALSE("a neighbour in IPv4", http_network_equal(&at[0], &other));
}

TEST(test_forwarded)
{
	struct http_peers trusted;

	if (!CHECK(http_peers_parse("10.0.0.1, fd00::1", &trusted)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(forwards); i++) {
		struct http_address at;
		char text[INET6_ADDRSTRLEN];

		CHECK(http_address_parse(forwards[i].peer, strlen(forwards[i].peer), &at));
		(void)http_peers_follow(
		    &trusted, forwards[i].forwarded, strlen(forwards[i].forwarded), &at);
		http_address_format(&at, text);
		CHECK_STR(forwards[i].name, text, forwards[i].client);
	}
	http_peers_finish(&trusted);
	CHECK_FALSE("a name", http_peers_parse("10.0.0.1,proxy", &trusted));
	CHECK_FALSE("an empty item", http_peers_parse("10.0.0.1,,", &trusted));
}
