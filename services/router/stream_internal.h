/* stream_internal - what the stream's own files share: its struct, its readers, its pages. */
#ifndef ROUTER_STREAM_INTERNAL_H
#define ROUTER_STREAM_INTERNAL_H

#include <event2/util.h>
#include <sys/queue.h>

#include "filter.h"
#include "ledger.h"
#include "stats.h"
#include "store.h"
#include "stream.h"
#include "stream_frame.h"
#include "uuid.h"
#include "view.h"

enum {
	STREAM_NAME_BYTES = 64,
	STREAM_PAGE_ROWS = 512,
	STREAM_PAGE_BYTES = 192 * 1024, /* of events in a page */
	STREAM_FRESH_ROWS = 64, /* so near the head, views are read together with the rows */
	STREAM_TICKETS_MAX = 512, /* looked up in one statement */
	STREAM_RETRY_MS = 100, /* after a failed question to the record */
	STREAM_HELD_FOR_MS = 6000, /* a holder heard of within it is alive */
};

/* --- pages of the log (stream_pages.c) -------------------------------------------------------- */

struct stream_row {
	uint64_t seq;
	int64_t committed_at_us;
	int64_t ticket_id; /* 0: none */
	const char *type, *department, *previous_department;
	const uint8_t *event; /* NULL: it cannot be read */
	size_t event_len;
};

/* Consecutive rows after a position.  Shared by reference; the strings lie behind the rows. */
struct stream_page {
	TAILQ_ENTRY(stream_page) link;
	unsigned refs;
	uint64_t after, through;
	size_t bytes;
	size_t count;
	struct stream_row rows[];
};
TAILQ_HEAD(stream_page_list, stream_page);

/* --- a session as a reader -------------------------------------------------------------------- */

enum reader_state {
	READER_NONE, /* no subscription */
	READER_TAKING, /* its Subscribe is with the record */
	READER_LIVE,
};

/* Where a live reader stands in line; it is in one list or none. */
enum reader_place {
	READER_RESTING, /* at the head, without credit, or waiting for room in the bus */
	READER_READY, /* wants its turn */
	READER_WAITING, /* for a page */
	READER_VIEWING, /* its next frame waits to ask for views */
	READER_ASKED, /* its views are with the record */
	READER_NOTING, /* that it is shown something is with the record (stream_viewed.h) */
};

/* Through which a reader sees tickets; each goes by itself. */
enum reader_door { READER_DOOR_STREAM, READER_DOOR_SNAPSHOT, READER_DOORS };

struct stream_ack;
struct stream_snapshot;
struct noted;

/* Where a Subscribe wants to begin, kept until it is taken. */
struct wanted {
	Turunc__V1__From from;
	int64_t from_seq, from_time_us;
	bool replace;
	bool log_known;
	struct uuid log_id; /* that the client knows */
	unsigned takes; /* so far */
};

struct reader {
	TAILQ_ENTRY(reader) link;
	TAILQ_ENTRY(reader) turn;
	struct stream *stream;
	struct bus_session *session; /* NULL: over */
	unsigned refs; /* the session's, and one a question to the record */
	enum reader_state state;
	enum reader_place place;
	bool blocked; /* the bus has no room */

	char client[ACL_NAME_BYTES + 1];
	char name[STREAM_NAME_BYTES + 1];
	uint64_t request; /* of the Subscribe under way */
	struct filter asked, effective;
	Turunc__V1__View view;
	struct wanted wanted;
	uint64_t epoch;
	struct uuid log_uuid; /* of the history it was taken in */
	int64_t since_us; /* it was taken */

	uint64_t position; /* looked at through here; from ledger.told on nothing matched */
	struct ledger ledger;
	uint64_t told_ms; /* when the last Deliver left */
	/* The next frame while its views are asked for: rows [from, to) of the page. */
	struct stream_page *page;
	size_t from, to;
	uint64_t through;
	uint64_t views_asked; /* so many times; an answer to an earlier question is nobody's */

	struct noted
	    *noted[READER_DOORS]; /* what was noted last (stream_viewed.h), NULL: nothing */
	bool unnoted; /* the last frame or page ended in front of what was not */

	struct stream_ack *ack; /* collected, not sent to the record yet */
	struct stream_snapshot *snapshot;
};
TAILQ_HEAD(reader_list, reader);

enum stream_stat {
	STREAM_STAT_RECORDS,
	STREAM_STAT_FRAMES,
	STREAM_STAT_EMPTY,
	STREAM_STAT_LATER,
	STREAM_STAT_ACKS,
	STREAM_STAT_ACKS_REFUSED,
	STREAM_STAT_SUBSCRIBES,
	STREAM_STAT_TAKES_LOST,
	STREAM_STAT_ENDS,
	STREAM_STAT_CUTS,
	STREAM_STAT_UNREADABLE,
	STREAM_STAT_PAGES,
	STREAM_STAT_PAGE_HITS,
	STREAM_STAT_VIEWS,
	STREAM_STAT_SNAPSHOTS,
	STREAM_STAT_SNAPSHOT_TICKETS,
	STREAM_STAT_LOOKS,
	STREAM_STAT_FAILED,
	STREAM_STAT_READERS,
	STREAM_STAT_LAG,
	STREAM_STATS
};

/* Label values of SUBSCRIBES. */
enum stream_outcome {
	OUTCOME_TAKEN,
	OUTCOME_TAKEN_OVER,
	OUTCOME_MALFORMED,
	OUTCOME_FORBIDDEN,
	OUTCOME_IN_USE,
	OUTCOME_FILTER_DIFFERS,
	OUTCOME_LOG_CHANGED,
	OUTCOME_TOO_MUCH,
	OUTCOME_UNAVAILABLE,
};

/* Label values of ENDS: why a live subscription left its session. */
enum stream_end {
	END_CLOSED,
	END_SUPERSEDED,
	END_MOVED,
	END_FROZEN,
	END_LOG_CHANGED,
	END_UNSENDABLE,
};

TAILQ_HEAD(stream_ack_list, stream_ack);

struct stream {
	struct stream_inputs in;
	struct stats *stats;
	struct event *again; /* another turn soon */
	struct reader_list readers; /* every session that ever asked for something */
	struct reader_list ready, waiting, viewing;
	char log_id[UUID_TEXT_SIZE]; /* "" before the first look */
	struct uuid log_uuid;
	uint64_t head_seq;

	struct stream_page_list pages; /* newest use last */
	size_t page_bytes, page_count;
	/* The page that came this moment together with the views of its tickets; NULL at any other
	 * time. */
	const struct stream_page *fresh_page;
	const struct pg_result *fresh_views;
	uint64_t fetching[4]; /* positions asked for, as of fetch_count */
	size_t fetch_count;
	unsigned view_units;
	unsigned units; /* with the record in all */

	struct stream_ack_list acks;
	struct event *keep; /* the acknowledgements collected are due */
	bool acking, checking, looking; /* such a question is with the record */
	uint64_t retry_ms; /* failed questions are asked again then; 0: none failed */
	uint64_t check_ms; /* next look at the epochs */
	uint64_t forgotten; /* generation of pages; pages asked for under another are dropped */
	bool draining;

	struct uuid_source ids; /* of the records that say who looked */
	struct stream_frame frame;
	struct view scratch;
};

/* --- stream_stats.c --- */

extern const struct stat_row stream_stat_rows[STREAM_STATS];
extern const char *const stream_end_names[]; /* by enum stream_end */

/* --- stream.c --- */

/* NULL: the session has asked for nothing yet, or is over. */
struct reader *reader_of(struct bus_session *session);
/* Made at the first frame that needs one; NULL: out of memory, and the client was told. */
struct reader *reader_get(struct stream *s, struct bus_session *session, uint64_t request);
void reader_hold(struct reader *r);
void reader_release(struct reader *r);
/* Moves it to a place in line. */
void reader_enter(struct reader *r, enum reader_place place);
/* The subscription leaves its session; the session goes on. */
void reader_stop(struct reader *r, enum stream_end why);
/* The client is told why its subscription is over (fatal), and the session closed.  Neither the
 * reader nor the session may be used afterwards, except under a reference of one's own. */
void reader_end(struct reader *r, enum stream_end why, Turunc__V1__ErrorCode code, const char *text,
    uint64_t last_common_seq);
/* Something failed that time will mend. */
void stream_retry_soon(struct stream *s);
/* The history changed under us: every reader is told and everything kept is forgotten. */
void stream_log_is(struct stream *s, const struct uuid *log_id);
/* Asks the record itself for its history and length. */
void stream_look(struct stream *s);
/* False: not sent, unit destroyed and counted. */
MUST_CHECK bool stream_submit(struct stream *s, struct db_unit *unit, db_done_fn *done, void *arg);
MUST_CHECK bool stream_submit_to(
    struct stream *s, struct db *db, struct db_unit *unit, db_done_fn *done, void *arg);
/* First in every done(). */
void stream_unit_done(struct stream *s, const struct db_reply *reply);

/* --- stream_pages.c --- */

/* A page that holds the row after position, lent; NULL: none here. */
struct stream_page *stream_page_find(struct stream *s, uint64_t position);
/* Asks for the rows after position unless that is under way or too much is; readers WAITING are
 * READY again when something came.  with_views: at most STREAM_FRESH_ROWS, and the views
 * of their tickets with them, which saves readers at the head a question of their own. */
void stream_page_ask(struct stream *s, uint64_t position, bool with_views);
void stream_page_hold(struct stream_page *page);
void stream_page_release(struct stream *s, struct stream_page *page);
void stream_pages_forget(struct stream *s);

/* --- stream_deliver.c --- */

/* Gives turns until nobody wants one, or for a while. */
void stream_run(struct stream *s);
/* The reader may have something to do. */
void reader_poke(struct reader *r);
/* Its filter is another one: what was chosen for its next frame is chosen anew. */
void reader_choose_anew(struct reader *r);
/* Tells how far it was looked at without a match; at most once a second. */
void reader_tell_position(struct reader *r, uint64_t now_ms);
bool stream_subject_special(const struct stream *s, const char *subject_code);

/* --- stream_subscription.c --- */

/* Looks at the record's epochs of all live subscriptions. */
void stream_check_epochs(struct stream *s);
/* What the record says of a subscription: rows of STORE_STREAM_EPOCHS. */
void reader_compare_epoch(struct reader *r, const struct pg_result *rows, int row);

/* --- stream_ack.c --- */

void stream_acks_flush(struct stream *s);
/* The timer's callback; arg is the stream. */
void stream_acks_on_time(evutil_socket_t fd, short what, void *arg);
void stream_ack_orphan(struct reader *r);
void stream_acks_destroy(struct stream *s);

/* --- snapshot.c --- */

void snapshot_writable(struct reader *r);
void snapshot_drop(struct reader *r);
void snapshot_retry(struct reader *r);
/* What its page shows was noted (or not): the page is asked for again. */
void snapshot_noted(struct reader *r, bool ok);

#endif
