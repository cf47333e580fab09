/*
 * acl - who may do what: the clients of the bus and of the HTTP API, with their rights.
 *
 * A table is loaded whole from rows that the caller read somewhere, and replaced whole.  Pointers
 * to clients are lent until the next acl_replace(): whoever outlives a callback keeps the name or
 * key and looks it up again (bus sessions do, at every message).  Times are microseconds of the
 * wall clock, passed in.
 */
#ifndef TURUNC_ACL_H
#define TURUNC_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "digest.h"

enum acl_verb {
	ACL_PUBLISH = 1u << 0,
	ACL_SUBSCRIBE = 1u << 1,
	ACL_SNAPSHOT = 1u << 2,
	ACL_COMMAND = 1u << 3,
	ACL_INTERNAL = 1u << 4, /* one of our own services: ring the doorbell, see everything */
	ACL_BOARD = 1u << 5, /* look at the live board, by an HTTP key */
};
enum { ACL_VERBS_ALL = 63 };

enum acl_personal { ACL_PERSONAL_NONE, ACL_PERSONAL_MASKED, ACL_PERSONAL_FULL };

enum {
	ACL_NAME_BYTES = 64, /* [a-z0-9._-], 1 to 64 */
	ACL_PATTERN_BYTES = 128,
	ACL_CLIENTS_MAX = 10000,
	ACL_PATTERNS_MAX = 256, /* in one list of one client */
};

/* "publish" ... "board"; "none", "masked", "full".  0 or false: no such word. */
unsigned acl_verb_parse(const char *word);
MUST_CHECK bool acl_personal_parse(const char *word, enum acl_personal *ret_personal);
const char *acl_personal_name(enum acl_personal personal);

struct acl_list {
	const char *const *items;
	size_t count;
};

/* What the daemon read from its store; everything is lent and copied. */
struct acl_row {
	const char *name;
	const char *public_key; /* z85; NULL: no bus */
	const struct digest *api_key; /* acl_api_key_digest() of it; NULL: no HTTP */
	unsigned verbs;
	struct acl_list sources; /* what an event's source may be; a trailing * matches any rest */
	struct acl_list types; /* events it may publish, records it may read; trailing * as above */
	struct acl_list departments; /* codes, or "*" for all */
	enum acl_personal personal;
	int64_t expires_us; /* 0: never */
	bool revoked;
	uint32_t max_events; /* events outstanding at the publish door; 0: the door's default */
};

struct acl_client {
	char *name;
	char *public_key; /* NULL: no bus */
	struct digest api_key;
	bool has_api_key;
	unsigned verbs;
	struct acl_list sources, types, departments;
	enum acl_personal personal;
	int64_t expires_us;
	bool revoked;
	uint32_t max_events;
};

struct acl;

/* An empty table: nobody gets in.  NULL: out of memory.  Destroy accepts NULL. */
struct acl *acl_create(void);
void acl_destroy(struct acl *acl);

/* Rows that were left out, and the first of them with why.  Such a client does not get in. */
struct acl_complaint {
	size_t skipped;
	size_t row;
	const char *reason;
};

/*
 * Takes the rows as the table in force.  A row that is not fit (a bad name, key or pattern; a name
 * or key that an earlier row has) is left out and complained about, so that one bad row cannot
 * keep a revocation of another from taking effect.  False: out of memory or over
 * ACL_CLIENTS_MAX rows; the old table stays.
 */
MUST_CHECK bool acl_replace(
    struct acl *acl, const struct acl_row *rows, size_t count, struct acl_complaint *ret_complaint);
/* Rises with every acl_replace() that took; never 0. */
uint64_t acl_generation(const struct acl *acl);
size_t acl_count(const struct acl *acl);
/* index below acl_count(), in no order that means anything. */
const struct acl_client *acl_at(const struct acl *acl, size_t index);

/* NULL: not listed.  A client found may still be revoked or expired: acl_in_force(). */
const struct acl_client *acl_find_key(const struct acl *acl, const char *public_key);
const struct acl_client *acl_find_name(const struct acl *acl, const char *name);
/* By the key as the HTTP request gave it.  Compares in constant time with every client. */
const struct acl_client *acl_find_api_key(const struct acl *acl, const char *key, size_t len);
void acl_api_key_digest(const char *key, size_t len, struct digest *ret_digest);

/* Neither revoked nor expired.  The functions below do not look at this. */
bool acl_in_force(const struct acl_client *client, int64_t now_us);

bool acl_allows_verb(const struct acl_client *client, enum acl_verb verb);
bool acl_allows_source(const struct acl_client *client, const char *source);
/* type may itself end in *: then everything it matches must be covered. */
bool acl_allows_type(const struct acl_client *client, const char *type);
bool acl_allows_department(const struct acl_client *client, const char *department);
/* Its departments hold "*". */
bool acl_allows_all_departments(const struct acl_client *client);

/* pattern ends in *: a prefix; otherwise the whole. */
bool acl_pattern_matches(const char *pattern, const char *text);

#endif
