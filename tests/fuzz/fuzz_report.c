/* An Open311 form: whatever it holds, an item that the record can take, or what is wrong with it.
 */
#include <event2/buffer.h>

#include "doc.h"
#include "fuzz.h"
#include "http_text.h"
#include "muratpasa_bundle.h"
#include "report.h"
#include "utf8.h"

#define NOW_US INT64_C(1772440000000000)

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static void
check_item(const struct item *item)
{
	const char *const lines[] = { item->name, item->phone, item->email, item->media_url,
		item->account_id, item->device_id, item->subject_code };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		HOLDS(lines[i] == NULL
		      || (utf8_valid(lines[i], strlen(lines[i]))
			  && !utf8_has_control(lines[i], false)));
	HOLDS(item->answers == NULL || utf8_valid(item->answers, strlen(item->answers)));
}

static void
check_problems(const struct problems *p)
{
	struct evbuffer *body = evbuffer_new();

	HOLDS(p->count > 0 && p->at[0].status >= 400);
	HOLDS(problems_write(p, DOC_JSON, body) && problems_write(p, DOC_XML, body));
	evbuffer_free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[32];
	static struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct http_pairs pairs = { 0 };
	struct problems p = { 0 };
	struct report report;

	if (http_pairs_parse((const char *)data, size, &pairs) != HTTP_PAIRS_OK)
		return 0;
	if (pairs.count > REPORT_PAIRS_MAX) {
		http_pairs_finish(&pairs);
		return 0;
	}
	const struct report_form form = { pairs.at, pairs.count };
	report_init(&report, on_done);
	if (report_read(&report, &form, muratpasa_catalogue(), NOW_US, &p)) {
		HOLDS(p.count == 0);
		check_item(&report.item);
		report_identify(&report.item, &maker, pairs.at, pairs.count);
		report.item.client = "app";
		report.item.source = "http";
		report.item.ticket_id = 260000001;
		HOLDS(item_seal(&report.item, &maker, NOW_US));
	} else {
		check_problems(&p);
	}
	report_finish(&report);
	http_pairs_finish(&pairs);
	return 0;
}
