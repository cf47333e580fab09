/*
 * spooled_item - a sealed item as bytes for the spool, and back.
 *
 * The bytes are turunc.v1.SpooledItem (state.proto).
 */
#ifndef INTAKE_SPOOLED_ITEM_H
#define INTAKE_SPOOLED_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "frame.h"
#include "item.h"
#include "turunc/v1/state.pb-c.h"

/* The bytes are the caller's to free(); NULL: out of memory. */
MUST_CHECK uint8_t *spooled_item_encode(const struct item *item, size_t *ret_len);

/* The message in a frame of that type (asserted); lent. */
const Turunc__V1__SpooledItem *spooled_item_message(const struct frame *frame);

/* Fills the item, all but done and what is accept's, from the message, which is lent for the item's
 * life.  False: it is not a whole item, or memory ran out. */
MUST_CHECK bool spooled_item_decode(
    struct item *item, const Turunc__V1__SpooledItem *message, item_done_fn *done);

#endif
