/* Writes the page that asks, and the one that thanks. */
#include "survey_page.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "html.h"
#include "number.h"
#include "survey_link.h"
#include "track_page.h"

static const char *const words[SURVEY_WORDS][CATALOGUE_LANGUAGES] = {
	[SURVEY_TITLE] = { "Başvurunuzun sonucundan memnun kaldınız mı?",
	    "Are you satisfied with the outcome of your request?" },
	[SURVEY_THANKS] = { "Yanıtınız kaydedildi, teşekkür ederiz",
	    "Your answer has been recorded, thank you" },
	[SURVEY_WRONG] = { "Bu bağlantı geçerli değil. İletideki bağlantının tamamını açtığınızdan "
			   "emin olun.",
	    "This link is not valid. Make sure that you opened the whole link of the message." },
	[SURVEY_OVER] = { "Bu değerlendirmenin süresi doldu. Sorununuz sürüyorsa bize her zaman "
			  "ulaşabilirsiniz.",
	    "The time for this answer is over. If the problem persists, you can always reach us." },
	[SURVEY_FORGOTTEN] = { "Bu başvurunun kişisel verileri silindi; değerlendirme artık "
			       "yapılamaz.",
	    "The personal data of this request was erased; it can no longer be rated." },
	[SURVEY_TOO_MANY] = { "Çok sık denendi. Bir dakika sonra yeniden deneyin.",
	    "Tried too often. Try again in a minute." },
	[SURVEY_AWAY] = { "Yanıtınız şu anda kaydedilemiyor. Birazdan yeniden deneyin.",
	    "Your answer cannot be recorded at the moment. Try again shortly." },
	[SURVEY_NO_SCORE] = { "1 ile 5 arasında bir puan seçin.", "Choose a score from 1 to 5." },
	[SURVEY_NO_WORDS] = { "Yeni başvuru açabilmemiz için neyin eksik kaldığını yazın.",
	    "So that a new request can be opened, write what is missing." },
	[SURVEY_TOO_LONG] = { "Yazdığınız çok uzun: en çok 4.000 karakter.",
	    "What you wrote is too long: 4,000 characters at most." },
};

const char *
survey_word(enum survey_word word, enum catalogue_language language)
{
	return words[word][language];
}

static const char *const scores[5][CATALOGUE_LANGUAGES] = {
	{ "Hiç memnun değilim", "Not satisfied at all" },
	{ "Memnun değilim", "Not satisfied" },
	{ "Kararsızım", "Neither" },
	{ "Memnunum", "Satisfied" },
	{ "Çok memnunum", "Very satisfied" },
};

static void
number_line(struct html *h, int64_t ticket_id)
{
	char number[NUMBER_SIZE];

	if (!number_format(ticket_id, number))
		number[0] = '\0';
	html_raw(h, "<p>");
	html_text(h, html_say(h, "Başvuru numarası: ", "Number of the request: "));
	html_raw(h, "<b class=\"no\">");
	html_text(h, number);
	html_raw(h, "</b></p>\n");
}

static void
form_begin(struct html *h, const char *token)
{
	html_raw(h, "<form method=\"post\" action=\"" SURVEY_LINK_PATH);
	html_text(h, token);
	html_raw(h, h->language == CATALOGUE_EN ? "?lang=en\">\n" : "?lang=tr\">\n");
}

static void
choice(struct html *h, const char *name, const char *value, bool chosen, bool required,
    const char *label)
{
	html_raw(h, "<label class=\"choice\"><input type=\"radio\" name=\"");
	html_raw(h, name);
	html_raw(h, "\" value=\"");
	html_raw(h, value);
	html_raw(h, "\"");
	html_raw(h, required ? " required" : "");
	html_raw(h, chosen ? " checked><span>" : "><span>");
	html_text(h, label);
	html_raw(h, "</span></label>\n");
}

static void
words_field(struct html *h, const char *label, const char *text)
{
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<textarea name=\"text\" rows=\"4\" maxlength=\"4000\">\n");
	html_text(h, text);
	html_raw(h, "</textarea></label>\n");
}

static void
button(struct html *h, const char *label)
{
	html_raw(h, "<button>");
	html_text(h, label);
	html_raw(h, "</button>\n</form>\n");
}

static const char *
what_denying_does(const struct html *h, bool closed)
{
	return closed
		   ? html_say(h,
		       "Başvurunuz kapandığı için çözülmediğini bildirirseniz aynı konu ve "
		       "adresle, buna bağlı yeni bir başvuru açılır; neyin eksik kaldığını "
		       "yazın.",
		       "Your request is closed. If you say that it is not solved, a new one "
		       "opens, linked to it, with its subject and address; write what is "
		       "missing.")
		   : html_say(h,
		       "Çözülmediğini bildirirseniz başvurunuz yeniden ele alınır; süresi baştan "
		       "başlamaz.",
		       "If you say that it is not solved, your request is taken up again; its "
		       "time limits do not start anew.");
}

void
survey_page_ask(struct html *h, const struct survey_form *form, const char *complaint)
{
	char value[2] = "1", label[80];

	if (complaint != NULL)
		html_complaint(h, complaint);
	number_line(h, form->ticket_id);
	form_begin(h, form->token);
	html_raw(h, "<fieldset class=\"picks\"><legend>");
	html_text(h, html_say(h, "Sonuçtan ne kadar memnun kaldınız?",
			 "How satisfied are you with the outcome?"));
	html_raw(h, "</legend>\n");
	for (int i = 5; i >= 1; i--) {
		value[0] = (char)('0' + i);
		(void)snprintf(label, sizeof(label), "%d · %s", i, scores[i - 1][h->language]);
		choice(h, "score", value, form->score == i, true, label);
	}
	html_raw(h, "</fieldset>\n<fieldset class=\"picks\"><legend>");
	html_text(h, html_say(h, "Sorununuz çözüldü mü? (isteğe bağlı)",
			 "Is the problem solved? (optional)"));
	html_raw(h, "</legend>\n");
	choice(h, "solved", "yes", form->solved, false, html_say(h, "Çözüldü", "It is solved"));
	choice(h, "solved", "no", form->not_solved, false,
	    html_say(h, "Çözülmedi", "It is not solved"));
	html_element(h, "p", "hint", what_denying_does(h, form->closed));
	html_raw(h, "</fieldset>\n");
	words_field(h,
	    html_say(h, "Eklemek istedikleriniz (isteğe bağlı)", "Anything to add (optional)"),
	    form->text);
	button(h, html_say(h, "Gönder", "Send"));
	html_element(h, "p", "hint",
	    html_say(h,
		"Verdiğiniz ilk puan sayılır. Yanıtlamazsanız memnun kaldığınız varsayılmaz.",
		"The first score that you give counts. Not answering is not counted as being "
		"satisfied."));
}

void
survey_page_thank(struct html *h, const struct survey_form *form, bool may_deny, int64_t linked,
    const char *complaint)
{
	char label[80];

	if (complaint != NULL)
		html_complaint(h, complaint);
	number_line(h, form->ticket_id);
	if (form->score >= 1 && form->score <= 5) {
		(void)snprintf(label, sizeof(label), "%d · %s", form->score,
		    scores[form->score - 1][h->language]);
		html_raw(h, "<p>");
		html_text(h, html_say(h, "Yanıtınız: ", "Your answer: "));
		html_raw(h, "<b>");
		html_text(h, label);
		html_raw(h, "</b></p>\n");
	}
	if (form->not_solved)
		html_element(h, "p", NULL,
		    html_say(h, "Sorunun çözülmediğini bildirdiniz.",
			"You said that it is not solved."));
	if (linked != 0)
		track_page_number(h,
		    html_say(h, "Çözülmediği için açılan yeni başvuru:",
			"Opened since this was not solved:"),
		    linked);
	if (!may_deny)
		return;
	html_raw(h, complaint != NULL ? "<details open><summary>" : "<details><summary>");
	html_text(h, html_say(h, "Sorun çözülmedi", "It is not solved after all"));
	html_raw(h, "</summary>\n");
	html_element(h, "p", "hint", what_denying_does(h, form->closed));
	form_begin(h, form->token);
	html_hidden(h, "solved", "no");
	words_field(h, html_say(h, "Ne eksik kaldı?", "What is missing?"), form->text);
	button(h, html_say(h, "Çözülmediğini bildir", "Say that it is not solved"));
	html_raw(h, "</details>\n");
}
