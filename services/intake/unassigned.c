/* What came by mail from machines or by SMS and belongs to no ticket: operators read it, and make a
 * ticket of what needs one. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "door.h"
#include "photo_item.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"

enum {
	UNASSIGNED_ROLES = PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR,
	PAGE_ROWS = 50,
	PATH_BYTES = 120,
};
static const char unassigned_source[] = "unassigned"; /* as turunc.assign_contact() knows it */
static const char unassigned_path[] = "/call/unassigned";

enum said { SAID_NOTHING, SAID_MADE, SAID_AWAY, SAID_UNKNOWN, SAID_GONE };
static const char *const said_words[][CATALOGUE_LANGUAGES] = {
	[SAID_NOTHING] = { "", "" },
	[SAID_MADE] = { "Başvuru açıldı:", "A ticket was made:" },
	[SAID_AWAY] = { "Şu anda yapılamadı; hiçbir şey değişmedi. Birazdan yeniden deneyin.",
	    "It could not be done just now; nothing has changed. Try again shortly." },
	[SAID_UNKNOWN] = { "Başvurunun açılıp açılmadığı henüz bilinmiyor. Birazdan yeniden "
			   "deneyin: "
			   "açıldıysa aynı başvuru gösterilir, ikinci bir başvuru açılmaz.",
	    "It is not known yet whether the ticket was made. Try again shortly: if it was, you "
	    "are shown that one, and no second one is made." },
	[SAID_GONE] = { "Bu ileti artık yok.", "This message is no longer there." },
};

struct unassigned {
	struct item item; /* first: how accept gives it back; of a ticket to be made */
	struct intake *in;
	struct http_request *req;
	struct call_person person;
	enum catalogue_language language;
	enum said said;
	char number[NUMBER_SIZE]; /* that it is said of */
	struct uuid contact;
	char contact_text[UUID_TEXT_SIZE];
	/* The contact's, owned; NULL where it has none. */
	char *name, *phone, *email, *words, *contact_language;
};

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
destroy(struct unassigned *u)
{
	item_finish(&u->item);
	free(u->name);
	free(u->phone);
	free(u->email);
	free(u->words);
	free(u->contact_language);
	free(u);
}

/* --- the page ----------------------------------------------------------------------------------
 */

static void
write_sender(struct html *h, const struct pg_result *rows, int row)
{
	const char *name = db_get_text_or_null(rows, row, LOOSE_NAME);
	const char *phone = db_get_text_or_null(rows, row, LOOSE_PHONE);
	const char *email = db_get_text_or_null(rows, row, LOOSE_EMAIL);

	html_raw(h, "<span class=\"from\">");
	if (name != NULL) {
		html_text(h, name);
		html_raw(h, " ");
	}
	html_text(h, phone != NULL   ? phone
		     : email != NULL ? email
				     : html_say(h, "(göndereni belli değil)", "(no sender)"));
	html_raw(h, "</span>");
}

static void
write_raw(struct html *h, struct attachments *store, const struct pg_result *rows, int row)
{
	struct photo_item mail = { 0 };

	if (db_is_null(rows, row, LOOSE_RAW))
		return;
	mail.digest = db_get_bytea(rows, row, LOOSE_RAW, &mail.digest_len);
	html_raw(h, "<ul class=\"raw\">");
	if (photo_item_mail(h, store, &mail, clock_now_us())) {
		html_text(h, html_say(h, "E-postanın aslı", "The e-mail itself"));
		html_raw(h, "</a></li>");
	}
	html_raw(h, "</ul>\n");
}

static void
write_one(struct html *h, const struct unassigned *u, const struct pg_result *rows, int row)
{
	struct uuid contact = db_get_uuid(rows, row, LOOSE_ID);
	bool machine = strcmp(db_get_text(rows, row, LOOSE_KIND), "machine") == 0;
	const char *said = db_get_text_or_null(rows, row, LOOSE_WORDS);
	char text[UUID_TEXT_SIZE];

	uuid_format(&contact, text);
	html_raw(h, "<li><p><b>");
	html_text(h, machine ? html_say(h, "Otomatik e-posta", "Machine's e-mail") : "SMS");
	html_raw(h, "</b> ");
	write_sender(h, rows, row);
	html_raw(h, " <span class=\"hint\">");
	html_time(h, db_get_int(rows, row, LOOSE_ARRIVED), true);
	html_raw(h, "</span></p>\n");
	html_element(h, "p", "words", said);
	write_raw(h, u->in->attachments, rows, row);
	html_raw(h, "<form method=\"post\" action=\"/call/unassigned?lang=");
	html_raw(h, catalogue_language_name(h->language));
	html_raw(h, "\">");
	html_hidden(h, "csrf", u->person.csrf);
	html_hidden(h, "contact", text);
	html_raw(h, "<button class=\"second\">");
	html_text(h, html_say(h, "Başvuru aç", "Make it a ticket"));
	html_raw(h, "</button></form></li>\n");
}

static void
write_older(struct html *h, const struct pg_result *rows)
{
	int last = db_rows(rows) - 1;
	struct uuid contact = db_get_uuid(rows, last, LOOSE_ID);
	char text[UUID_TEXT_SIZE], path[PATH_BYTES];

	uuid_format(&contact, text);
	(void)snprintf(path, sizeof(path), "%s?lang=%s&before=%" PRId64 ".%s", unassigned_path,
	    catalogue_language_name(h->language), db_get_int(rows, last, LOOSE_RECORDED), text);
	html_raw(h, "<p><a rel=\"next\" href=\"");
	html_text(h, path);
	html_raw(h, "\">");
	html_text(h, html_say(h, "Daha eskileri", "Older ones"));
	html_raw(h, "</a></p>\n");
}

static void
write_said(struct html *h, const struct unassigned *u)
{
	const char *words = said_words[u->said][h->language];

	if (u->said == SAID_NOTHING)
		return;
	if (u->said != SAID_MADE) {
		html_complaint(h, words);
		return;
	}
	html_raw(h, "<p class=\"done\" role=\"status\">");
	html_text(h, words);
	html_raw(h, " <a class=\"number\" href=\"/desk/ticket/");
	html_text(h, u->number);
	html_raw(h, "?lang=");
	html_raw(h, catalogue_language_name(h->language));
	html_raw(h, "\">");
	html_text(h, u->number);
	html_raw(h, "</a></p>\n");
}

/* rows NULL: the record is away.  The visit is over. */
static void
show(struct unassigned *u, unsigned status, const struct pg_result *rows)
{
	bool english = u->language == CATALOGUE_EN;
	struct html h = { .language = u->language };
	const struct html_page page = {
		.title = english ? "Messages without a ticket" : "Başvurusuz iletiler",
		.style = "/call/call.css",
		.home = "/desk/",
		.other = english ? "/call/unassigned?lang=tr" : "/call/unassigned?lang=en",
	};

	html_begin_page(&h, u->language, &page);
	people_write_bar(u->in->people, &h, &u->person.who);
	write_said(&h, u);
	html_element(&h, "p", "hint",
	    html_say(&h,
		"Otomatik sayılan e-postalar ve hiçbir başvuruya bağlı olmayan SMS’ler; en yenisi "
		"üstte. Başvuru açılan ileti bu listeden düşer. Otomatik e-postaların adresine "
		"kendiliğinden hiçbir şey yazılmaz; yanıtı siz verirsiniz.",
		"E-mails taken for a machine’s, and text messages that belong to no ticket; the "
		"newest first. What a ticket is made of leaves the list. Nothing is written by "
		"itself to the address of a machine’s e-mail: an answer is yours to give."));
	if (rows != NULL && db_rows(rows) == 0)
		html_element(&h, "p", "hint", html_say(&h, "Yok.", "None."));
	if (rows != NULL && db_rows(rows) > 0) {
		html_raw(&h, "<ul class=\"loose\">\n");
		for (int row = 0; row < db_rows(rows); row++)
			write_one(&h, u, rows, row);
		html_raw(&h, "</ul>\n");
	}
	if (rows != NULL && db_rows(rows) == PAGE_ROWS)
		write_older(&h, rows);
	html_reply(&h, u->req, status);
	destroy(u);
}

static void
say(struct unassigned *u, unsigned status, enum said said)
{
	u->said = said;
	show(u, status, NULL);
}

static void
on_list(void *arg, const struct db_reply *reply)
{
	if (reply->outcome == DB_COMMITTED)
		show(arg, 200, reply->results[0]);
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
	read_before(req, &before_us, &contact);
	struct db_unit *unit = db_unit_create(u->in->reader);
	db_unit_add(unit, STORE_UNASSIGNED);
	db_add_int8(unit, before_us);
	db_add_uuid(unit, &contact);
	db_add_int4(unit, PAGE_ROWS);
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
go_on(struct unassigned *u, int64_t ticket_id)
{
	char to[PATH_BYTES], number[NUMBER_SIZE] = "";

	(void)!number_format(ticket_id, number);
	(void)snprintf(to, sizeof(to), "%s?lang=%s&made=%s", unassigned_path,
	    catalogue_language_name(u->language), number);
	const struct http_field fields[] = { { "Location", to } };
	const struct http_response response = {
		.status = 303, .fields = fields, .field_count = ARRAY_LEN(fields)
	};
	http_reply(u->req, &response);
	destroy(u);
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

static void
known_making(void *arg, struct http_request *req, const struct person *who)
{
	struct unassigned *u = create(arg, req, who);
	const char *contact = http_form(req, "contact", NULL);

	if (u == NULL)
		return;
	item_init(&u->item, on_made);
	if (contact == NULL || !uuid_parse(contact, strlen(contact), &u->contact)) {
		say(u, 404, SAID_GONE);
		return;
	}
	uuid_format(&u->contact, u->contact_text);
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
