/*
 * salutation - may this name stand in a mail that we sign?
 *
 * Anybody can write a name into the form or a mail's From line and somebody else's address beside
 * it: what we then send there must hold none of their message.  So a name is at most sixty
 * characters of letters, with spaces, hyphens, apostrophes, and dots that end a word ("A. Yılmaz").
 * A digit, a dot between letters, "www", or any other sign makes it none.
 */
#ifndef TURUNC_SALUTATION_H
#define TURUNC_SALUTATION_H

#include <stdbool.h>

#include "base.h"

enum { SALUTATION_CHARS_MAX = 60 };

/* name: valid UTF-8.  False as well when it is empty.  Pure. */
bool salutation_is_name(const char *name);

#endif
