/* Answers /healthz, /readyz and /metrics, and drains the server with its daemon. */
#include "http_common.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>

#include "daemon.h"
#include "http.h"
#include "stats.h"

enum { TABLES_MAX = 16 };

struct http_common {
	struct http *http;
	struct daemon *daemon;
	struct metrics_table {
		const struct stats *stats;
		http_refresh_fn *refresh;
		http_metrics_fn *write; /* instead of stats */
		void *arg;
	} tables[TABLES_MAX];
	size_t table_count;
};

static void handle_healthz(struct http_request *req, void *arg);
static void handle_readyz(struct http_request *req, void *arg);
static void handle_metrics(struct http_request *req, void *arg);
static void drain(void *arg);
static bool busy(void *arg);

static const struct http_route routes[] = {
	{ HTTP_GET, "/healthz", handle_healthz, 0 },
	{ HTTP_GET, "/readyz", handle_readyz, 0 },
	{ HTTP_GET, "/metrics", handle_metrics, 0 },
};

struct http_common *
http_common_open(struct http *http, struct daemon *daemon)
{
	struct http_common *common = calloc(1, sizeof(*common));

	if (common == NULL || !http_add_routes(http, routes, ARRAY_LEN(routes), common)) {
		free(common);
		return NULL;
	}
	common->http = http;
	common->daemon = daemon;
	daemon_add_part(daemon,
	    (struct daemon_part){ .name = "http", .stop = drain, .busy = busy, .arg = http });
	return common;
}

void
http_common_close(struct http_common *common)
{
	free(common);
}

void
http_common_add_stats(
    struct http_common *common, const struct stats *stats, http_refresh_fn *refresh, void *arg)
{
	assert(common->table_count < TABLES_MAX);
	common->tables[common->table_count++] = (struct metrics_table){ stats, refresh, NULL, arg };
}

void
http_common_add_writer(struct http_common *common, http_metrics_fn *write, void *arg)
{
	assert(common->table_count < TABLES_MAX);
	common->tables[common->table_count++] = (struct metrics_table){ NULL, NULL, write, arg };
}

static void
drain(void *arg)
{
	http_drain(arg);
}

static bool
busy(void *arg)
{
	return !http_drained(arg);
}

static void
handle_healthz(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_data(req, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* body is taken; written false: memory ran out while it was. */
static void
reply_buffer(
    struct http_request *req, bool written, int status, const char *type, struct evbuffer *body)
{
	const struct http_response response = {
		.status = (unsigned)status, .content_type = type, .body = body
	};

	if (written)
		http_reply(req, &response);
	else
		http_reply_error(req, 503, "out of memory, try again");
	if (body != NULL)
		evbuffer_free(body);
}

static void
handle_readyz(struct http_request *req, void *arg)
{
	const struct http_common *common = arg;
	struct evbuffer *body = evbuffer_new();
	int status = 503;
	bool written = body != NULL && daemon_readyz(common->daemon, body, &status);

	reply_buffer(req, written, status, "application/json", body);
}

static void
handle_metrics(struct http_request *req, void *arg)
{
	const struct http_common *common = arg;
	struct evbuffer *body = evbuffer_new();
	bool written = body != NULL && stats_write_process(daemon_service(common->daemon), body)
		       && daemon_write_stats(common->daemon, body)
		       && stats_write(http_stats(common->http), body);

	for (size_t i = 0; written && i < common->table_count; i++) {
		const struct metrics_table *table = &common->tables[i];
		if (table->refresh != NULL)
			table->refresh(table->arg);
		written = table->write != NULL ? table->write(table->arg, body)
					       : stats_write(table->stats, body);
	}
	reply_buffer(req, written, 200, STATS_CONTENT_TYPE, body);
}
