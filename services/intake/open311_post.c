/* POST requests: a report becomes a ticket, and is answered once it is durable. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "number.h"

enum { KEY_CHARS_MAX = 128 };

static const char idempotency_source[] = "http";

/* One report from its request to its answer. */
struct post {
	struct report report; /* first: its item is how accept gives it back */
	struct intake *in;
	struct http_request *req;
	enum doc_format format;
	int64_t taken_us;
	char client[ACL_NAME_BYTES + 1];
};

static void
post_destroy(struct post *post)
{
	report_finish(&post->report);
	free(post);
}

static void
reply_created(struct post *post, int64_t ticket_id, bool again)
{
	static const struct http_field replayed[] = { { "Idempotency-Replayed", "true" } };
	const struct catalogue *cat = registry_catalogue(post->in->registry);
	char number[NUMBER_SIZE];
	struct doc *doc = doc_create(post->format);

	if (!number_format(ticket_id, number))
		number[0] = '\0';
	if (doc != NULL) {
		doc_list_begin(doc, "service_requests");
		doc_entry_begin(doc, "request");
		doc_text(doc, "service_request_id", number);
		doc_text(doc, "service_notice",
		    cat != NULL && cat->municipality.default_language == CATALOGUE_EN
			? "Your request was recorded."
			: "Başvurunuz kaydedildi.");
		doc_text(doc, "account_id", post->report.item.account_id);
		doc_entry_end(doc);
		doc_list_end(doc);
	}
	open311_reply_doc(post->req, 201, doc, replayed, again ? ARRAY_LEN(replayed) : 0);
}

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct post *post = (struct post *)item;
	struct intake *in = post->in;

	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	stats_observe(in->stats, INTAKE_STAT_WAITED, clock_monotonic_us() - post->taken_us);
	switch (outcome) {
	case ITEM_ACCEPTED:
		stats_incr(in->stats, INTAKE_STAT_OPENED);
		reply_created(post, ticket_id, false);
		break;
	case ITEM_SPOOLED:
		reply_created(post, ticket_id, false);
		break;
	case ITEM_DUPLICATE:
		reply_created(post, ticket_id, true);
		break;
	case ITEM_ID_REUSED:
		open311_reply_error(post->req, post->format, 400,
		    "ID_REUSED: Idempotency-Key was used before with another content");
		break;
	case ITEM_REFUSED:
		open311_reply_error(post->req, post->format, 400,
		    "The record cannot take this content; nothing was stored.");
		break;
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		open311_reply_error(post->req, post->format, 503,
		    "The record cannot be reached; nothing was stored.");
		break;
	}
	post_destroy(post);
}

/* The form as an array of its own, for sorting; false: too many fields, and p says so. */
static bool
copy_form(const struct http_request *req, struct http_pair pairs[REPORT_PAIRS_MAX],
    struct report_form *form, struct problems *p)
{
	size_t count = http_form_count(req);

	if (!http_content_type_is(req, "application/x-www-form-urlencoded"))
		problems_add(p, 400, "Content-Type: must be application/x-www-form-urlencoded");
	else if (count > REPORT_PAIRS_MAX)
		problems_add(p, 400, "more than %d fields", REPORT_PAIRS_MAX);
	if (p->count > 0)
		return false;
	for (size_t i = 0; i < count; i++)
		pairs[i] = *http_form_at(req, i);
	*form = (struct report_form){ pairs, count };
	return true;
}

/* A key that identifies the report, or a guess whether it is sent again without one. */
static bool
identify(struct post *post, struct http_pair *pairs, size_t count, struct problems *p)
{
	struct item *item = &post->report.item;
	const char *key = http_header(post->req, "Idempotency-Key");

	if (key != NULL && key[0] == '\0')
		key = NULL;
	if (key != NULL && strlen(key) > KEY_CHARS_MAX) {
		problems_add(p, 400, "Idempotency-Key: longer than %d characters", KEY_CHARS_MAX);
		return false;
	}
	report_identify(item, &post->in->maker, pairs, count);
	item->source = idempotency_source;
	item->id = key;
	if (key == NULL && repeats_see(post->in->repeats, &item->identity, clock_monotonic_ms()))
		stats_incr(post->in->stats, INTAKE_STAT_POSSIBLE_REPEATS);
	return true;
}

/* Checks who is asking; answers and returns NULL when they may not. */
static const struct acl_client *
admit(struct intake *in, struct http_request *req, enum doc_format format)
{
	bool given;
	size_t body_len;
	const struct acl_client *client = open311_client(in, req, &given);

	if (!open311_knows_keys(in, req, format)
	    || !open311_within_rate(in, req, client, given, format))
		return NULL;
	if (client != NULL && acl_allows_verb(client, ACL_PUBLISH))
		return client;
	stats_incr(in->stats, INTAKE_STAT_NO_KEY);
	/* A key may well be in a body that is no form; it is not looked for there. */
	(void)http_body(req, &body_len);
	if (!given && body_len > 0
	    && !http_content_type_is(req, "application/x-www-form-urlencoded")) {
		open311_reply_error(req, format, 400,
		    "Content-Type: must be application/x-www-form-urlencoded; api_key is read from "
		    "such a form or from the query only");
		return NULL;
	}
	open311_reply_error(req, format, 403,
	    client != NULL ? "api_key: may not create requests"
	    : given        ? "api_key: not a valid key"
			   : "api_key: required");
	return NULL;
}

/* Everything that can be wrong, with the first problem's status as the answer's. */
static bool
fill(struct post *post, const struct catalogue *cat, struct problems *p)
{
	struct http_pair pairs[REPORT_PAIRS_MAX];
	struct report_form form;
	int64_t now_us = clock_now_us();
	struct item *item = &post->report.item;

	if (!copy_form(post->req, pairs, &form, p)
	    || !report_read(&post->report, &form, cat, now_us, p)
	    || !identify(post, pairs, form.count, p)) {
		stats_incr(post->in->stats, INTAKE_STAT_BAD_REQUESTS);
		return false;
	}
	item->client = post->client;
	item->traceparent = http_header(post->req, "traceparent");
	if (!numbers_take(post->in->numbers, number_year(now_us), &item->ticket_id)) {
		stats_incr(post->in->stats, INTAKE_STAT_NO_NUMBER);
		problems_add(p, 503, "No ticket number is at hand; nothing was stored.");
		return false;
	}
	if (!item_seal(item, &post->in->maker, now_us)) {
		problems_add(p, 503, "Out of memory.");
		return false;
	}
	return true;
}

void
open311_post_request(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	enum doc_format format = open311_format(req);
	struct problems p = { 0 };
	const char *why;

	const struct acl_client *client = admit(in, req, format);
	if (client == NULL)
		return;
	const struct catalogue *cat = open311_catalogue(in, req, format);
	if (cat == NULL)
		return;
	if (!intake_takes(in, 1, DOOR_BODY_BYTES, &why)) {
		stats_add_at(
		    in->stats, INTAKE_STAT_BUSY, in->writer_lost ? BUSY_AWAY : BUSY_FULL, 1);
		open311_reply_error(req, format, 503, why);
		return;
	}
	struct post *post = calloc(1, sizeof(*post));
	if (post == NULL) {
		open311_reply_error(req, format, 503, "Out of memory.");
		return;
	}
	post->in = in;
	post->req = req;
	post->format = format;
	post->taken_us = clock_monotonic_us();
	(void)memccpy(post->client, client->name, '\0', sizeof(post->client) - 1);
	report_init(&post->report, on_done);
	if (fill(post, cat, &p)) {
		accept_add(in->accept, &post->report.item, clock_monotonic_ms());
		return;
	}
	open311_reply_problems(req, format, &p);
	post_destroy(post);
}
