/* Seeks, rebuilds and follows; the only place that decides which of them. */
#include "projector.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turunc/client.h>

#include "backoff.h"
#include "clock.h"
#include "db.h"
#include "lag.h"
#include "log.h"
#include "misfits.h"
#include "projector_stats.h"
#include "rebuild.h"
#include "redis.h"
#include "stats.h"
#include "traced.h"

enum {
	IDLE_TICK_MS = 1000,
	OP_BATCH = 250,
	WHY_BYTES = 160,
};

static const char *const state_names[] = {
	[PROJECTOR_SEEKING] = "seeking",
	[PROJECTOR_REBUILDING] = "rebuilding",
	[PROJECTOR_FOLLOWING] = "live",
};
_Static_assert(ARRAY_LEN(state_names) == PROJECTOR_STATES, "name every state");

static const struct backoff retry = { .first_ms = 100, .cap_ms = 5000, .spread_percent = 20 };

struct projector {
	struct redis *redis;
	struct live *live;
	struct rebuild *rebuild;
	struct turunc_client *client;
	struct event *readable;
	struct stats *stats;
	const struct projector_calls *calls;
	void *arg;
	enum projector_state state;
	struct live_position at; /* projected, and confirmed by Redis */
	uint64_t sent_seq; /* handed to Redis */
	uint64_t run; /* answers of an earlier run count for nothing */
	uint64_t replay_max;
	uint32_t window;
	size_t under_way; /* batches without an answer */
	char head_log_id[UUID_TEXT_SIZE]; /* as the record last said, "" never */
	uint64_t head_seq;
	bool seeking; /* the question is under way */
	bool wants_rebuild;
	bool superseded;
	bool stopped;
	uint32_t failures;
	uint64_t retry_at_ms;
	struct ops ops;
	struct lag lag;
	struct misfits *misfits;
	uint64_t misfit; /* comes next and waits for its letter, 0: none */
	enum letter_reason misfit_reason;
	bool recount; /* a requeued record is to be counted by a rebuild */
	bool recounting; /* the one under way began after it was asked for */
};

/* A batch under way. */
struct batch {
	struct projector *p;
	uint64_t run;
	uint64_t through;
	size_t records;
	bool counted; /* a figure depends on one of them */
	int64_t *committed_us; /* of each */
	struct traced *traced;
};

const char *
projector_state_name(enum projector_state state)
{
	assert(state < PROJECTOR_STATES);
	return state_names[state];
}

enum projector_state
projector_state(const struct projector *p)
{
	return p->state;
}

const struct live_position *
projector_position(const struct projector *p)
{
	return &p->at;
}

const struct stats *
projector_stats(const struct projector *p)
{
	return p->stats;
}

/* --- states ----------------------------------------------------------------------------------- */

/* The only place that changes it. */
static void
enter(struct projector *p, enum projector_state next, const char *why)
{
	if (p->state != next)
		log_info("projection %s -> %s seq=%" PRIu64 " why=%s", state_names[p->state],
		    state_names[next], p->at.seq, log_quoted(why));
	p->state = next;
	p->calls->on_state(p->arg, next, why);
}

static void
leave_stream(struct projector *p)
{
	p->run++;
	turunc_unsubscribe(p->client);
}

static void
try_again(struct projector *p)
{
	p->retry_at_ms = clock_monotonic_ms()
			 + backoff_delay_ms(&retry, ++p->failures, (uint32_t)p->run * 2654435761u);
}

static void
seek(struct projector *p, const char *why)
{
	leave_stream(p);
	p->wants_rebuild = false;
	try_again(p);
	enter(p, PROJECTOR_SEEKING, why);
}

static void
start_rebuild(struct projector *p, const char *why)
{
	leave_stream(p);
	p->wants_rebuild = true;
	p->retry_at_ms = 0;
	enter(p, PROJECTOR_REBUILDING, why);
}

static void
follow(struct projector *p, const struct live_position *from, const char *why)
{
	const struct turunc_subscription wanted = {
		.name = "live",
		.from = TURUNC__V1__FROM__FROM_SEQ,
		.from_seq = from->seq,
		.log_id = from->log_id,
		.view = TURUNC__V1__VIEW__VIEW_NONE,
		.take_over = !p->superseded,
		.window = p->window,
	};

	p->at = *from;
	p->sent_seq = from->seq;
	p->run++;
	p->wants_rebuild = false;
	stats_set(p->stats, PROJECTOR_STAT_SEQ, (int64_t)from->seq);
	enum turunc_outcome outcome = turunc_subscribe(p->client, &wanted);
	if (outcome != TURUNC_TAKEN) {
		seek(p, turunc_outcome_name(outcome));
		return;
	}
	enter(p, PROJECTOR_FOLLOWING, why);
	p->calls->on_applied(p->arg);
}

/* Can the log be followed from there?  What the record has not said yet is found out later. */
static const char *
why_not_from(const struct projector *p, const struct live_position *position)
{
	if (p->head_log_id[0] == '\0')
		return NULL;
	if (strcmp(position->log_id, p->head_log_id) != 0)
		return "the projection is of another history";
	if (position->seq > p->head_seq)
		return "the projection is ahead of the log";
	if (p->head_seq - position->seq > p->replay_max)
		return "the projection is far behind";
	return NULL;
}

static void
on_position(void *arg, enum live_outcome outcome, const struct live_position *position)
{
	struct projector *p = arg;

	p->seeking = false;
	if (p->state != PROJECTOR_SEEKING || p->stopped)
		return;
	if (outcome == LIVE_OK) {
		misfits_found_place(p->misfits, position->seq);
		const char *why = why_not_from(p, position);
		if (why == NULL)
			follow(p, position, "resumed");
		else
			start_rebuild(p, why);
	} else if (outcome == LIVE_LOST) {
		start_rebuild(p, "Redis holds no projection");
	} else {
		try_again(p);
	}
}

static void
on_rebuilt(void *arg, const struct live_position *position, size_t tickets, const char *why)
{
	struct projector *p = arg;

	if (position == NULL) {
		stats_incr(p->stats, PROJECTOR_STAT_REBUILD_FAILED);
		log_warn("rebuild not done, tried again why=%s", log_quoted(why));
		/* What Redis holds by now is its to say: the switch may have happened unheard. */
		if (p->state == PROJECTOR_REBUILDING)
			seek(p, why);
		return;
	}
	stats_incr(p->stats, PROJECTOR_STAT_REBUILDS);
	log_info("rebuilt seq=%" PRIu64 " tickets=%zu generation=%s", position->seq, tickets,
	    position->generation);
	if (p->state == PROJECTOR_REBUILDING && !p->stopped) {
		follow(p, position, "rebuilt");
	}
	if (p->recounting)
		misfits_rebuilt(p->misfits, position->seq);
	p->recount = p->recount && !p->recounting;
	p->recounting = false;
}

/* --- following -------------------------------------------------------------------------------- */

int64_t
projector_lag_ms(const struct projector *p)
{
	return lag_most_ms(&p->lag, clock_monotonic_ms());
}

static void
batch_destroy(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->committed_us);
	traced_destroy(b->traced);
	free(b);
}

static void
on_applied(void *arg, enum live_outcome outcome, uint64_t unknown)
{
	struct batch *b = arg;
	struct projector *p = b->p;
	int64_t now_us = clock_now_us();

	p->under_way--;
	stats_add_at(p->stats, PROJECTOR_STAT_BATCHES, outcome, 1);
	if (outcome == LIVE_OK && b->counted)
		misfits_counted(p->misfits);
	if (b->run != p->run) {
		batch_destroy(b);
		return;
	}
	if (outcome == LIVE_OK) {
		p->failures = 0;
		p->at.seq = b->through;
		traced_log(b->traced, "projected");
		stats_add(p->stats, PROJECTOR_STAT_RECORDS, b->records);
		stats_add(p->stats, PROJECTOR_STAT_UNKNOWN, unknown);
		stats_set(p->stats, PROJECTOR_STAT_SEQ, (int64_t)b->through);
		for (size_t i = 0; i < b->records; i++) {
			stats_observe(p->stats, PROJECTOR_STAT_LAG, now_us - b->committed_us[i]);
			lag_note(&p->lag, now_us - b->committed_us[i], clock_monotonic_ms());
			p->at.committed_us = b->committed_us[i];
		}
	}
	if (outcome == LIVE_OK || outcome == LIVE_STALE) {
		(void)turunc_ack(p->client, b->through);
		p->calls->on_applied(p->arg);
	} else if (outcome == LIVE_FAILED) {
		/* Maybe half of it was done: only the record can tell the figures now, and what
		 * Redis could not take is behind them. */
		log_error("batch refused by Redis, rebuilding through=%" PRIu64, b->through);
		start_rebuild(p, "Redis refused a batch");
		try_again(p);
	} else {
		log_warn("batch refused by Redis, asking it again through=%" PRIu64 " outcome=%s",
		    b->through, live_outcome_name(outcome));
		seek(p, live_outcome_name(outcome));
	}
	batch_destroy(b);
}

/* Hands the records [from, to) of a delivery to Redis, which then stands at through. */
static bool
send_batch(struct projector *p, const Turunc__V1__Deliver *deliver, size_t from, size_t to,
    uint64_t through)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return false;
	*b = (struct batch){ .p = p,
		.run = p->run,
		.through = through,
		.records = to - from,
		.committed_us = calloc(to - from + 1, sizeof(int64_t)),
		.traced = traced_take(deliver, from, to) };
	ops_clear(&p->ops);
	for (size_t i = from; b->committed_us != NULL && i < to; i++) {
		b->committed_us[i - from] = deliver->records[i]->committed_at_us;
		if (misfits_known(p->misfits, deliver->records[i]->seq)
		    || !ops_add_record(&p->ops, deliver->records[i]))
			stats_incr(p->stats, PROJECTOR_STAT_MISFITS);
	}
	b->counted = p->ops.count > 0;
	const struct live_batch batch = {
		.position = &p->at,
		.after = p->sent_seq,
		.through = through,
		.committed_us = to > from ? deliver->records[to - 1]->committed_at_us : 0,
		.ops = &p->ops,
		.to = p->ops.count,
	};
	if (b->committed_us == NULL || p->ops.failed
	    || !live_apply(p->live, &batch, on_applied, b)) {
		batch_destroy(b);
		return false;
	}
	p->under_way++;
	p->sent_seq = through;
	/* What was delivered is in the log, whenever somebody looked how long it is. */
	if (through > p->head_seq && strcmp(p->at.log_id, p->head_log_id) == 0)
		p->head_seq = through;
	return true;
}

/* The first of [from, to) that no figure can be made of and that has no letter yet; to: none. */
static size_t
find_misfit(struct projector *p, const Turunc__V1__Deliver *deliver, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!misfits_known(p->misfits, deliver->records[from]->seq)
		    && misfits_of(p->misfits, deliver->records[from], &p->misfit_reason))
			break;
	return from;
}

/* The stream is left, and followed again from here when the record has its letter. */
static void
wait_for_letter(struct projector *p, uint64_t seq)
{
	p->misfit = seq;
	seek(p, "a record cannot be counted");
	p->retry_at_ms = 0;
	p->failures = 0;
}

static void
on_letter_written(void *arg)
{
	struct projector *p = arg;

	p->retry_at_ms = 0;
}

static void
on_countable(void *arg)
{
	struct projector *p = arg;

	p->recount = true;
}

/* In order and without gaps; what was handed on before comes again after a reconnection. */
static void
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct projector *p = arg;
	size_t from = 0, count = deliver->n_records, good;

	if (p->state != PROJECTOR_FOLLOWING || p->stopped)
		return;
	while (from < count && deliver->records[from]->seq <= p->sent_seq)
		from++;
	if (deliver->through_seq <= p->sent_seq) {
		if (deliver->through_seq <= p->at.seq)
			(void)turunc_ack(p->client, deliver->through_seq);
		return;
	}
	good = find_misfit(p, deliver, from, count);
	while (from < good || good == count) {
		size_t to = good - from > OP_BATCH ? from + OP_BATCH : good;
		uint64_t through = to == count ? deliver->through_seq
					       : deliver->records[to - 1]->seq;
		if (!send_batch(p, deliver, from, to, through)) {
			seek(p, "Redis takes no commands");
			return;
		}
		from = to;
		if (from == count)
			return;
	}
	wait_for_letter(p, deliver->records[good]->seq);
}

static void
on_client_state(void *arg, enum turunc_state state, const char *why)
{
	struct projector *p = arg;

	p->calls->on_stream(p->arg, state == TURUNC_READY, why == NULL ? "" : why);
}

static void
on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct projector *p = arg;

	log_warn("stream trouble code=%d final=%s text=%s", (int)trouble->code,
	    trouble->final ? "yes" : "no", log_quoted(trouble->text));
	if (trouble->about != TURUNC_ABOUT_SUBSCRIPTION || !trouble->final
	    || p->state != PROJECTOR_FOLLOWING)
		return;
	if (trouble->code == TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED) {
		start_rebuild(p, "the log has another history");
		return;
	}
	/* Another process has taken the subscription: two that take it from each other in turn
	 * would be worse than one that stands by until the other is gone.  The figures in Redis are
	 * kept by that one meanwhile. */
	if (trouble->code == TURUNC__V1__ERROR_CODE__ERROR_SUPERSEDED) {
		p->superseded = true;
		log_error("subscription taken over by another process, standing by");
	}
	seek(p, trouble->text);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct projector *p = arg;

	(void)fd;
	(void)what;
	(void)turunc_client_step(p->client);
}

/* --- from outside ----------------------------------------------------------------------------- */

void
projector_redis_changed(struct projector *p, bool ready)
{
	if (!ready && p->state == PROJECTOR_FOLLOWING)
		seek(p, "Redis is away");
	if (ready && p->state == PROJECTOR_SEEKING)
		p->retry_at_ms = 0;
}

void
projector_doubt(struct projector *p, enum live_outcome outcome)
{
	if (p->state == PROJECTOR_FOLLOWING && outcome != LIVE_UNANSWERED)
		seek(p, live_outcome_name(outcome));
}

void
projector_head_seen(struct projector *p, const char *log_id, uint64_t seq)
{
	(void)snprintf(p->head_log_id, sizeof(p->head_log_id), "%s", log_id);
	p->head_seq = seq;
	if (p->state != PROJECTOR_FOLLOWING || p->under_way > 0)
		return;
	if (strcmp(log_id, p->at.log_id) != 0)
		start_rebuild(p, "the log has another history");
}

void
projector_stop(struct projector *p)
{
	p->stopped = true;
}

bool
projector_busy(const struct projector *p)
{
	return p->under_way > 0 || misfits_busy(p->misfits);
}

int64_t
projector_tick(struct projector *p, uint64_t now_ms)
{
	(void)misfits_tick(p->misfits, now_ms);
	if (p->recount && p->state == PROJECTOR_FOLLOWING && !p->stopped)
		start_rebuild(p, "a dead letter was requeued");
	if (p->stopped || p->state == PROJECTOR_FOLLOWING)
		return IDLE_TICK_MS;
	if (p->misfit != 0 && p->under_way == 0 && misfits_may_go_on(p->misfits, now_ms)) {
		misfits_write(p->misfits, p->misfit, p->misfit_reason);
		p->misfit = 0;
	}
	if (p->state == PROJECTOR_SEEKING && !misfits_may_go_on(p->misfits, now_ms))
		return (int64_t)retry.first_ms;
	if (now_ms < p->retry_at_ms)
		return (int64_t)(p->retry_at_ms - now_ms);
	if (redis_ready(p->redis) && p->under_way == 0) {
		if (p->state == PROJECTOR_SEEKING && !p->seeking)
			p->seeking = live_seek(p->live, on_position, p);
		else if (p->wants_rebuild && !rebuild_running(p->rebuild)) {
			p->wants_rebuild = !rebuild_start(p->rebuild);
			p->recounting = p->recount && !p->wants_rebuild;
		}
	}
	p->retry_at_ms = now_ms + retry.first_ms;
	return (int64_t)retry.first_ms;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct turunc_client *
open_client(
    struct projector *p, const struct projector_options *options, char *why, size_t why_size)
{
	const struct turunc_options wanted = {
		.door = TURUNC_DOOR_STREAM,
		.endpoint = options->endpoint,
		.client_public = options->public_key,
		.client_secret = options->secret_key,
		.server_public = options->server_key,
		.software = "turunc-metrics/" TURUNC_VERSION,
		.handlers = { .on_state = on_client_state,
		    .on_trouble = on_trouble,
		    .on_deliver = on_deliver },
		.arg = p,
	};
	return turunc_client_create(&wanted, why, why_size);
}

struct projector *
projector_create(struct event_base *loop, const struct projector_options *options,
    const struct projector_calls *calls, void *arg, char *why, size_t why_size)
{
	struct projector *p = calloc(1, sizeof(*p));

	(void)snprintf(why, why_size, "out of memory");
	if (p == NULL)
		return NULL;
	p->redis = options->redis;
	p->live = options->live;
	p->calls = calls;
	p->arg = arg;
	p->replay_max = options->replay_max;
	p->window = options->window;
	lag_init(&p->lag);
	const struct misfits_world misfits = { .db = options->letters_db,
		.letters = options->letters,
		.on_written = on_letter_written,
		.on_countable = on_countable,
		.arg = p };
	p->misfits = misfits_create(&misfits);
	p->stats = stats_create(projector_stat_rows, PROJECTOR_STATS);
	p->rebuild = rebuild_create(options->db, options->live, on_rebuilt, p);
	if (p->stats != NULL && p->rebuild != NULL && p->misfits != NULL)
		p->client = open_client(p, options, why, why_size);
	if (p->client != NULL)
		p->readable = event_new(
		    loop, turunc_client_fd(p->client), EV_READ | EV_PERSIST, on_readable, p);
	if (p->readable == NULL || event_add(p->readable, NULL) == -1) {
		projector_destroy(p);
		return NULL;
	}
	return p;
}

void
projector_destroy(struct projector *p)
{
	if (p == NULL)
		return;
	if (p->readable != NULL)
		event_free(p->readable);
	turunc_client_destroy(p->client);
	rebuild_destroy(p->rebuild);
	misfits_destroy(p->misfits);
	stats_destroy(p->stats);
	ops_finish(&p->ops);
	free(p);
}
