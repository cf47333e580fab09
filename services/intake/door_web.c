/* The public page, and what supervisors ask: healthz, readyz, metrics. */
#include <event2/buffer.h>
#include <stdio.h>

#include "bus_metrics.h"
#include "clock.h"
#include "digest.h"
#include "disks.h"
#include "door.h"
#include "files.h"
#include "number.h"
#include "web_files.h"

enum { TAG_BYTES = 40 };

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
get_healthz(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_data(req, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void
get_readyz(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	struct evbuffer *body = evbuffer_new();
	int status;

	if (body == NULL || !daemon_readyz(in->daemon, body, &status))
		http_reply_error(req, 503, "Out of memory.");
	else
		reply_buffer(req, (unsigned)status, "application/json; charset=utf-8", body);
	if (body != NULL)
		evbuffer_free(body);
}

static bool
write_sessions(struct intake *in, struct evbuffer *out)
{
	return evbuffer_add_printf(out,
		   "# HELP turunc_bus_sessions Publishers connected\n"
		   "# TYPE turunc_bus_sessions gauge\n"
		   "turunc_bus_sessions %zu\n",
		   bus_door_sessions(in->door))
	       > 0;
}

static void
get_metrics(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	struct evbuffer *body = evbuffer_new();

	bus_metrics_refresh(in->bus_metrics);
	if (body == NULL || !stats_write(in->stats, body)
	    || !stats_write(db_stats(in->writer), body) || !stats_write(http_stats(in->http), body)
	    || !stats_write(people_stats(in->people), body)
	    || !stats_write(bus_metrics_stats(in->bus_metrics), body) || !write_sessions(in, body)
	    || !stats_write_process("intake", body) || !daemon_write_stats(in->daemon, body)
	    || !disks_write(in->disks, body))
		http_reply_error(req, 503, "Out of memory.");
	else
		reply_buffer(req, 200, STATS_CONTENT_TYPE, body);
	if (body != NULL)
		evbuffer_free(body);
}

void
door_reply_file(
    struct http_request *req, const char *type, const unsigned char *data, const unsigned char *end)
{
	char hex[DIGEST_HEX_SIZE], tag[TAG_BYTES];
	struct digest digest;

	digest_sha256(data, (size_t)(end - data), &digest);
	digest_format(&digest, hex);
	(void)snprintf(tag, sizeof(tag), "\"%.32s\"", hex);
	const struct http_field fields[] = { { "ETag", tag } };
	bool fresh = http_etag_matches(req, tag);
	const struct http_response response = {
		.status = fresh ? 304 : 200,
		.content_type = fresh ? NULL : type,
		.data = data,
		.len = fresh ? 0 : (size_t)(end - data),
		.cache_control = "public, max-age=300",
		.fields = fields,
		.field_count = ARRAY_LEN(fields),
	};
	http_reply(req, &response);
}

static void
get_landing(struct http_request *req, void *arg)
{
	const char *number = http_query(req, "no", NULL);
	char to[80];
	int64_t ticket_id;

	(void)arg;
	/* The short link of our messages. */
	if (number != NULL && number_parse(number, &ticket_id) == NUMBER_OK) {
		(void)snprintf(to, sizeof(to), "/track?no=%s", number);
		const struct http_field fields[] = { { "Location", to } };
		const struct http_response response = {
			.status = 303, .fields = fields, .field_count = ARRAY_LEN(fields)
		};
		http_reply(req, &response);
		return;
	}
	door_reply_file(req, "text/html; charset=utf-8", web_index_html, web_index_html_end);
}

static void
get_photo(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	attachments_serve(in->attachments, req, http_path_param(req, "token"), clock_now_us());
}

static void
get_script(struct http_request *req, void *arg)
{
	(void)arg;
	door_reply_file(req, "text/javascript; charset=utf-8", web_report_js, web_report_js_end);
}

static void
get_style(struct http_request *req, void *arg)
{
	(void)arg;
	door_reply_file(req, "text/css; charset=utf-8", web_intake_css, web_intake_css_end);
}

const struct http_route door_web_routes[] = {
	{ HTTP_GET, "/", get_landing, 0 },
	{ HTTP_GET, "/assets/intake.css", get_style, 0 },
	{ HTTP_GET, "/assets/report.js", get_script, 0 },
	{ HTTP_GET, "/photo/{token}", get_photo, 0 },
	{ HTTP_GET, "/healthz", get_healthz, 0 },
	{ HTTP_GET, "/readyz", get_readyz, 0 },
	{ HTTP_GET, "/metrics", get_metrics, 0 },
};
const size_t door_web_route_count = ARRAY_LEN(door_web_routes);
