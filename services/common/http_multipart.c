/* Takes a multipart/form-data body apart: boundaries, heads of parts, texts and files. */
#include "http_multipart.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

enum { PAIRS_STEP = 32, NAME_BYTES_MAX = 1024 };
/* Two dashes, the boundary, and the line end before. */
enum { DELIMITER_BYTES = 4 + HTTP_BOUNDARY_MAX + 1 };

struct body {
	char *at, *end;
	char delimiter[DELIMITER_BYTES]; /* "\r\n--boundary" */
	size_t delimiter_len;
	struct http_pairs pairs;
	size_t room; /* of pairs.at */
	size_t text_bytes;
	struct http_files files;
};

struct part {
	char *name; /* NULL: not said */
	char *file_name;
};

/* --- the boundary -------------------------------------------------------------------------------
 */

static bool
is_boundary(const char *text, size_t len)
{
	static const char fit[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=?";

	return len > 0 && len <= HTTP_BOUNDARY_MAX && strspn(text, fit) >= len;
}

/* The only parameter that a multipart's type may have, quoted or not. */
static bool
read_boundary(const char *content_type, struct body *b)
{
	static const char key[] = "boundary=";
	const char *value = strchr(content_type, ';');

	if (value == NULL)
		return false;
	value += 1 + strspn(value + 1, " \t");
	if (strncasecmp(value, key, sizeof(key) - 1) != 0)
		return false;
	value += sizeof(key) - 1;
	bool quoted = *value == '"';
	value += quoted;
	size_t len = strcspn(value, quoted ? "\"" : " \t;");
	const char *rest = value + len;
	if (quoted && *rest++ != '"')
		return false;
	if (!is_boundary(value, len) || rest[strspn(rest, " \t;")] != '\0')
		return false;
	b->delimiter_len = (size_t)snprintf(
	    b->delimiter, sizeof(b->delimiter), "\r\n--%.*s", (int)len, value);
	return true;
}

/* --- a part's head ------------------------------------------------------------------------------
 */

/* Browsers write three characters of a name as escapes, and no others. */
static void
unescape(char *text)
{
	static const struct {
		const char *escape;
		char as;
	} escapes[] = { { "%22", '"' }, { "%0D", '\r' }, { "%0A", '\n' } };
	char *to = text;

	while (*text != '\0') {
		char c = *text;
		size_t len = 1;
		for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
			if (strncmp(text, escapes[i].escape, 3) == 0) {
				c = escapes[i].as;
				len = 3;
			}
		*to++ = c;
		text += len;
	}
	*to = '\0';
}

/* A quoted text at *at, which moves behind it; NULL: it is none. */
static char *
take_quoted(char **at)
{
	char *text = *at;

	if (*text++ != '"')
		return NULL;
	char *close = strchr(text, '"');
	if (close == NULL || close - text > NAME_BYTES_MAX)
		return NULL;
	*close = '\0';
	*at = close + 1;
	if (!utf8_valid(text, strlen(text)))
		return NULL;
	unescape(text);
	return text;
}

/* "form-data; name="..."; filename="..."" */
static bool
read_disposition(char *value, struct part *part)
{
	static const char kind[] = "form-data";

	if (part->name != NULL || strncasecmp(value, kind, sizeof(kind) - 1) != 0)
		return false;
	value += sizeof(kind) - 1;
	while (*value != '\0') {
		char **place = NULL;
		if (*value++ != ';')
			return false;
		value += strspn(value, " \t");
		if (strncasecmp(value, "name=", 5) == 0)
			place = &part->name;
		else if (strncasecmp(value, "filename=", 9) == 0)
			place = &part->file_name;
		if (place == NULL || *place != NULL)
			return false;
		value = strchr(value, '=') + 1;
		*place = take_quoted(&value);
		if (*place == NULL)
			return false;
		value += strspn(value, " \t");
	}
	return part->name != NULL && part->name[0] != '\0';
}

/* One line, terminated. */
static bool
read_field(char *line, struct part *part)
{
	static const char disposition[] = "Content-Disposition:";
	static const char encoding[] = "Content-Transfer-Encoding:";
	char *colon = strchr(line, ':');

	if (colon == NULL || colon == line)
		return false;
	if (strncasecmp(line, disposition, sizeof(disposition) - 1) == 0) {
		char *value = line + sizeof(disposition) - 1;
		return read_disposition(value + strspn(value, " \t"), part);
	}
	/* Nothing is decoded here, and no browser encodes. */
	return strncasecmp(line, encoding, sizeof(encoding) - 1) != 0;
}

/* From b->at to behind the empty line. */
static bool
read_head(struct body *b, struct part *part)
{
	size_t left = (size_t)(b->end - b->at);
	size_t look = left < HTTP_PART_HEAD_BYTES ? left : HTTP_PART_HEAD_BYTES;
	char *end = memmem(b->at, look, "\r\n\r\n", 4);

	if (end == NULL || memchr(b->at, '\0', (size_t)(end - b->at)) != NULL)
		return false;
	end[2] = '\0';
	for (char *line = b->at; line < end + 2;) {
		char *line_end = strstr(line, "\r\n");
		if (line_end == NULL)
			line_end = end;
		*line_end = '\0';
		if (!read_field(line, part))
			return false;
		line = line_end + 2;
	}
	b->at = end + 4;
	return part->name != NULL;
}

/* --- parts --------------------------------------------------------------------------------------
 */

static enum http_pairs_result
add_pair(struct body *b, const char *name, const char *value)
{
	if (b->pairs.count == HTTP_PAIRS_MAX)
		return HTTP_PAIRS_MANY;
	if (b->pairs.count == b->room) {
		struct http_pair *more = reallocarray(
		    b->pairs.at, b->room + PAIRS_STEP, sizeof(*more));
		if (more == NULL)
			return HTTP_PAIRS_NO_MEMORY;
		b->pairs.at = more;
		b->room += PAIRS_STEP;
	}
	b->pairs.at[b->pairs.count++] = (struct http_pair){ name, value };
	return HTTP_PAIRS_OK;
}

static enum http_pairs_result
add_part(struct body *b, const struct part *part, char *data, size_t len)
{
	b->text_bytes += strlen(part->name) + (part->file_name == NULL ? len : 0);
	if (b->text_bytes > HTTP_MULTIPART_TEXT_BYTES)
		return HTTP_PAIRS_MANY;
	if (part->file_name == NULL) {
		if (!utf8_valid(data, len))
			return HTTP_PAIRS_BAD;
		data[len] = '\0'; /* over the delimiter, which was read */
		return add_pair(b, part->name, data);
	}
	if (part->file_name[0] == '\0' && len == 0)
		return HTTP_PAIRS_OK;
	if (b->files.count == HTTP_FILES_MAX)
		return HTTP_PAIRS_MANY;
	b->files.at[b->files.count++] = (struct http_file){ part->name, part->file_name, data,
		len };
	return HTTP_PAIRS_OK;
}

/* One part, up to and with the delimiter behind it. */
static enum http_pairs_result
take_part(struct body *b, bool *ret_last)
{
	struct part part = { 0 };

	if (!read_head(b, &part))
		return HTTP_PAIRS_BAD;
	char *data = b->at;
	char *end = memmem(data, (size_t)(b->end - data), b->delimiter, b->delimiter_len);
	if (end == NULL)
		return HTTP_PAIRS_BAD;
	b->at = end + b->delimiter_len;
	*ret_last = b->end - b->at >= 2 && memcmp(b->at, "--", 2) == 0;
	if (!*ret_last && (b->end - b->at < 2 || memcmp(b->at, "\r\n", 2) != 0))
		return HTTP_PAIRS_BAD;
	b->at += 2;
	return add_part(b, &part, data, (size_t)(end - data));
}

enum http_pairs_result
http_multipart_parse(char *body, size_t len, const char *content_type, struct http_pairs *ret_pairs,
    struct http_files *ret_files)
{
	struct body b = { .at = body, .end = body + len };
	enum http_pairs_result result = HTTP_PAIRS_OK;
	bool last = false;

	*ret_pairs = (struct http_pairs){ 0 };
	*ret_files = (struct http_files){ 0 };
	/* The first boundary has no line before it. */
	if (!read_boundary(content_type, &b) || len < b.delimiter_len
	    || memcmp(body, b.delimiter + 2, b.delimiter_len - 2) != 0
	    || memcmp(body + b.delimiter_len - 2, "\r\n", 2) != 0)
		return HTTP_PAIRS_BAD;
	b.at += b.delimiter_len;
	while (result == HTTP_PAIRS_OK && !last)
		result = take_part(&b, &last);
	if (result == HTTP_PAIRS_OK && b.at != b.end
	    && (b.end - b.at != 2 || memcmp(b.at, "\r\n", 2) != 0))
		result = HTTP_PAIRS_BAD;
	if (result != HTTP_PAIRS_OK) {
		http_pairs_finish(&b.pairs);
		return result;
	}
	*ret_pairs = b.pairs;
	*ret_files = b.files;
	return HTTP_PAIRS_OK;
}
