/* The table of a message's states. */
#include "message_state.h"

#define BIT(state) (1u << (state))

static const unsigned may_follow[MESSAGE_STATES] = {
	[MESSAGE_QUEUED] = BIT(MESSAGE_SENDING) | BIT(MESSAGE_DISCARDED),
	[MESSAGE_SENDING] = BIT(MESSAGE_SENT) | BIT(MESSAGE_QUEUED) | BIT(MESSAGE_UNKNOWN)
			    | BIT(MESSAGE_DEAD) | BIT(MESSAGE_DISCARDED),
	/* To dead: a report came that it did not arrive (bouncing, receipts). */
	[MESSAGE_SENT] = BIT(MESSAGE_DELIVERED) | BIT(MESSAGE_DEAD),
	/* To sent or dead: the process that was thought to have ended says how it went. */
	[MESSAGE_UNKNOWN] = BIT(MESSAGE_QUEUED) | BIT(MESSAGE_SENT) | BIT(MESSAGE_DEAD)
			    | BIT(MESSAGE_DISCARDED) | BIT(MESSAGE_DELIVERED),
	[MESSAGE_DEAD] = BIT(MESSAGE_QUEUED) | BIT(MESSAGE_DISCARDED),
};

bool
message_may_follow(enum message_state now, enum message_state next)
{
	return (may_follow[now] & BIT(next)) != 0;
}

enum message_state
message_after(enum outcome outcome, uint32_t deferrals, uint32_t attempts_max)
{
	switch (outcome) {
	case OUTCOME_ACCEPTED:
		return MESSAGE_SENT;
	case OUTCOME_DEFERRED:
		return deferrals + 1 < attempts_max ? MESSAGE_QUEUED : MESSAGE_DEAD;
	case OUTCOME_UNREACHABLE:
		return MESSAGE_QUEUED;
	case OUTCOME_UNKNOWN:
		return MESSAGE_UNKNOWN;
	case OUTCOME_UNWANTED:
		return MESSAGE_DISCARDED;
	case OUTCOME_REFUSED:
	case OUTCOME_DUPLICATE:
	case OUTCOMES:
	default:
		return MESSAGE_DEAD;
	}
}
