/* The bus door: Publish frames become items, and are answered when every item is. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock.h"
#include "door.h"
#include "event_item.h"
#include "log.h"
#include "number.h"
#include "survey_sms.h"
#include "utf8.h"

enum {
	EVENTS_MAX = 1024, /* in one Publish: so many results fit a frame with the worst of ids */
	EVENTS_WORDY = 256, /* up to so many, errors are told at length */
	ERROR_SHORT_BYTES = 60,
	RETRY_AWAY_MS = 1000,
	RETRY_FULL_MS = 100,
	RETRY_CREDIT_MS = 20,
	ID_BYTES = 128,
};

static char no_text[] = ""; /* protobuf-c's strings are not const */

/* What we keep of a session: its credit, and the frames it waits for. */
struct publisher {
	struct bus_session *session;
	uint32_t credit;
	uint32_t outstanding;
	LIST_HEAD(, publish) publishes;
};

struct slot {
	struct event_item event; /* first, then its item: how accept gives it back */
	struct publish *publish;
	Turunc__V1__PublishResult result;
	char ticket[NUMBER_SIZE];
	char *error; /* owned */
	int64_t taken_us;
	bool prepared; /* an item, not rejected at the door */
	struct survey_sms *survey; /* NULL: it was not looked whether it answers one */
};

/* One Publish from its frame to its answer. */
struct publish {
	LIST_ENTRY(publish) link;
	struct publisher *publisher; /* NULL: the session is over, nobody waits */
	struct intake *in;
	struct frame *frame;
	char client[ACL_NAME_BYTES + 1];
	uint64_t request;
	size_t count;
	size_t waiting; /* items without an answer */
	size_t undecided; /* items that could not be written now */
	struct slot slots[];
};

static void
publish_destroy(struct publish *pub)
{
	for (size_t i = 0; i < pub->count; i++) {
		event_item_finish(&pub->slots[i].event);
		survey_sms_destroy(pub->slots[i].survey);
		free(pub->slots[i].error);
	}
	frame_destroy(pub->frame);
	free(pub);
}

/* --- the answer --------------------------------------------------------------------------------
 */

static void
busy(
    struct intake *in, struct bus_session *session, uint64_t request, size_t why, uint32_t retry_ms)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Busy body = TURUNC__V1__BUSY__INIT;

	stats_add_at(in->stats, INTAKE_STAT_BUSY, why, 1);
	body.retry_ms = retry_ms;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_BUSY;
	frame.busy = &body;
	(void)bus_send(session, &frame);
}

static void
send_results(struct publish *pub, struct bus_session *session)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Published published = TURUNC__V1__PUBLISHED__INIT;
	Turunc__V1__PublishResult **results = malloc((pub->count + 1) * sizeof(results[0]));

	if (results == NULL) {
		/* Sent again, the events get the same answers as repeats. */
		busy(pub->in, session, pub->request, BUSY_FULL, RETRY_AWAY_MS);
		return;
	}
	for (size_t i = 0; i < pub->count; i++)
		results[i] = &pub->slots[i].result;
	published.n_results = pub->count;
	published.results = results;
	frame.request = pub->request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_PUBLISHED;
	frame.published = &published;
	(void)bus_send(session, &frame);
	free(results);
}

static void
answer(struct publish *pub)
{
	struct publisher *publisher = pub->publisher;

	if (publisher != NULL) {
		LIST_REMOVE(pub, link);
		assert(publisher->outstanding >= pub->count);
		publisher->outstanding -= (uint32_t)pub->count;
		if (pub->undecided > 0 && pub->undecided == pub->count)
			busy(pub->in, publisher->session, pub->request, BUSY_AWAY, RETRY_AWAY_MS);
		else
			send_results(pub, publisher->session);
	}
	pub->in->publishes--;
	publish_destroy(pub);
}

static void
reject(struct slot *slot, const char *error)
{
	struct publish *pub = slot->publish;
	size_t max = pub->count > EVENTS_WORDY ? ERROR_SHORT_BYTES : EVENT_ERROR_BYTES;
	size_t len = utf8_prefix_len(error, strlen(error), max);

	stats_incr(pub->in->stats, INTAKE_STAT_REJECTED);
	slot->result.status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED;
	slot->error = malloc(len + 1);
	if (slot->error == NULL)
		return; /* the status tells the most of it */
	memcpy(slot->error, error, len);
	slot->error[len] = '\0';
	slot->result.error = slot->error;
}

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct slot *slot = (struct slot *)item;
	struct publish *pub = slot->publish;
	struct intake *in = pub->in;

	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	survey_sms_count(slot->survey, outcome);
	stats_observe(in->stats, INTAKE_STAT_WAITED, clock_monotonic_us() - slot->taken_us);
	if (outcome == ITEM_ACCEPTED && item->opens)
		stats_incr(in->stats, INTAKE_STAT_OPENED);
	switch (outcome) {
	case ITEM_ACCEPTED:
		slot->result.status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_ACCEPTED;
		break;
	case ITEM_SPOOLED:
		slot->result.status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_SPOOLED;
		break;
	case ITEM_DUPLICATE:
		slot->result.status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_DUPLICATE;
		break;
	case ITEM_ID_REUSED:
		reject(slot, "ID_REUSED: this id came before with another content");
		break;
	case ITEM_REFUSED:
		reject(slot, "BAD_FIELD: the record cannot take this content");
		break;
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		/* No status: neither taken nor final; the client sends it again. */
		pub->undecided++;
		break;
	}
	bool told = outcome == ITEM_ACCEPTED || outcome == ITEM_SPOOLED
		    || outcome == ITEM_DUPLICATE;
	if (told && ticket_id != 0 && number_format(ticket_id, slot->ticket))
		slot->result.ticket = slot->ticket;
	if (--pub->waiting == 0)
		answer(pub);
}

/* It is known whether it answers an invitation, or nobody can say.  In the spool it is looked at
 * again; written without a look it would never be counted, so that then it has to come again. */
static void
on_looked(void *arg, enum survey_sms_look look)
{
	struct slot *slot = arg;
	struct item *item = &slot->event.item;
	struct intake *in = slot->publish->in;

	if (look == SURVEY_SMS_NONE || (look == SURVEY_SMS_AWAY && in->writer_lost))
		accept_add(in->accept, item, clock_monotonic_ms());
	else
		on_done(item, ITEM_UNAVAILABLE, 0);
}

/* --- the frame ---------------------------------------------------------------------------------
 */

static void
prepare(struct slot *slot, Turunc__V1__InboundEvent *event, const struct acl_client *client,
    const struct catalogue *cat, int64_t now_us)
{
	struct publish *pub = slot->publish;
	char error[EVENT_ERROR_BYTES];

	slot->result.id = strlen(event->id) <= ID_BYTES ? event->id : no_text;
	switch (event_item_read(&slot->event, event, client, cat, &pub->in->maker, now_us, error)) {
	case EVENT_READ:
		slot->event.item.client = pub->client;
		slot->event.item.call_client = pub->client;
		slot->prepared = true;
		pub->waiting++;
		break;
	case EVENT_REJECTED:
		reject(slot, error);
		break;
	case EVENT_NO_MEMORY:
		pub->undecided++; /* no status: neither taken nor final */
		break;
	}
}

/* Numbers and records for what is to be taken.  False: nothing is, come again. */
static bool
seal(struct publish *pub, int64_t now_us)
{
	struct intake *in = pub->in;

	for (size_t i = 0; i < pub->count; i++) {
		struct event_item *e = &pub->slots[i].event;
		if (!pub->slots[i].prepared)
			continue;
		if (e->item.opens
		    && !numbers_take(
			in->numbers, number_year(e->item.arrived_us), &e->item.ticket_id)) {
			stats_incr(in->stats, INTAKE_STAT_NO_NUMBER);
			return false;
		}
		if (!item_seal(&e->item, &in->maker, now_us))
			return false;
	}
	return true;
}

static struct publish *
publish_create(struct intake *in, struct publisher *publisher, struct bus_session *session,
    const Turunc__V1__ClientFrame *frame)
{
	size_t count = frame->publish->n_events;
	struct publish *pub = calloc(1, sizeof(*pub) + count * sizeof(pub->slots[0]));
	int64_t taken_us = clock_monotonic_us();

	if (pub == NULL)
		return NULL;
	pub->publisher = publisher;
	pub->in = in;
	pub->request = frame->request;
	pub->count = count;
	(void)memccpy(pub->client, bus_session_client(session), '\0', sizeof(pub->client) - 1);
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = &pub->slots[i];
		event_item_init(&slot->event, on_done);
		turunc__v1__publish_result__init(&slot->result);
		slot->publish = pub;
		slot->taken_us = taken_us;
	}
	pub->frame = bus_take_frame(session);
	return pub;
}

/* True: the frame may be taken.  Else the client was told. */
static bool
admits(struct intake *in, struct bus_session *session, const struct publisher *publisher,
    const Turunc__V1__ClientFrame *frame)
{
	size_t count = frame->publish->n_events;
	const char *why;

	if (daemon_draining(in->daemon)) {
		(void)bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN, "The service is stopping.");
		return false;
	}
	if (count > EVENTS_MAX || count > publisher->credit) {
		(void)bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
		    "More events than the credit, or than 1024, in one Publish.");
		return false;
	}
	if (count > publisher->credit - publisher->outstanding) {
		busy(in, session, frame->request, BUSY_CREDIT, RETRY_CREDIT_MS);
		return false;
	}
	if (!intake_takes(in, count, 2 * FRAME_MAX_BYTES, &why)) {
		busy(in, session, frame->request, in->writer_lost ? BUSY_AWAY : BUSY_FULL,
		    in->writer_lost ? RETRY_AWAY_MS : RETRY_FULL_MS);
		return false;
	}
	return true;
}

static void
send_items(struct publish *pub)
{
	pub->waiting++; /* it stays, whatever is answered at once */
	for (size_t i = 0; i < pub->count; i++) {
		struct slot *slot = &pub->slots[i];
		if (!slot->prepared)
			continue;
		enum survey_sms_look look = survey_sms_look(
		    pub->in, &slot->event.item, on_looked, slot, &slot->survey);
		if (look != SURVEY_SMS_ASKED)
			on_looked(slot, look);
	}
	if (--pub->waiting == 0)
		answer(pub);
}

void
door_bus_publish(
    struct intake *in, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct publisher *publisher = bus_session_data(session);
	const struct acl_client *client = bus_session_rights(session);
	const struct catalogue *cat = registry_catalogue(in->registry);
	int64_t now_us = clock_now_us();

	if (publisher == NULL) {
		busy(in, session, frame->request, BUSY_FULL, RETRY_AWAY_MS);
		return;
	}
	if (!admits(in, session, publisher, frame))
		return;
	struct publish *pub = publish_create(in, publisher, session, frame);
	if (pub == NULL) {
		busy(in, session, frame->request, BUSY_FULL, RETRY_AWAY_MS);
		return;
	}
	for (size_t i = 0; i < pub->count; i++)
		prepare(&pub->slots[i], frame->publish->events[i], client, cat, now_us);
	if (!seal(pub, now_us)) {
		busy(in, session, pub->request, BUSY_NO_NUMBER, RETRY_FULL_MS);
		publish_destroy(pub);
		return;
	}
	publisher->outstanding += (uint32_t)pub->count;
	in->publishes++;
	LIST_INSERT_HEAD(&publisher->publishes, pub, link);
	if (pub->waiting == 0) {
		answer(pub);
		return;
	}
	send_items(pub);
}

/* --- sessions ----------------------------------------------------------------------------------
 */

void
door_bus_on_open(void *arg, struct bus_session *session, uint32_t *credit_events)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	(void)arg;
	if (publisher == NULL) {
		*credit_events = 0;
		return;
	}
	publisher->session = session;
	publisher->credit = *credit_events;
	LIST_INIT(&publisher->publishes);
	bus_session_set_data(session, publisher);
	log_debug("publisher came client=%s session=%llu", bus_session_client(session),
	    (unsigned long long)bus_session_id(session));
}

/* What was taken is written all the same; the client asks again and is told "duplicate". */
void
door_bus_on_close(void *arg, struct bus_session *session, enum bus_close_reason reason)
{
	struct publisher *publisher = bus_session_data(session);
	struct publish *pub;

	(void)arg;
	log_debug("publisher left client=%s session=%llu why=%s", bus_session_client(session),
	    (unsigned long long)bus_session_id(session), bus_close_reason_name(reason));
	if (publisher == NULL)
		return;
	while ((pub = LIST_FIRST(&publisher->publishes)) != NULL) {
		LIST_REMOVE(pub, link);
		pub->publisher = NULL;
	}
	bus_session_set_data(session, NULL);
	free(publisher);
}
