/* Verimor, JSON v2: our own id goes along, so it can be asked about whatever its answer was. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "gsm.h"

/* 905…; abroad with the international prefix. */
static void
number_for(const char *e164, char *out, size_t size)
{
	if (strncmp(e164, "+90", 3) == 0)
		snprintf(out, size, "%s", e164 + 1);
	else
		snprintf(out, size, "00%s", e164 + 1);
}

static const char *
coding_of(const char *text)
{
	size_t units, parts;

	if (gsm_measure(text, strlen(text), GSM_DEFAULT, &units, &parts))
		return "0";
	return gsm_measure(text, strlen(text), GSM_SINGLE, &units, &parts) ? "1" : "2";
}

static bool
request(const struct gateway *g, const struct gateway_text *text, struct gateway_request *ret)
{
	char number[40];

	number_for(text->to, number, sizeof(number));
	json_t *document = json_pack("{s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s,s:s}]}", "username", g->user,
	    "password", g->password, "source_addr", text->from, "custom_id", text->id,
	    "is_commercial", 0, "messages", "msg", text->text, "dest", number, "id", text->id);
	/* The Turkish table is not for abroad; there it chooses by itself. */
	if (document != NULL && strncmp(number, "90", 2) == 0
	    && json_object_set_new(document, "datacoding", json_string(coding_of(text->text)))
		   != 0) {
		json_decref(document);
		return false;
	}
	return gateway_fill(ret, gateway_url(g, "/v2/send.json"), document);
}

static bool
is_number(const char *text)
{
	return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* The first line of what it says, in plain text. */
static void
first_line(const char *body, size_t len, char *out, size_t size)
{
	size_t n = 0;

	while (len > 0 && isspace((unsigned char)*body)) {
		body++;
		len--;
	}
	while (n < len && n + 1 < size && body[n] > ' ' && body[n] <= '~') {
		out[n] = body[n];
		n++;
	}
	out[n] = '\0';
}

static void
answered(long status, const char *body, size_t len, struct gateway_answer *ret)
{
	first_line(body, len, ret->code, sizeof(ret->code));
	if (status == 200) {
		ret->outcome = is_number(ret->code) ? OUTCOME_ACCEPTED : OUTCOME_UNKNOWN;
		if (ret->outcome == OUTCOME_ACCEPTED)
			snprintf(ret->reference, sizeof(ret->reference), "%s", ret->code);
		return;
	}
	ret->outcome = status >= 200 && status <= 299 ? OUTCOME_UNKNOWN
						      : gateway_status_outcome(status);
	if (status == 400
	    && (strcmp(ret->code, "INSUFFICIENT_CREDITS") == 0
		|| strcmp(ret->code, "INVALID_SOURCE_ADDRESS") == 0))
		ret->outcome = OUTCOME_UNREACHABLE; /* ours to mend, whatever the message */
}

/* Everything but letters and digits as %XX. */
static char *
escape(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *at = out;

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text))
			*at++ = *text;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*text);
	}
	*at = '\0';
	return out;
}

static bool
ask(const struct gateway *g, const struct gateway_question *q, struct gateway_request *ret)
{
	char *user = escape(g->user), *password = escape(g->password), *path = NULL;

	if (user == NULL || password == NULL
	    || asprintf(
		   &path, "/v2/status?custom_id=%s&username=%s&password=%s", q->id, user, password)
		   == -1)
		path = NULL;
	ret->url = path != NULL ? gateway_url(g, path) : NULL;
	free(user);
	free(password);
	free(path);
	return ret->url != NULL;
}

static enum gateway_status
status_of(const char *word)
{
	static const struct {
		const char *word;
		enum gateway_status status;
	} words[] = {
		{ "SENDING", GATEWAY_WAITING },
		{ "WAITING", GATEWAY_WAITING },
		{ "SENT", GATEWAY_WAITING }, /* no operator will ever say more */
		{ "DELIVERED", GATEWAY_DELIVERED },
		{ "NOT_DELIVERED", GATEWAY_UNDELIVERED },
		{ "EXPIRED", GATEWAY_UNDELIVERED },
		{ "INVALID_DESTINATION_ADDRESS", GATEWAY_UNDELIVERED },
		{ "REJECTED", GATEWAY_UNDELIVERED },
		{ "DOUBLE_SEND_ERROR", GATEWAY_DUPLICATE },
		{ "BLACKLISTED_DESTINATION_ADDRESS", GATEWAY_UNDELIVERED },
		{ "MISSING_TARIFF", GATEWAY_UNDELIVERED },
		{ "ROUTE_NOT_AVAILABLE", GATEWAY_UNDELIVERED },
		{ "NETWORK_NOTCOVERED", GATEWAY_UNDELIVERED },
		{ "SEND_ERROR", GATEWAY_UNDELIVERED },
		{ "INTERNATIONAL_DENIED", GATEWAY_UNDELIVERED },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].status;
	return GATEWAY_SAYS_NOTHING;
}

static void
read_message(const json_t *message, struct gateway_news *n)
{
	gateway_text_of(json_object_get(message, "campaign_custom_id"), n->id, sizeof(n->id));
	gateway_text_of(json_object_get(message, "campaign_id"), n->report.reference,
	    sizeof(n->report.reference));
	gateway_text_of(json_object_get(message, "status"), n->report.code, sizeof(n->report.code));
	n->report.status = status_of(n->report.code);
}

/* Our own retries are campaigns of the same id: what arrived or waits speaks for all of them. */
static void
told(long status, const char *body, size_t len, const struct gateway_question *q,
    struct gateway_report *ret)
{
	static const int weight[GATEWAY_STATUSES] = { [GATEWAY_DELIVERED] = 4,
		[GATEWAY_WAITING] = 3,
		[GATEWAY_UNDELIVERED] = 2,
		[GATEWAY_DUPLICATE] = 1 };
	json_t *said = status == 200 ? json_loadb(body, len, 0, NULL) : NULL;

	if (status == 404)
		ret->status = GATEWAY_NOT_TAKEN;
	for (size_t i = 0; i < json_array_size(said); i++) {
		struct gateway_news n = { 0 };
		read_message(json_array_get(said, i), &n);
		if (strcmp(n.id, q->id) == 0 && weight[n.report.status] > weight[ret->status])
			*ret = n.report;
	}
	json_decref(said);
}

static bool
read_callback(const json_t *element, struct gateway_news *n)
{
	const char *type = json_string_value(json_object_get(element, "type"));

	if (type != NULL && strcmp(type, "inbound") == 0) {
		n->incoming = true;
		n->text = json_string_value(json_object_get(element, "content"));
		gateway_text_of(
		    json_object_get(element, "source_addr"), n->sender, sizeof(n->sender));
		gateway_key_of(json_object_get(element, "message_id"), n->key);
		return n->sender[0] != '\0';
	}
	read_message(element, n);
	return n->report.status != GATEWAY_SAYS_NOTHING
	       && (n->id[0] != '\0' || n->report.reference[0] != '\0');
}

const struct gateway_profile gateway_verimor = {
	.name = "verimor",
	.per_minute = 140, /* its text says 240 requests, an older one 150 */
	.asks_per_minute = 20,
	.request = request,
	.answered = answered,
	.ask = ask,
	.told = told,
	.read = read_callback,
};
