/* Carries a gateway's request by libcurl: a text message, or a question about one. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "failpoint.h"
#include "gateway.h"

struct answer {
	char *text; /* JOB_ANSWER_BYTES */
	size_t used;
};

static size_t
keep(char *data, size_t one, size_t count, void *arg)
{
	struct answer *a = arg;
	size_t len = one * count, room = JOB_ANSWER_BYTES - 1 - a->used;

	memcpy(a->text + a->used, data, len < room ? len : room);
	a->used += len < room ? len : room;
	return len; /* the rest of a long answer is read and forgotten */
}

enum outcome
channel_sms_judge(int curl_code, long request_bytes)
{
	return curl_code != CURLE_OK && request_bytes == 0 ? OUTCOME_UNREACHABLE : OUTCOME_UNKNOWN;
}

/* NULL: no memory. */
static struct curl_slist *
make_headers(const struct job *job)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	bool fine = headers != NULL;
	char *line;

	if (job->payload != NULL)
		fine = fine && curl_slist_append(headers, "Content-Type: application/json") != NULL;
	if (fine && job->authorization != NULL) {
		fine = asprintf(&line, "Authorization: %s", job->authorization) != -1;
		if (fine) {
			fine = curl_slist_append(headers, line) != NULL;
			free(line);
		}
	}
	if (fine && job->trace[0] != '\0') {
		fine = asprintf(&line, "traceparent: %s", job->trace) != -1;
		if (fine) {
			fine = curl_slist_append(headers, line) != NULL;
			free(line);
		}
	}
	if (fine)
		return headers;
	curl_slist_free_all(headers);
	return NULL;
}

static void
set_up(CURL *curl, const struct sms_config *c, const struct job *job, struct answer *answer,
    struct curl_slist *headers, char why[CURL_ERROR_SIZE])
{
	curl_easy_setopt(curl, CURLOPT_URL, job->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* On a kept connection libcurl would send the request again by itself when the answer does
	 * not come; so each message has a connection of its own. */
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (job->payload != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, job->payload);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)job->payload_size);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
}

/* What the gateway made of a message. */
static void
judge(const struct gateway *g, struct job *job, const struct answer *answer)
{
	struct gateway_answer said = { .outcome = OUTCOME_UNKNOWN };

	g->profile->answered(job->status, answer->text, answer->used, &said);
	job->outcome = said.outcome;
	memcpy(job->reference, said.reference, sizeof(job->reference));
	if (said.outcome == OUTCOME_DUPLICATE && job->repeated) {
		job->outcome = OUTCOME_ACCEPTED; /* it was our own attempt that had arrived */
		job_say(job, "%s: a repeat of our own earlier attempt", g->profile->name);
	} else if (said.outcome != OUTCOME_ACCEPTED) {
		job_say(job, "%s: http %ld %.60s", g->profile->name, job->status, said.code);
	}
}

/* A question hands nothing over and has no point to fail at. */
static CURLcode
perform(CURL *curl, const struct job *job)
{
	enum failpoint_step step = job->question != NULL ? FAILPOINT_NONE : FAILPOINT_NOTIFIER_SMS;

	if (failpoint(step, FAILPOINT_BEFORE))
		return CURLE_COULDNT_CONNECT;
	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OK && failpoint(step, FAILPOINT_AFTER))
		return CURLE_RECV_ERROR; /* the answer did not come */
	return code;
}

void
channel_sms_work(const void *config, void *curl, struct job *job)
{
	const struct sms_config *c = config;
	struct answer answer = { .text = malloc(JOB_ANSWER_BYTES) };
	struct curl_slist *headers = make_headers(job);
	char why[CURL_ERROR_SIZE] = "";
	long request_size = 0;

	if (headers == NULL || answer.text == NULL) {
		curl_slist_free_all(headers);
		free(answer.text);
		job->outcome = OUTCOME_DEFERRED;
		job_say(job, "out of memory");
		return;
	}
	set_up(curl, c, job, &answer, headers, why);
	CURLcode code = perform(curl, job);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &job->status);
	curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_size);
	curl_slist_free_all(headers);
	answer.text[answer.used] = '\0';
	if (code != CURLE_OK) {
		job->outcome = channel_sms_judge((int)code, request_size);
		job_say(job, "%s: %.120s", c->gateway->profile->name,
		    why[0] != '\0' ? why : curl_easy_strerror(code));
	} else if (job->question == NULL) {
		judge(c->gateway, job, &answer);
	} else {
		job->outcome = OUTCOME_ACCEPTED;
		job->answer = answer.text;
		job->answer_size = answer.used;
		answer.text = NULL;
	}
	free(answer.text);
}
