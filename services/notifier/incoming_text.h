/* incoming_text - what a citizen's text is known by, and how intake takes it; pure. */
#ifndef NOTIFIER_INCOMING_TEXT_H
#define NOTIFIER_INCOMING_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway.h"

enum { INCOMING_TEXT_ID_SIZE = 80 };

/*
 * From all that a gateway says of a text, so that a repeat is one and nothing else is: its own id
 * of it, who wrote, and what; without an id the day as well.
 */
void incoming_text_id(const char *gateway, const struct gateway_news *news, int64_t now_us,
    char ret_id[INCOMING_TEXT_ID_SIZE]);

/* As intake takes them (utf8_has_control): a blank for each control character but lines. */
void incoming_text_blank(char *text, bool lines);
/* Lines by \n, and not too long. */
void incoming_text_plain(const char *text, char ret_text[GATEWAY_TEXT_MAX + 1]);

/* Behind the keyword that a shared number wants first; the text itself where there is none, or
 * nothing behind it. */
const char *incoming_text_behind(const char *text, const char *keyword);

#endif
