/*
 * channel - a way messages leave by: SMTP or an SMS gateway.
 *
 * A channel has worker threads of its own, because libcurl's SMTP blocks; the loop's thread hands
 * it jobs and gets them back, with an outcome, through on_done.  How sure an outcome is, decides
 * what may be done next: only DEFERRED and UNREACHABLE may be tried
 * again by themselves.
 */
#ifndef NOTIFIER_CHANNEL_H
#define NOTIFIER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "trace.h"
#include "uuid.h"
#include "worker.h"

struct event_base;

enum outcome {
	OUTCOME_ACCEPTED, /* the other side took it */
	OUTCOME_REFUSED, /* it will never take it */
	OUTCOME_DEFERRED, /* it surely did not take it, and may later */
	OUTCOME_UNREACHABLE, /* nobody there who would take anything: says nothing of this one */
	OUTCOME_UNKNOWN, /* it may have taken it: never sent again by itself */
	OUTCOME_DUPLICATE, /* it says that it has had this very text, and keeps it to one */
	OUTCOME_UNWANTED, /* the person asked for no such messages; not sent */
	OUTCOMES
};
const char *outcome_name(enum outcome outcome);

enum {
	JOB_DETAIL_SIZE = 160,
	JOB_REFERENCE_SIZE = 64,
	JOB_STATUS_SIZE = 16,
	JOB_ANSWER_BYTES = 32768
};

struct channel;

struct job {
	struct worker_job worker; /* first; the channel's */
	struct channel *channel;
	struct uuid notification_id;
	uint32_t attempt;
	uint32_t deferrals; /* attempts before that the other side put off */
	bool repeated; /* this very way was tried before */
	char *sender; /* address; e-mail only */
	char *recipient; /* address or E.164 */
	char *payload; /* the whole mail, or the body of the gateway's request; NULL: GET */
	size_t payload_size;
	char *url, *authorization; /* SMS only */
	char trace[TRACE_SIZE]; /* W3C traceparent, "": none */
	const struct gateway_question *question; /* SMS: asked about, not sent; the asker's */
	/* what the record keeps of how it is sent */
	const char *gateway; /* lent, "" for e-mail */
	uint32_t route, refused_by; /* bits of those that said no for good */
	/* filled by the channel */
	enum outcome outcome;
	char detail[JOB_DETAIL_SIZE]; /* for the operator: what the other side said, one line */
	char reference[JOB_REFERENCE_SIZE]; /* the gateway's own id, or "" */
	char address_status[JOB_STATUS_SIZE]; /* mail, refused: this recipient never, "5.1.1" */
	char *answer; /* SMS, question: what came back; NULL: nothing did */
	size_t answer_size;
	long status; /* and with which HTTP status */
	/* filled by whoever knows of other ways */
	bool elsewhere; /* surely not taken here: it goes by route */
	int64_t ask_us; /* when its receipt is asked for, 0: not */
};

/* Sets the detail: cut where it must be, anything but printable ASCII becomes '?'. */
PRINTF(2, 3) void job_say(struct job *job, const char *format, ...);
/* Takes NULL. */
void job_destroy(struct job *job);

/* Does one job on a worker thread; curl is a handle of that thread, reset before each job. */
typedef void channel_work_fn(const void *config, void *curl, struct job *job);
/* On the loop's thread.  The job is the callee's now. */
typedef void channel_done_fn(void *arg, struct job *job);

struct channel_options {
	const char *name;
	unsigned workers; /* 1 to WORKER_THREADS_MAX */
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
/* Jobs that no worker has begun come back as UNREACHABLE; those under way end by themselves. */
void channel_stop(struct channel *channel);

/* --- the two there are --- */

/* STARTTLS.  Only where it is required is the server's certificate looked at: who could forge one
 * could as well hide the offer. */
enum smtp_tls { SMTP_TLS_NEVER, SMTP_TLS_OFFERED, SMTP_TLS_REQUIRED };
extern const char *const smtp_tls_words[]; /* by that order, ends with NULL */

struct smtp_config {
	const char *url; /* smtp://host:port or smtps://host:port */
	const char *user, *password; /* "" = no authentication */
	int64_t tls; /* enum smtp_tls */
	const char *ca_file; /* "" = the system's */
	long timeout_ms;
};
channel_work_fn channel_smtp_work;
/* Ends a handle: its connection is told QUIT, whose answer nobody waits for. */
void channel_smtp_finish(void *curl);

struct gateway;
struct gateway_question;
struct sms_config {
	const struct gateway *gateway;
	long timeout_ms;
};
channel_work_fn channel_sms_work;

/* What the end of an attempt means; pure.  handed_over: libcurl has taken the whole text. */
enum outcome channel_smtp_judge(int curl_code, long reply, bool handed_over);
/* The enhanced status in the server's last line ("550 5.1.1 no"), "" when that is not of this reply
 * or has none; pure. */
void channel_smtp_status(const char *line, long reply, char ret_status[JOB_STATUS_SIZE]);
/* What a request that got no answer means; request_bytes: what libcurl says it has sent of it. */
enum outcome channel_sms_judge(int curl_code, long request_bytes);

#endif
