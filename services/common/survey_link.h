/*
 * survey_link - the signed token by which an invited citizen says whether they were satisfied.
 *
 * It names one invitation and nobody else can make it: notifier writes it into the message, intake
 * reads it.  32 letters of [A-Za-z0-9_-], so that it has room in an SMS.  It lets nobody see
 * anything of a ticket but its number; how long it is good for stands in the record.
 */
#ifndef TURUNC_SURVEY_LINK_H
#define TURUNC_SURVEY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "uuid.h"

enum { SURVEY_LINK_LEN = 32, SURVEY_LINK_SIZE = SURVEY_LINK_LEN + 1 };
/* Where the page is: base_url, then this, then the token. */
#define SURVEY_LINK_PATH "/anket/"

/* Where a mail that asks can be refused: of a message, and good for nothing else. */
#define SURVEY_STOP_PATH "/anket-istemiyorum/"

/* secret: 16 to 64 bytes, the same for both services. */
void survey_link_make(const uint8_t *secret, size_t secret_len, const struct uuid *survey,
    char ret_token[SURVEY_LINK_SIZE]);
/* False: not one of ours. */
MUST_CHECK bool survey_link_read(
    const uint8_t *secret, size_t secret_len, const char *token, struct uuid *ret_survey);

/* The same for the message that such a mail is. */
void survey_stop_make(const uint8_t *secret, size_t secret_len, const struct uuid *message,
    char ret_token[SURVEY_LINK_SIZE]);
MUST_CHECK bool survey_stop_read(
    const uint8_t *secret, size_t secret_len, const char *token, struct uuid *ret_message);

#endif
