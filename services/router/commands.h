/*
 * commands - what clients and people ask to be done with tickets.
 *
 * Natural batching: what waits is read, decided and committed in one transaction, at most one
 * command a ticket, the others in order after it; Done and Refused leave after the COMMIT.  The
 * first answer is kept with a digest of the command; a repeat gets it again, another content under
 * the same id is refused.  Rights are looked at when a command is decided, not when it came.
 */
#ifndef ROUTER_COMMANDS_H
#define ROUTER_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "bus.h"
#include "command.h"
#include "db.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct commands;

enum { COMMANDS_SECRET_BYTES = 32 };

struct commands_world {
	struct db *db;
	const struct acl *acl;
	const struct registry *registry;
	struct stats *stats; /* of router_stats */
	struct uuid_source *ids;
	/* Keys the digests of commands; the same for all routers of one record. */
	uint8_t secret[COMMANDS_SECRET_BYTES];
	size_t batch_commands;
	size_t held_commands; /* more get UNAVAILABLE */
	uint64_t wait_ms; /* so long a command waits for the record */
	void (*on_append)(void *arg, uint64_t seq);
	void (*wake)(void *arg);
	void *arg;
};

/* world is copied.  NULL: out of memory.  Destroy after the db was closed; takes NULL. */
struct commands *commands_create(const struct commands_world *world);
void commands_destroy(struct commands *c);

/* A Command frame, inside on_frame of the door. */
void commands_handle(
    struct commands *c, struct bus_session *session, const Turunc__V1__ClientFrame *frame);
/* A person at one of our own pages asks; all of it is copied, photos may be NULL.  answered is
 * called once: at once when it is not even taken in hand, else after the COMMIT.  Not called any
 * more by commands_destroy().
 */
void commands_ask(struct commands *c, const struct asker *who, const Turunc__V1__Command *asked,
    const struct command_photos *photos, command_answered_fn *answered, void *arg);
/* The session is over: its commands are still decided, nobody is told. */
void commands_session_closed(struct commands *c, const struct bus_session *session);

int64_t commands_tick(struct commands *c, uint64_t now_ms);

/* No new commands from now on; busy until those in hand are answered. */
void commands_stop(struct commands *c);
bool commands_busy(const struct commands *c);
size_t commands_held(const struct commands *c);

#endif
