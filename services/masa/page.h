/*
 * page - text of a terminal's size, line by line: what does not fit is cut, never wrapped.
 *
 * Whatever is put on it is shown as characters: controls of the terminal (C0, C1, DEL) and bytes
 * that are no UTF-8 become a question mark, so nothing that a peer said can do anything there.
 */
#ifndef MASA_PAGE_H
#define MASA_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum page_style { PAGE_PLAIN, PAGE_STRONG, PAGE_BAR, PAGE_GOOD, PAGE_WARN, PAGE_BAD, PAGE_STYLES };

struct page_look {
	unsigned width; /* characters a line, at least 1 */
	unsigned height; /* lines; 0: as many as there are */
	bool terminal; /* each line wipes what was behind it, and the page what was below it */
	bool colours; /* styles are shown */
	bool utf8; /* else what is not ASCII becomes its nearest letter or a question mark */
};

struct page;

/* NULL: no memory.  Destroy takes NULL. */
struct page *page_create(const struct page_look *look);
void page_destroy(struct page *p);

/* At the end of the present line.  Running out of memory shows as page_text() NULL. */
PRINTF(3, 4) void page_put(struct page *p, enum page_style style, const char *format, ...);
/* Blanks up to that column (from 0); at least one when something stands before it. */
void page_column(struct page *p, unsigned column);
/* So that what follows, of that many characters, ends with the column before `column`. */
void page_right(struct page *p, unsigned column, unsigned characters);
/* On paper, blanks at the end are left out. */
void page_end_line(struct page *p);
unsigned page_room(const struct page *p); /* characters that still fit the line */
unsigned page_lines_left(const struct page *p); /* UINT_MAX when height is 0 */
unsigned page_width(const struct page *p);

/* All of it, ended with NUL; valid until the next call.  NULL: no memory. */
const char *page_text(struct page *p, size_t *ret_len);

#endif
