/*
 * registry - what intake knows by heart: the municipality's catalogue, the clients with their
 * rights, and where the log stands.
 *
 * Read from the record once it answers, and again when the log says that something was applied,
 * granted or revoked; the log's head is looked at every second.  What cannot be read or parsed
 * leaves the former state in force.
 */
#ifndef INTAKE_REGISTRY_H
#define INTAKE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "catalogue.h"
#include "db.h"
#include "digest.h"
#include "uuid.h"

struct registry;

/* Called when something was loaded, or could not be; detail is "" or says why, lent. */
typedef void registry_news_fn(void *arg, bool usable, const char *detail);

/* acl is lent and filled.  NULL: out of memory.  Destroy takes NULL; close the db first. */
struct registry *registry_create(struct acl *acl, registry_news_fn *on_news, void *arg);
void registry_destroy(struct registry *r);
/* The db of store_read_statements, lent; before the first tick. */
void registry_set_db(struct registry *r, struct db *db);

/* NULL until one was read; lent until the next turn of the loop. */
const struct catalogue *registry_catalogue(const struct registry *r);

/* Where the log stood at the last look; log_id "" when it was never seen. */
struct registry_head {
	char log_id[UUID_TEXT_SIZE];
	uint64_t seq;
	uint8_t hash[DIGEST_BYTES];
	bool has_hash;
};
const struct registry_head *registry_head(const struct registry *r);

/* Looks when it is time; returns ms until the next look. */
int64_t registry_tick(struct registry *r, uint64_t now_ms);

#endif
