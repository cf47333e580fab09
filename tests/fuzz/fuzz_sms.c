/* The SMS gateway: what it answers is read, and what it is told is one JSON object whatever the
 * text. */
#include "channel_sms_http.c"

#include "fuzz.h"
#include "utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct job job = { .outcome = OUTCOME_ACCEPTED };
	struct answer answer = { .used = 0 };
	struct sms_fields fields;
	size_t payload_size, step = 1 + take_byte(&in);

	for (size_t at = 0; at < in.left; at += step) {
		size_t len = in.left - at < step ? in.left - at : step;
		HOLDS(keep((char *)(uintptr_t)in.at + at, 1, len, &answer) == len);
	}
	HOLDS(answer.used < sizeof(answer.text));
	read_reference(&answer, &job);
	HOLDS(memchr(job.reference, 0, sizeof(job.reference)) != NULL);
	HOLDS(utf8_valid(job.reference, strlen(job.reference)));

	char *names = take_text(&in), *text = take_text(&in);
	job_say(&job, "http %d: %.120s", 500, text);
	for (const char *c = job.detail; *c != '\0'; c++)
		HOLDS(*c >= ' ' && *c <= '~');
	if (!channel_sms_fields(names, &fields))
		HOLDS(channel_sms_fields("to,from,text,id", &fields));
	char *payload = channel_sms_payload(
	    &fields, "+905321234567", "TURUNC", text, "1", &payload_size);
	if (payload != NULL) {
		json_t *read = json_loadb(payload, payload_size, 0, NULL);
		HOLDS(read != NULL && json_object_size(read) == SMS_FIELDS);
		HOLDS(strcmp(json_string_value(json_object_get(read, fields.name[SMS_TEXT])), text)
		      == 0);
		json_decref(read);
		free(payload);
	} else {
		HOLDS(!utf8_valid(text, strlen(text)));
	}
	free(names);
	free(text);
	return 0;
}
