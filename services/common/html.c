/* Writes pages for people. */
#include "html.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "http.h"
#include "istanbul.h"

static void
add(struct html *h, const char *data, size_t len)
{
	if (h->out == NULL || evbuffer_add(h->out, data, len) == -1)
		h->failed = true;
}

void
html_raw(struct html *h, const char *markup)
{
	add(h, markup, strlen(markup));
}

void
html_text(struct html *h, const char *text)
{
	static const char special[] = "&<>\"'";
	static const char *const as[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	if (text == NULL)
		return;
	while (*text != '\0') {
		size_t plain = strcspn(text, special);
		add(h, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		html_raw(h, as[strchr(special, *text) - special]);
		text++;
	}
}

const char *
html_say(const struct html *h, const char *turkish, const char *english)
{
	return h->language == CATALOGUE_EN ? english : turkish;
}

void
html_complaint(struct html *h, const char *text)
{
	html_raw(h, "<p class=\"complaint\" role=\"alert\">");
	html_text(h, text);
	html_raw(h, "</p>\n");
}

void
html_element(struct html *h, const char *tag, const char *class, const char *text)
{
	html_raw(h, "<");
	html_raw(h, tag);
	if (class != NULL) {
		html_raw(h, " class=\"");
		html_raw(h, class);
		html_raw(h, "\"");
	}
	html_raw(h, ">");
	html_text(h, text);
	html_raw(h, "</");
	html_raw(h, tag);
	html_raw(h, ">\n");
}

void
html_hidden(struct html *h, const char *name, const char *value)
{
	html_raw(h, "<input type=\"hidden\" name=\"");
	html_raw(h, name);
	html_raw(h, "\" value=\"");
	html_text(h, value);
	html_raw(h, "\">\n");
}

void
html_option(struct html *h, const char *value, const char *text, bool chosen)
{
	html_raw(h, "<option value=\"");
	html_text(h, value);
	html_raw(h, chosen ? "\" selected>" : "\">");
	html_text(h, text);
	html_raw(h, "</option>\n");
}

void
html_time(struct html *h, int64_t at_us, bool with_time)
{
	char text[40];
	struct istanbul_time t = istanbul_split(at_us);
	int len = snprintf(text, sizeof(text), "%02d.%02d.%04d", t.day, t.month, t.year);

	if (with_time && len > 0)
		(void)snprintf(
		    text + len, sizeof(text) - (size_t)len, " %02d:%02d", t.hour, t.minute);
	html_raw(h, text);
}

enum catalogue_language
html_language(const struct http_request *req)
{
	const char *asked = http_query(req, "lang", NULL);

	if (asked == NULL || asked[0] == '\0')
		asked = http_language(req);
	return strcmp(asked, "en") == 0 ? CATALOGUE_EN : CATALOGUE_TR;
}

void
html_begin_page(struct html *h, enum catalogue_language language, const struct html_page *page)
{
	bool english = language == CATALOGUE_EN;

	*h = (struct html){ .out = evbuffer_new(), .language = language };
	html_raw(h, "<!doctype html>\n<html lang=\"");
	html_raw(h, english ? "en" : "tr");
	html_raw(h, "\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<meta name=\"robots\" content=\"noindex\">\n<title>");
	html_text(h, page->title);
	html_raw(h, " · Turunç</title>\n"
		    "<link rel=\"icon\" href=\"/live/icon.svg\" type=\"image/svg+xml\">\n"
		    "<link rel=\"stylesheet\" href=\"");
	html_text(h, page->style);
	html_raw(h, "\">\n</head>\n<body>\n<main>\n<p class=\"bar\"><a href=\"");
	html_text(h, page->home);
	html_raw(h, "\">Turunç</a> <a lang=\"");
	html_raw(h, english ? "tr\" href=\"" : "en\" href=\"");
	html_text(h, page->other);
	html_raw(h, english ? "\">Türkçe</a></p>\n" : "\">English</a></p>\n");
	html_element(h, "h1", "small", page->title);
}

void
html_begin(struct html *h, enum catalogue_language language, const char *title, const char *path)
{
	char other[128];
	const struct html_page page = {
		.title = title, .style = "/assets/intake.css", .home = "/", .other = other
	};

	(void)snprintf(
	    other, sizeof(other), "%s?lang=%s", path, language == CATALOGUE_EN ? "tr" : "en");
	html_begin_page(h, language, &page);
}

bool
html_finish(struct html *h, struct evbuffer *to)
{
	html_raw(h, "</main>\n</body>\n</html>\n");
	bool whole = !h->failed && evbuffer_add_buffer(to, h->out) == 0;
	if (h->out != NULL)
		evbuffer_free(h->out);
	h->out = NULL;
	return whole;
}

void
html_reply(struct html *h, struct http_request *req, unsigned status)
{
	html_raw(h, "</main>\n</body>\n</html>\n");
	if (h->failed) {
		http_reply_error(req, 503, "Out of memory.");
	} else {
		const struct http_response response = { .status = status,
			.content_type = "text/html; charset=utf-8",
			.body = h->out,
			.retry_after_s = h->retry_after_s != 0 ? h->retry_after_s
					 : status == 429       ? 60
							       : 0 };
		http_reply(req, &response);
	}
	if (h->out != NULL)
		evbuffer_free(h->out);
	h->out = NULL;
}
