/* Lays out what open data there are, what is left out of them, and what each field is. */
#include "open_data_page.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "html.h"
#include "month.h"
#include "report_format.h"
#include "table_page.h"

enum { MARKUP_BYTES = 256, KIB = 1024 };

void
open_data_begin_page(struct html *h, struct http_request *req, int32_t month)
{
	enum catalogue_language language = html_language(req);
	bool english = language == CATALOGUE_EN;
	char title[80], name[40] = "", other[80], text[MONTH_TEXT_SIZE] = "";

	if (month != 0) {
		month_title(month, (int)language, name, sizeof(name));
		month_format(month, text);
	}
	(void)snprintf(title, sizeof(title), "%s%s%s", english ? "Open data" : "Açık veri",
	    month == 0 ? "" : " · ", name);
	(void)snprintf(other, sizeof(other), "/open-data/%s?lang=%s", text, english ? "tr" : "en");
	const struct html_page page = {
		.title = title,
		.style = "/open-data/open-data.css",
		.home = english ? "/?lang=en" : "/?lang=tr",
		.other = other,
	};
	html_begin_page(h, language, &page);
}

static void
add_rules(struct html *h)
{
	static const char *const rules[][CATALOGUE_LANGUAGES] = {
		{ "Yalnızca herkese açık konulardaki başvurular vardır; sağlık ve sosyal yardım "
		  "gibi özel nitelikli konular yoktur.",
		    "Only tickets of public subjects are here; those of special categories, such "
		    "as health and social aid, are not." },
		{ "Ad, telefon, adres, açıklama ve fotoğraf yoktur. Konumlar yaklaşık yüz metreye "
		  "yuvarlanmıştır.",
		    "There are no names, telephone numbers, addresses, descriptions or photos. "
		    "Positions are rounded to about a hundred metres." },
		{ "Bir konunun bir mahallede beşten az başvurusu varsa sayı gizlenir ve o "
		  "başvuruların konumu, birimi, numarası ve saati çıkarılır; bunların çıkarma "
		  "işlemiyle bulunmasını sağlayacak başka sayılar da gizlenir.",
		    "Where a subject has under five tickets in a neighbourhood, the count is "
		    "suppressed, and those tickets lose their place, department, number and time "
		    "of the day; so are other counts by which they could be found by "
		    "subtraction." },
		{ "Aylar, bittikten beş gün sonra yayımlanır; daha sonra kaydedilen başvurular aya "
		  "eklenmez.",
		    "A month is published five days after its end; tickets recorded later are not "
		    "added to it." },
	};

	html_element(h, "h2", NULL, html_say(h, "Neler var, neler yok?", "What is here"));
	html_raw(h, "<ul class=\"rules\">\n");
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		html_element(h, "li", NULL, rules[i][h->language]);
	html_raw(h, "</ul>\n");
}

void
open_data_index_page(struct html *h, int32_t first, int32_t last)
{
	char text[MARKUP_BYTES], month[MONTH_TEXT_SIZE];

	html_element(h, "p", "hint",
	    html_say(h,
		"Başvurular, Open311 GeoReport Bulk biçiminde, ay ay. Serbestçe indirilebilir.",
		"Tickets in the format of Open311 GeoReport Bulk, month by month, for anybody to "
		"download."));
	if (first == 0 || first > last)
		html_element(h, "p", NULL,
		    html_say(h, "Henüz yayımlanan bir ay yok.", "No month is published yet."));
	html_raw(h, "<ul class=\"index\">\n");
	for (int32_t m = last; first != 0 && m >= first; m = month_add(m, -1)) {
		month_format(m, month);
		(void)snprintf(text, sizeof(text), "<li><a href=\"/open-data/%s?lang=%s\">", month,
		    h->language == CATALOGUE_EN ? "en" : "tr");
		html_raw(h, text);
		month_title(m, (int)h->language, text, sizeof(text));
		html_text(h, text);
		html_raw(h, "</a></li>\n");
	}
	html_raw(h, "</ul>\n");
	add_rules(h);
}

static void
add_file(struct html *h, const struct open_data_month *m, enum open_data_file file)
{
	static const char *const words[OPEN_DATA_FILES][CATALOGUE_LANGUAGES] = {
		[OPEN_DATA_REQUESTS_CSV] = { "başvurular", "tickets" },
		[OPEN_DATA_REQUESTS_JSON] = { "başvurular", "tickets" },
		[OPEN_DATA_COUNTS_CSV] = { "konu ve mahalleye göre sayılar",
		    "counts by subject and neighbourhood" },
		[OPEN_DATA_COUNTS_JSON] = { "konu ve mahalleye göre sayılar",
		    "counts by subject and neighbourhood" },
		[OPEN_DATA_DICTIONARY_CSV] = { "alanların sözlüğü", "dictionary of the fields" },
		[OPEN_DATA_DICTIONARY_JSON] = { "alanların sözlüğü", "dictionary of the fields" },
		[OPEN_DATA_SUMS] = { "sağlama toplamları", "checksums" },
	};
	char text[MARKUP_BYTES], month[MONTH_TEXT_SIZE], hex[DIGEST_HEX_SIZE];
	int64_t kib = (int64_t)((evbuffer_get_length(m->files[file]) + KIB - 1) / KIB);

	month_format(m->month, month);
	(void)snprintf(text, sizeof(text), "<tr><th scope=\"row\"><a href=\"/open-data/%s/%s\">",
	    month, open_data_file_name(file));
	html_raw(h, text);
	html_text(h, open_data_file_name(file));
	html_raw(h, "</a></th><td>");
	html_text(h, words[file][h->language]);
	html_raw(h, "</td><td class=\"number\">");
	report_format(h->language, REPORT_COUNT, (struct report_value){ true, kib }, text);
	html_text(h, text);
	html_raw(h, " KiB</td><td><code>");
	digest_format(&m->digests[file], hex);
	html_text(h, hex);
	html_raw(h, "</code></td></tr>\n");
}

static void
begin_table(struct html *h, const char *title, const char *const columns[], size_t count)
{
	table_begin(h, NULL, title);
	html_raw(h, "<thead><tr>");
	for (size_t i = 0; i < count; i++) {
		html_raw(h, "<th scope=\"col\">");
		html_text(h, columns[i]);
		html_raw(h, "</th>");
	}
	html_raw(h, "</tr></thead>\n<tbody>\n");
}

static void
add_dictionary(struct html *h, const char *file, const char *title)
{
	const char *const columns[] = { html_say(h, "Alan", "Field"), html_say(h, "Tür", "Type"),
		html_say(h, "Anlamı", "Meaning") };

	html_element(h, "h2", NULL, title);
	begin_table(h, title, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < open_data_field_count; i++) {
		const struct open_data_field *f = &open_data_fields[i];
		if (strcmp(f->file, file) != 0)
			continue;
		html_raw(h, "<tr><th scope=\"row\"><code>");
		html_text(h, f->name);
		html_raw(h, "</code></th><td>");
		html_text(h, f->type);
		html_raw(h, "</td><td>");
		html_text(h, f->words[h->language]);
		html_raw(h, "</td></tr>\n");
	}
	table_end(h);
}

static void
add_summary(struct html *h, const struct open_data_month *m)
{
	char tickets[REPORT_TEXT_SIZE], coarse[REPORT_TEXT_SIZE];

	report_format(
	    h->language, REPORT_COUNT, (struct report_value){ true, (int64_t)m->tickets }, tickets);
	report_format(
	    h->language, REPORT_COUNT, (struct report_value){ true, (int64_t)m->coarse }, coarse);
	html_raw(h, "<p>");
	if (m->withheld) {
		html_text(h, html_say(h, "Bu ay yayımlanacak kadar başvuru yok.",
				 "There are too few tickets in this month to publish any."));
	} else {
		html_raw(h, "<b>");
		html_text(h, tickets);
		html_raw(h, "</b> ");
		html_text(h, html_say(h, "başvuru; konumu gizlenen: ",
				 "tickets; those whose place is hidden: "));
		html_raw(h, "<b>");
		html_text(h, coarse);
		html_raw(h, "</b>");
	}
	html_raw(h, "</p>\n<p class=\"hint\">");
	html_text(h, html_say(h, "Kayıttan okunduğu an: ", "Read from the record: "));
	html_time(h, m->read_us, true);
	html_raw(h, "</p>\n");
}

void
open_data_month_page(struct html *h, const struct open_data_month *m)
{
	const char *title = html_say(h, "Dosyalar", "Files");
	const char *const columns[] = { html_say(h, "Dosya", "File"),
		html_say(h, "İçeriği", "Content"), html_say(h, "Boyut", "Size"), "SHA-256" };

	add_summary(h, m);
	html_element(h, "h2", NULL, title);
	begin_table(h, title, columns, ARRAY_LEN(columns));
	for (int i = 0; i < OPEN_DATA_FILES; i++)
		add_file(h, m, (enum open_data_file)i);
	table_end(h);
	add_rules(h);
	add_dictionary(h, "requests", html_say(h, "Sözlük: başvurular", "Dictionary: tickets"));
	add_dictionary(h, "counts", html_say(h, "Sözlük: sayılar", "Dictionary: counts"));
	html_raw(h, h->language == CATALOGUE_EN
			? "<p><a href=\"/open-data/?lang=en\">Other months</a></p>\n"
			: "<p><a href=\"/open-data/?lang=tr\">Öteki aylar</a></p>\n");
}
