/* What citizens do at pages, many at a time: each waits for the answer to their own request alone.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { AT_ONCE = 8, URL_BYTES = 600, BODY_MAX = 1024 * 1024, PATIENCE_MS = 60000 };

struct errand {
	char url[URL_BYTES];
	char *form; /* NULL: a page is asked for */
	uint32_t who, about;
	demo_came_fn *came;
	struct errand *next;
};

struct desk {
	CURL *curl;
	struct curl_slist *headers;
	struct errand *errand; /* NULL: free */
	char *body;
	size_t len, room;
};

struct demo_errands {
	CURLM *multi;
	struct desk desks[AT_ONCE];
	struct errand *first, **last; /* not begun */
	size_t under_way;
};

bool
demo_errands_open(struct demo *d)
{
	struct demo_errands *e = calloc(1, sizeof(*e));

	d->errands = e;
	if (e == NULL || (e->multi = curl_multi_init()) == NULL)
		return false;
	e->last = &e->first;
	for (size_t i = 0; i < AT_ONCE; i++)
		if ((e->desks[i].curl = curl_easy_init()) == NULL)
			return false;
	return true;
}

static void
errand_destroy(struct errand *errand)
{
	if (errand == NULL)
		return;
	free(errand->form);
	free(errand);
}

void
demo_errands_close(struct demo *d)
{
	struct demo_errands *e = d->errands;

	if (e == NULL)
		return;
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct desk *desk = &e->desks[i];
		if (desk->errand != NULL)
			curl_multi_remove_handle(e->multi, desk->curl);
		curl_easy_cleanup(desk->curl);
		curl_slist_free_all(desk->headers);
		errand_destroy(desk->errand);
		free(desk->body);
	}
	while (e->first != NULL) {
		struct errand *next = e->first->next;
		errand_destroy(e->first);
		e->first = next;
	}
	curl_multi_cleanup(e->multi);
	free(e);
	d->errands = NULL;
}

bool
demo_errands_idle(const struct demo *d)
{
	return d->errands->first == NULL && d->errands->under_way == 0;
}

void
demo_errand(struct demo *d, const char *path, const char *form, uint32_t who, demo_came_fn *came,
    uint32_t about)
{
	struct demo_errands *e = d->errands;
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL || (form != NULL && (errand->form = strdup(form)) == NULL)
	    || snprintf(errand->url, sizeof(errand->url), "%s%s", d->options.intake_url, path)
		   >= (int)sizeof(errand->url)) {
		errand_destroy(errand);
		demo_trouble(d, "%s: not asked for, no room", path);
		return;
	}
	errand->who = who;
	errand->about = about;
	errand->came = came;
	*e->last = errand;
	e->last = &errand->next;
}

static size_t
hear(char *data, size_t one, size_t count, void *arg)
{
	struct desk *desk = arg;
	size_t len = one * count;

	if (desk->len + len + 1 > BODY_MAX)
		return 0;
	if (desk->len + len + 1 > desk->room) {
		size_t room = (desk->len + len + 1) * 2;
		char *body = realloc(desk->body, room);
		if (body == NULL)
			return 0;
		desk->body = body;
		desk->room = room;
	}
	memcpy(desk->body + desk->len, data, len);
	desk->len += len;
	desk->body[desk->len] = '\0';
	return len;
}

static void
begin(struct demo_errands *e, struct desk *desk)
{
	struct errand *errand = e->first;
	char from[64];

	e->first = errand->next;
	if (e->first == NULL)
		e->last = &e->first;
	desk->errand = errand;
	desk->len = 0;
	if (desk->body != NULL)
		desk->body[0] = '\0';
	/* As the edge says it: each citizen has an address of their own. */
	snprintf(from, sizeof(from), "X-Forwarded-For: 10.%u.%u.%u", errand->who >> 16 & 255,
	    errand->who >> 8 & 255, errand->who & 255);
	desk->headers = curl_slist_append(NULL, from);
	curl_easy_reset(desk->curl);
	curl_easy_setopt(desk->curl, CURLOPT_URL, errand->url);
	curl_easy_setopt(desk->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(desk->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(desk->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(desk->curl, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
	curl_easy_setopt(desk->curl, CURLOPT_HTTPHEADER, desk->headers);
	curl_easy_setopt(desk->curl, CURLOPT_WRITEFUNCTION, hear);
	curl_easy_setopt(desk->curl, CURLOPT_WRITEDATA, desk);
	curl_easy_setopt(desk->curl, CURLOPT_PRIVATE, desk);
	if (errand->form != NULL)
		curl_easy_setopt(desk->curl, CURLOPT_POSTFIELDS, errand->form);
	curl_multi_add_handle(e->multi, desk->curl);
	e->under_way++;
}

static void
end(struct demo *d, struct desk *desk, CURLcode code)
{
	struct demo_errands *e = d->errands;
	struct errand *errand = desk->errand;
	long status = 0;

	curl_easy_getinfo(desk->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(e->multi, desk->curl); /* its connection stays with the others */
	curl_slist_free_all(desk->headers);
	desk->headers = NULL;
	if (code != CURLE_OK) {
		demo_trouble(d, "%s: %s", errand->url, curl_easy_strerror(code));
		status = 0;
	}
	errand->came(d, errand->about, status, desk->body != NULL ? desk->body : "");
	desk->errand = NULL;
	e->under_way--;
	errand_destroy(errand);
}

/* True: something came. */
static bool
take_ends(struct demo *d)
{
	struct demo_errands *e = d->errands;
	bool any = false;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(e->multi, &left)) != NULL) {
		struct desk *desk = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&desk);
		end(d, desk, message->data.result);
		any = true;
	}
	return any;
}

void
demo_errands_step(struct demo *d)
{
	struct demo_errands *e = d->errands;
	int running;
	bool more = !demo_errands_idle(d);

	while (more) {
		for (size_t i = 0; e->first != NULL && i < AT_ONCE; i++)
			if (e->desks[i].errand == NULL)
				begin(e, &e->desks[i]);
		(void)curl_multi_perform(e->multi, &running);
		more = take_ends(d) && e->first != NULL;
	}
}

bool
demo_errands_wait(struct demo *d, struct curl_waitfd *fds, unsigned count, int wait_ms)
{
	int ready = 0;

	return curl_multi_poll(d->errands->multi, fds, count, wait_ms, &ready) == CURLM_OK
	       && ready > 0;
}
