/*
 * message_state - the states a message to a citizen goes through, and what may follow what.
 *
 * Pure.  The numbers are those of turunc.notification.state.
 */
#ifndef NOTIFIER_MESSAGE_STATE_H
#define NOTIFIER_MESSAGE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"

enum message_state {
	MESSAGE_QUEUED = 1, /* waiting for next_attempt_us */
	MESSAGE_SENDING, /* an attempt was begun and has no outcome yet */
	MESSAGE_SENT, /* the other side took it */
	MESSAGE_UNKNOWN, /* it may have been taken: an operator decides */
	MESSAGE_DEAD, /* given up: an operator sees it */
	MESSAGE_DELIVERED, /* a receipt says so */
	MESSAGE_DISCARDED, /* an operator said so, or the person wants none */
	MESSAGE_STATES
};

/* What may follow a state; the whole life of a message. */
MUST_CHECK bool message_may_follow(enum message_state now, enum message_state next);

/* What an attempt's outcome makes of the message; deferrals: how often it was put off before.  A
 * server that nobody can speak with says nothing of the message: that never kills it. */
enum message_state message_after(enum outcome outcome, uint32_t deferrals, uint32_t attempts_max);

#endif
