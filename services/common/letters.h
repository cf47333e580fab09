/*
 * letters - the dead letters of a consumer of the log: records it could not act on, set aside with
 * the reason, and taken up again when a person says so (turunc.dead_letter, masa dlq).
 *
 * A letter is written by the transaction that moves the consumer past its record.  Only so many in
 * a row, and so many open at once, are written: behind that the fault lies elsewhere than in the
 * records, so the consumer stops where it is, is not ready and says so, tries again every few
 * seconds, and goes on by itself when the record at the cursor can be acted on or people have
 * decided about letters.
 *
 * The daemon's own table of SQL holds the rows: LETTERS_SQL(STORE_LETTERS, "router") for an enum
 * with STORE_LETTERS and LETTER_STATEMENTS places from there on.
 */
#ifndef TURUNC_LETTERS_H
#define TURUNC_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "settings.h"

struct daemon;
struct letters;
struct stats;

enum letter_reason {
	LETTER_UNDECODABLE, /* its bytes are no event that may be read */
	LETTER_MISFIT, /* the event does not fit the record's type */
	LETTER_NO_TICKET, /* there is no such ticket */
	LETTER_REFUSED, /* PostgreSQL refuses what follows from it */
	LETTER_REASONS
};

enum { LETTER_DETAIL_BYTES = 120 };

struct letters_settings {
	int64_t in_row;
	int64_t open;
};

#define LETTERS_SETTINGS(config_type, member)                                                 \
	{ .name = "TURUNC_DEAD_LETTERS_IN_ROW",                                               \
		.type = SETTING_INT,                                                          \
		.offset = offsetof(config_type, member.in_row),                               \
		.standard = "20",                                                             \
		.min = 1,                                                                     \
		.max = 100000,                                                                \
		.help = "records set aside one after another before the consumer stops" },    \
	{                                                                                     \
		.name = "TURUNC_DEAD_LETTERS_OPEN", .type = SETTING_INT,                      \
		.offset = offsetof(config_type, member.open), .standard = "1000", .min = 1,   \
		.max = 1000000, .help = "dead letters open at once before the consumer stops" \
	}

enum letter_statement { LETTER_PUT, LETTER_END, LETTER_LOOK, LETTER_STATEMENTS };

#define LETTERS_SQL(first, consumer)                                                        \
	[(first) + LETTER_PUT] = { "letter_put",                                            \
		"SELECT turunc.put_dead_letters('" consumer "', $1::bigint[], $2::text[], " \
		"$3::text[], $4::integer[], $5::bigint)",                                   \
		5 },                                                                        \
		   [(first) + LETTER_END] = { "letter_end",                                 \
			   "SELECT turunc.end_dead_letter('" consumer                       \
			   "', $1::bigint, $2::boolean, $3::text, $4::text, $5::bigint)",   \
			   5 },                                                             \
		   [(first) + LETTER_LOOK] = { "letter_look",                               \
			   "SELECT count(*) FILTER (WHERE d.state = 1), "                   \
			   "coalesce(min(d.seq) FILTER (WHERE d.state = 2), 0), "           \
			   "coalesce((SELECT l.seq FROM turunc.dead_letter l WHERE "        \
			   "l.consumer = '" consumer "' ORDER BY l.seq DESC LIMIT 1), 0), " \
			   "coalesce((SELECT l.in_row FROM turunc.dead_letter l WHERE "     \
			   "l.consumer = '" consumer "' ORDER BY l.seq DESC LIMIT 1), 0) "  \
			   "FROM turunc.dead_letter d WHERE d.consumer = '" consumer        \
			   "' AND d.state <= 2",                                            \
			   0 }

/* consumer and daemon are lent; the db's table has the rows at first_statement.  The daemon gets a
 * needed dependency "dead_letters". */
struct letters_options {
	struct daemon *daemon;
	struct db *db;
	size_t first_statement;
	const char *consumer;
	struct letters_settings settings;
};

/* NULL: out of memory.  Destroy after the db was closed; takes NULL. */
struct letters *letters_create(const struct letters_options *options);
void letters_destroy(struct letters *l);

/* Looks once a second what people have decided; ms until the next look. */
int64_t letters_tick(struct letters *l, uint64_t now_ms);
/* The consumer may go on: its letters are known, and it has not stopped or it is time to try. */
bool letters_may_go_on(const struct letters *l, uint64_t now_ms);
/* The consumer's cursor as it was found at the start: it may stand behind a row of letters. */
void letters_found_place(struct letters *l, uint64_t seq);

/* --- a batch, in the order of its records --- */

void letters_begin(struct letters *l);
/* The record is to be set aside (detail: codes, NULL for none).  False: no more of them, the batch
 * ends before it. */
MUST_CHECK bool letters_add(
    struct letters *l, uint64_t seq, enum letter_reason reason, const char *detail);
/* A record was acted on: the row is over. */
void letters_acted(struct letters *l);
/* The letters of the batch, as a statement of the unit that moves the cursor; none: nothing. */
void letters_write(struct letters *l, struct db_unit *unit, int64_t now_us);
/* That unit was committed and the cursor has moved. */
void letters_committed(struct letters *l);
/* The batch ends before its first record: stops. */
void letters_stop(struct letters *l, uint64_t seq);
/* The record refuses everything for a reason that lies in no record; not ready until a batch is
 * committed. */
void letters_blocked(struct letters *l, const struct db_reply *reply);

/* What is kept of a refusal: its SQLSTATE and constraint, never the message. */
void letters_detail(const struct db_reply *reply, char ret_detail[LETTER_DETAIL_BYTES]);

/* --- taken up again --- */

/* The first requeued one, 0: none. */
uint64_t letters_requeued(const struct letters *l);
/* Its end as processed, in the unit of its effect: raises TU004 when it is not requeued any more.
 */
void letters_end(struct letters *l, struct db_unit *unit, uint64_t seq, int64_t now_us);
/* That unit's outcome.  What was refused goes back to open; another attempt otherwise. */
void letters_ended(struct letters *l, uint64_t seq, const struct db_reply *reply);
/* It failed again: open, one attempt more. */
void letters_return(struct letters *l, uint64_t seq, enum letter_reason reason, const char *detail);

bool letters_busy(const struct letters *l);
/* turunc_dead_letters_*, by consumer and reason.  Lent. */
const struct stats *letters_stats(const struct letters *l);

#endif
