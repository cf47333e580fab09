/*
 * doc - an Open311 answer written once, as JSON or as XML.
 *
 * The same calls give both: a list is a JSON array, or an element that holds one element an
 * entry; an entry is an object; a field is a member, or an element.  XML needs names where JSON
 * has none, so every call takes one.  Text must be valid UTF-8; what XML 1.0 cannot carry is left
 * out there and escaped in JSON.  Running out of memory is remembered and told by doc_finish().
 */
#ifndef INTAKE_DOC_H
#define INTAKE_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct evbuffer;
struct doc;

enum doc_format { DOC_JSON, DOC_XML };

/* "json" and "xml"; false: neither. */
MUST_CHECK bool doc_format_parse(const char *suffix, enum doc_format *ret_format);
const char *doc_content_type(enum doc_format format);

/* NULL: out of memory.  Destroy takes NULL. */
struct doc *doc_create(enum doc_format format);
void doc_destroy(struct doc *doc);

/* An array; name is its element, and its member when it stands in an entry. */
void doc_list_begin(struct doc *doc, const char *name);
void doc_list_end(struct doc *doc);
/* An object in a list, or the whole document. */
void doc_entry_begin(struct doc *doc, const char *name);
void doc_entry_end(struct doc *doc);

void doc_text(struct doc *doc, const char *name, const char *value); /* NULL: null, or empty */
void doc_item(struct doc *doc, const char *name, const char *value); /* text in a list */
void doc_bool(struct doc *doc, const char *name, bool value);
void doc_int(struct doc *doc, const char *name, int64_t value);
/* With that many decimals at most; the zeros at the end are left out. */
void doc_number(struct doc *doc, const char *name, double value, int decimals);

/* Moves the whole to the end of out; false: memory ran out somewhere, nothing was moved. */
MUST_CHECK bool doc_finish(struct doc *doc, struct evbuffer *out);

/* Adds text to out as a JSON string with its quotes. */
MUST_CHECK bool doc_add_json_string(struct evbuffer *out, const char *text);

#endif
