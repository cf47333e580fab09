/* satisfaction_page - how the ladder is shown. */
#ifndef METRICS_SATISFACTION_PAGE_H
#define METRICS_SATISFACTION_PAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "ladder.h"

struct html;

/* Months newest first.  NULL: no memory.  The caller's. */
MUST_CHECK json_t *satisfaction_json(const struct ladder *months, size_t count, int64_t read_us);
/* Between html_begin_page() and html_reply(). */
void satisfaction_page(struct html *h, const struct ladder *months, size_t count, int64_t read_us);

#endif
