/*
 * registry - what a service knows by heart: the municipality's catalogue, the clients with their
 * rights, and where the log stands.
 *
 * Read from the record once it answers, and again when the log says that something was applied,
 * granted or revoked, when the log has another history, and after registry_renew().  What cannot
 * be read or parsed leaves the former state in force.
 *
 * The daemon's own table of SQL holds the registry's rows:
 *	REGISTRY_SQL(STORE_REGISTRY)	for an enum with STORE_REGISTRY and REGISTRY_STATEMENTS
 *					places from there on
 */
#ifndef TURUNC_REGISTRY_H
#define TURUNC_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "catalogue.h"
#include "db.h"
#include "digest.h"
#include "uuid.h"

enum registry_statement {
	REGISTRY_HEAD, /* -> log_id, last seq, hash */
	REGISTRY_CHANGES, /* after seq -> whether there are records of administration */
	REGISTRY_GRANTS, /* -> clients, one row each */
	REGISTRY_CONFIG, /* -> files of the active configuration */
	REGISTRY_STATEMENTS
};

#define REGISTRY_SQL(first)                                                                        \
	[(first) + REGISTRY_HEAD] = { "registry_head",                                             \
		"SELECT h.log_id, coalesce(b.last_seq, 0), b.hash "                                \
		"FROM (SELECT log_id FROM turunc.log_history ORDER BY history_no DESC LIMIT 1) h " \
		"LEFT JOIN LATERAL (SELECT last_seq, hash FROM turunc.log_batch "                  \
		"ORDER BY last_seq DESC LIMIT 1) b ON true",                                       \
		0 },                                                                               \
		   [(first) + REGISTRY_CHANGES] = { "registry_changes",                            \
			   "SELECT EXISTS (SELECT FROM turunc.event_log WHERE seq > $1::bigint "   \
			   "AND type IN ('config.applied', 'client.granted', 'client.revoked'))",  \
			   1 },                                                                    \
		   [(first) + REGISTRY_GRANTS] = { "registry_grants",                              \
			   "SELECT name, public_key, api_key_digest, verbs, sources, types, "      \
			   "departments, "                                                         \
			   "personal, max_events, expires_us, revoked_us IS NOT NULL "             \
			   "FROM turunc.client_grant ORDER BY name",                               \
			   0 },                                                                    \
		   [(first) + REGISTRY_CONFIG] = { "registry_config",                              \
			   "SELECT f.name, f.content FROM turunc.config_active a "                 \
			   "JOIN turunc.config_file f ON f.version = a.version ORDER BY f.name",   \
			   0 }

/* Where the log stood at the last look; log_id "" when it was never seen. */
struct registry_head {
	char log_id[UUID_TEXT_SIZE];
	struct uuid log_uuid;
	uint64_t seq;
	uint8_t hash[DIGEST_BYTES];
	bool has_hash;
};

/* on_news: something was loaded, or could not be; detail is "" or says why, lent.  usable: rights
 * and a catalogue are there.
 * on_head: a look found the log longer or of another history; may be NULL. */
struct registry_calls {
	void (*on_news)(void *arg, bool usable, const char *detail);
	void (*on_head)(void *arg, const struct registry_head *head);
};

struct registry;

/* acl is lent and filled; calls are lent.  look_ms: between two looks at the log.  NULL: out of
 * memory.  Destroy takes NULL; close the db first. */
struct registry *registry_create(
    struct acl *acl, uint64_t look_ms, const struct registry_calls *calls, void *arg);
void registry_destroy(struct registry *r);
/* The db whose table has the rows at first_statement, lent; before the first tick. */
void registry_set_db(struct registry *r, struct db *db, size_t first_statement);

/*
 * Keeps what is read in this file too (state_file.h; digests and public keys, no secrets), and
 * takes what stands there as read, until the record is asked; call before the first tick.  Who was
 * revoked while this service was down gets in until then.  A file that is absent, damaged or not
 * usable is passed over.
 */
void registry_use_cache(struct registry *r, const char *path);

/* The clients and their rights were read at least once, if there are none as well. */
bool registry_rights_known(const struct registry *r);
/* NULL until one was read; lent until the next turn of the loop. */
const struct catalogue *registry_catalogue(const struct registry *r);
const struct registry_head *registry_head(const struct registry *r);

/* Everything is to be read again: the record was away and may be another. */
void registry_renew(struct registry *r);
/* The log is said to have grown: a tick looks soon, at most every 20 ms (wake the daemon). */
void registry_look(struct registry *r);

/* Looks when it is time; returns ms until the next look. */
int64_t registry_tick(struct registry *r, uint64_t now_ms);

#endif
