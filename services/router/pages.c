/* /healthz, /readyz and /metrics. */
#include <event2/buffer.h>

#include "bus_metrics.h"
#include "router.h"
#include "stats.h"

static void
healthz(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_data(req, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void
reply_buffer(struct http_request *req, unsigned status, const char *type, struct evbuffer *body)
{
	const struct http_response response = {
		.status = status,
		.content_type = type,
		.body = body,
	};
	http_reply(req, &response);
}

static void
readyz(struct http_request *req, void *arg)
{
	struct router *r = arg;
	struct evbuffer *body = evbuffer_new();
	int status;

	if (body != NULL && daemon_readyz(r->daemon, body, &status))
		reply_buffer(req, (unsigned)status, "application/json", body);
	else
		http_reply_error(req, 503, "out of memory");
	if (body != NULL)
		evbuffer_free(body);
}

static bool
write_metrics(struct router *r, struct evbuffer *body)
{
	return stats_write(http_stats(r->http), body) && stats_write(db_stats(r->writer), body)
	       && bus_write_metrics(r->bus, body) && stats_write_process("router", body);
}

static void
metrics(struct http_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	if (body != NULL && write_metrics(arg, body))
		reply_buffer(req, 200, STATS_CONTENT_TYPE, body);
	else
		http_reply_error(req, 503, "out of memory");
	if (body != NULL)
		evbuffer_free(body);
}

const struct http_route router_routes[] = {
	{ HTTP_GET, "/healthz", healthz, 0 },
	{ HTTP_GET, "/readyz", readyz, 0 },
	{ HTTP_GET, "/metrics", metrics, 0 },
};
const size_t router_route_count = ARRAY_LEN(router_routes);
