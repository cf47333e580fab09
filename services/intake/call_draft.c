/* Keeps what a call-taker typed, so that it outlives the browser and this service. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "log.h"
#include "store.h"

enum { DRAFT_BYTES_MAX = 32768 };

struct saving {
	struct intake *in;
	call_draft_fn *done; /* NULL: nobody waits */
	void *arg;
};

static void
on_saved(void *arg, const struct db_reply *reply)
{
	struct saving *s = arg;
	bool kept = reply->outcome == DB_COMMITTED;

	stats_add_at(s->in->stats, INTAKE_STAT_DRAFTS, kept ? DRAFT_KEPT : DRAFT_LOST, 1);
	if (reply->outcome == DB_FAILED)
		log_warn("draft not kept, the browser still has it sqlstate=%s", reply->sqlstate);
	if (s->done != NULL)
		s->done(s->arg, kept);
	free(s);
}

/* Without what belongs to the session. */
static bool
encode(const struct http_request *req, struct evbuffer *out)
{
	static const char *const left_out[] = { "csrf", "disposition", "join", "q" };

	for (size_t i = 0; i < http_form_count(req); i++) {
		const struct http_pair *pair = http_form_at(req, i);
		bool leave = pair->value[0] == '\0';
		for (size_t k = 0; k < ARRAY_LEN(left_out); k++)
			leave = leave || strcmp(pair->name, left_out[k]) == 0;
		if (leave)
			continue;
		char *name = evhttp_uriencode(pair->name, -1, true);
		char *value = evhttp_uriencode(pair->value, -1, true);
		bool added = name != NULL && value != NULL
			     && evbuffer_add_printf(out, "%s%s=%s",
				    evbuffer_get_length(out) > 0 ? "&" : "", name, value)
				    > 0;
		free(name);
		free(value);
		if (!added)
			return false;
	}
	return evbuffer_get_length(out) <= DRAFT_BYTES_MAX;
}

/* fields NULL: it is done with. */
static bool
submit(struct intake *in, const char *agent, const char *form_id, const char *caller,
    const char *fields, size_t len, call_draft_fn *done, void *arg)
{
	struct saving *s = malloc(sizeof(*s));
	struct db_unit *unit = s == NULL || in->writer_lost ? NULL : db_unit_create(in->writer);

	db_unit_add(unit, STORE_DRAFT);
	db_add_text(unit, agent);
	db_add_text(unit, form_id);
	db_add_int8(unit, clock_now_us());
	db_add_text(unit, caller);
	if (fields == NULL)
		db_add_null(unit);
	else
		db_add_text_len(unit, fields, len);
	if (s != NULL)
		*s = (struct saving){ in, done, arg };
	if (unit != NULL && db_submit(in->writer, unit, on_saved, s))
		return true;
	db_unit_destroy(unit);
	free(s);
	stats_add_at(in->stats, INTAKE_STAT_DRAFTS, DRAFT_LOST, 1);
	return false;
}

bool
call_draft_save(struct intake *in, const struct http_request *req, const char *agent,
    const char *form_id, call_draft_fn *done, void *arg)
{
	struct evbuffer *out = evbuffer_new();
	struct phone phone;
	const char *typed = http_form(req, "phone", NULL);
	bool known = typed != NULL && phone_parse(typed, &phone) == PHONE_OK, sent = false;

	if (out != NULL && encode(req, out)) {
		size_t len = evbuffer_get_length(out);
		const char *text = (const char *)evbuffer_pullup(out, -1);
		sent = submit(in, agent, form_id, known ? phone.number : "",
		    text == NULL ? "" : text, len, done, arg);
	}
	if (out != NULL)
		evbuffer_free(out);
	return sent;
}

void
call_draft_drop(struct intake *in, const char *agent, const char *form_id)
{
	(void)submit(in, agent, form_id, "", NULL, 0, NULL, NULL);
}

/* --- from scripts -------------------------------------------------------------------------------
 */

static void
on_posted(void *arg, bool kept)
{
	struct http_request *req = arg;

	if (!kept) {
		http_reply_error(req, 503, "Not kept.");
		return;
	}
	const struct http_response response = { .status = 204 };
	http_reply(req, &response);
}

static void
on_known(void *arg, struct http_request *req, const struct person *who)
{
	struct intake *in = arg;
	const char *token = http_form(req, "token", NULL);
	char form_id[FORM_ID_SIZE];
	int64_t nothing;

	if (token == NULL
	    || !form_token_read(
		in->secret, sizeof(in->secret), token, clock_now_us(), &nothing, form_id))
		http_reply_error(req, 400, "Not a form of ours, or over.");
	else if (!call_draft_save(in, req, who->name, form_id, on_posted, req))
		http_reply_error(req, 503, "Not kept.");
}

void
call_post_draft(struct http_request *req, void *arg)
{
	struct intake *in = arg;

	people_ask(in->people, req, CALL_ROLES, on_known, in);
}
