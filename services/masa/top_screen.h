/*
 * top_screen - the figures on one page, 80 by 24 and larger.
 *
 * What matters most stands on top and is never cut: troubles, then the parts.  A taller page shows
 * more readers and more troubles, a wider one more of each reason.
 */
#ifndef MASA_TOP_SCREEN_H
#define MASA_TOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "page.h"
#include "top_figures.h"

enum { TOP_WIDTH_MIN = 40, TOP_HEIGHT_MIN = 12 };

struct top_view {
	const struct top_figures *figures; /* NULL: nothing is known yet */
	int64_t at_us; /* now, as the system's clock shows it */
	double age_s; /* of the figures */
	double every_s; /* 0: one picture, nothing is said of keys */
	bool paused;
};

void top_screen_draw(const struct top_view *view, struct page *page);

/* At most 7 characters: "-", "0", "0.3", "12", "1234", "56k", "1.2M"; negative never. */
const char *top_count(double value, char text[16]);
/* "3 ms", "1.2 s", "4 min", "2 h", "3 d"; INFINITY: "> 60 s". */
const char *top_seconds(double value, char text[16]);
/* "512 B", "14 M", "1.2 G". */
const char *top_bytes(double value, char text[16]);

#endif
