/* Who was looked up lately, and from time to time: which sessions were used, and which are over. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "people_internal.h"

enum { KEEP_BATCH = 512 };

static struct cached *
place_of(struct people *p, const struct digest *session)
{
	return &p->cache[(session->bytes[0] << 8 | session->bytes[1]) % PEOPLE_CACHE];
}

static bool
is_of(const struct cached *c, const struct digest *session)
{
	return c->known != NULL && digest_equal(&c->digest, session);
}

static void
empty(struct cached *c)
{
	free(c->known);
	*c = (struct cached){ 0 };
}

void
people_forget(struct people *p, const struct digest *session)
{
	struct cached *c = place_of(p, session);

	if (is_of(c, session))
		empty(c);
}

void
people_forget_all(struct people *p)
{
	for (size_t i = 0; i < PEOPLE_CACHE; i++)
		empty(&p->cache[i]);
}

void
people_heard(struct people *p)
{
	p->heard_ms = clock_monotonic_ms();
}

void
people_remember(struct people *p, const struct digest *session, struct known *known)
{
	struct cached *c = place_of(p, session);
	bool was_there = is_of(c, session);

	if (c->known != NULL && !was_there && c->used_us != 0)
		people_keep(p, clock_monotonic_ms());
	int64_t used_us = was_there ? c->used_us : 0;
	empty(c);
	*c = (struct cached){
		.digest = *session, .known = known, .checked_ms = p->heard_ms, .used_us = used_us
	};
}

void
people_used(struct people *p, const struct digest *session)
{
	struct cached *c = place_of(p, session);

	if (is_of(c, session))
		c->used_us = clock_real_us();
}

const struct known *
people_recall(struct people *p, const struct digest *session)
{
	const struct cached *c = place_of(p, session);

	if (!is_of(c, session)
	    || clock_monotonic_ms() - c->checked_ms >= (uint64_t)p->settings.cache_ms
	    || c->known->who.until_us <= clock_real_us())
		return NULL;
	return c->known;
}

/* Nobody who was shut out while the record could be asked: whoever is believed was found to be in
 * shortly before it was heard of last. */
const struct known *
people_recall_away(struct people *p, const struct digest *session)
{
	const struct cached *c = place_of(p, session);

	if (!is_of(c, session) || c->checked_ms + 2 * (uint64_t)p->settings.keep_ms < p->heard_ms
	    || clock_monotonic_ms() - c->checked_ms >= (uint64_t)p->settings.idle_ms
	    || c->known->who.until_us <= clock_real_us())
		return NULL;
	return c->known;
}

/* --- which were used, and which are over -------------------------------------------------------
 */

struct kept {
	struct people *people;
	uint64_t sent_ms;
	size_t count;
	struct {
		struct digest session;
		int64_t used_us;
	} of[];
};

static bool
same_rights(const struct person *who, const struct pg_result *rows, int row)
{
	struct db_elements each = db_get_array(rows, row, LIVE_DEPARTMENTS);
	size_t i = 0;

	for (; db_next_element(&each); i++)
		if (i >= who->department_count || each.data == NULL
		    || strlen(who->departments[i]) != each.len
		    || memcmp(who->departments[i], each.data, each.len) != 0)
			return false;
	return i == who->department_count
	       && db_get_int(rows, row, LIVE_ROLES) == (int64_t)who->roles;
}

/* What was not found any more, or with other rights, is looked up anew when it comes again. */
static void
confirm(struct people *p, const struct pg_result *rows, uint64_t sent_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct digest session;
	size_t len;

	for (int row = 0; row < db_rows(rows); row++) {
		const void *digest = db_get_bytea(rows, row, LIVE_DIGEST, &len);
		if (len != DIGEST_BYTES)
			continue;
		memcpy(session.bytes, digest, len);
		struct cached *c = place_of(p, &session);
		if (is_of(c, &session) && same_rights(&c->known->who, rows, row))
			c->checked_ms = now_ms;
	}
	for (size_t i = 0; i < PEOPLE_CACHE; i++)
		if (p->cache[i].known != NULL && p->cache[i].checked_ms < sent_ms)
			empty(&p->cache[i]);
}

static void
on_kept(void *arg, const struct db_reply *reply)
{
	struct kept *kept = arg;
	struct people *p = kept->people;

	p->keeping = false;
	for (size_t i = 0; reply->outcome == DB_COMMITTED && i < kept->count; i++) {
		struct cached *c = place_of(p, &kept->of[i].session);
		if (is_of(c, &kept->of[i].session) && c->used_us == kept->of[i].used_us)
			c->used_us = 0;
	}
	if (reply->outcome == DB_COMMITTED) {
		people_heard(p);
		confirm(p, reply->results[1], kept->sent_ms);
	} else if (reply->outcome == DB_FAILED) {
		log_warn(
		    "use of sessions not written down, again later sqlstate=%s", reply->sqlstate);
	}
	free(kept);
}

static struct db_unit *
make_unit(struct people *p, const struct kept *kept)
{
	struct db_unit *unit = db_unit_create(p->db);

	db_unit_add(unit, PEOPLE_KEEP);
	struct db_array *sessions = db_add_array(unit, DB_BYTEA);
	struct db_array *used = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < kept->count; i++) {
		db_array_bytea(sessions, kept->of[i].session.bytes, DIGEST_BYTES);
		db_array_int8(used, kept->of[i].used_us);
	}
	db_add_int8(unit, clock_real_us());
	db_add_int8(unit, p->settings.idle_ms * 1000);
	db_unit_add(unit, PEOPLE_LIVE);
	struct db_array *all = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < PEOPLE_CACHE; i++)
		if (p->cache[i].known != NULL)
			db_array_bytea(all, p->cache[i].digest.bytes, DIGEST_BYTES);
	db_add_int8(unit, clock_real_us());
	db_add_int8(unit, p->settings.idle_ms * 1000);
	return unit;
}

void
people_keep(struct people *p, uint64_t now_ms)
{
	p->keep_ms = now_ms + (uint64_t)p->settings.keep_ms;
	if (p->keeping || p->stopped || db_state_now(p->db) != DB_READY)
		return;
	struct kept *kept = malloc(sizeof(*kept) + KEEP_BATCH * sizeof(kept->of[0]));
	if (kept == NULL)
		return;
	kept->people = p;
	kept->sent_ms = now_ms;
	kept->count = 0;
	for (size_t i = 0; i < PEOPLE_CACHE && kept->count < KEEP_BATCH; i++)
		if (p->cache[i].known != NULL && p->cache[i].used_us != 0) {
			kept->of[kept->count].session = p->cache[i].digest;
			kept->of[kept->count++].used_us = p->cache[i].used_us;
		}
	struct db_unit *unit = make_unit(p, kept);
	p->keeping = db_submit(p->db, unit, on_kept, kept);
	if (!p->keeping) {
		db_unit_destroy(unit);
		free(kept);
	}
}
