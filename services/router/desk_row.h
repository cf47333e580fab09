/* desk_row - a ticket as one row of a list, the same on the page and in what is sent to open pages.
 */
#ifndef ROUTER_DESK_ROW_H
#define ROUTER_DESK_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "html.h"

struct pg_result;

/* The row of a table with a column to choose it by, when choosable.  Of a special category only
 * codes and times are shown, so nobody need be noted. */
void desk_row_write(struct html *h, const struct catalogue *cat, const struct pg_result *rows,
    int row, int64_t now_us, bool choosable);

/* "3 gün gecikti", "yarın 17:00", "12.12.2026".  legal: it is the midnight that ends its last day.
 */
void desk_due_write(struct html *h, int64_t due_us, int64_t now_us, bool legal);

/* A link to a ticket; "" when the id is none. */
void desk_ticket_link(struct html *h, int64_t ticket_id);

/* At most that many bytes of a text, whole characters, with … when it was cut. */
void desk_snippet(struct html *h, const char *text, size_t bytes);

#endif
