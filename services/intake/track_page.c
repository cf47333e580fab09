/* Shows a report to who made it: where it stands, what happened, and what they may still say. */
#include "track_page.h"

#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "base.h"
#include "html.h"
#include "istanbul.h"
#include "number.h"
#include "photo_item.h"
#include "report_page.h"
#include "status_words.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"

static const char *const words[TRACK_WORDS][CATALOGUE_LANGUAGES] = {
	[TRACK_TITLE] = { "Başvurunuz ne durumda?", "Where does your report stand?" },
	[TRACK_NOT_FOUND] = { "Bu numara ile bu dört rakama uyan bir başvuru yok. Numarayı ve "
			      "başvuruda verdiğiniz telefonun son dört rakamını denetleyin.",
	    "No report has this number together with these four digits. Check the number, and the "
	    "last "
	    "four digits of the phone that you gave with the report." },
	[TRACK_TOO_MANY] = { "Çok sık denendi. Bir dakika sonra yeniden deneyin.",
	    "Tried too often. Try again in a minute." },
	[TRACK_AWAY] = { "Kayıtlara şu anda ulaşılamıyor; başvurunuz güvende. Birazdan yeniden "
			 "deneyin.",
	    "The record cannot be reached at the moment; your report is safe. Try again shortly." },
	[TRACK_OVER] = { "Bu sayfanın süresi doldu. Başvurunuzu yeniden açın.",
	    "This page has expired. Look up your report again." },
	[TRACK_NOT_NOW] = { "Başvurunun durumu bu arada değişti; bu artık yapılamaz.",
	    "The report has moved on meanwhile; this is no longer possible." },
	[TRACK_EMPTY] = { "Bir şey yazmadınız.", "You have not written anything." },
	[TRACK_TOO_LONG] = { "Yazdığınız çok uzun: en çok 4.000 karakter.",
	    "What you wrote is too long: 4,000 characters at most." },
	[TRACK_LINKED] = { "Yeni bir başvuru açıldı", "A new report was opened" },
	[TRACK_RECORDED] = { "Söylediğiniz kaydedildi.", "What you said has been recorded." },
	[TRACK_BACK] = { "Başvuruya dön", "Back to the report" },
};

const char *
track_word(enum track_word word, enum catalogue_language language)
{
	return words[word][language];
}

void
track_page_form(struct html *h, const char *number, const char *complaint)
{
	if (complaint != NULL)
		html_complaint(h, complaint);
	html_raw(h, "<form method=\"post\" action=\"/track?lang=");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n<label>");
	html_text(h, html_say(h, "Başvuru numarası", "Number of the report"));
	html_raw(h, "<input name=\"no\" required maxlength=\"20\" autocomplete=\"off\" "
		    "inputmode=\"numeric\" placeholder=\"26-0012345-4\" value=\"");
	html_text(h, number);
	html_raw(h, "\"></label>\n<label>");
	html_text(
	    h, html_say(h, "Telefonunuzun son dört rakamı", "Last four digits of your phone"));
	html_raw(h, "<input name=\"digits\" required minlength=\"4\" maxlength=\"4\" "
		    "pattern=\"[0-9]{4}\" inputmode=\"numeric\" autocomplete=\"off\"></label>\n"
		    "<button>");
	html_text(h, html_say(h, "Göster", "Show"));
	html_raw(h, "</button>\n</form>\n");
	html_element(h, "p", "hint",
	    html_say(h,
		"Numara, başvuruyu aldığımızda size verildi ve her iletimizde yazar. Telefon "
		"vermediyseniz "
		"başvurunuzu ancak telefonla sorabilirsiniz.",
		"You were given the number when we received the report, and every message of ours "
		"has it. "
		"If you gave no phone, you can only ask by phone."));
}

/* --- one ticket ---------------------------------------------------------------------------------
 */

static void
row(struct html *h, const char *name, const char *value)
{
	html_element(h, "dt", NULL, name);
	html_element(h, "dd", NULL, value);
}

static int64_t
moment(const struct pg_result *rows, int column)
{
	return db_is_null(rows, 0, column) ? 0 : db_get_int(rows, 0, column);
}

int64_t
track_follower(const struct pg_result *links)
{
	for (int i = 0; i < db_rows(links); i++)
		if (db_get_bool(links, i, TRACK_LINK_LATER))
			return db_get_int(links, i, TRACK_LINK_TICKET);
	return 0;
}

/* Closed after a department had said that it was done, or not to be done. */
static bool
was_judged(const struct pg_result *ticket)
{
	static const char *const types[] = { "ticket.resolved", "ticket.rejected",
		"ticket.forwarded" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(db_get_text(ticket, 0, TRACK_ENDED_AS), types[i]) == 0)
			return true;
	return false;
}

unsigned
track_may_say(const struct catalogue *cat, const struct pg_result *ticket,
    const struct pg_result *links, int64_t now_us)
{
	int64_t window_us = cat->municipality.reopen_window_days * US_PER_DAY;
	int64_t status = db_get_int(ticket, 0, TRACK_STATUS);

	if (status <= TURUNC__V1__STATUS__STATUS_WAITING)
		return TRACK_NOTE | TRACK_WITHDRAW;
	if (status == TURUNC__V1__STATUS__STATUS_CLOSED)
		return was_judged(ticket) && track_follower(links) == 0 ? TRACK_FOLLOW : 0;
	if (status > TURUNC__V1__STATUS__STATUS_FORWARDED)
		return 0;
	return now_us - moment(ticket, TRACK_ENDED) < window_us ? TRACK_NOTE | TRACK_NOT_SOLVED
								: TRACK_NOTE;
}

static void
time_row(struct html *h, const char *name, int64_t at_us, bool with_time)
{
	if (at_us <= 0)
		return;
	html_element(h, "dt", NULL, name);
	html_raw(h, "<dd>");
	html_time(h, at_us, with_time);
	html_raw(h, "</dd>\n");
}

static const char *
department_name(const struct html *h, const struct catalogue *cat, const char *code)
{
	const struct catalogue_department *d = code[0] == '\0' ? NULL
							       : catalogue_department(cat, code);
	return d == NULL ? code : catalogue_say(&d->name, h->language);
}

static void
facts(struct html *h, const struct catalogue *cat, const struct pg_result *t)
{
	const char *code = db_get_text(t, 0, TRACK_SUBJECT);
	const struct catalogue_subject *subject = catalogue_subject(cat, code);
	const char *department = db_get_text(t, 0, TRACK_DEPARTMENT);
	const struct catalogue_reason *reason = catalogue_closure_reason(
	    cat, db_get_text(t, 0, TRACK_REASON));
	char number[NUMBER_SIZE];

	if (reason == NULL)
		reason = catalogue_wait_reason(cat, db_get_text(t, 0, TRACK_REASON));
	if (!number_format(db_get_int(t, 0, TRACK_TICKET_ID), number))
		number[0] = '\0';
	html_raw(h, "<p class=\"status\"><b>");
	html_text(h, status_word(db_get_int(t, 0, TRACK_STATUS), h->language));
	html_raw(h, "</b>");
	if (reason != NULL) {
		html_raw(h, " ");
		html_text(h, catalogue_say(&reason->name, h->language));
	}
	html_raw(h, "</p>\n<dl>\n");
	row(h, html_say(h, "Numara", "Number"), number);
	row(h, html_say(h, "Konu", "Subject"),
	    subject != NULL ? catalogue_say(&subject->name, h->language)
			    : html_say(h, "Henüz belirlenmedi", "Not decided yet"));
	if (department[0] != '\0')
		row(h, html_say(h, "Birim", "Department"), department_name(h, cat, department));
	time_row(h, html_say(h, "Alındığı an", "Received"), moment(t, TRACK_ARRIVED), true);
	time_row(h, html_say(h, "Birimin sözü", "Promised by the department"),
	    moment(t, TRACK_SERVICE_DUE), true);
	/* It is the midnight that ends its last day, and people call it by that day. */
	time_row(h, html_say(h, "Yasal son gün", "Last day by law"), moment(t, TRACK_LEGAL_DUE) - 1,
	    false);
	html_raw(h, "</dl>\n");
}

/* Whoever refuses says where one may turn, and until when (Constitution, art. 40; Law 4982, art.
 * 12), also to those who were told by an SMS, which has no room for it. */
static void
remedies(struct html *h, const struct pg_result *t)
{
	int64_t status = db_get_int(t, 0, TRACK_STATUS);
	const char *ended_as = db_get_text(t, 0, TRACK_ENDED_AS);
	bool closed_so = status == TURUNC__V1__STATUS__STATUS_CLOSED
			 && strcmp(ended_as, "ticket.rejected") == 0;

	if (status != TURUNC__V1__STATUS__STATUS_REJECTED && !closed_so)
		return;
	html_element(h, "h2", NULL,
	    html_say(h, "Karara karşı başvuru yolları", "What you may do against the decision"));
	html_element(h, "p", NULL,
	    html_say(h,
		"Kararın size bildirildiği günden başlayarak: bilgi edinme başvurularında on beş "
		"gün içinde Bilgi Edinme Değerlendirme Kuruluna itiraz edebilirsiniz (4982 sayılı "
		"Kanun, m. 13); kişisel verilerinize ilişkin başvurularda otuz gün içinde Kişisel "
		"Verileri Koruma Kuruluna şikâyette bulunabilirsiniz (6698 sayılı Kanun, m. 14); "
		"idari işlem niteliğindeki kararlarda altmış gün içinde idare mahkemesinde dava "
		"açabilirsiniz (2577 sayılı Kanun, m. 7).",
		"Counted from the day on which you are told of the decision, you may: object to "
		"the "
		"Board of Review of Access to Information within fifteen days, where it is about a "
		"request for information (Law 4982, art. 13); complain to the Personal Data "
		"Protection Board within thirty days, where it is about your personal data (Law "
		"6698, art. 14); bring an action before the administrative court within sixty "
		"days, "
		"where it is an administrative act (Law 2577, art. 7)."));
}

static void
history(struct html *h, const struct catalogue *cat, const struct pg_result *events)
{
	html_element(h, "h2", NULL, html_say(h, "Neler oldu?", "What happened"));
	html_raw(h, "<ol>\n");
	for (int i = 0; i < db_rows(events); i++) {
		const char *type = db_get_text(events, i, TRACK_EVENT_TYPE);
		const char *sentence = status_event_words(type, h->language);
		const char *department = db_get_text(events, i, TRACK_EVENT_DEPARTMENT);
		if (sentence == NULL)
			continue;
		html_raw(h, "<li><b>");
		html_text(h, sentence);
		html_raw(h, "</b><span class=\"second\">");
		html_time(h, db_get_int(events, i, TRACK_EVENT_AT), true);
		if (department[0] != '\0') {
			html_raw(h, " · ");
			html_text(h, department_name(h, cat, department));
		}
		html_raw(h, "</span></li>\n");
	}
	html_raw(h, "</ol>\n");
}

static void
answers(struct html *h, const struct pg_result *texts)
{
	if (db_rows(texts) == 0)
		return;
	html_element(h, "h2", NULL, html_say(h, "Size yazılanlar", "What was written to you"));
	for (int i = 0; i < db_rows(texts); i++) {
		html_raw(h, "<blockquote><p class=\"words\">");
		html_text(h, db_get_text(texts, i, TRACK_TEXT_BODY));
		html_raw(h, "</p><p class=\"second\">");
		html_time(h, db_get_int(texts, i, TRACK_TEXT_AT), true);
		html_raw(h, "</p></blockquote>\n");
	}
}

/* --- photos, messages, links --------------------------------------------------------------------
 */

static void
photos_of(struct html *h, struct attachments *store, const struct pg_result *rows, bool evidence,
    int64_t now_us)
{
	bool any = false;

	for (int i = 0; i < db_rows(rows); i++)
		any = any || db_get_bool(rows, i, TRACK_PHOTO_EVIDENCE) == evidence;
	if (!any)
		return;
	html_element(h, "h2", NULL,
	    evidence ? html_say(h, "Yapılan işin fotoğrafları", "Photos of the work done")
		     : html_say(h, "Fotoğraflarınız", "Your photos"));
	html_raw(h, "<ul class=\"photos\">\n");
	for (int i = 0; i < db_rows(rows); i++) {
		if (db_get_bool(rows, i, TRACK_PHOTO_EVIDENCE) != evidence)
			continue;
		struct photo_item photo = { .width = db_get_int(rows, i, TRACK_PHOTO_WIDTH),
			.height = db_get_int(rows, i, TRACK_PHOTO_HEIGHT) };
		photo.digest = db_get_bytea(rows, i, TRACK_PHOTO_DIGEST, &photo.digest_len);
		if (!photo_item_begin(h, store, &photo, now_us))
			continue;
		html_text(h, html_say(h, "Fotoğraf, ", "Photo, "));
		html_time(h, db_get_int(rows, i, TRACK_PHOTO_AT), true);
		photo_item_end(h);
		html_raw(h, "</li>\n");
	}
	html_raw(h, "</ul>\n");
}

static const char *
message_state(const struct html *h, int64_t state)
{
	switch (state) {
	case 1:
	case 2:
		return html_say(h, "gönderilecek", "to be sent");
	case 3:
		return html_say(h, "gönderildi", "sent");
	case 4:
		return html_say(
		    h, "gönderildi, ulaştığı bilinmiyor", "sent, not known to have arrived");
	case 5:
		return html_say(h, "gönderilemedi", "could not be sent");
	case 6:
		return html_say(h, "size ulaştı", "arrived");
	default:
		return "";
	}
}

static void
messages_of(struct html *h, const struct pg_result *rows)
{
	if (db_rows(rows) == 0)
		return;
	html_element(h, "h2", NULL, html_say(h, "Size gönderilen iletiler", "Messages to you"));
	html_raw(h, "<ol>\n");
	for (int i = 0; i < db_rows(rows); i++) {
		const char *channel = db_get_text(rows, i, TRACK_MESSAGE_CHANNEL);
		const char *about = status_event_words(
		    db_get_text(rows, i, TRACK_MESSAGE_ABOUT), h->language);
		html_raw(h, "<li><b>");
		html_text(
		    h, strcmp(channel, "sms") == 0 ? "SMS" : html_say(h, "E-posta", "E-mail"));
		html_raw(h, "</b><span class=\"second\">");
		html_time(h, db_get_int(rows, i, TRACK_MESSAGE_AT), true);
		html_raw(h, " · ");
		html_text(h, message_state(h, db_get_int(rows, i, TRACK_MESSAGE_STATE)));
		if (about != NULL) {
			html_raw(h, " · ");
			html_text(h, about);
		}
		html_raw(h, "</span></li>\n");
	}
	html_raw(h, "</ol>\n");
}

void
track_page_number(struct html *h, const char *words_before, int64_t ticket_id)
{
	char number[NUMBER_SIZE];

	if (!number_format(ticket_id, number))
		number[0] = '\0';
	html_raw(h, "<p class=\"hint\">");
	html_text(h, words_before);
	html_raw(h, " <a href=\"/track?no=");
	html_text(h, number);
	html_raw(h, h->language == CATALOGUE_EN ? "&amp;lang=en\">" : "&amp;lang=tr\">");
	html_text(h, number);
	html_raw(h, "</a></p>\n");
}

static void
links_of(struct html *h, const struct pg_result *rows)
{
	for (int i = 0; i < db_rows(rows); i++)
		track_page_number(h,
		    db_get_bool(rows, i, TRACK_LINK_LATER)
			? html_say(h, "Çözülmediği için açılan yeni başvuru:",
			    "Opened since this was not solved:")
			: html_say(h, "Kapanan önceki başvuru:", "The closed report before:"),
		    db_get_int(rows, i, TRACK_LINK_TICKET));
}

/* --- what may be said ---------------------------------------------------------------------------
 */

static const struct say {
	enum track_say what;
	const char *kind;
	bool photos;
	const char *heading[CATALOGUE_LANGUAGES];
	const char *label[CATALOGUE_LANGUAGES];
	const char *button[CATALOGUE_LANGUAGES];
	const char *hint[CATALOGUE_LANGUAGES]; /* NULL: none */
} says[] = {
	{ TRACK_NOT_SOLVED, "not_solved", true, { "Sorun çözülmedi", "It is not solved" },
	    { "Ne eksik kaldı?", "What is missing?" }, { "Yeniden açılsın", "Open it again" },
	    { NULL, NULL } },
	{ TRACK_FOLLOW, "not_solved", true, { "Sorun çözülmedi", "It is not solved" },
	    { "Ne eksik kaldı?", "What is missing?" }, { "Yeni başvuru aç", "Open a new report" },
	    { "Bu başvuru kapandı. Aynı konu ve adresle, buna bağlı yeni bir başvuru açılır.",
		"This report is closed. A new one opens, linked to it, with its subject and "
		"address." } },
	{ TRACK_NOTE, "follow_up", true, { "Not ya da fotoğraf ekle", "Add a note or photo" },
	    { "Notunuz", "Your note" }, { "Gönder", "Send" }, { NULL, NULL } },
	{ TRACK_WITHDRAW, "withdraw", false, { "Başvurudan vazgeç", "Withdraw the report" },
	    { "Nedeni (isterseniz)", "Reason (if you like)" }, { "Vazgeçiyorum", "Withdraw" },
	    { NULL, NULL } },
};

static void
say_form(struct html *h, const struct say *say, const struct track_form *form)
{
	html_raw(h, form->text == NULL ? "<details><summary>" : "<details open><summary>");
	html_text(h, say->heading[h->language]);
	html_raw(h, "</summary>\n");
	if (say->hint[h->language] != NULL)
		html_element(h, "p", "hint", say->hint[h->language]);
	html_raw(h, "<form method=\"post\" enctype=\"multipart/form-data\" "
		    "action=\"/track/say?lang=");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n<input type=\"hidden\" name=\"token\" value=\"");
	html_text(h, form->token);
	html_raw(h, "\"><input type=\"hidden\" name=\"kind\" value=\"");
	html_text(h, say->kind);
	html_raw(h, "\">\n<label>");
	html_text(h, say->label[h->language]);
	html_raw(h, "<textarea name=\"text\" rows=\"4\" maxlength=\"4000\">\n");
	html_text(h, form->text);
	html_raw(h, "</textarea></label>\n");
	if (say->photos)
		report_page_photos(h, form->photo_mb);
	html_raw(h, "<button>");
	html_text(h, say->button[h->language]);
	html_raw(h, "</button>\n</form></details>\n");
}

void
track_page_say(struct html *h, enum track_say what, const struct track_form *form)
{
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		if (says[i].what == what)
			say_form(h, &says[i], form);
}

void
track_page_ticket(struct html *h, const struct catalogue *cat, const struct track_rows *rows,
    struct attachments *photos, int64_t now_us, const struct track_form *form)
{
	unsigned may = track_may_say(cat, rows->ticket, rows->links, now_us);

	facts(h, cat, rows->ticket);
	remedies(h, rows->ticket);
	links_of(h, rows->links);
	history(h, cat, rows->events);
	answers(h, rows->texts);
	photos_of(h, photos, rows->photos, true, now_us);
	photos_of(h, photos, rows->photos, false, now_us);
	messages_of(h, rows->messages);
	if (may != 0)
		html_element(
		    h, "h2", NULL, html_say(h, "Söylemek istedikleriniz", "What you may say"));
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		if (may & says[i].what)
			say_form(h, &says[i], form);
	if (may != 0)
		report_page_script(h);
	html_raw(h, "<p class=\"hint\">");
	html_text(h, html_say(h, "Telefon: ", "Phone: "));
	html_text(h, cat->municipality.phone);
	html_raw(h, "</p>\n");
}
