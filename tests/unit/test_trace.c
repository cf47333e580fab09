/* What a traceparent is made of, and how many lines a second speak of them. */
#include <string.h>

#include "check.h"
#include "log.h"
#include "trace.h"

static const char given[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static const struct {
	const char *name, *text;
	bool valid;
} texts[] = {
	{ "of the specification", given, true },
	{ "not sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true },
	{ "another version", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false },
	{ "no trace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false },
	{ "no span", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false },
	{ "capitals", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false },
	{ "short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false },
	{ "dashes alone", "-------------------------------------------------------", false },
	{ "none", "", false },
	{ "NULL", NULL, false },
};

TEST(test_trace_valid)
{
	char id[TRACE_ID_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CHECK_TRUE(texts[i].name, trace_valid(texts[i].text) == texts[i].valid);
		trace_id(texts[i].text, id);
		CHECK_STR(
		    texts[i].name, id, texts[i].valid ? "4bf92f3577b34da6a3ce929d0e0e4736" : "");
	}
}

TEST(test_trace_begins_with_an_id)
{
	char first[TRACE_SIZE], again[TRACE_SIZE], nil[TRACE_SIZE];
	struct uuid id;

	CHECK_TRUE("an id", uuid_parse("019a22b5-6533-7714-8b9a-1a022d57f2b3", 36, &id));
	trace_begin(&id, first);
	CHECK_STR("made of it", first, "00-019a22b5653377148b9a1a022d57f2b3-8b9a1a022d57f2b3-01");
	trace_begin(&id, again);
	CHECK_STR("always the same", again, first);
	memset(&id, 0, sizeof(id));
	trace_begin(&id, nil);
	CHECK_TRUE("of nothing too", trace_valid(nil));
}

TEST(test_trace_of_a_packed_event)
{
	char traceparent[TRACE_SIZE], out[TRACE_SIZE] = "";
	uint8_t packed[256];
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	memcpy(traceparent, given, sizeof(traceparent));
	event.traceparent = traceparent;
	size_t len = turunc__v1__event__pack(&event, packed);
	CHECK_TRUE("it has one", trace_of_packed(packed, len, out));
	CHECK_STR("this", out, given);
	traceparent[0] = 'x';
	len = turunc__v1__event__pack(&event, packed);
	CHECK_TRUE("none that is valid", !trace_of_packed(packed, len, out));
	CHECK_TRUE("no event", !trace_of_packed("\xff\xff", 2, out));
}

static size_t
pack(char traceparent[TRACE_SIZE], const char *given_, Turunc__V1__Event *event, uint8_t *packed)
{
	static char type[] = "ticket.opened", subject[] = "26-0012345-4";

	turunc__v1__event__init(event);
	memcpy(traceparent, given_, TRACE_SIZE);
	event->traceparent = traceparent;
	event->type = type;
	event->subject = subject;
	return turunc__v1__event__pack(event, packed);
}

enum { MANY = 20000 };

/* A reader that goes through the log again is not held up by what it will not be told of: this
 * costs no line, and is unpacked so often and no more. */
TEST(test_what_is_not_sampled_is_not_looked_at_for_ever)
{
	static const char unsampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
	char traceparent[TRACE_SIZE];
	uint8_t packed[256];
	Turunc__V1__Event event;

	log_open("test");
	log_set_level(LOG_LEVEL_INFO);
	size_t len = pack(traceparent, unsampled, &event, packed);
	uint64_t before = trace_lines_left_out();
	for (int i = 0; i < MANY; i++)
		trace_log_packed("tested", packed, len, "i=%d", i);
	uint64_t unseen = trace_lines_left_out() - before;
	CHECK_TRUE("most were not looked at",
	    unseen >= MANY - TRACE_LOOKS_AT_ONCE - UINT64_C(60) * TRACE_LOOKS_PER_S);
	CHECK_TRUE("the first were", unseen <= MANY - TRACE_LOOKS_AT_ONCE);

	/* They took no room from what is sampled. */
	(void)pack(traceparent, given, &event, packed);
	before = trace_lines_left_out();
	for (int i = 0; i < TRACE_LINES_AT_ONCE; i++)
		trace_log("tested", &event, "i=%d", i);
	CHECK_U64("each has its line", trace_lines_left_out(), before);
}

/* However fast they come: a storm does not fill the disk of the log.  (The test above has used what
 * there is at once.) */
TEST(test_trace_lines_have_a_bound)
{
	char traceparent[TRACE_SIZE];
	uint8_t packed[256];
	Turunc__V1__Event event;

	log_open("test");
	log_set_level(LOG_LEVEL_INFO);
	size_t len = pack(traceparent, given, &event, packed);
	uint64_t before = trace_lines_left_out();
	for (int i = 0; i < MANY / 2; i++) {
		trace_log("tested", &event, "i=%d", i);
		trace_log_packed("tested", packed, len, "i=%d", i);
	}
	/* No more was written than a minute brings, were this machine that slow. */
	CHECK_TRUE("most were left out",
	    trace_lines_left_out() - before
		>= MANY - TRACE_LINES_AT_ONCE - UINT64_C(60) * TRACE_LINES_PER_S);

	before = trace_lines_left_out();
	log_set_level(LOG_LEVEL_ERROR);
	trace_log("tested", &event, "quiet");
	CHECK_U64(
	    "a level above says nothing, and leaves nothing out", trace_lines_left_out(), before);
}
