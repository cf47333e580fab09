/* Small things that come from outside: moments, UUIDs, traces, UTF-8, check digits. */
#include "fuzz.h"
#include "trace.h"
#include "utf8.h"
#include "uuid.h"
#include "w3c_time.h"

static void
check_utf8(const char *text, size_t len)
{
	const char *at = text;

	while (at < text + len) {
		const char *before = at;
		int32_t code = utf8_next(&at, text + len);
		HOLDS(at > before && at <= text + len && at - before <= UTF8_BYTES_MAX);
		if (code != UTF8_INVALID) {
			char again[UTF8_BYTES_MAX];
			HOLDS(utf8_put(code, again) == (size_t)(at - before));
			HOLDS(memcmp(again, before, (size_t)(at - before)) == 0);
		}
	}
	if (utf8_valid(text, len))
		for (size_t max = 0; max < 8; max++) {
			size_t cut = utf8_prefix_len(text, len, max);
			HOLDS(cut <= len && (cut <= max) && utf8_valid(text, cut));
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t random[TRACE_RANDOM_BYTES] = { 1 };
	char *text = copy_text(data, size), trace[TRACE_SIZE], shown[W3C_TIME_SIZE],
	     uuid_text[UUID_TEXT_SIZE];
	struct uuid uuid, again;
	int64_t at_us, back_us;

	check_utf8(text, size);
	trace_parent(text, random, trace);
	HOLDS(
	    strlen(trace) == TRACE_LEN && trace[2] == '-' && trace[35] == '-' && trace[52] == '-');
	if (uuid_parse(text, strlen(text), &uuid)) {
		uuid_format(&uuid, uuid_text);
		HOLDS(uuid_parse(uuid_text, strlen(uuid_text), &again));
		HOLDS(uuid_compare(&uuid, &again) == 0);
	}
	if (w3c_time_parse(text, &at_us)) {
		w3c_time_format(at_us, shown);
		HOLDS(w3c_time_parse(shown, &back_us));
		HOLDS(back_us <= at_us && at_us - back_us < 1000000);
	}
	free(text);
	return 0;
}
