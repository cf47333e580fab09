/* The page of what belongs to no ticket: each message with what can be done with it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "photo_item.h"
#include "store.h"
#include "unassigned.h"

const struct unassigned_reason unassigned_reasons[UNASSIGNED_REASONS] = {
	{ "spam", { "İstenmeyen ileti", "Spam" } },
	{ "no_request", { "Bir istek içermiyor", "Asks for nothing" } },
	{ "dealt_with", { "Başka yoldan sonuçlandı", "Dealt with otherwise" } },
	{ "repeated", { "Daha önce gelen bir iletinin tekrarı", "Repeats an earlier message" } },
};
static const char *const said_words[][CATALOGUE_LANGUAGES] = {
	[SAID_NOTHING] = { "", "" },
	[SAID_MADE] = { "Başvuru açıldı:", "A ticket was made:" },
	[SAID_OFF] = { "İleti listeden çıkarıldı.", "The message is off the list." },
	[SAID_BACK] = { "İleti yeniden listede.", "The message is on the list again." },
	[SAID_AWAY] = { "Şu anda yapılamadı; hiçbir şey değişmedi. Birazdan yeniden deneyin.",
	    "It could not be done just now; nothing has changed. Try again shortly." },
	[SAID_UNKNOWN] = { "Başvurunun açılıp açılmadığı henüz bilinmiyor. Birazdan yeniden "
			   "deneyin: "
			   "açıldıysa aynı başvuru gösterilir, ikinci bir başvuru açılmaz.",
	    "It is not known yet whether the ticket was made. Try again shortly: if it was, you "
	    "are shown that one, and no second one is made." },
	[SAID_REASON] = { "İletiyi listeden çıkarmak için bir neden seçin.",
	    "Choose why the message is to be taken off the list." },
	[SAID_GONE] = { "Bu ileti artık yok.", "This message is no longer there." },
};

void
unassigned_destroy(struct unassigned *u)
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
begin_form(struct html *h, const struct unassigned *u, const char *contact)
{
	html_raw(h, "<form method=\"post\" action=\"/call/unassigned?lang=");
	html_raw(h, catalogue_language_name(h->language));
	html_raw(h, "\">");
	html_hidden(h, "csrf", u->person.csrf);
	html_hidden(h, "contact", contact);
}

static void
write_reasons(struct html *h)
{
	html_raw(h, "<label><span>");
	html_text(h, html_say(h, "Başvuru gerekmiyor:", "It needs no ticket:"));
	html_raw(h, "</span> <select name=\"dismiss\" required>");
	html_option(h, "", html_say(h, "Nedenini seçin", "Choose why"), true);
	for (size_t i = 0; i < UNASSIGNED_REASONS; i++)
		html_option(
		    h, unassigned_reasons[i].code, unassigned_reasons[i].words[h->language], false);
	html_raw(h, "</select></label> ");
}

/* Who said why, and when. */
static void
write_dismissed(struct html *h, const struct pg_result *rows, int row)
{
	const char *code = db_get_text_or_null(rows, row, LOOSE_DISMISSED_AS);

	html_raw(h, "<p class=\"hint\">");
	for (size_t i = 0; code != NULL && i < UNASSIGNED_REASONS; i++)
		if (strcmp(unassigned_reasons[i].code, code) == 0)
			html_text(h, unassigned_reasons[i].words[h->language]);
	html_raw(h, " · ");
	html_text(h, db_get_text(rows, row, LOOSE_DISMISSED_BY));
	html_raw(h, " · ");
	html_time(h, db_get_int(rows, row, LOOSE_DISMISSED), true);
	html_raw(h, "</p>\n");
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
	if (u->dismissed)
		write_dismissed(h, rows, row);
	begin_form(h, u, text);
	html_raw(h, "<button class=\"second\">");
	html_text(h, html_say(h, "Başvuru aç", "Make it a ticket"));
	html_raw(h, "</button></form>");
	begin_form(h, u, text);
	if (u->dismissed)
		html_hidden(h, "dismiss", UNASSIGNED_BACK);
	else
		write_reasons(h);
	html_raw(h, "<button class=\"second\">");
	html_text(h, u->dismissed ? html_say(h, "Listeye geri al", "Put it back on the list")
				  : html_say(h, "Listeden çıkar", "Take it off the list"));
	html_raw(h, "</button></form></li>\n");
}

static void
write_older(struct html *h, const struct unassigned *u, const struct pg_result *rows)
{
	int last = db_rows(rows) - 1;
	struct uuid contact = db_get_uuid(rows, last, LOOSE_ID);
	char text[UUID_TEXT_SIZE], path[UNASSIGNED_PATH_BYTES];

	uuid_format(&contact, text);
	(void)snprintf(path, sizeof(path), "%s?lang=%s%s&before=%" PRId64 ".%s", UNASSIGNED_PATH,
	    catalogue_language_name(h->language), u->dismissed ? "&dismissed=yes" : "",
	    db_get_int(rows, last, LOOSE_RECORDED), text);
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
	if (u->said == SAID_OFF || u->said == SAID_BACK) {
		html_raw(h, "<p class=\"done\" role=\"status\">");
		html_text(h, words);
		html_raw(h, "</p>\n");
		return;
	}
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

static void
write_introduction(struct html *h, const struct unassigned *u)
{
	const char *words =
	    u->dismissed
		? html_say(h,
		    "Başvuru gerekmediği için listeden çıkarılan iletiler; en yenisi üstte.",
		    "Messages taken off the list because they need no ticket; the newest first.")
		: html_say(h,
		    "Otomatik sayılan e-postalar ve hiçbir başvuruya bağlı olmayan SMS’ler; en "
		    "yenisi üstte. Başvuru açılan ileti bu listeden düşer. Otomatik e-postaların "
		    "adresine kendiliğinden hiçbir şey yazılmaz; yanıtı siz verirsiniz.",
		    "E-mails taken for a machine’s, and text messages that belong to no ticket; "
		    "the newest first. What a ticket is made of leaves the list. Nothing is "
		    "written by itself to the address of a machine’s e-mail: an answer is yours "
		    "to give.");

	html_element(h, "p", "hint", words);
	html_raw(h, "<p><a href=\"/call/unassigned?lang=");
	html_raw(h, catalogue_language_name(h->language));
	html_raw(h, u->dismissed ? "\">" : "&amp;dismissed=yes\">");
	html_text(
	    h, u->dismissed
		   ? html_say(h, "Başvurusuz iletilere dön", "Back to messages without a ticket")
		   : html_say(h, "Listeden çıkarılanlar", "Those taken off the list"));
	html_raw(h, "</a></p>\n");
}

void
unassigned_show(struct unassigned *u, unsigned status, const struct pg_result *rows)
{
	bool english = u->language == CATALOGUE_EN;
	struct html h = { .language = u->language };
	const struct html_page page = {
		.title = u->dismissed
			     ? (english ? "Messages off the list" : "Listeden çıkarılan iletiler")
			     : (english ? "Messages without a ticket" : "Başvurusuz iletiler"),
		.style = "/call/call.css",
		.home = "/desk/",
		.other = english ? (u->dismissed ? "/call/unassigned?lang=tr&dismissed=yes"
						 : "/call/unassigned?lang=tr")
				 : (u->dismissed ? "/call/unassigned?lang=en&dismissed=yes"
						 : "/call/unassigned?lang=en"),
	};

	html_begin_page(&h, u->language, &page);
	people_write_bar(u->in->people, &h, &u->person.who);
	write_said(&h, u);
	write_introduction(&h, u);
	if (rows != NULL && db_rows(rows) == 0)
		html_element(&h, "p", "hint", html_say(&h, "Yok.", "None."));
	if (rows != NULL && db_rows(rows) > 0) {
		html_raw(&h, "<ul class=\"loose\">\n");
		for (int row = 0; row < db_rows(rows); row++)
			write_one(&h, u, rows, row);
		html_raw(&h, "</ul>\n");
	}
	if (rows != NULL && db_rows(rows) == UNASSIGNED_ROWS)
		write_older(&h, u, rows);
	html_reply(&h, u->req, status);
	unassigned_destroy(u);
}
