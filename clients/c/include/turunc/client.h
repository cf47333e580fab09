/*
 * turunc/client - speak with a Turunç door: publish events, follow the log, act on tickets.
 *
 * One client is one session with one door (intake's "publish" or router's "stream").  It has no
 * thread and no loop of its own: watch turunc_client_fd() for reading in any loop and call
 * turunc_client_step() whenever it is readable; the descriptor never changes, covers the client's
 * own deadlines too, and is level-triggered, so nothing else is needed.  Programs without a loop
 * use turunc_client_run_until().  Callbacks come only from inside step(); they may call every
 * function here but step, run_until and destroy.  A client is used by one thread at a time.
 *
 * Lost connections come back by themselves with backoff.  Events and commands that have no
 * answer yet are sent again with the same ids, which the doors recognise: at least once on the
 * wire, once in effect.  Every bound has its answer: enum turunc_outcome.  See docs/bus.md.
 */
#ifndef TURUNC_CLIENT_H
#define TURUNC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <turunc/v1/bus.pb-c.h>

#define TURUNC_MUST_CHECK __attribute__((warn_unused_result))

enum {
	TURUNC_PROTOCOL = 1,
	TURUNC_FRAME_BYTES_MAX = 240 * 1024,
	TURUNC_EVENT_BYTES_MAX = 64 * 1024,
	TURUNC_BATCH_EVENTS_MAX = 256,
	TURUNC_CREDIT_MAX = 4096,
	TURUNC_WINDOW_MAX = 10000,
	TURUNC_UUID_SIZE = 37
};

struct turunc_client;

enum turunc_door { TURUNC_DOOR_PUBLISH, TURUNC_DOOR_STREAM };

enum turunc_state {
	TURUNC_DOWN, /* waiting before the next attempt */
	TURUNC_CONNECTING, /* no encrypted connection yet */
	TURUNC_GREETING, /* Hello sent */
	TURUNC_READY /* Welcome received */
};

/* What a call that hands the client something answers. */
enum turunc_outcome {
	TURUNC_TAKEN, /* held in memory until answered */
	TURUNC_STORED, /* fsynced in the store, survives this process */
	TURUNC_FULL, /* a bound is reached; again when answers have come */
	TURUNC_TOO_LARGE, /* larger than an event or a frame may be; never sent */
	TURUNC_INVALID, /* a field is missing or malformed, text is not UTF-8; never sent */
	TURUNC_NOT_NOW, /* nothing this call could refer to, or one is under way already */
	TURUNC_STORE_FAILED, /* the disk refused; the event is not taken (but after a failed
				fsync, which also ends this store until it is opened anew, a
				later process may find it there and send it) */
	TURUNC_NO_MEMORY,
	TURUNC_OUTCOMES
};

/* One published event's answer.  Pointers are lent for the call. */
struct turunc_result {
	void *tag; /* as given to turunc_publish; NULL for what an earlier process stored */
	const char *id;
	Turunc__V1__PublishStatus status;
	const char *ticket; /* "" when none */
	const char *error; /* "CODE: text" when rejected, else "" */
};

/* One command's answer: Done, Refused, or neither in time (then its outcome is unknown). */
struct turunc_answer {
	void *tag;
	const char *id;
	bool done;
	bool timed_out;
	uint32_t version; /* after the step; refused: the current one if known */
	Turunc__V1__Status status; /* likewise */
	Turunc__V1__RefusalCode refusal; /* 0 when done */
	const char *text;
};

enum turunc_trouble_about {
	TURUNC_ABOUT_SESSION, /* the connection was lost or refused */
	TURUNC_ABOUT_PUBLISHING, /* the door takes no events now */
	TURUNC_ABOUT_SUBSCRIPTION,
	TURUNC_ABOUT_SNAPSHOT,
	TURUNC_ABOUT_STORE
};

/* Something went wrong.  final: the client does not repeat it by itself (the subscription or the
 * snapshot is over, and may be asked for anew); otherwise it is already handled by retrying. */
struct turunc_trouble {
	enum turunc_trouble_about about;
	Turunc__V1__ErrorCode code; /* 0: found by this library */
	const char *text;
	bool final;
	bool gap; /* records are missing between two deliveries */
	uint64_t last_common_seq; /* with LOG_CHANGED */
};

/* All may be NULL.  What they are given is lent for the call. */
struct turunc_handlers {
	void (*on_state)(void *arg, enum turunc_state state, const char *why);
	void (*on_trouble)(void *arg, const struct turunc_trouble *trouble);
	void (*on_result)(void *arg, const struct turunc_result *result);
	/* The subscription holds from from_seq on, first or again: what was delivered before and
	 * not acknowledged comes once more. */
	void (*on_subscribed)(void *arg, uint64_t from_seq);
	/* In order and without gaps; records may be none when only through_seq moved.  A record's
	 * event is NULL when its bytes in the log are damaged. */
	void (*on_deliver)(void *arg, const Turunc__V1__Deliver *deliver);
	/* restarted: this is a first page; drop pages of an earlier, interrupted attempt. */
	void (*on_page)(void *arg, void *tag, const Turunc__V1__SnapshotPage *page, bool restarted);
	void (*on_answer)(void *arg, const struct turunc_answer *answer);
};

/* Zero means the default everywhere; strings are copied. */
struct turunc_options {
	enum turunc_door door;
	const char *key_dir; /* as `masa client add NAME --out DIR` makes it */
	const char *endpoint; /* instead of the folder's; several, comma separated, are tried
				 in turn */
	const char *client_secret; /* z85, 40 characters each; all three instead of key_dir */
	const char *client_public;
	const char *server_public;

	const char *software; /* "name/version", for the operator of the door */
	const char *instance; /* UUID; default: a random one */
	void *zmq_context; /* lent; default: one of its own.  One per process is enough. */

	const char *store_dir; /* store-and-forward; NULL keeps events in memory only */
	uint64_t store_bytes_max; /* 64 MiB */
	uint32_t events_max; /* unanswered events: 10,000, with a store 1,000,000 */
	uint64_t memory_bytes_max; /* of unanswered events without a store: 16 MiB */
	uint32_t commands_max; /* unanswered commands: 256 */

	uint32_t ping_ms; /* 2,000: say something when nothing was said for so long */
	uint32_t silence_ms; /* 6,000: give a silent door up */
	uint32_t answer_ms; /* 30,000: give up a door that pongs but does not answer */
	uint32_t backoff_ms; /* 100: first delay before connecting again, doubled each time */
	uint32_t backoff_max_ms; /* 10,000 */

	struct turunc_handlers handlers;
	void *arg; /* first argument of every handler */
};

/* Counted since creation. */
struct turunc_stats {
	uint64_t sessions; /* Welcomes */
	uint64_t drops; /* sessions and attempts given up */
	uint64_t frames_in, frames_out;
	uint64_t events_taken, events_refused, events_recovered, events_sent, events_resent;
	uint64_t accepted, duplicates, rejected, busy;
	uint64_t records, gaps;
	uint64_t commands_sent, commands_answered;
	uint64_t bad_frames; /* from the door: undecodable or out of place */
	uint64_t store_damaged; /* stored entries that could not be read back */
};

/*
 * NULL means it could not be made; why then says so in one line (key file, store, memory).
 * The first connection attempt is made by the first step().
 */
TURUNC_MUST_CHECK struct turunc_client *turunc_client_create(
    const struct turunc_options *options, char *why, size_t why_size);

/* Takes NULL.  Stored events stay in the store; what was only in memory is forgotten without a
 * callback.  To leave with everything answered: run_until(turunc_client_idle). */
void turunc_client_destroy(struct turunc_client *c);

/* Readable when step() has something to do; the same for the client's whole life. */
int turunc_client_fd(const struct turunc_client *c);
/* Milliseconds until step() has something to do even without the descriptor: 0 at once, never
 * more than a minute.  Only of use to loops that do not watch the descriptor. */
int turunc_client_timeout_ms(const struct turunc_client *c);
/* Does what is due without blocking, a bounded portion at a time.  True: call again soon, there
 * is more (the descriptor stays readable meanwhile). */
bool turunc_client_step(struct turunc_client *c);
/* Steps and waits until done(done_arg) holds (NULL: turunc_client_idle) or limit_ms have passed
 * (-1: no limit).  True when it held.  Interrupted by a signal it looks at done and goes on. */
bool turunc_client_run_until(
    struct turunc_client *c, bool (*done)(void *), void *done_arg, int64_t limit_ms);

enum turunc_state turunc_client_state(const struct turunc_client *c);
const struct turunc_stats *turunc_client_stats(const struct turunc_client *c);
/* The history the door last named, "" before the first Welcome; and its newest seq. */
const char *turunc_client_log_id(const struct turunc_client *c);
uint64_t turunc_client_head_seq(const struct turunc_client *c);
/* The name this key is registered under, "" before the first Welcome. */
const char *turunc_client_name(const struct turunc_client *c);
/* Nothing is waiting: no event or command without an answer, no acknowledgement unsent, no
 * snapshot under way. */
bool turunc_client_idle(const struct turunc_client *c);
/* Events without an answer, stored or in memory. */
size_t turunc_client_pending(const struct turunc_client *c);
/* What the disk last refused, "" if nothing. */
const char *turunc_client_store_why(const struct turunc_client *c);

/*
 * Publishes one event.  id, source and type are required; event stays the caller's.  TAKEN or
 * STORED: on_result will follow, perhaps in another process's life.  Anything else: not taken,
 * never sent.  Events travel in the order taken, in batches.
 */
TURUNC_MUST_CHECK enum turunc_outcome turunc_publish(
    struct turunc_client *c, const Turunc__V1__InboundEvent *event, void *tag);
/* Several with one fsync.  *ret_taken says how many, from the first, were taken; the outcome is
 * theirs when all were, else that of the first one refused.  tags may be NULL. */
TURUNC_MUST_CHECK enum turunc_outcome turunc_publish_many(struct turunc_client *c,
    const Turunc__V1__InboundEvent *const *events, size_t count, void *const *tags,
    size_t *ret_taken);

/* A subscription as asked for; strings are copied.  Zero: from where it stopped, all types and
 * departments allowed, full views. */
struct turunc_subscription {
	const char *name;
	const char *const *types;
	size_t type_count;
	const char *const *departments;
	size_t department_count;
	Turunc__V1__From from;
	uint64_t from_seq;
	int64_t from_time_us;
	const char *log_id; /* of the position in from_seq, or of a kept cursor; NULL: no check */
	Turunc__V1__View view;
	bool replace;
	bool take_over;
	uint32_t window; /* records delivered and not acknowledged at most; default 1,024 */
};

/*
 * Follows the log; replaces the subscription this client has, if any.  After a reconnection it
 * resumes by itself.  It ends with a final trouble (FORBIDDEN, SUPERSEDED, LOG_CHANGED,
 * FILTER_DIFFERS, a gap on resuming) or with turunc_unsubscribe().
 */
TURUNC_MUST_CHECK enum turunc_outcome turunc_subscribe(
    struct turunc_client *c, const struct turunc_subscription *wanted);
void turunc_unsubscribe(struct turunc_client *c);
bool turunc_subscribed(const struct turunc_client *c);
/*
 * Everything through through_seq has had its effect and need not come again.  Cumulative, cheap:
 * call it as often as convenient.  It also lets as many further records flow.  NOT_NOW without a
 * subscription; INVALID for what this client was never given.
 */
enum turunc_outcome turunc_ack(struct turunc_client *c, uint64_t through_seq);

/* Asks for the open tickets of some departments (none given: all allowed ones); on_page follows,
 * the last page says so.  One at a time. */
TURUNC_MUST_CHECK enum turunc_outcome turunc_snapshot(
    struct turunc_client *c, const char *const *departments, size_t count, void *tag);

/*
 * One step of a ticket's life; command stays the caller's.  Its id, when empty, is made here, and
 * is written to ret_id if given.  It is sent again with the same id after a reconnection, or when
 * the door could not decide, until it is answered or timeout_ms (0: no limit) have passed.
 */
TURUNC_MUST_CHECK enum turunc_outcome turunc_command(struct turunc_client *c,
    const Turunc__V1__Command *command, uint32_t timeout_ms, void *tag,
    char ret_id[TURUNC_UUID_SIZE]);

/* A random (version 4) UUID. */
void turunc_uuid(char ret[TURUNC_UUID_SIZE]);
const char *turunc_outcome_name(enum turunc_outcome outcome);
const char *turunc_state_name(enum turunc_state state);

/* Events the door refused for good are kept in the store's file "rejected", newest last, bounded
 * (two generations of a quarter of store_bytes_max).  Calls on_event for each one that can be
 * read; false: the folder cannot be read. */
TURUNC_MUST_CHECK bool turunc_store_rejected(const char *store_dir,
    void (*on_event)(void *arg, const char *reason, const Turunc__V1__InboundEvent *event),
    void *arg);

#endif
