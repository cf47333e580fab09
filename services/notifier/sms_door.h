/*
 * sms_door - where SMS gateways call us: receipts of what we sent, and what citizens send back.
 *
 *	POST /receipts/{gateway}/{secret}
 *	POST /receipts/{gateway}           with the secret in X-Turunc-Secret
 *
 * Answered 200 only when everything in the request is safe: receipts are committed, texts are
 * intake's (or, with a folder, on this disk).  503 when that cannot be now: a gateway comes again.
 * A receipt that is quicker than our own record of the sending is held until that is written down.
 * A wrong secret and an unknown gateway get the same 404.
 *
 * A text whose only word is one of those that stop messages (RET, IPTAL, DUR, STOP) is an opt-out,
 * of those that begin them again (BASLA, BASLAT, START) the way back; both are contacts as well,
 *and what they change is confirmed by a text, the last one that whoever stops them gets.
 */
#ifndef NOTIFIER_SMS_DOOR_H
#define NOTIFIER_SMS_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "receipts.h"
#include "registry.h"
#include "turunc/client.h"

struct sms_door;
struct http;

/* Lent. */
struct sms_door_gateway {
	const struct gateway_profile *profile;
	const char *secret; /* "" or NULL: it does not call */
};
struct sms_door_world {
	struct receipts_world receipts;
	const struct sms_door_gateway *gateways;
	size_t gateway_count;
	struct turunc_client *publisher; /* to intake */
	const struct registry *registry;
	void (*on_news)(void *arg); /* there may be something to send */
	void (*wake)(void *arg); /* its tick has a nearer moment */
	void *arg;
};

/* NULL: no memory, or no room for its routes.  Close it after the server and the db; takes NULL. */
struct sms_door *sms_door_open(struct http *http, const struct sms_door_world *world);
void sms_door_close(struct sms_door *door);

/* What intake said of a text; the publisher's on_result. */
void sms_door_on_result(struct sms_door *door, const struct turunc_result *result);
/* Answers 503 to who has waited for intake for too long, looks again for who is held; ms to the
 * next such moment, -1: none. */
int64_t sms_door_tick(struct sms_door *door, uint64_t now_ms);

/* --- for tests --- */

enum wish { WISH_NONE, WISH_STOP, WISH_START };
enum wish sms_wish(const char *text);
/* The ticket numbers in a text, at most max of them. */
size_t sms_ticket_numbers(const char *text, int64_t *ret_ids, size_t max);

#endif
