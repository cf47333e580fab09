/* people_internal - what the files of people share; nobody else includes it. */
#ifndef TURUNC_PEOPLE_INTERNAL_H
#define TURUNC_PEOPLE_INTERNAL_H

#include "clock.h"
#include "db.h"
#include "digest.h"
#include "html.h"
#include "http.h"
#include "passwords.h"
#include "people.h"
#include "people_parse.h"
#include "people_store.h"
#include "stats.h"

enum { PEOPLE_CACHE = 1024, PEOPLE_PREFIX_SIZE = 32, PEOPLE_PATH_SIZE = 64, PEOPLE_ROUTES = 5 };
enum { PEOPLE_FORM_BYTES = 8192, PEOPLE_URL_SIZE = 3 * PEOPLE_NEXT_BYTES + 128 };

enum people_stat {
	PEOPLE_STAT_SIGN_INS, /* by outcome */
	PEOPLE_STAT_LOCKS, /* by what */
	PEOPLE_STAT_SIGN_OUTS,
	PEOPLE_STAT_PASSWORDS, /* changed, by outcome */
	PEOPLE_STAT_ASKS, /* by outcome */
	PEOPLE_STAT_LOOKS,
	PEOPLE_STAT_WAITING,
	PEOPLE_STAT_CHECKED,
	PEOPLE_STATS
};
enum { SIGN_IN_DONE, SIGN_IN_WRONG, SIGN_IN_LOCKED, SIGN_IN_BUSY, SIGN_IN_AWAY, SIGN_IN_FOREIGN };
enum { LOCK_USER, LOCK_ADDRESS, LOCK_PLACE };
enum { ASK_KNOWN, ASK_STRANGER, ASK_ROLE, ASK_FORGED, ASK_AWAY };

/* One person as looked up, with the memory that `who` points into. */
struct known {
	struct person who;
	char form_token[PEOPLE_TOKEN_SIZE];
	const char *departments[PEOPLE_DEPARTMENTS_MAX];
	char text[]; /* of the departments */
};

struct cached {
	struct digest digest;
	struct known *known; /* NULL: an empty place */
	uint64_t checked_ms; /* when it was known to be so */
	int64_t used_us; /* 0: written down */
};

struct people {
	struct people_settings settings;
	char prefix[PEOPLE_PREFIX_SIZE];
	char paths[PEOPLE_ROUTES][PEOPLE_PATH_SIZE];
	struct http_route routes[2 * PEOPLE_ROUTES];
	struct daemon *daemon;
	struct http *http;
	struct db *db;
	struct passwords *passwords;
	struct stats *stats;
	unsigned dependency;
	bool stopped;
	size_t pending; /* requests that wait for the record or a hash */
	bool keeping;
	uint64_t heard_ms; /* the record's last answer */
	uint64_t keep_ms; /* when it is written down again which sessions were used */
	struct cached cache[PEOPLE_CACHE];
};

/* What a page says besides its form; their words are in people_page.c. */
enum people_word {
	PEOPLE_NOTHING,
	PEOPLE_WRONG,
	PEOPLE_BUSY,
	PEOPLE_AWAY,
	PEOPLE_FOREIGN, /* not from a page of ours */
	PEOPLE_OVER, /* no session (any more), for a form that was sent */
	PEOPLE_NOT_YOURS, /* not with these roles */
	PEOPLE_SIGNED_OUT,
	PEOPLE_EXPIRED, /* was signed in, and wants a page */
	PEOPLE_CHANGED,
	PEOPLE_OLD_WRONG,
	PEOPLE_UNLIKE, /* the two new passwords differ */
	PEOPLE_SAME,
	PEOPLE_FAULTY, /* and one of enum password_fault from here on */
	PEOPLE_WORDS = PEOPLE_FAULTY + PASSWORD_FAULTS
};

/* --- pages (people_page.c) --- */

/* next may be NULL; wait_us not 0: locked for so long. */
void people_reply_sign_in(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const char *name, const char *next, int64_t wait_us);
void people_reply_password(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const struct person *who);
/* A page or JSON, as the request takes it.  who: NULL, or shown with the way out. */
void people_reply_word(const struct people *p, struct http_request *req, unsigned status,
    enum people_word word, const struct person *who);
/* cookie NULL: leaves the browser's alone. */
void people_redirect(struct http_request *req, const char *to, const char *cookie);
bool people_takes_html(const struct http_request *req);

/* --- sessions (people.c) --- */

const char *people_cookie_name(const struct people *p);
/* The digest of the session that the request's cookie names. */
MUST_CHECK bool people_session_of(const struct people *p, const struct http_request *req,
    uint8_t ret_token[PEOPLE_TOKEN_BYTES], struct digest *ret_digest);
bool people_is_ours(const struct people *p, const struct http_request *req);

/* --- who was looked up lately (people_cache.c) --- */

/* The record has answered: before what it said is remembered. */
void people_heard(struct people *p);
/* Takes known. */
void people_remember(struct people *p, const struct digest *session, struct known *known);
void people_used(struct people *p, const struct digest *session);
/* NULL: not known, or not for sure any more. */
const struct known *people_recall(struct people *p, const struct digest *session);
/* The same while the record cannot be asked. */
const struct known *people_recall_away(struct people *p, const struct digest *session);
void people_forget(struct people *p, const struct digest *session);
void people_forget_all(struct people *p);
/* Writes down which were used, and learns which are over. */
void people_keep(struct people *p, uint64_t now_ms);

/* --- routes (people_sign_in.c, people_password.c) --- */

http_handler_fn people_get_sign_in, people_post_sign_in, people_post_sign_out;
http_handler_fn people_get_password, people_post_password;
http_handler_fn people_get_style;

/* --- an attempt with a password (people_attempt.c) --- */

struct people_attempt;
enum people_verdict {
	ATTEMPT_MATCHED, /* settled: the session began, or the password was changed */
	ATTEMPT_WRONG,
	ATTEMPT_LOCKED, /* for wait_us */
	ATTEMPT_BUSY,
	ATTEMPT_AWAY,
};
/* Last call; the attempt goes after it. */
typedef void people_attempt_fn(struct people_attempt *a, enum people_verdict verdict);

struct people_attempt {
	struct people *people;
	struct http_request *req;
	people_attempt_fn *done;
	char name[PEOPLE_NAME_BYTES + 1]; /* "": none that could be anybody's */
	char password[PASSWORD_MAX + 1];
	char new_password[PASSWORD_MAX + 1]; /* "": sign in */
	struct digest session; /* the one to begin, or whose password is changed */
	struct digest former; /* ends when the new one begins */
	bool has_former;
	char next[PEOPLE_NEXT_BYTES + 1];
	char token[PEOPLE_TOKEN_SIZE];
	int64_t wait_us;
	/* its own */
	char address[PEOPLE_ADDRESS_SIZE];
	bool at_home;
	char locks[32];
	char hash[PASSWORD_HASH_SIZE];
	uint64_t began_ms;
};

/* Takes the attempt (from calloc). */
void people_attempt_run(struct people_attempt *a);

#endif
