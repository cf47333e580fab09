/* İleti Merkezi, JSON v1: key and hash in the request, orders, receipts by callback and asked for.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

static json_t *
in_request(const struct gateway *g, json_t *order)
{
	return json_pack("{s:{s:{s:s,s:s},s:o}}", "request", "authentication", "key", g->user,
	    "hash", g->password, "order", order);
}

static bool
request(const struct gateway *g, const struct gateway_text *text, struct gateway_request *ret)
{
	/* iys 0: about the citizen's own application, not commercial. */
	json_t *order = json_pack("{s:s,s:s,s:{s:s,s:{s:[s]}}}", "sender", text->from, "iys", "0",
	    "message", "text", text->text, "receipents", "number", text->to);

	return order != NULL
	       && gateway_fill(ret, gateway_url(g, "/v1/send-sms/json"), in_request(g, order));
}

/* Codes of its answer to an order. */
static const struct {
	const char *code;
	enum outcome outcome;
} codes[] = {
	{ "400", OUTCOME_REFUSED },
	{ "401", OUTCOME_UNREACHABLE }, /* key, hash, or the API is not allowed */
	{ "402", OUTCOME_UNREACHABLE }, /* no credit */
	{ "404", OUTCOME_UNREACHABLE },
	{ "422", OUTCOME_REFUSED },
	{ "450", OUTCOME_UNREACHABLE }, /* the sender's title */
	{ "451", OUTCOME_DUPLICATE },
	{ "452", OUTCOME_REFUSED }, /* the recipient */
	{ "453", OUTCOME_REFUSED },
	{ "454", OUTCOME_REFUSED },
	{ "457", OUTCOME_REFUSED },
	{ "468", OUTCOME_UNREACHABLE }, /* our IYS settings */
	{ "469", OUTCOME_UNREACHABLE },
	{ "470", OUTCOME_UNREACHABLE },
	{ "503", OUTCOME_DEFERRED },
};

static void
answered(long status, const char *body, size_t len, struct gateway_answer *ret)
{
	json_t *said = json_loadb(body, len, 0, NULL);
	const json_t *response = json_object_get(said, "response");

	gateway_text_of(json_object_get(json_object_get(response, "status"), "code"), ret->code,
	    sizeof(ret->code));
	gateway_text_of(json_object_get(json_object_get(response, "order"), "id"), ret->reference,
	    sizeof(ret->reference));
	json_decref(said);
	if (ret->code[0] == '\0') {
		ret->outcome = gateway_status_outcome(status);
		return;
	}
	ret->outcome = OUTCOME_UNKNOWN;
	if (strcmp(ret->code, "200") == 0 && ret->reference[0] != '\0')
		ret->outcome = OUTCOME_ACCEPTED;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(ret->code, codes[i].code) == 0)
			ret->outcome = codes[i].outcome;
}

/* Only an order whose number we were told. */
static bool
ask(const struct gateway *g, const struct gateway_question *q, struct gateway_request *ret)
{
	json_t *order;

	if (q->reference[0] == '\0')
		return false;
	order = json_pack("{s:s}", "id", q->reference);
	return order != NULL
	       && gateway_fill(ret, gateway_url(g, "/v1/get-report/json"), in_request(g, order));
}

static void
told(long status, const char *body, size_t len, const struct gateway_question *q,
    struct gateway_report *ret)
{
	json_t *said = json_loadb(body, len, 0, NULL);
	const json_t *response = json_object_get(said, "response");
	const json_t *order = json_object_get(response, "order");
	const json_t *message = json_array_get(json_object_get(order, "message"), 0);
	char code[8], id[JOB_REFERENCE_SIZE];

	(void)status;
	gateway_text_of(
	    json_object_get(json_object_get(response, "status"), "code"), code, sizeof(code));
	gateway_text_of(json_object_get(order, "id"), id, sizeof(id));
	if (strcmp(code, "200") == 0 && strcmp(id, q->reference) == 0) {
		strcpy(ret->reference, id);
		gateway_text_of(json_object_get(message, "status"), ret->code, sizeof(ret->code));
		ret->status = strcmp(ret->code, "111") == 0   ? GATEWAY_DELIVERED
			      : strcmp(ret->code, "112") == 0 ? GATEWAY_UNDELIVERED
			      : strcmp(ret->code, "110") == 0 ? GATEWAY_WAITING
							      : GATEWAY_SAYS_NOTHING;
	}
	json_decref(said);
}

static bool
read_callback(const json_t *element, struct gateway_news *n)
{
	struct gateway_report *r = &n->report;

	gateway_text_of(json_object_get(element, "packet_id"), r->reference, sizeof(r->reference));
	gateway_text_of(json_object_get(element, "status"), r->code, sizeof(r->code));
	r->status = strcmp(r->code, "delivered") == 0     ? GATEWAY_DELIVERED
		    : strcmp(r->code, "undelivered") == 0 ? GATEWAY_UNDELIVERED
		    : strcmp(r->code, "accepted") == 0    ? GATEWAY_WAITING
							  : GATEWAY_SAYS_NOTHING;
	return r->reference[0] != '\0' && r->status != GATEWAY_SAYS_NOTHING;
}

const struct gateway_profile gateway_iletimerkezi = {
	.name = "iletimerkezi",
	.per_minute = 3000,
	.asks_per_minute = 60,
	.request = request,
	.answered = answered,
	.ask = ask,
	.told = told,
	.read = read_callback,
	.elements = "report",
};
