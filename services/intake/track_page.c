/* Shows a report to who made it: where it stands, what happened, and what they may still say. */
#include "track_page.h"

#include <string.h>

#include "base.h"
#include "html.h"
#include "istanbul.h"
#include "number.h"
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

unsigned
track_may_say(const struct catalogue *cat, int64_t status, int64_t ended_us, int64_t now_us)
{
	int64_t window_us = cat->municipality.reopen_window_days * US_PER_DAY;

	if (status <= TURUNC__V1__STATUS__STATUS_WAITING)
		return TRACK_NOTE | TRACK_WITHDRAW;
	if (status > TURUNC__V1__STATUS__STATUS_FORWARDED)
		return 0;
	return now_us - ended_us < window_us ? TRACK_NOTE | TRACK_NOT_SOLVED : TRACK_NOTE;
}

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

static void
say_form(struct html *h, const char *kind, const char *token, const char *heading,
    const char *label, const char *button)
{
	html_raw(h, "<details><summary>");
	html_text(h, heading);
	html_raw(h, "</summary>\n<form method=\"post\" action=\"/track/say?lang=");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n<input type=\"hidden\" name=\"token\" value=\"");
	html_text(h, token);
	html_raw(h, "\"><input type=\"hidden\" name=\"kind\" value=\"");
	html_text(h, kind);
	html_raw(h, "\">\n<label>");
	html_text(h, label);
	html_raw(h,
	    "<textarea name=\"text\" rows=\"4\" maxlength=\"4000\"></textarea></label>\n<button>");
	html_text(h, button);
	html_raw(h, "</button>\n</form></details>\n");
}

void
track_page_ticket(struct html *h, const struct catalogue *cat, const struct track_rows *rows,
    int64_t now_us, const char *token)
{
	const struct pg_result *t = rows->ticket;
	unsigned may = track_may_say(
	    cat, db_get_int(t, 0, TRACK_STATUS), moment(t, TRACK_ENDED), now_us);

	facts(h, cat, t);
	history(h, cat, rows->events);
	answers(h, rows->texts);
	if (may != 0)
		html_element(
		    h, "h2", NULL, html_say(h, "Söylemek istedikleriniz", "What you may say"));
	if (may & TRACK_NOT_SOLVED)
		say_form(h, "not_solved", token, html_say(h, "Sorun çözülmedi", "It is not solved"),
		    html_say(h, "Ne eksik kaldı?", "What is missing?"),
		    html_say(h, "Yeniden açılsın", "Open it again"));
	if (may & TRACK_NOTE)
		say_form(h, "follow_up", token, html_say(h, "Not ekle", "Add a note"),
		    html_say(h, "Notunuz", "Your note"), html_say(h, "Gönder", "Send"));
	if (may & TRACK_WITHDRAW)
		say_form(h, "withdraw", token,
		    html_say(h, "Başvurudan vazgeç", "Withdraw the report"),
		    html_say(h, "Nedeni (isterseniz)", "Reason (if you like)"),
		    html_say(h, "Vazgeçiyorum", "Withdraw"));
	html_raw(h, "<p class=\"hint\">");
	html_text(h, html_say(h, "Telefon: ", "Phone: "));
	html_text(h, cat->municipality.phone);
	html_raw(h, "</p>\n");
}
