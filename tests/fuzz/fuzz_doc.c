/* Answers: any valid text comes back out of the JSON and the XML as it went in. */
#include <event2/buffer.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "doc.h"
#include "fuzz.h"
#include "utf8.h"

static char *
write_doc(enum doc_format format, const char *text, size_t *ret_len)
{
	struct evbuffer *out = evbuffer_new();
	struct doc *doc = doc_create(format);

	doc_list_begin(doc, "service_requests");
	doc_entry_begin(doc, "request");
	doc_text(doc, "description", text);
	doc_list_begin(doc, "values");
	doc_item(doc, "value", text);
	doc_list_end(doc);
	doc_entry_end(doc);
	doc_list_end(doc);
	HOLDS(doc_finish(doc, out));
	doc_destroy(doc);
	*ret_len = evbuffer_get_length(out);
	char *made = copy_text(evbuffer_pullup(out, -1), *ret_len);
	evbuffer_free(out);
	return made;
}

static void
check_json(const char *text)
{
	size_t len;
	char *made = write_doc(DOC_JSON, text, &len);
	json_t *read = json_loadb(made, len, 0, NULL);

	HOLDS(read != NULL && json_array_size(read) == 1);
	const json_t *entry = json_array_get(read, 0);
	HOLDS(strcmp(json_string_value(json_object_get(entry, "description")), text) == 0);
	HOLDS(strcmp(json_string_value(json_array_get(json_object_get(entry, "values"), 0)), text)
	      == 0);
	json_decref(read);
	free(made);
}

/* XML cannot say most control characters at all, and its readers turn CR into LF. */
static bool
sayable(const char *text)
{
	return !utf8_has_control(text, true) && strchr(text, '\r') == NULL
	       && strstr(text, "\xef\xbf\xbe") == NULL && strstr(text, "\xef\xbf\xbf") == NULL;
}

static void
check_xml(const char *text)
{
	size_t len;
	char *made = write_doc(DOC_XML, text, &len);
	xmlDocPtr read = xmlReadMemory(made, (int)len, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);

	HOLDS(read != NULL);
	xmlNodePtr request = xmlFirstElementChild(xmlDocGetRootElement(read));
	HOLDS(request != NULL && xmlChildElementCount(xmlDocGetRootElement(read)) == 1);
	HOLDS(xmlChildElementCount(request) == 2);
	xmlChar *said = xmlNodeGetContent(xmlFirstElementChild(request));
	HOLDS(!sayable(text) || strcmp((const char *)said, text) == 0);
	xmlFree(said);
	xmlFreeDoc(read);
	free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = copy_text(data, size);

	if (utf8_valid(text, size)) {
		check_json(text);
		check_xml(text);
	}
	free(text);
	return 0;
}
