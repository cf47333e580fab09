/*
 * gateway - how each SMS provider is spoken with: its requests, its answers, its receipts.
 *
 * Pure: texts in, texts out; channel_sms.c carries them.  A profile knows one provider's protocol.
 * What an answer does not say clearly counts as unknown: it may have been taken.
 */
#ifndef NOTIFIER_GATEWAY_H
#define NOTIFIER_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"
#include "uuid.h"

/* The generic gateway's own names of what it is told. */
enum sms_field { SMS_TO, SMS_FROM, SMS_TEXT, SMS_ID, SMS_FIELDS };
enum { SMS_FIELD_SIZE = 40, GATEWAY_SENDER_MAX = 20, GATEWAY_TEXT_MAX = 4000 };
enum { GATEWAY_KEY_BYTES = 16, GATEWAY_KEY_SIZE = 2 * GATEWAY_KEY_BYTES + 1 };
struct sms_fields {
	char name[SMS_FIELDS][SMS_FIELD_SIZE];
};
/* From "to,from,text,id", in this order; false: not four different names of letters, digits,
 * '_', '-' and '.'. */
MUST_CHECK bool sms_fields_parse(const char *text, struct sms_fields *ret_fields);

struct gateway_profile;

/* An account at a provider; everything is lent. */
struct gateway {
	const struct gateway_profile *profile;
	const char *url; /* where it is; a known provider's paths are put behind it */
	const char *user, *password; /* or key and hash */
	const char *authorization; /* generic: value of the Authorization header, "" = none */
	struct sms_fields fields; /* generic */
};

struct gateway_text {
	const char *to; /* E.164 */
	const char *from; /* the sender's title */
	const char *text; /* folded already */
	const char *id; /* the message's own */
};

/* A request to be carried.  finish frees what is in it. */
struct gateway_request {
	char *url;
	char *body; /* JSON; NULL: GET */
	char *authorization; /* header value; NULL: none */
};
void gateway_request_finish(struct gateway_request *request);

struct gateway_answer {
	enum outcome outcome;
	char reference[JOB_REFERENCE_SIZE]; /* the provider's id of it, or "" */
	char code[40]; /* what it said, for the operator; any bytes */
};

/* What has become of a message that was handed over. */
enum gateway_status {
	GATEWAY_SAYS_NOTHING, /* no answer, or none that can be read: ask again */
	GATEWAY_NOT_TAKEN, /* it does not know of it */
	GATEWAY_WAITING, /* it has it */
	GATEWAY_DELIVERED,
	GATEWAY_UNDELIVERED, /* it had it, and it will not arrive */
	GATEWAY_DUPLICATE, /* it had the same text before, and sends it once */
	GATEWAY_STATUSES
};
const char *gateway_status_name(enum gateway_status status);

struct gateway_question {
	const char *id; /* our own */
	const char *reference; /* the provider's, "" when its answer never came */
	const char *to;
	int64_t begun_us; /* when it was handed over */
	uint32_t others; /* other messages to that number about that time */
};
struct gateway_report {
	enum gateway_status status;
	char reference[JOB_REFERENCE_SIZE]; /* "" when it says none */
	char code[40];
};

/* One piece of what a provider calls back with. */
struct gateway_news {
	bool incoming; /* somebody wrote to us; else it is a receipt */
	char id[UUID_TEXT_SIZE]; /* receipt: our own, or "" */
	struct gateway_report report; /* receipt */
	char sender[GATEWAY_SENDER_MAX + 1]; /* incoming: as the provider writes it */
	char key[GATEWAY_KEY_SIZE]; /* incoming: stands for the provider's id of it, or "" */
	const char *text; /* incoming: lent by the caller's document */
};
enum { GATEWAY_NEWS_MAX = 200 };

struct json_t;

struct gateway_profile {
	const char *name;
	uint32_t per_minute; /* what the provider allows, or less */
	uint32_t asks_per_minute;
	/* False: no memory, or not UTF-8. */
	bool (*request)(const struct gateway *gateway, const struct gateway_text *text,
	    struct gateway_request *ret_request);
	void (*answered)(
	    long status, const char *body, size_t len, struct gateway_answer *ret_answer);
	/* NULL: it cannot be asked.  False: it cannot be asked this, or no memory. */
	bool (*ask)(const struct gateway *gateway, const struct gateway_question *question,
	    struct gateway_request *ret_request);
	void (*told)(long status, const char *body, size_t len,
	    const struct gateway_question *question, struct gateway_report *ret_report);
	/* One element of what it calls back with; false: it is none of ours. */
	bool (*read)(const struct json_t *element, struct gateway_news *ret_news);
	/* The member that holds the elements when the document is an object; NULL: itself. */
	const char *elements;
};

/* By name ("generic", "netgsm", "iletimerkezi", "verimor"); NULL: none of that name. */
const struct gateway_profile *gateway_profile(const char *name);

/*
 * A whole callback.  Texts of incoming messages point into *ret_document, which is the caller's to
 * free with json_decref().  Returns how many pieces were read, -1: it is no JSON or has more than
 * GATEWAY_NEWS_MAX elements; *ret_ignored: elements that are none of ours.
 */
int gateway_read(const struct gateway_profile *profile, const char *body, size_t len,
    struct json_t **ret_document, struct gateway_news news[GATEWAY_NEWS_MAX], size_t *ret_ignored);

/* What a provider's plain HTTP status means when its body says nothing. */
enum outcome gateway_status_outcome(long status);

/* --- for the profiles ------------------------------------------------------------------------ */

extern const struct gateway_profile gateway_generic, gateway_netgsm, gateway_iletimerkezi,
    gateway_verimor;

/* url + path, to be freed; NULL: no memory. */
char *gateway_url(const struct gateway *gateway, const char *path);
/* Takes the document; body NULL: no memory, or not UTF-8.  False then. */
bool gateway_fill(struct gateway_request *ret_request, char *url, struct json_t *document);
/* A string or a number as text; "" for anything else.  Cut to size,
 * between characters. */
void gateway_text_of(const struct json_t *value, char *out, size_t size);
/* A hash, in hex, of a whole string or number, of whatever length and bytes; "" for anything else.
 */
void gateway_key_of(const struct json_t *value, char out[GATEWAY_KEY_SIZE]);
/* "Basic " and both in base64; NULL: no memory. */
char *gateway_basic(const char *user, const char *password);

#endif
