/* request_query - the arguments of an Open311 GET requests, checked and with their defaults. */
#ifndef INTAKE_REQUEST_QUERY_H
#define INTAKE_REQUEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "problems.h"
#include "report.h"

enum { QUERY_LIST_MAX = 100, QUERY_CODE_BYTES = 64, QUERY_PAGE_MAX = 1000 };

struct request_query {
	/* service_request_id: all else is passed over then. */
	bool by_id;
	int64_t ids[QUERY_LIST_MAX]; /* those that are numbers at all */
	size_t id_count;

	char codes[QUERY_LIST_MAX][QUERY_CODE_BYTES];
	size_t code_count; /* 0: all */
	int64_t from_us, to_us; /* of the request */
	int64_t updated_from_us, updated_to_us;
	bool open, closed;
	int64_t limit, offset;
};

/* False: p says what is wrong.  The query's pairs are those of the URL. */
MUST_CHECK bool request_query_read(
    struct request_query *q, const struct report_form *pairs, int64_t now_us, struct problems *p);

/* One service_request_id as people and programs write it; false: not a ticket's number. */
MUST_CHECK bool request_query_number(const char *text, int64_t *ret_ticket_id);

#endif
