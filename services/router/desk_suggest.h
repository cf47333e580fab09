/* desk_suggest - which subject a text is probably about, by the words of the catalogue. */
#ifndef ROUTER_DESK_SUGGEST_H
#define ROUTER_DESK_SUGGEST_H

#include <stddef.h>

#include "catalogue.h"

enum { DESK_SUGGESTIONS = 3 };

struct suggest;

/* Folds the catalogue's words once, for several texts.  NULL: out of memory.  Lends cat. */
struct suggest *suggest_create(const struct catalogue *cat);
void suggest_destroy(struct suggest *s);

/* The likeliest first; 0 when no word of it is known. */
size_t suggest_subjects(const struct suggest *s, const char *text,
    const struct catalogue_subject *ret_subjects[DESK_SUGGESTIONS]);

#endif
