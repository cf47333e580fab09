/* One text message to an HTTP gateway by libcurl, and what its ending means. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "failpoint.h"

enum { ANSWER_BYTES = 2048 };

struct answer {
	char text[ANSWER_BYTES];
	size_t used;
};

bool
channel_sms_fields(const char *text, struct sms_fields *ret_fields)
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

char *
channel_sms_payload(const struct sms_fields *fields, const char *to, const char *from,
    const char *text, const char *id, size_t *ret_size)
{
	json_t *message = json_pack("{s:s,s:s,s:s,s:s}", fields->name[SMS_TO], to,
	    fields->name[SMS_FROM], from, fields->name[SMS_TEXT], text, fields->name[SMS_ID], id);
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
 * 408, 429 and 503 say that it was not taken; 401, 403, 404, 405, 407 and redirections that the
 * gateway is not set up for us, whatever the message; other 4xx that it will never take this one.
 * Another 5xx may come from a proxy in front of a gateway that did take it.
 */
enum outcome
channel_sms_http_judge(int curl_code, long status, long request_bytes)
{
	if (curl_code != CURLE_OK)
		return request_bytes == 0 ? OUTCOME_UNREACHABLE : OUTCOME_UNKNOWN;
	if (status >= 200 && status <= 299)
		return OUTCOME_ACCEPTED;
	switch (status) {
	case 408:
	case 429:
	case 503:
		return OUTCOME_DEFERRED;
	case 401:
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
	char why[CURL_ERROR_SIZE] = "", *authorization = NULL;
	long status = 0, request_size = 0;

	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (headers != NULL && c->authorization[0] != '\0') {
		struct curl_slist *more = NULL;
		if (asprintf(&authorization, "Authorization: %s", c->authorization) != -1) {
			more = curl_slist_append(headers, authorization);
			free(authorization);
		}
		if (more == NULL)
			curl_slist_free_all(headers);
		headers = more;
	}
	if (headers == NULL) {
		job->outcome = OUTCOME_DEFERRED;
		job_say(job, "out of memory");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, c->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* On a kept connection libcurl would send the request again by itself when the answer does
	 * not come; so each message has a connection of its own. */
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, job->payload);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)job->payload_size);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	CURLcode code = CURLE_COULDNT_CONNECT;
	if (!failpoint(FAILPOINT_NOTIFIER_SMS, FAILPOINT_BEFORE))
		code = curl_easy_perform(curl);
	if (code == CURLE_OK && failpoint(FAILPOINT_NOTIFIER_SMS, FAILPOINT_AFTER))
		code = CURLE_RECV_ERROR; /* the answer did not come */
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_size);
	curl_slist_free_all(headers);
	job->outcome = channel_sms_http_judge((int)code, status, request_size);
	if (job->outcome == OUTCOME_ACCEPTED)
		read_reference(&answer, job);
	else
		job_say(job, "http %ld: %.120s", status,
		    why[0] != '\0'     ? why
		    : code != CURLE_OK ? curl_easy_strerror(code)
				       : "not taken");
}
