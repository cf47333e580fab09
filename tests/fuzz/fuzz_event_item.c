/* Events of a Publish, as the bus brings them: read into an item that the record can hold. */
#include "event_item.h"
#include "frame.h"
#include "fuzz.h"
#include "muratpasa_bundle.h"
#include "utf8.h"

#define NOW_US INT64_C(1772440000000000)

static char *const any[] = { (char[]){ "*" } };

static void
check_text(const char *text)
{
	HOLDS(text == NULL || utf8_valid(text, strlen(text)));
}

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
	const char *const lines[] = { item->name, item->phone, item->email, item->language,
		item->media_url, item->subject_code, item->call_id };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		HOLDS(lines[i] == NULL || !utf8_has_control(lines[i], false));
	HOLDS(item->description == NULL || !utf8_has_control(item->description, true));
	check_text(item->answers);
	check_text(item->address);
	HOLDS(item->type != NULL && item->type[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[32];
	static struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	static char name[] = "pbx";
	const struct acl_client client = { .name = name,
		.verbs = ACL_PUBLISH,
		.sources = { (const char *const *)any, 1 },
		.types = { (const char *const *)any, 1 },
		.departments = { (const char *const *)any, 1 } };
	struct frame *frame = NULL;

	if (frame_unpack(&turunc__v1__client_frame__descriptor, data, size, &frame, NULL)
	    != FRAME_OK)
		return 0;
	const Turunc__V1__ClientFrame *said = frame_client(frame);
	size_t count = said->body_case == TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH
			   ? said->publish->n_events
			   : 0;
	for (size_t i = 0; i < count; i++) {
		struct event_item e;
		char error[EVENT_ERROR_BYTES] = "";
		event_item_init(&e, on_done);
		enum event_verdict verdict = event_item_read(&e, said->publish->events[i], &client,
		    muratpasa_catalogue(), &maker, NOW_US, error);
		HOLDS(memchr(error, 0, sizeof(error)) != NULL && utf8_valid(error, strlen(error)));
		HOLDS(verdict != EVENT_REJECTED || strchr(error, ':') != NULL);
		if (verdict == EVENT_READ) {
			check_item(&e.item);
			e.item.client = name;
			HOLDS(item_seal(&e.item, &maker, NOW_US));
			HOLDS(e.item.event_len <= FRAME_EVENT_MAX_BYTES);
		}
		event_item_finish(&e);
	}
	frame_destroy(frame);
	return 0;
}
