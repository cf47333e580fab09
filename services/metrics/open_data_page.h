/* open_data_page - how open data are presented to people. */
#ifndef METRICS_OPEN_DATA_PAGE_H
#define METRICS_OPEN_DATA_PAGE_H

#include <stdint.h>

#include "base.h"
#include "open_data_files.h"

struct html;
struct http_request;

/* In the request's language; month 0: the index. */
void open_data_begin_page(struct html *h, struct http_request *req, int32_t month);
/* Between html_begin_page() and html_reply(): months from `first` to `last`; first 0: none. */
void open_data_index_page(struct html *h, int32_t first, int32_t last);
void open_data_month_page(struct html *h, const struct open_data_month *m);

#endif
