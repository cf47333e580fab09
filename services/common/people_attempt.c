/* One attempt with a password: counted, checked on the other thread, settled, and only then told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people_internal.h"

static void on_checked(void *arg, const struct password_result *result);

static void
finish(struct people_attempt *a, enum people_verdict verdict)
{
	struct people *p = a->people;

	p->pending--;
	stats_observe(
	    p->stats, PEOPLE_STAT_CHECKED, (int64_t)(clock_monotonic_ms() - a->began_ms) * 1000);
	a->done(a, verdict);
	sodium_memzero(a, sizeof(*a));
	free(a);
}

/* --- what became of it ------------------------------------------------------------------------ */

static void
count_locks(struct people *p, const char *locks)
{
	static const char *const kinds[] = {
		[LOCK_USER] = "user", [LOCK_ADDRESS] = "address", [LOCK_PLACE] = "place"
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strstr(locks, kinds[i]) != NULL)
			stats_add_at(p->stats, PEOPLE_STAT_LOCKS, i, 1);
}

static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct people_attempt *a = arg;

	if (reply->outcome != DB_COMMITTED) {
		finish(a, ATTEMPT_AWAY);
		return;
	}
	bool matched = db_get_bool(reply->results[0], 0, 0);
	if (!matched)
		count_locks(a->people, a->locks);
	finish(a, matched ? ATTEMPT_MATCHED : ATTEMPT_WRONG);
}

/* The attempt does not count, for nothing was looked at. */
static void
on_given_up(void *arg, const struct db_reply *reply)
{
	(void)reply;
	finish(arg, ATTEMPT_BUSY);
}

enum { GIVEN_UP = -1 };

static void
settle(struct people_attempt *a, int matched)
{
	struct people *p = a->people;
	struct db_unit *unit = p->db == NULL ? NULL : db_unit_create(p->db);
	int64_t now_us = clock_real_us();

	db_unit_add(unit, PEOPLE_SETTLE);
	db_add_text(unit, a->name);
	db_add_text(unit, a->address);
	db_add_int8(unit, now_us);
	db_add_bool(unit, a->at_home);
	db_add_text(unit, a->locks);
	if (matched == GIVEN_UP)
		db_add_null(unit);
	else
		db_add_bool(unit, matched != 0);
	db_add_text(unit, a->hash);
	db_add_bytea(unit, a->session.bytes, DIGEST_BYTES);
	db_add_bytea(unit, a->has_former ? a->former.bytes : NULL, DIGEST_BYTES);
	db_add_int8(unit, now_us + p->settings.life_ms * 1000);
	if (unit != NULL
	    && db_submit(p->db, unit, matched == GIVEN_UP ? on_given_up : on_settled, a))
		return;
	db_unit_destroy(unit);
	finish(a, ATTEMPT_AWAY);
}

static void
change(struct people_attempt *a, const char *new_hash)
{
	struct people *p = a->people;
	struct db_unit *unit = p->db == NULL ? NULL : db_unit_create(p->db);

	db_unit_add(unit, PEOPLE_CHANGE);
	db_add_bytea(unit, a->session.bytes, DIGEST_BYTES);
	db_add_text(unit, a->address);
	db_add_int8(unit, clock_real_us());
	db_add_bool(unit, a->at_home);
	db_add_text(unit, a->hash);
	db_add_text(unit, new_hash);
	if (unit != NULL && db_submit(p->db, unit, on_settled, a))
		return;
	db_unit_destroy(unit);
	finish(a, ATTEMPT_AWAY);
}

/* --- counted, checked ------------------------------------------------------------------------- */

static void
on_checked(void *arg, const struct password_result *result)
{
	struct people_attempt *a = arg;

	if (!result->done)
		settle(a, GIVEN_UP);
	else if (result->matches && a->new_password[0] != '\0')
		change(a, result->hash);
	else
		settle(a, result->matches);
}

static void
on_tried(void *arg, const struct db_reply *reply)
{
	struct people_attempt *a = arg;
	struct people *p = a->people;

	if (reply->outcome != DB_COMMITTED || p->passwords == NULL) {
		finish(a, ATTEMPT_AWAY);
		return;
	}
	const struct pg_result *row = reply->results[0];
	int64_t locked_us = db_get_int(row, 0, TRY_LOCKED);
	if (locked_us > 0) {
		a->wait_us = locked_us - clock_real_us();
		finish(a, ATTEMPT_LOCKED);
		return;
	}
	const char *hash = db_get_text_or_null(row, 0, TRY_HASH);
	a->at_home = db_get_bool(row, 0, TRY_AT_HOME);
	(void)snprintf(a->locks, sizeof(a->locks), "%s", db_get_text(row, 0, TRY_LOCKS));
	(void)snprintf(a->hash, sizeof(a->hash), "%s", hash == NULL ? "" : hash);
	/* Strangers who guess do not keep those waiting who have signed in from where they are. */
	if (!passwords_check(p->passwords, hash, a->password,
		a->new_password[0] == '\0' ? NULL : a->new_password, a->at_home, on_checked, a))
		settle(a, GIVEN_UP);
}

void
people_attempt_run(struct people_attempt *a)
{
	struct people *p = a->people;
	struct db_unit *unit = p->db == NULL ? NULL : db_unit_create(p->db);

	p->pending++;
	a->began_ms = clock_monotonic_ms();
	people_address(http_client_address(a->req), a->address);
	db_unit_add(unit, PEOPLE_TRY);
	db_add_text(unit, a->name);
	db_add_text(unit, a->address);
	db_add_int8(unit, clock_real_us());
	db_add_int4(unit, (int32_t)p->settings.user_tries);
	db_add_int4(unit, (int32_t)p->settings.address_tries);
	db_add_int8(unit, p->settings.window_ms * 1000);
	db_add_int8(unit, p->settings.lock_ms * 1000);
	if (unit != NULL && db_submit(p->db, unit, on_tried, a))
		return;
	db_unit_destroy(unit);
	finish(a, ATTEMPT_AWAY);
}
