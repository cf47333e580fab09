/* The Open311 door: its routes, who is asking, and how it answers when something is wrong. */
#include <event2/buffer.h>
#include <string.h>

#include "clock.h"
#include "door.h"

#define V2 "/open311/v2/"

const struct http_route door_open311_routes[] = {
	{ HTTP_GET, "/open311/discovery.json", open311_discovery, 0 },
	{ HTTP_GET, "/open311/discovery.xml", open311_discovery, 0 },
	{ HTTP_GET, V2 "services.json", open311_services, 0 },
	{ HTTP_GET, V2 "services.xml", open311_services, 0 },
	{ HTTP_GET, V2 "services/{code}.json", open311_service, 0 },
	{ HTTP_GET, V2 "services/{code}.xml", open311_service, 0 },
	{ HTTP_POST, V2 "requests.json", open311_post_request, DOOR_BODY_BYTES },
	{ HTTP_POST, V2 "requests.xml", open311_post_request, DOOR_BODY_BYTES },
	{ HTTP_GET, V2 "requests.json", open311_get_requests, 0 },
	{ HTTP_GET, V2 "requests.xml", open311_get_requests, 0 },
	{ HTTP_GET, V2 "requests/{id}.json", open311_get_request, 0 },
	{ HTTP_GET, V2 "requests/{id}.xml", open311_get_request, 0 },
	{ HTTP_GET, V2 "tokens/{id}.json", open311_get_token, 0 },
	{ HTTP_GET, V2 "tokens/{id}.xml", open311_get_token, 0 },
};
const size_t door_open311_route_count = ARRAY_LEN(door_open311_routes);

static enum doc_format
format_of_path(const char *path)
{
	size_t len = strlen(path);
	return len > 4 && strcmp(path + len - 4, ".xml") == 0 ? DOC_XML : DOC_JSON;
}

enum doc_format
open311_format(const struct http_request *req)
{
	return format_of_path(http_request_path(req));
}

const char *
door_write_error(
    void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body)
{
	struct problems p = { 0 };

	(void)arg;
	if (strcmp(path, "/report") == 0 || strcmp(path, "/track") == 0
	    || strcmp(path, "/track/say") == 0)
		return door_report_error(status, body);
	if (strncmp(path, "/open311/", 9) != 0)
		return NULL;
	problems_add(&p, status, "%s", why);
	enum doc_format format = format_of_path(path);
	return problems_write(&p, format, body) ? doc_content_type(format) : NULL;
}

void
open311_reply_problems(struct http_request *req, enum doc_format format, const struct problems *p)
{
	struct evbuffer *body = evbuffer_new();
	struct http_response response = { .status = p->at[0].status,
		.retry_after_s = DOOR_RETRY_S };

	if (body != NULL && problems_write(p, format, body)) {
		response.content_type = doc_content_type(format);
		response.body = body;
	}
	http_reply(req, &response);
	if (body != NULL)
		evbuffer_free(body);
}

void
open311_reply_error(
    struct http_request *req, enum doc_format format, unsigned status, const char *why)
{
	struct problems p = { 0 };

	problems_add(&p, status, "%s", why);
	open311_reply_problems(req, format, &p);
}

void
open311_reply_doc(struct http_request *req, unsigned status, struct doc *doc,
    const struct http_field *fields, size_t field_count)
{
	struct evbuffer *body = doc == NULL ? NULL : evbuffer_new();

	if (body == NULL || !doc_finish(doc, body)) {
		open311_reply_error(req, open311_format(req), 503, "Out of memory.");
	} else {
		const struct http_response response = {
			.status = status,
			.content_type = doc_content_type(open311_format(req)),
			.body = body,
			.fields = fields,
			.field_count = field_count,
		};
		http_reply(req, &response);
	}
	if (body != NULL)
		evbuffer_free(body);
	doc_destroy(doc);
}

const struct acl_client *
open311_client(struct intake *in, struct http_request *req, bool *ret_given)
{
	const char *key = http_form(req, "api_key", NULL);

	if (key == NULL || key[0] == '\0')
		key = http_query(req, "api_key", NULL);
	*ret_given = key != NULL && key[0] != '\0';
	if (!*ret_given)
		return NULL;
	const struct acl_client *client = acl_find_api_key(in->acl, key, strlen(key));
	return client != NULL && acl_in_force(client, clock_now_us()) ? client : NULL;
}

static void
reply_limited(struct http_request *req, enum doc_format format, const char *what, uint64_t wait_ms)
{
	struct evbuffer *body = evbuffer_new();
	struct problems p = { 0 };
	problems_add(&p, 429, "%s; try again in %llu seconds.", what,
	    (unsigned long long)(wait_ms / 1000 + 1));
	struct http_response response = { .status = 429,
		.retry_after_s = (uint32_t)(wait_ms / 1000 + 1) };
	if (body != NULL && problems_write(&p, format, body)) {
		response.content_type = doc_content_type(format);
		response.body = body;
	}
	http_reply(req, &response);
	if (body != NULL)
		evbuffer_free(body);
}

bool
open311_within_rate(struct intake *in, struct http_request *req, const struct acl_client *client,
    bool given, enum doc_format format)
{
	struct ratelimit *limit = client != NULL ? in->per_key : in->per_address;
	const char *address = http_client_network(req);
	const char *who = client != NULL ? client->name : address;
	uint64_t now_ms = clock_monotonic_ms(), wait_ms;

	/* First of all, so that the answer to a right key is that to a wrong one. */
	if (given && in->guesses != NULL
	    && !guesses_judge(
		in->guesses, address, client == NULL ? NULL : client->name, now_ms, &wait_ms)) {
		stats_add_at(in->stats, INTAKE_STAT_LIMITED, LIMITED_WRONG_KEYS, 1);
		reply_limited(
		    req, format, "api_key: too many wrong keys from this address", wait_ms);
		return false;
	}
	if (limit == NULL || ratelimit_take(limit, who, strlen(who), now_ms, &wait_ms))
		return true;
	stats_add_at(
	    in->stats, INTAKE_STAT_LIMITED, client != NULL ? LIMITED_KEY : LIMITED_ADDRESS, 1);
	reply_limited(req, format, "Too many requests", wait_ms);
	return false;
}

bool
open311_knows_keys(struct intake *in, struct http_request *req, enum doc_format format)
{
	if (registry_catalogue(in->registry) != NULL)
		return true;
	open311_reply_error(req, format, 503, "The service is starting.");
	return false;
}

const struct catalogue *
open311_catalogue(struct intake *in, struct http_request *req, enum doc_format format)
{
	const struct catalogue *cat = registry_catalogue(in->registry);

	if (cat == NULL) {
		open311_reply_error(req, format, 503, "The service is starting.");
		return NULL;
	}
	const char *asked = http_form(req, "jurisdiction_id", NULL);
	if (asked == NULL || asked[0] == '\0')
		asked = http_query(req, "jurisdiction_id", NULL);
	if (asked == NULL || asked[0] == '\0'
	    || strcmp(asked, cat->municipality.jurisdiction_id) == 0)
		return cat;
	open311_reply_error(req, format, 404, "jurisdiction_id: no such jurisdiction");
	return NULL;
}
