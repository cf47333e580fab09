/* Tells what a picture is, and has it cleaned. */
#include "photo.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "photo_internal.h"

/* The longest side that every browser shows. */
enum { SIDE_MAX = 16384, SNIFF_BYTES = 12, BRAND_AT = 8 };

static const char *const media_types[PHOTO_TYPES] = {
	[PHOTO_NO_TYPE] = "application/octet-stream",
	[PHOTO_JPEG] = "image/jpeg",
	[PHOTO_PNG] = "image/png",
	[PHOTO_WEBP] = "image/webp",
};

const char *
photo_media_type(enum photo_type type)
{
	return media_types[type];
}

enum photo_type
photo_type_of(const uint8_t *data, size_t len)
{
	if (len < SNIFF_BYTES)
		return PHOTO_NO_TYPE;
	if (memcmp(data, "\xff\xd8\xff", 3) == 0)
		return PHOTO_JPEG;
	if (memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
		return PHOTO_PNG;
	if (memcmp(data, "RIFF", 4) == 0 && memcmp(data + BRAND_AT, "WEBP", 4) == 0)
		return PHOTO_WEBP;
	return PHOTO_NO_TYPE;
}

/* An ISO media file whose brand is of the HEIF family. */
static bool
is_heic(const uint8_t *data, size_t len)
{
	static const char brands[][5] = { "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1",
		"avif" };

	if (len < SNIFF_BYTES || memcmp(data + 4, "ftyp", 4) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(brands); i++)
		if (memcmp(data + BRAND_AT, brands[i], 4) == 0)
			return true;
	return false;
}

enum photo_result
photo_clean(const uint8_t *data, size_t len, uint64_t max_pixels, struct photo *ret_photo)
{
	struct photo_work w = { .in = data, .in_len = len, .max_pixels = max_pixels };
	enum photo_result result = PHOTO_UNKNOWN;

	w.out.type = photo_type_of(data, len);
	if (w.out.type == PHOTO_NO_TYPE)
		return is_heic(data, len) ? PHOTO_HEIC : PHOTO_UNKNOWN;
	w.out.orientation = 1;
	w.out.data = malloc(len + PHOTO_SPARE_BYTES);
	if (w.out.data == NULL)
		return PHOTO_NO_MEMORY;
	switch (w.out.type) {
	case PHOTO_JPEG:
		result = photo_clean_jpeg(&w);
		break;
	case PHOTO_PNG:
		result = photo_clean_png(&w);
		break;
	case PHOTO_WEBP:
		result = photo_clean_webp(&w);
		break;
	case PHOTO_NO_TYPE:
	case PHOTO_TYPES:
		break;
	}
	if (result == PHOTO_OK)
		*ret_photo = w.out;
	else
		photo_finish(&w.out);
	return result;
}

void
photo_finish(struct photo *photo)
{
	free(photo->data);
	*photo = (struct photo){ 0 };
}

/* --- for the three kinds ------------------------------------------------------------------------
 */

uint16_t
photo_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
photo_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint32_t
photo_le24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

uint32_t
photo_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | photo_le24(p);
}

void
photo_put_be16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

void
photo_put_be32(uint8_t *p, uint32_t value)
{
	photo_put_be16(p, (uint16_t)(value >> 16));
	photo_put_be16(p + 2, (uint16_t)value);
}

void
photo_put_le32(uint8_t *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

void
photo_write(struct photo_work *w, const void *data, size_t len)
{
	assert(len <= w->in_len + PHOTO_SPARE_BYTES - w->out.len);
	memcpy(w->out.data + w->out.len, data, len);
	w->out.len += len;
}

enum photo_result
photo_set_size(struct photo_work *w, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return PHOTO_BROKEN;
	if (width > SIDE_MAX || height > SIDE_MAX || (uint64_t)width * height > w->max_pixels)
		return PHOTO_TOO_MANY_PIXELS;
	w->out.width = width;
	w->out.height = height;
	return PHOTO_OK;
}

/* --- Exif ---------------------------------------------------------------------------------------
 */

enum { IFD_ENTRY_BYTES = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ORIENTATION_MAX = 8 };

struct tiff {
	const uint8_t *data;
	bool little;
};

static uint32_t
tiff_short(const struct tiff *t, size_t at)
{
	const uint8_t *p = t->data + at;
	return t->little ? (uint32_t)(p[1] << 8 | p[0]) : photo_be16(p);
}

static uint32_t
tiff_long(const struct tiff *t, size_t at)
{
	return t->little ? photo_le32(t->data + at) : photo_be32(t->data + at);
}

uint8_t
photo_exif_orientation(const uint8_t *data, size_t len)
{
	if (len < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
		return 1;
	const struct tiff t = { data, data[0] == 'I' };
	size_t at = tiff_long(&t, 4);
	if (at > len - 2)
		return 1;
	size_t count = tiff_short(&t, at);
	at += 2;
	for (size_t i = 0; i < count && len - at >= IFD_ENTRY_BYTES; i++, at += IFD_ENTRY_BYTES) {
		if (tiff_short(&t, at) != TAG_ORIENTATION)
			continue;
		uint32_t value = tiff_short(&t, at + 8);
		bool fits = tiff_short(&t, at + 2) == TYPE_SHORT && tiff_long(&t, at + 4) == 1
			    && value >= 1 && value <= ORIENTATION_MAX;
		return fits ? (uint8_t)value : 1;
	}
	return 1;
}

void
photo_exif_write(uint8_t orientation, uint8_t ret_tiff[PHOTO_TIFF_BYTES])
{
	static const uint8_t head[] = { 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1 };

	memset(ret_tiff, 0, PHOTO_TIFF_BYTES);
	memcpy(ret_tiff, head, sizeof(head));
	photo_put_be16(ret_tiff + 10, TAG_ORIENTATION);
	photo_put_be16(ret_tiff + 12, TYPE_SHORT);
	photo_put_be32(ret_tiff + 14, 1);
	photo_put_be16(ret_tiff + 18, orientation);
}
