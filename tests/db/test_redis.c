/* Redis on the loop: bounded, on time, and back by itself. */
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "redis.h"
#include "servers.h"
#include "stats.h"

struct answer {
	bool over;
	unsigned times;
	enum redis_outcome outcome;
	int type;
	long long integer;
	size_t elements;
	char text[100];
	struct redis *send_again; /* from within the callback */
	bool sent_again;
};

struct states {
	unsigned ready, lost;
	char why[200];
};

static struct event_base *loop;

static bool
turn(void)
{
	event_base_loop(loop, EVLOOP_NONBLOCK);
	return true;
}
#define WITHIN(limit_ms, cond) CHECK_WITHIN(limit_ms, turn() && (cond))

static void
on_answer(void *arg, enum redis_outcome outcome, const struct redisReply *reply)
{
	struct answer *a = arg;

	a->over = true;
	a->times++;
	a->outcome = outcome;
	if (reply != NULL) {
		a->type = reply->type;
		a->integer = reply->integer;
		a->elements = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
		size_t len = reply->str == NULL ? 0 : reply->len;
		if (len < sizeof(a->text)) /* may hold NUL */
			memcpy(a->text, len == 0 ? "" : reply->str, len);
	}
	if (a->send_again != NULL)
		a->sent_again = redis_send(a->send_again, NULL, NULL, "PING", NULL);
}

static void
on_state(void *arg, bool ready, const char *why)
{
	struct states *s = arg;

	s->ready += ready;
	s->lost += !ready;
	snprintf(s->why, sizeof(s->why), "%s", why == NULL ? "" : why);
}

static struct redis *
open_redis(const struct redis_settings *settings, struct states *states)
{
	char complaint[200];

	loop = event_base_new();
	struct redis *r = redis_open(
	    loop, settings, on_state, states, complaint, sizeof(complaint));
	if (!CHECK(r != NULL)) {
		printf("%s\n", complaint);
		exit(EXIT_FAILURE);
	}
	return r;
}

static void
close_redis(struct redis *r)
{
	redis_close(r);
	event_base_free(loop);
}

TEST(commands_are_answered)
{
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = server_redis_start("") }, &states);
	struct answer set = { 0 }, get = { 0 }, wrong = { 0 };
	const char *const binary[] = { "SET", "k\0y", "a\r\nb\0c" };
	const size_t lens[] = { 3, 3, 6 };
	const char *const get_args[] = { "GET", "k\0y" };

	CHECK_FALSE("not before it is ready", redis_send(r, on_answer, &set, "PING", NULL));
	WITHIN(5000, redis_ready(r));
	CHECK_U64("", states.ready, 1);
	CHECK(redis_send_args(r, on_answer, &set, 3, binary, lens));
	CHECK(redis_send_args(r, on_answer, &get, 2, get_args, lens));
	CHECK(redis_send(r, on_answer, &wrong, "HSET", "k", NULL));
	CHECK_FALSE("never from within the call", set.over);
	WITHIN(5000, wrong.over);
	CHECK_STR("", set.text, "OK");
	CHECK_MEM("", get.text, 6, "a\r\nb\0c", 6);
	CHECK_U64("", wrong.outcome, REDIS_REFUSED);
	CHECK_I64("counted", stats_get(redis_stats(r), 0, REDIS_DONE), 2);
	close_redis(r);
}

TEST(a_transaction_is_whole_or_refused)
{
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = server_redis_start("") }, &states);
	struct answer good = { 0 }, bad = { 0 }, half = { 0 }, left = { 0 };

	WITHIN(5000, redis_ready(r));
	struct redis_transaction *t = redis_transaction_create();
	redis_transaction_add(t, "INCRBY", "n", "5", NULL);
	redis_transaction_add(t, "INCRBY", "n", "2", NULL);
	CHECK_U64("", redis_transaction_commands(t), 2);
	CHECK(redis_transaction_exec(r, t, on_answer, &good));

	t = redis_transaction_create();
	redis_transaction_add(t, "INCRBY", "n", "100", NULL);
	redis_transaction_add(t, "NOSUCHCOMMAND", NULL);
	CHECK(redis_transaction_exec(r, t, on_answer, &bad));

	t = redis_transaction_create();
	redis_transaction_add(t, "LPUSH", "n", "x", NULL);
	redis_transaction_add(t, "INCRBY", "n", "1", NULL);
	CHECK(redis_transaction_exec(r, t, on_answer, &half));
	CHECK(redis_send(r, on_answer, &left, "GET", "n", NULL));

	WITHIN(5000, left.over);
	CHECK_U64("", good.outcome, REDIS_DONE);
	CHECK_U64("", good.elements, 2);
	CHECK_U64("", bad.outcome, REDIS_REFUSED);
	CHECK_U64("an error inside is not overlooked", half.outcome, REDIS_REFUSED);
	CHECK_STR("", left.text, "8");
	close_redis(r);
}

TEST(scripts_run)
{
	static const char text[] = "return {KEYS[1], ARGV[1], tostring(#ARGV)}";
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = server_redis_start("") }, &states);
	struct answer a = { 0 }, broken = { 0 };
	const char *const args[] = { "key", "9007199254740993", "x" };

	WITHIN(5000, redis_ready(r));
	CHECK(redis_eval(r, on_answer, &a, text, 1, 3, args, NULL));
	CHECK(redis_eval(r, on_answer, &broken, "error('no')", 0, 0, NULL, NULL));
	WITHIN(5000, broken.over);
	CHECK_U64("", a.elements, 3);
	CHECK_U64("", broken.outcome, REDIS_REFUSED);
	close_redis(r);
}

TEST(what_is_on_its_way_is_bounded)
{
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){
		.address = server_redis_start(""), .in_flight_max = 10, .bytes_max = 20000 },
	    &states);
	struct answer answers[10] = { 0 }, refused = { 0 };
	static char large[30000];

	WITHIN(5000, redis_ready(r));
	memset(large, 'x', sizeof(large) - 1);
	CHECK_FALSE("too large", redis_send(r, on_answer, &refused, "SET", "k", large, NULL));
	for (size_t i = 0; i < 8; i++)
		CHECK(redis_send(r, on_answer, &answers[i], "INCR", "n", NULL));
	struct redis_transaction *t = redis_transaction_create();
	redis_transaction_add(t, "INCR", "n", NULL);
	CHECK_FALSE("three do not fit", redis_transaction_exec(r, t, on_answer, &refused));
	redis_transaction_destroy(t);
	for (size_t i = 8; i < 10; i++)
		CHECK(redis_send(r, on_answer, &answers[i], "INCR", "n", NULL));
	CHECK_FALSE("the eleventh", redis_send(r, on_answer, &refused, "INCR", "n", NULL));
	WITHIN(5000, answers[9].over);
	CHECK_I64("", answers[9].integer, 10);
	CHECK_FALSE("never told", refused.over);
	CHECK_TRUE("room again", redis_send(r, on_answer, &refused, "INCR", "n", NULL));
	WITHIN(5000, refused.over);
	CHECK_I64("turned away", stats_get(redis_stats(r), 3, 0), 5);
	close_redis(r);
}

TEST(a_killed_server_is_found_again)
{
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = server_redis_start("") }, &states);
	struct answer blocked = { .send_again = r }, later = { 0 };

	WITHIN(5000, redis_ready(r));
	CHECK(redis_send(r, on_answer, &blocked, "BLPOP", "nothing", "0", NULL));
	turn();
	CHECK(kill(server_redis_pid(), SIGKILL) == 0);
	WITHIN(5000, blocked.over);
	CHECK_U64("", blocked.outcome, REDIS_LOST);
	CHECK_FALSE("not while it goes", blocked.sent_again);
	WITHIN(5000, states.lost == 1);
	CHECK_TRUE("says why", states.why[0] != '\0');

	server_redis_start("");
	WITHIN(10000, redis_ready(r));
	CHECK_U64("", states.ready, 2);
	CHECK(redis_send(r, on_answer, &later, "PING", NULL));
	WITHIN(5000, later.over);
	CHECK_U64("", blocked.times, 1);
	close_redis(r);
}

TEST(a_stalled_server_is_given_up)
{
	struct states states = { 0 };
	const char *path = server_redis_start("");
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = path, .command_ms = 300, .connect_ms = 300 },
	    &states);
	struct answer a = { 0 }, b = { 0 };

	WITHIN(5000, redis_ready(r));
	pid_t pid = server_redis_pid();
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(redis_send(r, on_answer, &a, "PING", NULL));
	uint64_t before_ms = check_now_ms();
	WITHIN(3000, a.over);
	CHECK_TRUE("not early", check_now_ms() - before_ms >= 250);
	CHECK_U64("", a.outcome, REDIS_LOST);
	/* The kernel goes on accepting for it, so a connection alone means nothing. */
	before_ms = check_now_ms();
	while (check_now_ms() - before_ms < 500)
		turn();
	CHECK_FALSE("", redis_ready(r));
	CHECK_U64("told once", states.lost, 1);
	CHECK(kill(pid, SIGCONT) == 0);
	WITHIN(10000, redis_ready(r));
	CHECK(redis_send(r, on_answer, &b, "PING", NULL));
	WITHIN(5000, b.over);
	CHECK_U64("", b.outcome, REDIS_DONE);
	close_redis(r);
}

static void
read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!CHECK(file != NULL) || !CHECK(fgets(line, (int)size, file) != NULL))
		exit(EXIT_FAILURE);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
}

TEST(over_tcp_with_a_password)
{
	struct states states = { 0 }, denied = { 0 };
	char port[16], password[100], address[40];
	struct answer a = { 0 };

	server_redis_start("--tcp");
	read_line(check_path("redis/port"), port, sizeof(port));
	read_line(check_path("redis/password"), password, sizeof(password));
	snprintf(address, sizeof(address), "localhost:%s", port);
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = address, .password = password, .database = 3 },
	    &states);
	WITHIN(10000, redis_ready(r));
	CHECK(redis_send(r, on_answer, &a, "CLIENT", "INFO", NULL));
	WITHIN(5000, a.over);
	close_redis(r);

	r = open_redis(
	    &(struct redis_settings){ .address = address, .password = "wrong" }, &denied);
	WITHIN(5000, denied.lost > 0);
	CHECK_FALSE("", redis_ready(r));
	CHECK_TRUE("says why", strstr(denied.why, "WRONGPASS") != NULL);
	CHECK_TRUE("without the password", strstr(denied.why, password) == NULL);
	close_redis(r);
}

TEST(an_absent_server_is_told_once_and_waited_for)
{
	struct states states = { 0 };
	struct redis *r = open_redis(
	    &(struct redis_settings){ .address = check_path("redis/redis.sock") }, &states);

	WITHIN(5000, states.lost == 1);
	server_redis_start("");
	WITHIN(15000, redis_ready(r));
	CHECK_U64("", states.lost, 1);
	CHECK_U64("", states.ready, 1);
	close_redis(r);
}

TEST(wrong_addresses_are_refused)
{
	static const char *const wrong[] = { "localhost", "localhost:x", ":1", "" };
	char complaint[200];

	loop = event_base_new();
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		complaint[0] = '\0';
		struct redis *r = redis_open(loop, &(struct redis_settings){ .address = wrong[i] },
		    NULL, NULL, complaint, sizeof(complaint));
		CHECK_TRUE(wrong[i], r == NULL);
		CHECK_TRUE(wrong[i], complaint[0] != '\0');
	}
	event_base_free(loop);
}
