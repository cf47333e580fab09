/*
 * search_words - what of a contact is found by which words, and what is looked for.
 *
 * Pure.  Both sides are folded alike (fold.h) and cut to SEARCH_WORD_BYTES; a word is found by its
 * beginning, for Turkish endings follow it.  A telephone is found by its whole, national or last
 * seven or four digits, a ticket by its number with or without dashes.
 */
#ifndef TURUNC_SEARCH_WORDS_H
#define TURUNC_SEARCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum {
	SEARCH_WORD_BYTES = 48,
	SEARCH_TEXT_BYTES = 32 * 1024, /* of one contact; what is beyond is not found */
	SEARCH_QUERY_WORDS = 8, /* the rest of a query is passed over */
	SEARCH_QUERY_BYTES = 4096, /* the words, and 64 departments of 40 bytes */
};

/* Strings may be NULL. */
struct search_contact {
	int64_t ticket_id;
	const char *department, *name, *phone, *email, *address, *description;
};

/* Words with single spaces between them. */
void search_words(const struct search_contact *c, char out[SEARCH_TEXT_BYTES]);

/* A tsquery for what somebody typed; "" when there is no word in it. */
void search_query(const char *typed, char out[SEARCH_QUERY_BYTES]);
/* "query & ('d=fen' | 'd=park')"; query is search_query()'s and not "".  False: too long. */
MUST_CHECK bool search_query_within(
    const char *query, const char *const *departments, size_t count, char out[SEARCH_QUERY_BYTES]);

#endif
