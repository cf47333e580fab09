/* The C client's commands and snapshots: said until answered, always the same thing. */
#include "base.h"
#include "lib/client_door.h"

struct notes {
	unsigned pages, answers;
	struct turunc_answer answer;
	struct turunc_client *c;
};

static void
note_page(void *arg, void *tag, const Turunc__V1__SnapshotPage *page, bool restarted)
{
	struct notes *n = arg;

	CHECK(tag == n);
	if (restarted)
		n->pages = 0;
	n->pages += 1 + (unsigned)page->n_tickets;
}

static void
note_answer(void *arg, const struct turunc_answer *heard)
{
	struct notes *n = arg;

	n->answers++;
	n->answer = *heard;
}

static struct turunc_client *
make(struct door *d, struct notes *n)
{
	char why[200] = "";
	struct turunc_options o = door_options(d, TURUNC_DOOR_STREAM);

	o.handlers = (struct turunc_handlers){ .on_page = note_page, .on_answer = note_answer };
	o.arg = n;
	n->c = turunc_client_create(&o, why, sizeof(why));
	if (!CHECK(n->c != NULL))
		printf("%s\n", why);
	return n->c;
}

static void
say_page(struct door *d, uint64_t request, size_t tickets, bool last)
{
	Turunc__V1__SnapshotPage page = TURUNC__V1__SNAPSHOT_PAGE__INIT;
	Turunc__V1__TicketView views[8], *list[8];
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	for (size_t i = 0; i < tickets; i++) {
		turunc__v1__ticket_view__init(&views[i]);
		list[i] = &views[i];
	}
	page.as_of_seq = 40;
	page.n_tickets = tickets;
	page.tickets = list;
	page.last = last;
	out.request = request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_SNAPSHOT_PAGE;
	out.snapshot_page = &page;
	door_say(d, &out);
}

TEST(test_snapshot_begins_anew_when_cut)
{
	struct door d;
	struct notes n = { 0 };
	const char *const departments[] = { "park", "zabita" };

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(turunc_snapshot(c, departments, 2, &n) == TURUNC_TAKEN);
	CHECK_U64("one at a time", turunc_snapshot(c, NULL, 0, NULL), TURUNC_NOT_NOW);
	CHECK(door_greet(&d, c));
	said *frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SNAPSHOT);
	CHECK_STR("second", frame->snapshot->departments[1], "zabita");
	say_page(&d, frame->request, 5, false);
	said_free(frame);
	DOOR_UNTIL(&d, c, n.pages == 6);
	CHECK(door_restart(&d));
	CHECK(door_greet(&d, c));
	frame = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_SNAPSHOT);
	say_page(&d, frame->request, 3, false);
	say_page(&d, frame->request, 2, true);
	say_page(&d, frame->request, 1, true); /* after the last: nobody's */
	said_free(frame);
	DOOR_UNTIL(&d, c, turunc_client_stats(c)->bad_frames == 1);
	CHECK_U64("the cut one was dropped", n.pages, 7);
	CHECK(turunc_client_idle(c));
	turunc_client_destroy(c);
	door_close(&d);
}

static enum turunc_outcome
command(struct turunc_client *c, const char *id, uint32_t timeout_ms, char *ret_id)
{
	Turunc__V1__Command wanted = TURUNC__V1__COMMAND__INIT;
	char ticket[] = "26-0000001-1", verb[] = "accept", copy[64];

	snprintf(copy, sizeof(copy), "%s", id);
	wanted.id = copy;
	wanted.ticket = ticket;
	wanted.verb = verb;
	wanted.expected_version = 3;
	return turunc_command(c, &wanted, timeout_ms, NULL, ret_id);
}

static void
answer_done(struct door *d, uint64_t request, char *id)
{
	Turunc__V1__Done done = TURUNC__V1__DONE__INIT;
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	done.id = id;
	done.version = 4;
	out.request = request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_DONE;
	out.done = &done;
	door_say(d, &out);
}

static void
answer_refused(struct door *d, uint64_t request, char *id, Turunc__V1__RefusalCode code)
{
	Turunc__V1__Refused refused = TURUNC__V1__REFUSED__INIT;
	answer out = TURUNC__V1__SERVER_FRAME__INIT;

	refused.id = id;
	refused.code = code;
	refused.current_version = 9;
	out.request = request;
	out.body_case = TURUNC__V1__SERVER_FRAME__BODY_REFUSED;
	out.refused = &refused;
	door_say(d, &out);
}

static said *
expect_command(struct door *d, struct turunc_client *c, const char *id)
{
	said *frame = door_expect(d, c, TURUNC__V1__CLIENT_FRAME__BODY_COMMAND);

	CHECK_STR("same id", frame == NULL ? NULL : frame->command->id, id);
	return frame;
}

/* Through a lost session and a door that cannot decide, under one id, to one answer. */
TEST(test_command_is_said_until_answered)
{
	struct door d;
	struct notes n = { 0 };
	char id[TURUNC_UUID_SIZE];

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK(command(c, "", 0, id) == TURUNC_TAKEN);
	CHECK_U64("a UUID", strlen(id), 36);
	CHECK(door_greet(&d, c));
	said_free(expect_command(&d, c, id));
	CHECK(door_restart(&d));
	CHECK(door_greet(&d, c));
	said *frame = expect_command(&d, c, id);
	CHECK_U64("version", frame->command->expected_version, 3);
	door_error(&d, frame->request, TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, false);
	said_free(frame);
	frame = expect_command(&d, c, id);
	answer_refused(&d, frame->request, id, TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE);
	said_free(frame);
	frame = expect_command(&d, c, id);
	CHECK_U64("no answer so far", n.answers, 0);
	answer_done(&d, frame->request, id);
	answer_done(&d, frame->request, id);
	said_free(frame);
	DOOR_UNTIL(&d, c, turunc_client_stats(c)->bad_frames == 1);
	CHECK_U64("one answer", n.answers, 1);
	CHECK_TRUE("done", n.answer.done && n.answer.version == 4);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_command_refusals)
{
	struct door d;
	struct notes n = { 0 };
	char id[TURUNC_UUID_SIZE];

	CHECK(door_open(&d));
	struct turunc_client *c = make(&d, &n);
	CHECK_U64("not a UUID", command(c, "7", 0, id), TURUNC_INVALID);
	CHECK(command(c, "33333333-3333-4333-8333-333333333333", 0, id) == TURUNC_TAKEN);
	CHECK(door_greet(&d, c));
	said *frame = expect_command(&d, c, "33333333-3333-4333-8333-333333333333");
	answer_refused(&d, frame->request, id, TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION);
	said_free(frame);
	DOOR_UNTIL(&d, c, n.answers == 1);
	CHECK_U64("stale", n.answer.refusal, TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION);
	CHECK_U64("current", n.answer.version, 9);

	CHECK(command(c, "", 0, id) == TURUNC_TAKEN);
	frame = expect_command(&d, c, id);
	door_error(&d, frame->request, TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN, false);
	said_free(frame);
	DOOR_UNTIL(&d, c, n.answers == 2);
	CHECK_U64("forbidden", n.answer.refusal, TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN);

	CHECK(command(c, "", 30, id) == TURUNC_TAKEN);
	said_free(expect_command(&d, c, id));
	DOOR_UNTIL(&d, c, n.answers == 3);
	CHECK_TRUE("outcome unknown", n.answer.timed_out && !n.answer.done);

	enum turunc_outcome outcome = TURUNC_TAKEN;
	unsigned taken = 0;
	for (; taken < 300 && outcome == TURUNC_TAKEN; taken++)
		outcome = command(c, "", 0, id);
	CHECK_U64("bounded", outcome, TURUNC_FULL);
	CHECK_U64("at", taken, 257);
	turunc_client_destroy(c);
	door_close(&d);
}
