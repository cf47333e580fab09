/* Counts what waits every few seconds, and hastens it when the clock has been set back. */
#include "backlog.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "notifier_stats.h"
#include "store.h"

enum {
	COUNT_MS = 5000, /* between two looks at how much is waiting */
	RETRY_MS = 500,
	STEP_US = 1000000 /* a clock that is set back by less is not looked at */
};

struct backlog {
	struct db *db;
	struct stats *stats;
	void (*on_hastened)(void *arg);
	void *arg;
	bool counting;
	uint64_t count_at_ms;
	int64_t wall_us; /* what the clock said last, 0: not yet */
	int64_t beyond_us; /* nothing can be due later than so far from now */
	bool hasten, hastening;
	uint64_t retry_at_ms;
};

struct backlog *
backlog_create(struct db *db, struct stats *stats, uint64_t retry_cap_ms,
    void (*on_hastened_fn)(void *arg), void *arg)
{
	struct backlog *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->db = db;
	b->stats = stats;
	b->on_hastened = on_hastened_fn;
	b->arg = arg;
	/* What is due later than any backoff says was written by a clock that ran ahead. */
	b->beyond_us = (int64_t)retry_cap_ms * 1000;
	b->hasten = true;
	return b;
}

void
backlog_destroy(struct backlog *b)
{
	free(b);
}

static void
on_counted(void *arg, const struct db_reply *reply)
{
	struct backlog *b = arg;

	b->counting = false;
	if (reply->outcome != DB_COMMITTED)
		return;
	const struct pg_result *r = reply->results[0];
	int64_t oldest_us = db_get_int(r, 0, BACKLOG_OLDEST_US);
	int64_t age_us = oldest_us != 0 ? clock_now_us() - oldest_us : 0;
	stats_set(b->stats, NOTIFIER_STAT_OPEN, db_get_int(r, 0, BACKLOG_WAITING));
	stats_set(b->stats, NOTIFIER_STAT_IN_DOUBT, db_get_int(r, 0, BACKLOG_UNKNOWN));
	stats_set(b->stats, NOTIFIER_STAT_GIVEN_UP, db_get_int(r, 0, BACKLOG_DEAD));
	stats_set(b->stats, NOTIFIER_STAT_FIRST_WAITING, db_get_int(r, 0, BACKLOG_FIRST));
	stats_set(b->stats, NOTIFIER_STAT_MARKS, db_get_int(r, 0, BACKLOG_MARKS));
	stats_set(b->stats, NOTIFIER_STAT_OLDEST, age_us > 0 ? age_us / 1000000 : 0);
}

static void
count(struct backlog *b, uint64_t now_ms)
{
	if (b->counting || now_ms < b->count_at_ms)
		return;
	b->count_at_ms = now_ms + COUNT_MS;
	struct db_unit *unit = db_unit_create(b->db);
	db_unit_add(unit, STORE_BACKLOG);
	db_add_int8(unit, clock_now_us());
	b->counting = true;
	if (!db_submit(b->db, unit, on_counted, b)) {
		db_unit_destroy(unit);
		b->counting = false;
	}
}

void
backlog_watch_clock(struct backlog *b)
{
	int64_t now_us = clock_now_us();

	if (b->wall_us != 0 && now_us < b->wall_us - STEP_US) {
		log_warn("clock set back, what waits for later is due now back_ms=%lld",
		    (long long)((b->wall_us - now_us) / 1000));
		b->hasten = true;
		b->beyond_us = 0;
	}
	b->wall_us = now_us;
}

static void
on_reply(void *arg, const struct db_reply *reply)
{
	struct backlog *b = arg;

	b->hastening = false;
	if (reply->outcome != DB_COMMITTED) {
		b->hasten = true;
		b->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
		return;
	}
	stats_add(b->stats, NOTIFIER_STAT_HASTENED, (uint64_t)db_get_int(reply->results[0], 0, 0));
	b->on_hastened(b->arg);
}

static void
hasten(struct backlog *b, uint64_t now_ms)
{
	if (!b->hasten || b->hastening || now_ms < b->retry_at_ms)
		return;
	struct db_unit *unit = db_unit_create(b->db);
	db_unit_add(unit, STORE_HASTEN);
	db_add_int8(unit, b->wall_us);
	db_add_int8(unit, b->wall_us + b->beyond_us);
	if (!db_submit(b->db, unit, on_reply, b)) {
		db_unit_destroy(unit);
		return;
	}
	b->hasten = false;
	b->hastening = true;
}

void
backlog_look(struct backlog *b, uint64_t now_ms)
{
	hasten(b, now_ms);
	count(b, now_ms);
}

bool
backlog_busy(const struct backlog *b)
{
	return b->hastening;
}
