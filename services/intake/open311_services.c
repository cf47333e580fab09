/* Open311's discovery, service list and service definitions, out of the catalogue. */
#include <stdio.h>
#include <string.h>

#include "door.h"

enum { URL_BYTES = 600, TAG_BYTES = 96 };

/* The day the endpoints last changed their meaning. */
static const char changeset[] = "2026-01-01T00:00:00+03:00";

static enum catalogue_language
language_of(const struct http_request *req)
{
	return strcmp(http_language(req), "en") == 0 ? CATALOGUE_EN : CATALOGUE_TR;
}

/* Answers 304 and returns true when the client has this very thing already. */
static bool
is_fresh(struct http_request *req, const struct catalogue *cat, char tag[TAG_BYTES])
{
	(void)snprintf(tag, TAG_BYTES, "\"%.32s-%s\"", cat->digest, http_language(req));
	if (!http_etag_matches(req, tag))
		return false;
	const struct http_field fields[] = { { "ETag", tag } };
	const struct http_response response = { .status = 304,
		.cache_control = "no-cache",
		.fields = fields,
		.field_count = ARRAY_LEN(fields) };
	http_reply(req, &response);
	return true;
}

static void
reply_catalogue_doc(struct http_request *req, struct doc *doc, const char *tag)
{
	const struct http_field fields[] = { { "ETag", tag }, { "Vary", "Accept-Language" },
		{ "Access-Control-Allow-Origin", "*" } };

	open311_reply_doc(req, 200, doc, fields, ARRAY_LEN(fields));
}

static void
write_endpoint(struct doc *doc, const struct catalogue *cat)
{
	char url[URL_BYTES];

	(void)snprintf(url, sizeof(url), "%.500s/open311/v2", cat->municipality.base_url);
	doc_entry_begin(doc, "endpoint");
	doc_text(doc, "specification", "http://wiki.open311.org/GeoReport_v2");
	doc_text(doc, "url", url);
	doc_text(doc, "changeset", changeset);
	doc_text(doc, "type", "production");
	doc_list_begin(doc, "formats");
	doc_item(doc, "format", "text/xml");
	doc_item(doc, "format", "application/json");
	doc_list_end(doc);
	doc_entry_end(doc);
}

void
open311_discovery(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	enum doc_format format = open311_format(req);
	char contact[URL_BYTES], tag[TAG_BYTES];

	if (!open311_within_rate(in, req, NULL, false, format))
		return;
	const struct catalogue *cat = open311_catalogue(in, req, format);
	if (cat == NULL || is_fresh(req, cat, tag))
		return;
	struct doc *doc = doc_create(format);
	if (doc != NULL) {
		(void)snprintf(contact, sizeof(contact), "%.200s, %.100s", cat->municipality.name,
		    cat->municipality.phone);
		doc_entry_begin(doc, "discovery");
		doc_text(doc, "changeset", changeset);
		doc_text(doc, "contact", contact);
		doc_text(doc, "key_service", contact);
		doc_list_begin(doc, "endpoints");
		write_endpoint(doc, cat);
		doc_list_end(doc);
		doc_entry_end(doc);
	}
	reply_catalogue_doc(req, doc, tag);
}

static void
write_service(struct doc *doc, const struct catalogue_subject *s, enum catalogue_language language)
{
	doc_entry_begin(doc, "service");
	doc_text(doc, "service_code", s->code);
	doc_text(doc, "service_name", catalogue_say(&s->name, language));
	doc_text(doc, "description", catalogue_say(&s->description, language));
	doc_bool(doc, "metadata", s->question_count > 0);
	doc_text(doc, "type", s->type[0] == '\0' ? "realtime" : s->type);
	doc_text(doc, "keywords", s->keywords);
	doc_text(doc, "group", s->group.in[CATALOGUE_TR]);
	doc_entry_end(doc);
}

void
open311_services(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	enum doc_format format = open311_format(req);
	char tag[TAG_BYTES];

	if (!open311_within_rate(in, req, NULL, false, format))
		return;
	const struct catalogue *cat = open311_catalogue(in, req, format);
	if (cat == NULL || is_fresh(req, cat, tag))
		return;
	struct doc *doc = doc_create(format);
	if (doc != NULL) {
		doc_list_begin(doc, "services");
		for (size_t i = 0; i < cat->subject_count; i++)
			write_service(doc, &cat->subjects[i], language_of(req));
		doc_list_end(doc);
	}
	reply_catalogue_doc(req, doc, tag);
}

static void
write_question(
    struct doc *doc, const struct catalogue_question *q, enum catalogue_language language)
{
	doc_entry_begin(doc, "attribute");
	doc_bool(doc, "variable", true);
	doc_text(doc, "code", q->code);
	doc_text(doc, "datatype", catalogue_datatype_name(q->datatype));
	doc_bool(doc, "required", q->required);
	doc_text(doc, "datatype_description",
	    q->datatype == QUESTION_DATETIME ? "2026-03-02T08:15:00+03:00" : NULL);
	doc_int(doc, "order", q->order);
	doc_text(doc, "description", catalogue_say(&q->description, language));
	if (q->value_count > 0) {
		doc_list_begin(doc, "values");
		for (size_t i = 0; i < q->value_count; i++) {
			doc_entry_begin(doc, "value");
			doc_text(doc, "key", q->values[i].key);
			doc_text(doc, "name", catalogue_say(&q->values[i].name, language));
			doc_entry_end(doc);
		}
		doc_list_end(doc);
	}
	doc_entry_end(doc);
}

void
open311_service(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	enum doc_format format = open311_format(req);
	char tag[TAG_BYTES];

	if (!open311_within_rate(in, req, NULL, false, format))
		return;
	const struct catalogue *cat = open311_catalogue(in, req, format);
	if (cat == NULL)
		return;
	const struct catalogue_subject *s = catalogue_subject(cat, http_path_param(req, "code"));
	if (s == NULL) {
		open311_reply_error(req, format, 404, "service_code: no such service");
		return;
	}
	if (is_fresh(req, cat, tag))
		return;
	struct doc *doc = doc_create(format);
	if (doc != NULL) {
		doc_entry_begin(doc, "service_definition");
		doc_text(doc, "service_code", s->code);
		doc_list_begin(doc, "attributes");
		for (size_t i = 0; i < s->question_count; i++)
			write_question(doc, &s->questions[i], language_of(req));
		doc_list_end(doc);
		doc_entry_end(doc);
	}
	reply_catalogue_doc(req, doc, tag);
}
