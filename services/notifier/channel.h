/*
 * channel - a way messages leave by: SMTP or an SMS gateway.
 *
 * A channel has worker threads of its own, because libcurl's SMTP blocks; the loop's thread hands
 * it jobs and gets them back, with an outcome, through on_done.  How sure an outcome is, decides
 * what may be done next: only DEFERRED may be tried again by itself.
 */
#ifndef NOTIFIER_CHANNEL_H
#define NOTIFIER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "uuid.h"

struct event_base;

enum outcome {
	OUTCOME_ACCEPTED, /* the other side took it */
	OUTCOME_REFUSED, /* it will never take it */
	OUTCOME_DEFERRED, /* it surely did not take it, and may later */
	OUTCOME_UNKNOWN, /* it may have taken it: never sent again by itself */
	OUTCOMES
};
const char *outcome_name(enum outcome outcome);

enum { JOB_DETAIL_SIZE = 160, JOB_REFERENCE_SIZE = 64 };

struct job {
	struct uuid notification_id;
	uint32_t attempt;
	char *sender; /* address; e-mail only */
	char *recipient; /* address or E.164 */
	char *payload; /* the whole mail, or the body of the gateway's request */
	size_t payload_size;
	/* filled by the channel */
	enum outcome outcome;
	char detail[JOB_DETAIL_SIZE]; /* for the operator: what the other side said, one line */
	char reference[JOB_REFERENCE_SIZE]; /* the gateway's own id, or "" */
	struct job *next;
};

/* Takes NULL. */
void job_destroy(struct job *job);

struct channel;

/* Does one job on a worker thread; curl is a handle of that thread, reset before each job. */
typedef void channel_work_fn(const void *config, void *curl, struct job *job);
/* On the loop's thread.  The job is the callee's now. */
typedef void channel_done_fn(void *arg, struct job *job);

struct channel_options {
	const char *name;
	unsigned workers; /* 1 to 16 */
	channel_work_fn *work;
	const void *config; /* lent, read by the workers */
	channel_done_fn *on_done;
	void *arg;
};

/* NULL with errno. */
struct channel *channel_open(struct event_base *loop, const struct channel_options *options);
/* Waits for the jobs under way (each has its own time limit); those not begun come back through
 * no callback and are destroyed: their rows say that they were being sent.  Takes NULL. */
void channel_close(struct channel *channel);

/* The job is the channel's until on_done. */
void channel_send(struct channel *channel, struct job *job);
size_t channel_busy(const struct channel *channel);

/* --- the two there are
 * ---------------------------------------------------------------------------- */

struct smtp_config {
	const char *url; /* smtp://host:port or smtps://host:port */
	const char *user, *password; /* "" = no authentication */
	bool require_tls; /* STARTTLS or nothing */
	long timeout_ms;
};
channel_work_fn channel_smtp_work;

struct sms_http_config {
	const char *url;
	const char *authorization; /* value of the Authorization header, "" = none */
	long timeout_ms;
};
channel_work_fn channel_sms_http_work;

/* {"to","from","text","id"} as JSON, to be freed; NULL: no memory or not UTF-8. */
MUST_CHECK char *channel_sms_payload(
    const char *to, const char *from, const char *text, const char *id, size_t *ret_size);

#endif
