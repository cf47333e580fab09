/* Reads the filter of an Open311 GET requests. */
#include "request_query.h"

#include <string.h>

#include "clock.h"
#include "istanbul.h"
#include "number.h"
#include "w3c_time.h"

enum { STATUS_BAD = 400, SPAN_DAYS = 90, PAGES_MAX = 10000 };
#define SPAN_US (SPAN_DAYS * US_PER_DAY)

bool
request_query_number(const char *text, int64_t *ret_ticket_id)
{
	return number_parse_typed(text, ret_ticket_id) == NUMBER_OK;
}

/* The next part of a list separated by commas, without spaces around it; NULL at the end. */
static const char *
next_part(const char **at, size_t *ret_len)
{
	*at += strspn(*at, ", ");
	if (**at == '\0')
		return NULL;
	const char *part = *at;
	size_t len = strcspn(part, ",");
	*at += len;
	while (len > 0 && part[len - 1] == ' ')
		len--;
	*ret_len = len;
	return part;
}

/* A number that is none finds nothing, as one that was never given. */
static void
read_ids(struct request_query *q, const char *list, struct problems *p)
{
	size_t len, seen = 0;

	for (const char *part; (part = next_part(&list, &len)) != NULL;) {
		char text[QUERY_CODE_BYTES];
		if (++seen > QUERY_LIST_MAX) {
			problems_add(
			    p, STATUS_BAD, "service_request_id: more than %d", QUERY_LIST_MAX);
			return;
		}
		if (len >= sizeof(text))
			continue;
		memcpy(text, part, len);
		text[len] = '\0';
		q->id_count += request_query_number(text, &q->ids[q->id_count]);
	}
}

static void
read_codes(struct request_query *q, const char *list, struct problems *p)
{
	size_t len;

	for (const char *part; (part = next_part(&list, &len)) != NULL;) {
		if (q->code_count == QUERY_LIST_MAX || len >= QUERY_CODE_BYTES) {
			problems_add(p, STATUS_BAD, "service_code: too many codes, or too long");
			return;
		}
		memcpy(q->codes[q->code_count], part, len);
		q->codes[q->code_count++][len] = '\0';
	}
}

static void
read_status(struct request_query *q, const char *list, struct problems *p)
{
	size_t len;

	q->open = q->closed = list == NULL;
	if (list == NULL)
		return;
	for (const char *part; (part = next_part(&list, &len)) != NULL;) {
		if (len == 4 && memcmp(part, "open", 4) == 0)
			q->open = true;
		else if (len == 6 && memcmp(part, "closed", 6) == 0)
			q->closed = true;
		else
			problems_add(p, STATUS_BAD, "status: open, closed or both");
	}
	if (!q->open && !q->closed)
		q->open = q->closed = true;
}

static bool
read_time(const struct report_form *pairs, const char *name, int64_t *ret_us, struct problems *p)
{
	const char *text = report_field(pairs, name);
	if (text == NULL)
		return false;
	if (!w3c_time_parse(text, ret_us)) {
		problems_add(
		    p, STATUS_BAD, "%s: not a date-time like 2026-03-02T08:15:00+03:00", name);
		return false;
	}
	return true;
}

/* A date or both; the span is at most 90 days, and ends or begins at what was given. */
static void
read_span(
    struct request_query *q, const struct report_form *pairs, int64_t now_us, struct problems *p)
{
	bool has_from = read_time(pairs, "start_date", &q->from_us, p);
	bool has_to = read_time(pairs, "end_date", &q->to_us, p);

	if (!has_to)
		q->to_us = has_from && q->from_us + SPAN_US < now_us ? q->from_us + SPAN_US
								     : now_us + US_PER_MIN;
	if (!has_from)
		q->from_us = q->to_us - SPAN_US;
	if (q->to_us < q->from_us)
		problems_add(p, STATUS_BAD, "end_date: before start_date");
	else if (has_from && has_to && q->to_us - q->from_us > SPAN_US)
		problems_add(
		    p, STATUS_BAD, "start_date, end_date: at most %d days apart", SPAN_DAYS);
}

static int64_t
read_count(const struct report_form *pairs, const char *name, int64_t standard, int64_t max,
    struct problems *p)
{
	const char *text = report_field(pairs, name);
	int64_t value = 0;

	if (text == NULL)
		return standard;
	for (const char *c = text; *c >= '0' && *c <= '9' && value <= max; c++)
		value = value * 10 + (*c - '0');
	if (strspn(text, "0123456789") == strlen(text) && value >= 1 && value <= max)
		return value;
	problems_add(p, STATUS_BAD, "%s: a whole number from 1 to %lld", name, (long long)max);
	return standard;
}

bool
request_query_read(
    struct request_query *q, const struct report_form *pairs, int64_t now_us, struct problems *p)
{
	const char *ids = report_field(pairs, "service_request_id");
	const char *codes = report_field(pairs, "service_code");

	memset(q, 0, sizeof(*q));
	if (ids != NULL) {
		q->by_id = true;
		read_ids(q, ids, p);
		return p->count == 0;
	}
	if (codes != NULL)
		read_codes(q, codes, p);
	read_status(q, report_field(pairs, "status"), p);
	read_span(q, pairs, now_us, p);
	if (!read_time(pairs, "updated_after", &q->updated_from_us, p))
		q->updated_from_us = 0;
	if (!read_time(pairs, "updated_before", &q->updated_to_us, p))
		q->updated_to_us = CLOCK_LATEST_US;
	q->limit = read_count(pairs, "page_size", QUERY_PAGE_MAX, QUERY_PAGE_MAX, p);
	q->offset = (read_count(pairs, "page", 1, PAGES_MAX, p) - 1) * q->limit;
	return p->count == 0;
}
