/*
 * form_token - what a page of ours may later do to one ticket, sealed so that nobody else can make
 * it.
 *
 * Ticket, end of its life and a random part under a keyed digest; the random part also names the
 * form, so that sending it twice is sending it once.  Text of [A-Za-z0-9_-].
 */
#ifndef INTAKE_FORM_TOKEN_H
#define INTAKE_FORM_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { FORM_TOKEN_SIZE = 65, FORM_ID_SIZE = 33 };

/* secret: 16 to 64 bytes. */
void form_token_make(const uint8_t *secret, size_t secret_len, int64_t ticket_id,
    int64_t expires_us, char ret_token[FORM_TOKEN_SIZE]);

/* False: not one of ours, or over.  ret_form_id: hex of the random part. */
MUST_CHECK bool form_token_read(const uint8_t *secret, size_t secret_len, const char *token,
    int64_t now_us, int64_t *ret_ticket_id, char ret_form_id[FORM_ID_SIZE]);

#endif
