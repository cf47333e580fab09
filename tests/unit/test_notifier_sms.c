/* What each SMS provider is sent, read back with a JSON parser, and what its words mean. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "check.h"
#include "gateway.h"
#include "message_state.h"
#include "number.h"
#include "receipts.h"
#include "sms_door.h"

#define ID "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"

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
		CHECK_U64(fields[i].text, sms_fields_parse(fields[i].text, &got), fields[i].valid);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static struct gateway
gateway_of(const char *name)
{
	struct gateway g = { .profile = gateway_profile(name),
		.url = "https://api.example/",
		.user = "903120000000",
		.password = "p&s s",
		.authorization = "" };

	(void)!sms_fields_parse("no,baslik,metin,anahtar", &g.fields);
	return g;
}

/* The body, or NULL; *ret_request is the caller's to finish. */
static json_t *
sent(const struct gateway *g, const char *to, const char *text, struct gateway_request *ret_request)
{
	const struct gateway_text message = { to, "MURATPASA", text, ID };

	memset(ret_request, 0, sizeof(*ret_request));
	if (!g->profile->request(g, &message, ret_request))
		return NULL;
	return json_loads(ret_request->body, 0, NULL);
}

static const char *
at(const json_t *value, const char *path)
{
	static char text[400];
	char step[40];

	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		memcpy(step, path, len);
		step[len] = '\0';
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step))
					     : json_object_get(value, step);
		path += len + (path[len] == '/');
	}
	gateway_text_of(value, text, sizeof(text));
	return text;
}

TEST(test_generic_request_is_what_was_said)
{
	static const char *const texts[] = { "26-0012345-4 numaralı başvurunuz alınmıştır.", "",
		"\"quotes\", back\\slash, \n line, \t tab", "{\"to\":\"+90\"}" };
	struct gateway g = gateway_of("generic");
	struct gateway_request request;

	g.authorization = "Bearer x";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *object = sent(&g, "+905321112233", texts[i], &request);
		CHECK_STR(texts[i], request.url, "https://api.example/");
		CHECK_STR(texts[i], request.authorization, "Bearer x");
		CHECK_U64(texts[i], json_object_size(object), 4);
		CHECK_STR(texts[i], at(object, "no"), "+905321112233");
		CHECK_STR(texts[i], at(object, "baslik"), "MURATPASA");
		CHECK_STR(texts[i], at(object, "metin"), texts[i]);
		CHECK_STR(texts[i], at(object, "anahtar"), ID);
		json_decref(object);
		gateway_request_finish(&request);
	}
	CHECK(sent(&g, "+90", "\xff", &request) == NULL);
	gateway_request_finish(&request);
}

TEST(test_netgsm_request)
{
	struct gateway g = gateway_of("netgsm");
	struct gateway_request request;
	json_t *object = sent(&g, "+905321112233", "Başvurunuz alındı", &request);

	CHECK_STR("url", request.url, "https://api.example/sms/rest/v2/send");
	CHECK_STR("basic", request.authorization, "Basic OTAzMTIwMDAwMDAwOnAmcyBz");
	CHECK_STR("title", at(object, "msgheader"), "MURATPASA");
	CHECK_STR("not commercial", at(object, "iysfilter"), "0");
	CHECK_STR("Turkish letters", at(object, "encoding"), "TR");
	CHECK_STR("text", at(object, "messages/0/msg"), "Başvurunuz alındı");
	CHECK_STR("ten digits", at(object, "messages/0/no"), "5321112233");
	json_decref(object);
	gateway_request_finish(&request);
	object = sent(&g, "+4917012345678", "Ubersicht", &request);
	CHECK_STR("default alphabet", at(object, "encoding"), "");
	CHECK_STR("abroad", at(object, "messages/0/no"), "004917012345678");
	json_decref(object);
	gateway_request_finish(&request);
}

TEST(test_iletimerkezi_request)
{
	struct gateway g = gateway_of("iletimerkezi");
	struct gateway_request request;
	json_t *object = sent(&g, "+905321112233", "Alındı", &request);

	CHECK_STR("url", request.url, "https://api.example/v1/send-sms/json");
	CHECK_STR("key", at(object, "request/authentication/key"), "903120000000");
	CHECK_STR("hash", at(object, "request/authentication/hash"), "p&s s");
	CHECK_STR("not commercial", at(object, "request/order/iys"), "0");
	CHECK_STR("title", at(object, "request/order/sender"), "MURATPASA");
	CHECK_STR("text", at(object, "request/order/message/text"), "Alındı");
	CHECK_STR("to", at(object, "request/order/message/receipents/number/0"), "+905321112233");
	json_decref(object);
	gateway_request_finish(&request);
}

TEST(test_verimor_request)
{
	struct gateway g = gateway_of("verimor");
	struct gateway_request request;
	json_t *object = sent(&g, "+905321112233", "Alındı", &request);

	CHECK_STR("url", request.url, "https://api.example/v2/send.json");
	CHECK_STR("user", at(object, "username"), "903120000000");
	CHECK_STR("our id", at(object, "custom_id"), ID);
	CHECK_STR("Turkish", at(object, "datacoding"), "1");
	CHECK_STR("to", at(object, "messages/0/dest"), "905321112233");
	CHECK(json_is_false(json_object_get(object, "is_commercial")));
	json_decref(object);
	gateway_request_finish(&request);
	object = sent(&g, "+905321112233", "щ", &request);
	CHECK_STR("UCS-2", at(object, "datacoding"), "2");
	json_decref(object);
	gateway_request_finish(&request);
	object = sent(&g, "+4917012345678", "ş", &request);
	CHECK_STR("abroad it chooses itself", at(object, "datacoding"), "");
	json_decref(object);
	gateway_request_finish(&request);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static const struct {
	const char *gateway;
	long status;
	const char *body;
	enum outcome want;
	const char *reference;
} answers[] = {
	{ "generic", 200, "{\"id\":\"gw-1\"}", OUTCOME_ACCEPTED, "gw-1" },
	{ "generic", 202, "rubbish", OUTCOME_ACCEPTED, "" },
	{ "generic", 302, "", OUTCOME_UNREACHABLE, "" },
	{ "generic", 400, "", OUTCOME_REFUSED, "" },
	{ "generic", 401, "", OUTCOME_UNREACHABLE, "" },
	{ "generic", 404, "", OUTCOME_UNREACHABLE, "" },
	{ "generic", 408, "", OUTCOME_DEFERRED, "" },
	{ "generic", 409, "", OUTCOME_DUPLICATE, "" },
	{ "generic", 422, "", OUTCOME_REFUSED, "" },
	{ "generic", 429, "", OUTCOME_DEFERRED, "" },
	{ "generic", 503, "", OUTCOME_DEFERRED, "" },
	{ "generic", 500, "", OUTCOME_UNKNOWN, "" },
	{ "generic", 502, "", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 200, "{\"code\":\"00\",\"jobid\":\"17377215342605050417149344\"}",
	    OUTCOME_ACCEPTED, "17377215342605050417149344" },
	{ "netgsm", 200, "{\"code\":\"00\"}", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 200, "<html>", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 200, "[[[[", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 406, "{\"code\":\"20\",\"description\":\"x\"}", OUTCOME_REFUSED, "" },
	{ "netgsm", 406, "{\"code\":\"30\"}", OUTCOME_UNREACHABLE, "" },
	{ "netgsm", 406, "{\"code\":40}", OUTCOME_UNREACHABLE, "" },
	{ "netgsm", 406, "{\"code\":\"70\"}", OUTCOME_REFUSED, "" },
	{ "netgsm", 406, "{\"code\":\"80\"}", OUTCOME_DEFERRED, "" },
	{ "netgsm", 406, "{\"code\":\"85\"}", OUTCOME_DEFERRED, "" },
	{ "netgsm", 406, "{\"code\":\"13\"}", OUTCOME_DUPLICATE, "" },
	{ "netgsm", 406, "{\"code\":\"100\"}", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 406, "{\"code\":\"4711\"}", OUTCOME_UNKNOWN, "" },
	{ "netgsm", 401, "no", OUTCOME_UNREACHABLE, "" },
	{ "iletimerkezi", 200,
	    "{\"response\":{\"status\":{\"code\":\"200\"},\"order\":{\"id\":\"312891245\"}}}",
	    OUTCOME_ACCEPTED, "312891245" },
	{ "iletimerkezi", 200,
	    "{\"response\":{\"status\":{\"code\":200},\"order\":{\"id\":312891245}}}",
	    OUTCOME_ACCEPTED, "312891245" },
	{ "iletimerkezi", 200, "{\"response\":{\"status\":{\"code\":200}}}", OUTCOME_UNKNOWN, "" },
	{ "iletimerkezi", 200, "{\"response\":[]}", OUTCOME_UNKNOWN, "" },
	{ "iletimerkezi", 401, "{\"response\":{\"status\":{\"code\":401}}}", OUTCOME_UNREACHABLE,
	    "" },
	{ "iletimerkezi", 402, "{\"response\":{\"status\":{\"code\":402}}}", OUTCOME_UNREACHABLE,
	    "" },
	{ "iletimerkezi", 450, "{\"response\":{\"status\":{\"code\":\"450\"}}}",
	    OUTCOME_UNREACHABLE, "" },
	{ "iletimerkezi", 451, "{\"response\":{\"status\":{\"code\":\"451\"}}}", OUTCOME_DUPLICATE,
	    "" },
	{ "iletimerkezi", 452, "{\"response\":{\"status\":{\"code\":\"452\"}}}", OUTCOME_REFUSED,
	    "" },
	{ "iletimerkezi", 503, "", OUTCOME_DEFERRED, "" },
	{ "verimor", 200, "20212\n", OUTCOME_ACCEPTED, "20212" },
	{ "verimor", 200, "", OUTCOME_UNKNOWN, "" },
	{ "verimor", 200, "<html>20212", OUTCOME_UNKNOWN, "" },
	{ "verimor", 400, "INSUFFICIENT_CREDITS", OUTCOME_UNREACHABLE, "" },
	{ "verimor", 400, "INVALID_SOURCE_ADDRESS", OUTCOME_UNREACHABLE, "" },
	{ "verimor", 400, "INVALID_DESTINATION_ADDRESS", OUTCOME_REFUSED, "" },
	{ "verimor", 400, "FORBIDDEN_MESSAGE", OUTCOME_REFUSED, "" },
	{ "verimor", 401, "", OUTCOME_UNREACHABLE, "" },
	{ "verimor", 429, "", OUTCOME_DEFERRED, "" },
	{ "verimor", 500, "", OUTCOME_UNKNOWN, "" },
};

TEST(test_answers)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct gateway_answer got = { .outcome = OUTCOMES };
		gateway_profile(answers[i].gateway)
		    ->answered(answers[i].status, answers[i].body, strlen(answers[i].body), &got);
		CHECK_STR(
		    answers[i].body, outcome_name(got.outcome), outcome_name(answers[i].want));
		CHECK_STR(answers[i].body, got.outcome == OUTCOME_ACCEPTED ? got.reference : "",
		    answers[i].reference);
	}
}

/* --- questions ----------------------------------------------------------------------------------
 */

static const struct {
	const char *gateway, *reference;
	uint32_t others;
	long status;
	const char *body;
	enum gateway_status want;
} reports[] = {
	{ "netgsm", "j1", 0, 200, "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j1\",\"status\":1}]}",
	    GATEWAY_DELIVERED },
	{ "netgsm", "j1", 0, 200, "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j1\",\"status\":0}]}",
	    GATEWAY_WAITING },
	{ "netgsm", "j1", 0, 200, "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j1\",\"status\":3}]}",
	    GATEWAY_UNDELIVERED },
	{ "netgsm", "j1", 0, 200, "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j1\",\"status\":13}]}",
	    GATEWAY_DUPLICATE },
	{ "netgsm", "j1", 0, 200, "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"other\",\"status\":1}]}",
	    GATEWAY_SAYS_NOTHING },
	{ "netgsm", "j1", 0, 200, "{\"code\":\"60\"}", GATEWAY_SAYS_NOTHING },
	{ "netgsm", "", 0, 200, "{\"code\":\"60\"}", GATEWAY_NOT_TAKEN },
	{ "netgsm", "", 0, 200, "{\"code\":\"00\",\"jobs\":[]}", GATEWAY_NOT_TAKEN },
	{ "netgsm", "", 0, 200,
	    "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j\",\"telno\":\"5321112233\",\"status\":1}]}",
	    GATEWAY_DELIVERED },
	{ "netgsm", "", 0, 200,
	    "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j\",\"telno\":\"5321112234\",\"status\":1}]}",
	    GATEWAY_NOT_TAKEN },
	{ "netgsm", "", 1, 200,
	    "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j\",\"telno\":\"5321112233\",\"status\":1}]}",
	    GATEWAY_SAYS_NOTHING },
	{ "netgsm", "", 0, 200, "{\"code\":\"100\"}", GATEWAY_SAYS_NOTHING },
	{ "netgsm", "", 0, 500, "oops", GATEWAY_SAYS_NOTHING },
	{ "iletimerkezi", "7", 0, 200,
	    "{\"response\":{\"status\":{\"code\":200},\"order\":{\"id\":\"7\",\"status\":114,"
	    "\"message\":[{\"number\":\"+905321112233\",\"status\":111}]}}}",
	    GATEWAY_DELIVERED },
	{ "iletimerkezi", "7", 0, 200,
	    "{\"response\":{\"status\":{\"code\":200},\"order\":{\"id\":\"7\","
	    "\"message\":[{\"status\":\"112\"}]}}}",
	    GATEWAY_UNDELIVERED },
	{ "iletimerkezi", "7", 0, 200, "{\"response\":{\"status\":{\"code\":455}}}",
	    GATEWAY_SAYS_NOTHING },
	{ "verimor", "", 0, 404, "yok", GATEWAY_NOT_TAKEN },
	{ "verimor", "", 0, 200, "[]", GATEWAY_SAYS_NOTHING },
	{ "verimor", "", 0, 200,
	    "[{\"campaign_custom_id\":\"" ID
	    "\",\"campaign_id\":5,\"status\":\"DOUBLE_SEND_ERROR\"},"
	    "{\"campaign_custom_id\":\"" ID "\",\"campaign_id\":4,\"status\":\"DELIVERED\"}]",
	    GATEWAY_DELIVERED },
	{ "verimor", "", 0, 200,
	    "[{\"campaign_custom_id\":\"someone "
	    "else's\",\"campaign_id\":5,\"status\":\"DELIVERED\"}]",
	    GATEWAY_SAYS_NOTHING },
	{ "verimor", "", 0, 200, "\xff\xfe", GATEWAY_SAYS_NOTHING },
};

TEST(test_reports)
{
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		const struct gateway_question question = { .id = ID,
			.reference = reports[i].reference,
			.to = "+905321112233",
			.begun_us = 1767000000000000,
			.others = reports[i].others };
		struct gateway_report got = { 0 };
		gateway_profile(reports[i].gateway)
		    ->told(reports[i].status, reports[i].body, strlen(reports[i].body), &question,
			&got);
		CHECK_STR(reports[i].body, gateway_status_name(got.status),
		    gateway_status_name(reports[i].want));
	}
}

TEST(test_questions)
{
	struct gateway g = gateway_of("verimor");
	struct gateway_question question = {
		.id = ID, .reference = "", .to = "+905321112233", .begun_us = 1767000000000000
	}; /* 2025-12-29 12:20 at Istanbul */
	struct gateway_request request = { 0 };

	CHECK(g.profile->ask(&g, &question, &request));
	CHECK_STR("verimor", request.url,
	    "https://api.example/v2/status?custom_id=" ID
	    "&username=903120000000&password=p%26s%20s");
	CHECK_STR("a GET", request.body, NULL);
	gateway_request_finish(&request);
	g = gateway_of("netgsm");
	CHECK(g.profile->ask(&g, &question, &request));
	CHECK_STR("by time", request.body,
	    "{\"startdate\":\"291220251218\",\"stopdate\":\"291220251230\",\"appname\":"
	    "\"turunc\"}");
	gateway_request_finish(&request);
	question.reference = "17";
	CHECK(g.profile->ask(&g, &question, &request));
	CHECK_STR("by job", request.body, "{\"jobids\":[\"17\"],\"appname\":\"turunc\"}");
	gateway_request_finish(&request);
	g = gateway_of("iletimerkezi");
	question.reference = "";
	CHECK(!g.profile->ask(&g, &question, &request));
	CHECK(gateway_profile("generic")->ask == NULL);
	CHECK(gateway_profile("nosuch") == NULL);
}

/* --- callbacks ----------------------------------------------------------------------------------
 */

static const struct {
	const char *gateway, *body;
	int read;
	size_t ignored;
	const char *first; /* id, reference and status, or sender, "keyed" and text */
} callbacks[] = {
	{ "generic", "{\"id\":\"" ID "\",\"status\":\"delivered\"}", 1, 0, ID "//delivered" },
	{ "generic", "[{\"reference\":\"r\",\"status\":\"failed\"},{\"id\":1}]", 1, 1,
	    "/r/undelivered" },
	{ "generic", "{\"from\":\"+905321112233\",\"text\":\"RET\",\"id\":7}", 1, 0,
	    "+905321112233/keyed/RET" },
	{ "generic", "{\"text\":\"nobody\"}", 0, 1, NULL },
	{ "generic", "{\"from\":\"BANKA\",\"text\":\"x\",\"id\":\"\"}", 1, 0, "BANKA//x" },
	/* Cut between characters. */
	{ "generic", "{\"from\":\"1234567890123456789\xc5\x9f\",\"text\":\"x\"}", 1, 0,
	    "1234567890123456789//x" },
	{ "netgsm", "{\"code\":\"00\",\"jobs\":[{\"jobid\":\"j\",\"status\":1}]}", 1, 0,
	    "/j/delivered" },
	{ "netgsm", "{\"jobid\":\"j\",\"status\":\"2\"}", 1, 0, "/j/undelivered" },
	{ "netgsm", "{\"no\":\"5321112233\",\"msg\":\"merhaba\",\"id\":\"77\"}", 1, 0,
	    "5321112233/keyed/merhaba" },
	{ "iletimerkezi",
	    "{\"report\":{\"id\":1,\"packet_id\":104525848,\"status\":\"delivered\","
	    "\"to\":\"+90\",\"body\":\"x\"}}",
	    1, 0, "/104525848/delivered" },
	{ "verimor",
	    "[{\"type\":\"outbound\",\"campaign_id\":20121,\"campaign_custom_id\":\"" ID
	    "\",\"status\":\"EXPIRED\"},{\"type\":\"inbound\",\"message_id\":1234,"
	    "\"source_addr\":\"905319876543\",\"content\":\"4\"}]",
	    2, 0, ID "/20121/undelivered" },
	{ "verimor", "[{\"type\":\"inbound\",\"message_id\":1,\"source_addr\":\"90\"}]", 0, 1,
	    NULL },
	{ "verimor", "7", -1, 0, NULL },
	{ "verimor", "[]", 0, 0, NULL },
	{ "verimor", "", -1, 0, NULL },
	{ "verimor", "[", -1, 0, NULL },
	{ "verimor", "\"\\u0000\"", -1, 0, NULL },
};

TEST(test_callbacks)
{
	static struct gateway_news news[GATEWAY_NEWS_MAX];
	char got[200];

	for (size_t i = 0; i < ARRAY_LEN(callbacks); i++) {
		json_t *document;
		size_t ignored;
		int read = gateway_read(gateway_profile(callbacks[i].gateway), callbacks[i].body,
		    strlen(callbacks[i].body), &document, news, &ignored);
		CHECK_I64(callbacks[i].body, read, callbacks[i].read);
		CHECK_U64(callbacks[i].body, ignored, callbacks[i].ignored);
		if (callbacks[i].first != NULL && read > 0) {
			const struct gateway_news *n = &news[0];
			snprintf(got, sizeof(got), "%s/%s/%s", n->incoming ? n->sender : n->id,
			    n->incoming ? (n->key[0] != '\0' ? "keyed" : "") : n->report.reference,
			    n->incoming ? n->text : gateway_status_name(n->report.status));
			CHECK_STR(callbacks[i].body, got, callbacks[i].first);
		}
		json_decref(document);
	}
}

/* Whatever an id is made of, and however long: two are two. */
TEST(test_keys_of_texts_are_told_apart)
{
	static const char *const ids[] = { "7", "8", "a b", "a_b", "a\xc5\x9f", "a\xc4\xb1",
		"0123456789012345678901234567890123456789012345678901234567890123456789-1",
		"0123456789012345678901234567890123456789012345678901234567890123456789-2" };
	char keys[ARRAY_LEN(ids)][GATEWAY_KEY_SIZE], number[GATEWAY_KEY_SIZE];
	json_t *seven = json_integer(7);

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		json_t *id = json_string(ids[i]);
		gateway_key_of(id, keys[i]);
		json_decref(id);
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(keys[i], keys[j]) != 0);
	}
	gateway_key_of(seven, number);
	CHECK_STR("a number is its digits", number, keys[0]);
	gateway_key_of(NULL, number);
	CHECK_STR("none", number, "");
	json_decref(seven);
}

TEST(test_a_callback_is_bounded)
{
	static struct gateway_news news[GATEWAY_NEWS_MAX];
	json_t *array = json_array(), *document;
	size_t ignored;

	for (int i = 0; i <= GATEWAY_NEWS_MAX; i++)
		json_array_append_new(array, json_object());
	char *body = json_dumps(array, 0);
	CHECK_I64("one too many",
	    gateway_read(&gateway_verimor, body, strlen(body), &document, news, &ignored), -1);
	json_decref(document);
	json_decref(array);
	free(body);
}

/* --- what becomes of messages -------------------------------------------------------------------
 */

TEST(test_states_after_a_report)
{
	static const struct {
		enum message_state now;
		enum gateway_status status;
		int want;
	} cases[] = {
		{ MESSAGE_SENT, GATEWAY_DELIVERED, MESSAGE_DELIVERED },
		{ MESSAGE_SENT, GATEWAY_UNDELIVERED, MESSAGE_DEAD },
		{ MESSAGE_SENT, GATEWAY_WAITING, 0 },
		{ MESSAGE_SENT, GATEWAY_NOT_TAKEN, 0 },
		{ MESSAGE_SENT, GATEWAY_DUPLICATE, 0 },
		{ MESSAGE_UNKNOWN, GATEWAY_DELIVERED, MESSAGE_DELIVERED },
		{ MESSAGE_UNKNOWN, GATEWAY_UNDELIVERED, MESSAGE_DEAD },
		{ MESSAGE_UNKNOWN, GATEWAY_WAITING, MESSAGE_SENT },
		{ MESSAGE_UNKNOWN, GATEWAY_DUPLICATE, MESSAGE_SENT },
		{ MESSAGE_UNKNOWN, GATEWAY_NOT_TAKEN, MESSAGE_QUEUED },
		{ MESSAGE_UNKNOWN, GATEWAY_SAYS_NOTHING, 0 },
		{ MESSAGE_QUEUED, GATEWAY_DELIVERED, 0 },
		{ MESSAGE_DISCARDED, GATEWAY_DELIVERED, 0 },
		{ MESSAGE_DELIVERED, GATEWAY_UNDELIVERED, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int got = (int)receipt_state(cases[i].now, cases[i].status);
		CHECK_I64(gateway_status_name(cases[i].status), got, cases[i].want);
		if (got != 0)
			CHECK_TRUE(gateway_status_name(cases[i].status),
			    message_may_follow(cases[i].now, (enum message_state)got));
	}
}

TEST(test_questions_grow_rare_and_end)
{
	const struct receipts_world world = { .again_us = 60 * 1000000 };
	struct known k = { .state = MESSAGE_SENT };
	int64_t before_us = 0, wait_us;

	for (k.asks = 0; (wait_us = receipt_ask_us(&world, &k, 0)) != 0; k.asks++) {
		CHECK(wait_us >= before_us && wait_us <= INT64_C(6) * 3600 * 1000000);
		before_us = wait_us;
	}
	CHECK_U64("after so many", k.asks, 11);
	k.asks = 0;
	CHECK_I64("first", receipt_ask_us(&world, &k, 0), 60 * 1000000);
}

/* --- what citizens write ------------------------------------------------------------------------
 */

TEST(test_wishes)
{
	static const struct {
		const char *text;
		enum wish want;
	} cases[] = {
		{ "RET", WISH_STOP },
		{ "ret", WISH_STOP },
		{ " İptal. ", WISH_STOP },
		{ "iptal", WISH_STOP },
		{ "IPTAL", WISH_STOP },
		{ "Dur!", WISH_STOP },
		{ "BAŞLA", WISH_START },
		{ "başlat", WISH_START },
		{ "Durum nedir", WISH_NONE },
		{ "ret ediyorum", WISH_NONE },
		{ "", WISH_NONE },
		{ "retretretretretretret", WISH_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_U64(cases[i].text, sms_wish(cases[i].text), cases[i].want);
}

TEST(test_ticket_numbers_in_a_text)
{
	char text[80], number[NUMBER_SIZE];
	int64_t ids[2];

	if (!CHECK(number_format(260012345, number)))
		return;
	snprintf(text, sizeof(text), "%s icin, %s!", number, number);
	CHECK_U64("two", sms_ticket_numbers(text, ids, 2), 2);
	CHECK_I64("the first", ids[0], 260012345);
	CHECK_U64("no more than asked for", sms_ticket_numbers(text, ids, 1), 1);
	number[strlen(number) - 1] = number[strlen(number) - 1] == '0' ? '1' : '0';
	CHECK_U64("a wrong check digit is none", sms_ticket_numbers(number, ids, 2), 0);
	CHECK_U64("a phone is none", sms_ticket_numbers("0532 111 22 33", ids, 2), 0);
	CHECK_U64("nothing", sms_ticket_numbers("", ids, 2), 0);
}
