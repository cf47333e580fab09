/* SMS gateways: whatever they answer or call back with is read within bounds, and what they are
 * told is one JSON document whatever the text. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gateway.h"
#include "incoming_text.h"
#include "sms_door.h"
#include "utf8.h"

static void
holds_reference(const char *text, size_t size)
{
	HOLDS(memchr(text, 0, size) != NULL);
}

static void
fuzz_request(const struct gateway *g, const char *text)
{
	const struct gateway_text message = { "+905321234567", "TURUNC", text, "an-id" };
	struct gateway_request request = { 0 };

	if (g->profile->request(g, &message, &request)) {
		json_t *read = json_loads(request.body, 0, NULL);
		HOLDS(json_is_object(read));
		json_decref(read);
	} else {
		HOLDS(!utf8_valid(text, strlen(text)));
	}
	gateway_request_finish(&request);
}

static void
fuzz_question(const struct gateway *g, long status, const char *body, size_t len)
{
	const struct gateway_question question = { .id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
		.reference = status % 2 == 0 ? "1001" : "",
		.to = "+905321234567",
		.others = (uint32_t)(status % 3) };
	struct gateway_report report = { 0 };
	struct gateway_request request = { 0 };

	if (g->profile->ask == NULL)
		return;
	(void)g->profile->ask(g, &question, &request);
	gateway_request_finish(&request);
	g->profile->told(status, body, len, &question, &report);
	HOLDS(report.status < GATEWAY_STATUSES);
	holds_reference(report.reference, sizeof(report.reference));
}

static void
fuzz_callback(const struct gateway *g, const char *body, size_t len)
{
	static struct gateway_news news[GATEWAY_NEWS_MAX];
	json_t *document;
	size_t ignored;
	int64_t ids[4];
	int read = gateway_read(g->profile, body, len, &document, news, &ignored);

	HOLDS(read <= GATEWAY_NEWS_MAX);
	for (int i = 0; i < read; i++) {
		holds_reference(news[i].report.reference, sizeof(news[i].report.reference));
		holds_reference(news[i].key, sizeof(news[i].key));
		HOLDS(news[i].report.status < GATEWAY_STATUSES);
		if (!news[i].incoming)
			continue;
		HOLDS(utf8_valid(news[i].text, strlen(news[i].text)));
		char plain[GATEWAY_TEXT_MAX + 1];
		incoming_text_plain(news[i].text, plain);
		HOLDS(utf8_valid(plain, strlen(plain)));
		/* Any text's own first word as the keyword: what is left is its end, or all of it.
		 */
		const char *rest = incoming_text_behind(news[i].text, plain);
		HOLDS(rest >= news[i].text && rest <= news[i].text + strlen(news[i].text));
		(void)sms_wish(news[i].text);
		HOLDS(sms_ticket_numbers(news[i].text, ids, 4) <= 4);
	}
	json_decref(document);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "generic", "netgsm", "iletimerkezi", "verimor" };
	static const long statuses[] = { 200, 202, 400, 401, 404, 406, 451, 500, 503 };
	struct input in = { data, size };
	struct gateway g = { .profile = gateway_profile(names[take_byte(&in) % ARRAY_LEN(names)]),
		.url = "https://api.example",
		.user = "u",
		.password = "p",
		.authorization = "" };
	long status = statuses[take_byte(&in) % ARRAY_LEN(statuses)];
	struct gateway_answer answer = { .outcome = OUTCOMES };

	HOLDS(sms_fields_parse("to,from,text,id", &g.fields));
	char *text = take_text(&in);
	const char *body = (const char *)in.at;
	fuzz_request(&g, text);
	g.profile->answered(status, body, in.left, &answer);
	HOLDS(answer.outcome < OUTCOMES);
	HOLDS(answer.outcome != OUTCOME_ACCEPTED || status < 300 || answer.reference[0] != '\0');
	holds_reference(answer.reference, sizeof(answer.reference));
	fuzz_question(&g, status, body, in.left);
	fuzz_callback(&g, body, in.left);
	free(text);
	return 0;
}
