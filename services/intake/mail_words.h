/*
 * mail_words - what a header of a mail says: RFC 2047's encoded words, and what senders make of
 * them.
 *
 * Neighbouring words of one charset are joined before they are decoded, since many programs cut a
 * character between them; words stand inside quotes, have spaces in them, lack padding; raw bytes
 * beyond ASCII are there without any label.  Of a value the first 8 KiB are looked at, each byte a
 * bounded number of times, whatever it says.  Pure.
 */
#ifndef INTAKE_MAIL_WORDS_H
#define INTAKE_MAIL_WORDS_H

#include <stddef.h>

/* One line of valid UTF-8, spaces collapsed and trimmed; to be freed.  NULL: out of memory. */
char *mail_words_decode(const char *value, size_t len);

#endif
