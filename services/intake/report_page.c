/* Asks for a report: first its subject, then what there is to know of it. */
#include "report_page.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "fields.h"
#include "html.h"
#include "map_files.h"
#include "number.h"
#include "problem_words.h"

enum { NAME_BYTES = 96 };

/* --- fields -------------------------------------------------------------------------------------
 */

struct field {
	const char *name; /* the form's, as Open311 has it */
	const char *label[CATALOGUE_LANGUAGES];
	const char *attributes; /* of the input */
};

static const struct field address = { "address_string",
	{ "Adres ya da tarif", "Address, or how to find it" },
	"maxlength=\"500\" autocomplete=\"street-address\"" };
static const struct field description = { "description",
	{ "Ne oldu, ne istiyorsunuz?", "What is the matter, what do you ask for?" }, "" };
static const struct field person[] = {
	{ "first_name", { "Adınız", "First name" },
	    "maxlength=\"200\" autocomplete=\"given-name\"" },
	{ "last_name", { "Soyadınız", "Surname" },
	    "maxlength=\"200\" autocomplete=\"family-name\"" },
	{ "phone", { "Cep telefonunuz", "Mobile phone" },
	    "type=\"tel\" maxlength=\"30\" autocomplete=\"tel\" placeholder=\"0532 123 45 67\"" },
	{ "email", { "E-posta adresiniz", "E-mail address" },
	    "type=\"email\" maxlength=\"254\" autocomplete=\"email\"" },
};
static const struct field coordinates[] = {
	{ "lat", { "Enlem", "Latitude" },
	    "maxlength=\"20\" inputmode=\"decimal\" placeholder=\"36.884100\"" },
	{ "long", { "Boylam", "Longitude" },
	    "maxlength=\"20\" inputmode=\"decimal\" placeholder=\"30.705600\"" },
};
static const char neighbourhood_name[] = "address_id";

static void
open_label(struct html *h, const char *text, bool required)
{
	html_raw(h, "<label><span>");
	html_text(h, text);
	if (!required) {
		html_raw(h, " <span class=\"optional\">");
		html_text(h, html_say(h, "(isteğe bağlı)", "(optional)"));
		html_raw(h, "</span>");
	}
	html_raw(h, "</span>\n");
}

static void
input(struct html *h, const struct field *f, const struct report_form *form)
{
	open_label(h, f->label[h->language], false);
	html_raw(h, "<input name=\"");
	html_raw(h, f->name);
	html_raw(h, "\" ");
	html_raw(h, f->attributes);
	html_raw(h, " value=\"");
	html_text(h, report_field(form, f->name));
	html_raw(h, "\"></label>\n");
}

static void
area(struct html *h, const char *label, const char *name, const char *value, bool required)
{
	open_label(h, label, required);
	html_raw(h, "<textarea rows=\"5\" maxlength=\"4000\" name=\"");
	html_text(h, name);
	html_raw(h, required ? "\" required>" : "\">");
	html_text(h, value);
	html_raw(h, "</textarea></label>\n");
}

static void
neighbourhoods(struct html *h, const struct catalogue *cat, const struct report_form *form)
{
	const char *chosen = report_field(form, neighbourhood_name);

	open_label(h, html_say(h, "Mahalle", "Neighbourhood"), true);
	html_raw(h, "<select name=\"address_id\" required>\n");
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen == NULL);
	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		const struct catalogue_neighbourhood *n = &cat->neighbourhoods[i];
		html_option(h, n->code, n->name, chosen != NULL && strcmp(chosen, n->code) == 0);
	}
	html_raw(h, "</select></label>\n");
}

/* Shut, unless one was given. */
static void
position(struct html *h, const struct report_form *form)
{
	bool given = report_field(form, coordinates[0].name) != NULL
		     || report_field(form, coordinates[1].name) != NULL;

	html_raw(h, given ? "<details class=\"map-box\" open><summary>"
			  : "<details class=\"map-box\"><summary>");
	html_text(h, html_say(h, "Konum (isteğe bağlı)", "Position (optional)"));
	html_raw(h, "</summary>\n");
	if (map_is_here) {
		html_raw(h, "<div class=\"map\" role=\"region\" aria-label=\"");
		html_text(h, html_say(h, "Mahalleler", "Neighbourhoods"));
		html_raw(h, "\" data-note=\"");
		html_text(h, html_say(h, "Alanlar yaklaşıktır; resmî mahalle sınırı değildir.",
				 "Areas are approximate, and no official boundaries."));
		html_raw(h, "\"></div>\n<script src=\"/assets/map.js\" defer></script>\n");
	}
	html_raw(h, "<div class=\"pair\">\n");
	for (size_t i = 0; i < ARRAY_LEN(coordinates); i++)
		input(h, &coordinates[i], form);
	html_raw(h, "</div></details>\n");
}

/* --- a subject's own questions ------------------------------------------------------------------
 */

static bool
has_answer(const struct report_form *form, const char *name, const char *value)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->pairs[i].name, name) == 0
		    && strcmp(form->pairs[i].value, value) == 0)
			return true;
	return false;
}

static void
choices(struct html *h, const struct catalogue_question *q, const char *name,
    const struct report_form *form)
{
	html_raw(h, "<fieldset><legend>");
	html_text(h, catalogue_say(&q->description, h->language));
	html_raw(h, "</legend>\n");
	for (size_t i = 0; i < q->value_count; i++) {
		html_raw(h, "<label class=\"choice\"><input type=\"checkbox\" name=\"");
		html_text(h, name);
		html_raw(h, "\" value=\"");
		html_text(h, q->values[i].key);
		html_raw(h, has_answer(form, name, q->values[i].key) ? "\" checked> " : "\"> ");
		html_text(h, catalogue_say(&q->values[i].name, h->language));
		html_raw(h, "</label>\n");
	}
	html_raw(h, "</fieldset>\n");
}

static void
one_choice(struct html *h, const struct catalogue_question *q, const char *name,
    const struct report_form *form)
{
	open_label(h, catalogue_say(&q->description, h->language), q->required);
	html_raw(h, "<select name=\"");
	html_text(h, name);
	html_raw(h, q->required ? "\" required>\n" : "\">\n");
	html_option(h, "", html_say(h, "Seçin", "Choose"), false);
	for (size_t i = 0; i < q->value_count; i++)
		html_option(h, q->values[i].key, catalogue_say(&q->values[i].name, h->language),
		    has_answer(form, name, q->values[i].key));
	html_raw(h, "</select></label>\n");
}

static void
question(struct html *h, const struct catalogue_question *q, const struct report_form *form)
{
	static const char *const types[QUESTION_DATATYPES] = {
		[QUESTION_STRING] = "type=\"text\" maxlength=\"500\"",
		[QUESTION_NUMBER] = "type=\"number\" step=\"any\"",
		[QUESTION_DATETIME] = "type=\"datetime-local\"",
	};
	bool many = q->datatype == QUESTION_MULTIVALUELIST;
	char name[NAME_BYTES];
	const char *label = catalogue_say(&q->description, h->language);

	(void)snprintf(name, sizeof(name), "attribute[%s]%s", q->code, many ? "[]" : "");
	switch (q->datatype) {
	case QUESTION_MULTIVALUELIST:
		choices(h, q, name, form);
		return;
	case QUESTION_SINGLEVALUELIST:
		one_choice(h, q, name, form);
		return;
	case QUESTION_TEXT:
		area(h, label, name, report_field(form, name), q->required);
		return;
	case QUESTION_STRING:
	case QUESTION_NUMBER:
	case QUESTION_DATETIME:
	case QUESTION_DATATYPES:
		break;
	}
	open_label(h, label, q->required);
	html_raw(h, "<input ");
	html_raw(h, types[q->datatype]);
	html_raw(h, " name=\"");
	html_text(h, name);
	html_raw(h, q->required ? "\" required value=\"" : "\" value=\"");
	html_text(h, report_field(form, name));
	html_raw(h, "\"></label>\n");
}

/* --- what is wrong ------------------------------------------------------------------------------
 */

/* The label of the field that a problem's sentence begins with; NULL: none of the page's. */
static const char *
label_of(const struct html *h, const struct catalogue_subject *subject, const char *problem)
{
	char name[NAME_BYTES];
	size_t len = strcspn(problem, ":");

	if (len == 0 || len >= sizeof(name))
		return NULL;
	memcpy(name, problem, len);
	name[len] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(person); i++)
		if (strcmp(person[i].name, name) == 0)
			return person[i].label[h->language];
	if (strcmp(name, address.name) == 0)
		return address.label[h->language];
	if (strcmp(name, description.name) == 0)
		return description.label[h->language];
	if (strncmp(problem, "lat and long,", 13) == 0 || strcmp(name, neighbourhood_name) == 0)
		return html_say(h, "Mahalle", "Neighbourhood");
	if (strcmp(name, "lat, long") == 0)
		return html_say(h, "Konum", "Position");
	for (size_t i = 0; i < ARRAY_LEN(coordinates); i++)
		if (strcmp(coordinates[i].name, name) == 0)
			return coordinates[i].label[h->language];
	for (size_t i = 0; i < subject->question_count; i++)
		if (strstr(name, subject->questions[i].code) != NULL)
			return catalogue_say(&subject->questions[i].description, h->language);
	return NULL;
}

static void
show_problem(struct html *h, const struct catalogue_subject *subject, const char *text)
{
	const char *label = label_of(h, subject, text);
	const char *reason = problem_words(text, h->language);

	html_raw(h, "<li>");
	html_text(h, label != NULL ? label : text);
	if (label != NULL && reason != NULL) {
		html_raw(h, ": ");
		html_text(h, reason);
	}
	html_raw(h, "</li>\n");
}

static void
show_problems(
    struct html *h, const struct catalogue_subject *subject, const struct report_page_form *f)
{
	html_raw(h, "<div class=\"complaint\" role=\"alert\">\n<p>");
	html_text(h, html_say(h, "Gönderilemedi. Şunlara yeniden bakın:",
			 "Not sent. Please look at these again:"));
	html_raw(h, "</p>\n<ul>\n");
	for (size_t i = 0; i < f->p->count; i++)
		show_problem(h, subject, f->p->at[i].text);
	if (f->photo_words != NULL)
		html_element(h, "li", NULL, f->photo_words);
	html_raw(h, "</ul>\n");
	if (f->choose_again)
		html_element(h, "p", NULL,
		    html_say(h, "Yazdıklarınız aşağıda duruyor; fotoğrafları yeniden seçin.",
			"What you wrote is kept below; choose the photos again."));
	html_raw(h, "</div>\n");
}

/* --- pages --------------------------------------------------------------------------------------
 */

void
report_page_questions(
    struct html *h, const struct catalogue_subject *subject, const struct report_form *form)
{
	for (size_t i = 0; i < subject->question_count; i++)
		question(h, &subject->questions[i], form);
}

void
report_page_script(struct html *h)
{
	html_raw(h, "<script src=\"/assets/report.js\" defer></script>\n");
}

void
report_page_photos(struct html *h, unsigned photo_mb)
{
	char mb[16];

	(void)snprintf(mb, sizeof(mb), "%u", photo_mb);
	open_label(h, html_say(h, "Fotoğraflar", "Photos"), false);
	html_raw(h, "<input type=\"file\" name=\"photo\" multiple "
		    "accept=\"image/jpeg,image/png,image/webp\" data-mb=\"");
	html_raw(h, mb);
	html_raw(h, "\" data-many=\"");
	html_text(h,
	    html_say(h, "En çok üç fotoğraf gönderilebilir.", "Three photos can be sent at most."));
	html_raw(h, "\" data-large=\"");
	html_text(h, html_say(h, "#. fotoğraf çok büyük.", "Photo # is too large."));
	html_raw(h, "\"></label>\n");
	html_raw(h, "<p class=\"hint\">");
	html_text(h, html_say(h, "En çok üç JPEG, PNG ya da WebP, her biri en çok ",
			 "Up to three JPEG, PNG or WebP, each of at most "));
	html_raw(h, mb);
	html_text(
	    h, html_say(h, " MB. Çekildiği yer, zaman ve cihaz bilgisi saklanmadan silinir.",
		   " MB. Where, when and with what they were taken is removed before they are "
		   "kept."));
	html_raw(h, "</p>\n");
}

/* Which text it was is sent along, and stands with the contact. */
static void
information_link(struct html *h, const struct catalogue *cat)
{
	const struct catalogue_municipality *m = &cat->municipality;

	html_hidden(h, "information_version", m->information_text_version);
	html_raw(h, "<p class=\"hint\"><a href=\"");
	if (catalogue_information_is_ours(m))
		html_raw(h, h->language == CATALOGUE_EN ? "/aydinlatma-metni?lang=en"
							: "/aydinlatma-metni?lang=tr");
	else
		html_text(h, m->information_text_url);
	html_raw(h, "\">");
	html_text(h, html_say(h, "Kişisel verilerin korunması: aydınlatma metni",
			 "How your personal data is protected"));
	html_raw(h, "</a></p>\n");
}

void
report_page_form(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, const struct report_page_form *f)
{
	const char *about = catalogue_say(&subject->description, h->language);
	const struct report_form *form = f->form;

	if (f->p->count > 0 || f->photo_words != NULL)
		show_problems(h, subject, f);
	if (about != NULL && about[0] != '\0')
		html_element(h, "p", NULL, about);
	html_raw(h, "<form method=\"post\" enctype=\"multipart/form-data\" action=\"/report?lang=");
	html_raw(h, h->language == CATALOGUE_EN ? "en\">\n" : "tr\">\n");
	html_hidden(h, "token", f->token);
	html_hidden(h, "service_code", subject->code);
	report_page_questions(h, subject, form);
	area(h, description.label[h->language], description.name,
	    report_field(form, description.name), true);
	neighbourhoods(h, cat, form);
	input(h, &address, form);
	position(h, form);
	report_page_photos(h, f->photo_mb);
	html_element(h, "h2", NULL, html_say(h, "Size nasıl ulaşalım?", "How do we reach you?"));
	html_element(h, "p", "hint",
	    html_say(h,
		"Telefon ya da e-posta verirseniz her adımı bildiririz; telefonunuzun son dört "
		"rakamı "
		"başvurunuzu izlemenize yarar.",
		"With a phone or an e-mail address we tell you of each step; with the last four "
		"digits of "
		"the phone you can look the report up."));
	for (size_t i = 0; i < ARRAY_LEN(person); i++)
		input(h, &person[i], form);
	information_link(h, cat);
	html_raw(h, "<button>");
	html_text(h, html_say(h, "Gönder", "Send"));
	html_raw(h, "</button>\n</form>\n");
	report_page_script(h);
}

void
report_page_receipt(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, int64_t ticket_id, int64_t at_us)
{
	char number[NUMBER_SIZE];

	if (!number_format(ticket_id, number))
		number[0] = '\0';
	html_element(h, "p", "number", number);
	html_raw(h, "<dl>\n");
	html_element(h, "dt", NULL, html_say(h, "Konu", "Subject"));
	html_element(
	    h, "dd", NULL, subject == NULL ? "" : catalogue_say(&subject->name, h->language));
	html_element(h, "dt", NULL, html_say(h, "Alındığı an", "Received"));
	html_raw(h, "<dd>");
	html_time(h, at_us, true);
	html_raw(h, "</dd>\n</dl>\n");
	html_element(h, "p", NULL,
	    html_say(h, "Numarayı saklayın: başvurunuzu onunla izler, telefonda onu söylersiniz.",
		"Keep the number: with it you look the report up, and name it on the phone."));
	html_raw(h, "<p><a class=\"button\" href=\"/track?no=");
	html_text(h, number);
	html_raw(h, h->language == CATALOGUE_EN ? "&amp;lang=en\">" : "&amp;lang=tr\">");
	html_text(h, html_say(h, "Başvuruyu izle", "Look it up"));
	html_raw(h, "</a></p>\n<p class=\"hint\">");
	html_text(h, html_say(h, "Telefon: ", "Phone: "));
	html_text(h, cat->municipality.phone);
	html_raw(h, "</p>\n");
}
