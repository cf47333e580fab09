/* map_files - Leaflet, carried by the binary where npm had it at the build. */
#ifndef INTAKE_MAP_FILES_H
#define INTAKE_MAP_FILES_H

#include <stdbool.h>

/* Without a map the files below are empty. */
extern const bool map_is_here;
extern const unsigned char map_leaflet_js[], map_leaflet_js_end[];
extern const unsigned char map_leaflet_css[], map_leaflet_css_end[];

#endif
