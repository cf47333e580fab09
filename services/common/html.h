/*
 * html - a page of ours as it is written: fixed parts as they are, everybody's text escaped.
 *
 * Running out of memory is remembered and told by html_reply().
 */
#ifndef TURUNC_HTML_H
#define TURUNC_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

struct evbuffer;
struct http_request;

struct html {
	struct evbuffer *out;
	enum catalogue_language language;
	bool failed;
	uint32_t retry_after_s; /* with 429 and 503; 0: a minute, a second */
};

/* As the query's "lang" says, or else the browser. */
enum catalogue_language html_language(const struct http_request *req);

/* Head and masthead of a citizens' page; title is text, path is where its other language is
 * ("/track"). */
void html_begin(
    struct html *h, enum catalogue_language language, const char *title, const char *path);

/* The same for pages that stand elsewhere.  All are text, none is NULL. */
struct html_page {
	const char *title;
	const char *style; /* path of the style sheet */
	const char *home; /* where the name in the masthead leads */
	const char *other; /* this page in the other language: path with its query */
};
void html_begin_page(
    struct html *h, enum catalogue_language language, const struct html_page *page);
void html_raw(struct html *h, const char *markup);
/* Text between tags or in a quoted attribute; NULL is "".  Line breaks stay for the style to show.
 */
void html_text(struct html *h, const char *text);
/* Whichever is in the page's language. */
const char *html_say(const struct html *h, const char *turkish, const char *english);
/* A paragraph that says what is wrong. */
void html_complaint(struct html *h, const char *text);
/* <tag class="class">text</tag>; class NULL: none. */
void html_element(struct html *h, const char *tag, const char *class, const char *text);
/* A hidden field and a choice of a list; name is ours, the others are text. */
void html_hidden(struct html *h, const char *name, const char *value);
void html_option(struct html *h, const char *value, const char *text, bool chosen);
/* "29.11.2026 14:05" in Istanbul; without the time: "29.11.2026". */
void html_time(struct html *h, int64_t at_us, bool with_time);
/* Ends the page and moves it into `to`; false: out of memory. */
MUST_CHECK bool html_finish(struct html *h, struct evbuffer *to);
/* Ends the page and answers with it, never to be kept by anybody. */
void html_reply(struct html *h, struct http_request *req, unsigned status);

#endif
