/*
 * people - who sits in front of a page: signing in, sessions, and what each may do.
 *
 * A service that has pages for people who work with the system opens this once with the prefix of
 * those pages; it then also answers <prefix>sign-in, <prefix>sign-out and <prefix>password itself.
 * Every other page asks people_ask() first and is called back with the person, or never.
 *
 * Users and sessions are rows in PostgreSQL (deploy/schema/0013); one cookie serves all services of
 * an origin.  While the record is away nobody is let in: pages answer 503.  Times are the machine's
 * own, also while a demonstration plays on another clock.  Everything runs on the loop's thread but
 * the hashing of passwords (passwords.h).
 */
#ifndef TURUNC_PEOPLE_H
#define TURUNC_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "settings.h"

struct daemon;
struct html;
struct http;
struct http_request;
struct people;
struct stats;

/* Bits of the record's person.roles. */
enum people_role {
	PEOPLE_VIEWER = 1 << 0, /* looks only */
	PEOPLE_CALL_TAKER = 1 << 1,
	PEOPLE_CLERK = 1 << 2, /* of their departments */
	PEOPLE_OPERATOR = 1 << 3, /* of all departments */
	PEOPLE_ADMINISTRATOR = 1 << 4,
};
enum { PEOPLE_ROLES = 5, PEOPLE_ANY = (1 << PEOPLE_ROLES) - 1 };

/* "viewer", "call-taker", ... in the order of the bits. */
extern const char *const people_role_names[PEOPLE_ROLES];

enum { PEOPLE_NAME_BYTES = 63, PEOPLE_SHOWN_BYTES = 120, PEOPLE_DEPARTMENTS_MAX = 64 };

/* Is it [a-z0-9][a-z0-9._-]{0,62}? */
MUST_CHECK bool people_name_valid(const char *name);

/* Lent for the callback: copy what you keep. */
struct person {
	char name[PEOPLE_NAME_BYTES + 1]; /* the actor in the log is "user:NAME" */
	char shown_as[PEOPLE_SHOWN_BYTES + 1]; /* "Ayşe Yılmaz" */
	unsigned roles;
	const char *const *departments; /* a clerk's; operators and administrators have all */
	size_t department_count;
	/* Goes into every form as the field "csrf", or with scripts as the header X-CSRF-Token. */
	const char *form_token;
	int64_t seen_us, until_us; /* last used; ends at the latest */
};

struct people_settings {
	bool secure;
	int64_t idle_ms, life_ms, cache_ms, keep_ms;
	int64_t queue;
	int64_t user_tries, address_tries, window_ms, lock_ms;
};

#define PEOPLE_SETTINGS(config_type, member)                                                     \
	{ .name = "TURUNC_PEOPLE_SECURE",                                                        \
		.type = SETTING_BOOL,                                                            \
		.offset = offsetof(config_type, member.secure),                                  \
		.standard = "yes",                                                               \
		.help = "session cookies go by HTTPS only; no: for a plain-HTTP trial" },        \
	    { .name = "TURUNC_PEOPLE_IDLE",                                                      \
		    .type = SETTING_DURATION,                                                    \
		    .offset = offsetof(config_type, member.idle_ms),                             \
		    .standard = "1h",                                                            \
		    .min = 1000,                                                                 \
		    .max = 604800000,                                                            \
		    .help = "a session nobody has used for so long ends" },                      \
	    { .name = "TURUNC_PEOPLE_LIFE",                                                      \
		    .type = SETTING_DURATION,                                                    \
		    .offset = offsetof(config_type, member.life_ms),                             \
		    .standard = "12h",                                                           \
		    .min = 1000,                                                                 \
		    .max = 2592000000,                                                           \
		    .help = "and every session after so long" },                                 \
	    { .name = "TURUNC_PEOPLE_CACHE",                                                     \
		    .type = SETTING_DURATION,                                                    \
		    .offset = offsetof(config_type, member.cache_ms),                            \
		    .standard = "1s",                                                            \
		    .min = 0,                                                                    \
		    .max = 10000,                                                                \
		    .help = "how long a person just looked up is believed for reading; changes " \
			    "always ask the record" },                                           \
	    { .name = "TURUNC_PEOPLE_KEEP",                                                      \
		    .type = SETTING_DURATION,                                                    \
		    .offset = offsetof(config_type, member.keep_ms),                             \
		    .standard = "30s",                                                           \
		    .min = 100,                                                                  \
		    .max = 600000,                                                               \
		    .help = "between two times it is written down which sessions were used" },   \
	    { .name = "TURUNC_PEOPLE_QUEUE",                                                     \
		    .type = SETTING_INT,                                                         \
		    .offset = offsetof(config_type, member.queue),                               \
		    .standard = "16",                                                            \
		    .min = 2,                                                                    \
		    .max = 1000,                                                                 \
		    .help = "passwords waiting to be checked; more are told to come again" },    \
	    { .name = "TURUNC_PEOPLE_USER_TRIES",                                                \
		    .type = SETTING_INT,                                                         \
		    .offset = offsetof(config_type, member.user_tries),                          \
		    .standard = "10",                                                            \
		    .min = 1,                                                                    \
		    .max = 10000,                                                                \
		    .help = "wrong passwords of one user before a lock" },                       \
	    { .name = "TURUNC_PEOPLE_ADDRESS_TRIES",                                             \
		    .type = SETTING_INT,                                                         \
		    .offset = offsetof(config_type, member.address_tries),                       \
		    .standard = "30",                                                            \
		    .min = 1,                                                                    \
		    .max = 100000,                                                               \
		    .help = "wrong names and passwords from one address before a lock" },        \
	    { .name = "TURUNC_PEOPLE_WINDOW",                                                    \
		    .type = SETTING_DURATION,                                                    \
		    .offset = offsetof(config_type, member.window_ms),                           \
		    .standard = "15m",                                                           \
		    .min = 100,                                                                  \
		    .max = 86400000,                                                             \
		    .help = "within which they count together" },                                \
	{                                                                                        \
		.name = "TURUNC_PEOPLE_LOCK", .type = SETTING_DURATION,                          \
		.offset = offsetof(config_type, member.lock_ms), .standard = "15m", .min = 100,  \
		.max = 86400000, .help = "how long a lock lasts"                                 \
	}

/* Strings are copied; daemon and http are lent and must outlive it. */
struct people_world {
	struct daemon *daemon;
	struct http *http;
	const char *prefix; /* "/desk/" */
	const char *database, *database_password; /* as the service's own; "" is no password */
	const char *application_name;
	const struct people_settings *settings;
};

/* Adds its routes, a dependency "people_record" (shown, not needed), a part and a tick.  NULL: the
 * log says why. */
struct people *people_open(const struct people_world *world);
/* Answers whoever still waits; nobody is let in any more.  Before http_close(); takes NULL. */
void people_stop(struct people *p);
/* After http_close(), for the server lends its routes; takes NULL. */
void people_close(struct people *p);
/* turunc_people_*, lent. */
const struct stats *people_stats(const struct people *p);

/* The request is the callee's, who is lent for the call. */
typedef void people_known_fn(void *arg, struct http_request *req, const struct person *who);

/*
 * Calls known with the person, at once or later, when they may: signed in, with one of roles, and
 * for anything but GET with the form token of their session and from a page of this origin.
 *
 * All others are answered here and known is never called: not signed in, 303 to the sign-in page
 * and back for a GET that takes HTML, 401 otherwise; wrong role, token or origin, 403; the record
 * away, 503.  Those who take HTML get a page, others {"error": "..."}.  The token is the field
 * "csrf" of an urlencoded form, the header X-CSRF-Token, or for multipart/form-data the query's
 * "csrf".
 *
 * known may find that the client has gone (http_request_gone()) as any handler may.
 */
void people_ask(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg);

/*
 * The same for what must go on while the record is away (a call-taker's tickets go to the spool):
 * then whoever was found to be in shortly before is believed for as long as an unused session may
 * last.  So somebody shut out meanwhile stays in until the record is back; somebody shut out before
 * does not come in.
 */
void people_ask_even_away(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg);

/* The same as people_ask() for what an open page asks by itself: that is no use of the session,
 * which ends when nobody has touched the page for its idle time. */
void people_ask_looking_on(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg);

/* For the head of a page: who is signed in, their own password, and the way out. */
void people_write_bar(const struct people *p, struct html *h, const struct person *who);

#endif
