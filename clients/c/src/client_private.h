/*
 * client_private - the struct that owns everything, and what its parts offer one another.
 *
 * client.c owns the loop's side (descriptor, timer, step), session.c the connection; publish.c,
 * subscribe.c, commands.c and snapshot.c each own one conversation on it.  Each conversation has
 *	_start     after Welcome: say again what has no answer
 *	_stop      the session is gone
 *	_work      send what may be sent now
 *	_deadline  monotonic ms of the next thing due by time alone, UINT64_MAX for none
 *	_refused   an Error answered one of its requests; false: not its request
 */
#ifndef TURUNC_CLIENT_PRIVATE_H
#define TURUNC_CLIENT_PRIVATE_H

#include "folder.h"
#include "outbox.h"
#include "turunc/client.h"

#define TC_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { TC_BATCHES_MAX = 4, TC_LOG_ID_SIZE = 64, TC_NAME_SIZE = 128, TC_WHY_SIZE = 200 };

struct tc_session {
	void *socket; /* NULL while DOWN */
	int fd;
	enum turunc_state state;
	bool writable; /* the encrypted connection stands */
	uint64_t hello_request;
	uint64_t since_ms; /* entered this state */
	uint64_t heard_ms, said_ms, pinged_ms;
	uint64_t retry_at_ms;
	uint32_t failures; /* since the last session that lasted */
	size_t endpoint_turn;
	char why[TC_WHY_SIZE];
};

struct tc_batch {
	uint64_t request;
	uint64_t deadline_ms;
	uint32_t count;
	uint64_t index[TURUNC_BATCH_EVENTS_MAX];
};

struct tc_publisher {
	struct tc_journal *journal; /* NULL: memory only */
	struct tc_outbox outbox;
	size_t memory_bytes;
	struct tc_batch batches[TC_BATCHES_MAX];
	size_t batch_count;
	uint32_t credit; /* events the door still takes */
	uint32_t batch_limit; /* shrinks to find an event the door cannot read */
	uint32_t event_bytes_max;
	uint64_t pause_until_ms;
	uint8_t *frame;
};

enum tc_subscriber_state {
	TC_SUB_NONE,
	TC_SUB_WANTED, /* to be asked for when ready and due */
	TC_SUB_ASKED,
	TC_SUB_HELD
};

/* A Deliver that is not acknowledged yet. */
struct tc_unacked {
	uint64_t through_seq;
	uint32_t records;
};

struct tc_subscriber {
	enum tc_subscriber_state state;
	struct turunc_subscription wanted; /* owns its strings */
	bool established; /* was held once: from now on it resumes */
	bool let_go; /* this session still holds an earlier one: end it first */
	char log_id[TC_LOG_ID_SIZE];
	uint64_t request;
	uint64_t due_ms; /* WANTED: not before */
	uint64_t deadline_ms; /* ASKED: an answer by then */
	uint32_t refusals; /* IN_USE in a row */
	uint64_t epoch;
	uint64_t through_seq; /* delivered through, in this epoch */
	uint64_t given_seq; /* the highest ever delivered through */
	uint64_t acked_seq; /* acknowledged by the caller; ahead of through after a resume */
	uint64_t ack_sent_seq;
	bool ack_in_flight;
	uint64_t ack_request;
	uint64_t ack_deadline_ms;
	uint32_t credit; /* granted and not used */
	uint32_t unacked_records;
	struct tc_unacked *unacked; /* ring of window entries */
	size_t unacked_first, unacked_count;
};

struct tc_command {
	char id[TURUNC_UUID_SIZE];
	uint8_t *bytes; /* owned: the encoded Command */
	size_t len;
	void *tag;
	uint64_t request; /* 0: not sent in this session */
	uint64_t due_ms; /* not sent: not before */
	uint64_t deadline_ms; /* sent: an answer by then */
	uint64_t give_up_ms; /* UINT64_MAX: never */
};

struct tc_commands {
	struct tc_command *list; /* in the order given */
	size_t count, room;
};

struct tc_snapshot {
	bool active;
	bool restarted;
	uint64_t request; /* 0: not asked in this session */
	uint64_t due_ms, deadline_ms;
	char **departments; /* owned */
	size_t department_count;
	void *tag;
};

struct turunc_client {
	struct turunc_options options; /* strings inside are not kept but for these */
	char *software;
	char instance[TURUNC_UUID_SIZE];
	struct tc_folder folder;
	void *context;
	bool owns_context;

	int epoll_fd, timer_fd, wake_fd;
	bool awake; /* the descriptor is readable by our own doing */
	bool stepping;
	uint64_t timer_ms;
	uint64_t last_request;

	struct tc_session session;
	struct tc_publisher publisher;
	struct tc_subscriber subscriber;
	struct tc_commands commands;
	struct tc_snapshot snapshot;

	char log_id[TC_LOG_ID_SIZE];
	char name[TC_NAME_SIZE];
	uint64_t head_seq;
	struct turunc_stats stats;
};

/* client.c */
uint64_t tc_next_request(struct turunc_client *c);
/* Something to do has come up outside step(). */
void tc_wake(struct turunc_client *c);
void tc_trouble(struct turunc_client *c, const struct turunc_trouble *trouble);

/* session.c */
void tc_session_init(struct turunc_client *c);
void tc_session_finish(struct turunc_client *c);
/* Moves the session as far as it goes now; true when frames may be left to read. */
bool tc_session_step(struct turunc_client *c);
/* After everything was sent: true when something has arrived meanwhile. */
bool tc_session_peek(struct turunc_client *c);
uint64_t tc_session_deadline(const struct turunc_client *c);
/* Ends the session, whatever its state; it comes back with backoff. */
void tc_session_drop(
    struct turunc_client *c, Turunc__V1__ErrorCode code, const char *why, uint32_t least_ms);
/* The same by our own wish, which is no trouble. */
void tc_session_leave(struct turunc_client *c);
/* False when the frame could not be handed to the socket; the session is then over. */
bool tc_session_say(struct turunc_client *c, Turunc__V1__ClientFrame *frame);
bool tc_session_say_bytes(struct turunc_client *c, const uint8_t *frame, size_t len);

/* dispatch.c */
void tc_dispatch(struct turunc_client *c, const uint8_t *data, size_t len);

/* publish.c */
TURUNC_MUST_CHECK bool tc_publish_open(struct turunc_client *c, char *why, size_t why_size);
void tc_publish_close(struct turunc_client *c);
void tc_publish_start(struct turunc_client *c, const Turunc__V1__Welcome *welcome);
void tc_publish_stop(struct turunc_client *c);
void tc_publish_work(struct turunc_client *c, uint64_t now_ms);
uint64_t tc_publish_deadline(const struct turunc_client *c);

/* publish_results.c */
/* Lent; from scratch (item->len bytes) when the journal holds them, NULL when they cannot be read.
 * item is a copy: the trouble told may make the outbox move. */
const uint8_t *tc_publish_bytes(
    struct turunc_client *c, const struct tc_item *item, uint8_t *scratch);
/* Ends an item by our own judgement; its id comes from its own bytes if they can be read. */
void tc_publish_reject_here(struct turunc_client *c, uint64_t index, const char *error);
bool tc_publish_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error);
void tc_publish_on_published(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Published *published);
void tc_publish_on_busy(struct turunc_client *c, uint64_t request, uint32_t retry_ms);

/* subscribe.c */
void tc_subscribe_close(struct turunc_client *c);
void tc_subscribe_stop(struct turunc_client *c);
void tc_subscribe_work(struct turunc_client *c, uint64_t now_ms);
uint64_t tc_subscribe_deadline(const struct turunc_client *c);
/* Errors of a subscription also come unasked (request 0). */
bool tc_subscribe_refused(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error);
void tc_subscribe_on_subscribed(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Subscribed *subscribed);
void tc_subscribe_on_deliver(struct turunc_client *c, const Turunc__V1__Deliver *deliver);
void tc_subscribe_on_acked(struct turunc_client *c, const Turunc__V1__Acked *acked);

/* commands.c */
void tc_commands_close(struct turunc_client *c);
void tc_commands_stop(struct turunc_client *c);
void tc_commands_work(struct turunc_client *c, uint64_t now_ms);
uint64_t tc_commands_deadline(const struct turunc_client *c);
bool tc_commands_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error);
void tc_commands_on_done(struct turunc_client *c, uint64_t request, const Turunc__V1__Done *done);
void tc_commands_on_refused(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Refused *refused);

/* snapshot.c */
void tc_snapshot_close(struct turunc_client *c);
void tc_snapshot_stop(struct turunc_client *c);
void tc_snapshot_work(struct turunc_client *c, uint64_t now_ms);
uint64_t tc_snapshot_deadline(const struct turunc_client *c);
bool tc_snapshot_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error);
void tc_snapshot_on_page(
    struct turunc_client *c, uint64_t request, const Turunc__V1__SnapshotPage *page);

/* Copies of a list of strings; NULL without memory (never for count 0 with *ret_ok). */
char **tc_strings_copy(const char *const *list, size_t count, bool *ret_ok);
void tc_strings_free(char **list, size_t count);

#endif
