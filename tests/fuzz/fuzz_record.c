/* Records of the log, as notifier and metrics take them from the stream: any event makes news that
 * can be told and figures that can be counted, or neither. */
#include "compose.h"
#include "frame.h"
#include "fuzz.h"
#include "muratpasa_bundle.h"
#include "utf8.h"

static void
tell(const struct news *news, const char *answer)
{
	static struct message message;
	static const struct person people[] = {
		{ .ticket_id = 260000001,
		    .name = "Ayşe",
		    .phone = "+905321234567",
		    .email = "",
		    .language = "tr",
		    .subject_code = "yol-cukur",
		    .recorded_us = INT64_C(1772440000000000) },
		{ .ticket_id = 260000001,
		    .unproven = true,
		    .name = "Ayşe",
		    .phone = "",
		    .email = "ayse@yurttas.example",
		    .language = "en",
		    .subject_code = "" },
		{ .ticket_id = 260000002,
		    .joined = true,
		    .name = "Ali",
		    .phone = "+905321234568",
		    .email = "",
		    .language = "tr",
		    .subject_code = "yol-cukur" },
	};

	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		enum compose_result result = compose(
		    muratpasa_catalogue(), news, &people[i], answer, &message);
		if (result != COMPOSED)
			continue;
		HOLDS(utf8_valid(message.body, strlen(message.body)));
		HOLDS(strpbrk(message.subject, "\r\n") == NULL);
		HOLDS(strpbrk(message.recipient, "\r\n ,") == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame *frame = NULL;
	struct news news;

	if (frame_unpack(&turunc__v1__event__descriptor, data, size, &frame, NULL) != FRAME_OK)
		return 0;
	const Turunc__V1__Event *event = (const Turunc__V1__Event *)(const void *)frame_message(
	    frame);
	enum news_kind kind = news_of(event, 1, &news);
	HOLDS(kind != NEWS_NO_MEMORY);
	if (kind == NEWS_TOLD) {
		HOLDS(news.event != NULL && news.type != NULL);
		tell(&news, event->subject);
		news_finish(&news);
	}
	frame_destroy(frame);
	return 0;
}
