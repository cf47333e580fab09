/* Writes what lies nearest to each neighbourhood's centre as GeoJSON. */
#include "map_layer.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

/* A cell has at most a corner more for each neighbour that cuts it. */
enum { CORNERS_MAX = 256 };
static const char note[] = "Approximate: each area is what lies nearest to a centre in "
			   "neighbourhoods.csv. These are not the "
			   "official boundaries of the neighbourhoods.";

struct point {
	double x, y; /* longitude, scaled as latitude is; latitude */
};

struct cell {
	struct point corners[CORNERS_MAX];
	size_t count;
};

/* Positive on a's side of the line that is as far from a as from b. */
static double
side(struct point p, struct point a, struct point b)
{
	double mx = (a.x + b.x) / 2, my = (a.y + b.y) / 2;
	return (p.x - mx) * (a.x - b.x) + (p.y - my) * (a.y - b.y);
}

static struct point
between(struct point p, struct point q, double at_p, double at_q)
{
	double part = at_p / (at_p - at_q);
	return (struct point){ p.x + part * (q.x - p.x), p.y + part * (q.y - p.y) };
}

/* Keeps of the cell what is nearer to a than to b. */
static void
cut(struct cell *cell, struct point a, struct point b)
{
	struct cell kept = { .count = 0 };

	for (size_t i = 0; i < cell->count && kept.count + 2 <= CORNERS_MAX; i++) {
		struct point p = cell->corners[i], q = cell->corners[(i + 1) % cell->count];
		double at_p = side(p, a, b), at_q = side(q, a, b);
		if (at_p >= 0)
			kept.corners[kept.count++] = p;
		if ((at_p > 0 && at_q < 0) || (at_p < 0 && at_q > 0))
			kept.corners[kept.count++] = between(p, q, at_p, at_q);
	}
	*cell = kept;
}

static struct point
centre(const struct catalogue_neighbourhood *n, double scale)
{
	return (struct point){ n->longitude * scale, n->latitude };
}

static json_t *
corner(struct point p, double scale)
{
	return json_pack("[f,f]", round(p.x / scale * 1e5) / 1e5, round(p.y * 1e5) / 1e5);
}

static json_t *
area(const struct catalogue *cat, size_t which, double scale)
{
	const struct catalogue_municipality *m = &cat->municipality;
	const struct catalogue_neighbourhood *n = &cat->neighbourhoods[which];
	struct point a = centre(n, scale);
	struct cell cell = { .corners = { { m->min_long * scale, m->min_lat },
				 { m->max_long * scale, m->min_lat },
				 { m->max_long * scale, m->max_lat },
				 { m->min_long * scale, m->max_lat } },
		.count = 4 };
	json_t *ring = json_array();

	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		struct point b = centre(&cat->neighbourhoods[i], scale);
		if (i != which && (a.x != b.x || a.y != b.y))
			cut(&cell, a, b);
	}
	for (size_t i = 0; i <= cell.count && cell.count > 0; i++)
		json_array_append_new(ring, corner(cell.corners[i % cell.count], scale));
	return json_pack("{s:s,s:{s:s,s:s,s:[f,f]},s:{s:s,s:[o]}}", "type", "Feature", "properties",
	    "code", n->code, "name", n->name, "centre", n->longitude, n->latitude, "geometry",
	    "type", "Polygon", "coordinates", ring);
}

bool
map_layer_write(const struct catalogue *cat, struct evbuffer *out)
{
	const struct catalogue_municipality *m = &cat->municipality;
	double middle = (m->min_lat + m->max_lat) / 2;
	double scale = cos(middle * (atan(1) / 45));
	json_t *features = json_array();

	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		json_array_append_new(features, area(cat, i, scale));
	json_t *layer = json_pack("{s:s,s:s,s:[f,f,f,f],s:o}", "type", "FeatureCollection", "note",
	    note, "bbox", m->min_long, m->min_lat, m->max_long, m->max_lat, "features", features);
	char *text = layer == NULL ? NULL
				   : json_dumps(layer, JSON_COMPACT | JSON_REAL_PRECISION(8));
	bool written = text != NULL && evbuffer_add_printf(out, "%s", text) > 0;
	free(text);
	json_decref(layer);
	return written;
}
