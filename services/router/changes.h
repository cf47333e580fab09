/*
 * changes - what one transaction of the router will write: tickets as they are afterwards, and the
 * records, hops, texts and answers that go with them.
 *
 * Filled while deciding, then put into a unit; the log comes last.  Memory is the one thing that
 * can fail, and it is remembered: changes_ok() is asked once before sending.
 */
#ifndef ROUTER_CHANGES_H
#define ROUTER_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attachment.h"
#include "base.h"
#include "digest.h"
#include "ticket.h"
#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

struct changes;
struct db_unit;
struct pg_result;

enum {
	CHANGES_SALT_BYTES = 32,
	CHANGES_ACTOR_BYTES = 160,
	CHANGES_WHY_BYTES = 120,
	CHANGES_CLIENT_BYTES = 80, /* a client's name, or "user:" and a person's */
};

/* NULL: out of memory.  Destroy takes NULL. */
struct changes *changes_create(void);
void changes_destroy(struct changes *ch);
bool changes_ok(const struct changes *ch);

/* Takes in rows with a ticket's columns, in any order; one without a ticket is passed over.  A
 * ticket that several rows ask for is held once. */
void changes_load(struct changes *ch, const struct pg_result *rows);
/* By the id asked for, which may be an alias.  NULL: there is none. */
struct ticket *changes_ticket(struct changes *ch, int64_t asked_id);
size_t changes_ticket_count(const struct changes *ch);

/* A new record: the event's id, source, time and subject are filled in here; department columns are
 * the step's.  ticket is whom it concerns. */
void changes_record(struct changes *ch, const struct ticket *ticket, Turunc__V1__Event *event,
    const char *previous_department, struct uuid_source *ids, int64_t now_us);
void changes_hop(struct changes *ch, const struct ticket *ticket, const char *from,
    const char *reason, const char *actor, int64_t now_us);
/* Keeps a text apart from the log; the salted digest of it is for the record. */
void changes_text(struct changes *ch, const struct ticket *ticket, const char *kind,
    const char *actor, const char *body, struct uuid_source *ids, int64_t now_us,
    struct uuid *ret_id, struct digest *ret_digest);

/* Whose photos these are; as turunc.attachment.origin has it. */
enum changes_photo_origin { CHANGES_PHOTO_NOTE = 2, CHANGES_PHOTO_EVIDENCE = 3 };
/* Photos that are durable already; owner is the text's id, or the step's own when it has none. */
void changes_photos(struct changes *ch, const struct ticket *ticket,
    enum changes_photo_origin origin, const struct uuid *owner, const char *actor,
    const struct attachment photos[], size_t count, int64_t now_us);

/* The first answer to a command. */
struct changes_answer {
	char client[CHANGES_CLIENT_BYTES];
	struct uuid id;
	struct digest digest;
	int64_t ticket_id; /* 0: none */
	int refusal; /* of turunc.v1.RefusalCode, 0: done */
	char text[CHANGES_WHY_BYTES];
	int32_t version;
	int status;
};
void changes_answer(struct changes *ch, const struct changes_answer *answer);

/* They are committed: each record's line, for whoever follows it. */
void changes_trace(const struct changes *ch, const char *stage);

size_t changes_records(const struct changes *ch);
/* Nothing at all to write. */
bool changes_empty(const struct changes *ch);

/* Everything but the log; then whatever else belongs to the transaction; then the log, last. */
void changes_add(struct changes *ch, struct db_unit *unit, int64_t at_us);
void changes_add_log(struct changes *ch, struct db_unit *unit, int64_t at_us);

#endif
