/*
 * intake - the service that takes in what citizens and other systems say and makes it durable.
 *
 * This struct owns everything; doors receive it as their argument.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "accept.h"
#include "acl.h"
#include "attachment.h"
#include "base.h"
#include "bus.h"
#include "catalogue.h"
#include "cimer.h"
#include "daemon.h"
#include "db.h"
#include "doorbell.h"
#include "drain.h"
#include "files.h"
#include "guesses.h"
#include "http.h"
#include "item.h"
#include "keys.h"
#include "lmtp.h"
#include "number_file.h"
#include "numbers.h"
#include "people.h"
#include "photos.h"
#include "ratelimit.h"
#include "registry.h"
#include "repeats.h"
#include "reply_address.h"
#include "settings.h"
#include "spool.h"
#include "stats.h"

/* So long the record may be lost before what comes is spooled. */
enum { INTAKE_AWAY_MS = 250 };

struct intake_config {
	struct daemon_settings daemon;
	struct people_settings people;
	char *database;
	char *database_password;
	int64_t write_connections;
	int64_t write_in_flight;
	int64_t read_connections;
	struct setting_address http_listen;
	char *trusted_peers;
	int64_t connections;
	int64_t connections_per_address;
	int64_t key_per_minute;
	int64_t key_burst;
	int64_t address_per_minute;
	int64_t address_burst;
	int64_t wrong_keys_per_minute;
	int64_t wrong_keys_burst;
	char *bus_listen;
	int64_t bus_memory;
	char *doorbell;
	char *keys_dir;
	char *state_dir;
	char *record_dir; /* "": its disk is not seen from here */
	char *identity_secret;
	char *mail_secret;
	int64_t batch_items;
	int64_t batch_bytes;
	int64_t held_items;
	int64_t held_bytes;
	int64_t wait_ms;
	int64_t publish_credit;
	int64_t spool_bytes; /* 0: no spool */
	int64_t numbers_aside;
	int64_t body_bytes; /* of requests under way */
	char *attachments_dir; /* "": in state_dir */
	int64_t attachments_bytes;
	int64_t attachments_mail_percent;
	int64_t orphan_age_ms;
	int64_t look_ms;
	int64_t photo_bytes;
	int64_t photo_pixels;
	int64_t photos_per_minute;
	int64_t photos_burst;
	char *cimer_dir; /* "": no files are taken */
	int64_t cimer_look_ms;
	int64_t cimer_settle_ms;
	int64_t cimer_keep_ms; /* 0: not at all */
	int64_t cimer_rows;
	int64_t cimer_text_bytes;
	int64_t cimer_file_bytes;
	int64_t cimer_unpacked_bytes;
	int64_t cimer_string_bytes;
	struct setting_address lmtp_listen;
	char *lmtp_trusted;
	int64_t lmtp_connections;
	int64_t lmtp_mail_bytes;
	int64_t lmtp_command_ms;
	int64_t lmtp_mail_ms;
	char *mail_addresses; /* further ones */
	int64_t mails_per_minute;
	int64_t mails_burst;
	int64_t mails_in_hand;
	int64_t mail_reader_bytes;
	int64_t machine_keep_ms;
};

extern const struct setting intake_settings[];
extern const size_t intake_settings_count;

enum intake_stat {
	INTAKE_STAT_ITEMS, /* by outcome */
	INTAKE_STAT_OPENED,
	INTAKE_STAT_RECORDS,
	INTAKE_STAT_BATCHES,
	INTAKE_STAT_BATCH_ITEMS,
	INTAKE_STAT_WAITED,
	INTAKE_STAT_HELD,
	INTAKE_STAT_IN_DOUBT,
	INTAKE_STAT_NUMBERS_LEFT,
	INTAKE_STAT_NO_NUMBER,
	INTAKE_STAT_POSSIBLE_REPEATS,
	INTAKE_STAT_LIMITED, /* by what */
	INTAKE_STAT_BAD_REQUESTS,
	INTAKE_STAT_NO_KEY,
	INTAKE_STAT_BUSY, /* bus, by why */
	INTAKE_STAT_REJECTED, /* bus events, by code */
	INTAKE_STAT_SPOOL_ITEMS,
	INTAKE_STAT_SPOOL_ASIDE,
	INTAKE_STAT_SPOOL_BYTES,
	INTAKE_STAT_SPOOL_DAMAGED,
	INTAKE_STAT_SPOOL_REFUSED, /* by why */
	INTAKE_STAT_DRAINED, /* by what became of it */
	INTAKE_STAT_NUMBERS_ASIDE,
	INTAKE_STAT_TRACKED, /* looks at a ticket, by outcome */
	INTAKE_STAT_SAID, /* by what */
	INTAKE_STAT_DISMISSED, /* what came without a ticket and needs none */
	INTAKE_STAT_SURVEY_STOPS, /* visits by a link that ends them, the same */
	INTAKE_STAT_SURVEY_STOPS_WAITING,
	INTAKE_STAT_SURVEYS, /* visits by an invitation, by what came of them */
	INTAKE_STAT_CALLS, /* dealt with on the call-taker's page, by how */
	INTAKE_STAT_DRAFTS, /* by whether they were kept */
	INTAKE_STAT_PHOTOS, /* by what became of them */
	INTAKE_STAT_FILES,
	INTAKE_STAT_FILES_BYTES,
	INTAKE_STAT_FILES_REMOVED, /* by why */
	INTAKE_STAT_FILES_STUCK, /* by why they should go */
	INTAKE_STAT_CIMER_FILES, /* by what became of them */
	INTAKE_STAT_CIMER_ROWS, /* likewise */
	INTAKE_STAT_CIMER_WAITING,
	INTAKE_STAT_MAILS, /* by what became of them */
	INTAKE_STAT_MACHINE_RAW,
	INTAKE_STAT_LMTP, /* by enum lmtp_count */
	INTAKE_STAT_LMTP_OPEN,
	INTAKE_STAT_MAILS_IN_HAND,
	INTAKE_STAT_STAGE, /* commit */
	INTAKE_STAT_COUNT
};
/* Values of the labels above. */
enum { LIMITED_KEY, LIMITED_ADDRESS, LIMITED_WRONG_KEYS, LIMITED_PHOTOS };
enum { BUSY_AWAY, BUSY_FULL, BUSY_CREDIT, BUSY_NO_NUMBER };
enum { MACHINE_RAW_KEPT, MACHINE_RAW_NO_ROOM, MACHINE_RAW_EXPIRED };
enum mail_outcome {
	MAIL_TICKET,
	MAIL_REPLY,
	MAIL_MACHINE, /* a contact, and no ticket */
	MAIL_BOUNCE,
	MAIL_REPEAT,
	MAIL_UNREADABLE, /* a ticket nonetheless */
	MAIL_DEFERRED,
	MAIL_TOO_OFTEN,
	MAIL_NO_ROOM,
	MAIL_CROWDED, /* too many are in hand, or it is already */
	MAIL_NOT_READ, /* no process could begin to */
	MAIL_OUTCOMES
};
enum { SPOOL_REFUSED_FULL, SPOOL_REFUSED_DISK };
enum { TRACKED_SHOWN, TRACKED_WRONG, TRACKED_LIMITED, TRACKED_AWAY };
enum { CALLS_TICKET, CALLS_JOINED, CALLS_ENDED, CALLS_REFUSED, CALLS_AWAY };
enum { DRAFT_KEPT, DRAFT_LOST };
enum { PHOTOS_STORED, PHOTOS_TURNED_DOWN, PHOTOS_DROPPED };
enum { FILES_ERASED, FILES_ORPHAN };
enum {
	SURVEYED_SHOWN,
	SURVEYED_ANSWERED,
	SURVEYED_REPEATED,
	SURVEYED_DENIED,
	SURVEYED_REFUSED,
	SURVEYED_OVER,
	SURVEYED_WRONG,
	SURVEYED_LIMITED,
	SURVEYED_AWAY
};
enum {
	STOPPED_SHOWN,
	STOPPED_REFUSED,
	STOPPED_AGAIN,
	STOPPED_WRONG,
	STOPPED_LIMITED, /* the address: too many wrong links */
	STOPPED_LIMITED_MESSAGE, /* the link: too many changes by it */
	STOPPED_AWAY,
	STOPPED_KEPT, /* on disk, for the record is away */
};
enum { DISMISSED_OFF, DISMISSED_BACK, DISMISSED_GONE, DISMISSED_AWAY };
enum { CIMER_FILES_DONE, CIMER_FILES_REJECTED, CIMER_FILES_WAITED };
/* As enum cimer_as, and one more. */
enum { CIMER_ROWS_WRONG = 3 };
enum { SAID_FOLLOW_UP, SAID_WITHDRAW, SAID_NOT_SOLVED, SAID_REFUSED };
enum drained_as {
	DRAINED_WRITTEN, /* or found written */
	DRAINED_REPEAT, /* the record had it before, under this number or without one */
	DRAINED_ALIAS, /* under another number, which this one now leads to */
	DRAINED_REUSED, /* written without its identity */
	DRAINED_RAW,
	DRAINED_ASIDE,
	DRAINED_DAMAGED,
};
extern const struct stat_row intake_stats[INTAKE_STAT_COUNT];

struct intake {
	struct intake_config config;
	struct daemon *daemon;
	struct stats *stats;
	struct acl *acl;
	struct registry *registry;
	struct db *writer;
	struct db *reader;
	struct db *lookup; /* for call-takers, who must not slow the public doors down */
	bool writer_lost;
	uint64_t writer_lost_ms;
	struct accept *accept;
	struct spool *spool; /* NULL: none */
	struct drain *drain;
	struct attachments *attachments;
	struct files *files;
	struct db *imports; /* for cimer, whose transactions are large */
	struct cimer *cimer; /* NULL: no folder is watched */
	struct numbers *numbers;
	struct number_file *number_file;
	struct survey_stops *stops; /* NULL: nothing is kept while the record is away */
	struct stops_drain {
		bool under_way;
		uint32_t failures;
		uint64_t next_ms;
	} stops_drain;
	bool setting_aside; /* numbers for the time without the record are being leased */
	struct {
		int year;
		int64_t first;
		int32_t count; /* 0: none */
		uint64_t at_ms; /* when to try again */
	} not_aside; /* leased for that, and not kept by the disk so far */
	struct repeats *repeats;
	struct item_maker maker;
	uint8_t secret[32];
	struct reply_address_key mail_key;
	struct ratelimit *per_key; /* NULL: no limit */
	struct ratelimit *per_address;
	struct ratelimit *photos_per_address; /* forms with photos */
	struct ratelimit *track_per_address; /* wrong digits, by who gave them */
	struct ratelimit *track_per_ticket; /* and by whose they were to be */
	struct ratelimit *stops_per_message; /* refusals of surveys, by the link */
	struct ratelimit *mail_per_address; /* NULL: no limit */
	struct guesses *guesses; /* likewise */
	struct http *http;
	struct people *people; /* call-takers */
	struct lmtp *lmtp;
	struct door_mail *mail;
	struct key_pair keys;
	struct bus *bus;
	struct bus_metrics *bus_metrics;
	struct disks *disks;
	struct bus_door *door;
	size_t publishes; /* not answered yet */
	struct doorbell_button *bell;
	unsigned record_state; /* handles of daemon_set_dependency() */
	unsigned catalogue_state;
	unsigned door_state;
	unsigned numbers_state;
	unsigned spool_state;
};

/* False: cannot start, and the log says why.  Close takes a half-open one. */
MUST_CHECK bool intake_open(struct intake *in);
void intake_close(struct intake *in);

/* May new work be taken?  False, with a sentence: answer 503 or Busy. */
MUST_CHECK bool intake_takes(
    const struct intake *in, size_t items, size_t bytes, const char **ret_why);

/* Photos stored with an item stay when it was taken or may yet surface, and go when it was not. */
void intake_settle_photos(
    struct intake *in, struct photos *photos, const struct item *item, enum item_outcome outcome);

/* accept's way to the record (commit.c); arg is the struct intake. */
extern const struct accept_calls intake_accept_calls;
/* numbers' way to the record, and to those set aside; arg is the struct intake (leases.c). */
bool intake_lease_numbers(void *arg, int year, int32_t how_many);
bool intake_numbers_aside(
    void *arg, int year, int32_t how_many, int64_t *ret_first, int32_t *ret_count);
/* Leases numbers to set aside when few of the present year are left. */
void intake_set_numbers_aside(struct intake *in);

/* The spool, the numbers set aside, the catalogue and rights as last read: what is needed while
 * the record is away (standby.c).  False: cannot start. */
MUST_CHECK bool standby_open(struct intake *in);
void standby_close(struct intake *in); /* the record and those who use them are gone by then */
/* Tells metrics and readiness how they stand; once a second. */
void standby_tick(struct intake *in);

/* How many are left of this year's, told to readiness and metrics too. */
int64_t intake_note_numbers(struct intake *in);

/* The bus door's frames (inbound.c). */
void intake_on_frame(void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

#endif
