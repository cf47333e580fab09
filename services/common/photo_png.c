/* Writes a PNG again: its critical chunks and what makes its colours right. */
#include <string.h>

#include "photo_internal.h"

enum { SIGNATURE_BYTES = 8, CHUNK_FRAME_BYTES = 12, HEADER_BYTES = 13, PALETTE_MAX = 768 };

/* Chunks that stay; any other ancillary one goes, any other critical one is none of PNG's. */
static const struct kept {
	char type[5];
	size_t least, most;
	bool before_data; /* stands only before the first IDAT */
} kept[] = {
	{ "PLTE", 3, PALETTE_MAX, true },
	{ "tRNS", 1, 256, true },
	{ "sRGB", 1, 1, true },
	{ "gAMA", 4, 4, true },
	{ "cHRM", 32, 32, true },
	{ "sBIT", 1, 4, true },
};

struct png {
	struct photo_work *w;
	size_t at;
	bool data, data_over; /* IDATs, which follow each other */
	bool turned;
	unsigned seen; /* of kept */
};

struct chunk {
	const uint8_t *type;
	const uint8_t *data;
	size_t len;
};

static uint32_t
crc(const uint8_t *data, size_t len)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8,
		0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t c = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		c ^= data[i];
		c = c >> 4 ^ table[c & 15];
		c = c >> 4 ^ table[c & 15];
	}
	return ~c;
}

static bool
is(const struct chunk *c, const char type[5])
{
	return memcmp(c->type, type, 4) == 0;
}

/* Type and data stand together in the input: the chunk is copied with its frame. */
static void
keep(struct png *p, const struct chunk *c)
{
	photo_write(p->w, c->type - 4, c->len + CHUNK_FRAME_BYTES);
}

static enum photo_result
next_chunk(struct png *p, struct chunk *ret)
{
	size_t left = p->w->in_len - p->at;
	const uint8_t *in = p->w->in + p->at;

	if (left < CHUNK_FRAME_BYTES)
		return PHOTO_INCOMPLETE;
	size_t len = photo_be32(in);
	if (len > INT32_MAX)
		return PHOTO_BROKEN;
	if (len > left - CHUNK_FRAME_BYTES)
		return PHOTO_INCOMPLETE;
	for (size_t i = 4; i < 8; i++)
		if ((in[i] | 0x20) < 'a' || (in[i] | 0x20) > 'z')
			return PHOTO_BROKEN;
	if (crc(in + 4, len + 4) != photo_be32(in + 8 + len))
		return PHOTO_BROKEN;
	*ret = (struct chunk){ in + 4, in + 8, len };
	p->at += len + CHUNK_FRAME_BYTES;
	return PHOTO_OK;
}

static enum photo_result
take_header(struct png *p, const struct chunk *c)
{
	/* Bits a sample may have, by colour type. */
	static const unsigned depths[7] = { 1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0,
		8 | 16 };

	if (!is(c, "IHDR") || c->len != HEADER_BYTES)
		return PHOTO_BROKEN;
	unsigned depth = c->data[8], colour = c->data[9];
	bool formed = colour < ARRAY_LEN(depths) && depth != 0 && (depth & (depth - 1)) == 0
		      && (depths[colour] & depth) != 0 && c->data[10] == 0 && c->data[11] == 0
		      && c->data[12] <= 1;
	if (!formed)
		return PHOTO_BROKEN;
	keep(p, c);
	return photo_set_size(p->w, photo_be32(c->data), photo_be32(c->data + 4));
}

static void
take_exif(struct png *p, const struct chunk *c)
{
	uint8_t chunk[CHUNK_FRAME_BYTES + PHOTO_TIFF_BYTES] = { 0, 0, 0, PHOTO_TIFF_BYTES, 'e', 'X',
		'I', 'f' };
	uint8_t orientation = photo_exif_orientation(c->data, c->len);

	if (p->turned || orientation == 1)
		return;
	p->turned = true;
	p->w->out.orientation = orientation;
	photo_exif_write(orientation, chunk + 8);
	photo_put_be32(chunk + 8 + PHOTO_TIFF_BYTES, crc(chunk + 4, 4 + PHOTO_TIFF_BYTES));
	photo_write(p->w, chunk, sizeof(chunk));
}

static enum photo_result
take_chunk(struct png *p, const struct chunk *c)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (!is(c, kept[i].type))
			continue;
		if (c->len < kept[i].least || c->len > kept[i].most || (p->seen & 1u << i) != 0
		    || (kept[i].before_data && p->data))
			return PHOTO_BROKEN;
		p->seen |= 1u << i;
		keep(p, c);
		return PHOTO_OK;
	}
	if (is(c, "IDAT")) {
		if (p->data_over)
			return PHOTO_BROKEN;
		p->data = true;
		keep(p, c);
		return PHOTO_OK;
	}
	p->data_over = p->data;
	if (is(c, "eXIf"))
		take_exif(p, c);
	return (c->type[0] & 0x20) == 0 ? PHOTO_BROKEN : PHOTO_OK;
}

enum photo_result
photo_clean_png(struct photo_work *w)
{
	struct png p = { .w = w, .at = SIGNATURE_BYTES };
	struct chunk chunk;

	photo_write(w, w->in, SIGNATURE_BYTES);
	enum photo_result result = next_chunk(&p, &chunk);
	if (result == PHOTO_OK)
		result = take_header(&p, &chunk);
	while (result == PHOTO_OK) {
		result = next_chunk(&p, &chunk);
		if (result == PHOTO_OK && is(&chunk, "IEND"))
			break;
		if (result == PHOTO_OK)
			result = take_chunk(&p, &chunk);
	}
	if (result != PHOTO_OK)
		return result;
	if (!p.data || chunk.len != 0)
		return PHOTO_BROKEN;
	keep(&p, &chunk);
	return PHOTO_OK;
}
