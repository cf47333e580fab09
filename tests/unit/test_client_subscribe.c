/* The C client's subscription: nothing is skipped silently, and what ends it for good is told. */
#include "base.h"
#include "lib/client_door.h"

struct notes {
	unsigned subscribed, deliveries, records, troubles;
	uint64_t from_seq, through_seq, last_seq;
	bool ack_at_once;
	struct turunc_trouble trouble; /* text is not kept */
	struct turunc_client *c;
};

static void
note_subscribed(void *arg, uint64_t from_seq)
{
	struct notes *n = arg;

	n->subscribed++;
	n->from_seq = from_seq;
}

static void
note_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct notes *n = arg;

	n->deliveries++;
	n->records += (unsigned)deliver->n_records;
	n->through_seq = deliver->through_seq;
	if (deliver->n_records > 0)
		n->last_seq = deliver->records[deliver->n_records - 1]->seq;
	if (n->ack_at_once)
		CHECK(turunc_ack(n->c, deliver->through_seq) == TURUNC_TAKEN);
}

static void
note_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct notes *n = arg;

	if (trouble->about == TURUNC_ABOUT_SESSION)
		return;
	n->troubles++;
	n->trouble = *trouble;
}

static struct turunc_client *
make(struct door *d, struct notes *n)
{
	char why[200] = "";
	struct turunc_options o = door_options(d, TURUNC_DOOR_STREAM);

	o.handlers = (struct turunc_handlers){ .on_trouble = note_trouble,
		.on_subscribed = note_subscribed,
		.on_deliver = note_deliver };
	o.arg = n;
	n->c = turunc_client_create(&o, why, sizeof(why));
	if (!CHECK(n->c != NULL))
		printf("%s\n", why);
	return n->c;
}

static void
answer_subscribed(struct door *d, uint64_t request, uint64_t epoch, uint64_t from_seq)
{
	Turunc__V1__Subscribed subscribed = TURUNC__V1__SUBSCRIBED__INIT;
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	subscribed.epoch = epoch;
	subscribed.from_seq = from_seq;
	out.request = request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_SUBSCRIBED;
	out.subscribed = &subscribed;
	door_say(d, &out);
}

/* A Deliver of count records, the last one at through. */
static void
deliver(struct door *d, uint64_t epoch, uint64_t after, uint64_t through, size_t count)
{
	Turunc__V1__Deliver body = TURUNC__V1__DELIVER__INIT;
	Turunc__V1__Record records[16], *list[16];
	answer out = TURUNC__V1__SERVER_FRAME__INIT;
	char log_id[64];

	snprintf(log_id, sizeof(log_id), "%s", d->log_id);
	for (size_t i = 0; i < count; i++) {
		turunc__v1__record__init(&records[i]);
		records[i].seq = through - (count - 1 - i);
		list[i] = &records[i];
	}
	body.log_id = log_id;
	body.epoch = epoch;
	body.after_seq = after;
	body.through_seq = through;
	body.n_records = count;
	body.records = list;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_DELIVER;
	out.deliver = &body;
	door_say(d, &out);
}

static void
answer_acked(struct door *d, const said *frame)
{
	Turunc__V1__Acked acked = TURUNC__V1__ACKED__INIT;
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	acked.through_seq = frame->ack->through_seq;
	out.request = frame->request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_ACKED;
	out.acked = &acked;
	door_say(d, &out);
}

/* The next frame that is no Ping, Credit included. */
static said *
next_any(struct door *d, struct turunc_client *c)
{
	uint64_t until_ms = check_now_ms() + DOOR_LIMIT_MS;

	while (check_now_ms() < until_ms) {
		said *frame = door_turn(d, c);
		if (frame != NULL && frame->body_case != TURUNC__V1__CLIENT_FRAME__BODY_PING)
			return frame;
		said_free(frame);
	}
	CHECK(false);
	return NULL;
}

/* Greets, expects Subscribe with this From, answers it with from_seq, reads the first Credit. */
static bool
hold(struct door *d, struct turunc_client *c, Turunc__V1__From from, uint64_t epoch,
    uint64_t from_seq, uint32_t credit)
{
	if (!door_greet(d, c))
		return false;
	said *frame = door_expect(d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
	if (frame == NULL)
		return false;
	bool ok = CHECK_U64("from", frame->subscribe->from, from);
	answer_subscribed(d, frame->request, epoch, from_seq);
	said_free(frame);
	frame = next_any(d, c);
	ok = frame != NULL && frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_CREDIT
	     && CHECK_U64("credit", frame->credit->records, credit) && ok;
	said_free(frame);
	return ok;
}

static const struct turunc_subscription parks = {
	.name = "parks", .from = TURUNC__V1__FROM__FROM_EARLIEST, .window = 8
};

TEST(test_subscription_is_said_in_full)
{
	struct door d;
	struct notes n = { 0 };
	const char *const types[] = { "ticket.routed", "ticket.resolved" };
	const char *const departments[] = { "park" };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	struct turunc_subscription wanted = { .name = "parks",
		.types = types,
		.type_count = 2,
		.departments = departments,
		.department_count = 1,
		.from = TURUNC__V1__FROM__FROM_SEQ,
		.from_seq = 41,
		.log_id = LOG_A,
		.view = TURUNC__V1__VIEW__VIEW_NONE,
		.replace = true,
		.take_over = true };
	CHECK(turunc_subscribe(c, &wanted) == TURUNC_TAKEN);
	CHECK(door_greet(&d, c));
	said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
	if (frame == NULL)
		return;
	const Turunc__V1__Subscribe *s = frame->subscribe;
	CHECK_STR("name", s->name, "parks");
	CHECK_U64("types", s->n_types, 2);
	CHECK_STR("second", s->types[1], "ticket.resolved");
	CHECK_STR("department", s->n_departments == 1 ? s->departments[0] : NULL, "park");
	CHECK_U64("seq", s->from_seq, 41);
	CHECK_STR("log", s->log_id, LOG_A);
	CHECK_U64("view", s->view, TURUNC__V1__VIEW__VIEW_NONE);
	CHECK_TRUE("flags", s->replace && s->take_over);
	said_free(frame);

	wanted.name = "No Such Name";
	CHECK_U64("name", turunc_subscribe(c, &wanted), TURUNC_INVALID);
	wanted.name = "parks";
	wanted.window = 10001;
	CHECK_U64("window", turunc_subscribe(c, &wanted), TURUNC_INVALID);
	CHECK_U64("publishing is for the other door",
	    turunc_publish(c, &(Turunc__V1__InboundEvent)TURUNC__V1__INBOUND_EVENT__INIT, NULL),
	    TURUNC_NOT_NOW);
	turunc_client_destroy(c);
	door_close(&d);
}

/* Credit follows acknowledgements: never more than a window unacknowledged. */
TEST(test_credit_follows_acknowledgements)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	deliver(&d, 5, 0, 3, 2);
	deliver(&d, 5, 3, 9, 6);
	DOOR_UNTIL(&d, c, n.records == 8);
	CHECK_U64("first seq", n.from_seq, 1);
	CHECK_TRUE("the window is used up: no credit comes", door_next(&d, c, 50) == NULL);
	CHECK_U64("beyond", turunc_ack(c, 10), TURUNC_INVALID);
	CHECK_U64("ack", turunc_ack(c, 3), TURUNC_TAKEN);
	said *frame = next_any(&d, c);
	CHECK_U64("Ack", frame->body_case, TURUNC__V1__CLIENT_FRAME__BODY_ACK);
	CHECK_U64("through", frame->ack->through_seq, 3);
	CHECK_U64("epoch", frame->ack->epoch, 5);
	CHECK_TRUE("an Ack is under way", !turunc_client_idle(c));
	said *credit = next_any(&d, c);
	CHECK_U64("Credit", credit->body_case, TURUNC__V1__CLIENT_FRAME__BODY_CREDIT);
	CHECK_U64("as many as acknowledged", credit->credit->records, 2);
	said_free(credit);
	/* While one Ack is unanswered the next ones gather. */
	CHECK(turunc_ack(c, 5) == TURUNC_TAKEN);
	CHECK(turunc_ack(c, 9) == TURUNC_TAKEN);
	CHECK_TRUE("gathered", door_next(&d, c, 50) == NULL);
	answer_acked(&d, frame);
	said_free(frame);
	frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_ACK);
	CHECK_U64("both in one", frame->ack->through_seq, 9);
	answer_acked(&d, frame);
	said_free(frame);
	DOOR_UNTIL(&d, c, turunc_client_idle(c));
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_empty_deliveries_cost_nothing)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	deliver(&d, 5, 0, 2, 1);
	for (uint64_t seq = 2; seq < 102; seq++)
		deliver(&d, 5, seq, seq + 1, 0);
	DOOR_UNTIL(&d, c, n.deliveries == 101);
	CHECK_U64("position", n.through_seq, 102);
	CHECK(turunc_ack(c, 102) == TURUNC_TAKEN);
	said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_ACK);
	CHECK_U64("through", frame->ack->through_seq, 102);
	said_free(frame);
	turunc_client_destroy(c);
	door_close(&d);
}

static const struct {
	const char *name;
	uint64_t after, through;
	size_t count;
} faults[] = {
	{ "a gap", 4, 6, 1 },
	{ "a repeat", 2, 6, 1 },
	{ "ends before it begins", 3, 2, 0 },
	{ "a record before its delivery", 3, 4, 3 },
	{ "more than the credit", 3, 20, 9 },
};

TEST(test_a_gap_is_told_and_mended)
{
	struct door d;

	CHECK(door_open(&d));
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct notes n = { 0 };
		struct turunc_client *c = make(&d, &n);
		CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
		if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
			return;
		deliver(&d, 5, 0, 3, 1);
		DOOR_UNTIL(&d, c, n.records == 1);
		deliver(&d, 5, faults[i].after, faults[i].through, faults[i].count);
		DOOR_UNTIL(&d, c, n.troubles == 1);
		CHECK_TRUE(faults[i].name, n.trouble.gap && !n.trouble.final);
		CHECK_U64("not handed out", n.deliveries, 1);
		/* It resumes from what was acknowledged: nothing, so the first comes again. */
		CHECK(hold(&d, c, TURUNC__V1__FROM__FROM_RESUME, 6, 1, 8));
		deliver(&d, 6, 0, 4, 2);
		DOOR_UNTIL(&d, c, n.records == 3);
		turunc_client_destroy(c);
	}
	door_close(&d);
}

TEST(test_resumes_after_a_reconnection)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	struct turunc_subscription wanted = parks;
	wanted.replace = wanted.take_over = true;
	CHECK(turunc_subscribe(c, &wanted) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	deliver(&d, 5, 0, 6, 6);
	DOOR_UNTIL(&d, c, n.records == 6);
	CHECK(door_restart(&d));
	CHECK(turunc_ack(c, 4) == TURUNC_TAKEN); /* worked on meanwhile */

	CHECK(door_greet(&d, c));
	said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
	CHECK_U64("from", frame->subscribe->from, TURUNC__V1__FROM__FROM_RESUME);
	CHECK_TRUE("asks for no more than to go on",
	    !frame->subscribe->replace && !frame->subscribe->take_over);
	CHECK_STR("in that history", frame->subscribe->log_id, LOG_A);
	answer_subscribed(&d, frame->request, 6, 1);
	said_free(frame);
	DOOR_UNTIL(&d, c, n.subscribed == 2);
	CHECK_TRUE("no Ack beyond what this epoch has sent", door_next(&d, c, 50) == NULL);
	/* A late frame of the old epoch is nobody's. */
	deliver(&d, 5, 6, 7, 1);
	deliver(&d, 6, 0, 5, 5);
	frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_ACK);
	CHECK_U64("the acknowledgement kept", frame->ack->through_seq, 4);
	CHECK_U64("new epoch", frame->ack->epoch, 6);
	said_free(frame);
	CHECK_U64("the old one's was dropped", n.records, 11);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_a_moved_cursor_is_told)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	CHECK(door_restart(&d));
	CHECK(door_greet(&d, c));
	said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
	answer_subscribed(&d, frame->request, 6, 50);
	said_free(frame);
	DOOR_UNTIL(&d, c, n.troubles == 1);
	CHECK_TRUE("a gap, for good", n.trouble.gap && n.trouble.final);
	CHECK(!turunc_subscribed(c));
	turunc_client_destroy(c);
	door_close(&d);
}

static const struct {
	const char *name;
	Turunc__V1__ErrorCode code;
	bool final;
} refusals[] = {
	{ "IN_USE", TURUNC__V1__ERROR_CODE__ERROR_IN_USE, false },
	{ "UNAVAILABLE", TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, false },
	{ "TOO_MUCH", TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH, false },
	{ "FORBIDDEN", TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN, true },
	{ "FILTER_DIFFERS", TURUNC__V1__ERROR_CODE__ERROR_FILTER_DIFFERS, true },
	{ "LOG_CHANGED", TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED, true },
	{ "MALFORMED", TURUNC__V1__ERROR_CODE__ERROR_MALFORMED, true },
};

TEST(test_refused_subscriptions)
{
	struct door d;

	CHECK(door_open(&d));
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct notes n = { 0 };
		struct turunc_client *c = make(&d, &n);
		CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
		CHECK(door_greet(&d, c));
		said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
		door_error(&d, frame->request, refusals[i].code, false);
		said_free(frame);
		if (!refusals[i].final) {
			frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE);
			CHECK_U64("as first asked", frame->subscribe->from, parks.from);
			said_free(frame);
		} else {
			DOOR_UNTIL(&d, c, n.troubles == 1);
			CHECK_TRUE("not by itself", door_next(&d, c, 60) == NULL);
		}
		CHECK_U64(refusals[i].name, n.trouble.code, refusals[i].code);
		CHECK_TRUE(refusals[i].name, n.trouble.final == refusals[i].final);
		CHECK_TRUE("state", turunc_subscribed(c) != refusals[i].final);
		if (refusals[i].code == TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED)
			CHECK_U64("last common", n.trouble.last_common_seq, 7);
		CHECK_U64("the session stands", turunc_client_state(c), TURUNC_READY);
		turunc_client_destroy(c);
	}
	door_close(&d);
}

TEST(test_superseded_does_not_come_back)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	door_error(&d, 0, TURUNC__V1__ERROR_CODE__ERROR_SUPERSEDED, true);
	DOOR_UNTIL(&d, c, n.troubles == 1);
	CHECK_TRUE("final", n.trouble.final);
	CHECK_U64("ack", turunc_ack(c, 0), TURUNC_NOT_NOW);
	CHECK(door_greet(&d, c)); /* the session may, the subscription may not */
	CHECK_TRUE("quiet", door_next(&d, c, 80) == NULL);
	/* Until it is asked to. */
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	said_free(door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE));
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_another_history_ends_the_subscription)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	d.log_id = LOG_B;
	deliver(&d, 5, 0, 1, 1);
	DOOR_UNTIL(&d, c, n.troubles == 1);
	CHECK_U64("code", n.trouble.code, TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED);
	CHECK_TRUE("final", n.trouble.final);
	CHECK_U64("not handed out", n.deliveries, 0);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_subscribing_anew_ends_the_session_first)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	struct turunc_subscription other = parks;
	other.name = "other";
	other.from = TURUNC__V1__FROM__FROM_LATEST;
	CHECK(turunc_subscribe(c, &other) == TURUNC_TAKEN);
	CHECK(hold(&d, c, TURUNC__V1__FROM__FROM_LATEST, 6, 30, 8));
	turunc_client_destroy(c);
	door_close(&d);
}

static bool
enough(void *arg)
{
	const struct notes *n = arg;

	return n->records >= 64;
}

/* A consumer that acknowledges at once never starves: credit keeps coming in time. */
TEST(test_a_steady_consumer_never_stalls)
{
	struct door d;
	struct notes n = { .ack_at_once = true };
	uint64_t seq = 0;
	uint32_t credit = 0;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_subscribe(c, &parks) == TURUNC_TAKEN);
	if (!hold(&d, c, TURUNC__V1__FROM__FROM_EARLIEST, 5, 1, 8))
		return;
	credit = 8;
	uint64_t until_ms = check_now_ms() + DOOR_LIMIT_MS;
	while (!enough(&n) && check_now_ms() < until_ms) {
		for (; credit > 0; credit--, seq++)
			deliver(&d, 5, seq, seq + 1, 1);
		said *frame = door_turn(&d, c);
		if (frame == NULL)
			continue;
		if (frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_CREDIT)
			credit += frame->credit->records;
		if (frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_ACK)
			answer_acked(&d, frame);
		CHECK_TRUE("never over the window", credit <= 8);
		said_free(frame);
	}
	CHECK(enough(&n));
	turunc_client_destroy(c);
	door_close(&d);
}
