/* The services of this system, and one short GET by libcurl. */
#include "reach.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "masa.h"

static const struct {
	const char *name;
	const char *url_setting;
} services[] = {
	{ "intake", "TURUNC_URL_INTAKE" },
	{ "router", "TURUNC_URL_ROUTER" },
	{ "notifier", "TURUNC_URL_NOTIFIER" },
	{ "metrics", "TURUNC_URL_METRICS" },
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
reach_service(size_t service, char *detail, size_t size)
{
	char url[512];
	const char *base = masa_env(services[service].url_setting, NULL);

	detail[0] = '\0';
	if (base == NULL)
		return "";
	snprintf(url, sizeof(url), "%s/readyz", base);
	long status = get(url, detail, size);
	return status == 200 ? "ready" : status != 0 ? "not ready" : "no answer";
}
