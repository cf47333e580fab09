/* The pages of signing in and of one's own password, in both languages. */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "people_files.h"
#include "people_internal.h"

/* What is said of what, and by which code a program is told. */
static const struct {
	const char *in[CATALOGUE_LANGUAGES];
	const char *code;
} words[PEOPLE_WORDS] = {
	[PEOPLE_WRONG] = { { "Kullanıcı adı veya parola hatalı.",
			       "The user name or the password is wrong." },
	    "wrong" },
	[PEOPLE_BUSY] = { { "Şu anda çok sayıda giriş isteği işleniyor. Lütfen birkaç saniye sonra "
			    "yeniden deneyin.",
			      "Too many people are signing in at this moment. Please try again in "
			      "a "
			      "few seconds." },
	    "busy" },
	[PEOPLE_AWAY] = { { "Kayıt sistemine şu anda ulaşılamıyor. Lütfen biraz sonra yeniden "
			    "deneyin.",
			      "The record system cannot be reached at this moment. Please try "
			      "again "
			      "shortly." },
	    "away" },
	[PEOPLE_FOREIGN] = { { "Bu istek bu sitenin bir sayfasından gelmedi veya sayfanın süresi "
			       "doldu; hiçbir işlem yapılmadı. Sayfayı yenileyip yeniden deneyin.",
				 "This request did not come from a page of this site, or the page "
				 "has "
				 "expired; nothing was done. Reload the page and try again." },
	    "foreign" },
	[PEOPLE_OVER] = { { "Oturumunuz açık değil veya sona ermiş; hiçbir işlem yapılmadı. Giriş "
			    "yaptıktan sonra yeniden deneyin.",
			      "You are not signed in, or your session has ended; nothing was done. "
			      "Sign in and try again." },
	    "not_signed_in" },
	[PEOPLE_NOT_YOURS] = { { "Bu sayfa için yetkiniz bulunmuyor. Yetki, sistem yöneticinizden "
				 "istenebilir.",
				   "You have no right to this page. Your administrator can grant "
				   "it." },
	    "not_allowed" },
	[PEOPLE_EXPIRED] = { { "Oturumunuz sona erdi. Devam etmek için yeniden giriş yapın.",
				 "Your session has ended. Sign in again to go on." },
	    "not_signed_in" },
	[PEOPLE_SIGNED_OUT] = { { "Oturumunuz kapatıldı.", "You have signed out." }, "signed_out" },
	[PEOPLE_CHANGED] = { { "Parolanız değiştirildi. Diğer cihazlardaki oturumlarınız "
			       "kapatıldı.",
				 "Your password was changed. Your sessions on other devices have "
				 "ended." },
	    "changed" },
	[PEOPLE_OLD_WRONG] = { { "Şimdiki parolanız hatalı; parola değiştirilmedi.",
				   "Your present password is wrong; it was not changed." },
	    "wrong" },
	[PEOPLE_UNLIKE] = { { "Yeni parola iki alana aynı yazılmamış; parola değiştirilmedi.",
				"The two entries of the new password differ; it was not changed." },
	    "unlike" },
	[PEOPLE_SAME] = { { "Yeni parola şimdikiyle aynı olamaz.",
			      "The new password must differ from the present one." },
	    "same" },
	[PEOPLE_FAULTY + PASSWORD_NO_TEXT] = { { "Yeni parolada kullanılamayan karakterler var.",
						   "The new password has characters that cannot be "
						   "used." },
	    "characters" },
	[PEOPLE_FAULTY + PASSWORD_SHORT] = { { "Yeni parola en az 12 karakter olmalıdır.",
						 "The new password needs at least 12 characters." },
	    "short" },
	[PEOPLE_FAULTY +
	    PASSWORD_LONG] = { { "Yeni parola çok uzun; en çok 256 bayt olabilir.",
				   "The new password is too long; it may have 256 bytes." },
	    "long" },
	[PEOPLE_FAULTY + PASSWORD_LIKE_NAME] = { { "Yeni parola kullanıcı adınıza çok benziyor.",
						     "The new password is too much like your user "
						     "name." },
	    "like_name" },
	[PEOPLE_FAULTY +
	    PASSWORD_ONE_LETTER] = { { "Yeni parola tek bir karakterin tekrarı olamaz.",
					 "The new password must not be one character many "
					 "times." },
	    "one_letter" },
};

static bool
is_good(enum people_word word)
{
	return word == PEOPLE_SIGNED_OUT || word == PEOPLE_CHANGED;
}

bool
people_takes_html(const struct http_request *req)
{
	const char *accept = http_header(req, "Accept");

	return accept != NULL && strstr(accept, "text/html") != NULL;
}

void
people_redirect(struct http_request *req, const char *to, const char *cookie)
{
	const struct http_field fields[] = { { "Location", to }, { "Set-Cookie", cookie } };
	const struct http_response response = {
		.status = 303, .fields = fields, .field_count = cookie == NULL ? 1 : 2
	};

	http_reply(req, &response);
}

void
people_get_style(struct http_request *req, void *arg)
{
	(void)arg;
	const struct http_response response = {
		.status = 200,
		.content_type = "text/css; charset=utf-8",
		.data = web_people_css,
		.len = (size_t)(web_people_css_end - web_people_css),
		.cache_control = "public, max-age=300",
	};
	http_reply(req, &response);
}

/* --- parts ------------------------------------------------------------------------------------ */

static void
begin(struct html *h, const struct people *p, const struct http_request *req, const char *page,
    const char *const title[CATALOGUE_LANGUAGES], const char *next)
{
	enum catalogue_language language = html_language(req);
	char style[PEOPLE_PATH_SIZE], other[PEOPLE_URL_SIZE];

	(void)snprintf(style, sizeof(style), "%speople.css", p->prefix);
	(void)snprintf(other, sizeof(other), "%s%s?lang=%s", p->prefix, page,
	    language == CATALOGUE_EN ? "tr" : "en");
	if (next != NULL) {
		size_t len = strlen(other);
		(void)snprintf(other + len, sizeof(other) - len, "&next=");
		if (!people_escape(other, sizeof(other), next, "/"))
			other[len] = '\0';
	}
	const struct html_page head = {
		.title = title[language], .style = style, .home = p->prefix, .other = other
	};
	html_begin_page(h, language, &head);
}

static void
say(struct html *h, enum people_word word)
{
	if (word == PEOPLE_NOTHING)
		return;
	if (is_good(word)) {
		html_raw(h, "<p class=\"done\" role=\"status\">");
		html_text(h, words[word].in[h->language]);
		html_raw(h, "</p>\n");
	} else {
		html_complaint(h, words[word].in[h->language]);
	}
}

/* <form method="post" action="<prefix><page>?lang=.."> */
static void
begin_form(struct html *h, const struct people *p, const char *page)
{
	html_raw(h, "<form method=\"post\" action=\"");
	html_text(h, p->prefix);
	html_raw(h, page);
	html_raw(h, h->language == CATALOGUE_EN ? "?lang=en\">\n" : "?lang=tr\">\n");
}

static void
field(
    struct html *h, const char *name, const char *label, const char *attributes, const char *value)
{
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<input name=\"");
	html_raw(h, name);
	html_raw(h, "\" required ");
	html_raw(h, attributes);
	if (value != NULL) {
		html_raw(h, " value=\"");
		html_text(h, value);
		html_raw(h, "\"");
	}
	html_raw(h, "></label>\n");
}

static void
button(struct html *h, const char *text)
{
	html_raw(h, "<button>");
	html_text(h, text);
	html_raw(h, "</button>\n</form>\n");
}

/* --- pages ------------------------------------------------------------------------------------ */

static void
say_locked(struct html *h, int64_t wait_us)
{
	char minutes[24];

	h->retry_after_s = (uint32_t)((wait_us + 999999) / 1000000);
	(void)snprintf(
	    minutes, sizeof(minutes), "%lld", (long long)((wait_us + 60000000 - 1) / 60000000));
	html_raw(h, "<p class=\"complaint\" role=\"alert\">");
	html_text(h, html_say(h, "Çok sayıda hatalı deneme yapıldı. Yaklaşık ",
			 "There were too many wrong attempts. You can try again in about "));
	html_raw(h, minutes);
	html_text(h, html_say(h,
			 " dakika sonra yeniden deneyebilirsiniz; acilse sistem yöneticinize "
			 "başvurun.",
			 " min; if it is urgent, ask your administrator."));
	html_raw(h, "</p>\n");
}

void
people_reply_sign_in(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const char *name, const char *next, int64_t wait_us)
{
	static const char *const title[] = { "Personel girişi", "Staff sign-in" };
	const char *site = http_header(req, "Sec-Fetch-Site");
	struct html h;

	begin(&h, p, req, "sign-in", title, next);
	if (wait_us > 0)
		say_locked(&h, wait_us);
	say(&h, word);
	/* Browsers do not show us the session when another site's link led here. */
	if (word == PEOPLE_NOTHING && wait_us == 0 && site != NULL
	    && strcmp(site, "cross-site") == 0) {
		html_raw(&h, "<p class=\"hint\"><a href=\"");
		html_text(&h, next == NULL ? p->prefix : next);
		html_raw(&h, "\">");
		html_text(&h, html_say(&h, "Zaten giriş yaptıysanız buradan sürdürün",
				  "Signed in already? Go on from here"));
		html_raw(&h, "</a></p>\n");
	}
	begin_form(&h, p, "sign-in");
	if (next != NULL)
		html_hidden(&h, "next", next);
	field(&h, "name", html_say(&h, "Kullanıcı adı", "User name"),
	    "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" "
	    "maxlength=\"63\"",
	    name);
	field(&h, "password", html_say(&h, "Parola", "Password"),
	    "type=\"password\" autocomplete=\"current-password\"", NULL);
	button(&h, html_say(&h, "Giriş yap", "Sign in"));
	html_element(&h, "p", "hint",
	    html_say(&h,
		"Parolanızı unuttuysanız sistem yöneticiniz size yenisini verir. Parolanız hiçbir "
		"zaman telefonla sorulmaz.",
		"If you have forgotten your password, your administrator gives you a new one. "
		"Nobody "
		"will ever ask for it on the phone."));
	html_reply(&h, req, status);
}

void
people_reply_password(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const struct person *who)
{
	static const char *const title[] = { "Parola değiştirme", "Change your password" };
	struct html h;

	begin(&h, p, req, "password", title, NULL);
	people_write_bar(p, &h, who);
	say(&h, word);
	begin_form(&h, p, "password");
	html_hidden(&h, "csrf", who->form_token);
	/* For the browser's store of passwords. */
	html_raw(&h, "<input class=\"away\" type=\"text\" autocomplete=\"username\" readonly "
		     "tabindex=\"-1\" "
		     "aria-hidden=\"true\" value=\"");
	html_text(&h, who->name);
	html_raw(&h, "\">\n");
	field(&h, "old", html_say(&h, "Şimdiki parola", "Present password"),
	    "type=\"password\" autocomplete=\"current-password\"", NULL);
	field(&h, "new",
	    html_say(
		&h, "Yeni parola (en az 12 karakter)", "New password (at least 12 characters)"),
	    "type=\"password\" autocomplete=\"new-password\" minlength=\"12\"", NULL);
	field(&h, "again", html_say(&h, "Yeni parola, bir kez daha", "New password, once more"),
	    "type=\"password\" autocomplete=\"new-password\" minlength=\"12\"", NULL);
	button(&h, html_say(&h, "Parolayı değiştir", "Change the password"));
	html_reply(&h, req, status);
}

static void
link_button(struct html *h, const struct people *p, const char *page, const char *text)
{
	html_raw(h, "<p><a class=\"button\" href=\"");
	html_text(h, p->prefix);
	html_raw(h, page);
	html_raw(h, "\">");
	html_text(h, text);
	html_raw(h, "</a></p>\n");
}

void
people_reply_word(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const struct person *who)
{
	static const char *const title[] = { "İşlem yapılamadı", "Nothing was done" };
	char json[64];
	struct html h;

	if (!people_takes_html(req)) {
		(void)snprintf(json, sizeof(json), "{\"error\": \"%s\"}\n", words[word].code);
		http_reply_data(req, status, "application/json; charset=utf-8", json, strlen(json));
		return;
	}
	begin(&h, p, req, "sign-in", title, NULL);
	if (who != NULL)
		people_write_bar(p, &h, who);
	say(&h, word);
	/* Not back to where they have just been turned away. */
	if (word == PEOPLE_OVER)
		link_button(&h, p, "sign-in", html_say(&h, "Giriş yap", "Sign in"));
	else if (strcmp(http_request_path(req), p->prefix) != 0)
		link_button(&h, p, "", html_say(&h, "Ana sayfaya dön", "Back to the main page"));
	html_reply(&h, req, status);
}

void
people_write_bar(const struct people *p, struct html *h, const struct person *who)
{
	html_raw(h, "<div class=\"who\"><span>");
	html_text(h, who->shown_as);
	html_raw(h, "</span> <a href=\"");
	html_text(h, p->prefix);
	html_raw(h, "password\">");
	html_text(h, html_say(h, "Parola", "Password"));
	html_raw(h, "</a> <form method=\"post\" action=\"");
	html_text(h, p->prefix);
	html_raw(h, "sign-out\">");
	html_hidden(h, "csrf", who->form_token);
	html_raw(h, "<button>");
	html_text(h, html_say(h, "Çıkış yap", "Sign out"));
	html_raw(h, "</button></form></div>\n");
}
