/* The layer of the map: each neighbourhood's area holds its own centre and no other's. */
#include <event2/buffer.h>
#include <jansson.h>
#include <string.h>

#include "check.h"
#include "map_layer.h"
#include "muratpasa.h"

/* The ray's way: how often an edge is crossed. */
static bool
holds(const json_t *ring, double x, double y)
{
	bool inside = false;
	size_t count = json_array_size(ring);

	for (size_t i = 0, j = count - 1; i < count; j = i++) {
		double xi = json_number_value(json_array_get(json_array_get(ring, i), 0));
		double yi = json_number_value(json_array_get(json_array_get(ring, i), 1));
		double xj = json_number_value(json_array_get(json_array_get(ring, j), 0));
		double yj = json_number_value(json_array_get(json_array_get(ring, j), 1));
		if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
			inside = !inside;
	}
	return inside;
}

TEST(test_areas_hold_their_own_centre_alone)
{
	struct catalogue *cat = muratpasa_load();
	struct evbuffer *out = evbuffer_new();

	if (!CHECK(cat != NULL && map_layer_write(cat, out)))
		return;
	json_t *layer = json_loadb(
	    (const char *)evbuffer_pullup(out, -1), evbuffer_get_length(out), 0, NULL);
	const json_t *features = json_object_get(layer, "features");
	CHECK_U64("features", json_array_size(features), cat->neighbourhood_count);
	CHECK(
	    strstr(json_string_value(json_object_get(layer, "note")), "not the official") != NULL);
	CHECK(evbuffer_get_length(out) < 32768);
	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		const json_t *feature = json_array_get(features, i);
		const json_t *ring = json_array_get(
		    json_object_get(json_object_get(feature, "geometry"), "coordinates"), 0);
		size_t centres = 0;
		const char *code = json_string_value(
		    json_object_get(json_object_get(feature, "properties"), "code"));
		CHECK_STR("code", code, cat->neighbourhoods[i].code);
		for (size_t n = 0; n < cat->neighbourhood_count; n++)
			centres += holds(ring, cat->neighbourhoods[n].longitude,
			    cat->neighbourhoods[n].latitude);
		CHECK_U64(code, centres, 1);
		CHECK_TRUE(code,
		    holds(ring, cat->neighbourhoods[i].longitude, cat->neighbourhoods[i].latitude));
		CHECK_TRUE(code, json_equal(json_array_get(ring, 0),
				     json_array_get(ring, json_array_size(ring) - 1)));
	}
	json_decref(layer);
	evbuffer_free(out);
	catalogue_destroy(cat);
}
