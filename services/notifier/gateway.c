/* What the profiles share, and the generic one: one JSON object to a URL of the operator's choice.
 */
#include "gateway.h"

#include <assert.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static const char *const status_names[] = {
	[GATEWAY_SAYS_NOTHING] = "nothing",
	[GATEWAY_NOT_TAKEN] = "not_taken",
	[GATEWAY_WAITING] = "waiting",
	[GATEWAY_DELIVERED] = "delivered",
	[GATEWAY_UNDELIVERED] = "undelivered",
	[GATEWAY_DUPLICATE] = "duplicate",
};
_Static_assert(ARRAY_LEN(status_names) == GATEWAY_STATUSES, "name every status");

const char *
gateway_status_name(enum gateway_status status)
{
	return status_names[status];
}

const struct gateway_profile *
gateway_profile(const char *name)
{
	static const struct gateway_profile *const profiles[] = { &gateway_generic, &gateway_netgsm,
		&gateway_iletimerkezi, &gateway_verimor };

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (strcmp(profiles[i]->name, name) == 0)
			return profiles[i];
	return NULL;
}

bool
sms_fields_parse(const char *text, struct sms_fields *ret_fields)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	struct sms_fields fields = { 0 };

	for (int i = 0; i < SMS_FIELDS; i++) {
		size_t len = strspn(text, allowed);
		if (len == 0 || len >= SMS_FIELD_SIZE
		    || text[len] != (i < SMS_FIELDS - 1 ? ',' : '\0'))
			return false;
		memcpy(fields.name[i], text, len);
		for (int j = 0; j < i; j++)
			if (strcmp(fields.name[i], fields.name[j]) == 0)
				return false;
		text += len + 1;
	}
	*ret_fields = fields;
	return true;
}

void
gateway_request_finish(struct gateway_request *r)
{
	free(r->url);
	free(r->body);
	free(r->authorization);
	memset(r, 0, sizeof(*r));
}

char *
gateway_url(const struct gateway *gateway, const char *path)
{
	size_t len = strlen(gateway->url);
	char *url;

	while (len > 0 && gateway->url[len - 1] == '/' && path[0] == '/')
		len--;
	return asprintf(&url, "%.*s%s", (int)len, gateway->url, path) == -1 ? NULL : url;
}

bool
gateway_fill(struct gateway_request *ret_request, char *url, json_t *document)
{
	char *body = document != NULL && url != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

	json_decref(document);
	if (body == NULL) {
		free(url);
		return false;
	}
	ret_request->url = url;
	ret_request->body = body;
	return true;
}

void
gateway_text_of(const json_t *value, char *out, size_t size)
{
	out[0] = '\0';
	const char *text = json_string_value(value);
	if (text != NULL)
		snprintf(out, utf8_prefix_len(text, strlen(text), size - 1) + 1, "%s", text);
	else if (json_is_integer(value))
		snprintf(out, size, "%lld", (long long)json_integer_value(value));
}

void
gateway_key_of(const json_t *value, char out[GATEWAY_KEY_SIZE])
{
	unsigned char hash[GATEWAY_KEY_BYTES];
	char number[24];

	gateway_text_of(value, number, sizeof(number)); /* a number is never cut */
	const char *text = json_is_string(value) ? json_string_value(value) : number;
	out[0] = '\0';
	if (text[0] == '\0')
		return;
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	sodium_bin2hex(out, GATEWAY_KEY_SIZE, hash, sizeof(hash));
}

char *
gateway_basic(const char *user, const char *password)
{
	static const char head[] = "Basic ";
	char *plain, *coded = NULL;
	int len = asprintf(&plain, "%s:%s", user, password);

	if (len == -1)
		return NULL;
	size_t size = sodium_base64_encoded_len((size_t)len, sodium_base64_VARIANT_ORIGINAL);
	coded = malloc(sizeof(head) - 1 + size);
	if (coded != NULL) {
		memcpy(coded, head, sizeof(head) - 1);
		sodium_bin2base64(coded + sizeof(head) - 1, size, (const unsigned char *)plain,
		    (size_t)len, sodium_base64_VARIANT_ORIGINAL);
	}
	free(plain);
	return coded;
}

/*
 * 408, 429 and 503 say that it was not taken; 401, 402, 403, 404, 405, 407 and redirections that
 * the gateway is not set up for us, whatever the message; other 4xx that it will never take this
 * one.  Another 5xx may come from a proxy in front of a gateway that did take it.
 */
enum outcome
gateway_status_outcome(long status)
{
	switch (status) {
	case 408:
	case 429:
	case 503:
		return OUTCOME_DEFERRED;
	case 401:
	case 402:
	case 403:
	case 404:
	case 405:
	case 407:
		return OUTCOME_UNREACHABLE;
	default:
		if (status >= 300 && status <= 399)
			return OUTCOME_UNREACHABLE;
		return status >= 400 && status <= 499 ? OUTCOME_REFUSED : OUTCOME_UNKNOWN;
	}
}

int
gateway_read(const struct gateway_profile *profile, const char *body, size_t len,
    json_t **ret_document, struct gateway_news news[GATEWAY_NEWS_MAX], size_t *ret_ignored)
{
	json_t *document = json_loadb(body, len, 0, NULL);
	const json_t *elements = document;
	size_t used = 0;

	*ret_document = document;
	*ret_ignored = 0;
	if (json_is_object(document) && profile->elements != NULL
	    && json_object_get(document, profile->elements) != NULL)
		elements = json_object_get(document, profile->elements);
	size_t count = json_is_array(elements) ? json_array_size(elements) : 1;
	if (document == NULL || count > GATEWAY_NEWS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const json_t *element = json_is_array(elements) ? json_array_get(elements, i)
								: elements;
		memset(&news[used], 0, sizeof(news[used]));
		if (json_is_object(element) && profile->read(element, &news[used])
		    && (!news[used].incoming || news[used].text != NULL))
			used++;
		else
			(*ret_ignored)++;
	}
	return (int)used;
}

/* --- generic ---------------------------------------------------------------------------------- */

static bool
request(const struct gateway *g, const struct gateway_text *text, struct gateway_request *ret)
{
	const struct sms_fields *f = &g->fields;
	json_t *document = json_pack("{s:s,s:s,s:s,s:s}", f->name[SMS_TO], text->to,
	    f->name[SMS_FROM], text->from, f->name[SMS_TEXT], text->text, f->name[SMS_ID],
	    text->id);

	if (!gateway_fill(ret, strdup(g->url), document))
		return false;
	if (g->authorization[0] != '\0' && (ret->authorization = strdup(g->authorization)) == NULL)
		return false;
	return true;
}

static void
answered(long status, const char *body, size_t len, struct gateway_answer *ret)
{
	if (status >= 200 && status <= 299) {
		json_t *said = json_loadb(body, len, 0, NULL);
		ret->outcome = OUTCOME_ACCEPTED;
		gateway_text_of(
		    json_object_get(said, "id"), ret->reference, sizeof(ret->reference));
		json_decref(said);
	} else {
		/* The usual word of those that know our id. */
		ret->outcome = status == 409 ? OUTCOME_DUPLICATE : gateway_status_outcome(status);
	}
}

static enum gateway_status
status_of_word(const char *word)
{
	if (strcmp(word, "delivered") == 0)
		return GATEWAY_DELIVERED;
	if (strcmp(word, "undelivered") == 0 || strcmp(word, "failed") == 0)
		return GATEWAY_UNDELIVERED;
	return strcmp(word, "accepted") == 0 || strcmp(word, "sent") == 0 ? GATEWAY_WAITING
									  : GATEWAY_SAYS_NOTHING;
}

/* {"id" or "reference", "status"} or {"from", "text", "id"}. */
static bool
read_generic(const json_t *element, struct gateway_news *n)
{
	n->text = json_string_value(json_object_get(element, "text"));
	if (n->text != NULL) {
		n->incoming = true;
		gateway_text_of(json_object_get(element, "from"), n->sender, sizeof(n->sender));
		gateway_key_of(json_object_get(element, "id"), n->key);
		return n->sender[0] != '\0';
	}
	gateway_text_of(json_object_get(element, "id"), n->id, sizeof(n->id));
	gateway_text_of(json_object_get(element, "reference"), n->report.reference,
	    sizeof(n->report.reference));
	gateway_text_of(json_object_get(element, "status"), n->report.code, sizeof(n->report.code));
	n->report.status = status_of_word(n->report.code);
	return n->report.status != GATEWAY_SAYS_NOTHING;
}

const struct gateway_profile gateway_generic = {
	.name = "generic",
	.per_minute = 6000,
	.asks_per_minute = 60,
	.request = request,
	.answered = answered,
	.read = read_generic,
};
