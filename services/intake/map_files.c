/* Puts Leaflet into the binary, or says that it is not there. */
#include "map_files.h"

#include "carry.h"

#ifdef TURUNC_MAP
CARRY(map_leaflet_js, "leaflet.js");
CARRY(map_leaflet_css, "leaflet.css");
const bool map_is_here = true;
#else
const bool map_is_here = false;
const unsigned char map_leaflet_js[1], map_leaflet_js_end[1];
const unsigned char map_leaflet_css[1], map_leaflet_css_end[1];
#endif
