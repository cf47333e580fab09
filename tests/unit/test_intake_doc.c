/* One set of calls, two well-formed documents. */
#include <event2/buffer.h>
#include <libxml/parser.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "doc.h"
#include "problems.h"

/* The finished document as a string of a static buffer. */
static const char *
finish(struct doc *doc)
{
	static char text[4096];
	struct evbuffer *out = evbuffer_new();

	CHECK(doc_finish(doc, out));
	int len = evbuffer_remove(out, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	evbuffer_free(out);
	doc_destroy(doc);
	return text;
}

static struct doc *
write_sample(enum doc_format format, const char *text)
{
	struct doc *doc = doc_create(format);

	doc_list_begin(doc, "things");
	for (int i = 0; i < 2; i++) {
		doc_entry_begin(doc, "thing");
		doc_text(doc, "text", text);
		doc_text(doc, "none", NULL);
		doc_bool(doc, "yes", true);
		doc_int(doc, "count", -3);
		doc_number(doc, "number", 36.8723456, 6);
		doc_list_begin(doc, "parts");
		doc_item(doc, "part", "a");
		doc_item(doc, "part", "b");
		doc_list_end(doc);
		doc_entry_end(doc);
	}
	doc_list_end(doc);
	return doc;
}

TEST(test_json)
{
	CHECK_STR("sample", finish(write_sample(DOC_JSON, "x")),
	    "[{\"text\":\"x\",\"none\":null,\"yes\":true,\"count\":-3,\"number\":36.872346,"
	    "\"parts\":[\"a\",\"b\"]},"
	    "{\"text\":\"x\",\"none\":null,\"yes\":true,\"count\":-3,\"number\":36.872346,"
	    "\"parts\":[\"a\",\"b\"]}]");
}

TEST(test_xml)
{
	struct doc *doc = doc_create(DOC_XML);

	doc_entry_begin(doc, "thing");
	doc_text(doc, "text", "a<b>&\"c'");
	doc_text(doc, "none", NULL);
	doc_bool(doc, "no", false);
	doc_list_begin(doc, "parts");
	doc_item(doc, "part", "ü");
	doc_list_end(doc);
	doc_entry_end(doc);
	const char *text = finish(doc);
	CHECK(strstr(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>") == text);
	CHECK(strstr(text, "<thing><text>a&lt;b&gt;&amp;") != NULL);
	CHECK(strstr(text, "<none/><no>false</no><parts><part>ü</part></parts></thing>") != NULL);
}

/* Every byte that a citizen may send gives a document that parses, and says the same. */
static const char *const texts[] = { "", "plain", "\x01\x02\x1f|", "\x7f", "\t\n\r", "\"\\/",
	"<![CDATA[ ]]>", "&amp;", "ğüşıöç", "\xef\xbf\xbe|\xef\xbf\xbf", "\xf0\x9f\x8d\x8a",
	"</thing>" };

TEST(test_any_text_gives_a_document_that_parses)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_error_t error;
		json_t *json = json_loads(finish(write_sample(DOC_JSON, texts[i])), 0, &error);
		if (CHECK(json != NULL))
			CHECK_STR(texts[i],
			    json_string_value(json_object_get(json_array_get(json, 1), "text")),
			    texts[i]);
		json_decref(json);
		const char *xml = finish(write_sample(DOC_XML, texts[i]));
		xmlDocPtr parsed = xmlReadMemory(
		    xml, (int)strlen(xml), "doc", NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
		CHECK_TRUE(texts[i], parsed != NULL);
		xmlFreeDoc(parsed);
	}
}

static const struct {
	double value;
	int decimals;
	const char *want;
} numbers[] = {
	{ 36.87234567, 3, "36.872" },
	{ 36.8, 6, "36.8" },
	{ 36, 6, "36" },
	{ -0.5, 3, "-0.5" },
	{ 100, 0, "100" },
	{ 0.0001, 3, "0" },
};

TEST(test_numbers_lose_their_zeros)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char want[64];
		struct doc *doc = doc_create(DOC_JSON);
		doc_entry_begin(doc, "x");
		doc_number(doc, "n", numbers[i].value, numbers[i].decimals);
		doc_entry_end(doc);
		(void)snprintf(want, sizeof(want), "{\"n\":%s}", numbers[i].want);
		CHECK_STR(numbers[i].want, finish(doc), want);
	}
}

TEST(test_formats)
{
	enum doc_format format;

	CHECK(doc_format_parse("json", &format) && format == DOC_JSON);
	CHECK(doc_format_parse("xml", &format) && format == DOC_XML);
	CHECK(!doc_format_parse("csv", &format) && !doc_format_parse("", &format));
}

TEST(test_problems_are_kept_in_order_and_bounded)
{
	struct problems p = { 0 };
	char text[4096];
	struct evbuffer *out = evbuffer_new();

	for (int i = 0; i < 20; i++)
		problems_add(&p, 400 + (unsigned)i, "field %d: %0300d", i, 1);
	CHECK_U64("no more than fit", p.count, PROBLEMS_MAX);
	CHECK_U64("cut", strlen(p.at[0].text), PROBLEM_TEXT_BYTES - 1);
	p.count = 1;
	(void)snprintf(p.at[0].text, sizeof(p.at[0].text), "lat: no");
	CHECK(problems_write(&p, DOC_JSON, out));
	int len = evbuffer_remove(out, text, sizeof(text) - 1);
	text[len] = '\0';
	CHECK_STR("json", text, "[{\"code\":\"400\",\"description\":\"lat: no\"}]");
	evbuffer_free(out);
}
