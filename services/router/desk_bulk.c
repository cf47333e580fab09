/* One step for many tickets: each is a command of its own, decided and refused by itself; what can
 * be taken back is offered to be taken back. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_result.h"
#include "desk_form.h"
#include "desk_row.h"
#include "desk_visit.h"
#include "digest.h"
#include "frame.h"
#include "number.h"
#include "status_words.h"
#include "turunc/v1/bus.pb-c.h"

enum { CODE_BYTES = 72, VERSION_BYTES = 12 };

/* One of those chosen: "26-0012345-4:VERSION" or, with where to, "26-0012345-4:VERSION:fen". */
struct chosen {
	struct bulk *bulk;
	int64_t ticket_id;
	uint32_t version;
	char department[CODE_BYTES]; /* "": the form's */
	int refusal;
	char why[CHANGES_WHY_BYTES];
};

struct bulk {
	struct visit v; /* first */
	enum status_verb verb;
	size_t count, answered;
	struct chosen chosen[DESK_BULK_MAX];
};

/* --- the answer ------------------------------------------------------------------------------- */

static const char *
title(const struct bulk *b)
{
	return b->v.language == CATALOGUE_EN ? "Several tickets" : "Toplu işlem";
}

static void
outcome(struct html *h, const struct chosen *c)
{
	html_raw(h, c->refusal == 0 ? "<li class=\"done\">" : "<li class=\"refused\">");
	desk_ticket_link(h, c->ticket_id);
	html_raw(h, " ");
	html_text(h, c->refusal == 0 ? desk_done(c->bulk->verb, h->language)
				     : desk_refusal(c->refusal, c->why, h->language));
	html_raw(h, "</li>\n");
}

/* The step that takes it back. */
static enum status_verb
undoing(enum status_verb verb)
{
	return verb == VERB_ACCEPT ? VERB_RELEASE : VERB_TRANSFER;
}

/* Is there a way back, and for this person? */
static bool
may_go_back(const struct bulk *b, const struct pg_result *rows, int row)
{
	unsigned staff = ACTOR_DEPARTMENT | ACTOR_OPERATOR;
	ticket_status next;
	const char *from = db_get_text(rows, row, BACK_FROM);
	unsigned actors = asker_actors(&b->v.who, db_get_text(rows, row, BACK_DEPARTMENT));

	return (b->verb == VERB_ACCEPT || from[0] != '\0') && (actors & staff) != 0
	       && status_step((ticket_status)db_get_int(rows, row, BACK_STATUS), undoing(b->verb),
		      actors, &next)
		      == STATUS_ALLOWED;
}

static void
offer_undo(struct html *h, const struct bulk *b, const struct pg_result *rows)
{
	char number[NUMBER_SIZE], value[NUMBER_SIZE + VERSION_BYTES + CODE_BYTES];
	bool any = false;

	for (int i = 0; i < db_rows(rows); i++)
		any = any || may_go_back(b, rows, i);
	if (!any)
		return;
	form_begin(h, &b->v, "bulk", "undo");
	form_id(h, &b->v);
	html_hidden(h, "verb", status_rule(undoing(b->verb))->verb);
	if (b->verb == VERB_TRANSFER)
		html_hidden(h, "reason", "geri-alma");
	for (int i = 0; i < db_rows(rows); i++) {
		if (!may_go_back(b, rows, i)
		    || !number_format(db_get_int(rows, i, BACK_TICKET), number))
			continue;
		(void)snprintf(value, sizeof(value), "%s:%lld:%s", number,
		    (long long)db_get_int(rows, i, BACK_VERSION), db_get_text(rows, i, BACK_FROM));
		html_hidden(h, "t", value);
	}
	html_raw(h, "<button class=\"quiet\">");
	if (b->verb == VERB_TRANSFER)
		html_text(h, html_say(h, "Aktarmayı geri al", "Take the transfer back"));
	else
		html_text(h, html_say(h, "İncelemeye almayı geri al", "Take the acceptance back"));
	html_raw(h, "</button></form>\n");
}

static void
reply(struct bulk *b, const struct pg_result *rows)
{
	size_t done = 0;
	char text[160];
	struct html h;

	for (size_t i = 0; i < b->count; i++)
		done += b->chosen[i].refusal == 0 ? 1 : 0;
	page_open(&h, &b->v, title(b));
	if (b->v.language == CATALOGUE_EN)
		(void)snprintf(
		    text, sizeof(text), "Of %zu tickets, %zu were done.", b->count, done);
	else
		(void)snprintf(text, sizeof(text), "Seçilen: %zu, yapılan: %zu.", b->count, done);
	html_raw(&h, "<p class=\"notice\" role=\"status\">");
	html_text(&h, text);
	html_raw(&h, "</p>\n");
	if (rows != NULL)
		offer_undo(&h, b, rows);
	html_raw(&h, "<ul class=\"plain outcomes\">\n");
	for (size_t i = 0; i < b->count; i++)
		outcome(&h, &b->chosen[i]);
	html_raw(&h, "</ul>\n<p>");
	page_link(&h, "button", "", html_say(&h, "Başvurulara dön", "Back to the queue"));
	html_raw(&h, "</p>\n");
	page_reply(&h, &b->v, done == b->count ? 200 : 409);
}

/* What was done is done, whether or not it can be said how to undo it. */
static void
on_back(void *arg, const struct db_reply *r)
{
	reply(arg, r->outcome == DB_COMMITTED ? r->results[0] : NULL);
}

static void
all_answered(struct bulk *b)
{
	struct db *db = b->v.desk->world.reader;
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, DESK_BACK);
	struct db_array *ids = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < b->count; i++)
		if (b->chosen[i].refusal == 0)
			db_array_int8(ids, b->chosen[i].ticket_id);
	if (b->verb != VERB_RELEASE && db_submit(db, unit, on_back, b))
		return;
	db_unit_destroy(unit);
	reply(b, NULL);
}

static void
on_answered(void *arg, const struct command_answer *answer)
{
	struct chosen *c = arg;
	struct stats *stats = c->bulk->v.desk->stats;

	c->refusal = answer->refusal;
	(void)snprintf(c->why, sizeof(c->why), "%s", answer->text);
	if (c->refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION)
		stats_incr(stats, DESK_STAT_STALE);
	else if (c->refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN)
		stats_incr(stats, DESK_STAT_FORBIDDEN);
	else if (c->refusal != 0)
		stats_incr(stats, DESK_STAT_REFUSED);
	if (++c->bulk->answered == c->bulk->count)
		all_answered(c->bulk);
}

/* --- the asking ------------------------------------------------------------------------------- */

static char *
field(const struct http_request *req, const char *name)
{
	const char *value = http_form(req, name, NULL);

	return frame_lend(value == NULL ? "" : value);
}

/* The same form sent again names the same commands; another content names others. */
static void
command_id(const Turunc__V1__Command *c, const char *form_id, char text[UUID_TEXT_SIZE])
{
	static const char purpose[] = "turunc desk, several";
	const char *const parts[] = { form_id, c->ticket, c->verb, c->department, c->reason_code,
		c->text };
	struct digest_sha256 hash;
	struct digest digest;
	struct uuid id;

	digest_sha256_init(&hash);
	digest_sha256_add_part(&hash, purpose, sizeof(purpose) - 1);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		digest_sha256_add_part(&hash, parts[i], strlen(parts[i]));
	digest_sha256_add_part(&hash, &c->expected_version, sizeof(c->expected_version));
	digest_sha256_finish(&hash, &digest);
	memcpy(id.bytes, digest.bytes, sizeof(id.bytes));
	uuid_format(&id, text);
}

static void
ask(struct bulk *b, struct chosen *c)
{
	const struct http_request *req = b->v.req;
	Turunc__V1__Command command = TURUNC__V1__COMMAND__INIT;
	char number[NUMBER_SIZE], id[UUID_TEXT_SIZE];

	if (!number_format(c->ticket_id, number))
		number[0] = '\0';
	command.ticket = number;
	command.traceparent = frame_lend(http_header(req, "traceparent"));
	command.expected_version = c->version;
	command.verb = field(req, "verb");
	command.department = c->department[0] != '\0' ? c->department : field(req, "department");
	command.reason_code = b->verb == VERB_TRANSFER ? field(req, "reason") : frame_lend("");
	if (b->verb != VERB_TRANSFER)
		command.department = frame_lend("");
	command_id(&command, field(req, "id"), id);
	command.id = id;
	commands_ask(b->v.desk->world.commands, &b->v.who, &command, NULL, on_answered, c);
}

/* False: not one of ours. */
static bool
read_chosen(struct chosen *c, const char *value)
{
	char number[NUMBER_SIZE];
	const char *colon = strchr(value, ':');
	char *end;

	if (colon == NULL || (size_t)(colon - value) >= sizeof(number))
		return false;
	(void)snprintf(number, sizeof(number), "%.*s", (int)(colon - value), value);
	unsigned long version = strtoul(colon + 1, &end, 10);
	if (number_parse(number, &c->ticket_id) != NUMBER_OK || end == colon + 1
	    || version > UINT32_MAX || (*end != '\0' && *end != ':'))
		return false;
	c->version = (uint32_t)version;
	if (*end == ':' && strlen(end + 1) < sizeof(c->department))
		(void)snprintf(c->department, sizeof(c->department), "%s", end + 1);
	return true;
}

/* A ticket chosen twice counts once.  False: too many, or one that is none. */
static bool
read_all(struct bulk *b)
{
	for (size_t i = 0; i < http_form_count(b->v.req); i++) {
		const struct http_pair *pair = http_form_at(b->v.req, i);
		struct chosen one = { .bulk = b };
		bool again = false;

		if (strcmp(pair->name, "t") != 0)
			continue;
		if (b->count == DESK_BULK_MAX || !read_chosen(&one, pair->value))
			return false;
		for (size_t k = 0; k < b->count; k++)
			again = again || b->chosen[k].ticket_id == one.ticket_id;
		if (!again)
			b->chosen[b->count++] = one;
	}
	return true;
}

static void
known_bulk(void *arg, struct http_request *req, const struct person *who)
{
	struct bulk *b = visit_begin(arg, req, who, PAGE_BULK, sizeof(*b), NULL);
	size_t count;

	if (b == NULL)
		return;
	const char *verb = field(req, "verb");
	if (!status_verb_parse(verb, &b->verb)
	    || (b->verb != VERB_ACCEPT && b->verb != VERB_RELEASE && b->verb != VERB_TRANSFER)) {
		page_say(&b->v, 400, WORD_NOTHING_CHOSEN);
		return;
	}
	if (!read_all(b)) {
		page_say(&b->v, 400, WORD_TOO_MANY);
		return;
	}
	if (b->count == 0) {
		page_say(&b->v, 400, WORD_NOTHING_CHOSEN);
		return;
	}
	/* The last answer ends the visit, perhaps from within the last call. */
	count = b->count;
	for (size_t i = 0; i < count; i++)
		ask(b, &b->chosen[i]);
}

void
desk_post_bulk(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, DESK_WORKERS, known_bulk, arg);
}
