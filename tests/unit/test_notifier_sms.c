/* What the SMS gateway is sent, read back with a JSON parser. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "check.h"

static const struct {
	const char *text;
	bool valid;
} fields[] = {
	{ "to,from,text,id", true },
	{ "gsm_no,header,message-text,x.id", true },
	{ "to,from,text", false },
	{ "to,from,text,id,more", false },
	{ "to,from,text,", false },
	{ ",from,text,id", false },
	{ "to,to,text,id", false },
	{ "to, from,text,id", false },
	{ "to,from,te\"xt,id", false },
	{ "", false },
	{ "to,from,text,a234567890123456789012345678901234567890", false },
	{ "to,from,text,a23456789012345678901234567890123456789", true },
};

TEST(test_sms_fields)
{
	struct sms_fields got;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		CHECK_U64(
		    fields[i].text, channel_sms_fields(fields[i].text, &got), fields[i].valid);
}

TEST(test_sms_payload_is_what_was_said)
{
	static const char *const texts[] = { "26-0012345-4 numaralı başvurunuz alınmıştır.", "",
		"\"quotes\", back\\slash, \n line, \t tab", "{\"to\":\"+90\"}" };
	struct sms_fields names;

	if (!CHECK(channel_sms_fields("no,baslik,metin,anahtar", &names)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t size = 0;
		char *payload = channel_sms_payload(
		    &names, "+905321112233", "MURATPASA", texts[i], "0198-id", &size);
		if (!CHECK(payload != NULL))
			return;
		CHECK_U64(texts[i], size, strlen(payload));
		json_t *object = json_loads(payload, 0, NULL);
		CHECK_U64(texts[i], json_object_size(object), 4);
		CHECK_STR(
		    texts[i], json_string_value(json_object_get(object, "no")), "+905321112233");
		CHECK_STR(
		    texts[i], json_string_value(json_object_get(object, "baslik")), "MURATPASA");
		CHECK_STR(texts[i], json_string_value(json_object_get(object, "metin")), texts[i]);
		CHECK_STR(
		    texts[i], json_string_value(json_object_get(object, "anahtar")), "0198-id");
		json_decref(object);
		free(payload);
	}
	size_t size;
	CHECK(channel_sms_payload(&names, "+90", "M", "\xff", "i", &size) == NULL);
}
