/* Publishing: events are taken into the outbox and travel in batches within the door's credit. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum { ID_BYTES_MAX = 128 };

/* --- taking ------------------------------------------------------------------------------------
 */

static enum turunc_outcome
event_check(const struct turunc_client *c, const Turunc__V1__InboundEvent *event, size_t *ret_len)
{
	if (event->id[0] == '\0' || strlen(event->id) > ID_BYTES_MAX || event->source[0] == '\0'
	    || event->type[0] == '\0' || !tc_message_text_valid(&event->base))
		return TURUNC_INVALID;
	*ret_len = turunc__v1__inbound_event__get_packed_size(event);
	return *ret_len > c->publisher.event_bytes_max ? TURUNC_TOO_LARGE : TURUNC_TAKEN;
}

static enum turunc_outcome
keep_on_disk(struct turunc_client *c, struct tc_item *item, uint8_t *bytes)
{
	struct tc_publisher *p = &c->publisher;
	enum tc_journal_answer answer = tc_journal_append(
	    p->journal, bytes, item->len, &item->place);

	free(bytes);
	if (answer == TC_JOURNAL_OK)
		return TURUNC_STORED;
	return answer == TC_JOURNAL_FULL ? TURUNC_FULL : TURUNC_STORE_FAILED;
}

static enum turunc_outcome
keep_in_memory(struct turunc_client *c, struct tc_item *item, uint8_t *bytes)
{
	struct tc_publisher *p = &c->publisher;

	if (p->memory_bytes + item->len > c->options.memory_bytes_max) {
		free(bytes);
		return TURUNC_FULL;
	}
	p->memory_bytes += item->len;
	item->bytes = bytes;
	return TURUNC_TAKEN;
}

/* Takes one event into an item that is not in the outbox yet. */
static enum turunc_outcome
take(struct turunc_client *c, const Turunc__V1__InboundEvent *event, void *tag,
    struct tc_item *ret_item)
{
	struct tc_publisher *p = &c->publisher;
	size_t len;
	enum turunc_outcome outcome = event_check(c, event, &len);

	if (outcome != TURUNC_TAKEN)
		return outcome;
	if (p->outbox.pending >= c->options.events_max)
		return TURUNC_FULL;
	uint8_t *bytes = malloc(len);
	if (bytes == NULL || !tc_outbox_reserve(&p->outbox, 1)) {
		free(bytes);
		return TURUNC_NO_MEMORY;
	}
	turunc__v1__inbound_event__pack(event, bytes);
	*ret_item = (struct tc_item){ .state = TC_ITEM_WAITING,
		.id_crc = tc_crc32c(0, event->id, strlen(event->id)),
		.len = (uint32_t)len,
		.tag = tag };
	return p->journal != NULL ? keep_on_disk(c, ret_item, bytes)
				  : keep_in_memory(c, ret_item, bytes);
}

enum turunc_outcome
turunc_publish_many(struct turunc_client *c, const Turunc__V1__InboundEvent *const *events,
    size_t count, void *const *tags, size_t *ret_taken)
{
	struct tc_publisher *p = &c->publisher;
	enum turunc_outcome outcome = p->journal != NULL ? TURUNC_STORED : TURUNC_TAKEN;
	uint64_t first_new = p->outbox.first + p->outbox.count;
	size_t taken = 0;
	struct tc_item item;

	*ret_taken = 0;
	if (c->options.door != TURUNC_DOOR_PUBLISH)
		return TURUNC_NOT_NOW;
	for (; taken < count; taken++) {
		enum turunc_outcome one = take(c, events[taken], tags ? tags[taken] : NULL, &item);
		if (one != TURUNC_TAKEN && one != TURUNC_STORED) {
			outcome = one;
			break;
		}
		tc_outbox_add(&p->outbox, &item);
	}
	if (p->journal != NULL && taken > 0 && !tc_journal_sync(p->journal)) {
		/* Not promised, so not sent either: they leave again before anybody saw them. */
		for (size_t i = 0; i < taken; i++)
			tc_outbox_enter(&p->outbox, first_new + i, TC_ITEM_DONE);
		taken = 0;
		outcome = TURUNC_STORE_FAILED;
	}
	c->stats.events_taken += taken;
	if (taken < count)
		c->stats.events_refused++;
	*ret_taken = taken;
	if (taken > 0)
		tc_wake(c);
	return outcome;
}

enum turunc_outcome
turunc_publish(struct turunc_client *c, const Turunc__V1__InboundEvent *event, void *tag)
{
	size_t taken;

	return turunc_publish_many(c, &event, 1, &tag, &taken);
}

const char *
turunc_client_store_why(const struct turunc_client *c)
{
	return c->publisher.journal == NULL ? "" : tc_journal_why(c->publisher.journal);
}

size_t
turunc_client_pending(const struct turunc_client *c)
{
	return c->publisher.outbox.pending;
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* What an earlier process stored and nobody answered; its entry is intact, so only memory fails. */
static bool
recover_event(void *arg, struct tc_place place, const uint8_t *bytes)
{
	struct turunc_client *c = arg;
	struct tc_item item = { .state = TC_ITEM_WAITING, .len = place.len, .place = place };
	Turunc__V1__InboundEvent *event = turunc__v1__inbound_event__unpack(NULL, place.len, bytes);

	if (event == NULL || !tc_outbox_reserve(&c->publisher.outbox, 1)) {
		if (event != NULL)
			turunc__v1__inbound_event__free_unpacked(event, NULL);
		return false;
	}
	item.id_crc = tc_crc32c(0, event->id, strlen(event->id));
	turunc__v1__inbound_event__free_unpacked(event, NULL);
	tc_outbox_add(&c->publisher.outbox, &item);
	c->stats.events_recovered++;
	return true;
}

bool
tc_publish_open(struct turunc_client *c, char *why, size_t why_size)
{
	struct tc_publisher *p = &c->publisher;

	p->event_bytes_max = TURUNC_EVENT_BYTES_MAX;
	p->batch_limit = TURUNC_BATCH_EVENTS_MAX;
	if (c->options.door != TURUNC_DOOR_PUBLISH)
		return true;
	p->frame = malloc(TURUNC_FRAME_BYTES_MAX);
	if (p->frame == NULL) {
		snprintf(why, why_size, "no memory");
		return false;
	}
	if (c->options.store_dir == NULL)
		return true;
	uint64_t bytes_max = c->options.store_bytes_max;
	struct tc_journal_options options = { c->options.store_dir, bytes_max,
		bytes_max / 8 < TC_SEGMENT_BYTES ? (uint32_t)(bytes_max / 8) : TC_SEGMENT_BYTES };
	p->journal = tc_journal_open(&options, recover_event, c, why, why_size);
	if (p->journal == NULL)
		return false;
	c->stats.store_damaged = tc_journal_damaged(p->journal);
	return true;
}

void
tc_publish_close(struct turunc_client *c)
{
	tc_outbox_finish(&c->publisher.outbox);
	tc_journal_close(c->publisher.journal);
	free(c->publisher.frame);
}

void
tc_publish_start(struct turunc_client *c, const Turunc__V1__Welcome *welcome)
{
	struct tc_publisher *p = &c->publisher;

	p->credit = welcome->credit_events;
	p->pause_until_ms = 0;
	p->event_bytes_max = TURUNC_EVENT_BYTES_MAX;
	if (welcome->max_event_bytes != 0 && welcome->max_event_bytes < TURUNC_EVENT_BYTES_MAX)
		p->event_bytes_max = welcome->max_event_bytes;
}

void
tc_publish_stop(struct turunc_client *c)
{
	c->publisher.batch_count = 0;
	c->publisher.credit = 0;
	tc_outbox_rewind(&c->publisher.outbox);
}

/* --- sending -----------------------------------------------------------------------------------
 */

/* Fills the batch from *next on and the frame behind its head's room; returns the bytes. */
static size_t
batch_fill(struct turunc_client *c, struct tc_batch *batch, uint64_t *next)
{
	struct tc_publisher *p = &c->publisher;
	size_t used = TC_FRAME_OVERHEAD;
	uint32_t limit = p->credit < p->batch_limit ? p->credit : p->batch_limit;

	batch->count = 0;
	while (batch->count < limit && tc_outbox_next(&p->outbox, next)) {
		const struct tc_item item = *tc_outbox_item(&p->outbox, *next);
		if (item.len > p->event_bytes_max) {
			tc_publish_reject_here(
			    c, *next, "TOO_LARGE: this door takes smaller events");
			continue;
		}
		if (used + TC_EVENT_OVERHEAD + item.len > TURUNC_FRAME_BYTES_MAX)
			break;
		size_t head = tc_wire_field(p->frame + used, 1, item.len);
		const uint8_t *bytes = tc_publish_bytes(c, &item, p->frame + used + head);
		if (bytes == NULL) {
			tc_publish_reject_here(
			    c, *next, "DAMAGED: the stored event could not be read back");
			continue;
		}
		if (bytes != p->frame + used + head)
			memcpy(p->frame + used + head, bytes, item.len);
		used += head + item.len;
		batch->index[batch->count++] = *next;
		++*next;
	}
	return used - TC_FRAME_OVERHEAD;
}

/* Sends one batch; false when there is nothing to send or the session went away. */
static bool
send_batch(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_publisher *p = &c->publisher;
	struct tc_batch *batch = &p->batches[p->batch_count];
	uint8_t head[TC_FRAME_OVERHEAD];
	uint64_t next = 0;

	size_t len = batch_fill(c, batch, &next);
	if (batch->count == 0)
		return false;
	batch->request = tc_next_request(c);
	batch->deadline_ms = now_ms + c->options.answer_ms;
	size_t head_len = tc_wire_head(head, batch->request, TC_FIELD_PUBLISH, len);
	uint8_t *frame = p->frame + TC_FRAME_OVERHEAD - head_len;
	memcpy(frame, head, head_len);

	for (uint32_t i = 0; i < batch->count; i++) {
		struct tc_item *item = tc_outbox_item(&p->outbox, batch->index[i]);
		if (item->sent_before)
			c->stats.events_resent++;
		item->sent_before = true;
		tc_outbox_enter(&p->outbox, batch->index[i], TC_ITEM_SENT);
	}
	p->credit -= batch->count;
	c->stats.events_sent += batch->count;
	p->batch_count++;
	return tc_session_say_bytes(c, frame, head_len + len);
}

/* One batch may go at any time, further ones only full: what comes meanwhile is collected. */
void
tc_publish_work(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_publisher *p = &c->publisher;

	if (p->batch_count > 0 && p->batches[0].deadline_ms <= now_ms) {
		tc_session_drop(c, 0, "the door does not answer what was published", 0);
		return;
	}
	while (c->session.state == TURUNC_READY && now_ms >= p->pause_until_ms && p->credit > 0
	       && p->batch_count < TC_BATCHES_MAX && p->outbox.waiting > 0
	       && (p->batch_count == 0 || p->outbox.waiting >= TURUNC_BATCH_EVENTS_MAX))
		if (!send_batch(c, now_ms))
			break;
}

uint64_t
tc_publish_deadline(const struct turunc_client *c)
{
	const struct tc_publisher *p = &c->publisher;
	uint64_t due_ms = UINT64_MAX;

	if (c->session.state != TURUNC_READY)
		return due_ms;
	if (p->batch_count > 0)
		due_ms = p->batches[0].deadline_ms;
	if (p->outbox.waiting > 0 && p->credit > 0 && p->pause_until_ms < due_ms
	    && (p->batch_count == 0 || p->outbox.waiting >= TURUNC_BATCH_EVENTS_MAX)
	    && p->batch_count < TC_BATCHES_MAX)
		due_ms = p->pause_until_ms;
	return due_ms;
}
