/* Decodes paths and pairs, and matches paths against the patterns of routes. */
#include "http_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte a %XX at text stands for; -1 when it is not one, or stands for NUL. */
static int
escaped_byte(const char *text, size_t len)
{
	if (len < 3)
		return -1;
	int high = hex_value(text[1]), low = hex_value(text[2]);
	return high < 0 || low < 0 || (high == 0 && low == 0) ? -1 : high * 16 + low;
}

/* Is there a segment "." or ".."? */
static bool
has_dot_segment(const char *path)
{
	for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
		size_t len = strcspn(at + 1, "/");
		if ((len == 1 || len == 2) && strncmp(at + 1, "..", len) == 0)
			return true;
	}
	return false;
}

const char *
http_path_decode(
    const char *target, size_t len, char *out, const char **ret_query, size_t *ret_query_len)
{
	const char *question = memchr(target, '?', len);
	size_t path_len = question == NULL ? len : (size_t)(question - target), n = 0;

	for (size_t i = 0; i < path_len; i++) {
		if (target[i] != '%') {
			out[n++] = target[i];
			continue;
		}
		int byte = escaped_byte(target + i, path_len - i);
		if (byte < 0 || byte == '/')
			return "the path holds a bad escape";
		out[n++] = (char)byte;
		i += 2;
	}
	out[n] = '\0';
	if (!utf8_valid(out, n))
		return "the path is not UTF-8";
	if (has_dot_segment(out))
		return "the path holds a . or .. segment";
	*ret_query = question == NULL ? NULL : question + 1;
	*ret_query_len = question == NULL ? 0 : len - path_len - 1;
	return NULL;
}

/* Decodes one name or value to out, terminated; SIZE_MAX when it is not decent text. */
static size_t
decode_text(const char *data, size_t len, char *out)
{
	size_t n = 0;
	int all = 0;

	for (size_t i = 0; i < len; i++) {
		int byte = data[i] == '+' ? ' ' : (unsigned char)data[i];
		if (byte == '%') {
			byte = escaped_byte(data + i, len - i);
			i += 2;
		}
		if (byte <= 0)
			return SIZE_MAX;
		all |= byte;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return all < 0x80 || utf8_valid(out, n) ? n : SIZE_MAX;
}

/* Decodes one piece "name=value" into *text, which moves past both. */
static bool
decode_pair(const char *piece, size_t len, char **text, struct http_pair *pair)
{
	const char *equals = memchr(piece, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - piece);
	const char *value = equals == NULL ? "" : equals + 1;
	size_t value_len = equals == NULL ? 0 : len - name_len - 1;

	size_t n = decode_text(piece, name_len, *text);
	if (n == SIZE_MAX || n == 0)
		return false;
	pair->name = *text;
	*text += n + 1;
	n = decode_text(value, value_len, *text);
	if (n == SIZE_MAX)
		return false;
	pair->value = *text;
	*text += n + 1;
	return true;
}

enum http_pairs_result
http_pairs_parse(const char *data, size_t len, struct http_pairs *ret_pairs)
{
	size_t most = 1;

	*ret_pairs = (struct http_pairs){ 0 };
	if (len == 0)
		return HTTP_PAIRS_OK;
	for (size_t i = 0; i < len; i++)
		most += data[i] == '&';
	if (most > HTTP_PAIRS_MAX)
		return HTTP_PAIRS_MANY;

	/* Each pair needs its two ends, and decoding never makes text longer. */
	struct http_pairs pairs = { .at = calloc(most, sizeof(*pairs.at)) };
	char *text = pairs.text = malloc(len + 2 * most);
	if (pairs.at == NULL || pairs.text == NULL) {
		http_pairs_finish(&pairs);
		return HTTP_PAIRS_NO_MEMORY;
	}
	for (const char *piece = data, *end = data + len; piece < end;) {
		const char *and_sign = memchr(piece, '&', (size_t)(end - piece));
		size_t piece_len = (size_t)((and_sign == NULL ? end : and_sign) - piece);
		if (piece_len > 0
		    && !decode_pair(piece, piece_len, &text, &pairs.at[pairs.count++])) {
			http_pairs_finish(&pairs);
			return HTTP_PAIRS_BAD;
		}
		piece += piece_len + 1;
	}
	*ret_pairs = pairs;
	return HTTP_PAIRS_OK;
}

void
http_pairs_finish(struct http_pairs *pairs)
{
	free(pairs->at);
	free(pairs->text);
	*pairs = (struct http_pairs){ 0 };
}

const char *
http_pairs_find(const struct http_pairs *pairs, const char *name, size_t *ret_count)
{
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		if (strcmp(pairs->at[i].name, name) == 0 && count++ == 0)
			first = pairs->at[i].value;
	}
	if (ret_count != NULL)
		*ret_count = count;
	return first;
}

/* The end of the {name} at brace; NULL when it is not one. */
static const char *
name_end(const char *brace)
{
	size_t len = strspn(brace + 1, "abcdefghijklmnopqrstuvwxyz_");
	const char *end = brace + 1 + len + (brace[1 + len] == '*');

	return len > 0 && *end == '}' ? end : NULL;
}

bool
http_pattern_valid(const char *pattern)
{
	size_t count = 0;

	if (pattern[0] != '/')
		return false;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p == '}')
			return false;
		if (*p != '{')
			continue;
		const char *end = name_end(p);
		if (end == NULL || end[1] == '{' || ++count > HTTP_PATH_PARAMS)
			return false;
		if (end[-1] == '*' && (end[1] != '\0' || p[-1] != '/'))
			return false;
		p = end;
	}
	return true;
}

/* How much of the segment at path the parameter takes that is followed by `next`; 0: none. */
static size_t
capture_len(const char *path, char next)
{
	size_t segment = strcspn(path, "/");

	if (next == '/' || next == '\0')
		return segment;
	while (segment > 0 && path[segment] != next)
		segment--;
	return segment;
}

bool
http_pattern_match(const char *pattern, const char *path, struct http_captures *ret_captures)
{
	const char *at = path;

	ret_captures->count = 0;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p != '{') {
			if (*p != *at++)
				return false;
			continue;
		}
		const char *end = name_end(p);
		assert(end != NULL); /* the pattern is valid */
		bool rest = end[-1] == '*';
		size_t len = rest ? strlen(at) : capture_len(at, end[1]);
		if (len == 0 && !rest)
			return false;
		ret_captures->of[ret_captures->count++] = (struct http_capture){
			.name = p + 1,
			.name_len = (size_t)(end - p) - 1 - rest,
			.at = (size_t)(at - path),
			.len = len,
		};
		at += len;
		p = end;
	}
	return *at == '\0';
}
