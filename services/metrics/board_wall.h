/*
 * board_wall - a screen on a wall sees the board by a key that can do nothing else.
 *
 * The key is an HTTP client's with the verb "board" (masa client add NAME --http --verbs board).
 * Its screen opens /live/wall/KEY once, is given a cookie for /live/ and sent to the board, so that
 * the key stands in no address that is shown.  Programs say "Authorization: Bearer KEY" instead.
 */
#ifndef METRICS_BOARD_WALL_H
#define METRICS_BOARD_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct acl;
struct acl_client;
struct http_request;

enum { WALL_KEY_BYTES_MAX = 64, WALL_COOKIE_SIZE = 192 };

/* The value of the cookie of that name, or of "Bearer " in authorization (either may be NULL), into
 * out.  False: none, or one that is no key.  Pure. */
MUST_CHECK bool wall_key_find(
    const char *cookie, const char *authorization, char out[WALL_KEY_BYTES_MAX + 1]);

/* Whose key the request carries; NULL: none, or one that may not see the board (any more). */
const struct acl_client *wall_client(
    const struct acl *acl, const struct http_request *req, int64_t now_us);
/* The same for a key that was given. */
const struct acl_client *wall_client_of(const struct acl *acl, const char *key, int64_t now_us);
/* May a client of that name still see it? */
bool wall_still(const struct acl *acl, const char *name, int64_t now_us);

/* Gives the cookie and sends to the board. */
void wall_welcome(struct http_request *req, const char *key, bool secure);

#endif
