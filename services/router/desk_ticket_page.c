/* Writes one ticket: what it is, its clocks, who told it, what lies near. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "db_result.h"
#include "desk_form.h"
#include "desk_row.h"
#include "desk_ticket.h"
#include "istanbul.h"
#include "number.h"
#include "phone.h"
#include "photo_item.h"
#include "status_words.h"
#include "ticket.h"
#include "view.h"

#define MS_PER_HOUR INT64_C(3600000)

static const char *
text_at(const struct pg_result *rows, int row, int column)
{
	const char *text = db_get_text_or_null(rows, row, column);

	return text == NULL ? "" : text;
}

static void
row(struct html *h, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	html_element(h, "dt", NULL, name);
	html_element(h, "dd", NULL, value);
}

static void
row_begin(struct html *h, const char *name)
{
	html_element(h, "dt", NULL, name);
	html_raw(h, "<dd>");
}

static void
row_end(struct html *h)
{
	html_raw(h, "</dd>\n");
}

static void
time_row(struct html *h, const char *name, const struct pg_result *t, int column, bool with_time)
{
	if (db_is_null(t, 0, column) || db_get_int(t, 0, column) == 0)
		return;
	row_begin(h, name);
	html_time(h, db_get_int(t, 0, column), with_time);
	row_end(h);
}

/* --- what it is ------------------------------------------------------------------------------- */

static void
status_line(struct html *h, const struct catalogue *cat, const struct pg_result *t)
{
	const char *reason = db_get_text(t, 0, ONE_REASON);

	html_raw(h, "<p class=\"status\"><b>");
	html_text(h, status_word(db_get_int(t, 0, ONE_STATUS), h->language));
	html_raw(h, "</b> ");
	if (reason[0] != '\0')
		html_text(h, desk_reason_name(cat, reason, h->language));
	if (!db_is_null(t, 0, ONE_UNTIL) && db_get_int(t, 0, ONE_UNTIL) != 0) {
		html_raw(h, html_say(h, " · beklenen bitiş: ", " · expected end: "));
		html_time(h, db_get_int(t, 0, ONE_UNTIL) - 1, false);
	}
	if (!db_is_null(t, 0, ONE_PRIMARY) && db_get_int(t, 0, ONE_PRIMARY) != 0) {
		html_raw(h, html_say(h, " · asıl başvuru: ", " · primary ticket: "));
		desk_ticket_link(h, db_get_int(t, 0, ONE_PRIMARY));
	}
	html_raw(h, "</p>\n");
}

static void
facts(struct html *h, const struct catalogue *cat, const struct pg_result *t)
{
	const char *subject = db_get_text(t, 0, ONE_SUBJECT);

	html_raw(h, "<dl>\n");
	row(h, html_say(h, "Konu", "Subject"),
	    subject[0] == '\0' ? html_say(h, "Belirlenmedi", "Not decided")
			       : desk_subject(cat, subject, h->language));
	row(h, html_say(h, "Birim", "Department"),
	    desk_department(cat, db_get_text(t, 0, ONE_DEPARTMENT), h->language));
	row(h, html_say(h, "Öncelik", "Priority"),
	    desk_priority((int)db_get_int(t, 0, ONE_PRIORITY), h->language));
	row(h, html_say(h, "Mahalle", "Neighbourhood"),
	    desk_neighbourhood(cat, db_get_text(t, 0, ONE_NEIGHBOURHOOD)));
	row(h, html_say(h, "Kanal", "Channel"),
	    desk_channel((int)db_get_int(t, 0, ONE_CHANNEL), h->language));
	/* What the portal calls it: answers are keyed in there. */
	bool by_cimer = !db_is_null(t, 0, ONE_CIMER_REFERENCE);
	if (by_cimer) {
		row(h, html_say(h, "CİMER başvuru no", "CİMER reference"),
		    db_get_text(t, 0, ONE_CIMER_REFERENCE));
		row(h, html_say(h, "CİMER türü", "CİMER kind"), db_get_text(t, 0, ONE_CIMER_KIND));
	}
	time_row(h,
	    by_cimer ? html_say(h, "CİMER tarihi", "CİMER date")
		     : html_say(h, "Başvuru anı", "Arrived"),
	    t, ONE_ARRIVED, true);
	time_row(h, html_say(h, "Yanıtlandı", "Answered"), t, ONE_ANSWERED, true);
	time_row(h, html_say(h, "Bitti", "Ended"), t, ONE_ENDED, true);
	html_raw(h, "</dl>\n");
}

/* --- clocks ----------------------------------------------------------------------------------- */

static const char *
clock_state(const struct html *h, int64_t state)
{
	switch (state) {
	case CLOCK_RUNNING:
		return html_say(h, "işliyor", "running");
	case CLOCK_PAUSED:
		return html_say(h, "duruyor (beklemede)", "paused (waiting)");
	case CLOCK_STOPPED:
		return html_say(h, "durdu", "stopped");
	default:
		return html_say(h, "yok", "none");
	}
}

static void
clock_due(struct html *h, const struct pg_result *t, int state, int due, int64_t now_us, bool legal)
{
	int64_t due_us = db_get_int(t, 0, due);

	html_text(h, clock_state(h, db_get_int(t, 0, state)));
	html_raw(h, " · ");
	if (db_get_int(t, 0, state) == CLOCK_RUNNING)
		desk_due_write(h, due_us, now_us, legal);
	else
		html_time(h, legal ? due_us - 1 : due_us, !legal);
}

static void
clocks(struct html *h, const struct pg_result *t, int64_t now_us)
{
	char text[80];

	html_element(h, "h2", NULL, html_say(h, "Süreler", "Clocks"));
	html_raw(h, "<dl>\n");
	row_begin(h, html_say(h, "Yasal süre", "Legal"));
	if (db_is_null(t, 0, ONE_LEGAL_STATE)) {
		html_text(h, html_say(h, "Yasal süre yok", "No legal period"));
	} else {
		html_text(h, desk_basis((int)db_get_int(t, 0, ONE_LEGAL_BASIS), h->language));
		html_raw(h, ": ");
		clock_due(h, t, ONE_LEGAL_STATE, ONE_LEGAL_DUE, now_us, true);
		if (db_get_bool(t, 0, ONE_EXTENDED))
			html_raw(h, html_say(h, " · uzatıldı", " · extended"));
	}
	row_end(h);
	row_begin(h, html_say(h, "Birimin sözü", "Department’s promise"));
	if (db_is_null(t, 0, ONE_SERVICE_STATE)) {
		html_text(h, html_say(h, "Söz verilmiş süre yok", "Nothing was promised"));
	} else {
		(void)snprintf(text, sizeof(text), "%" PRId64 " ",
		    db_get_int(t, 0, ONE_SERVICE_PROMISE) / MS_PER_HOUR);
		html_text(h, text);
		html_text(h, html_say(h, "çalışma saati: ", "working hours: "));
		clock_due(h, t, ONE_SERVICE_STATE, ONE_SERVICE_DUE, now_us, false);
	}
	row_end(h);
	html_raw(h, "</dl>\n");
}

/* --- who told it ------------------------------------------------------------------------------ */

/* {"CODE": ["value", ...]} as intake wrote it; anything else is no answer. */
static const char *
code_words(const struct html *h, const char *code)
{
	if (strcmp(code, "score") == 0)
		return html_say(h, "Puan (1–5)", "Score (1–5)");
	if (strcmp(code, "solved") == 0)
		return html_say(h, "Çözüldü mü", "Is it solved");
	return code;
}

static void
answers(struct html *h, const struct catalogue *cat, const char *subject_code, const char *text)
{
	json_t *all = text[0] == '\0' ? NULL : json_loads(text, 0, NULL);
	const struct catalogue_subject *subject = catalogue_subject(cat, subject_code);
	const char *code;
	json_t *list, *value;
	size_t i;

	json_object_foreach(all, code, list)
	{
		const struct catalogue_question *q = subject == NULL
							 ? NULL
							 : catalogue_question(subject, code);
		/* Of an answer to a survey: which one it was says nothing to people. */
		if (q == NULL && strcmp(code, "survey") == 0)
			continue;
		row_begin(h,
		    q == NULL ? code_words(h, code) : catalogue_say(&q->description, h->language));
		json_array_foreach(list, i, value)
		{
			const char *key = json_is_string(value) ? json_string_value(value) : "";
			const char *name = key;
			for (size_t k = 0; q != NULL && k < q->value_count; k++)
				if (strcmp(q->values[k].key, key) == 0)
					name = catalogue_say(&q->values[k].name, h->language);
			html_raw(h, i > 0 ? ", " : "");
			html_text(h, name);
		}
		row_end(h);
	}
	json_decref(all);
}

static void
citizen(struct html *h, const struct pg_result *c, int i, bool whole)
{
	char name[VIEW_MASK_BYTES], phone[PHONE_SIZE] = "", email[VIEW_MASK_BYTES];

	if (!whole) {
		view_mask_name(text_at(c, i, CONTACT_NAME), name);
		view_mask_email(text_at(c, i, CONTACT_EMAIL), email);
		if (text_at(c, i, CONTACT_PHONE)[0] != '\0')
			phone_mask(text_at(c, i, CONTACT_PHONE), phone);
	}
	row(h, html_say(h, "Ad", "Name"), whole ? text_at(c, i, CONTACT_NAME) : name);
	row(h, html_say(h, "Telefon", "Phone"), whole ? text_at(c, i, CONTACT_PHONE) : phone);
	row(h, html_say(h, "E-posta", "E-mail"), whole ? text_at(c, i, CONTACT_EMAIL) : email);
}

/* A link that somebody sent is followed only when it is one of the web. */
static void
media(struct html *h, const char *url)
{
	if (url[0] == '\0')
		return;
	row_begin(h, html_say(h, "Bağlantı", "Link"));
	if (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) {
		html_raw(h, "<a rel=\"noreferrer noopener\" href=\"");
		html_text(h, url);
		html_raw(h, "\">");
		html_text(h, url);
		html_raw(h, "</a>");
	} else {
		html_text(h, url);
	}
	row_end(h);
}

static const char *
kind_words(const struct html *h, const char *kind)
{
	if (strcmp(kind, "report") == 0)
		return html_say(h, "Başvuran ve söyledikleri", "The citizen, and what was said");
	if (strcmp(kind, "machine") == 0)
		return html_say(h, "Otomatik sayılan bir e-posta; adresine kendiliğinden yazılmaz",
		    "An e-mail taken for a machine’s; nothing is written there by itself");
	if (strcmp(kind, "sms") == 0)
		return html_say(h, "SMS", "Text message");
	if (strcmp(kind, "withdraw") == 0)
		return html_say(h, "Başvuran vazgeçtiğini bildirdi", "The citizen withdrew");
	if (strcmp(kind, "not_solved") == 0)
		return html_say(h, "Başvuran: sorun çözülmedi", "The citizen: it is not solved");
	if (strcmp(kind, "survey") == 0)
		return html_say(h, "Başvuran memnuniyetini bildirdi",
		    "The citizen said whether they are satisfied");
	return html_say(h, "Başvuran ek bilgi verdi", "The citizen added");
}

static void
contact(struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows, int i)
{
	const struct pg_result *c = rows->contacts;
	const struct catalogue *cat = visit_catalogue(&t->v);
	const char *subject = db_get_text(rows->ticket, 0, ONE_SUBJECT);
	bool whole = asker_sees_people(&t->v.who);
	char position[64];

	html_element(h, "h2", NULL, kind_words(h, db_get_text(c, i, CONTACT_KIND)));
	if (db_get_bool(c, i, CONTACT_ERASED)) {
		html_element(h, "p", "second",
		    html_say(h, "Kişisel veriler silindi.", "Personal data was erased."));
		return;
	}
	if (!whole && catalogue_is_special(cat, subject)) {
		html_element(h, "p", "second",
		    html_say(h, "Özel nitelikli konu: söylenenleri yalnız yetkililer görür.",
			"A special category: only those in charge see what was said."));
		return;
	}
	if (text_at(c, i, CONTACT_DESCRIPTION)[0] != '\0')
		html_element(h, "p", "words", text_at(c, i, CONTACT_DESCRIPTION));
	html_raw(h, "<dl>\n");
	row(h, html_say(h, "Adres", "Address"), text_at(c, i, CONTACT_ADDRESS));
	if (!db_is_null(c, i, CONTACT_LATITUDE) && !db_is_null(c, i, CONTACT_LONGITUDE)) {
		(void)snprintf(position, sizeof(position), "%.5f, %.5f",
		    db_get_float8(c, i, CONTACT_LATITUDE), db_get_float8(c, i, CONTACT_LONGITUDE));
		row(h, html_say(h, "Konum", "Position"), position);
	}
	answers(h, cat, subject, text_at(c, i, CONTACT_ANSWERS));
	media(h, text_at(c, i, CONTACT_MEDIA));
	citizen(h, c, i, whole);
	row_begin(h, html_say(h, "Alındı", "Received"));
	html_time(h, db_get_int(c, i, CONTACT_AT), true);
	html_raw(h, " · ");
	html_text(h, desk_channel((int)db_get_int(c, i, CONTACT_CHANNEL), h->language));
	row_end(h);
	html_raw(h, "</dl>\n");
}

/* --- what lies near --------------------------------------------------------------------------- */

/* Another department's, joined to this one: that it is there, and nothing of it. */
static void
number_alone(struct html *h, int64_t ticket_id)
{
	char number[NUMBER_SIZE] = "";

	if (!number_format(ticket_id, number))
		return;
	html_raw(h, "<tr><td>");
	html_text(h, number);
	html_raw(h, " · ");
	html_text(h, html_say(h, "başka birimde", "in another department"));
	html_raw(h, "</td></tr>\n");
}

static void
list(struct html *h, const struct ticket_visit *t, const struct pg_result *rows,
    const char *heading, int64_t now_us)
{
	if (db_rows(rows) == 0)
		return;
	html_element(h, "h2", NULL, heading);
	html_raw(h, "<table class=\"queue\"><tbody>\n");
	for (int i = 0; i < db_rows(rows); i++)
		if (asker_covers(&t->v.who, db_get_text(rows, i, ROW_DEPARTMENT)))
			desk_row_write(h, visit_catalogue(&t->v), rows, i, now_us, false);
		else
			number_alone(h, db_get_int(rows, i, ROW_TICKET));
	html_raw(h, "</tbody></table>\n");
}

static void
messages(struct html *h, const struct pg_result *rows)
{
	if (db_rows(rows) == 0)
		return;
	html_element(h, "h2", NULL, html_say(h, "Başvurana gidenler", "Messages to the citizen"));
	html_raw(h, "<ul class=\"plain\">\n");
	for (int i = 0; i < db_rows(rows); i++) {
		html_raw(h, "<li>");
		html_time(h, db_get_int(rows, i, MESSAGE_AT), true);
		html_raw(h, " · ");
		html_text(h, strcmp(db_get_text(rows, i, MESSAGE_CHANNEL), "sms") == 0
				 ? "SMS"
				 : html_say(h, "e-posta", "e-mail"));
		html_raw(h, " · ");
		html_text(h, desk_message(db_get_text(rows, i, MESSAGE_ABOUT), h->language));
		html_raw(h, " · <b>");
		html_text(
		    h, desk_message_state((int)db_get_int(rows, i, MESSAGE_STATE), h->language));
		html_raw(h, "</b></li>\n");
	}
	html_raw(h, "</ul>\n");
}

static const char *
photo_words(const struct html *h, int origin)
{
	switch (origin) {
	case CHANGES_PHOTO_EVIDENCE:
		return html_say(h, "Kanıt fotoğrafı", "Evidence photo");
	case CHANGES_PHOTO_NOTE:
		return html_say(h, "Nottaki fotoğraf", "Photo of a note");
	default:
		return html_say(h, "Fotoğraf", "Photo");
	}
}

/* Below those of staff: whose they are. */
static void
photo_by(struct html *h, const struct pg_result *photos, int i)
{
	char actor[CHANGES_ACTOR_BYTES];

	if (db_get_text(photos, i, PHOTO_ACTOR)[0] == '\0')
		return;
	desk_actor(db_get_text(photos, i, PHOTO_ACTOR), h->language, actor, sizeof(actor));
	html_raw(h, "<span class=\"second\">");
	html_text(h, photo_words(h, (int)db_get_int(photos, i, PHOTO_ORIGIN)));
	html_raw(h, " · ");
	html_text(h, actor);
	html_raw(h, "</span>");
}

static struct photo_item
file_at(const struct pg_result *files, int i)
{
	struct photo_item file = { .width = db_get_int(files, i, PHOTO_WIDTH),
		.height = db_get_int(files, i, PHOTO_HEIGHT) };

	file.digest = db_get_bytea(files, i, PHOTO_DIGEST, &file.digest_len);
	return file;
}

/* The e-mails that a ticket and what was added to it came by have no width.  They say who wrote
 * them, so they are for those who may know. */
static void
raw_mails(
    struct html *h, const struct ticket_visit *t, const struct pg_result *files, int64_t now_us)
{
	bool listed = false;

	for (int i = 0; i < db_rows(files); i++) {
		struct photo_item mail = file_at(files, i);
		if (mail.width > 0)
			continue;
		if (!listed)
			html_raw(h, "<ul class=\"mails\">");
		listed = true;
		if (photo_item_mail(h, t->v.desk->world.attachments, &mail, now_us)) {
			html_text(h, html_say(h, "E-postanın aslı", "The e-mail itself"));
			html_raw(h, "</a>, ");
			html_time(h, db_get_int(files, i, PHOTO_AT), true);
			html_raw(h, "</li>");
		}
	}
	if (listed)
		html_raw(h, "</ul>\n");
}

/* The photos of a ticket, by links that are good for as long as a page is looked at. */
static void
photos(struct html *h, const struct ticket_visit *t, const struct pg_result *files, int64_t now_us)
{
	struct attachments *store = t->v.desk->world.attachments;
	int count = 0;

	for (int i = 0; i < db_rows(files); i++)
		count += db_get_int(files, i, PHOTO_WIDTH) > 0;
	if (count == 0)
		return;
	html_element(h, "h2", NULL, html_say(h, "Fotoğraflar", "Photos"));
	html_raw(h, "<ul class=\"photos\">\n");
	for (int i = 0; i < db_rows(files); i++) {
		struct photo_item photo = file_at(files, i);
		if (photo.width == 0 || !photo_item_begin(h, store, &photo, now_us))
			continue;
		html_text(h, photo_words(h, (int)db_get_int(files, i, PHOTO_ORIGIN)));
		html_raw(h, ", ");
		html_time(h, db_get_int(files, i, PHOTO_AT), true);
		photo_item_end(h);
		photo_by(h, files, i);
		html_raw(h, "</li>\n");
	}
	html_raw(h, "</ul>\n");
}

static void
files_of(
    struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows, int64_t now_us)
{
	bool hidden = catalogue_is_special(
			  visit_catalogue(&t->v), db_get_text(rows->ticket, 0, ONE_SUBJECT))
		      && !asker_sees_people(&t->v.who);

	if (t->v.desk->world.attachments == NULL || hidden)
		return;
	if (asker_sees_people(&t->v.who))
		raw_mails(h, t, rows->photos, now_us);
	photos(h, t, rows->photos, now_us);
}

/* What it follows after that was closed unsolved, and what follows it. */
static void
links(struct html *h, const struct ticket_rows *rows)
{
	int64_t me = db_get_int(rows->ticket, 0, ONE_TICKET);

	for (int i = 0; i < db_rows(rows->links); i++) {
		bool follows = db_get_int(rows->links, i, LINK_TICKET) == me;
		html_raw(h, "<p>");
		html_text(h, follows ? html_say(h, "Çözülmeden kapanan şu başvurunun devamı: ",
				 "It follows this ticket, which was closed unsolved: ")
				     : html_say(h, "Devamı olan başvuru: ", "Followed by: "));
		desk_ticket_link(
		    h, db_get_int(rows->links, i, follows ? LINK_EARLIER : LINK_TICKET));
		html_raw(h, "</p>\n");
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

static void
attempt(struct html *h, const struct ticket_visit *t)
{
	const struct ticket_attempt *a = &t->attempt;

	if (!a->made)
		return;
	html_complaint(
	    h, a->photos[0] != '\0' ? a->photos : desk_refusal(a->refusal, a->why, h->language));
	if (a->had_photos)
		html_element(h, "p", NULL,
		    html_say(h,
			"Yazdıklarınız aşağıda duruyor; fotoğrafları yeniden seçmeniz gerekir.",
			"What you wrote is kept below; the photos have to be chosen again."));
	if (a->refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION)
		html_element(h, "p", NULL,
		    html_say(h,
			"Aşağıda başvurunun şimdiki hâli var; değişenler işaretli. Yazdıklarınız "
			"duruyor: hâlâ uygunsa yeniden gönderin.",
			"Below is the ticket as it is now, with what changed marked. What you "
			"wrote is kept: send it again if it still fits."));
}

void
ticket_page_write(
    struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows, int64_t now_us)
{
	const struct catalogue *cat = visit_catalogue(&t->v);
	char version[24], number[NUMBER_SIZE];

	form_notice(h, &t->v);
	attempt(h, t);
	(void)snprintf(
	    version, sizeof(version), "%" PRId64, db_get_int(rows->ticket, 0, ONE_VERSION));
	if (!number_format(db_get_int(rows->ticket, 0, ONE_TICKET), number))
		number[0] = '\0';
	html_raw(h, "<div class=\"ticket\" data-n=\"");
	html_raw(h, number);
	html_raw(h, "\" data-v=\"");
	html_raw(h, version);
	html_raw(h, "\">\n<section class=\"about\">\n");
	status_line(h, cat, rows->ticket);
	links(h, rows);
	facts(h, cat, rows->ticket);
	clocks(h, rows->ticket, now_us);
	for (int i = 0; i < db_rows(rows->contacts); i++)
		contact(h, t, rows, i);
	files_of(h, t, rows, now_us);
	html_raw(h, "</section>\n<section class=\"steps\">\n");
	ticket_steps_write(h, t, rows);
	html_raw(h, "</section>\n<section class=\"story\">\n");
	ticket_history_write(h, t, rows);
	messages(h, rows->messages);
	html_raw(h, "</section>\n<section class=\"near\">\n");
	list(h, t, rows->joined, html_say(h, "Bununla birleştirilenler", "Joined to this one"),
	    now_us);
	list(h, t, rows->near,
	    html_say(h, "Aynı mahallede aynı konu", "Same subject, same neighbourhood"), now_us);
	html_raw(h, "</section>\n</div>\n");
}
