/* What came by mail from machines or by SMS and belongs to no ticket: operators read it, make a
 * ticket of what needs one, and take off the list what needs none. */
#include "unassigned.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"

enum { UNASSIGNED_ROLES = PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR };
static const char unassigned_source[] = "unassigned"; /* as turunc.assign_contact() knows it */

static struct unassigned *
create(struct intake *in, struct http_request *req, const struct person *who)
{
	struct unassigned *u = calloc(1, sizeof(*u));

	if (u == NULL) {
		http_reply_error(req, 503, "Out of memory.");
		return NULL;
	}
	u->in = in;
	u->req = req;
	u->language = html_language(req);
	call_person_keep(&u->person, who);
	return u;
}

static void
say(struct unassigned *u, unsigned status, enum said said)
{
	u->said = said;
	unassigned_show(u, status, NULL);
}

static void
on_list(void *arg, const struct db_reply *reply)
{
	if (reply->outcome == DB_COMMITTED)
		unassigned_show(arg, 200, reply->results[0]);
	else
		say(arg, 503, SAID_AWAY);
}

/* Where the page before ended; without, or with what cannot be that, from the newest on. */
static void
read_before(const struct http_request *req, int64_t *ret_us, struct uuid *ret_contact)
{
	const char *text = http_query(req, "before", NULL),
		   *dot = text == NULL ? NULL : strchr(text, '.');

	*ret_us = INT64_MAX;
	*ret_contact = (struct uuid){ { 0 } };
	if (dot == NULL || dot - text > 18 || (size_t)(dot - text) != strspn(text, "0123456789")
	    || !uuid_parse(dot + 1, strlen(dot + 1), ret_contact))
		return;
	*ret_us = strtoll(text, NULL, 10);
}

static void
known_list(void *arg, struct http_request *req, const struct person *who)
{
	struct unassigned *u = create(arg, req, who);
	const char *number = http_query(req, "made", NULL);
	struct uuid contact;
	int64_t before_us, ticket_id;

	if (u == NULL)
		return;
	if (number != NULL && number_parse(number, &ticket_id) == NUMBER_OK
	    && number_format(ticket_id, u->number))
		u->said = SAID_MADE;
	else if (http_query(req, "off", NULL) != NULL)
		u->said = SAID_OFF;
	else if (http_query(req, UNASSIGNED_BACK, NULL) != NULL)
		u->said = SAID_BACK;
	u->dismissed = http_query(req, "dismissed", NULL) != NULL;
	read_before(req, &before_us, &contact);
	struct db_unit *unit = db_unit_create(u->in->reader);
	db_unit_add(unit, u->dismissed ? STORE_DISMISSED : STORE_UNASSIGNED);
	db_add_int8(unit, before_us);
	db_add_uuid(unit, &contact);
	db_add_int4(unit, UNASSIGNED_ROWS);
	if (db_submit(u->in->reader, unit, on_list, u))
		return;
	db_unit_destroy(unit);
	say(u, 503, SAID_AWAY);
}

void
unassigned_get(struct http_request *req, void *arg)
{
	struct intake *in = arg;

	people_ask(in->people, req, UNASSIGNED_ROLES, known_list, in);
}

/* --- a ticket of one ---------------------------------------------------------------------------
 */

static void
go_to_list(struct unassigned *u, const char *said, const char *of)
{
	char to[UNASSIGNED_PATH_BYTES];

	(void)snprintf(to, sizeof(to), "%s?lang=%s&%s=%s", UNASSIGNED_PATH,
	    catalogue_language_name(u->language), said, of);
	const struct http_field fields[] = { { "Location", to } };
	const struct http_response response = {
		.status = 303, .fields = fields, .field_count = ARRAY_LEN(fields)
	};
	http_reply(u->req, &response);
	unassigned_destroy(u);
}

static void
go_on(struct unassigned *u, int64_t ticket_id)
{
	char number[NUMBER_SIZE] = "";

	(void)!number_format(ticket_id, number);
	go_to_list(u, "made", number);
}

static void
on_made(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct unassigned *u = (struct unassigned *)item;
	struct intake *in = u->in;

	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	if (outcome == ITEM_ACCEPTED)
		stats_incr(in->stats, INTAKE_STAT_OPENED);
	/* Two people who ask at once: the second finds the first's. */
	if (outcome == ITEM_ACCEPTED || outcome == ITEM_DUPLICATE || outcome == ITEM_ID_REUSED)
		go_on(u, ticket_id != 0 ? ticket_id : item->ticket_id);
	else if (outcome == ITEM_REFUSED) /* erased since it was read, see assign_contact() */
		say(u, 404, SAID_GONE);
	else
		say(u, 503, item->perhaps_kept ? SAID_UNKNOWN : SAID_AWAY);
}

/* False: out of memory. */
static bool
copy(char **to, const char *text)
{
	*to = text == NULL ? NULL : strdup(text);
	return text == NULL || *to != NULL;
}

static bool
copy_contact(struct unassigned *u, const struct pg_result *rows)
{
	return copy(&u->name, db_get_text_or_null(rows, 0, LOOSE_NAME))
	       && copy(&u->phone, db_get_text_or_null(rows, 0, LOOSE_PHONE))
	       && copy(&u->email, db_get_text_or_null(rows, 0, LOOSE_EMAIL))
	       && copy(&u->words, db_get_text_or_null(rows, 0, LOOSE_WORDS))
	       && copy(&u->contact_language, db_get_text(rows, 0, LOOSE_LANGUAGE));
}

/* What was said again, as what opens a ticket; of a machine it stays a machine's, to which nothing
 * is written. */
static void
make(struct unassigned *u, const struct pg_result *rows)
{
	struct intake *in = u->in;
	struct item *item = &u->item;
	struct digest_keyed d;

	item->done = on_made;
	item->source = unassigned_source;
	item->id = u->contact_text;
	item->user = u->person.who.name;
	item->never_spooled = true;
	bool machine = strcmp(db_get_text(rows, 0, LOOSE_KIND), "machine") == 0;
	item->kind = machine ? "machine" : "report";
	item->told_before = !machine; /* that of a machine counted as nobody's word till now */
	item->type = "ticket.opened";
	item->opens = true;
	item->channel = (int16_t)db_get_int(rows, 0, LOOSE_CHANNEL);
	item->arrived_us = db_get_int(rows, 0, LOOSE_ARRIVED);
	item->time_us = clock_now_us();
	if (!copy_contact(u, rows)
	    || !numbers_take(in->numbers, number_year(item->time_us), &item->ticket_id)) {
		say(u, 503, SAID_AWAY);
		return;
	}
	item->name = u->name;
	item->phone = u->phone;
	item->email = u->email;
	item->description = u->words;
	item->language = u->contact_language;
	item->traceparent = http_header(u->req, "traceparent");
	item_identity_begin(&in->maker, &d);
	digest_keyed_add_part(&d, u->contact_text, strlen(u->contact_text));
	digest_keyed_finish(&d, &item->identity);
	if (item_seal(item, &in->maker, item->time_us))
		accept_add(in->accept, item, clock_monotonic_ms());
	else
		say(u, 503, SAID_AWAY);
}

static void
on_one(void *arg, const struct db_reply *reply)
{
	struct unassigned *u = arg;

	if (reply->outcome != DB_COMMITTED)
		say(u, 503, SAID_AWAY);
	else if (db_rows(reply->results[0]) == 0)
		say(u, 404, SAID_GONE);
	else if (!db_is_null(reply->results[0], 0, LOOSE_TICKET))
		go_on(u, db_get_int(reply->results[0], 0, LOOSE_TICKET));
	else
		make(u, reply->results[0]);
}

/* --- none of one -------------------------------------------------------------------------------
 */

static void
end_dismissing(struct unassigned *u, size_t outcome)
{
	stats_add_at(u->in->stats, INTAKE_STAT_DISMISSED, outcome, 1);
	switch (outcome) {
	case DISMISSED_OFF:
		go_to_list(u, "off", "yes");
		break;
	case DISMISSED_BACK:
		go_to_list(u, UNASSIGNED_BACK, "yes");
		break;
	case DISMISSED_GONE:
		say(u, 404, SAID_GONE);
		break;
	default:
		say(u, 503, SAID_AWAY);
	}
}

/* Whoever is told "away" after a lost answer says it again, and that changes nothing. */
static void
on_dismissed(void *arg, const struct db_reply *reply)
{
	struct unassigned *u = arg;

	if (reply->outcome != DB_COMMITTED)
		end_dismissing(u, DISMISSED_AWAY);
	else if (!db_get_bool(reply->results[0], 0, 0))
		end_dismissing(u, DISMISSED_GONE);
	else
		end_dismissing(u, u->why[0] != '\0' ? DISMISSED_OFF : DISMISSED_BACK);
}

/* False: it is no reason. */
static bool
read_reason(struct unassigned *u, const char *code)
{
	for (size_t i = 0; i < UNASSIGNED_REASONS; i++) {
		if (strcmp(unassigned_reasons[i].code, code) != 0)
			continue;
		(void)snprintf(u->why, sizeof(u->why), "%s", code);
		return true;
	}
	return strcmp(code, UNASSIGNED_BACK) == 0;
}

static void
dismiss(struct unassigned *u, const char *code)
{
	if (!read_reason(u, code)) {
		say(u, 422, SAID_REASON);
		return;
	}
	struct db_unit *unit = u->in->writer_lost ? NULL : db_unit_create(u->in->writer);
	db_unit_add(unit, STORE_DISMISS);
	db_add_uuid(unit, &u->contact);
	db_add_text(unit, u->why);
	db_add_text(unit, u->person.who.name);
	db_add_int8(unit, clock_now_us());
	if (unit != NULL && db_submit(u->in->writer, unit, on_dismissed, u))
		return;
	db_unit_destroy(unit);
	end_dismissing(u, DISMISSED_AWAY);
}

static void
known_making(void *arg, struct http_request *req, const struct person *who)
{
	struct unassigned *u = create(arg, req, who);
	const char *contact = http_form(req, "contact", NULL);
	const char *code = http_form(req, "dismiss", NULL);

	if (u == NULL)
		return;
	item_init(&u->item, on_made);
	if (contact == NULL || !uuid_parse(contact, strlen(contact), &u->contact)) {
		say(u, 404, SAID_GONE);
		return;
	}
	uuid_format(&u->contact, u->contact_text);
	if (code != NULL) {
		dismiss(u, code);
		return;
	}
	struct db_unit *unit = db_unit_create(u->in->reader);
	db_unit_add(unit, STORE_UNASSIGNED_ONE);
	db_add_uuid(unit, &u->contact);
	if (db_submit(u->in->reader, unit, on_one, u))
		return;
	db_unit_destroy(unit);
	say(u, 503, SAID_AWAY);
}

void
unassigned_post(struct http_request *req, void *arg)
{
	struct intake *in = arg;

	people_ask(in->people, req, UNASSIGNED_ROLES, known_making, in);
}
