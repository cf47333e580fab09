/* The services of this system, and short GETs by libcurl. */
#include "reach.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "masa.h"

static const struct {
	const char *name;
	const char *url_setting;
} services[] = {
	[REACH_INTAKE] = { "intake", "TURUNC_URL_INTAKE" },
	[REACH_ROUTER] = { "router", "TURUNC_URL_ROUTER" },
	[REACH_NOTIFIER] = { "notifier", "TURUNC_URL_NOTIFIER" },
	[REACH_METRICS] = { "metrics", "TURUNC_URL_METRICS" },
};
_Static_assert(ARRAY_LEN(services) == REACH_SERVICES, "name every service");

struct answer {
	char *text;
	size_t size, used;
};

static size_t
keep(char *data, size_t one, size_t count, void *arg)
{
	struct answer *a = arg;
	size_t len = one * count, room = a->size - a->used - 1;
	size_t take = len < room ? len : room;

	memcpy(a->text + a->used, data, take);
	a->used += take;
	a->text[a->used] = '\0';
	return len;
}

/* The HTTP status, 0 when nobody answers within 2 s. */
static long
get(const char *url, char *text, size_t size)
{
	struct answer a = { text, size, 0 };
	long status = 0;
	CURL *curl = curl_easy_init();

	text[0] = '\0';
	if (curl == NULL)
		return 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

const char *
reach_service_name(size_t service)
{
	return services[service].name;
}

const char *
reach_service_url(size_t service)
{
	return masa_env(services[service].url_setting, NULL);
}

const char *
reach_service(size_t service, char *detail, size_t size)
{
	char url[512];
	const char *base = reach_service_url(service);

	detail[0] = '\0';
	if (base == NULL)
		return "";
	snprintf(url, sizeof(url), "%s/readyz", base);
	long status = get(url, detail, size);
	return status == 200 ? "ready" : status != 0 ? "not ready" : "no answer";
}

/* --- several at once ---------------------------------------------------------------------------
 */

struct reach_many {
	CURLM *multi;
};

struct reach_many *
reach_many_open(void)
{
	struct reach_many *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->multi = curl_multi_init();
	if (r == NULL || r->multi == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
reach_many_close(struct reach_many *r)
{
	if (r == NULL)
		return;
	curl_multi_cleanup(r->multi);
	free(r);
}

void
reach_answer_finish(struct reach_answer *answer)
{
	free(answer->text);
	answer->text = NULL;
}

static size_t
keep_more(char *data, size_t one, size_t count, void *arg)
{
	struct reach_answer *a = arg;
	size_t len = one * count, room = REACH_BYTES_MAX - a->len;
	size_t take = len < room ? len : room;
	char *text = realloc(a->text, a->len + take + 1);

	if (text == NULL)
		return 0;
	a->text = text;
	memcpy(a->text + a->len, data, take);
	a->len += take;
	a->text[a->len] = '\0';
	return len;
}

static CURL *
begin(struct reach_many *r, struct reach_answer *a, long limit_ms)
{
	CURL *curl = curl_easy_init();

	a->status = 0;
	a->len = 0;
	a->text = calloc(1, 1);
	if (curl == NULL || a->text == NULL) {
		curl_easy_cleanup(curl);
		return NULL;
	}
	curl_easy_setopt(curl, CURLOPT_URL, a->url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_more);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, a);
	if (curl_multi_add_handle(r->multi, curl) != CURLM_OK) {
		curl_easy_cleanup(curl);
		return NULL;
	}
	return curl;
}

/* Runs what was begun.  False: watch_fd became readable first. */
static bool
run(struct reach_many *r, long limit_ms, int watch_fd)
{
	struct curl_waitfd watched = { .fd = watch_fd, .events = CURL_WAIT_POLLIN };
	uint64_t until_ms = clock_monotonic_ms() + (uint64_t)limit_ms + 100;
	int running = 1, ready;
	const CURLMsg *message;

	while (running > 0 && clock_monotonic_ms() < until_ms) {
		watched.revents = 0;
		if (curl_multi_perform(r->multi, &running) != CURLM_OK)
			return true;
		if (running > 0
		    && curl_multi_poll(
			   r->multi, &watched, watch_fd < 0 ? 0 : 1, (int)limit_ms, &ready)
			   != CURLM_OK)
			return true;
		if (watched.revents != 0)
			return false;
	}
	while ((message = curl_multi_info_read(r->multi, &ready)) != NULL) {
		struct reach_answer *a = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &a);
		if (message->msg == CURLMSG_DONE && message->data.result == CURLE_OK)
			curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &a->status);
	}
	return true;
}

bool
reach_many_get(
    struct reach_many *r, struct reach_answer *answers, size_t count, long limit_ms, int watch_fd)
{
	enum { AT_ONCE_MAX = 16 };
	CURL *asked[AT_ONCE_MAX] = { NULL };
	bool whole = count <= AT_ONCE_MAX;

	for (size_t i = 0; whole && i < count; i++)
		if (answers[i].url[0] != '\0') {
			asked[i] = begin(r, &answers[i], limit_ms);
			whole = asked[i] != NULL;
		}
	whole = whole && run(r, limit_ms, watch_fd);
	for (size_t i = 0; i < count && i < AT_ONCE_MAX; i++) {
		if (asked[i] != NULL) {
			curl_multi_remove_handle(r->multi, asked[i]);
			curl_easy_cleanup(asked[i]);
		}
		if (!whole)
			reach_answer_finish(&answers[i]);
	}
	return whole;
}
