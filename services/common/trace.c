/* Accepts, makes and takes apart a traceparent. */
#include "trace.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, SPAN_ID_LEN = 16 };

static bool
hex_not_zero(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len && strspn(text, "0") < len;
}

bool
trace_valid(const char *text)
{
	return text != NULL && strlen(text) == TRACE_LEN && memcmp(text, "00-", TRACE_ID_AT) == 0
	       && hex_not_zero(text + TRACE_ID_AT, TRACE_ID_LEN) && text[SPAN_ID_AT - 1] == '-'
	       && hex_not_zero(text + SPAN_ID_AT, SPAN_ID_LEN)
	       && text[SPAN_ID_AT + SPAN_ID_LEN] == '-'
	       && strspn(text + SPAN_ID_AT + SPAN_ID_LEN + 1, "0123456789abcdef") == 2;
}

static void
put_together(uint8_t ids[TRACE_RANDOM_BYTES], char out[TRACE_SIZE])
{
	char hex[2 * TRACE_RANDOM_BYTES + 1];

	ids[0] |= 1; /* neither id may be zero */
	ids[TRACE_RANDOM_BYTES - 1] |= 1;
	(void)sodium_bin2hex(hex, sizeof(hex), ids, TRACE_RANDOM_BYTES);
	memcpy(out, "00-", TRACE_ID_AT);
	memcpy(out + TRACE_ID_AT, hex, TRACE_ID_LEN);
	out[SPAN_ID_AT - 1] = '-';
	memcpy(out + SPAN_ID_AT, hex + TRACE_ID_LEN, SPAN_ID_LEN);
	memcpy(out + SPAN_ID_AT + SPAN_ID_LEN, "-01", 4);
}

void
trace_parent(const char *given, const uint8_t random[TRACE_RANDOM_BYTES], char out[TRACE_SIZE])
{
	uint8_t ids[TRACE_RANDOM_BYTES];

	if (trace_valid(given)) {
		memcpy(out, given, TRACE_SIZE);
		return;
	}
	memcpy(ids, random, sizeof(ids));
	put_together(ids, out);
}

void
trace_begin(const struct uuid *id, char out[TRACE_SIZE])
{
	uint8_t ids[TRACE_RANDOM_BYTES];

	/* The half that is random is the first span. */
	memcpy(ids, id->bytes, sizeof(id->bytes));
	memcpy(ids + sizeof(id->bytes), id->bytes + sizeof(id->bytes) / 2, sizeof(id->bytes) / 2);
	put_together(ids, out);
}

void
trace_id(const char *traceparent, char out[TRACE_ID_SIZE])
{
	out[0] = '\0';
	if (!trace_valid(traceparent))
		return;
	memcpy(out, traceparent + TRACE_ID_AT, TRACE_ID_LEN);
	out[TRACE_ID_LEN] = '\0';
}
