/* Frames wide tables. */
#include "table_page.h"

#include <stddef.h>

#include "html.h"

void
table_begin(struct html *h, const char *id, const char *title)
{
	html_raw(h, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(h, title);
	html_raw(h, "\"><table");
	if (id != NULL) {
		html_raw(h, " id=\"");
		html_text(h, id);
		html_raw(h, "\"");
	}
	html_raw(h, ">\n");
}

void
table_end(struct html *h)
{
	html_raw(h, "</tbody></table></div>\n");
}
