/* UUIDv7: 48 bits of milliseconds, then 74 bits that start at random and are counted on. */
#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define LOW_MASK ((UINT64_C(1) << 62) - 1)
#define HIGH_MASK UINT64_C(0xfff)
/* A new millisecond starts in the lower half, so that there is room to count. */
#define HIGH_START_MASK UINT64_C(0x7ff)
#define MS_MASK ((UINT64_C(1) << 48) - 1)

static void
fill_random(void *buf, size_t len)
{
	ssize_t got;

	do
		got = getrandom(buf, len, 0);
	while (got == -1 && errno == EINTR);
	/* Up to 256 bytes come whole once the kernel has seeded itself, which it waits for. */
	assert(got == (ssize_t)len);
}

static void
start_at_random(struct uuid_source *s)
{
	uint64_t random[2];

	fill_random(random, sizeof(random));
	s->high = random[0] & HIGH_START_MASK;
	s->low = random[1] & LOW_MASK;
}

/* A random step keeps the next one unguessable; a full counter borrows the next millisecond. */
static void
count_on(struct uuid_source *s)
{
	uint32_t step;

	fill_random(&step, sizeof(step));
	s->low += (uint64_t)step + 1;
	if (s->low <= LOW_MASK)
		return;
	s->low &= LOW_MASK;
	s->high++;
	if (s->high <= HIGH_MASK)
		return;
	s->last_ms++;
	start_at_random(s);
}

void
uuid_next(struct uuid_source *s, int64_t now_us, struct uuid *ret_uuid)
{
	uint64_t now_ms = now_us < 0 ? 0 : (uint64_t)now_us / 1000 & MS_MASK;
	bool fresh = s->last_ms == 0 && s->high == 0 && s->low == 0;

	if (fresh || now_ms > s->last_ms) {
		s->last_ms = now_ms;
		start_at_random(s);
	} else {
		count_on(s);
	}

	uint64_t first = s->last_ms << 16 | UINT64_C(0x7000) | s->high;
	uint64_t second = UINT64_C(1) << 63 | s->low;
	for (int i = 0; i < 8; i++) {
		ret_uuid->bytes[i] = (uint8_t)(first >> (56 - 8 * i));
		ret_uuid->bytes[8 + i] = (uint8_t)(second >> (56 - 8 * i));
	}
}

static bool
hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void
uuid_format(const struct uuid *u, char text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t nibble = 0;

	for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
		if (hyphen_at(i)) {
			text[i] = '-';
			continue;
		}
		uint8_t byte = u->bytes[nibble / 2];
		text[i] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
		nibble++;
	}
	text[UUID_TEXT_LEN] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
uuid_parse(const char *text, size_t len, struct uuid *ret_uuid)
{
	struct uuid u = { { 0 } };
	size_t nibble = 0;

	if (len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (hyphen_at(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		int value = hex_value(text[i]);
		if (value < 0)
			return false;
		u.bytes[nibble / 2] = (uint8_t)(u.bytes[nibble / 2] << 4 | value);
		nibble++;
	}
	*ret_uuid = u;
	return true;
}

int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, UUID_BYTES);
}

bool
uuid_is_nil(const struct uuid *u)
{
	static const struct uuid nil = { { 0 } };

	return uuid_compare(u, &nil) == 0;
}

int64_t
uuid_time_ms(const struct uuid *u)
{
	int64_t ms = 0;

	if (u->bytes[6] >> 4 != 7)
		return -1;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | u->bytes[i];
	return ms;
}
