/*
 * item - one inbound item on its way into the record: its rows, and the record that tells of it.
 *
 * A door fills in what was said (all pointers are lent by the door until done() was called), then
 * seals the item: it gets its ids, its salt and the packed record.  accept.h commits it.
 */
#ifndef INTAKE_ITEM_H
#define INTAKE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base.h"
#include "digest.h"
#include "trace.h"
#include "uuid.h"

enum {
	ITEM_SALT_BYTES = 16,
	ITEM_ACTOR_BYTES = 80,
	ITEM_CONTACT_KEY_BYTES = 264, /* "mailto:" and an address */
	ITEM_CODE_BYTES = 64,
};

enum item_outcome {
	ITEM_ACCEPTED, /* committed */
	ITEM_SPOOLED, /* durable in the spool, will be committed; as good as accepted */
	ITEM_DUPLICATE, /* this identity came before with the same content; nothing was written */
	ITEM_ID_REUSED, /* this identity came before with another content; nothing was written */
	ITEM_REFUSED, /* the database will not take this very item: final */
	ITEM_UNAVAILABLE, /* nothing was written: try again later */
	ITEM_OUTCOMES
};

struct item;

/* ticket_id: the item's, or the first one's of a repeat; 0: none.  The item may be freed here. */
typedef void item_done_fn(struct item *item, enum item_outcome outcome, int64_t ticket_id);

TAILQ_HEAD(item_list, item);

struct item {
	TAILQ_ENTRY(item) link;
	item_done_fn *done;

	/* Who brought it (client, or the person at a page of ours by name), and the identity the
	 * sender gave; id NULL: none. */
	const char *client;
	const char *user; /* NULL: nobody who has signed in */
	const char *source;
	const char *id;
	struct digest identity; /* of the content, keyed with the installation's secret */

	/* The contact; kind NULL: it is none. */
	const char *kind;
	bool told_before; /* it was recorded as a contact before; never spooled */
	int16_t channel; /* turunc.v1.Channel */
	int64_t arrived_us;
	const char *language;
	char information_version[ITEM_CODE_BYTES]; /* of the catalogue, too; "": none was shown */
	const char *name;
	const char *phone; /* E.164 or short */
	const char *email;
	const char *description;
	const char *address;
	bool has_position;
	double latitude;
	double longitude;
	const char *media_url;
	const char *answers; /* JSON */
	const char *account_id;
	const char *device_id;
	const char *photos; /* JSON, as photos.h writes it; NULL: none */

	/* The ticket. */
	int64_t ticket_id; /* given by the door; 0: none */
	bool opens;
	int64_t earlier_id; /* the closed ticket that it follows; 0: none */
	const char *subject_code; /* "" when none */
	char neighbourhood[ITEM_CODE_BYTES]; /* a code of the catalogue, which may be replaced; or
						"" */
	const char *department; /* to whom it is addressed; NULL: the rules say */
	int16_t legal_basis; /* turunc.v1.LegalBasis */
	bool is_public;
	const char *call_id;

	/* An event of that call: whose exchange it is ("": our own page) and what it says.  The
	 * caller in E.164 where it is a phone.  NULL: it does not say. */
	bool tells_call;
	const char *call_client;
	const char *call_queue;
	const char *call_agent;
	const char *call_caller;
	const char *call_disposition;

	/* An answer to a survey, whose words and answers are the contact's; NULL: it is none. */
	const char *survey_id;
	int survey_score; /* 1 to 5; 0: none was given */
	bool survey_solved, survey_not_solved; /* neither: nothing was said of it */

	/* The body kept as it came; content_type NULL: none. */
	const char *content_type;
	const void *body;
	size_t body_len;

	/* The record. */
	const char *type;
	int64_t time_us; /* when it happened */
	const char *traceparent; /* as given, any text or NULL */

	/* Made by item_seal(). */
	struct uuid item_id;
	struct uuid citizen_id;
	char contact_key[ITEM_CONTACT_KEY_BYTES]; /* "" = none */
	char actor[ITEM_ACTOR_BYTES];
	uint8_t salt[ITEM_SALT_BYTES];
	uint8_t trace_random[TRACE_RANDOM_BYTES];
	uint8_t *event; /* owned */
	size_t event_len;
	size_t bytes; /* what it weighs in a batch */

	/* accept's. */
	uint64_t queued_ms;
	int64_t queued_us; /* the same, finer: of stages */
	unsigned doubts; /* how often its outcome had to be looked up */
	unsigned conflicts; /* how often a row of it was there already */
	bool perhaps_kept; /* it was given to the record or the spool, and may surface whatever the
			      answer is */
	bool never_spooled; /* its sender keeps it until it is in the record */
	bool from_spool; /* was answered before; goes back there when the record is away */
};

/* What sealing needs of the process.  Zeroed but for the secret is ready. */
struct item_maker {
	struct uuid_source uuids;
	uint8_t random[1024]; /* from the kernel, each byte used once */
	size_t random_left;
	const uint8_t *secret; /* 16 to 64 bytes, lent */
	size_t secret_len;
};

/* Everything empty. */
void item_init(struct item *item, item_done_fn *done);

/* May the record come to speak of the files stored for an item that was answered so?  A repeat,
 * too, may be one of the item itself: of a transaction whose end was not seen, and which ended
 * after all. */
bool item_keeps_files(const struct item *item, enum item_outcome outcome);

/* A code that does not fit counts as none, and so does NULL. */
void item_set_neighbourhood(struct item *item, const char *code);
void item_set_information_version(struct item *item, const char *version);
/* Frees what sealing made. */
void item_finish(struct item *item);
/* What it weighs in a batch. */
size_t item_weight(const struct item *item);

/* The keyed digest that stands for the content in the item's identity: begin, add parts with
 * digest_keyed_add_part(), finish into item->identity. */
void item_identity_begin(const struct item_maker *maker, struct digest_keyed *d);

/*
 * Ids, salt, contact key and the record, which has the item's id.  An item that has an id already
 * keeps it.  False: out of memory.
 */
MUST_CHECK bool item_seal(struct item *item, struct item_maker *maker, int64_t now_us);

#endif
