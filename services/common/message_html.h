/*
 * message_html - a message's plain text as the HTML part beside it.
 *
 * The same words, nothing more: paragraphs, "Key: value" lines as a table, and links where the text
 * has addresses below our own.  Everything is escaped; nothing is fetched from anywhere; readable
 * on a narrow screen, and in dark mode.
 */
#ifndef TURUNC_MESSAGE_HTML_H
#define TURUNC_MESSAGE_HTML_H

#include <stddef.h>

#include "base.h"

struct message_html {
	const char *language; /* "tr" */
	const char *title; /* the mail's subject */
	const char *sender; /* the municipality, as heading */
	const char *body; /* paragraphs between empty lines */
	const char *base_url; /* only what begins with it becomes a link */
};

/* To be freed; lines by \n.  NULL: no memory. */
MUST_CHECK char *message_html_make(const struct message_html *mail, size_t *ret_size);

#endif
