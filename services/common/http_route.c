/* Finds the route of a path, or what to say when there is none. */
#include "http_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
	enum http_method method;
	const char *name;
} method_names[] = {
	{ HTTP_GET, "GET" },
	{ HTTP_HEAD, "HEAD" },
	{ HTTP_POST, "POST" },
	{ HTTP_PUT, "PUT" },
	{ HTTP_DELETE, "DELETE" },
	{ HTTP_PATCH, "PATCH" },
	{ HTTP_OPTIONS, "OPTIONS" },
};

/* Whoever answers GET answers HEAD. */
static unsigned
methods_of(const struct http_route *route)
{
	return (route->methods & HTTP_GET) != 0 ? route->methods | HTTP_HEAD : route->methods;
}

void
http_route_find(
    const struct http *http, const char *path, enum http_method method, struct http_match *ret)
{
	ret->route = NULL;
	ret->methods = 0;
	for (size_t t = 0; t < http->table_count; t++) {
		const struct route_table *table = &http->tables[t];
		for (size_t i = 0; i < table->count; i++) {
			const struct http_route *route = &table->routes[i];
			if (!http_pattern_match(route->path, path, &ret->captures))
				continue;
			ret->methods |= methods_of(route);
			if ((methods_of(route) & method) != 0) {
				ret->route = route;
				ret->arg = table->arg;
				return;
			}
		}
	}
}

bool
http_routes_valid(const struct http_route routes[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct http_route *r = &routes[i];
		if (r->methods == 0 || r->handle == NULL || !http_pattern_valid(r->path))
			return false;
	}
	return true;
}

size_t
http_max_body(const struct http *http, const struct http_route *route)
{
	return route != NULL && route->max_body_bytes != 0 ? route->max_body_bytes
							   : http->settings.max_body_bytes;
}

void
http_methods_format(unsigned methods, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(method_names); i++) {
		if ((methods & method_names[i].method) == 0 || used >= size)
			continue;
		used += (size_t)snprintf(
		    out + used, size - used, "%s%s", used > 0 ? ", " : "", method_names[i].name);
	}
}
