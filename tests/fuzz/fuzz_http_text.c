/* Paths, queries and forms: decoded text is valid, and never longer than what came. */
#include "fuzz.h"
#include "http_text.h"
#include "utf8.h"

static void
check_path(const char *target, size_t len)
{
	static const char *const patterns[] = { "/a/{b}.{c}", "/{a}/{b}", "/x/{rest*}",
		"/open311/v2/requests/{id}.json", "/" };
	char *out = malloc(len + 1);
	const char *query;
	size_t query_len;

	if (http_path_decode(target, len, out, &query, &query_len) == NULL) {
		HOLDS(strlen(out) <= len && utf8_valid(out, strlen(out)));
		HOLDS(query == NULL || (query > target && query + query_len == target + len));
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			struct http_captures captures;
			if (!http_pattern_match(patterns[i], out, &captures))
				continue;
			for (size_t c = 0; c < captures.count; c++)
				HOLDS(captures.of[c].at + captures.of[c].len <= strlen(out));
		}
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = copy_text(data, size), *exact = malloc(size + 1);
	struct http_pairs pairs = { 0 };

	memcpy(exact, data, size);
	check_path(exact, size);
	if (http_pairs_parse(exact, size, &pairs) == HTTP_PAIRS_OK) {
		HOLDS(pairs.count <= HTTP_PAIRS_MAX);
		for (size_t i = 0; i < pairs.count; i++) {
			const char *name = pairs.at[i].name, *value = pairs.at[i].value;
			size_t count;
			HOLDS(name[0] != '\0' && utf8_valid(name, strlen(name)));
			HOLDS(utf8_valid(value, strlen(value)));
			HOLDS(http_pairs_find(&pairs, name, &count) != NULL && count >= 1);
		}
		http_pairs_finish(&pairs);
	}
	(void)http_pattern_valid(text);
	free(text);
	free(exact);
	return 0;
}
