/* Writes the call-taker's page and its parts. */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "call_tickets.h"
#include "clock.h"
#include "http.h"
#include "istanbul.h"
#include "report_page.h"
#include "store.h"

static const char *const words[CALL_WORDS][CATALOGUE_LANGUAGES] = {
	[CALL_WORD_TICKET] = { "Kayıt açıldı. Numarayı arayana söyleyin:",
	    "Registered. Tell the caller the number:" },
	[CALL_WORD_JOINED] = { "Arayan bu kayda eklendi; sonucu ona da bildirilecek:",
	    "The caller was joined to this ticket, and will hear of its end:" },
	[CALL_WORD_UNTOLD] = { "Arayan bu kayda eklendi, ama sonucu ona iletilmeyecek: belli ise "
			       "şimdi siz söyleyin, numarayı da verin:",
	    "The caller was joined to this ticket, but no message of its end will reach them: tell "
	    "them how it ended, if it has, and the number:" },
	[CALL_WORD_ENDED] = { "Çağrı bitirildi.", "The call is done with." },
	[CALL_WORD_LATER] = { "Alındı. Kayıt sistemine şu anda ulaşılamıyor; ulaşılınca "
			      "kendiliğinden "
			      "işlenecek. Numara geçerlidir:",
	    "Taken. The record cannot be reached just now; it will be written there by itself. The "
	    "number is valid:" },
	[CALL_WORD_AWAY] = { "Kayıt sistemine şu anda ulaşılamıyor: arama yapılamaz, ama yeni "
			     "kayıt "
			     "açabilirsiniz.",
	    "The record cannot be reached just now: nothing can be looked up, but you can "
	    "register." },
	[CALL_WORD_BUSY] = { "Şu anda alınamadı; hiçbir şey kaydedilmedi. Yazdıklarınız duruyor, "
			     "yeniden "
			     "gönderin.",
	    "It could not be taken just now; nothing was stored. What you typed is still here: "
	    "send it "
	    "again." },
	[CALL_WORD_HALF] = { "Kayıt alındı, ama çağrı bitirilemedi. Formu bir kez daha gönderin; "
			     "ikinci kayıt "
			     "açılmaz.",
	    "The ticket was taken, but the call could not be finished. Send the form once more; "
	    "there will "
	    "be no second ticket." },
	[CALL_WORD_STARTING] = { "Hizmet başlıyor. Birazdan yeniden deneyin.",
	    "The service is starting. Try again shortly." },
	[CALL_WORD_OVER] = { "Bu form daha önce başka bilgilerle gönderildi ya da süresi doldu.",
	    "This form was sent before with other words, or has expired." },
	[CALL_WORD_MISHEARD] = { "Numaranın son hanesi tutmuyor: bir rakam yanlış duyulmuş "
				 "olabilir.",
	    "The number's last digit does not fit: a digit may have been misheard." },
	[CALL_WORD_NOT_FOUND] = { "Bulunamadı.", "Nothing was found." },
	[CALL_WORD_BROAD] = { "Arama çok uzun sürdü: daha az rastlanan bir sözcük ekleyin.",
	    "The search took too long: add a word that is less common." },
	[CALL_WORD_WHICH] = { "Hangi kayda ekleneceği belli değil.",
	    "It is not clear which ticket to join." },
};

static const char *
language_query(const struct html *h)
{
	return h->language == CATALOGUE_EN ? "?lang=en" : "?lang=tr";
}

static void
button(struct html *h, const char *class, const char *action, const char *name, const char *value,
    const char *key, const char *text)
{
	html_raw(h, "<button class=\"");
	html_raw(h, class);
	html_raw(h, "\" formaction=\"/call/");
	html_raw(h, action);
	html_raw(h, language_query(h));
	if (name != NULL) {
		html_raw(h, "\" name=\"");
		html_raw(h, name);
		html_raw(h, "\" value=\"");
		html_text(h, value);
	}
	if (key != NULL) {
		html_raw(h, "\" data-key=\"");
		html_raw(h, key);
	}
	html_raw(h, "\">");
	html_text(h, text);
	html_raw(h, "</button>\n");
}

/* --- calls ---------------------------------------------------------------------------------------
 */

static const char *
state_of(const struct html *h, const struct pg_result *rows, int row)
{
	if (db_is_null(rows, row, CALL_ANSWERED))
		return html_say(h, "Çalıyor", "Ringing");
	return db_is_null(rows, row, CALL_ENDED) ? html_say(h, "Görüşülüyor", "Talking")
						 : html_say(h, "Bitirilecek", "To finish");
}

static void
write_call(struct html *h, const struct pg_result *rows, int row)
{
	struct uuid key = db_get_uuid(rows, row, CALL_KEY);
	const char *caller = db_get_text_or_null(rows, row, CALL_CALLER);
	bool ringing = db_is_null(rows, row, CALL_ANSWERED);
	char text[UUID_TEXT_SIZE];

	uuid_format(&key, text);
	html_raw(h, ringing ? "<li class=\"ringing\"><a href=\"/call/" : "<li><a href=\"/call/");
	html_raw(h, language_query(h));
	html_raw(h, "&amp;call=");
	html_raw(h, text);
	html_raw(h, "\"><b>");
	html_text(h, state_of(h, rows, row));
	html_raw(h, "</b> ");
	html_text(h, caller == NULL ? html_say(h, "Gizli numara", "Number withheld") : caller);
	html_raw(h, " <span>");
	html_text(h, db_get_text(rows, row, CALL_QUEUE));
	html_raw(h, " ");
	html_time(h, db_get_int(rows, row, CALL_FIRST), true);
	html_raw(h, "</span></a></li>\n");
}

static void
write_calls(struct html *h, const struct pg_result *rows, const char *title, const char *none)
{
	int count = rows == NULL ? 0 : db_rows(rows);

	html_element(h, "h2", NULL, title);
	if (count == 0) {
		html_element(h, "p", "hint", none);
		return;
	}
	html_raw(h, "<ul class=\"calls\">\n");
	for (int row = 0; row < count; row++)
		write_call(h, rows, row);
	html_raw(h, "</ul>\n");
}

static void
write_live(struct html *h, const struct call_look *look)
{
	const struct pg_result *waiting = call_rows(look, CALL_ASK_WAITING);

	write_calls(h, call_rows(look, CALL_ASK_MINE), html_say(h, "Çağrılarım", "My calls"),
	    look->away ? html_say(h, "Kayıt sistemine ulaşılamıyor.", "The record is away.")
		       : html_say(h, "Çalan ya da bitirilecek çağrı yok.",
			   "No call rings or is to be finished."));
	if (waiting != NULL && db_rows(waiting) > 0)
		write_calls(
		    h, waiting, html_say(h, "Sırada bekleyenler", "Waiting in the queue"), "");
}

/* --- fields --------------------------------------------------------------------------------------
 */

static void
input(
    struct html *h, const char *name, const char *label, const char *attributes, const char *value)
{
	html_raw(h, "<label><span>");
	html_text(h, label);
	html_raw(h, "</span><input name=\"");
	html_raw(h, name);
	html_raw(h, "\" ");
	html_raw(h, attributes);
	html_raw(h, " value=\"");
	html_text(h, value);
	html_raw(h, "\"></label>\n");
}

static bool
first_of_group(const struct catalogue *cat, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (catalogue_same_group(&cat->subjects[i], &cat->subjects[index]))
			return false;
	return true;
}

static void
write_subjects(struct html *h, const struct catalogue *cat, const char *chosen)
{
	html_raw(h, "<label><span>");
	html_text(h, html_say(h, "Konu", "Subject"));
	html_raw(h, "</span><select name=\"service_code\">\n");
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen[0] == '\0');
	for (size_t i = 0; i < cat->subject_count; i++) {
		if (!first_of_group(cat, i))
			continue;
		html_raw(h, "<optgroup label=\"");
		html_text(h, catalogue_say(&cat->subjects[i].group, h->language));
		html_raw(h, "\">\n");
		for (size_t k = i; k < cat->subject_count; k++)
			if (catalogue_same_group(&cat->subjects[k], &cat->subjects[i]))
				html_option(h, cat->subjects[k].code,
				    catalogue_say(&cat->subjects[k].name, h->language),
				    strcmp(cat->subjects[k].code, chosen) == 0);
		html_raw(h, "</optgroup>\n");
	}
	html_raw(h, "</select></label>\n");
}

static void
write_neighbourhoods(struct html *h, const struct catalogue *cat, const char *chosen)
{
	html_raw(h, "<label><span>");
	html_text(h, html_say(h, "Mahalle", "Neighbourhood"));
	html_raw(h, "</span><select name=\"address_id\">\n");
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen[0] == '\0');
	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		html_option(h, cat->neighbourhoods[i].code, cat->neighbourhoods[i].name,
		    strcmp(cat->neighbourhoods[i].code, chosen) == 0);
	html_raw(h, "</select></label>\n");
}

/* --- who calls
 * ------------------------------------------------------------------------------------ */

/* What was typed stands before what is known. */
static const char *
typed_or(const struct call_look *look, const char *name, enum store_caller_column column)
{
	const char *typed = call_field(look, name), *known = NULL;
	const struct pg_result *rows = call_rows(look, CALL_ASK_CALLER);

	if (typed[0] == '\0' && rows != NULL && db_rows(rows) > 0)
		known = db_get_text_or_null(rows, 0, (int)column);
	return known != NULL ? known : typed;
}

static const char *
phone_shown(const struct call_look *look)
{
	const char *typed = call_field(look, "phone"), *known = NULL;
	const struct pg_result *call = call_rows(look, CALL_ASK_CALL);

	if (typed[0] != '\0')
		return typed;
	if (call != NULL && db_rows(call) > 0)
		known = db_get_text_or_null(call, 0, CALL_CALLER);
	return known != NULL ? known : look->has_phone ? look->phone.number : "";
}

static void
write_call_fields(struct html *h, const struct call_look *look)
{
	const struct pg_result *call = call_rows(look, CALL_ASK_CALL);
	char at[24];

	if (call == NULL || db_rows(call) == 0) {
		static const char *const kept[] = { "call", "call_client", "call_id", "call_at" };
		for (size_t i = 0; i < ARRAY_LEN(kept); i++)
			if (call_field(look, kept[i])[0] != '\0')
				html_hidden(h, kept[i], call_field(look, kept[i]));
		return;
	}
	(void)snprintf(at, sizeof(at), "%lld",
	    (long long)db_get_int(
		call, 0, db_is_null(call, 0, CALL_ANSWERED) ? CALL_FIRST : CALL_ANSWERED));
	html_hidden(h, "call", call_field(look, "call"));
	html_hidden(h, "call_client", db_get_text(call, 0, CALL_CLIENT));
	html_hidden(h, "call_id", db_get_text(call, 0, CALL_ID));
	html_hidden(h, "call_at", at);
}

static void
write_caller(struct html *h, const struct call_look *look)
{
	html_raw(h, "<section class=\"caller\" aria-labelledby=\"who\">\n<h2 id=\"who\">");
	html_text(h, html_say(h, "Arayan", "Caller"));
	html_raw(h, "</h2>\n");
	write_call_fields(h, look);
	input(h, "phone", html_say(h, "Telefonu", "Phone"),
	    "type=\"tel\" maxlength=\"30\" autocomplete=\"off\"", phone_shown(look));
	input(h, "first_name", html_say(h, "Adı soyadı", "Name"),
	    "maxlength=\"200\" autocomplete=\"off\"", typed_or(look, "first_name", CALLER_NAME));
	if (call_rows(look, CALL_ASK_PERSON) != NULL)
		call_tickets_write(h, look, CALL_ASK_PERSON,
		    html_say(h, "Bu kişinin kayıtları", "This person's tickets"),
		    html_say(h, "Bu numarayla kayıt yok.", "No ticket with this number."));
	if (call_rows(look, CALL_ASK_ADDRESS) != NULL)
		call_tickets_write(h, look, CALL_ASK_ADDRESS,
		    html_say(h, "Bu adresin kayıtları", "This address's tickets"),
		    html_say(h, "Bu adreste kayıt yok.", "No ticket at this address."));
	html_raw(h, "</section>\n");
}

/* --- the ticket
 * ------------------------------------------------------------------------------------ */

/* Questions, whose business it is, and what is like it. */
static void
write_hints(struct html *h, const struct call_look *look, const struct catalogue *cat)
{
	const struct catalogue_subject *subject = catalogue_subject(
	    cat, call_field(look, "service_code"));

	html_raw(h, "<div id=\"questions\">\n");
	if (subject != NULL)
		report_page_questions(h, subject, &look->form);
	html_raw(h, "</div>\n<div id=\"similar\" aria-live=\"polite\">\n");
	if (subject != NULL) {
		call_tickets_write_competence(h, look, cat, subject);
		call_tickets_write_similar(h, look, cat, subject);
	}
	html_raw(h, "</div>\n");
}

static void
write_ticket(struct html *h, const struct call_look *look, const struct catalogue *cat)
{
	html_raw(h, "<section class=\"matter\" aria-labelledby=\"what\">\n<h2 id=\"what\">");
	html_text(h, html_say(h, "Ne istiyor?", "What is it about?"));
	html_raw(h, "</h2>\n");
	write_subjects(h, cat, call_field(look, "service_code"));
	write_neighbourhoods(h, cat, typed_or(look, "address_id", CALLER_NEIGHBOURHOOD));
	input(h, "address_string", html_say(h, "Adres ya da tarif", "Address, or how to find it"),
	    "maxlength=\"500\" autocomplete=\"off\"",
	    typed_or(look, "address_string", CALLER_ADDRESS));
	html_raw(h, "<label><span>");
	html_text(h, html_say(h, "Arayanın anlattığı", "What the caller says"));
	html_raw(h, "</span><textarea name=\"description\" rows=\"4\" maxlength=\"4000\">");
	html_text(h, call_field(look, "description"));
	html_raw(h, "</textarea></label>\n");
	button(h, "second", "look", NULL, NULL, NULL,
	    html_say(h, "Soruları ve benzerlerini göster", "Show questions and similar tickets"));
	write_hints(h, look, cat);
	html_raw(h, "<p class=\"send\">");
	button(h, "first", "ticket", NULL, NULL, NULL,
	    html_say(h, "Kaydı aç ve çağrıyı bitir", "Register and finish the call"));
	html_raw(h, "</p></section>\n");
}

static void
write_ends(struct html *h)
{
	html_raw(h, "<section class=\"ends\" aria-labelledby=\"ends\">\n<h2 id=\"ends\">");
	html_text(h, html_say(h, "Kayıt açmadan bitir", "Finish without a ticket"));
	html_raw(h, "</h2>\n<p>");
	button(h, "second", "end", "disposition", "information", "1",
	    html_say(h, "1 Bilgi verildi", "1 Information given"));
	button(h, "second", "end", "disposition", "transferred", "2",
	    html_say(h, "2 Aktarıldı", "2 Transferred"));
	button(h, "second", "end", "disposition", "nuisance", "3",
	    html_say(h, "3 Uygunsuz çağrı", "3 Nuisance call"));
	html_raw(h, "</p>\n</section>\n");
}

/* --- drafts, complaints
 * ---------------------------------------------------------------------------- */

static void
write_drafts(struct html *h, const struct call_look *look)
{
	const struct pg_result *drafts = call_rows(look, CALL_ASK_DRAFTS);
	int count = drafts == NULL ? 0 : db_rows(drafts);

	if (count == 0)
		return;
	html_raw(h, "<details class=\"drafts\"><summary>");
	html_text(h, html_say(h, "Yarım kalanlar", "Not finished"));
	html_raw(h, "</summary><ul>\n");
	for (int row = 0; row < count; row++) {
		html_raw(h, "<li><a href=\"/call/");
		html_raw(h, language_query(h));
		html_raw(h, "&amp;draft=");
		html_text(h, db_get_text(drafts, row, DRAFT_FORM));
		html_raw(h, "\">");
		html_time(h, db_get_int(drafts, row, DRAFT_SAVED), true);
		html_raw(h, " ");
		html_text(h, db_get_text(drafts, row, DRAFT_CALLER));
		html_raw(h, "</a></li>\n");
	}
	html_raw(h, "</ul></details>\n");
}

/* The problem's sentence begins with the form's name for the field. */
static const char *
label_of(const struct html *h, const struct call_look *look, const char *problem)
{
	static const struct {
		const char *name, *in[CATALOGUE_LANGUAGES];
	} labels[] = {
		{ "phone", { "Telefonu", "Phone" } },
		{ "first_name", { "Adı soyadı", "Name" } },
		{ "address_string", { "Adres ya da tarif", "Address" } },
		{ "address_id", { "Mahalle", "Neighbourhood" } },
		{ "lat", { "Mahalle ya da adres", "Neighbourhood or address" } },
		{ "description", { "Arayanın anlattığı", "What the caller says" } },
		{ "service_code", { "Konu", "Subject" } },
	};
	const struct catalogue_subject *subject = catalogue_subject(
	    registry_catalogue(look->in->registry), call_field(look, "service_code"));

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (strncmp(problem, labels[i].name, strlen(labels[i].name)) == 0)
			return labels[i].in[h->language];
	for (size_t i = 0; subject != NULL && i < subject->question_count; i++)
		if (strstr(problem, subject->questions[i].code) != NULL)
			return catalogue_say(&subject->questions[i].description, h->language);
	return problem;
}

static void
write_word(struct html *h, const struct call_look *look)
{
	bool good = look->word >= CALL_WORD_TICKET && look->word <= CALL_WORD_LATER;

	if (look->away && look->word != CALL_WORD_AWAY)
		html_complaint(h, words[CALL_WORD_AWAY][h->language]);
	if (look->word != CALL_WORD_NONE) {
		html_raw(h, good ? "<p class=\"done\" role=\"status\">"
				 : "<p class=\"complaint\" role=\"alert\">");
		html_text(h, words[look->word][h->language]);
		if (look->said_number[0] != '\0') {
			html_raw(h, " <strong class=\"number\">");
			html_text(h, look->said_number);
			html_raw(h, "</strong>");
		}
		html_raw(h, "</p>\n");
	}
	if (look->problems.count == 0)
		return;
	html_raw(h, "<div class=\"complaint\" role=\"alert\"><p>");
	html_text(h, html_say(h, "Kaydedilmedi. Şunlara yeniden bakın:",
			 "Not registered. Please look at these again:"));
	html_raw(h, "</p><ul>\n");
	for (size_t i = 0; i < look->problems.count; i++)
		html_element(h, "li", NULL, label_of(h, look, look->problems.at[i].text));
	html_raw(h, "</ul></div>\n");
}

static void
write_search(struct html *h, const struct call_look *look)
{
	html_raw(h, "<div class=\"search\" role=\"search\">\n");
	input(h, "q",
	    html_say(h, "Ara: numara, telefon, ad, sokak", "Search: number, phone, name, street"),
	    "type=\"search\" maxlength=\"120\" autocomplete=\"off\" data-key=\"/\"",
	    call_field(look, "q"));
	button(h, "second", "look", NULL, NULL, NULL, html_say(h, "Bul", "Find"));
	html_raw(h, "</div>\n");
	if (look->away)
		return;
	if (look->has_number || look->at[CALL_ASK_SEARCH] >= 0)
		call_tickets_write(h, look,
		    look->at[CALL_ASK_SEARCH] >= 0 ? CALL_ASK_SEARCH : CALL_ASK_NUMBER,
		    html_say(h, "Bulunanlar", "Found"), words[CALL_WORD_NOT_FOUND][h->language]);
}

/* --- whole
 * ------------------------------------------------------------------------------------------ */

static void
write_form(struct html *h, const struct call_look *look, const struct catalogue *cat)
{
	html_raw(h, "<form id=\"call\" data-user=\"");
	html_text(h, look->person.who.name);
	html_raw(h, "\" method=\"post\" novalidate action=\"/call/look");
	html_raw(h, language_query(h));
	html_raw(h, "\">\n");
	html_hidden(h, "csrf", look->person.csrf);
	html_hidden(h, "token", look->token);
	write_search(h, look);
	html_raw(h, "<div class=\"columns\">\n<div>\n");
	write_caller(h, look);
	write_ends(h);
	html_raw(h, "</div>\n<div>\n");
	write_ticket(h, look, cat);
	html_raw(h, "</div>\n</div>\n</form>\n");
}

static void
write_page(struct html *h, const struct call_look *look, const struct catalogue *cat)
{
	people_write_bar(look->in->people, h, &look->person.who);
	write_word(h, look);
	html_raw(h, "<section id=\"live\" aria-label=\"");
	html_text(h, html_say(h, "Çağrılar", "Calls"));
	html_raw(h, "\">\n");
	write_live(h, look);
	html_raw(h, "</section>\n");
	write_drafts(h, look);
	if (cat != NULL)
		write_form(h, look, cat);
	else
		html_complaint(h, words[CALL_WORD_STARTING][h->language]);
	html_raw(h, "<p class=\"keys\"><label><input type=\"checkbox\" id=\"keys\"> ");
	html_text(h,
	    html_say(h, "Tek tuşla: / ara, B benzerine ekle, 1–3 bitir (yazı alanı dışında)",
		"Single keys: / search, B join the first similar, 1–3 finish (outside of fields)"));
	html_raw(h, "</label></p>\n<script src=\"/call/call.js\" defer></script>\n");
}

/* A part of the page, for scripts. */
static void
reply_part(struct html *h, struct http_request *req, bool away)
{
	if (h->failed || h->out == NULL) {
		http_reply_error(req, 503, "Out of memory.");
	} else {
		const struct http_response response = { .status = away ? 503 : 200,
			.content_type = "text/html; charset=utf-8",
			.body = h->out };
		http_reply(req, &response);
	}
	if (h->out != NULL)
		evbuffer_free(h->out);
}

void
call_page_write(struct call_look *look)
{
	const struct catalogue *cat = registry_catalogue(look->in->registry);
	enum catalogue_language language = html_language(look->req);
	struct html h = { .out = evbuffer_new(), .language = language };

	if (look->view == CALL_VIEW_LIVE) {
		write_live(&h, look);
		reply_part(&h, look->req, look->away);
		return;
	}
	if (look->view == CALL_VIEW_HINTS) {
		if (cat != NULL)
			write_hints(&h, look, cat);
		reply_part(&h, look->req, cat == NULL);
		return;
	}
	if (h.out != NULL)
		evbuffer_free(h.out);
	const struct html_page page = {
		.title = language == CATALOGUE_EN ? "Call desk" : "Çağrı masası",
		.style = "/call/call.css",
		.home = "/call/",
		.other = language == CATALOGUE_EN ? "/call/?lang=tr" : "/call/?lang=en",
	};
	html_begin_page(&h, language, &page);
	write_page(&h, look, cat);
	html_reply(&h, look->req, cat == NULL ? 503 : look->status);
}
