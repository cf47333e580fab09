/* Writes a JPEG again: frame, tables and scans, and of the rest only how to turn it. */
#include <string.h>

#include "photo_internal.h"

enum {
	M_SOF0 = 0xc0, /* baseline; 1 extended, 2 progressive: what browsers show */
	M_SOF2 = 0xc2,
	M_DHT = 0xc4,
	M_RST0 = 0xd0,
	M_RST7 = 0xd7,
	M_SOI = 0xd8,
	M_EOI = 0xd9,
	M_SOS = 0xda,
	M_DQT = 0xdb,
	M_DRI = 0xdd,
	M_APP0 = 0xe0,
	M_APP1 = 0xe1,
	M_APP14 = 0xee,
	M_APP15 = 0xef,
	M_COM = 0xfe,
};
enum { COMPONENTS_MAX = 4, SCANS_MAX = 200, EXIF_HEAD = 6, ADOBE_BYTES = 12 };

struct jpeg {
	struct photo_work *w;
	size_t at;
	bool framed; /* SOF was there */
	bool jfif, exif, adobe; /* likewise */
	size_t scans;
	uint8_t components;
};

/* A segment's content, without marker and length. */
struct segment {
	uint8_t marker;
	const uint8_t *data;
	size_t len;
};

static void
write_segment(struct jpeg *j, uint8_t marker, const uint8_t *data, size_t len)
{
	uint8_t head[4] = { 0xff, marker };

	photo_put_be16(head + 2, (uint16_t)(len + 2));
	photo_write(j->w, head, sizeof(head));
	photo_write(j->w, data, len);
}

static enum photo_result
keep(struct jpeg *j, const struct segment *s, bool formed)
{
	if (!formed)
		return PHOTO_BROKEN;
	write_segment(j, s->marker, s->data, s->len);
	return PHOTO_OK;
}

/* --- segments -----------------------------------------------------------------------------------
 */

static bool
tables_fill(const struct segment *s)
{
	size_t at = 0;

	while (at < s->len) {
		uint8_t head = s->data[at++];
		size_t size = 0;
		if (s->marker == M_DQT) {
			if (head >> 4 > 1 || (head & 15) > 3)
				return false;
			size = head >> 4 == 0 ? 64 : 128;
		} else {
			if (head >> 4 > 1 || (head & 15) > 3 || s->len - at < 16)
				return false;
			for (size_t i = 0; i < 16; i++)
				size += s->data[at + i];
			if (size > 256)
				return false;
			size += 16;
		}
		if (s->len - at < size)
			return false;
		at += size;
	}
	return s->len > 0;
}

static enum photo_result
take_frame(struct jpeg *j, const struct segment *s)
{
	if (j->framed || s->len < 6 || s->data[0] != 8)
		return PHOTO_BROKEN;
	j->components = s->data[5];
	if (j->components == 0 || j->components > COMPONENTS_MAX
	    || s->len != 6 + 3 * (size_t)j->components)
		return PHOTO_BROKEN;
	enum photo_result sized = photo_set_size(
	    j->w, photo_be16(s->data + 3), photo_be16(s->data + 1));
	if (sized != PHOTO_OK)
		return sized;
	j->framed = true;
	return keep(j, s, true);
}

/* The coded data behind a scan's head: up to the next marker that is none of its own. */
static enum photo_result
take_scan(struct jpeg *j, const struct segment *s)
{
	const uint8_t *in = j->w->in;
	size_t end = j->at, len = j->w->in_len;

	if (!j->framed || s->len < 1 || s->data[0] == 0 || s->data[0] > j->components
	    || s->len != 4 + 2 * (size_t)s->data[0] || ++j->scans > SCANS_MAX)
		return PHOTO_BROKEN;
	write_segment(j, s->marker, s->data, s->len);
	for (;;) {
		const uint8_t *ff = memchr(in + end, 0xff, len - end);
		if (ff == NULL || ff + 1 == in + len)
			return PHOTO_INCOMPLETE;
		end = (size_t)(ff - in);
		if (ff[1] != 0 && (ff[1] < M_RST0 || ff[1] > M_RST7))
			break;
		end += 2;
	}
	photo_write(j->w, in + j->at, end - j->at);
	j->at = end;
	return PHOTO_OK;
}

static void
take_jfif(struct jpeg *j, const struct segment *s)
{
	static const uint8_t plain[] = { 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0 };

	if (j->jfif || s->len < sizeof(plain) || memcmp(s->data, plain, 5) != 0)
		return;
	j->jfif = true;
	write_segment(j, M_APP0, plain, sizeof(plain));
}

static void
take_exif(struct jpeg *j, const struct segment *s)
{
	uint8_t block[EXIF_HEAD + PHOTO_TIFF_BYTES] = { 'E', 'x', 'i', 'f' };

	if (j->exif || s->len < EXIF_HEAD || memcmp(s->data, block, EXIF_HEAD) != 0)
		return;
	j->exif = true;
	uint8_t orientation = photo_exif_orientation(s->data + EXIF_HEAD, s->len - EXIF_HEAD);
	if (orientation == 1)
		return;
	j->w->out.orientation = orientation;
	photo_exif_write(orientation, block + EXIF_HEAD);
	write_segment(j, M_APP1, block, sizeof(block));
}

/* Says what the components are; without it the colours are wrong. */
static void
take_adobe(struct jpeg *j, const struct segment *s)
{
	uint8_t block[ADOBE_BYTES] = { 'A', 'd', 'o', 'b', 'e', 0, 100 };

	if (j->adobe || s->len < ADOBE_BYTES || memcmp(s->data, block, 5) != 0 || s->data[11] > 2)
		return;
	j->adobe = true;
	block[11] = s->data[11];
	write_segment(j, M_APP14, block, sizeof(block));
}

static enum photo_result
take_segment(struct jpeg *j, const struct segment *s)
{
	if (s->marker >= M_SOF0 && s->marker <= M_SOF2)
		return take_frame(j, s);
	switch (s->marker) {
	case M_DQT:
	case M_DHT:
		return keep(j, s, tables_fill(s));
	case M_DRI:
		return keep(j, s, s->len == 2);
	case M_SOS:
		return take_scan(j, s);
	case M_APP0:
		take_jfif(j, s);
		return PHOTO_OK;
	case M_APP1:
		take_exif(j, s);
		return PHOTO_OK;
	case M_APP14:
		take_adobe(j, s);
		return PHOTO_OK;
	case M_COM:
		return PHOTO_OK;
	default:
		return s->marker >= M_APP0 && s->marker <= M_APP15 ? PHOTO_OK : PHOTO_BROKEN;
	}
}

/* --- the file -----------------------------------------------------------------------------------
 */

/* Reads the marker at j->at, and its segment unless it is the end's. */
static enum photo_result
next_segment(struct jpeg *j, struct segment *ret)
{
	const uint8_t *in = j->w->in;
	size_t len = j->w->in_len;

	if (j->at >= len)
		return PHOTO_INCOMPLETE;
	if (in[j->at] != 0xff)
		return PHOTO_BROKEN;
	while (j->at < len && in[j->at] == 0xff)
		j->at++;
	if (j->at == len)
		return PHOTO_INCOMPLETE;
	*ret = (struct segment){ .marker = in[j->at++] };
	if (ret->marker == M_EOI)
		return PHOTO_OK;
	if (ret->marker < M_SOF0 || (ret->marker >= M_RST0 && ret->marker <= M_SOI))
		return PHOTO_BROKEN;
	if (len - j->at < 2)
		return PHOTO_INCOMPLETE;
	size_t whole = photo_be16(in + j->at);
	if (whole < 2)
		return PHOTO_BROKEN;
	if (whole > len - j->at)
		return PHOTO_INCOMPLETE;
	ret->data = in + j->at + 2;
	ret->len = whole - 2;
	j->at += whole;
	return PHOTO_OK;
}

enum photo_result
photo_clean_jpeg(struct photo_work *w)
{
	static const uint8_t start[] = { 0xff, M_SOI }, end[] = { 0xff, M_EOI };
	struct jpeg j = { .w = w, .at = sizeof(start) };
	struct segment segment;

	photo_write(w, start, sizeof(start));
	for (;;) {
		enum photo_result result = next_segment(&j, &segment);
		if (result == PHOTO_OK && segment.marker == M_EOI)
			break;
		if (result == PHOTO_OK)
			result = take_segment(&j, &segment);
		if (result != PHOTO_OK)
			return result;
	}
	if (j.scans == 0)
		return PHOTO_BROKEN;
	photo_write(w, end, sizeof(end));
	return PHOTO_OK;
}
