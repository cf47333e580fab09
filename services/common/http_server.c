/* Opens the server, keeps its time, drains and closes it. */
#include "http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "clock.h"
#include "stats.h"

enum {
	TICK_MS = 100, /* while there are connections */
	IDLE_TICK_MS = 1000,
	BACKLOG = 1024,
	SPARE_FILES = 64, /* for everything in the process that is no connection, at the least */
	MORE_FILES = 256, /* the same where the limit allows, and a file sent on each connection */
};

static const char *const refusal_names[HTTP_REFUSAL_COUNT + 1] = {
	[HTTP_REFUSED_MALFORMED] = "malformed",
	[HTTP_REFUSED_TOO_LARGE] = "too_large",
	[HTTP_REFUSED_LENGTH] = "length_required",
	[HTTP_REFUSED_METHOD] = "method",
	[HTTP_REFUSED_VERSION] = "version",
	[HTTP_REFUSED_NOT_FOUND] = "not_found",
	[HTTP_REFUSED_MEDIA] = "media",
	[HTTP_REFUSED_SLOW] = "slow",
	[HTTP_REFUSED_BUSY] = "busy",
	[HTTP_REFUSED_LATE] = "late",
	[HTTP_REFUSED_DESYNC] = "desync",
};

static const char *const class_names[] = { "1xx", "2xx", "3xx", "4xx", "5xx", NULL };

static const struct stat_row stat_rows[] = {
	[HTTP_STAT_REQUESTS] = { .name = "turunc_http_requests_total",
	    .type = STAT_COUNTER,
	    .help = "Requests that reached a handler" },
	[HTTP_STAT_REPLIES] = { .name = "turunc_http_replies_total",
	    .type = STAT_COUNTER,
	    .help = "Answers sent, by class of status",
	    .label = "class",
	    .label_values = class_names },
	[HTTP_STAT_REFUSED] = { .name = "turunc_http_refused_total",
	    .type = STAT_COUNTER,
	    .help = "Requests the server refused by itself, by reason",
	    .label = "reason",
	    .label_values = refusal_names },
	[HTTP_STAT_CONNECTIONS] = { .name = "turunc_http_connections_total",
	    .type = STAT_COUNTER,
	    .help = "Connections accepted" },
	[HTTP_STAT_DROPPED] = { .name = "turunc_http_replies_dropped_total",
	    .type = STAT_COUNTER,
	    .help = "Answers nobody was left to read" },
	[HTTP_STAT_CUT] = { .name = "turunc_http_writes_cut_total",
	    .type = STAT_COUNTER,
	    .help = "Connections cut since their reader was too slow for an answer" },
	[HTTP_STAT_STREAMS] = { .name = "turunc_http_streams_total",
	    .type = STAT_COUNTER,
	    .help = "Streams begun" },
	[HTTP_STAT_STALLED] = { .name = "turunc_http_streams_stalled_total",
	    .type = STAT_COUNTER,
	    .help = "Streams cut since their reader did not read" },
	[HTTP_STAT_STREAMS_HOGGED] = { .name = "turunc_http_streams_hogged_total",
	    .type = STAT_COUNTER,
	    .help = "Streams refused since their address has its share" },
	[HTTP_STAT_OPEN] = { .name = "turunc_http_connections",
	    .type = STAT_GAUGE,
	    .help = "Connections open" },
	[HTTP_STAT_OPEN_STREAMS] = { .name = "turunc_http_streams",
	    .type = STAT_GAUGE,
	    .help = "Streams open" },
	[HTTP_STAT_BUFFERED] = { .name = "turunc_http_buffered_bytes",
	    .type = STAT_GAUGE,
	    .help = "Bytes reserved for the bodies of requests" },
	[HTTP_STAT_TIME] = { .name = "turunc_http_reply_seconds",
	    .type = STAT_HISTOGRAM,
	    .help = "From the whole request to its answer",
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
};
_Static_assert(ARRAY_LEN(stat_rows) == HTTP_STAT_COUNT, "describe every statistic");

static void on_turn(evutil_socket_t fd, short what, void *arg);
static void on_tick(evutil_socket_t fd, short what, void *arg);

void
http_settings_init(struct http_settings *settings)
{
	*settings = (struct http_settings){
		.max_connections = 1024,
		.max_streams = 256,
		.max_header_bytes = 16 * 1024,
		.max_body_bytes = 64 * 1024,
		.max_buffered_bytes = 64 * 1024 * 1024,
		.stream_cap_bytes = 256 * 1024,
		.idle_ms = 60 * 1000,
		.header_deadline_ms = 10 * 1000,
		.body_deadline_ms = 30 * 1000,
		.reply_deadline_ms = 10 * 1000,
		.write_deadline_ms = 30 * 1000,
	};
}

/* Connections need files: the limit is raised as far as it goes. */
static bool
enough_files(uint32_t connections)
{
	struct rlimit limit;
	rlim_t need = (rlim_t)connections + SPARE_FILES;
	rlim_t want = 2 * (rlim_t)connections + MORE_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return false;
	if (limit.rlim_cur >= want)
		return true;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= need;
}

static bool
bodies_fit(const struct http *http, const struct http_route routes[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (http_max_body(http, &routes[i]) > http->settings.max_buffered_bytes)
			return false;
	return true;
}

bool
http_add_routes(struct http *http, const struct http_route routes[], size_t count, void *arg)
{
	if (http->table_count == ROUTE_TABLES || !http_routes_valid(routes, count)
	    || !bodies_fit(http, routes, count))
		return false;
	http->tables[http->table_count++] = (struct route_table){ routes, count, arg };
	return true;
}

/* Listens, and learns which port it became.  NULL, or what is wrong. */
static const char *
listen_on(struct http *http, const char *host, uint16_t port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} where = { 0 };
	socklen_t len = sizeof(where.v4);

	if (host != NULL && inet_pton(AF_INET, host, &where.v4.sin_addr) == 1) {
		where.v4.sin_family = AF_INET;
		where.v4.sin_port = htons(port);
	} else if (host != NULL && inet_pton(AF_INET6, host, &where.v6.sin6_addr) == 1) {
		where.v6.sin6_family = AF_INET6;
		where.v6.sin6_port = htons(port);
		len = sizeof(where.v6);
	} else {
		return "the host to listen on is not a numeric address";
	}
	http->listener = evconnlistener_new_bind(http->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, &where.any,
	    (int)len);
	if (http->listener == NULL)
		return "cannot listen on this address";
	getsockname(evconnlistener_get_fd(http->listener), &where.any, &len);
	http->port = ntohs(where.any.sa_family == AF_INET ? where.v4.sin_port : where.v6.sin6_port);
	return NULL;
}

/* evhttp, with everything it would decide by itself taken away from it. */
static bool
open_evhttp(struct http *http)
{
	http->ev = evhttp_new(http->base);
	if (http->ev == NULL)
		return false;
	evhttp_set_max_headers_size(http->ev, http->settings.max_header_bytes);
	evhttp_set_max_body_size(http->ev, http->settings.max_buffered_bytes);
	evhttp_set_default_content_type(http->ev, NULL);
	evhttp_set_allowed_methods(http->ev, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST
						 | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE
						 | EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS);
	evhttp_set_bevcb(http->ev, http_on_accept, http);
	evhttp_set_gencb(http->ev, http_on_request, http);
	return true;
}

/* NULL, or what is wrong; what was made so far is http_close()'s. */
static const char *
open_parts(struct http *http, const struct http_settings *settings)
{
	const struct timeval tick = { .tv_sec = IDLE_TICK_MS / 1000 };

	if (!http_peers_parse(settings->trusted_peers, &http->trusted))
		return "the trusted peers are not numeric addresses";
	http->trusted.not_loopback = settings->distrust_loopback;
	if (!enough_files(settings->max_connections))
		return "the limit on open files is below the number of connections";
	http->stats = stats_create(stat_rows, ARRAY_LEN(stat_rows));
	http->scratch = evbuffer_new();
	http->turn = event_new(http->base, -1, 0, on_turn, http);
	http->ticker = evtimer_new(http->base, on_tick, http);
	if (http->stats == NULL || http->scratch == NULL || http->turn == NULL
	    || http->ticker == NULL || evtimer_add(http->ticker, &tick) == -1 || !open_evhttp(http))
		return "out of memory";

	const char *why = listen_on(http, settings->host, settings->port);
	if (why != NULL)
		return why;
	http->bound = evhttp_bind_listener(http->ev, http->listener);
	if (http->bound == NULL) {
		evconnlistener_free(http->listener);
		http->listener = NULL;
		return "out of memory";
	}
	evconnlistener_set_error_cb(http->listener, http_on_accept_failed);
	return NULL;
}

struct http *
http_open(struct event_base *base, const struct http_settings *settings,
    const struct http_route routes[], size_t count, void *arg, const char **ret_why)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL) {
		*ret_why = "out of memory";
		return NULL;
	}
	http->base = base;
	http->settings = *settings;
	http->settings.host = http->settings.trusted_peers = NULL; /* read once, while opening */
	for (size_t p = 0; p < CONN_PHASES; p++)
		TAILQ_INIT(&http->phases[p]);
	TAILQ_INIT(&http->todo);
	TAILQ_INIT(&http->live);

	const char *why = open_parts(http, settings);
	if (why == NULL && !http_add_routes(http, routes, count, arg))
		why = "a route is not valid";
	if (why != NULL) {
		int saved_errno = errno;
		http_close(http);
		errno = saved_errno;
		*ret_why = why;
		return NULL;
	}
	return http;
}

void
http_close(struct http *http)
{
	struct http_request *req;

	if (http == NULL)
		return;
	if (http->ev != NULL) {
		on_turn(-1, 0, http); /* whoever came in this turn becomes known */
		evhttp_free(http->ev); /* the listener with it */
	}
	TAILQ_FOREACH (req, &http->live, in_live)
		req->http = NULL;
	if (http->turn != NULL)
		event_free(http->turn);
	if (http->ticker != NULL)
		event_free(http->ticker);
	if (http->scratch != NULL)
		evbuffer_free(http->scratch);
	stats_destroy(http->stats);
	http_peers_finish(&http->trusted);
	free(http->by_fd);
	free(http);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;
	struct http_conn *conn;

	(void)fd;
	(void)what;
	while ((conn = TAILQ_FIRST(&http->todo)) != NULL) {
		TAILQ_REMOVE(&http->todo, conn, in_todo);
		if (conn->phase == CONN_NEW)
			http_adopt(conn);
		else
			conn_do(conn);
	}
}

void
http_arm_ticker(struct http *http)
{
	const struct timeval next = { .tv_sec = http->conn_count > 0 ? 0 : IDLE_TICK_MS / 1000,
		.tv_usec = http->conn_count > 0 ? TICK_MS * 1000 : 0 };

	evtimer_add(http->ticker, &next);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;

	(void)fd;
	(void)what;
	conn_check_deadlines(http, clock_monotonic_ms());
	if (http->listener != NULL)
		evconnlistener_enable(http->listener);
	http_arm_ticker(http);
}

void
http_drain(struct http *http)
{
	struct http_conn *conn;

	http->draining = true;
	if (http->listener != NULL)
		evhttp_del_accept_socket(http->ev, http->bound);
	http->listener = NULL;
	TAILQ_FOREACH (conn, &http->phases[CONN_IDLE], in_phase)
		conn_schedule(conn, TODO_CUT);
	TAILQ_FOREACH (conn, &http->phases[CONN_HEAD], in_phase)
		if (conn->held == NULL)
			conn_schedule(conn, TODO_CUT);
	TAILQ_FOREACH (conn, &http->phases[CONN_STREAM], in_phase)
		conn_schedule(conn, TODO_END_STREAM);
}

bool
http_drained(const struct http *http)
{
	return http->draining && http->conn_count == 0;
}

uint16_t
http_port(const struct http *http)
{
	return http->port;
}

size_t
http_connections(const struct http *http)
{
	return http->conn_count;
}

size_t
http_streams(const struct http *http)
{
	return http->stream_count;
}

struct stats *
http_stats(const struct http *http)
{
	return http->stats;
}
