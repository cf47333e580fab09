/* Subscribing: asks, grants credit as records are acknowledged, checks that nothing is missing,
 * and resumes after a lost session. */
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum {
	WINDOW_DEFAULT = 1024,
	NAME_MAX_BYTES = 64,
	SUBSCRIBE_BYTES_MAX = 4000,
	IN_USE_FIRST_MS = 1000,
	IN_USE_MOST_MS = 5000,
	AGAIN_MS = 500
};

/* --- what is wanted ----------------------------------------------------------------------------
 */

static bool
name_valid(const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);

	return len > 0 && len <= NAME_MAX_BYTES
	       && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static char *
copy_or_null(const char *text, bool *ok)
{
	char *copy = text == NULL ? NULL : strdup(text);

	if (text != NULL && copy == NULL)
		*ok = false;
	return copy;
}

/* The library owns the copies; the struct's pointers are const for its callers. */
static void
wanted_finish(struct turunc_subscription *w)
{
	char *name, *log_id, **types, **departments;

	memcpy(&name, &w->name, sizeof(name));
	memcpy(&log_id, &w->log_id, sizeof(log_id));
	memcpy(&types, &w->types, sizeof(types));
	memcpy(&departments, &w->departments, sizeof(departments));
	free(name);
	free(log_id);
	tc_strings_free(types, w->type_count);
	tc_strings_free(departments, w->department_count);
	memset(w, 0, sizeof(*w));
}

static bool
wanted_copy(struct turunc_subscription *to, const struct turunc_subscription *from)
{
	bool ok = true;

	*to = *from;
	to->name = copy_or_null(from->name, &ok);
	to->log_id = copy_or_null(from->log_id, &ok);
	to->types = (const char *const *)tc_strings_copy(from->types, from->type_count, &ok);
	to->departments = (const char *const *)tc_strings_copy(
	    from->departments, from->department_count, &ok);
	if (to->types == NULL)
		to->type_count = 0;
	if (to->departments == NULL)
		to->department_count = 0;
	if (!ok)
		wanted_finish(to);
	return ok;
}

static void
frame_fill(const struct turunc_subscription *w, Turunc__V1__Subscribe *subscribe)
{
	char *name, *log_id, **list;

	memcpy(&name, &w->name, sizeof(name));
	subscribe->name = name;
	subscribe->n_types = w->type_count;
	memcpy(&list, &w->types, sizeof(list));
	subscribe->types = list;
	subscribe->n_departments = w->department_count;
	memcpy(&list, &w->departments, sizeof(list));
	subscribe->departments = list;
	subscribe->view = w->view;
	subscribe->from = w->from;
	subscribe->from_seq = w->from_seq;
	subscribe->from_time_us = w->from_time_us;
	subscribe->replace = w->replace;
	subscribe->take_over = w->take_over;
	if (w->log_id != NULL) {
		memcpy(&log_id, &w->log_id, sizeof(log_id));
		subscribe->log_id = log_id;
	}
}

enum turunc_outcome
turunc_subscribe(struct turunc_client *c, const struct turunc_subscription *wanted)
{
	struct tc_subscriber *s = &c->subscriber;
	Turunc__V1__Subscribe check = TURUNC__V1__SUBSCRIBE__INIT;
	struct turunc_subscription copy;
	uint32_t window = wanted->window == 0 ? WINDOW_DEFAULT : wanted->window;

	if (c->options.door != TURUNC_DOOR_STREAM)
		return TURUNC_NOT_NOW;
	if (!name_valid(wanted->name) || window > TURUNC_WINDOW_MAX)
		return TURUNC_INVALID;
	frame_fill(wanted, &check);
	if (!tc_message_text_valid(&check.base))
		return TURUNC_INVALID;
	if (turunc__v1__subscribe__get_packed_size(&check) > SUBSCRIBE_BYTES_MAX)
		return TURUNC_TOO_LARGE;
	struct tc_unacked *ring = calloc(window, sizeof(*ring));
	if (ring == NULL || !wanted_copy(&copy, wanted)) {
		free(ring);
		return TURUNC_NO_MEMORY;
	}

	turunc_unsubscribe(c);
	copy.window = window;
	tc_subscribe_close(c);
	*s = (struct tc_subscriber){
		.state = TC_SUB_WANTED, .wanted = copy, .unacked = ring, .let_go = s->let_go
	};
	tc_wake(c);
	return TURUNC_TAKEN;
}

void
turunc_unsubscribe(struct turunc_client *c)
{
	struct tc_subscriber *s = &c->subscriber;

	/* A door knows no other way to let a subscription go than the end of its session. */
	if (s->state == TC_SUB_ASKED || s->state == TC_SUB_HELD)
		s->let_go = true;
	s->state = TC_SUB_NONE;
	tc_wake(c);
}

bool
turunc_subscribed(const struct turunc_client *c)
{
	return c->subscriber.state != TC_SUB_NONE;
}

void
tc_subscribe_close(struct turunc_client *c)
{
	wanted_finish(&c->subscriber.wanted);
	free(c->subscriber.unacked);
	c->subscriber.unacked = NULL;
}

void
tc_subscribe_stop(struct turunc_client *c)
{
	struct tc_subscriber *s = &c->subscriber;

	s->let_go = false;
	if (s->state == TC_SUB_NONE)
		return;
	s->state = TC_SUB_WANTED;
	s->due_ms = 0;
	s->ack_in_flight = false;
}

/* The subscription is over until the caller asks anew. */
static void
end_for_good(struct turunc_client *c, const struct turunc_trouble *trouble)
{
	struct turunc_trouble told = *trouble;

	c->subscriber.state = TC_SUB_NONE;
	told.about = TURUNC_ABOUT_SUBSCRIPTION;
	told.final = true;
	tc_trouble(c, &told);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static void
ask(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_subscriber *s = &c->subscriber;
	Turunc__V1__Subscribe subscribe = TURUNC__V1__SUBSCRIBE__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;

	frame_fill(&s->wanted, &subscribe);
	if (s->established) {
		subscribe.from = TURUNC__V1__FROM__FROM_RESUME;
		subscribe.from_seq = 0;
		subscribe.from_time_us = 0;
		subscribe.replace = false;
		subscribe.take_over = false;
		subscribe.log_id = s->log_id;
	}
	frame.request = s->request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE;
	frame.subscribe = &subscribe;
	s->state = TC_SUB_ASKED;
	s->deadline_ms = now_ms + c->options.answer_ms;
	(void)tc_session_say(c, &frame);
}

void
tc_subscribe_on_subscribed(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Subscribed *subscribed)
{
	struct tc_subscriber *s = &c->subscriber;

	if (s->state != TC_SUB_ASKED || request != s->request || subscribed->from_seq == 0) {
		c->stats.bad_frames++;
		return;
	}
	uint64_t before = subscribed->from_seq - 1;
	if (s->established && before > s->acked_seq) {
		c->stats.gaps++;
		end_for_good(c, &(struct turunc_trouble){ .gap = true,
				    .text = "resumed behind what was acknowledged: somebody moved "
					    "the cursor" });
		tc_session_leave(c);
		return;
	}
	if (!s->established)
		s->acked_seq = s->given_seq = before;
	s->established = true;
	s->state = TC_SUB_HELD;
	s->epoch = subscribed->epoch;
	s->through_seq = s->ack_sent_seq = before;
	s->credit = s->unacked_records = 0;
	s->unacked_first = s->unacked_count = 0;
	s->refusals = 0;
	memcpy(s->log_id, c->log_id, sizeof(s->log_id));
	if (c->options.handlers.on_subscribed != NULL)
		c->options.handlers.on_subscribed(c->options.arg, subscribed->from_seq);
}

bool
tc_subscribe_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error)
{
	struct tc_subscriber *s = &c->subscriber;
	struct turunc_trouble trouble = { .about = TURUNC_ABOUT_SUBSCRIPTION,
		.code = error->code,
		.text = error->text,
		.last_common_seq = error->last_common_seq };
	bool ours = s->state == TC_SUB_ASKED || s->state == TC_SUB_HELD;

	if (!ours || c->session.state != TURUNC_READY)
		return false;
	switch (error->code) {
	case TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED:
	case TURUNC__V1__ERROR_CODE__ERROR_SUPERSEDED:
	case TURUNC__V1__ERROR_CODE__ERROR_FILTER_DIFFERS:
	case TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN:
		end_for_good(c, &trouble);
		return true;
	case TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL:
	case TURUNC__V1__ERROR_CODE__ERROR_MALFORMED:
		if (request != s->request)
			return false;
		end_for_good(c, &trouble);
		return true;
	case TURUNC__V1__ERROR_CODE__ERROR_NO_SUBSCRIPTION:
	case TURUNC__V1__ERROR_CODE__ERROR_BAD_ACK:
	case TURUNC__V1__ERROR_CODE__ERROR_IN_USE:
		break;
	default:
		if (request != s->request && request != s->ack_request)
			return false;
	}
	tc_trouble(c, &trouble);
	if (s->state == TC_SUB_HELD) {
		tc_session_drop(c, error->code, error->text, error->retry_ms);
	} else if (s->state == TC_SUB_ASKED) {
		uint32_t wait_ms = AGAIN_MS;
		if (error->code == TURUNC__V1__ERROR_CODE__ERROR_IN_USE)
			wait_ms = s->refusals < 2 ? (uint32_t)IN_USE_FIRST_MS << s->refusals
						  : IN_USE_MOST_MS;
		s->refusals++;
		s->state = TC_SUB_WANTED;
		s->due_ms = tc_now_ms() + (error->retry_ms != 0 ? error->retry_ms : wait_ms);
	}
	return true;
}

/* --- receiving ---------------------------------------------------------------------------------
 */

/* What the caller has acknowledged no longer counts against the window. */
static void
forget_acked(struct tc_subscriber *s)
{
	while (s->unacked_count > 0 && s->unacked[s->unacked_first].through_seq <= s->acked_seq) {
		s->unacked_records -= s->unacked[s->unacked_first].records;
		s->unacked_first = (s->unacked_first + 1) % s->wanted.window;
		s->unacked_count--;
	}
}

static void
remember_unacked(struct tc_subscriber *s, uint64_t through_seq, uint32_t records)
{
	if (records == 0) {
		/* Moves the last one's end along, so that the ring never outgrows the window. */
		if (s->unacked_count > 0)
			s->unacked[(s->unacked_first + s->unacked_count - 1) % s->wanted.window]
			    .through_seq = through_seq;
		return;
	}
	s->unacked[(s->unacked_first + s->unacked_count) % s->wanted.window] =
	    (struct tc_unacked){ through_seq, records };
	s->unacked_count++;
	s->unacked_records += records;
}

/* NULL when the delivery follows the one before, in itself and with it. */
static const char *
delivery_fault(const struct tc_subscriber *s, const Turunc__V1__Deliver *deliver)
{
	uint64_t last = deliver->after_seq;

	if (deliver->after_seq != s->through_seq)
		return "records are missing between two deliveries";
	if (deliver->through_seq < deliver->after_seq)
		return "a delivery that ends before it begins";
	if (deliver->n_records > s->credit)
		return "more records than credit";
	for (size_t i = 0; i < deliver->n_records; i++) {
		if (deliver->records[i]->seq <= last)
			return "records out of order";
		last = deliver->records[i]->seq;
	}
	return last > deliver->through_seq ? "a record beyond its delivery's end" : NULL;
}

void
tc_subscribe_on_deliver(struct turunc_client *c, const Turunc__V1__Deliver *deliver)
{
	struct tc_subscriber *s = &c->subscriber;

	if (s->state != TC_SUB_HELD || deliver->epoch != s->epoch)
		return; /* sent before the door knew; what it held comes again if still wanted */
	if (s->log_id[0] != '\0' && strcmp(deliver->log_id, s->log_id) != 0) {
		end_for_good(
		    c, &(struct turunc_trouble){ .code = TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED,
			   .text = "the log has another history now" });
		tc_session_leave(c);
		return;
	}
	const char *fault = delivery_fault(s, deliver);
	if (fault != NULL) {
		c->stats.gaps++;
		tc_trouble(c, &(struct turunc_trouble){
				  .about = TURUNC_ABOUT_SUBSCRIPTION, .text = fault, .gap = true });
		tc_session_drop(c, 0, fault, 0);
		return;
	}
	s->through_seq = deliver->through_seq;
	if (s->given_seq < deliver->through_seq)
		s->given_seq = deliver->through_seq;
	s->credit -= (uint32_t)deliver->n_records;
	remember_unacked(s, deliver->through_seq, (uint32_t)deliver->n_records);
	forget_acked(s);
	c->stats.records += deliver->n_records;
	if (c->options.handlers.on_deliver != NULL)
		c->options.handlers.on_deliver(c->options.arg, deliver);
}

void
tc_subscribe_on_acked(struct turunc_client *c, const Turunc__V1__Acked *acked)
{
	struct tc_subscriber *s = &c->subscriber;

	if (s->state == TC_SUB_HELD && s->ack_in_flight && acked->through_seq >= s->ack_sent_seq)
		s->ack_in_flight = false;
}

enum turunc_outcome
turunc_ack(struct turunc_client *c, uint64_t through_seq)
{
	struct tc_subscriber *s = &c->subscriber;

	if (s->state == TC_SUB_NONE)
		return TURUNC_NOT_NOW;
	if (through_seq > s->given_seq)
		return TURUNC_INVALID;
	if (through_seq <= s->acked_seq)
		return TURUNC_TAKEN;
	s->acked_seq = through_seq;
	if (s->state == TC_SUB_HELD)
		forget_acked(s);
	tc_wake(c);
	return TURUNC_TAKEN;
}

/* --- sending -----------------------------------------------------------------------------------
 */

/* One Ack at a time: what is acknowledged meanwhile goes with the next. */
static void
say_ack(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_subscriber *s = &c->subscriber;
	Turunc__V1__Ack ack = TURUNC__V1__ACK__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	uint64_t through = s->acked_seq < s->through_seq ? s->acked_seq : s->through_seq;

	if (s->ack_in_flight || through <= s->ack_sent_seq)
		return;
	ack.epoch = s->epoch;
	ack.through_seq = s->ack_sent_seq = through;
	frame.request = s->ack_request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_ACK;
	frame.ack = &ack;
	s->ack_in_flight = true;
	s->ack_deadline_ms = now_ms + c->options.answer_ms;
	(void)tc_session_say(c, &frame);
}

static void
say_credit(struct turunc_client *c)
{
	struct tc_subscriber *s = &c->subscriber;
	Turunc__V1__Credit credit = TURUNC__V1__CREDIT__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	uint32_t grant = s->wanted.window - s->unacked_records - s->credit;

	if (s->state != TC_SUB_HELD)
		return;
	if (grant > TURUNC_CREDIT_MAX - s->credit)
		grant = TURUNC_CREDIT_MAX - s->credit;
	if (grant == 0 || (s->credit > 0 && grant < s->wanted.window / 4))
		return;
	credit.epoch = s->epoch;
	credit.records = grant;
	frame.request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_CREDIT;
	frame.credit = &credit;
	s->credit += grant;
	(void)tc_session_say(c, &frame);
}

void
tc_subscribe_work(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_subscriber *s = &c->subscriber;

	if (s->let_go)
		tc_session_leave(c);
	if (c->session.state != TURUNC_READY)
		return;
	if (s->state == TC_SUB_WANTED && s->due_ms <= now_ms)
		ask(c, now_ms);
	else if ((s->state == TC_SUB_ASKED && s->deadline_ms <= now_ms)
		 || (s->state == TC_SUB_HELD && s->ack_in_flight && s->ack_deadline_ms <= now_ms))
		tc_session_drop(c, 0, "the door does not answer about the subscription", 0);
	if (s->state == TC_SUB_HELD) {
		say_ack(c, now_ms);
		say_credit(c);
	}
}

uint64_t
tc_subscribe_deadline(const struct turunc_client *c)
{
	const struct tc_subscriber *s = &c->subscriber;

	if (c->session.state != TURUNC_READY)
		return UINT64_MAX;
	switch (s->state) {
	case TC_SUB_WANTED:
		return s->due_ms;
	case TC_SUB_ASKED:
		return s->deadline_ms;
	case TC_SUB_HELD:
		return s->ack_in_flight ? s->ack_deadline_ms : UINT64_MAX;
	case TC_SUB_NONE:
		break;
	}
	return UINT64_MAX;
}
