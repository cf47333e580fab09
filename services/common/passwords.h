/*
 * passwords - argon2id by libsodium, on a thread of its own with a bounded queue.
 *
 * One hash takes some 64 MiB and several hundredths of a second on purpose, so there is one at a
 * time and the loop never waits for it.  A password is of PASSWORD_MIN to PASSWORD_MAX bytes; it is
 * wiped when its job is done.
 */
#ifndef TURUNC_PASSWORDS_H
#define TURUNC_PASSWORDS_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

#include "base.h"

struct event_base;
struct passwords;

enum {
	PASSWORD_MIN = 12, /* characters */
	PASSWORD_MAX = 256, /* bytes */
	PASSWORD_HASH_SIZE = crypto_pwhash_STRBYTES,
};

/* --- without a thread: for the command line, and when there is time -----------------------------
 */

/* False: no memory. */
MUST_CHECK bool password_hash(const char *password, char ret_hash[PASSWORD_HASH_SIZE]);
enum password_fault {
	PASSWORD_FINE,
	PASSWORD_NO_TEXT, /* control characters, or not UTF-8 */
	PASSWORD_SHORT,
	PASSWORD_LONG,
	PASSWORD_LIKE_NAME,
	PASSWORD_ONE_LETTER,
	PASSWORD_FAULTS
};
/* Whether the person of that name may take this password. */
enum password_fault password_judge(const char *name, const char *password);
/* 20 letters and digits that are not mistaken for each other, in groups: some 100 bits. */
enum { PASSWORD_MADE_SIZE = 25 };
void password_make(char ret_password[PASSWORD_MADE_SIZE]);

/* --- the thread ---------------------------------------------------------------------------------
 */

/* What a job found; hash is "" unless one was to be made, and lent. */
struct password_result {
	bool done; /* false: no memory, or the thread was stopped before it */
	bool matches;
	const char *hash;
};
typedef void password_done_fn(void *arg, const struct password_result *result);

/* NULL: no memory, no thread.  queue: jobs that wait. */
struct passwords *passwords_open(struct event_base *loop, size_t queue);
/* Jobs not done get their call with done false, from inside.  Takes NULL. */
void passwords_close(struct passwords *p);
size_t passwords_waiting(const struct passwords *p);

/* Does password fit hash?  hash NULL: it fits none, which takes as long to find out.  new_password
 * not NULL: if it does fit, that one's hash is made as well.  ahead: before all that came without,
 * and with the whole queue; the others have half of it.  False: there is no room, and done is not
 * called. */
MUST_CHECK bool passwords_check(struct passwords *p, const char *hash, const char *password,
    const char *new_password, bool ahead, password_done_fn *done, void *arg);

#endif
