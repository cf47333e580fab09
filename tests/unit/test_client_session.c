/* The C client's session: greeting, signs of life, coming back, running under a foreign loop. */
#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "lib/client_door.h"

struct notes {
	enum turunc_state state;
	unsigned ready, troubles;
	Turunc__V1__ErrorCode code;
	char why[200];
};

static void
note_state(void *arg, enum turunc_state state, const char *why)
{
	struct notes *n = arg;

	(void)why;
	n->state = state;
	n->ready += state == TURUNC_READY;
}

static void
note_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct notes *n = arg;

	n->troubles++;
	n->code = trouble->code;
	snprintf(n->why, sizeof(n->why), "%s", trouble->text);
}

static struct turunc_client *
make(struct turunc_options *o, struct notes *n)
{
	char why[200] = "";

	o->handlers.on_state = note_state;
	o->handlers.on_trouble = note_trouble;
	o->arg = n;
	struct turunc_client *c = turunc_client_create(o, why, sizeof(why));
	if (!CHECK(c != NULL))
		printf("%s\n", why);
	return c;
}

TEST(test_greeting)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.software = "tests/1";
	struct turunc_client *c = make(&o, &n);
	said *hello = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_HELLO);
	if (hello == NULL)
		return;
	CHECK_U64("protocol", hello->hello->protocol, 1);
	CHECK_U64("instance is a UUID", strlen(hello->hello->instance), 36);
	CHECK_STR("software", hello->hello->software, "tests/1");
	CHECK_U64("greeting", turunc_client_state(c), TURUNC_GREETING);
	said_free(hello);
	/* No answer to Hello: another socket, another Hello. */
	CHECK(door_restart(&d));
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.state == TURUNC_READY);
	CHECK_STR("the log it speaks of", turunc_client_log_id(c), LOG_A);
	CHECK_STR("its own name", turunc_client_name(c), "tester");
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_comes_back_after_a_restart)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	struct turunc_client *c = make(&o, &n);
	int fd = turunc_client_fd(c);
	for (unsigned round = 1; round <= 5; round++) {
		CHECK(door_greet(&d, c));
		DOOR_UNTIL(&d, c, n.ready == round);
		CHECK(door_restart(&d));
		CHECK_I64("one descriptor for life", turunc_client_fd(c), fd);
	}
	CHECK_STR("noticed at once, not by silence", n.why, "disconnected");
	turunc_client_destroy(c);
	door_close(&d);
}

/* A door that restarts now and then is met with the first pause each time, not a grown one. */
TEST(test_a_session_that_lasted_comes_back_at_once)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.backoff_ms = 400;
	o.backoff_max_ms = 10000;
	struct turunc_client *c = make(&o, &n);
	/* Pauses that went on doubling would be of ten seconds by the end. */
	for (unsigned round = 1; round <= 6; round++) {
		uint64_t began_ms = check_now_ms();
		CHECK(door_greet(&d, c));
		DOOR_UNTIL(&d, c, n.ready == round);
		CHECK(check_now_ms() - began_ms < 5000);
		uint64_t until_ms = check_now_ms() + 1050;
		DOOR_UNTIL(&d, c, check_now_ms() >= until_ms);
		CHECK(door_restart(&d));
	}
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_silent_door_is_given_up)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.ping_ms = 20;
	o.silence_ms = 4000;
	struct turunc_client *c = make(&o, &n);
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 1);
	/* Pongs keep it alive well beyond the limit. */
	uint64_t until_ms = check_now_ms() + 5000;
	while (check_now_ms() < until_ms)
		said_free(door_next(&d, c, 10));
	CHECK_U64("alive while ponging", n.troubles, 0);
	d.mute = true;
	DOOR_UNTIL(&d, c, n.troubles == 1);
	CHECK_STR("why", n.why, "the door is silent");
	d.mute = false;
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 2);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_pings_are_answered)
{
	struct door d;
	struct notes n = { 0 };
	Turunc__V1__Ping ping = TURUNC__V1__PING__INIT;
	answer frame = TURUNC__V1__SERVER_FRAME__INIT;

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	struct turunc_client *c = make(&o, &n);
	CHECK(door_greet(&d, c));
	frame.request = 77;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_PING;
	frame.ping = &ping;
	door_say(&d, &frame);
	said *pong = door_expect(&d, c, TURUNC__V1__CLIENT_FRAME__BODY_PONG);
	CHECK_U64("echoed", pong == NULL ? 0 : pong->request, 77);
	said_free(pong);
	turunc_client_destroy(c);
	door_close(&d);
}

static const struct {
	const char *name;
	Turunc__V1__ErrorCode code;
	bool fatal;
} endings[] = {
	{ "no session", TURUNC__V1__ERROR_CODE__ERROR_NO_SESSION, false },
	{ "shutting down", TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN, false },
	{ "anything fatal", TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH, true },
};

TEST(test_errors_that_end_a_session)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	struct turunc_client *c = make(&o, &n);
	for (unsigned i = 0; i < ARRAY_LEN(endings); i++) {
		CHECK(door_greet(&d, c));
		DOOR_UNTIL(&d, c, n.ready == i + 1);
		door_error(&d, 0, endings[i].code, endings[i].fatal);
		DOOR_UNTIL(&d, c, n.troubles == i + 1);
		CHECK_U64(endings[i].name, n.code, endings[i].code);
	}
	turunc_client_destroy(c);
	door_close(&d);
}

static void
say_bytes(struct door *d, const char *bytes, size_t len, bool two_parts)
{
	CHECK(zmq_send(d->socket, d->peer, (size_t)d->peer_len, ZMQ_SNDMORE) != -1);
	CHECK(zmq_send(d->socket, bytes, len, two_parts ? ZMQ_SNDMORE : 0) != -1);
	if (two_parts)
		CHECK(zmq_send(d->socket, "x", 1, 0) != -1);
}

TEST(test_garbage_from_the_door)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	struct turunc_client *c = make(&o, &n);
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 1);
	say_bytes(&d, "\xff\xff\xff\xff", 4, false);
	DOOR_UNTIL(&d, c, n.troubles == 1);
	CHECK_STR("undecodable", n.why, "a frame that cannot be decoded");
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 2);
	say_bytes(&d, "", 0, true);
	DOOR_UNTIL(&d, c, n.troubles == 2);
	CHECK_STR("two parts", n.why, "a frame of more than one part");
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 3);
	/* A frame of a later protocol: no body known here, passed over. */
	say_bytes(&d, "\x08\x01\xfa\x01\x00", 5, false);
	DOOR_UNTIL(&d, c, turunc_client_stats(c)->bad_frames == 2);
	CHECK_U64("still there", n.state, TURUNC_READY);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_wrong_server_key)
{
	struct door d;
	struct notes n = { 0 };
	char other[41], secret[41];

	CHECK(door_open(&d));
	CHECK(zmq_curve_keypair(other, secret) == 0);
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.server_public = other;
	o.silence_ms = 200;
	struct turunc_client *c = make(&o, &n);
	DOOR_UNTIL(&d, c, n.troubles >= 2);
	CHECK_TRUE("it says what it may be", strstr(n.why, "key") != NULL);
	CHECK_U64("never greeted", n.ready, 0);
	turunc_client_destroy(c);
	door_close(&d);
}

TEST(test_second_endpoint_is_tried)
{
	struct door d;
	struct notes n = { 0 };
	char both[300];

	CHECK(door_open(&d));
	snprintf(both, sizeof(both), "tcp://127.0.0.1:1, %s", d.endpoint);
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.endpoint = both;
	o.silence_ms = 200;
	struct turunc_client *c = make(&o, &n);
	CHECK(door_greet(&d, c));
	DOOR_UNTIL(&d, c, n.ready == 1);
	turunc_client_destroy(c);
	door_close(&d);
}

/* --- under libevent: only the descriptor is watched, no timer, and nothing stalls ----------------
 */

struct loop {
	struct event_base *base;
	struct turunc_client *c;
	struct door *d;
	unsigned answered;
};

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	turunc_client_step(l->c);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	said *frame;

	(void)fd;
	(void)what;
	while ((frame = door_read(l->d)) != NULL) {
		if (frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_PING) {
			door_pong(l->d, frame->request);
			l->answered++;
		}
		said_free(frame);
	}
	if (l->answered >= 20)
		event_base_loopbreak(l->base);
}

TEST(test_only_the_descriptor_is_needed)
{
	struct door d;
	struct notes n = { 0 };
	struct loop l = { .d = &d };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_STREAM);
	o.ping_ms = 5;
	l.c = make(&o, &n);
	CHECK(door_greet(&d, l.c));
	l.base = event_base_new();
	struct event *watch = event_new(
	    l.base, turunc_client_fd(l.c), EV_READ | EV_PERSIST, on_client, &l);
	struct event *tick = event_new(l.base, -1, EV_PERSIST, on_tick, &l);
	event_add(watch, NULL);
	event_add(tick, &(struct timeval){ .tv_usec = 1000 });
	event_base_loopexit(l.base, &(struct timeval){ .tv_sec = 8 });
	event_base_dispatch(l.base);
	CHECK_TRUE("pings went out by themselves", l.answered >= 20);
	CHECK_U64("and the session never fell", n.troubles, 0);
	event_free(watch);
	event_free(tick);
	event_base_free(l.base);
	turunc_client_destroy(l.c);
	door_close(&d);
}

/* --- key folders -------------------------------------------------------------------------------
 */

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd = open(check_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

static bool
loads(enum turunc_door door, const char *endpoint, char *why, size_t size)
{
	struct turunc_options o = {
		.door = door, .key_dir = check_directory(), .endpoint = endpoint
	};

	why[0] = '\0';
	struct turunc_client *c = turunc_client_create(&o, why, size);
	turunc_client_destroy(c);
	return c != NULL;
}

TEST(test_key_folder)
{
	char public[41], secret[41], why[200];

	CHECK(zmq_curve_keypair(public, secret) == 0);
	CHECK_FALSE("nothing there", loads(TURUNC_DOOR_STREAM, NULL, why, sizeof(why)));
	CHECK_TRUE("names the file", strstr(why, "client.secret") != NULL);
	put("client.secret", secret, 0644);
	put("client.public", public, 0644);
	put("server.public", public, 0644);
	put("endpoints", "# doors\npublish=tcp://127.0.0.1:5601\nother=x\n", 0644);
	CHECK_FALSE("open secret", loads(TURUNC_DOOR_PUBLISH, NULL, why, sizeof(why)));
	CHECK_TRUE("says what to do", strstr(why, "chmod 600") != NULL);
	put("client.secret", secret, 0600);
	CHECK_TRUE("publish", loads(TURUNC_DOOR_PUBLISH, NULL, why, sizeof(why)));
	CHECK_FALSE("no stream line", loads(TURUNC_DOOR_STREAM, NULL, why, sizeof(why)));
	CHECK_TRUE("says which", strstr(why, "stream=") != NULL);
	CHECK_TRUE("given", loads(TURUNC_DOOR_STREAM, "tcp://127.0.0.1:5602", why, sizeof(why)));
	CHECK_FALSE("odd scheme", loads(TURUNC_DOOR_STREAM, "http://x", why, sizeof(why)));
	put("stream.public", "the other door's\n", 0644);
	CHECK_TRUE("not asked for", loads(TURUNC_DOOR_PUBLISH, NULL, why, sizeof(why)));
	put("publish.public", "not a key\n", 0644);
	CHECK_FALSE(
	    "this door's own key comes first", loads(TURUNC_DOOR_PUBLISH, NULL, why, sizeof(why)));
	CHECK_TRUE("and is named", strstr(why, "publish.public") != NULL);
	CHECK(unlink(check_path("publish.public")) == 0);
	put("server.public", "too short\n", 0644);
	CHECK_FALSE("bad key", loads(TURUNC_DOOR_PUBLISH, NULL, why, sizeof(why)));
	CHECK_TRUE("names the key", strstr(why, "server.public") != NULL);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

TEST(test_run_until_keeps_its_limit)
{
	struct door d;
	struct notes n = { 0 };

	CHECK(door_open(&d));
	struct turunc_options o = door_options(&d, TURUNC_DOOR_PUBLISH);
	struct turunc_client *c = make(&o, &n);
	uint64_t before_ms = check_now_ms();
	CHECK(!turunc_client_run_until(c, never, NULL, 100));
	CHECK_TRUE("waited", check_now_ms() - before_ms >= 100);
	CHECK(turunc_client_run_until(c, NULL, NULL, 100));
	turunc_client_destroy(c);
	door_close(&d);
}
