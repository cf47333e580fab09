/* Finds the end of a request's head and checks every byte of it before evhttp may read it. */
#include "http_head.h"

#include <string.h>
#include <strings.h>

#include "utf8.h"

enum { MAX_LENGTH_DIGITS = 15 };

struct span {
	const char *at;
	size_t len;
};

enum header_id {
	HEADER_HOST,
	HEADER_CONTENT_LENGTH,
	HEADER_TRANSFER_ENCODING,
	HEADER_EXPECT,
	HEADER_CONNECTION,
	HEADER_OTHER, /* once only, and of no meaning here */
};

/* Headers that are read here, or that a handler may rely on being there once. */
static const struct known_header {
	const char *name;
	enum header_id id;
	bool may_repeat;
} known_headers[] = {
	{ "Host", HEADER_HOST, false },
	{ "Content-Length", HEADER_CONTENT_LENGTH, false },
	{ "Transfer-Encoding", HEADER_TRANSFER_ENCODING, false },
	{ "Expect", HEADER_EXPECT, false },
	{ "Connection", HEADER_CONNECTION, true },
	{ "Content-Type", HEADER_OTHER, false },
	{ "Content-Encoding", HEADER_OTHER, false },
	{ "Authorization", HEADER_OTHER, false },
	{ "Cookie", HEADER_OTHER, false },
	{ "Idempotency-Key", HEADER_OTHER, false },
	{ "If-None-Match", HEADER_OTHER, false },
	{ "Origin", HEADER_OTHER, false },
	{ "Referer", HEADER_OTHER, false },
	{ "User-Agent", HEADER_OTHER, false },
};

static const struct {
	const char *name;
	enum http_method method;
	bool has_body;
} methods[] = {
	{ "GET", HTTP_GET, false },
	{ "POST", HTTP_POST, true },
	{ "HEAD", HTTP_HEAD, false },
	{ "PUT", HTTP_PUT, true },
	{ "DELETE", HTTP_DELETE, false },
	{ "PATCH", HTTP_PATCH, true },
	{ "OPTIONS", HTTP_OPTIONS, false },
};

/* What the header lines have said so far. */
struct seen {
	unsigned bits; /* 1 << index into known_headers */
	bool length;
	bool encoding;
	bool chunked;
	bool expect_other;
};

static const struct http_verdict fine = { 0, NULL };

static struct http_verdict
verdict(unsigned status, const char *why)
{
	return (struct http_verdict){ status, why };
}

/* A letter, a digit, or one of the others. */
static bool
is_one_of(char c, const char *others)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	       || (c != '\0' && strchr(others, c) != NULL);
}

static bool
is_token_char(char c)
{
	return is_one_of(c, "!#$%&'*+-.^_`|~");
}

static size_t
token_len(const char *at, size_t len)
{
	size_t n = 0;
	while (n < len && is_token_char(at[n]))
		n++;
	return n;
}

static struct http_verdict
too_long(const struct http_head_scan *scan)
{
	return scan->lines == 0 ? verdict(414, "the request line is too long")
				: verdict(431, "the headers are too long");
}

/* line_len is without CR LF. */
static struct http_verdict
scan_line(struct http_head_scan *scan, size_t line_len, size_t max_bytes)
{
	if (scan->lines == 0 && line_len == 0)
		return verdict(400, "an empty line before the request");
	if (scan->lines == 0 && line_len > max_bytes / 2)
		return too_long(scan);
	if (++scan->lines > HTTP_HEAD_LINES && line_len > 0)
		return verdict(431, "too many headers");
	return fine;
}

struct http_verdict
http_head_scan(struct http_head_scan *scan, const char *data, size_t len, size_t max_bytes)
{
	if (len > 0 && scan->scanned == 0 && data[0] != '\r' && data[0] != '\n'
	    && !is_token_char(data[0]))
		return verdict(400, "this is not HTTP");

	size_t limit = len < max_bytes ? len : max_bytes;
	while (scan->scanned < limit) {
		const char *from = data + scan->scanned;
		const char *lf = memchr(from, '\n', limit - scan->scanned);
		if (lf == NULL) {
			scan->scanned = limit;
			break;
		}
		size_t lf_at = (size_t)(lf - data);
		if (lf_at == scan->line_at || data[lf_at - 1] != '\r')
			return verdict(400, "a line does not end with CR LF");

		size_t line_len = lf_at - 1 - scan->line_at;
		struct http_verdict v = scan_line(scan, line_len, max_bytes);
		if (v.status != 0)
			return v;
		scan->scanned = scan->line_at = lf_at + 1;
		if (line_len == 0) {
			scan->head_len = lf_at + 1;
			return fine;
		}
	}
	if (len >= max_bytes || (scan->lines == 0 && len > max_bytes / 2))
		return too_long(scan);
	return fine;
}

/* Next field of the request line; *line moves past it and the one space after it. */
static struct span
next_word(struct span *line)
{
	const char *space = memchr(line->at, ' ', line->len);
	struct span word = { line->at, space == NULL ? line->len : (size_t)(space - line->at) };
	size_t used = word.len + (space != NULL);

	line->at += used;
	line->len -= used;
	return word;
}

/* Characters of a URI, and in the query those that browsers leave as they are. */
static bool
target_chars_fine(struct span target)
{
	static const char path_others[] = "/-._~!$&'()*+,;=:@%";
	static const char query_others[] = "/-._~!$&'()*+,;=:@%?[]|^`{}\\";
	const char *others = path_others;

	for (size_t i = 0; i < target.len; i++) {
		char c = target.at[i];
		if (c == '?' && others == path_others)
			others = query_others;
		else if (!is_one_of(c, others))
			return false;
	}
	return true;
}

static struct http_verdict
parse_target(struct span target, struct http_head *head)
{
	if (target.len == 0 || target.at[0] != '/')
		return verdict(400, "the target must be an absolute path");
	if (target.len > 1 && target.at[1] == '/')
		return verdict(400, "the target begins with //");
	if (!target_chars_fine(target))
		return verdict(400, "the target holds a character that must be percent-encoded");
	head->target = target.at;
	head->target_len = target.len;
	return fine;
}

static struct http_verdict
parse_version(struct span version, struct http_head *head)
{
	if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.')
		return verdict(400, "the request line does not end with a version");
	if (memcmp(version.at + 5, "1.1", 3) != 0 && memcmp(version.at + 5, "1.0", 3) != 0)
		return verdict(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	head->minor = (unsigned)(version.at[7] - '0');
	head->close = head->minor == 0;
	return fine;
}

static struct http_verdict
parse_request_line(struct span line, struct http_head *head, bool *ret_has_body)
{
	struct span method = next_word(&line);
	struct span target = next_word(&line);
	struct http_verdict v;

	if (method.len == 0 || token_len(method.at, method.len) != method.len)
		return verdict(400, "the method is not a token");
	v = parse_target(target, head);
	if (v.status == 0)
		v = parse_version(line, head);
	if (v.status != 0)
		return v;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (strlen(methods[i].name) == method.len
		    && memcmp(methods[i].name, method.at, method.len) == 0) {
			head->method = methods[i].method;
			*ret_has_body = methods[i].has_body;
			return fine;
		}
	}
	return verdict(501, "this method is not served");
}

static bool
span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static struct http_verdict
parse_length(struct span value, struct http_head *head)
{
	uint64_t length = 0;

	if (value.len == 0 || value.len > MAX_LENGTH_DIGITS)
		return verdict(400, "Content-Length is not a length");
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return verdict(400, "Content-Length is not a number");
		length = length * 10 + (uint64_t)(value.at[i] - '0');
	}
	head->content_length = length;
	return fine;
}

static struct http_verdict
check_host(struct span value)
{
	if (value.len == 0)
		return verdict(400, "Host is empty");
	for (size_t i = 0; i < value.len; i++)
		if (!is_one_of(value.at[i], ".-_:[]"))
			return verdict(400, "Host holds a character no host has");
	return fine;
}

/* Is the word in this comma separated list? */
static bool
list_has(struct span list, const char *word)
{
	while (list.len > 0) {
		const char *comma = memchr(list.at, ',', list.len);
		struct span item = { list.at,
			comma == NULL ? list.len : (size_t)(comma - list.at) };
		size_t used = item.len + (comma != NULL);

		list.at += used;
		list.len -= used;
		while (item.len > 0 && item.at[0] == ' ') {
			item.at++;
			item.len--;
		}
		while (item.len > 0 && item.at[item.len - 1] == ' ')
			item.len--;
		if (span_is(item, word))
			return true;
	}
	return false;
}

static struct http_verdict
take_header(enum header_id id, struct span value, struct http_head *head, struct seen *seen)
{
	switch (id) {
	case HEADER_HOST:
		return check_host(value);
	case HEADER_CONTENT_LENGTH:
		seen->length = true;
		return parse_length(value, head);
	case HEADER_TRANSFER_ENCODING:
		seen->encoding = true;
		seen->chunked = span_is(value, "chunked");
		break;
	case HEADER_EXPECT:
		seen->expect_other = !span_is(value, "100-continue");
		break;
	case HEADER_CONNECTION:
		head->close = head->close || list_has(value, "close");
		break;
	case HEADER_OTHER:
		break;
	}
	return fine;
}

static struct http_verdict
parse_header(struct span line, struct http_head *head, struct seen *seen)
{
	struct span name = { line.at, token_len(line.at, line.len) };

	if (line.at[0] == ' ')
		return verdict(400, "a folded header line");
	if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
		return verdict(400, "a header line without a proper name and colon");

	struct span value = { line.at + name.len + 1, line.len - name.len - 1 };
	while (value.len > 0 && value.at[0] == ' ') {
		value.at++;
		value.len--;
	}
	while (value.len > 0 && value.at[value.len - 1] == ' ')
		value.len--;

	for (size_t i = 0; i < ARRAY_LEN(known_headers); i++) {
		const struct known_header *known = &known_headers[i];
		if (!span_is(name, known->name))
			continue;
		if ((seen->bits & 1u << i) != 0 && !known->may_repeat)
			return verdict(400, "a header that may come once came twice");
		seen->bits |= 1u << i;
		return take_header(known->id, value, head, seen);
	}
	return fine;
}

static struct http_verdict
check_together(const struct http_head *head, const struct seen *seen, bool has_body)
{
	if (head->minor == 1 && (seen->bits & 1u << 0) == 0)
		return verdict(400, "Host is missing");
	if (seen->encoding && (seen->length || head->minor == 0))
		return verdict(400, "Transfer-Encoding is not allowed here");
	if (seen->encoding && !seen->chunked)
		return verdict(501, "this transfer coding is not understood");
	if (seen->encoding)
		return verdict(411, "send the body with a Content-Length");
	if (!has_body && head->content_length > 0)
		return verdict(400, "this method has no body");
	if (has_body && !seen->length)
		return verdict(411, "Content-Length is missing");
	if (seen->expect_other)
		return verdict(417, "only 100-continue can be expected");
	return fine;
}

/* CR and LF only as the pairs the scan has found; no other control character at all. */
static bool
bytes_fine(const char *data, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		all |= c;
		if (c >= 0x20 && c != 0x7f)
			continue;
		if (!(c == '\r' && i + 1 < len && data[i + 1] == '\n')
		    && !(c == '\n' && i > 0 && data[i - 1] == '\r'))
			return false;
	}
	return all < 0x80 || utf8_valid(data, len);
}

struct http_verdict
http_head_parse(const char *data, size_t head_len, struct http_head *ret_head)
{
	struct seen seen = { 0 };
	bool has_body = false, first = true;

	*ret_head = (struct http_head){ 0 };
	if (!bytes_fine(data, head_len))
		return verdict(400, "a control character or invalid UTF-8 in the head");

	for (size_t at = 0; at + 2 < head_len;) {
		const char *lf = memchr(data + at, '\n', head_len - at);
		struct span line = { data + at, (size_t)(lf - data) - 1 - at };
		struct http_verdict v = first ? parse_request_line(line, ret_head, &has_body)
					      : parse_header(line, ret_head, &seen);
		if (v.status != 0)
			return v;
		first = false;
		at += line.len + 2;
	}
	return check_together(ret_head, &seen, has_body);
}
