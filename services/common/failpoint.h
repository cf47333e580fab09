/*
 * failpoint - every durable step has a place before and after it where a test makes it fail.
 *
 * A durable step is what a crash must not tear: a transaction, an fsync, a rename, a message handed
 * over, a call that changes Redis.  All of them are in the two lists below; tests (unit/
 * test_durable_steps.py, db/test_*_failpoints.c) fail when the code has one that they have not.
 *
 * Here every point passes: failpoint.c says no and knows no way to be told otherwise.  Programs
 * that can be told are linked for tests alone, from the same objects and
 * tests/fault/failpoint_armed.c in place of failpoint.c (docs/decisions/0016).  There a point is
 * passed, kills the process (CRASH), makes the step report failure (ERROR) or holds it up (DELAY).
 *
 * May be called from any thread.
 */
#ifndef TURUNC_FAILPOINT_H
#define TURUNC_FAILPOINT_H

#include <stdbool.h>

#include "base.h"

enum failpoint_side {
	FAILPOINT_BEFORE, /* nothing has happened yet */
	FAILPOINT_AFTER, /* it is durable, and nobody has been told */
};

/* Statements that write, by program and by their name in its store.c.  db reaches their points by
 * itself: before the unit that holds one is sent, and when that unit has been committed.  An error
 * is DB_FAILED there and DB_UNKNOWN here. */
#define FAILPOINT_STATEMENTS(X)         \
	X("intake", "accept")           \
	X("intake", "lease")            \
	X("intake", "alias")            \
	X("intake", "draft")            \
	X("intake", "people_try")       \
	X("intake", "people_settle")    \
	X("intake", "people_end")       \
	X("intake", "people_change")    \
	X("intake", "people_keep")      \
	X("intake", "file_forget")      \
	X("intake", "cimer")            \
	X("intake", "bounce")           \
	X("intake", "survey_refuse")    \
	X("intake", "machine_expire")   \
	X("intake", "dismiss")          \
	X("router", "cursor_make")      \
	X("router", "cursor_adopt")     \
	X("router", "cursor_advance")   \
	X("router", "put_states")       \
	X("router", "put_clocks")       \
	X("router", "add_hops")         \
	X("router", "add_texts")        \
	X("router", "add_photos")       \
	X("router", "put_answers")      \
	X("router", "append")           \
	X("router", "partitions")       \
	X("router", "letter_put")       \
	X("router", "letter_end")       \
	X("router", "stream_take")      \
	X("router", "stream_ack")       \
	X("router", "stream_freeze")    \
	X("router", "stream_note")      \
	X("router", "search_put")       \
	X("router", "decide_letter")    \
	X("router", "decide_message")   \
	X("router", "acknowledge")      \
	X("router", "people_try")       \
	X("router", "people_settle")    \
	X("router", "people_end")       \
	X("router", "people_change")    \
	X("router", "people_keep")      \
	X("notifier", "cursor_make")    \
	X("notifier", "cursor_advance") \
	X("notifier", "queue")          \
	X("notifier", "claim")          \
	X("notifier", "settle")         \
	X("notifier", "receipts")       \
	X("notifier", "sms_wish")       \
	X("notifier", "hasten")         \
	X("notifier", "marks_forget")   \
	X("notifier", "bounce_mark")    \
	X("notifier", "bounce_settle")  \
	X("notifier", "bounce_aside")   \
	X("notifier", "bounce_add")     \
	X("notifier", "survey_end")     \
	X("notifier", "survey_seq")     \
	X("notifier", "survey_move")    \
	X("notifier", "remind_put")     \
	X("notifier", "remind_claim")   \
	X("notifier", "remind_settle")  \
	X("notifier", "letter_put")     \
	X("notifier", "letter_end")     \
	X("metrics", "letter_put")      \
	X("metrics", "letter_end")      \
	X("metrics", "month_begin")     \
	X("metrics", "month_take")      \
	X("metrics", "month_turn")      \
	X("metrics", "sample_put")      \
	X("metrics", "alarm_keep")      \
	X("metrics", "cursor")

/* All others: the code around them says failpoint() on both sides, or names them to the unit
 * (db_unit_step(), where several kinds of transaction hold the same statements). */
#define FAILPOINT_CALLS(X)                                     \
	X(INTAKE_IDENTITY_SECRET, "intake", "identity_secret") \
	X(INTAKE_SPOOL_ADD, "intake", "spool_add")             \
	X(INTAKE_SPOOL_SYNC, "intake", "spool_sync")           \
	X(INTAKE_DRAIN, "intake", "drain")                     \
	X(INTAKE_NUMBERS, "intake", "numbers")                 \
	X(INTAKE_REGISTRY, "intake", "registry")               \
	X(INTAKE_LINK_KEY, "intake", "link_key")               \
	X(INTAKE_ATTACHMENT, "intake", "attachment")           \
	X(INTAKE_CIMER_REPORT, "intake", "cimer_report")       \
	X(INTAKE_CIMER_MOVE, "intake", "cimer_move")           \
	X(INTAKE_CIMER_EMPTY, "intake", "cimer_empty")         \
	X(INTAKE_MAIL, "intake", "mail")                       \
	X(INTAKE_SURVEY_STOPS, "intake", "survey_stops")       \
	X(ROUTER_EVIDENCE, "router", "evidence")               \
	X(ROUTER_ROUTE, "router", "route")                     \
	X(ROUTER_COMMANDS, "router", "commands")               \
	X(ROUTER_SWEEP, "router", "sweep")                     \
	X(NOTIFIER_SMTP, "notifier", "smtp")                   \
	X(NOTIFIER_SMS, "notifier", "sms")                     \
	X(METRICS_LIVE_APPLY, "metrics", "live_apply")         \
	X(METRICS_LIVE_BEGIN, "metrics", "live_begin")         \
	X(METRICS_LIVE_LOAD, "metrics", "live_load")           \
	X(METRICS_LIVE_SWITCH, "metrics", "live_switch")       \
	X(METRICS_LIVE_READ, "metrics", "live_read")           \
	X(MASA_COMMIT, "masa", "commit")                       \
	X(MASA_CLIENT_FILE, "masa", "client_file")             \
	X(MASA_LOG_HEADS, "masa", "log_heads")                 \
	X(MASA_RESTORE, "masa", "restore")

#define FAILPOINT_ID(id, program, name) FAILPOINT_##id,
enum failpoint_step { FAILPOINT_NONE, FAILPOINT_CALLS(FAILPOINT_ID) FAILPOINT_STEPS };
#undef FAILPOINT_ID

/* True, with errno EIO: the step is to fail as it would if its library had said so; on the side
 * after, its outcome is to be reported as one that nobody knows.  FAILPOINT_NONE passes. */
MUST_CHECK bool failpoint(enum failpoint_step step, enum failpoint_side side);

/* The same for a statement of this program, by name; one that is not in the list passes. */
MUST_CHECK bool failpoint_statement(const char *name, enum failpoint_side side);

#endif
