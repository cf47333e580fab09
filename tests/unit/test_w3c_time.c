/* Date-times are read as clients write them and written with Istanbul's offset. */
#include <stdint.h>

#include "base.h"
#include "check.h"
#include "w3c_time.h"

#define S INT64_C(1000000)

static const struct {
	const char *text;
	bool ok;
	int64_t want_us;
} reads[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "2026-03-02T08:15:00+03:00", true, INT64_C(1772428500) * S },
	{ "2026-03-02T05:15:00Z", true, INT64_C(1772428500) * S },
	{ "2026-03-02T05:15:00z", true, INT64_C(1772428500) * S },
	{ "2026-03-02t01:15:00-04:00", true, INT64_C(1772428500) * S },
	{ "2026-03-02T08:15:00 03:00", true, INT64_C(1772428500) * S },
	{ "2026-03-02T08:15:00+0300", true, INT64_C(1772428500) * S },
	{ "2026-03-02T05:15:00.5Z", true, INT64_C(1772428500) * S + S / 2 },
	{ "2026-03-02T05:15:00.1234567891Z", true, INT64_C(1772428500) * S + 123456 },
	{ "2026-03-02", true, INT64_C(1772398800) * S },
	{ "2012-07-01", true, INT64_C(1341090000) * S },
	{ "2026-02-29", false, 0 },
	{ "2024-02-29", true, INT64_C(1709154000) * S },
	{ "2026-13-01", false, 0 },
	{ "2026-3-2", false, 0 },
	{ "2026-03-02T24:00:00Z", false, 0 },
	{ "2026-03-02T08:60:00Z", false, 0 },
	{ "2026-03-02T08:15:00", false, 0 },
	{ "2026-03-02T08:15Z", false, 0 },
	{ "2026-03-02T08:15:00+15:00", false, 0 },
	{ "2026-03-02T08:15:00+03:60", false, 0 },
	{ "2026-03-02T08:15:00Zx", false, 0 },
	{ "2026-03-02T08:15:00.Z", false, 0 },
	{ "1970-01-01T00:00:00+03:00", false, 0 },
	{ "yesterday", false, 0 },
	{ "", false, 0 },
};

TEST(test_w3c_time_is_read)
{
	for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
		int64_t got = -1;
		CHECK_TRUE(reads[i].text, w3c_time_parse(reads[i].text, &got) == reads[i].ok);
		CHECK_I64(reads[i].text, got, reads[i].ok ? reads[i].want_us : -1);
	}
}

TEST(test_w3c_time_is_written)
{
	char text[W3C_TIME_SIZE];

	w3c_time_format(INT64_C(1772428500) * S, text);
	CHECK_STR("now", text, "2026-03-02T08:15:00+03:00");
	w3c_time_format(INT64_C(1326628800) * S, text);
	CHECK_STR("winter before 2016", text, "2012-01-15T14:00:00+02:00");
	w3c_time_format(-1, text);
	CHECK_STR("before the epoch", text, "");
	w3c_time_format(INT64_MAX, text);
	CHECK_STR("after all times", text, "");
}

TEST(test_what_is_written_is_read_back)
{
	for (int64_t at_s = 0; at_s < INT64_C(4000000000); at_s += 7654321) {
		char text[W3C_TIME_SIZE];
		int64_t got;
		w3c_time_format(at_s * S, text);
		if (!CHECK(w3c_time_parse(text, &got)))
			return;
		CHECK_I64(text, got, at_s * S);
	}
}
