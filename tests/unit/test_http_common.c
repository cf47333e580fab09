#include "http_lab.h"

#include <event2/buffer.h>

#include "base.h"
#include "daemon.h"
#include "http_common.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct http_request *held;

static void
handle_later(struct http_request *req, void *arg)
{
	(void)arg;
	held = req;
}

static const struct http_route routes[] = { { HTTP_GET, "/later", handle_later, 0 } };

static const struct stat_row own_stats[] = {
	{ .name = "turunc_test_things", .type = STAT_GAUGE, .help = "Things" },
};

static void
refresh(void *arg)
{
	stats_set(arg, 0, 42);
}

static bool
write_piece(void *arg, struct evbuffer *out)
{
	(void)arg;
	return evbuffer_add_printf(out, "turunc_test_piece{of=\"text\"} 7\n") != -1;
}

/* The test's loop is the daemon's. */
static bool
open_daemon(struct lab *lab, struct daemon **ret_daemon, const struct daemon_settings *settings)
{
	signal(SIGPIPE, SIG_IGN);
	*lab = (struct lab){ 0 };
	*ret_daemon = daemon_create("test", settings);
	if (!CHECK(*ret_daemon != NULL))
		return false;
	lab->base = daemon_loop(*ret_daemon);
	http_settings_init(&lab->settings);
	lab->settings.host = "127.0.0.1";
	return lab_open(lab, routes, ARRAY_LEN(routes), NULL);
}

TEST(test_http_common_pages)
{
	static const char healthz[] = GET("/healthz"), readyz[] = GET("/readyz"),
			  metrics[] = GET("/metrics");
	static const struct daemon_settings settings = { .drain_ms = 1000 };
	static struct answer a;
	struct daemon *daemon;
	struct lab lab;

	if (!open_daemon(&lab, &daemon, &settings))
		return;
	struct http_common *common = http_common_open(lab.http, daemon);
	struct stats *stats = stats_create(own_stats, ARRAY_LEN(own_stats));
	if (!CHECK(common != NULL && stats != NULL))
		return;
	http_common_add_stats(common, stats, refresh, stats);
	http_common_add_writer(common, write_piece, stats);
	unsigned database = daemon_add_dependency(daemon, "postgres", true);

	close(lab_ask(&lab, healthz, sizeof(healthz) - 1, &a));
	CHECK_U64("healthz", answer_status(a.text), 200);
	CHECK_STR("healthz", answer_body(&a), "ok\n");

	daemon_set_dependency(daemon, database, DEPENDENCY_DOWN, "connection refused");
	close(lab_ask(&lab, readyz, sizeof(readyz) - 1, &a));
	CHECK_U64("not ready", answer_status(a.text), 503);
	CHECK_STR("type", answer_header(&a, "Content-Type"), "application/json");
	CHECK(strstr(answer_body(&a), "connection refused") != NULL);
	daemon_set_dependency(daemon, database, DEPENDENCY_UP, NULL);
	close(lab_ask(&lab, readyz, sizeof(readyz) - 1, &a));
	CHECK_U64("ready", answer_status(a.text), 200);

	close(lab_ask(&lab, metrics, sizeof(metrics) - 1, &a));
	CHECK_STR("type", answer_header(&a, "Content-Type"), STATS_CONTENT_TYPE);
	CHECK(strstr(a.text, "turunc_http_replies_total{class=\"5xx\"} 1\n") != NULL);
	CHECK(strstr(a.text, "turunc_http_refused_total{reason=\"malformed\"} 0\n") != NULL);
	CHECK(strstr(a.text, "turunc_test_things 42\n") != NULL);
	CHECK(strstr(a.text, "turunc_test_piece{of=\"text\"} 7\n") != NULL);
	CHECK(strstr(a.text, "turunc_ready 1\n") != NULL);
	CHECK(strstr(a.text, "turunc_dependency_up{dependency=\"postgres\",needed=\"yes\"} 1\n")
	      != NULL);
	daemon_set_dependency(daemon, database, DEPENDENCY_DOWN, NULL);
	close(lab_ask(&lab, metrics, sizeof(metrics) - 1, &a));
	CHECK(strstr(a.text, "turunc_ready 0\n") != NULL);
	CHECK(strstr(a.text, "turunc_dependency_up{dependency=\"postgres\",needed=\"yes\"} 0\n")
	      != NULL);
	CHECK(strstr(a.text, "process_") != NULL);
	http_close(lab.http);
	http_common_close(common);
	stats_destroy(stats);
	daemon_destroy(daemon);
}

static void
answer_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	CHECK(daemon_draining(arg));
	http_reply_data(held, 200, "text/plain", "later", 5);
}

TEST(test_http_common_drains_with_its_daemon)
{
	static const char later[] = GET("/later");
	static const struct daemon_settings settings = { .drain_ms = 5000 };
	static struct answer a;
	struct timeval soon = { .tv_usec = 100000 };
	struct daemon *daemon;
	struct lab lab;

	if (!open_daemon(&lab, &daemon, &settings))
		return;
	struct http_common *common = http_common_open(lab.http, daemon);
	int fd = lab_connect(&lab);
	lab_send(fd, later, sizeof(later) - 1);
	LAB_UNTIL(&lab, held != NULL);
	event_base_once(lab.base, -1, EV_TIMEOUT, answer_late, daemon, &soon);
	daemon_stop(daemon);
	CHECK_TRUE("clean", daemon_run(daemon));
	answer_read(&a, fd);
	CHECK_STR("what was in hand is answered", answer_body(&a), "later");
	close(fd);
	http_close(lab.http);
	http_common_close(common);
	daemon_destroy(daemon);
}
