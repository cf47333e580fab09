/* Short pages in both languages, with the way to what there is. */
#include "said_page.h"

#include <stdio.h>
#include <string.h>

#include "html.h"
#include "http.h"

enum { ADDRESS_BYTES = 96, RETRY_S = 2 };

static const struct {
	unsigned status;
	const char *title[CATALOGUE_LANGUAGES], *text[CATALOGUE_LANGUAGES];
	const char *style, *home, *list;
	const char *list_title[CATALOGUE_LANGUAGES];
} sayings[] = {
	[SAID_NO_REPORT] = { 404, { "Bu ayın raporu yok", "There is no report of that month" },
	    { "Rapor, kayıtların başladığı aydan içinde bulunulan aya kadar vardır. Adreste ay, "
	      "yıl ve "
	      "sayısıyla yazılır: 2026-03.",
		"There are reports from the month in which the records begin to the present one. "
		"In "
		"the address a month is written as 2026-03." },
	    "/reports/files/report.css", "/live/", "/reports/",
	    { "Aylık raporlar", "Monthly reports" } },
	[SAID_REPORTS_AWAY] = { 503, { "Şu anda gösterilemiyor", "It cannot be shown now" },
	    { "Kayıtlara şu anda ulaşılamıyor. Lütfen biraz sonra yeniden deneyiniz.",
		"The record cannot be reached at the moment. Please try again shortly." },
	    "/reports/files/report.css", "/live/", "/reports/",
	    { "Aylık raporlar", "Monthly reports" } },
	[SAID_NO_OPEN_DATA] = { 404,
	    { "Bu ayın açık verisi yok", "There are no open data of that month" },
	    { "Bu ay henüz yayımlanmamıştır ya da kayıtlar o aya kadar uzanmamaktadır. Aylar, "
	      "bittikten "
	      "beş gün sonra yayımlanır.",
		"It is not published yet, or the records do not reach back to it. A month is "
		"published "
		"five days after its end." },
	    "/open-data/open-data.css", "/", "/open-data/", { "Açık veri", "Open data" } },
	[SAID_NOT_SHOWN] = { 403,
	    { "Bu sayfa burada gösterilmiyor", "This page is not shown here" },
	    { "Canlı pano ve aylık raporlar yalnız belediyenin belirlediği yerlerden görülebilir. "
	      "Herkese açık rakamlar açık veri sayfasındadır.",
		"The live board and the monthly reports are seen only from where the municipality "
		"has chosen. The figures that are open to everybody are among the open data." },
	    "/open-data/open-data.css", "/", "/open-data/", { "Açık veri", "Open data" } },
	[SAID_OPEN_DATA_AWAY] = { 503, { "Şu anda gösterilemiyor", "It cannot be shown now" },
	    { "Kayıtlara şu anda ulaşılamıyor. Lütfen biraz sonra yeniden deneyiniz.",
		"The record cannot be reached at the moment. Please try again shortly." },
	    "/open-data/open-data.css", "/", "/open-data/", { "Açık veri", "Open data" } },
};

/* Where this is asked for again; whatever is no plain address leads to the list. */
static const char *
address_of(const struct http_request *req, const char *list)
{
	const char *path = http_request_path(req);
	size_t plain = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789/-.");

	return path[plain] == '\0' && plain < ADDRESS_BYTES - 16 ? path : list;
}

void
said_page_reply(struct http_request *req, enum said what)
{
	enum catalogue_language language = html_language(req);
	const char *query = language == CATALOGUE_EN ? "?lang=en" : "?lang=tr";
	char other[ADDRESS_BYTES], home[ADDRESS_BYTES];
	const struct html_page page = { .title = sayings[what].title[language],
		.style = sayings[what].style,
		.home = home,
		.other = other };
	struct html h;

	(void)snprintf(home, sizeof(home), "%s%s", sayings[what].home, query);
	(void)snprintf(other, sizeof(other), "%s%s", address_of(req, sayings[what].list),
	    language == CATALOGUE_EN ? "?lang=tr" : "?lang=en");
	html_begin_page(&h, language, &page);
	html_element(&h, "p", NULL, sayings[what].text[language]);
	html_raw(&h, "<p><a href=\"");
	html_raw(&h, sayings[what].list);
	html_raw(&h, query);
	html_raw(&h, "\">");
	html_text(&h, sayings[what].list_title[language]);
	html_raw(&h, "</a></p>\n");
	h.retry_after_s = sayings[what].status == 503 ? RETRY_S : 0;
	html_reply(&h, req, sayings[what].status);
}
