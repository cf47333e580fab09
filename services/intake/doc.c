/* Writes Open311 answers: JSON by hand into a buffer, XML by libxml2's writer. */
#include "doc.h"

#include <event2/buffer.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { NUMBER_TEXT = 64, DECIMALS_MAX = 8 };

struct doc {
	enum doc_format format;
	bool failed;
	bool first; /* JSON: nothing stands before in this array or object */
	unsigned depth;
	struct evbuffer *json;
	xmlBufferPtr xml;
	xmlTextWriterPtr writer;
};

bool
doc_format_parse(const char *suffix, enum doc_format *ret_format)
{
	bool json = strcmp(suffix, "json") == 0;

	if (!json && strcmp(suffix, "xml") != 0)
		return false;
	*ret_format = json ? DOC_JSON : DOC_XML;
	return true;
}

const char *
doc_content_type(enum doc_format format)
{
	return format == DOC_JSON ? "application/json; charset=utf-8" : "text/xml; charset=utf-8";
}

struct doc *
doc_create(enum doc_format format)
{
	struct doc *doc = calloc(1, sizeof(*doc));
	if (doc == NULL)
		return NULL;
	doc->format = format;
	doc->first = true;
	if (format == DOC_JSON) {
		doc->json = evbuffer_new();
		doc->failed = doc->json == NULL;
	} else {
		doc->xml = xmlBufferCreate();
		doc->writer = doc->xml == NULL ? NULL : xmlNewTextWriterMemory(doc->xml, 0);
		doc->failed = doc->writer == NULL
			      || xmlTextWriterStartDocument(doc->writer, NULL, "utf-8", NULL) < 0;
	}
	if (doc->failed) {
		doc_destroy(doc);
		return NULL;
	}
	return doc;
}

void
doc_destroy(struct doc *doc)
{
	if (doc == NULL)
		return;
	if (doc->json != NULL)
		evbuffer_free(doc->json);
	if (doc->writer != NULL)
		xmlFreeTextWriter(doc->writer);
	if (doc->xml != NULL)
		xmlBufferFree(doc->xml);
	free(doc);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void
put(struct doc *doc, const char *text, size_t len)
{
	if (evbuffer_add(doc->json, text, len) != 0)
		doc->failed = true;
}

static void
put_string(struct doc *doc, const char *text)
{
	if (!doc_add_json_string(doc->json, text))
		doc->failed = true;
}

bool
doc_add_json_string(struct evbuffer *out, const char *text)
{
	bool ok = evbuffer_add(out, "\"", 1) == 0;
	const char *plain = text;

	for (const char *at = text; ok; at++) {
		unsigned char c = (unsigned char)*at;
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		ok = evbuffer_add(out, plain, (size_t)(at - plain)) == 0;
		if (c == '\0')
			break;
		if (c == '"' || c == '\\')
			ok = ok && evbuffer_add_printf(out, "\\%c", c) > 0;
		else if (c == '\n')
			ok = ok && evbuffer_add(out, "\\n", 2) == 0;
		else
			ok = ok && evbuffer_add_printf(out, "\\u%04x", c) > 0;
		plain = at + 1;
	}
	return ok && evbuffer_add(out, "\"", 1) == 0;
}

/* The comma, and the member's name unless we stand in an array (name NULL). */
static void
put_name(struct doc *doc, const char *name)
{
	if (!doc->first)
		put(doc, ",", 1);
	doc->first = false;
	if (name == NULL)
		return;
	put_string(doc, name);
	put(doc, ":", 1);
}

/* --- XML -------------------------------------------------------------------------------------- */

static void
check(struct doc *doc, int written)
{
	if (written < 0)
		doc->failed = true;
}

static void
start_element(struct doc *doc, const char *name)
{
	check(doc, xmlTextWriterStartElement(doc->writer, BAD_CAST name));
}

/* Is the character that takes len bytes at text one of XML 1.0's? */
static bool
xml_carries(const char *text, size_t len)
{
	unsigned char c = (unsigned char)text[0];

	if (len == 1)
		return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
	return !(len == 3
		 && (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0));
}

static void
write_xml_text(struct doc *doc, const char *text)
{
	size_t left = strlen(text), out = 0;
	char *clean = malloc(left + 1);

	if (clean == NULL) {
		doc->failed = true;
		return;
	}
	while (left > 0) {
		size_t len = utf8_char_len(text, left);
		if (len != 0 && xml_carries(text, len)) {
			memcpy(clean + out, text, len);
			out += len;
		}
		text += len == 0 ? 1 : len;
		left -= len == 0 ? 1 : len;
	}
	clean[out] = '\0';
	check(doc, xmlTextWriterWriteString(doc->writer, BAD_CAST clean));
	free(clean);
}

/* --- both ------------------------------------------------------------------------------------- */

static void
begin(struct doc *doc, const char *name, bool named, const char *bracket)
{
	if (doc->format == DOC_XML) {
		start_element(doc, name);
	} else {
		put_name(doc, named ? name : NULL);
		put(doc, bracket, 1);
		doc->first = true;
	}
	doc->depth++;
}

static void
end(struct doc *doc, const char *bracket)
{
	if (doc->format == DOC_XML)
		check(doc, xmlTextWriterEndElement(doc->writer));
	else
		put(doc, bracket, 1);
	doc->first = false;
	doc->depth--;
}

void
doc_list_begin(struct doc *doc, const char *name)
{
	begin(doc, name, doc->depth > 0, "[");
}

void
doc_list_end(struct doc *doc)
{
	end(doc, "]");
}

void
doc_entry_begin(struct doc *doc, const char *name)
{
	begin(doc, name, false, "{");
}

void
doc_entry_end(struct doc *doc)
{
	end(doc, "}");
}

static void
write_text(struct doc *doc, const char *name, bool named, const char *value)
{
	if (doc->format == DOC_XML) {
		start_element(doc, name);
		if (value != NULL)
			write_xml_text(doc, value);
		check(doc, xmlTextWriterEndElement(doc->writer));
		return;
	}
	put_name(doc, named ? name : NULL);
	if (value == NULL)
		put(doc, "null", 4);
	else
		put_string(doc, value);
}

/* A word that is the same in both and needs no escaping or quotes. */
static void
write_bare(struct doc *doc, const char *name, const char *value)
{
	if (doc->format == DOC_XML) {
		write_text(doc, name, true, value);
		return;
	}
	put_name(doc, name);
	put(doc, value, strlen(value));
}

void
doc_text(struct doc *doc, const char *name, const char *value)
{
	write_text(doc, name, true, value);
}

void
doc_item(struct doc *doc, const char *name, const char *value)
{
	write_text(doc, name, false, value);
}

void
doc_bool(struct doc *doc, const char *name, bool value)
{
	write_bare(doc, name, value ? "true" : "false");
}

void
doc_int(struct doc *doc, const char *name, int64_t value)
{
	char text[NUMBER_TEXT];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	write_bare(doc, name, text);
}

void
doc_number(struct doc *doc, const char *name, double value, int decimals)
{
	char text[NUMBER_TEXT];

	if (decimals > DECIMALS_MAX)
		decimals = DECIMALS_MAX;
	int len = snprintf(text, sizeof(text), "%.*f", decimals, value);
	if (len < 0 || (size_t)len >= sizeof(text)) {
		doc_text(doc, name, NULL);
		return;
	}
	if (strchr(text, '.') != NULL) {
		char *last = text + len - 1;
		while (*last == '0')
			*last-- = '\0';
		if (*last == '.')
			*last = '\0';
	}
	write_bare(doc, name, text);
}

bool
doc_finish(struct doc *doc, struct evbuffer *out)
{
	if (doc->failed)
		return false;
	if (doc->format == DOC_JSON)
		return evbuffer_add_buffer(out, doc->json) == 0;
	if (xmlTextWriterEndDocument(doc->writer) < 0 || xmlTextWriterFlush(doc->writer) < 0)
		return false;
	return evbuffer_add(out, xmlBufferContent(doc->xml), (size_t)xmlBufferLength(doc->xml))
	       == 0;
}
