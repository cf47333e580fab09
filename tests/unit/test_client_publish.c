/* The C client's publishing: batches within credit, answers, refusals, and a store that outlives
 * the process. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "lib/client_door.h"

enum { RESULTS_MAX = 2000 };

struct results {
	size_t count;
	struct {
		long tag;
		char id[40];
		Turunc__V1__PublishStatus status;
		char error[80];
	} list[RESULTS_MAX];
	unsigned troubles;
};

static void
note_result(void *arg, const struct turunc_result *result)
{
	struct results *r = arg;

	if (r->count == RESULTS_MAX)
		return;
	r->list[r->count].tag = (long)(intptr_t)result->tag;
	r->list[r->count].status = result->status;
	snprintf(r->list[r->count].id, sizeof(r->list[0].id), "%s", result->id);
	snprintf(r->list[r->count].error, sizeof(r->list[0].error), "%s", result->error);
	r->count++;
}

static void
note_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct results *r = arg;

	r->troubles += trouble->about == TURUNC_ABOUT_PUBLISHING;
}

static struct turunc_client *
make(const struct door *d, struct results *r, const char *store)
{
	char why[200] = "";
	struct turunc_options o = door_options(d, TURUNC_DOOR_PUBLISH);

	o.handlers.on_result = note_result;
	o.handlers.on_trouble = note_trouble;
	o.arg = r;
	o.store_dir = store;
	struct turunc_client *c = turunc_client_create(&o, why, sizeof(why));
	if (!CHECK(c != NULL))
		printf("%s\n", why);
	return c;
}

/* An event with this number as id and tag, and a description of so many letters. */
static enum turunc_outcome
publish(struct turunc_client *c, long number, size_t letters)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	char id[40], source[] = "tests", type[] = "ticket.request";
	char *text = malloc(letters + 1);

	memset(text, 'a', letters);
	text[letters] = '\0';
	snprintf(id, sizeof(id), "event-%ld", number);
	event.id = id;
	event.source = source;
	event.type = type;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	event.ticket_request = &request;
	request.description = text;
	enum turunc_outcome outcome = turunc_publish(c, &event, (void *)(intptr_t)number);
	free(text);
	return outcome;
}

static said *
expect_publish(struct door *d, struct turunc_client *c)
{
	return door_expect(d, c, TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH);
}

/* An event to leave without a decision the next time it comes. */
static const char *undecided_id;

/* Answers a Publish; events whose id ends in 7 are rejected when some are to be. */
static void
answer_results(struct door *d, const said *frame, bool reject_sevens, const char *other_id)
{
	size_t count = frame->publish->n_events;
	Turunc__V1__Published published = TURUNC__V1__PUBLISHED__INIT;
	Turunc__V1__PublishResult *results = calloc(count, sizeof(*results));
	Turunc__V1__PublishResult **list = calloc(count, sizeof(*list));
	answer out = TURUNC__V1__SERVER_FRAME__INIT;
	char no_ticket[] = "", ticket[] = "26-0000001-1", error[] = "ID_REUSED: other content",
	     other[40];

	for (size_t i = 0; i < count; i++) {
		char *id = frame->publish->events[i]->id;
		turunc__v1__publish_result__init(&results[i]);
		list[i] = &results[i];
		results[i].id = id;
		results[i].ticket = ticket;
		results[i].status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_ACCEPTED;
		if (undecided_id != NULL && strcmp(id, undecided_id) == 0) {
			undecided_id = NULL;
			results[i].status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_UNSPECIFIED;
			results[i].ticket = no_ticket;
		}
		if (reject_sevens && id[strlen(id) - 1] == '7') {
			results[i].status = TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED;
			results[i].error = error;
		}
	}
	if (other_id != NULL) {
		snprintf(other, sizeof(other), "%s", other_id);
		results[0].id = other;
	}
	published.n_results = count;
	published.results = list;
	out.request = frame->request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_PUBLISHED;
	out.published = &published;
	door_say(d, &out);
	free(list);
	free(results);
}

static void
answer_busy(struct door *d, uint64_t request, uint32_t retry_ms)
{
	Turunc__V1__Busy busy = TURUNC__V1__BUSY__INIT;
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	busy.retry_ms = retry_ms;
	out.request = request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_BUSY;
	out.busy = &busy;
	door_say(d, &out);
}

/* Answers whatever is published until so many results have reached the caller. */
static bool
answer_until(
    struct door *d, struct turunc_client *c, const struct results *r, size_t count, bool sevens)
{
	uint64_t until_ms = check_now_ms() + DOOR_LIMIT_MS;

	while (r->count < count && check_now_ms() < until_ms) {
		said *frame = door_next(d, c, 20);
		if (frame != NULL && frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH)
			answer_results(d, frame, sevens, NULL);
		said_free(frame);
	}
	return CHECK_U64("results", r->count, count);
}

TEST(test_results_reach_their_tags)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	for (long i = 0; i < 10; i++)
		CHECK_U64("taken", publish(c, i, 10), TURUNC_TAKEN);
	CHECK(door_greet(&d, c));
	said *frame = expect_publish(&d, c);
	if (frame == NULL)
		return;
	CHECK_U64("one batch", frame->publish->n_events, 10);
	CHECK_STR("as given", frame->publish->events[3]->ticket_request->description, "aaaaaaaaaa");
	answer_results(&d, frame, true, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 10);
	for (long i = 0; i < 10; i++) {
		CHECK_I64("in order", r.list[i].tag, i);
		CHECK_U64("status", r.list[i].status,
		    i == 7 ? TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED
			   : TURUNC__V1__PUBLISH_STATUS__PUBLISH_ACCEPTED);
	}
	CHECK_STR("why", r.list[7].error, "ID_REUSED: other content");
	CHECK(turunc_client_idle(c));
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_refused_before_sending)
{
	struct door d;
	static struct results r;
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__Call call = TURUNC__V1__CALL__INIT;
	char id[] = "1", source[] = "tests", type[] = "call.offered",
	     bad[] = "\xde"
		     "ehir";

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	CHECK_U64("64 KiB and more", publish(c, 1, 65536), TURUNC_TOO_LARGE);
	CHECK_U64("no id", turunc_publish(c, &event, NULL), TURUNC_INVALID);
	event.id = id;
	event.source = source;
	CHECK_U64("no type", turunc_publish(c, &event, NULL), TURUNC_INVALID);
	event.type = type;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
	event.call = &call;
	call.queue = bad;
	CHECK_U64("not UTF-8, deep inside", turunc_publish(c, &event, NULL), TURUNC_INVALID);
	call.queue = id;
	CHECK_U64("mended", turunc_publish(c, &event, NULL), TURUNC_TAKEN);
	CHECK_U64("counted", turunc_client_stats(c)->events_refused, 4);
	CHECK_U64("other door", turunc_snapshot(c, NULL, 0, NULL), TURUNC_NOT_NOW);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_bounds_in_memory)
{
	struct door d;
	static struct results r;
	long taken = 0;
	char why[100];

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_PUBLISH);
	o.events_max = 5;
	o.handlers.on_result = note_result;
	o.arg = &r;
	struct turunc_client *c = turunc_client_create(&o, why, sizeof(why));
	while (publish(c, taken, 10) == TURUNC_TAKEN)
		taken++;
	CHECK_I64("by count", taken, 5);
	CHECK(door_greet(&d, c));
	said *frame = expect_publish(&d, c);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 5);
	CHECK_U64("room again", publish(c, 9, 10), TURUNC_TAKEN);
	turunc_client_destroy(c);

	o.events_max = 0;
	o.memory_bytes_max = 10000;
	c = turunc_client_create(&o, why, sizeof(why));
	for (taken = 0; publish(c, taken, 1000) == TURUNC_TAKEN;)
		taken++;
	CHECK_I64("by bytes", taken, 9);
	turunc_client_destroy(c);
	door_close(&d);
}

/* Never more outstanding than the door granted, never a frame over 240 KiB, never lost. */
TEST(test_credit_and_frame_limits)
{
	struct door d;
	static struct results r;
	size_t answered = 0;

	CHECK(door_open(&d));
	d.credit = 300;
	struct turunc_client *c = make(&d, &r, NULL);
	for (long i = 0; i < 1000; i++)
		CHECK(publish(c, i, i % 100 == 0 ? 60000 : 200) == TURUNC_TAKEN);
	CHECK(door_greet(&d, c));
	while (answered < 1000) {
		said *batch[8];
		size_t held = 0, outstanding = 0;
		while (held < ARRAY_LEN(batch)
		       && (batch[held] = door_next(&d, c, held == 0 ? DOOR_LIMIT_MS : 20)) != NULL)
			outstanding += batch[held++]->publish->n_events;
		CHECK_TRUE("within credit", outstanding <= 300);
		if (!CHECK(held > 0))
			return;
		for (size_t i = 0; i < held; i++) {
			answered += batch[i]->publish->n_events;
			answer_results(&d, batch[i], false, NULL);
			said_free(batch[i]);
		}
	}
	DOOR_UNTIL(&d, c, r.count == 1000);
	for (long i = 0; i < 1000; i++)
		CHECK_I64("in order", r.list[i].tag, i);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_busy_takes_nothing)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	CHECK(door_greet(&d, c));
	CHECK(publish(c, 1, 10) == TURUNC_TAKEN);
	for (int i = 0; i < 3; i++) {
		said *frame = expect_publish(&d, c);
		uint64_t busy_ms = check_now_ms();
		answer_busy(&d, frame->request, 60);
		said_free(frame);
		frame = expect_publish(&d, c);
		CHECK_TRUE("waited", check_now_ms() - busy_ms >= 55);
		answer_busy(&d, frame->request, 1);
		said_free(frame);
	}
	said *frame = expect_publish(&d, c);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 1);
	CHECK_U64("counted", turunc_client_stats(c)->busy, 6);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_what_was_not_decided_goes_again)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, check_path("store"));
	for (long i = 0; i < 5; i++)
		CHECK(publish(c, i, 10) == TURUNC_STORED);
	CHECK(door_greet(&d, c));
	undecided_id = "event-1";
	said *frame = expect_publish(&d, c);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	frame = expect_publish(&d, c);
	if (frame == NULL)
		return;
	CHECK_U64("only that one", frame->publish->n_events, 1);
	CHECK_STR("again", frame->publish->events[0]->id, "event-1");
	CHECK_U64("the others are done", r.count, 4);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 5);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_unanswered_goes_again_after_a_reconnection)
{
	struct door d;
	static struct results r;
	said *frame;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	CHECK(door_greet(&d, c));
	for (long i = 0; i < 5; i++)
		CHECK(publish(c, i, 10) == TURUNC_TAKEN);
	frame = expect_publish(&d, c);
	said_free(frame);
	CHECK(door_restart(&d));
	CHECK(door_greet(&d, c));
	frame = expect_publish(&d, c);
	if (frame == NULL)
		return;
	CHECK_U64("all of them", frame->publish->n_events, 5);
	CHECK_STR("same ids", frame->publish->events[0]->id, "event-0");
	answer_results(&d, frame, false, NULL);
	/* The same answer twice: the second speaks of nothing. */
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, turunc_client_stats(c)->bad_frames == 1);
	CHECK_U64("once", r.count, 5);
	CHECK_U64("resent", turunc_client_stats(c)->events_resent, 5);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_mismatched_results_are_not_believed)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	CHECK(door_greet(&d, c));
	CHECK(publish(c, 1, 10) == TURUNC_TAKEN);
	said *frame = expect_publish(&d, c);
	answer_results(&d, frame, false, "somebody else's");
	said_free(frame);
	CHECK(door_greet(&d, c));
	frame = expect_publish(&d, c);
	CHECK_U64("no result yet", r.count, 0);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 1);
	turunc_client_destroy(c);
	door_close(&d);
}

/* The door cannot read one event of many: it alone is given up, the others arrive. */
TEST(test_one_malformed_event_does_not_stop_the_rest)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, check_path("store"));
	for (long i = 0; i < 20; i++)
		CHECK(publish(c, i, 10) == TURUNC_STORED);
	CHECK(door_greet(&d, c));
	while (r.count < 20) {
		said *frame = door_next(&d, c, 50);
		if (frame == NULL)
			continue;
		bool bad = false;
		for (size_t i = 0; i < frame->publish->n_events; i++)
			bad |= strcmp(frame->publish->events[i]->id, "event-13") == 0;
		if (bad)
			door_error(
			    &d, frame->request, TURUNC__V1__ERROR_CODE__ERROR_MALFORMED, false);
		else
			answer_results(&d, frame, false, NULL);
		said_free(frame);
	}
	unsigned rejected = 0;
	for (size_t i = 0; i < r.count; i++)
		if (r.list[i].status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED) {
			rejected++;
			CHECK_STR("that one", r.list[i].id, "event-13");
			CHECK_STR("why", r.list[i].error, "MALFORMED: said the door");
		}
	CHECK_U64("one", rejected, 1);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_errors_pause_publishing)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &r, NULL);
	CHECK(door_greet(&d, c));
	CHECK(publish(c, 1, 10) == TURUNC_TAKEN);
	said *frame = expect_publish(&d, c);
	door_error(&d, frame->request, TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, false);
	said_free(frame);
	frame = expect_publish(&d, c);
	CHECK_U64("told", r.troubles, 1);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 1);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_a_door_that_only_pongs_is_given_up)
{
	struct door d;
	static struct results r;
	char why[100];

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_PUBLISH);
	o.answer_ms = 100;
	o.handlers.on_result = note_result;
	o.arg = &r;
	struct turunc_client *c = turunc_client_create(&o, why, sizeof(why));
	CHECK(door_greet(&d, c));
	CHECK(publish(c, 1, 10) == TURUNC_TAKEN);
	said_free(expect_publish(&d, c));
	CHECK(door_greet(&d, c));
	said *frame = expect_publish(&d, c);
	answer_results(&d, frame, false, NULL);
	said_free(frame);
	DOOR_UNTIL(&d, c, r.count == 1);
	turunc_client_destroy(c);
	door_close(&d);
}

/* --- the store ---------------------------------------------------------------------------------
 */

/* Killed after the promise and before any sending: the next process sends it. */
TEST(test_stored_events_survive_kill_9)
{
	struct door d;
	static struct results r;

	CHECK(door_open(&d));
	pid_t pid = fork();
	if (pid == 0) {
		struct turunc_client *c = make(&d, &r, check_path("store"));
		for (long i = 0; i < 300; i++)
			if (publish(c, i, 100) != TURUNC_STORED)
				_exit(1);
		kill(getpid(), SIGKILL);
	}
	int status;
	waitpid(pid, &status, 0);
	CHECK_TRUE("killed, not failed", WIFSIGNALED(status));

	struct turunc_client *c = make(&d, &r, check_path("store"));
	CHECK_U64("all there", turunc_client_pending(c), 300);
	CHECK_U64("and counted", turunc_client_stats(c)->events_recovered, 300);
	CHECK(door_greet(&d, c));
	if (!answer_until(&d, c, &r, 300, true))
		return;
	CHECK_STR("in order", r.list[299].id, "event-299");
	CHECK_I64("no tag from another life", r.list[5].tag, 0);
	CHECK_U64("rejected", turunc_client_stats(c)->rejected, 30);
	turunc_client_destroy(c);

	c = make(&d, &r, check_path("store"));
	CHECK_U64("nothing left", turunc_client_pending(c), 0);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_store_refuses_when_full)
{
	struct door d;
	static struct results r;
	char why[100];
	long stored = 0;
	enum turunc_outcome outcome;

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_PUBLISH);
	o.store_dir = check_path("store");
	o.store_bytes_max = 1; /* the least there is: 1 MiB */
	o.handlers.on_result = note_result;
	o.arg = &r;
	struct turunc_client *c = turunc_client_create(&o, why, sizeof(why));
	while ((outcome = publish(c, stored, 30000)) == TURUNC_STORED)
		stored++;
	CHECK_U64("full", outcome, TURUNC_FULL);
	CHECK_TRUE("about a mebibyte", stored > 30 && stored < 36);
	CHECK(door_greet(&d, c));
	if (!answer_until(&d, c, &r, (size_t)stored, false))
		return;
	CHECK_U64("room again", publish(c, 99, 30000), TURUNC_STORED);
	turunc_client_destroy(c);
	door_close(&d);
}

static void
republish(void *arg, const struct turunc_result *result)
{
	struct turunc_client **c = arg;
	long number = (long)(intptr_t)result->tag;

	if (number < 500)
		CHECK(publish(*c, number + 1, 10) == TURUNC_TAKEN);
}

/* A callback that publishes makes the outbox move under the library's feet. */
TEST(test_publishing_from_a_callback)
{
	struct door d;
	struct turunc_client *c;
	char why[100];

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_PUBLISH);
	o.handlers.on_result = republish;
	o.arg = &c;
	c = turunc_client_create(&o, why, sizeof(why));
	CHECK(door_greet(&d, c));
	for (long i = 0; i < 60; i++)
		CHECK(publish(c, i * 8, 10) == TURUNC_TAKEN);
	while (!turunc_client_idle(c)) {
		said *frame = door_next(&d, c, 20);
		if (frame != NULL)
			answer_results(&d, frame, false, NULL);
		said_free(frame);
	}
	CHECK_U64("every chain ran out", turunc_client_stats(c)->accepted, 15900);
	turunc_client_destroy(c);
	door_close(&d);
}
