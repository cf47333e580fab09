/* The query of an Open311 list: what it asks for is within its bounds. */
#include "fuzz.h"
#include "http_text.h"
#include "request_query.h"

#define NOW_US INT64_C(1772440000000000)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request_query *q = calloc(1, sizeof(*q));
	struct http_pairs pairs = { 0 };
	struct problems p = { 0 };
	int64_t id;

	if (http_pairs_parse((const char *)data, size, &pairs) != HTTP_PAIRS_OK) {
		free(q);
		return 0;
	}
	const struct report_form form = { pairs.at, pairs.count };
	if (request_query_read(q, &form, NOW_US, &p)) {
		HOLDS(q->id_count <= QUERY_LIST_MAX && q->code_count <= QUERY_LIST_MAX);
		HOLDS(q->by_id || (q->limit >= 1 && q->limit <= QUERY_PAGE_MAX && q->offset >= 0));
		HOLDS(q->by_id || q->from_us <= q->to_us);
	} else {
		HOLDS(p.count > 0);
	}
	for (size_t i = 0; i < pairs.count; i++)
		if (request_query_number(pairs.at[i].value, &id))
			HOLDS(id > 0);
	http_pairs_finish(&pairs);
	free(q);
	return 0;
}
