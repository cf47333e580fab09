/*
 * receipt_match - which of our messages a gateway's receipts are of, as the record has them.
 *
 * A gateway may be quicker than we write down that it took a message.  Until then the record says
 * "being sent", and does not know the gateway's reference: such a receipt is early, and must not be
 * answered as taken.  A reference that is not ours at all looks the same while anything is being
 * sent.  So each is remembered with what was being sent when it first came: when that has ended,
 * it is nobody's, however much is being sent by then.
 */
#ifndef NOTIFIER_RECEIPT_MATCH_H
#define NOTIFIER_RECEIPT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "receipts.h"

/* References that nobody had, as many as 256; the oldest make room, and an hour is enough. */
struct strangers;
/* NULL: out of memory.  Destroy takes NULL. */
struct strangers *strangers_create(void);
void strangers_destroy(struct strangers *strangers);

/* What one callback brings; lent. */
struct receipt_news {
	const struct gateway_profile *profile;
	const struct gateway_news *news;
	size_t count;
};

struct receipt_match {
	struct known known[GATEWAY_NEWS_MAX];
	struct receipt receipts[GATEWAY_NEWS_MAX]; /* that move a message: once each */
	size_t count;
	bool early; /* others may be of what is being sent */
};

/* The statements that look; false: there is no receipt among the news, and nothing was added. */
bool receipt_match_ask(const struct receipt_news *news, struct db_unit *unit);
/* What they said.  The receipts point into the match and the news. */
void receipt_match_read(const struct receipt_news *news, const struct db_reply *reply,
    struct strangers *strangers, uint64_t now_ms, struct receipt_match *ret_match);

#endif
