/* Puts Leaflet into the binary, or says that it is not there. */
#include "map_files.h"

#ifdef TURUNC_MAP
#define CARRY(symbol, file)                                                 \
	__asm__(".section .rodata\n"                                        \
		".global " #symbol "\n" #symbol ":\n.incbin \"" file "\"\n" \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n")

CARRY(map_leaflet_js, "leaflet.js");
CARRY(map_leaflet_css, "leaflet.css");
const bool map_is_here = true;
#else
const bool map_is_here = false;
const unsigned char map_leaflet_js[1], map_leaflet_js_end[1];
const unsigned char map_leaflet_css[1], map_leaflet_css_end[1];
#endif
