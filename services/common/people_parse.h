/*
 * people_parse - what a browser says about a session: cookies, where to go next, where it comes
 * from.  Pure; all of it is foreign text.
 */
#ifndef TURUNC_PEOPLE_PARSE_H
#define TURUNC_PEOPLE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct digest;

enum { PEOPLE_TOKEN_BYTES = 32, PEOPLE_TOKEN_SIZE = 44, PEOPLE_NEXT_BYTES = 1024 };

/* The token in a Cookie header under that name.  False: none, no token of ours, or the name stands
 * there twice, as when a neighbour's page has put one in front. */
MUST_CHECK bool people_cookie_find(
    const char *header, const char *name, uint8_t ret_token[PEOPLE_TOKEN_BYTES]);

/* A new one, and its text. */
void people_token_make(uint8_t ret_token[PEOPLE_TOKEN_BYTES], char ret_text[PEOPLE_TOKEN_SIZE]);
/* What the record keeps of it. */
void people_token_digest(const uint8_t token[PEOPLE_TOKEN_BYTES], struct digest *ret_digest);
/* What the forms of its session carry: follows from the token alone, and tells nothing of it. */
void people_form_token(const uint8_t token[PEOPLE_TOKEN_BYTES], char ret_text[PEOPLE_TOKEN_SIZE]);
/* In the same time wherever they differ. */
bool people_form_token_equal(const char *given, const char expected[PEOPLE_TOKEN_SIZE]);

/* May a browser be sent there after signing in?  Only a path of ours below the prefix, in plain
 * characters: nothing that any browser takes for another host. */
bool people_next_valid(const char *next, const char *prefix);

/* Does the request come from a page of this origin?  Sec-Fetch-Site is believed, for no page can
 * set it; without it, Origin must name the host the request was sent to; without both, no.  NULL is
 * a header that is absent. */
bool people_same_origin(const char *origin, const char *fetch_site, const char *host, bool secure);

/* Appends text to out, whatever is not plain in a path as %XX; keep: further characters that stay.
 * False: it does not fit. */
MUST_CHECK bool people_escape(char *out, size_t size, const char *text, const char *keep);

/* Who counts as one address: an IPv4 address, or the /64 that an IPv6 host has to itself. */
enum { PEOPLE_ADDRESS_SIZE = 56 };
void people_address(const char *address, char ret_key[PEOPLE_ADDRESS_SIZE]);

#endif
