/*
 * stream - the door by which others read the log: subscriptions, deliveries, acknowledgements and
 * snapshots.
 *
 * A subscription is a row of the record (client, name, position, filter); a session holds it under
 * an epoch.  Rows always come from PostgreSQL, for those catching up and for those at the head by
 * the same way; the newest pages are shared by the sessions that want them.  What a reader may see
 * is decided when it is sent.  A session that does not read, acknowledge or give credit waits by
 * itself and costs the others nothing.
 *
 * The session's data pointer (bus_session_set_data) is the stream's.  One thread; nothing here
 * calls back but wake().
 */
#ifndef ROUTER_STREAM_H
#define ROUTER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "bus.h"
#include "catalogue.h"
#include "db.h"
#include "uuid.h"

struct event_base;
struct stats;
struct stream;

/* Everything is lent for the stream's life. */
struct stream_inputs {
	struct event_base *loop;
	struct db *db; /* its table is the router's (store.h) */
	struct db *writer; /* the same table: for what ends in the log */
	struct stats *stages; /* router_stats.h: how soon records were delivered */
	/* NULL while there is none. */
	const struct catalogue *(*catalogue)(void *arg);
	/* stream_tick() is wanted at the next turn. */
	void (*wake)(void *arg);
	void *arg;
};

/* NULL: out of memory.  Destroy takes NULL; close the db and the door first. */
struct stream *stream_create(const struct stream_inputs *inputs);
void stream_destroy(struct stream *s);

/* Frames of the stream door; the verb was looked at by the caller. */
void stream_handle_subscribe(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame);
void stream_handle_credit(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame);
void stream_handle_ack(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame);
void stream_handle_snapshot(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

/* From the door's on_writable and on_close, for every session. */
void stream_session_writable(struct stream *s, struct bus_session *session);
void stream_session_closed(struct stream *s, struct bus_session *session);

/* The log is known to reach seq, of the history log_id (as text); sends what there is at once. */
void stream_log_grew(struct stream *s, const char *log_id, uint64_t head_seq);
/* The access list was replaced: subscriptions it no longer covers are frozen. */
void stream_rights_changed(struct stream *s);

/* Empty deliveries, held epochs, what is to be tried again; ms until the next. */
int64_t stream_tick(struct stream *s, uint64_t now_ms);

/* Nothing new is begun; busy until the acknowledgements in hand are committed and told. */
void stream_drain(struct stream *s);
bool stream_busy(const struct stream *s);

/* turunc_stream_*.  Refresh brings the gauges up to date, before they are written. */
const struct stats *stream_stats(const struct stream *s);
void stream_stats_refresh(void *stream);

#endif
