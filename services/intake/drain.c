/* Takes spooled items out in chunks and sees each of them into the record. */
#include "drain.h"

#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "frame.h"
#include "intake.h"
#include "log.h"
#include "number.h"
#include "spooled_item.h"
#include "store.h"
#include "survey_sms.h"

enum { AGAIN_MS = 200, CHUNK_MAX = 256 };

static const char raw_words[] =
    "Bu başvuru kayıt sistemine ulaşılamadığı sırada alındı ve olduğu gibi kaydedilemedi; "
    "gönderilen hâli bu kaydın ekinde saklanıyor. / This report was taken while the record could "
    "not be reached, and could not be stored as it was; it is kept, as sent, beside this ticket.";
static const char raw_content_type[] = "application/x-protobuf; messageType=turunc.v1.SpooledItem";

/* One item out of the spool. */
struct drained {
	struct item item; /* first: how accept gives it back */
	struct drain *drain;
	struct spool_entry *entry;
	struct frame *frame; /* what the item's texts stand in */
	bool raw;
	uint8_t *raw_body; /* owned */
	struct survey_sms *survey; /* NULL: it is no SMS that may answer an invitation */
};

struct alias {
	struct spool_entry *entry;
	int64_t given, first;
};

struct drain {
	struct intake *in;
	size_t out; /* items that accept has, or that the record is asked about */
	struct alias aliases[CHUNK_MAX];
	size_t alias_count;
	bool naming; /* the aliases are on their way */
	uint64_t not_before_ms; /* the record could not be asked */
};

struct drain *
drain_create(struct intake *in)
{
	struct drain *d = calloc(1, sizeof(*d));
	if (d != NULL)
		d->in = in;
	return d;
}

void
drain_destroy(struct drain *d)
{
	assert(d == NULL || (d->out == 0 && !d->naming));
	free(d);
}

static void
count(struct drain *d, enum drained_as what)
{
	stats_add_at(d->in->stats, INTAKE_STAT_DRAINED, what, 1);
}

static void
finish(struct drain *d, struct spool_entry *entry, enum drained_as what)
{
	count(d, what);
	spool_finish(d->in->spool, entry);
}

/* --- another name for the first ticket ----------------------------------------------------------
 */

static void
on_named(void *arg, const struct db_reply *reply)
{
	struct drain *d = arg;

	for (size_t i = 0; i < d->alias_count; i++)
		if (reply->outcome == DB_COMMITTED)
			finish(d, d->aliases[i].entry, DRAINED_ALIAS);
		else
			spool_put_back(d->in->spool, d->aliases[i].entry);
	if (reply->outcome != DB_COMMITTED)
		log_warn("spooled repeats not named yet, will be tried again sqlstate=%s why=%s",
		    reply->sqlstate, log_quoted(reply->message));
	d->alias_count = 0;
	d->naming = false;
	daemon_wake_now(d->in->daemon);
}

static void
name_aliases(struct drain *d)
{
	struct db_unit *unit = db_unit_create(d->in->writer);

	db_unit_add(unit, STORE_ALIAS);
	struct db_array *given = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < d->alias_count; i++)
		db_array_int8(given, d->aliases[i].given);
	struct db_array *first = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < d->alias_count; i++)
		db_array_int8(first, d->aliases[i].first);
	d->naming = db_submit(d->in->writer, unit, on_named, d);
	if (d->naming)
		return;
	db_unit_destroy(unit);
	for (size_t i = 0; i < d->alias_count; i++)
		spool_put_back(d->in->spool, d->aliases[i].entry);
	d->alias_count = 0;
}

/* --- a raw ticket -------------------------------------------------------------------------------
 */

/* Makes of the item a report that the record cannot but take: no text of the sender's in any
 * column, the whole of it as a body.  The id stays, so that it is found after a crash. */
static bool
make_raw(struct drained *one)
{
	struct drain *d = one->drain;
	const Turunc__V1__SpooledItem *m = (const Turunc__V1__SpooledItem *)frame_message(
	    one->frame);
	struct item raw;

	item_init(&raw, one->item.done);
	raw.client = one->item.client;
	raw.item_id = one->item.item_id;
	raw.ticket_id = one->item.opens ? one->item.ticket_id : 0;
	if (raw.ticket_id == 0
	    && !numbers_take(d->in->numbers, number_year(clock_now_us()), &raw.ticket_id))
		return false;
	raw.kind = "report";
	raw.opens = true;
	raw.channel = one->item.channel;
	raw.arrived_us = one->item.arrived_us;
	raw.legal_basis = one->item.legal_basis;
	raw.description = raw_words;
	raw.type = "ticket.opened";
	raw.time_us = one->item.time_us;
	raw.content_type = raw_content_type;
	raw.body_len = protobuf_c_message_get_packed_size(&m->base);
	uint8_t *body = malloc(raw.body_len + 1);
	if (body == NULL)
		return false;
	raw.body_len = protobuf_c_message_pack(&m->base, body);
	raw.body = body;
	if (!item_seal(&raw, &d->in->maker, clock_now_us())) {
		free(body);
		return false;
	}
	item_finish(&one->item);
	one->item = raw;
	one->raw = true;
	one->raw_body = body;
	return true;
}

/* --- one item -----------------------------------------------------------------------------------
 */

static void
destroy(struct drained *one)
{
	free(one->raw_body);
	item_finish(&one->item);
	survey_sms_destroy(one->survey);
	frame_destroy(one->frame);
	free(one);
}

static void
send_again(struct drained *one)
{
	one->drain->out++;
	accept_add_spooled(one->drain->in->accept, &one->item, clock_monotonic_ms());
}

/* True: it goes on as a raw ticket. */
static bool
refused(struct drained *one)
{
	struct drain *d = one->drain;

	if (one->raw) {
		count(d, DRAINED_ASIDE);
		log_error("the record refuses a spooled item in any shape, it stays in the spool "
			  "until the next start ticket=%lld",
		    (long long)one->item.ticket_id);
		spool_set_aside(d->in->spool, one->entry);
		return false;
	}
	log_warn("the record refuses a spooled item, it becomes a raw ticket in triage ticket=%lld",
	    (long long)one->item.ticket_id);
	if (make_raw(one))
		return true;
	spool_put_back(d->in->spool, one->entry);
	return false;
}

static void
on_drained(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct drained *one = (struct drained *)item;
	struct drain *d = one->drain;
	bool again = false;

	d->out--;
	survey_sms_count(one->survey, outcome);
	switch (outcome) {
	case ITEM_ACCEPTED:
		if (item->opens)
			stats_incr(d->in->stats, INTAKE_STAT_OPENED);
		finish(d, one->entry, one->raw ? DRAINED_RAW : DRAINED_WRITTEN);
		break;
	case ITEM_DUPLICATE:
		if (!item->opens || ticket_id == 0 || ticket_id == item->ticket_id)
			finish(d, one->entry, DRAINED_REPEAT);
		else
			d->aliases[d->alias_count++] = (struct alias){ one->entry, item->ticket_id,
				ticket_id };
		break;
	case ITEM_ID_REUSED:
		count(d, DRAINED_REUSED);
		item->id = NULL;
		again = true;
		break;
	case ITEM_REFUSED:
		again = refused(one);
		break;
	case ITEM_SPOOLED: /* accept does not spool what comes from there */
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		spool_put_back(d->in->spool, one->entry);
		break;
	}
	if (again)
		send_again(one);
	else
		destroy(one);
	if (d->out == 0)
		daemon_wake_now(d->in->daemon);
}

/* --- a message that may answer an invitation ----------------------------------------------------
 */

static void
leave(struct drained *one)
{
	struct drain *d = one->drain;

	d->not_before_ms = clock_monotonic_ms() + AGAIN_MS;
	spool_put_back(d->in->spool, one->entry);
	destroy(one);
}

static void
on_looked(void *arg, enum survey_sms_look look)
{
	struct drained *one = arg;
	struct drain *d = one->drain;

	d->out--;
	if (look == SURVEY_SMS_NONE)
		send_again(one);
	else
		leave(one);
	if (d->out == 0)
		daemon_wake_now(d->in->daemon);
}

/* False: it is back in its place. */
static bool
look(struct drained *one)
{
	struct drain *d = one->drain;

	switch (survey_sms_look(d->in, &one->item, on_looked, one, &one->survey)) {
	case SURVEY_SMS_ASKED:
		d->out++;
		return true;
	case SURVEY_SMS_NONE:
		send_again(one);
		return true;
	case SURVEY_SMS_AWAY:
	case SURVEY_SMS_NO_MEMORY:
		break;
	}
	leave(one);
	return false;
}

/* --- a chunk ------------------------------------------------------------------------------------
 */

/* False: memory ran out, the entry is back in its place. */
static bool
begin(struct drain *d, struct spool_entry *entry)
{
	bool damaged;
	struct drained *one = calloc(1, sizeof(*one));
	struct frame *frame = one == NULL ? NULL : spool_read(d->in->spool, entry, &damaged);

	if (one == NULL || (frame == NULL && !damaged)) {
		free(one);
		spool_put_back(d->in->spool, entry);
		return false;
	}
	one->drain = d;
	one->entry = entry;
	one->frame = frame;
	if (frame == NULL
	    || !spooled_item_decode(&one->item, spooled_item_message(frame), on_drained)) {
		log_error("a spooled item cannot be read back, its file is kept in the spool");
		count(d, DRAINED_DAMAGED);
		spool_set_aside(d->in->spool, entry);
		frame_destroy(frame);
		free(one);
		return true;
	}
	return look(one);
}

int64_t
drain_tick(struct drain *d, uint64_t now_ms)
{
	struct intake *in = d->in;
	struct spool_entry *entry;
	size_t begun = 0;

	if (d->out > 0 || d->naming)
		return -1; /* their answers wake us */
	if (d->alias_count > 0)
		name_aliases(d);
	if (d->naming || spool_waiting(in->spool) == 0)
		return -1;
	if (db_state_now(in->writer) != DB_READY || daemon_draining(in->daemon)
	    || now_ms < d->not_before_ms)
		return AGAIN_MS;
	while (begun < CHUNK_MAX && (entry = spool_take(in->spool)) != NULL && begin(d, entry))
		begun++;
	return begun == 0 ? AGAIN_MS : -1;
}
