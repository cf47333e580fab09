/* What masa doctor finds at the edge: does it let streams through, and how long is its certificate
 * good. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "doctor.h"
#include "istanbul.h"

enum { STREAM_MS = 3000, CERTIFICATE_DAYS = 30 };

struct stream {
	bool began; /* something of the body came */
};

static size_t
take_first(char *data, size_t one, size_t count, void *arg)
{
	struct stream *s = arg;

	(void)data;
	s->began = one * count > 0;
	return 0; /* enough */
}

/* The status of the stream, 0: no answer; *ret_began: its first event came within STREAM_MS. */
static long
ask_stream(const char *base, bool *ret_began, char *type, size_t size)
{
	char url[600];
	long status = 0;
	const char *said = NULL;
	struct stream s = { false };
	CURL *curl = curl_easy_init();

	type[0] = '\0';
	*ret_began = false;
	if (curl == NULL)
		return 0;
	snprintf(url, sizeof(url), "%s/live/events", base);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STREAM_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_first);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s);
	(void)curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &said);
	snprintf(type, size, "%s", said != NULL ? said : "");
	*ret_began = s.began;
	curl_easy_cleanup(curl);
	return status;
}

static void
look_at_stream(struct doctor *d, const char *edge)
{
	static const char fix[] =
	    "let the proxy pass text/event-stream on at once (nginx: proxy_buffering off; no "
	    "compression); deploy/edge/Caddyfile does";
	const char *metrics = reach_service_url(REACH_METRICS);
	char type[80];
	bool began;

	if (metrics == NULL || ask_stream(metrics, &began, type, sizeof(type)) != 200 || !began) {
		doctor_skip(d, "live stream", "metrics itself shows none to this machine");
		return;
	}
	long status = ask_stream(edge, &began, type, sizeof(type));
	if (status == 403 || status == 421) {
		doctor_skip(d, "live stream",
		    "the edge does not show the board to whoever comes from here by this name");
		return;
	}
	doctor_looked(d, "live stream");
	if (!began)
		doctor_find(d, DOCTOR_BAD, "live stream", fix,
		    status == 0 || status == 200
			? "the edge holds the board's stream back: nothing of it came within %d s"
			: "the edge refuses the board's stream (waited %d s)",
		    STREAM_MS / 1000);
	else if (status == 200 && strncmp(type, "text/event-stream", 17) != 0)
		doctor_find(d, DOCTOR_BAD, "live stream", fix,
		    "the edge gives the board's stream as \"%.60s\"", type);
	else if (status != 200)
		doctor_find(d, DOCTOR_BAD, "live stream", fix,
		    "the edge answers for the board's stream with %ld", status);
}

/* --- the certificate --------------------------------------------------------------------------
 */

/* The first certificate's last day, "Nov 27 07:00:00 2036 GMT". */
static bool
last_day(const struct curl_certinfo *chain, int64_t *ret_us)
{
	static const char key[] = "Expire date:";
	struct tm parts = { 0 };

	if (chain == NULL || chain->num_of_certs < 1)
		return false;
	for (struct curl_slist *at = chain->certinfo[0]; at != NULL; at = at->next) {
		if (strncmp(at->data, key, sizeof(key) - 1) != 0)
			continue;
		const char *text = at->data + sizeof(key) - 1;
		if (strptime(text, "%b %d %H:%M:%S %Y", &parts) == NULL
		    && strptime(text, "%Y-%m-%d %H:%M:%S", &parts) == NULL)
			return false;
		*ret_us = (int64_t)timegm(&parts) * US_PER_S;
		return true;
	}
	return false;
}

static void
judge_days(struct doctor *d, int64_t until_us)
{
	int64_t days = (until_us - clock_real_us()) / US_PER_DAY;
	struct istanbul_time t = istanbul_split(until_us);
	static const char fix[] =
	    "put a new certificate in its place and restart the edge: browsers refuse an old one";

	if (until_us < clock_real_us())
		doctor_find(d, DOCTOR_BAD, "certificate", fix,
		    "the edge's certificate has been out of date since %04d-%02d-%02d", t.year,
		    t.month, t.day);
	else if (days < CERTIFICATE_DAYS)
		doctor_find(d, DOCTOR_BAD, "certificate", fix,
		    "the edge's certificate is good for %lld days more, until %04d-%02d-%02d",
		    (long long)days, t.year, t.month, t.day);
}

static void
look_at_certificate(struct doctor *d, const char *edge)
{
	struct curl_certinfo *chain = NULL;
	int64_t until_us;
	CURL *curl = curl_easy_init();

	if (curl == NULL)
		return;
	curl_easy_setopt(curl, CURLOPT_URL, edge);
	curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 3000L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	if (curl_easy_perform(curl) == CURLE_OK
	    && curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) == CURLE_OK
	    && last_day(chain, &until_us)) {
		doctor_looked(d, "certificate");
		judge_days(d, until_us);
	} else {
		doctor_skip(d, "certificate", "the edge did not show one that can be read");
	}
	curl_easy_cleanup(curl);
}

void
doctor_edge(struct doctor *d)
{
	const char *edge = masa_env("TURUNC_URL_EDGE", NULL);

	if (edge == NULL) {
		doctor_skip(d, "edge", "TURUNC_URL_EDGE is not set");
		return;
	}
	doctor_looked(d, "edge");
	if (d->picture.edge_status == 0) {
		doctor_find(d, DOCTOR_BAD, "edge",
		    "its log says why: tail .run/log/edge/current; deploy/up starts it",
		    "nobody answers at %s", edge);
		return;
	}
	if (d->picture.edge_status != 404 && d->picture.edge_status != 421)
		doctor_find(d, DOCTOR_BAD, "edge",
		    "let it refuse /healthz, /readyz and /metrics, as deploy/edge/Caddyfile does",
		    "it answers /readyz with %ld: how services feel is told to the street",
		    d->picture.edge_status);
	look_at_stream(d, edge);
	if (strncmp(edge, "https:", 6) == 0)
		look_at_certificate(d, edge);
	else
		doctor_skip(d, "certificate", "the edge speaks plain HTTP here");
}
