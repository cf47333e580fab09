/* Keeps the books of a consumer's dead letters: the batch's, the row's, and those people requeue.
 */
#include "letters.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "daemon.h"
#include "log.h"
#include "stats.h"

enum { LOOK_MS = 1000, RETRY_MS = 200, PROBE_MS = 3000, WHY_BYTES = 120 };

enum letter_stat { STAT_WRITTEN, STAT_ENDED, STAT_OPEN, STAT_STOPPED, LETTER_STATS };
enum { ENDED_PROCESSED, ENDED_RETURNED };

static const char *const reason_names[] = {
	[LETTER_UNDECODABLE] = "undecodable",
	[LETTER_MISFIT] = "misfit",
	[LETTER_NO_TICKET] = "no_ticket",
	[LETTER_REFUSED] = "refused",
	[LETTER_REASONS] = NULL,
};
static const char *const ends[] = { "processed", "returned", NULL };

struct letter {
	uint64_t seq;
	enum letter_reason reason;
	uint32_t in_row;
	char detail[LETTER_DETAIL_BYTES];
};

struct letters {
	struct letters_options options;
	unsigned dependency;
	struct stats *stats;
	struct stat_row rows[LETTER_STATS];
	/* as the record said at the last look */
	bool known, looking;
	uint64_t open, requeued;
	uint64_t last_seq; /* the newest letter, and its place in its row */
	uint32_t last_in_row;
	uint64_t look_at_ms;
	uint64_t writes, writes_at_look; /* a look that a write overtook says nothing of the row */
	bool placed;
	uint64_t place;
	uint32_t row; /* letters since a record was acted on */
	/* the batch in hand */
	struct letter *held;
	size_t held_count, held_room;
	uint32_t held_row;
	/* a requeued letter on its way back to open */
	bool returning;
	bool stopped;
	uint64_t probe_at_ms;
	char why[WHY_BYTES]; /* it does not go on; "" it does */
};

static void
make_rows(struct letters *l)
{
	const struct stat_row rows[LETTER_STATS] = {
		[STAT_WRITTEN] = { .name = "turunc_dead_letters_total",
		    .help = "Records set aside because they could not be acted on",
		    .label = "reason",
		    .label_values = reason_names },
		[STAT_ENDED] = { .name = "turunc_dead_letters_requeued_total",
		    .help = "Requeued letters that were tried again",
		    .label = "outcome",
		    .label_values = ends },
		[STAT_OPEN] = { .name = "turunc_dead_letters_open",
		    .help = "Dead letters nobody has decided about",
		    .type = STAT_GAUGE },
		[STAT_STOPPED] = { .name = "turunc_dead_letters_stopped",
		    .help = "1 while the consumer stands still because too many records failed",
		    .type = STAT_GAUGE },
	};

	memcpy(l->rows, rows, sizeof(rows));
	for (size_t i = 0; i < LETTER_STATS; i++) {
		l->rows[i].fixed = "consumer";
		l->rows[i].fixed_value = l->options.consumer;
	}
}

struct letters *
letters_create(const struct letters_options *options)
{
	struct letters *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->options = *options;
	make_rows(l);
	l->stats = stats_create(l->rows, LETTER_STATS);
	if (l->stats == NULL) {
		letters_destroy(l);
		return NULL;
	}
	l->dependency = daemon_add_dependency(options->daemon, "dead_letters", true);
	return l;
}

void
letters_destroy(struct letters *l)
{
	if (l == NULL)
		return;
	stats_destroy(l->stats);
	free(l->held);
	free(l);
}

const struct stats *
letters_stats(const struct letters *l)
{
	return l->stats;
}

bool
letters_busy(const struct letters *l)
{
	return l->returning;
}

/* --- what is said of them --------------------------------------------------------------------- */

static void
tell(struct letters *l)
{
	char open[WHY_BYTES] = "";
	enum dependency_state state = l->why[0] != '\0' ? DEPENDENCY_DOWN
				      : l->known        ? DEPENDENCY_UP
							: DEPENDENCY_STARTING;

	if (l->open > 0)
		(void)snprintf(open, sizeof(open), "%" PRIu64 " open: masa dlq list", l->open);
	daemon_set_dependency(
	    l->options.daemon, l->dependency, state, l->why[0] != '\0' ? l->why : open);
	stats_set(l->stats, STAT_OPEN, (int64_t)l->open);
	stats_set(l->stats, STAT_STOPPED, l->stopped);
}

void
letters_detail(const struct db_reply *reply, char ret_detail[LETTER_DETAIL_BYTES])
{
	bool named = reply->constraint[0] != '\0';

	(void)snprintf(ret_detail, LETTER_DETAIL_BYTES, "sqlstate=%.5s%s%.80s", reply->sqlstate,
	    named ? " constraint=" : "", reply->constraint);
}

void
letters_stop(struct letters *l, uint64_t seq)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!l->stopped)
		log_error("too many records cannot be acted on, standing still seq=%" PRIu64
			  " in_row=%u open=%" PRIu64,
		    seq, l->row, l->open);
	l->stopped = true;
	l->probe_at_ms = now_ms + PROBE_MS;
	(void)snprintf(l->why, sizeof(l->why),
	    "stopped at seq %" PRIu64 ": %u records in a row failed, %" PRIu64
	    " letters open: masa dlq list",
	    seq, l->row, l->open);
	tell(l);
}

static void
go_on(struct letters *l)
{
	if (l->stopped)
		log_info("going on after dead letters open=%" PRIu64, l->open);
	l->stopped = false;
	l->why[0] = '\0';
	tell(l);
}

void
letters_blocked(struct letters *l, const struct db_reply *reply)
{
	(void)snprintf(l->why, sizeof(l->why),
	    "the record refuses everything: sqlstate %.5s, see the log", reply->sqlstate);
	tell(l);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A row as long as the letters nobody has decided about, and no longer. */
static void
shorten_row(struct letters *l)
{
	if (l->row > l->open)
		l->row = (uint32_t)l->open;
}

/* A process that stood still at the end of a row and was started again stands there still. */
static void
find_row(struct letters *l)
{
	if (l->known && l->placed && l->writes == 0 && l->last_seq == l->place)
		l->row = l->last_in_row;
}

static bool
has_room(const struct letters *l, uint32_t row, size_t more)
{
	return row < (uint64_t)l->options.settings.in_row
	       && l->open + more < (uint64_t)l->options.settings.open;
}

static void
on_looked(void *arg, const struct db_reply *reply)
{
	struct letters *l = arg;

	l->looking = false;
	l->look_at_ms = clock_monotonic_ms() + (l->known ? LOOK_MS : RETRY_MS);
	if (reply->outcome != DB_COMMITTED || l->writes != l->writes_at_look)
		return;
	const struct pg_result *said = reply->results[0];
	bool first = !l->known;
	l->known = true;
	l->look_at_ms = clock_monotonic_ms() + LOOK_MS;
	l->open = (uint64_t)db_get_int(said, 0, 0);
	l->requeued = l->returning ? 0 : (uint64_t)db_get_int(said, 0, 1);
	l->last_seq = (uint64_t)db_get_int(said, 0, 2);
	l->last_in_row = (uint32_t)db_get_int(said, 0, 3);
	if (first)
		find_row(l);
	shorten_row(l);
	if (l->stopped && has_room(l, l->row, 0))
		go_on(l);
	tell(l);
	if (first || l->requeued != 0 || !l->stopped)
		daemon_wake_now(l->options.daemon);
}

void
letters_found_place(struct letters *l, uint64_t seq)
{
	if (l->placed)
		return;
	l->placed = true;
	l->place = seq;
	find_row(l);
	shorten_row(l);
}

int64_t
letters_tick(struct letters *l, uint64_t now_ms)
{
	if (l->looking || db_state_now(l->options.db) != DB_READY)
		return LOOK_MS;
	if (now_ms < l->look_at_ms)
		return (int64_t)(l->look_at_ms - now_ms);
	struct db_unit *unit = db_unit_create(l->options.db);
	db_unit_add(unit, l->options.first_statement + LETTER_LOOK);
	l->writes_at_look = l->writes;
	l->look_at_ms = now_ms + LOOK_MS;
	l->looking = db_submit(l->options.db, unit, on_looked, l);
	if (!l->looking)
		db_unit_destroy(unit);
	return LOOK_MS;
}

bool
letters_may_go_on(const struct letters *l, uint64_t now_ms)
{
	return l->known && (!l->stopped || now_ms >= l->probe_at_ms);
}

/* --- a batch ---------------------------------------------------------------------------------- */

void
letters_begin(struct letters *l)
{
	l->held_count = 0;
	l->held_row = l->row;
}

bool
letters_add(struct letters *l, uint64_t seq, enum letter_reason reason, const char *detail)
{
	assert(reason < LETTER_REASONS);
	if (!l->known || !has_room(l, l->held_row, l->held_count))
		return false;
	if (l->held_count == l->held_room) {
		size_t room = l->held_room == 0 ? 16 : l->held_room * 2;
		struct letter *held = realloc(l->held, room * sizeof(*held));
		if (held == NULL)
			return false;
		l->held = held;
		l->held_room = room;
	}
	struct letter *letter = &l->held[l->held_count++];
	*letter = (struct letter){ .seq = seq, .reason = reason, .in_row = ++l->held_row };
	(void)snprintf(letter->detail, sizeof(letter->detail), "%s", detail != NULL ? detail : "");
	return true;
}

void
letters_acted(struct letters *l)
{
	l->held_row = 0;
}

void
letters_write(struct letters *l, struct db_unit *unit, int64_t now_us)
{
	if (l->held_count == 0)
		return;
	db_unit_add(unit, l->options.first_statement + LETTER_PUT);
	struct db_array *seqs = db_add_array(unit, DB_INT8);
	struct db_array *reasons = db_add_array(unit, DB_TEXT);
	struct db_array *details = db_add_array(unit, DB_TEXT);
	struct db_array *rows = db_add_array(unit, DB_INT4);
	for (size_t i = 0; i < l->held_count; i++) {
		db_array_int8(seqs, (int64_t)l->held[i].seq);
		db_array_text(reasons, reason_names[l->held[i].reason]);
		db_array_text(details, l->held[i].detail);
		db_array_int4(rows, (int32_t)l->held[i].in_row);
	}
	db_add_int8(unit, now_us);
}

void
letters_committed(struct letters *l)
{
	l->row = l->held_row;
	l->open += l->held_count;
	for (size_t i = 0; i < l->held_count; i++) {
		stats_add_at(l->stats, STAT_WRITTEN, l->held[i].reason, 1);
		log_error("record set aside seq=%" PRIu64 " reason=%s detail=%s", l->held[i].seq,
		    reason_names[l->held[i].reason], log_quoted(l->held[i].detail));
	}
	if (l->held_count > 0) {
		l->writes++;
		tell(l);
	}
	l->held_count = 0;
	if (l->why[0] != '\0')
		go_on(l);
}

/* --- taken up again --------------------------------------------------------------------------- */

uint64_t
letters_requeued(const struct letters *l)
{
	return l->requeued;
}

static void
add_end(struct letters *l, struct db_unit *unit, uint64_t seq, bool processed,
    enum letter_reason reason, const char *detail, int64_t now_us)
{
	db_unit_add(unit, l->options.first_statement + LETTER_END);
	db_add_int8(unit, (int64_t)seq);
	db_add_bool(unit, processed);
	db_add_text(unit, reason_names[reason]);
	db_add_text(unit, detail != NULL ? detail : "");
	db_add_int8(unit, now_us);
}

void
letters_end(struct letters *l, struct db_unit *unit, uint64_t seq, int64_t now_us)
{
	add_end(l, unit, seq, true, LETTER_REFUSED, NULL, now_us);
}

/* Whatever came of it, the record says what is requeued now. */
static void
look_again(struct letters *l, uint64_t in_ms)
{
	l->requeued = 0;
	l->writes++; /* a look under way says what was before */
	l->look_at_ms = clock_monotonic_ms() + in_ms;
	daemon_wake_now(l->options.daemon);
}

void
letters_ended(struct letters *l, uint64_t seq, const struct db_reply *reply)
{
	char detail[LETTER_DETAIL_BYTES];

	if (reply->outcome == DB_COMMITTED) {
		stats_add_at(l->stats, STAT_ENDED, ENDED_PROCESSED, 1);
		log_info("dead letter processed seq=%" PRIu64, seq);
		look_again(l, 0);
	} else if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) != DB_FAULT_PASSING
		   && strncmp(reply->sqlstate, "TU00", 4) != 0) {
		letters_detail(reply, detail);
		letters_return(l, seq, LETTER_REFUSED, detail);
	} else {
		log_warn("dead letter not taken up, again soon seq=%" PRIu64 " sqlstate=%s", seq,
		    reply->sqlstate);
		look_again(l, LOOK_MS);
	}
}

static void
on_returned(void *arg, const struct db_reply *reply)
{
	struct letters *l = arg;

	l->returning = false;
	if (reply->outcome == DB_COMMITTED)
		stats_add_at(l->stats, STAT_ENDED, ENDED_RETURNED, 1);
	look_again(l, reply->outcome == DB_COMMITTED ? 0 : LOOK_MS);
}

void
letters_return(struct letters *l, uint64_t seq, enum letter_reason reason, const char *detail)
{
	struct db_unit *unit = db_unit_create(l->options.db);

	log_error("dead letter failed again seq=%" PRIu64 " reason=%s", seq, reason_names[reason]);
	l->requeued = 0;
	add_end(l, unit, seq, false, reason, detail, clock_now_us());
	l->returning = db_submit(l->options.db, unit, on_returned, l);
	if (!l->returning) {
		db_unit_destroy(unit);
		look_again(l, LOOK_MS);
	}
}
