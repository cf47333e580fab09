/* The map of the citizens' form, where the build had one. */
#include <event2/buffer.h>

#include "door.h"
#include "map_files.h"
#include "map_layer.h"
#include "web_files.h"

static void
reply_part(
    struct http_request *req, const char *type, const unsigned char *data, const unsigned char *end)
{
	if (map_is_here)
		door_reply_file(req, type, data, end);
	else
		http_reply_error(req, 404, "this system was built without a map");
}

static void
get_leaflet(struct http_request *req, void *arg)
{
	(void)arg;
	reply_part(req, "text/javascript; charset=utf-8", map_leaflet_js, map_leaflet_js_end);
}

static void
get_leaflet_style(struct http_request *req, void *arg)
{
	(void)arg;
	reply_part(req, "text/css; charset=utf-8", map_leaflet_css, map_leaflet_css_end);
}

static void
get_script(struct http_request *req, void *arg)
{
	(void)arg;
	reply_part(req, "text/javascript; charset=utf-8", web_map_js, web_map_js_end);
}

static void
get_layer(struct http_request *req, void *arg)
{
	const struct intake *in = arg;
	const struct catalogue *cat = registry_catalogue(in->registry);
	struct evbuffer *body = evbuffer_new();

	if (cat == NULL || body == NULL || !map_layer_write(cat, body)) {
		http_reply_error(req, 503, "the service is starting");
	} else {
		const struct http_response response = { .status = 200,
			.content_type = "application/geo+json",
			.body = body,
			.cache_control = "public, max-age=300" };
		http_reply(req, &response);
	}
	if (body != NULL)
		evbuffer_free(body);
}

const struct http_route door_map_routes[] = {
	{ HTTP_GET, "/report/neighbourhoods.json", get_layer, 0 },
	{ HTTP_GET, "/assets/map.js", get_script, 0 },
	{ HTTP_GET, "/assets/leaflet.js", get_leaflet, 0 },
	{ HTTP_GET, "/assets/leaflet.css", get_leaflet_style, 0 },
};
const size_t door_map_route_count = ARRAY_LEN(door_map_routes);
