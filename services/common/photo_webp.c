/* Writes a still WebP again: the picture, its transparency, and how to turn it. */
#include <string.h>

#include "photo_internal.h"

enum { RIFF_BYTES = 12, CHUNK_HEAD_BYTES = 8, EXTENDED_BYTES = 10 };
enum { FLAG_ANIMATION = 0x02, FLAG_EXIF = 0x08, FLAG_ALPHA = 0x10 };

struct chunk {
	const uint8_t *head; /* its type; NULL: there was none */
	const uint8_t *data;
	size_t len;
};

struct webp {
	struct photo_work *w;
	size_t at, end;
	struct chunk extended, alpha, picture, exif;
};

static bool
is(const struct chunk *c, const char type[5])
{
	return c->head != NULL && memcmp(c->head, type, 4) == 0;
}

static enum photo_result
next_chunk(struct webp *p, struct chunk *ret)
{
	size_t left = p->end - p->at;
	const uint8_t *in = p->w->in + p->at;

	if (left < CHUNK_HEAD_BYTES)
		return PHOTO_BROKEN;
	size_t len = photo_le32(in + 4);
	if (len > left - CHUNK_HEAD_BYTES)
		return PHOTO_BROKEN;
	*ret = (struct chunk){ in, in + CHUNK_HEAD_BYTES, len };
	p->at += CHUNK_HEAD_BYTES + len;
	if (len % 2 != 0 && p->at < p->end)
		p->at++;
	return PHOTO_OK;
}

/* False: it stands twice. */
static bool
note(struct chunk *place, const struct chunk *c)
{
	bool first = place->head == NULL;

	*place = *c;
	return first;
}

static enum photo_result
take_chunk(struct webp *p, const struct chunk *c)
{
	struct chunk *place = NULL;

	if (is(c, "VP8X"))
		place = &p->extended;
	else if (is(c, "ALPH"))
		place = &p->alpha;
	else if (is(c, "VP8 ") || is(c, "VP8L"))
		place = &p->picture;
	else if (is(c, "EXIF"))
		place = &p->exif;
	else if (is(c, "ANIM") || is(c, "ANMF"))
		return PHOTO_MOVES;
	return place == NULL || note(place, c) ? PHOTO_OK : PHOTO_BROKEN;
}

/* --- sizes --------------------------------------------------------------------------------------
 */

static bool
size_of_picture(const struct chunk *c, uint32_t *ret_width, uint32_t *ret_height)
{
	const uint8_t *d = c->data;

	if (is(c, "VP8L")) {
		if (c->len < 5 || d[0] != 0x2f || d[4] >> 5 != 0)
			return false;
		uint32_t bits = photo_le32(d + 1);
		*ret_width = (bits & 0x3fff) + 1;
		*ret_height = (bits >> 14 & 0x3fff) + 1;
		return true;
	}
	/* A key frame, with its start code. */
	if (c->len < 10 || (d[0] & 1) != 0 || memcmp(d + 3, "\x9d\x01\x2a", 3) != 0)
		return false;
	*ret_width = (uint32_t)(d[7] << 8 | d[6]) & 0x3fff;
	*ret_height = (uint32_t)(d[9] << 8 | d[8]) & 0x3fff;
	return true;
}

static enum photo_result
measure(struct webp *p)
{
	uint32_t width, height;
	const struct chunk *x = &p->extended;

	if (p->picture.head == NULL)
		return PHOTO_BROKEN;
	if (x->head != NULL && x->len != EXTENDED_BYTES)
		return PHOTO_BROKEN;
	if (x->head != NULL && (x->data[0] & FLAG_ANIMATION) != 0)
		return PHOTO_MOVES;
	if (!size_of_picture(&p->picture, &width, &height))
		return PHOTO_BROKEN;
	if (x->head != NULL
	    && (photo_le24(x->data + 4) + 1 != width || photo_le24(x->data + 7) + 1 != height))
		return PHOTO_BROKEN;
	if (p->alpha.head != NULL && (x->head == NULL || is(&p->picture, "VP8L")))
		return PHOTO_BROKEN;
	return photo_set_size(p->w, width, height);
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void
write_chunk(struct webp *p, const char type[5], const uint8_t *data, size_t len)
{
	uint8_t head[CHUNK_HEAD_BYTES];

	memcpy(head, type, 4);
	photo_put_le32(head + 4, (uint32_t)len);
	photo_write(p->w, head, sizeof(head));
	photo_write(p->w, data, len);
	if (len % 2 != 0)
		photo_write(p->w, "", 1);
}

static void
write_extended(struct webp *p, bool turned)
{
	uint8_t x[EXTENDED_BYTES] = { 0 };

	x[0] = (uint8_t)((turned ? FLAG_EXIF : 0)
			 | (p->extended.head != NULL ? p->extended.data[0] & FLAG_ALPHA : 0));
	photo_put_le32(x + 4, p->w->out.width - 1);
	photo_put_le32(x + 6, (p->w->out.height - 1) << 8 | (p->w->out.width - 1) >> 16);
	write_chunk(p, "VP8X", x, sizeof(x));
}

static void
write_all(struct webp *p)
{
	static const uint8_t riff[RIFF_BYTES] = "RIFF\0\0\0\0WEBP";
	uint8_t tiff[PHOTO_TIFF_BYTES], orientation = 1;
	const uint8_t *exif = p->exif.data;
	size_t exif_len = p->exif.len;

	/* Some write it as JPEG has it. */
	if (exif_len > 6 && memcmp(exif, "Exif\0", 6) == 0) {
		exif += 6;
		exif_len -= 6;
	}
	if (p->exif.head != NULL)
		orientation = photo_exif_orientation(exif, exif_len);
	p->w->out.orientation = orientation;
	photo_write(p->w, riff, sizeof(riff));
	if (p->alpha.head != NULL || orientation != 1)
		write_extended(p, orientation != 1);
	if (p->alpha.head != NULL)
		write_chunk(p, "ALPH", p->alpha.data, p->alpha.len);
	write_chunk(p, is(&p->picture, "VP8L") ? "VP8L" : "VP8 ", p->picture.data, p->picture.len);
	if (orientation != 1) {
		photo_exif_write(orientation, tiff);
		write_chunk(p, "EXIF", tiff, sizeof(tiff));
	}
	photo_put_le32(p->w->out.data + 4, (uint32_t)(p->w->out.len - CHUNK_HEAD_BYTES));
}

enum photo_result
photo_clean_webp(struct photo_work *w)
{
	struct webp p = { .w = w, .at = RIFF_BYTES };
	uint32_t riff_len = photo_le32(w->in + 4);
	enum photo_result result = PHOTO_OK;
	struct chunk chunk;

	if (riff_len < 4 + CHUNK_HEAD_BYTES || riff_len > INT32_MAX)
		return PHOTO_BROKEN;
	if (riff_len > w->in_len - CHUNK_HEAD_BYTES)
		return PHOTO_INCOMPLETE;
	p.end = riff_len + CHUNK_HEAD_BYTES;
	while (result == PHOTO_OK && p.at < p.end) {
		result = next_chunk(&p, &chunk);
		if (result == PHOTO_OK)
			result = take_chunk(&p, &chunk);
	}
	if (result == PHOTO_OK)
		result = measure(&p);
	if (result == PHOTO_OK)
		write_all(&p);
	return result;
}
