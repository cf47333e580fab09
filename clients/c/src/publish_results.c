/* What a door answers to a batch: items end, or wait again, in the order taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum {
	BUSY_LEAST_MS = 10,
	BUSY_MOST_MS = 60000,
	FORBIDDEN_PAUSE_MS = 30000,
	UNAVAILABLE_PAUSE_MS = 500
};

static const struct turunc_result no_result = { .id = "", .ticket = "", .error = "" };

const uint8_t *
tc_publish_bytes(struct turunc_client *c, const struct tc_item *item, uint8_t *scratch)
{
	struct tc_publisher *p = &c->publisher;

	if (item->bytes != NULL)
		return item->bytes;
	if (tc_journal_read(p->journal, item->place, scratch))
		return scratch;
	c->stats.store_damaged++;
	tc_trouble(c, &(struct turunc_trouble){
			  .about = TURUNC_ABOUT_STORE, .text = tc_journal_why(p->journal) });
	return NULL;
}

/* The item's life ends; the caller of the library hears of it last, when all is in order. */
static void
settle(struct turunc_client *c, uint64_t index, const struct turunc_result *result)
{
	struct tc_publisher *p = &c->publisher;
	const struct tc_item item = *tc_outbox_item(&p->outbox, index);
	struct turunc_result told = *result;
	bool rejected = result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED;

	told.tag = item.tag;
	if (p->journal == NULL) {
		p->memory_bytes -= item.len;
	} else if (rejected) {
		uint8_t *scratch = malloc(item.len);
		const uint8_t *bytes = scratch == NULL ? NULL : tc_publish_bytes(c, &item, scratch);
		if (bytes != NULL)
			tc_journal_reject(p->journal, item.place, result->error, bytes);
		else
			tc_journal_done(p->journal, item.place);
		free(scratch);
	} else {
		tc_journal_done(p->journal, item.place);
	}
	tc_outbox_enter(&p->outbox, index, TC_ITEM_DONE);

	if (rejected)
		c->stats.rejected++;
	else if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_DUPLICATE)
		c->stats.duplicates++;
	else
		c->stats.accepted++;
	if (c->options.handlers.on_result != NULL)
		c->options.handlers.on_result(c->options.arg, &told);
}

void
tc_publish_reject_here(struct turunc_client *c, uint64_t index, const char *error)
{
	const struct tc_item item = *tc_outbox_item(&c->publisher.outbox, index);
	struct turunc_result result = no_result;
	uint8_t *scratch = malloc(item.len);
	const uint8_t *bytes = scratch == NULL ? NULL : tc_publish_bytes(c, &item, scratch);
	Turunc__V1__InboundEvent *event =
	    bytes == NULL ? NULL : turunc__v1__inbound_event__unpack(NULL, item.len, bytes);

	result.status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED;
	result.error = error;
	if (event != NULL)
		result.id = event->id;
	settle(c, index, &result);
	if (event != NULL)
		turunc__v1__inbound_event__free_unpacked(event, NULL);
	free(scratch);
}

/* Takes the batch out of those in flight and gives its credit back. */
static bool
batch_remove(struct tc_publisher *p, uint64_t request, struct tc_batch *ret)
{
	for (size_t i = 0; i < p->batch_count; i++) {
		if (p->batches[i].request != request)
			continue;
		*ret = p->batches[i];
		p->batch_count--;
		memmove(&p->batches[i], &p->batches[i + 1],
		    (p->batch_count - i) * sizeof(p->batches[0]));
		p->credit += ret->count;
		return true;
	}
	return false;
}

static void
batch_wait_again(struct turunc_client *c, const struct tc_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		tc_outbox_enter(&c->publisher.outbox, batch->index[i], TC_ITEM_WAITING);
}

static bool
results_match(
    struct tc_publisher *p, const struct tc_batch *batch, const Turunc__V1__Published *published)
{
	if (published->n_results != batch->count)
		return false;
	for (uint32_t i = 0; i < batch->count; i++) {
		const Turunc__V1__PublishResult *r = published->results[i];
		const struct tc_item *item = tc_outbox_item(&p->outbox, batch->index[i]);
		if (tc_crc32c(0, r->id, strlen(r->id)) != item->id_crc
		    || r->status < TURUNC__V1__PUBLISH_STATUS__PUBLISH_UNSPECIFIED
		    || r->status > TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED)
			return false;
	}
	return true;
}

static void
pause_for(struct turunc_client *c, uint32_t retry_ms, uint32_t default_ms)
{
	uint32_t ms = retry_ms != 0 ? retry_ms : default_ms;

	if (ms < BUSY_LEAST_MS)
		ms = BUSY_LEAST_MS;
	if (ms > BUSY_MOST_MS)
		ms = BUSY_MOST_MS;
	c->publisher.pause_until_ms = tc_now_ms() + ms;
}

void
tc_publish_on_published(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Published *published)
{
	struct tc_publisher *p = &c->publisher;
	struct tc_batch batch;
	bool undecided = false;

	if (!batch_remove(p, request, &batch)) {
		c->stats.bad_frames++;
		return;
	}
	if (!results_match(p, &batch, published)) {
		c->stats.bad_frames++;
		batch_wait_again(c, &batch);
		tc_session_drop(c, 0, "results do not match the events published", 0);
		return;
	}
	for (uint32_t i = 0; i < batch.count; i++) {
		const Turunc__V1__PublishResult *r = published->results[i];
		if (r->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_UNSPECIFIED) {
			tc_outbox_enter(&p->outbox, batch.index[i], TC_ITEM_WAITING);
			undecided = true;
			continue;
		}
		settle(c, batch.index[i],
		    &(struct turunc_result){
			.id = r->id, .status = r->status, .ticket = r->ticket, .error = r->error });
	}
	p->batch_limit *= 2;
	if (p->batch_limit > TURUNC_BATCH_EVENTS_MAX)
		p->batch_limit = TURUNC_BATCH_EVENTS_MAX;
	if (undecided)
		pause_for(c, 0, UNAVAILABLE_PAUSE_MS);
}

void
tc_publish_on_busy(struct turunc_client *c, uint64_t request, uint32_t retry_ms)
{
	struct tc_batch batch;

	if (!batch_remove(&c->publisher, request, &batch)) {
		c->stats.bad_frames++;
		return;
	}
	c->stats.busy++;
	batch_wait_again(c, &batch);
	pause_for(c, retry_ms, UNAVAILABLE_PAUSE_MS);
}

bool
tc_publish_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error)
{
	struct tc_publisher *p = &c->publisher;
	struct tc_batch batch;
	char text[256];

	if (!batch_remove(p, request, &batch))
		return false;
	batch_wait_again(c, &batch);
	if (error->code == TURUNC__V1__ERROR_CODE__ERROR_MALFORMED) {
		/* One of these cannot be read there: halve until it stands alone. */
		p->batch_limit = batch.count / 2;
		if (p->batch_limit == 0) {
			p->batch_limit = 1;
			snprintf(text, sizeof(text), "MALFORMED: %s", error->text);
			tc_publish_reject_here(c, batch.index[0], text);
		}
		return true;
	}
	pause_for(c, error->retry_ms,
	    error->code == TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN ? FORBIDDEN_PAUSE_MS
								   : UNAVAILABLE_PAUSE_MS);
	tc_trouble(
	    c, &(struct turunc_trouble){
		   .about = TURUNC_ABOUT_PUBLISHING, .code = error->code, .text = error->text });
	return true;
}
