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
#include "uuid.h"

struct event_base;

enum outcome {
	OUTCOME_ACCEPTED, /* the other side took it */
	OUTCOME_REFUSED, /* it will never take it */
	OUTCOME_DEFERRED, /* it surely did not take it, and may later */
	OUTCOME_UNREACHABLE, /* nobody there who would take anything: says nothing of this one */
	OUTCOME_UNKNOWN, /* it may have taken it: never sent again by itself */
	OUTCOMES
};
const char *outcome_name(enum outcome outcome);

enum { JOB_DETAIL_SIZE = 160, JOB_REFERENCE_SIZE = 64, JOB_STATUS_SIZE = 16 };

struct job {
	struct uuid notification_id;
	uint32_t attempt;
	uint32_t deferrals; /* attempts before that the other side put off */
	char *sender; /* address; e-mail only */
	char *recipient; /* address or E.164 */
	char *payload; /* the whole mail, or the body of the gateway's request */
	size_t payload_size;
	/* filled by the channel */
	enum outcome outcome;
	char detail[JOB_DETAIL_SIZE]; /* for the operator: what the other side said, one line */
	char reference[JOB_REFERENCE_SIZE]; /* the gateway's own id, or "" */
	char address_status[JOB_STATUS_SIZE]; /* mail, refused: this recipient never, "5.1.1" */
	struct job *next;
};

/* Sets the detail: cut where it must be, anything but printable ASCII becomes '?'. */
PRINTF(2, 3) void job_say(struct job *job, const char *format, ...);
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

/* The gateway's own names of what it is told. */
enum sms_field { SMS_TO, SMS_FROM, SMS_TEXT, SMS_ID, SMS_FIELDS };
enum { SMS_FIELD_SIZE = 40 };
struct sms_fields {
	char name[SMS_FIELDS][SMS_FIELD_SIZE];
};
/* From "to,from,text,id", in this order; false: not four different names of letters, digits,
 * '_', '-' and '.'. */
MUST_CHECK bool channel_sms_fields(const char *text, struct sms_fields *ret_fields);

struct sms_http_config {
	const char *url;
	const char *authorization; /* value of the Authorization header, "" = none */
	struct sms_fields fields;
	long timeout_ms;
};
channel_work_fn channel_sms_http_work;

/* An object with the four fields as JSON, to be freed; NULL: no memory or not UTF-8. */
MUST_CHECK char *channel_sms_payload(const struct sms_fields *fields, const char *to,
    const char *from, const char *text, const char *id, size_t *ret_size);

/* What the end of an attempt means; pure.  handed_over: libcurl has taken the whole text. */
enum outcome channel_smtp_judge(int curl_code, long reply, bool handed_over);
/* The enhanced status in the server's last line ("550 5.1.1 no"), "" when that is not of this reply
 * or has none; pure. */
void channel_smtp_status(const char *line, long reply, char ret_status[JOB_STATUS_SIZE]);
/* request_bytes: what libcurl says it has sent of the request. */
enum outcome channel_sms_http_judge(int curl_code, long status, long request_bytes);

#endif
