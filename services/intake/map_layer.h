/*
 * map_layer - the neighbourhoods as areas on a map, for want of their borders.
 *
 * Each area is what lies nearer to that neighbourhood's centre (neighbourhoods.csv) than to any
 * other's, within the municipality's bounds.  That is an approximation to find one's way by, and no
 * boundary of any authority; the layer says so.
 */
#ifndef INTAKE_MAP_LAYER_H
#define INTAKE_MAP_LAYER_H

#include <stdbool.h>

#include "base.h"
#include "catalogue.h"

struct evbuffer;

/* GeoJSON; false: out of memory. */
MUST_CHECK bool map_layer_write(const struct catalogue *cat, struct evbuffer *out);

#endif
