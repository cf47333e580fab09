/* Whoever is asked and says nothing keeps nobody waiting longer than was said, nor whoever presses
 * a key. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "clock.h"
#include "reach.h"
#include "record_link.h"

/* Whole milliseconds are cut off at both ends, so a wait may seem a little short. */
enum { SHORT_MS = 300, SHORTEST_MS = 250, LONG_MS = 20000, MIDDLE_MS = 10000 };

/* A port that takes connections (its backlog does) and never says a word. */
static unsigned
silent_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 16) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	return ntohs(at.sin_port);
}

/* The end that is read of a pipe in which a key waits. */
static int
pressed_key(void)
{
	int ends[2];

	CHECK(pipe(ends) == 0 && write(ends[1], "q", 1) == 1);
	return ends[0];
}

static bool
get(long limit_ms, int watch_fd, struct reach_answer *answers, uint64_t *ret_ms)
{
	struct reach_many *r = reach_many_open();
	uint64_t began_ms = clock_monotonic_ms();

	snprintf(
	    answers[0].url, sizeof(answers[0].url), "http://127.0.0.1:%u/readyz", silent_port());
	CHECK(r != NULL);
	bool whole = reach_many_get(r, answers, 2, limit_ms, watch_fd);
	*ret_ms = clock_monotonic_ms() - began_ms;
	reach_many_close(r);
	return whole;
}

TEST(test_a_silent_service_is_given_up_in_time)
{
	struct reach_answer answers[2] = { 0 };
	uint64_t took_ms;

	CHECK_TRUE("whole", get(SHORT_MS, -1, answers, &took_ms));
	CHECK_TRUE("not before", took_ms >= SHORTEST_MS);
	CHECK_TRUE("not long after", took_ms < MIDDLE_MS);
	CHECK_I64("nobody answered", answers[0].status, 0);
	CHECK_STR("nothing was said", answers[0].text, "");
	CHECK_TRUE("who was not asked has no answer", answers[1].text == NULL);
	reach_answer_finish(&answers[0]);
}

TEST(test_a_key_ends_the_waiting_for_services)
{
	struct reach_answer answers[2] = { 0 };
	uint64_t took_ms;

	CHECK_FALSE("interrupted", get(LONG_MS, pressed_key(), answers, &took_ms));
	CHECK_TRUE("at once", took_ms < MIDDLE_MS);
	CHECK_TRUE("finished", answers[0].text == NULL);
}

static enum record_answer
ask(uint64_t limit_ms, int watch_fd, char *why, size_t size, uint64_t *ret_ms)
{
	char conninfo[160];
	PGresult *result = NULL;
	uint64_t began_ms = clock_monotonic_ms();

	snprintf(conninfo, sizeof(conninfo),
	    "host=127.0.0.1 port=%u dbname=x user=x sslmode=disable gssencmode=disable",
	    silent_port());
	struct record_link *link = record_link_create(conninfo);
	CHECK(link != NULL);
	enum record_answer answer = record_link_ask(link, "SELECT 1", limit_ms, watch_fd, &result);
	*ret_ms = clock_monotonic_ms() - began_ms;
	snprintf(why, size, "%s", record_link_why(link));
	CHECK(result == NULL);
	record_link_destroy(link);
	return answer;
}

TEST(test_a_silent_record_is_given_up_in_time)
{
	char why[200];
	uint64_t took_ms;

	CHECK_I64("away", ask(SHORT_MS, -1, why, sizeof(why), &took_ms), RECORD_AWAY);
	CHECK_TRUE("not before", took_ms >= SHORTEST_MS);
	CHECK_TRUE("not long after", took_ms < MIDDLE_MS);
	CHECK_STR("why", why, "it does not answer");
}

TEST(test_a_key_ends_the_waiting_for_the_record)
{
	char why[200];
	uint64_t took_ms;

	CHECK_I64("interrupted", ask(LONG_MS, pressed_key(), why, sizeof(why), &took_ms),
	    RECORD_INTERRUPTED);
	CHECK_TRUE("at once", took_ms < MIDDLE_MS);
}

TEST(test_nobody_at_all_is_known_at_once)
{
	PGresult *result = NULL;
	struct record_link *link = record_link_create("host=127.0.0.1 port=1 dbname=x user=x");

	CHECK(link != NULL);
	CHECK_I64("away", record_link_ask(link, "SELECT 1", LONG_MS, -1, &result), RECORD_AWAY);
	CHECK_TRUE("in one line",
	    strchr(record_link_why(link), '\n') == NULL && strlen(record_link_why(link)) > 0);
	record_link_destroy(link);
	record_link_destroy(NULL);
}
