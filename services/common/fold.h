/*
 * fold - Turkish text made comparable, for index and query alike; and its display casing.
 *
 * Folding over-matches by design ("Çağlayan mh." and "CAGLAYAN MAHALLESI" become the same); the
 * original is what people are shown.  Protocol words are never folded with this: they are ASCII.
 */
#ifndef TURUNC_FOLD_H
#define TURUNC_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

/*
 * Writes the folded form and a NUL into out (size at least 1).  In order: composed (NFC, as far as
 * Latin letters go), other combining marks dropped; lower case, with every i of Turkish as i; marks
 * of Turkish letters dropped; apostrophes dropped and other punctuation a space; spaces collapsed
 * and trimmed; mh, mah, sk, sok, cd, cad, bl, blv, bulv as whole words written out.  Bytes that are
 * no UTF-8 count as punctuation.  Folding again changes nothing.  False: it did not fit; out holds
 * what did, cut between characters.
 */
MUST_CHECK bool fold_text(const char *text, size_t len, char *out, size_t size);

/* For display: i -> İ and ı -> I, or back; letters beyond Latin, Greek and Cyrillic stay as they
 * are.  False as above.  Invalid bytes become U+FFFD. */
MUST_CHECK bool fold_upper(const char *text, size_t len, char *out, size_t size);
MUST_CHECK bool fold_lower(const char *text, size_t len, char *out, size_t size);

#endif
