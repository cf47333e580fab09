/* One text message to an HTTP gateway by libcurl, and what its ending means. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"

enum { ANSWER_BYTES = 2048 };

struct answer {
	char text[ANSWER_BYTES];
	size_t used;
};

char *
channel_sms_payload(
    const char *to, const char *from, const char *text, const char *id, size_t *ret_size)
{
	json_t *message = json_pack(
	    "{s:s,s:s,s:s,s:s}", "to", to, "from", from, "text", text, "id", id);
	char *payload = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	if (payload != NULL)
		*ret_size = strlen(payload);
	return payload;
}

static size_t
keep(char *data, size_t one, size_t count, void *arg)
{
	struct answer *a = arg;
	size_t len = one * count, room = sizeof(a->text) - 1 - a->used;

	memcpy(a->text + a->used, data, len < room ? len : room);
	a->used += len < room ? len : room;
	return len; /* the rest of a long answer is read and forgotten */
}

/*
 * 429 and 503 say that it was not taken; other 4xx that it never will be.  Another 5xx may come
 * from a proxy in front of a gateway that did take it.
 */
static enum outcome
judge(CURLcode code, long status, long request_size)
{
	if (code == CURLE_OK && status >= 200 && status <= 299)
		return OUTCOME_ACCEPTED;
	if (code == CURLE_OK && (status == 408 || status == 429 || status == 503))
		return OUTCOME_DEFERRED;
	if (code == CURLE_OK && status >= 400 && status <= 499)
		return OUTCOME_REFUSED;
	if (code != CURLE_OK && request_size == 0)
		return OUTCOME_DEFERRED; /* the request never left */
	return OUTCOME_UNKNOWN;
}

static void
read_reference(const struct answer *answer, struct job *job)
{
	json_t *said = json_loadb(answer->text, answer->used, 0, NULL);
	const char *id = json_string_value(json_object_get(said, "id"));

	if (id != NULL && strlen(id) < sizeof(job->reference))
		memcpy(job->reference, id, strlen(id) + 1);
	json_decref(said);
}

void
channel_sms_http_work(const void *config, void *curl, struct job *job)
{
	const struct sms_http_config *c = config;
	struct answer answer = { .used = 0 };
	char why[CURL_ERROR_SIZE] = "", authorization[600];
	long status = 0, request_size = 0;

	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (headers != NULL && c->authorization[0] != '\0') {
		snprintf(authorization, sizeof(authorization), "Authorization: %.500s",
		    c->authorization);
		struct curl_slist *more = curl_slist_append(headers, authorization);
		if (more == NULL)
			curl_slist_free_all(headers);
		headers = more;
	}
	if (headers == NULL) {
		job->outcome = OUTCOME_DEFERRED;
		snprintf(job->detail, sizeof(job->detail), "out of memory");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, c->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, job->payload);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)job->payload_size);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_size);
	curl_slist_free_all(headers);
	job->outcome = judge(code, status, request_size);
	if (job->outcome == OUTCOME_ACCEPTED)
		read_reference(&answer, job);
	else
		snprintf(job->detail, sizeof(job->detail), "http %ld: %.120s", status,
		    why[0] != '\0'     ? why
		    : code != CURLE_OK ? curl_easy_strerror(code)
				       : "not taken");
}
