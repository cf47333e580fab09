/* Keeps items in a journal, with their order and their identities in memory. */
#include "spool.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "failpoint.h"
#include "frame.h"
#include "journal.h"
#include "spooled_item.h"

enum { BUCKETS_MIN = 256, DIR_BYTES = 1200, WHY_BYTES = 200, SEGMENTS = 8 };

enum entry_state {
	ENTRY_ADDED, /* written, not known to be durable */
	ENTRY_WAITING,
	ENTRY_OUT, /* on its way into the record */
	ENTRY_ASIDE, /* the record refuses it */
};

struct spool_entry {
	TAILQ_ENTRY(spool_entry) link; /* all, in order */
	struct spool_entry *next_in_bucket;
	struct tc_place place;
	enum entry_state state;
	bool has_id;
	struct digest key; /* of client, source and id */
	struct digest content;
	int64_t ticket_id;
};

struct spool {
	struct tc_journal *journal;
	char dir[DIR_BYTES];
	uint64_t bytes_max;
	bool failed; /* an fsync failed: takes nothing until it is empty and opened anew */
	char why[WHY_BYTES];
	uint8_t secret[32]; /* of the keys, so that nobody chooses their bucket */
	TAILQ_HEAD(spool_entries, spool_entry) entries;
	struct spool_entry *next; /* nothing before it waits; NULL: at the end */
	struct spool_entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count, waiting, aside;
	uint64_t damaged; /* of journals closed before, and entries that could not be read */
	uint8_t scratch[TC_PAYLOAD_MAX];
};

/* --- identities --------------------------------------------------------------------------------
 */

static void
make_key(const struct spool *s, const char *client, const char *source, const char *id,
    struct digest *ret_key)
{
	struct digest_keyed d;

	digest_keyed_init(&d, s->secret, sizeof(s->secret));
	digest_keyed_add_part(&d, client, strlen(client));
	digest_keyed_add_part(&d, source, strlen(source));
	digest_keyed_add_part(&d, id, strlen(id));
	digest_keyed_finish(&d, ret_key);
}

static struct spool_entry **
bucket(const struct spool *s, const struct digest *key)
{
	uint64_t bits;

	memcpy(&bits, key->bytes, sizeof(bits));
	return &s->buckets[bits & (s->bucket_count - 1)];
}

static const struct spool_entry *
find(const struct spool *s, const struct digest *key)
{
	const struct spool_entry *e = *bucket(s, key);

	while (e != NULL && memcmp(e->key.bytes, key->bytes, DIGEST_BYTES) != 0)
		e = e->next_in_bucket;
	return e;
}

/* Twice the buckets when there is an entry for each; without memory the chains grow. */
static void
grow_index(struct spool *s)
{
	size_t count = s->bucket_count * 2;
	struct spool_entry **buckets = calloc(count, sizeof(struct spool_entry *));

	if (buckets == NULL)
		return;
	free(s->buckets);
	s->buckets = buckets;
	s->bucket_count = count;
	struct spool_entry *e;
	TAILQ_FOREACH (e, &s->entries, link) {
		if (!e->has_id)
			continue;
		struct spool_entry **b = bucket(s, &e->key);
		e->next_in_bucket = *b;
		*b = e;
	}
}

static void
index_remove(struct spool *s, struct spool_entry *entry)
{
	struct spool_entry **at = bucket(s, &entry->key);

	while (*at != entry)
		at = &(*at)->next_in_bucket;
	*at = entry->next_in_bucket;
}

/* --- entries -----------------------------------------------------------------------------------
 */

static void
remove_entry(struct spool *s, struct spool_entry *entry)
{
	if (s->next == entry)
		s->next = TAILQ_NEXT(entry, link);
	TAILQ_REMOVE(&s->entries, entry, link);
	if (entry->has_id)
		index_remove(s, entry);
	s->count--;
	free(entry);
}

static void
insert_entry(struct spool *s, struct spool_entry *entry)
{
	TAILQ_INSERT_TAIL(&s->entries, entry, link);
	s->count++;
	if (s->next == NULL)
		s->next = entry;
	if (!entry->has_id)
		return;
	struct spool_entry **b = bucket(s, &entry->key);
	entry->next_in_bucket = *b;
	*b = entry;
	if (s->count > s->bucket_count)
		grow_index(s);
}

static struct spool_entry *
make_entry(const struct spool *s, const struct item *item)
{
	struct spool_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->has_id = item->id != NULL;
	if (entry->has_id)
		make_key(s, item->client, item->source, item->id, &entry->key);
	entry->content = item->identity;
	entry->ticket_id = item->ticket_id;
	return entry;
}

static enum spool_answer
append(struct spool *s, const uint8_t *bytes, size_t len, struct tc_place *ret_place)
{
	enum tc_journal_answer answer = TC_JOURNAL_FAILED;

	if (!failpoint(FAILPOINT_INTAKE_SPOOL_ADD, FAILPOINT_BEFORE))
		answer = tc_journal_append(s->journal, bytes, len, ret_place);
	if (answer == TC_JOURNAL_OK && failpoint(FAILPOINT_INTAKE_SPOOL_ADD, FAILPOINT_AFTER)) {
		s->failed =
		    true; /* it may be there: the journal is believed again when read anew */
		answer = TC_JOURNAL_FAILED;
	}
	if (answer == TC_JOURNAL_FAILED) {
		(void)snprintf(s->why, sizeof(s->why), "%s", tc_journal_why(s->journal));
		/* One that has failed takes nothing more, whoever asks, until it is opened anew. */
		s->failed = s->failed || !tc_journal_sync(s->journal);
	}
	return answer == TC_JOURNAL_OK     ? SPOOL_TAKEN
	       : answer == TC_JOURNAL_FULL ? SPOOL_FULL
					   : SPOOL_FAILED;
}

enum spool_answer
spool_add(struct spool *s, const struct item *item)
{
	size_t len = 0;
	enum spool_answer answer = SPOOL_FAILED;

	if (s->failed)
		return SPOOL_FAILED;
	struct spool_entry *entry = make_entry(s, item);
	uint8_t *bytes = spooled_item_encode(item, &len);
	if (entry == NULL || bytes == NULL || len > TC_PAYLOAD_MAX)
		(void)snprintf(s->why, sizeof(s->why), "out of memory");
	else
		answer = append(s, bytes, len, &entry->place);
	free(bytes);
	if (answer == SPOOL_TAKEN)
		insert_entry(s, entry);
	else
		free(entry);
	return answer;
}

bool
spool_sync(struct spool *s)
{
	bool durable = !s->failed && !failpoint(FAILPOINT_INTAKE_SPOOL_SYNC, FAILPOINT_BEFORE)
		       && tc_journal_sync(s->journal)
		       && !failpoint(FAILPOINT_INTAKE_SPOOL_SYNC, FAILPOINT_AFTER);
	struct spool_entry *entry, *before;

	if (!durable && !s->failed) {
		s->failed = true;
		(void)snprintf(s->why, sizeof(s->why), "%s", tc_journal_why(s->journal));
	}
	/* Those added since the last sync are the last ones. */
	for (entry = TAILQ_LAST(&s->entries, spool_entries); entry != NULL; entry = before) {
		before = TAILQ_PREV(entry, spool_entries, link);
		if (entry->state != ENTRY_ADDED)
			break;
		if (durable) {
			entry->state = ENTRY_WAITING;
			s->waiting++;
		} else {
			remove_entry(s, entry);
		}
	}
	return durable;
}

bool
spool_knows(
    const struct spool *s, const struct item *item, int64_t *ret_ticket_id, bool *ret_same_content)
{
	struct digest key;

	if (s->count == 0 || item->id == NULL)
		return false;
	make_key(s, item->client, item->source, item->id, &key);
	const struct spool_entry *entry = find(s, &key);
	if (entry == NULL)
		return false;
	*ret_ticket_id = entry->ticket_id;
	*ret_same_content = digest_equal(&entry->content, &item->identity);
	return true;
}

/* --- out ---------------------------------------------------------------------------------------
 */

struct spool_entry *
spool_take(struct spool *s)
{
	while (s->next != NULL && s->next->state != ENTRY_WAITING) {
		if (s->next->state == ENTRY_ADDED)
			return NULL;
		s->next = TAILQ_NEXT(s->next, link);
	}
	struct spool_entry *entry = s->next;
	if (entry == NULL)
		return NULL;
	entry->state = ENTRY_OUT;
	s->waiting--;
	s->next = TAILQ_NEXT(entry, link);
	return entry;
}

struct frame *
spool_read(struct spool *s, const struct spool_entry *entry, bool *ret_damaged)
{
	struct frame *frame;

	*ret_damaged = !tc_journal_read(s->journal, entry->place, s->scratch);
	if (*ret_damaged)
		return NULL;
	enum frame_result result = frame_unpack(
	    &turunc__v1__spooled_item__descriptor, s->scratch, entry->place.len, &frame, NULL);
	if (result == FRAME_OK)
		return frame;
	*ret_damaged = result != FRAME_NO_MEMORY;
	s->damaged += *ret_damaged ? 1 : 0;
	return NULL;
}

void
spool_finish(struct spool *s, struct spool_entry *entry)
{
	assert(entry->state == ENTRY_OUT);
	tc_journal_done(s->journal, entry->place);
	remove_entry(s, entry);
}

void
spool_put_back(struct spool *s, struct spool_entry *entry)
{
	assert(entry->state == ENTRY_OUT);
	entry->state = ENTRY_WAITING;
	s->waiting++;
	s->next = TAILQ_FIRST(&s->entries);
}

void
spool_set_aside(struct spool *s, struct spool_entry *entry)
{
	assert(entry->state == ENTRY_OUT);
	entry->state = ENTRY_ASIDE;
	s->aside++;
}

/* --- open and close ----------------------------------------------------------------------------
 */

static bool
on_found(void *arg, struct tc_place place, const uint8_t *bytes)
{
	struct spool *s = arg;
	struct frame *frame;
	struct spool_entry *entry = NULL;
	enum frame_result result = frame_unpack(
	    &turunc__v1__spooled_item__descriptor, bytes, place.len, &frame, NULL);

	if (result == FRAME_NO_MEMORY)
		return false;
	if (result != FRAME_OK) {
		s->damaged++; /* of another version's hand: the journal keeps it */
		return true;
	}
	const Turunc__V1__SpooledItem *m = spooled_item_message(frame);
	struct item item = { .client = m->client,
		.source = m->source,
		.id = m->id[0] == '\0' ? NULL : m->id,
		.ticket_id = m->ticket_id };
	if (m->identity.len == DIGEST_BYTES)
		memcpy(item.identity.bytes, m->identity.data, DIGEST_BYTES);
	entry = make_entry(s, &item);
	frame_destroy(frame);
	if (entry == NULL)
		return false;
	entry->place = place;
	entry->state = ENTRY_WAITING;
	s->waiting++;
	insert_entry(s, entry);
	return true;
}

static bool
open_journal(struct spool *s, char *why, size_t why_size)
{
	/* Space comes back a segment at a time, so a small spool has small ones. */
	uint64_t segment_bytes = s->bytes_max / SEGMENTS;
	const struct tc_journal_options options = { .dir = s->dir,
		.bytes_max = s->bytes_max,
		.segment_bytes = segment_bytes < TC_SEGMENT_BYTES ? (uint32_t)segment_bytes
								  : TC_SEGMENT_BYTES };

	s->journal = tc_journal_open(&options, on_found, s, why, why_size);
	return s->journal != NULL;
}

/* Forgets all entries; the journal has them. */
static void
forget(struct spool *s)
{
	struct spool_entry *e;

	while ((e = TAILQ_FIRST(&s->entries)) != NULL)
		remove_entry(s, e); /* NOLINT(clang-analyzer-unix.Malloc): e leaves the list */
	s->waiting = s->aside = 0;
}

/* What could not be made durable may be believed again on a new descriptor, once nothing hangs on
 * the old one. */
void
spool_recover(struct spool *s)
{
	if (!s->failed || s->count > s->aside)
		return;
	forget(s);
	s->damaged += s->journal == NULL ? 0 : tc_journal_damaged(s->journal);
	tc_journal_close(s->journal);
	s->journal = NULL;
	s->failed = !open_journal(s, s->why, sizeof(s->why));
	if (s->failed)
		forget(s);
}

struct spool *
spool_open(const char *dir, uint64_t bytes_max, char *why, size_t why_size)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (s == NULL || strlen(dir) >= sizeof(s->dir)) {
		(void)snprintf(why, why_size, s == NULL ? "out of memory" : "the path is too long");
		free(s);
		return NULL;
	}
	(void)snprintf(s->dir, sizeof(s->dir), "%s", dir);
	s->bytes_max = bytes_max;
	TAILQ_INIT(&s->entries);
	randombytes_buf(s->secret, sizeof(s->secret));
	s->bucket_count = BUCKETS_MIN;
	s->buckets = calloc(s->bucket_count, sizeof(struct spool_entry *));
	if (s->buckets == NULL) {
		(void)snprintf(why, why_size, "out of memory");
	} else if (open_journal(s, why, why_size)) {
		return s;
	}
	spool_close(s);
	return NULL;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->buckets != NULL)
		forget(s);
	tc_journal_close(s->journal);
	free(s->buckets);
	free(s);
}

/* --- how it stands -----------------------------------------------------------------------------
 */

bool
spool_takes(const struct spool *s)
{
	return !s->failed && spool_bytes(s) + 2 * TC_PAYLOAD_MAX <= s->bytes_max;
}

size_t
spool_count(const struct spool *s)
{
	return s->count;
}

size_t
spool_waiting(const struct spool *s)
{
	return s->waiting;
}

size_t
spool_set_aside_count(const struct spool *s)
{
	return s->aside;
}

uint64_t
spool_bytes(const struct spool *s)
{
	return s->journal == NULL ? 0 : tc_journal_bytes(s->journal);
}

uint64_t
spool_damaged(const struct spool *s)
{
	return s->damaged + (s->journal == NULL ? 0 : tc_journal_damaged(s->journal));
}

const char *
spool_why(const struct spool *s)
{
	return s->why;
}
