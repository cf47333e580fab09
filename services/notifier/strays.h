/*
 * strays - finds what the record says is being sent, and nobody sends.
 *
 * What a former process, or a connection that broke, left as "being sent" is looked for when it is
 * gone.  But PostgreSQL carries on with a transaction that it has in hand, and may commit it after
 * that look: such a message would be sent by nobody for ever, with all that wait behind it.  So
 * the record is asked every few seconds.  What two looks, one after the other, find to be held by
 * nobody here, and claimed longer ago than another notifier beside this one may still be sending
 * it, is a stray; what is to become of it is decided by those who listen (delivery looks for all
 * that was left, with nothing of its own on its way).
 */
#ifndef NOTIFIER_STRAYS_H
#define NOTIFIER_STRAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "uuid.h"

struct strays;

/* is_held: this process sends that message, or has yet to write down what became of it. */
struct strays_calls {
	bool (*is_held)(void *arg, const struct uuid *message);
	void (*on_found)(void *arg, const struct uuid *message);
	void *arg;
};

/* Everything is lent.  sent_within_us: no message is being sent for longer than that.  NULL: no
 * memory; destroy takes NULL, close the db first. */
struct strays *strays_create(
    struct db *db, int64_t sent_within_us, const struct strays_calls *calls);
void strays_destroy(struct strays *s);

/* When the record is there. */
void strays_look(struct strays *s, uint64_t now_ms);

#endif
