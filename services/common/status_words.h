/* status_words - a ticket's status, and what happened to it, in a citizen's words. */
#ifndef TURUNC_STATUS_WORDS_H
#define TURUNC_STATUS_WORDS_H

#include <stdint.h>

#include "catalogue.h"

/* status: turunc.v1.Status; "" for one that is none. */
const char *status_word(int64_t status, enum catalogue_language language);

/* The sentence for a record of the log, in which a department's name may follow; NULL: no matter
 * of the citizen's. */
const char *status_event_words(const char *type, enum catalogue_language language);

#endif
