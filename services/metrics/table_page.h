/* table_page - the frame of a wide table: it is scrolled, not the page, where the screen is
 * narrower. */
#ifndef METRICS_TABLE_PAGE_H
#define METRICS_TABLE_PAGE_H

struct html;

/* Up to <table>; title is what it is called for those who hear it, id may be NULL.  The caller
 * writes <thead> and opens <tbody>, which table_end() closes. */
void table_begin(struct html *h, const char *id, const char *title);
void table_end(struct html *h);

#endif
