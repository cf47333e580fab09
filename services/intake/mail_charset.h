/*
 * mail_charset - text of a mail as valid UTF-8, whatever its sender called it.
 *
 * What Turkish mail is labelled as is often not what it is.  So ISO-8859-9 is read as
 * windows-1254, which holds all of it; ISO-8859-1 and windows-1252 with bytes that are Ğ İ Ş ğ ı ş
 * there likewise; what is valid UTF-8 beyond ASCII is UTF-8 under every label of a single-byte
 * set; and what has no label, a wrong one or one nobody knows is UTF-8 if it can be, else
 * windows-1254.  Nothing makes it fail but memory: bytes that mean nothing become U+FFFD.
 */
#ifndef INTAKE_MAIL_CHARSET_H
#define INTAKE_MAIL_CHARSET_H

#include <stddef.h>

/* Valid UTF-8, terminated, without NUL and control characters but line ends (\n) and tabs; to be
 * freed.  charset: as labelled, or NULL.  NULL: out of memory. */
char *mail_charset_decode(const char *bytes, size_t len, const char *charset);

#endif
