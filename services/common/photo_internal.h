/* photo_internal - what the files of the photo module share; nobody else includes it. */
#ifndef TURUNC_PHOTO_INTERNAL_H
#define TURUNC_PHOTO_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "photo.h"

enum { PHOTO_SPARE_BYTES = 128, PHOTO_TIFF_BYTES = 26 };

/* One picture on its way through: what is read, and what was written of it. */
struct photo_work {
	const uint8_t *in;
	size_t in_len;
	uint64_t max_pixels;
	struct photo out; /* room for in_len + PHOTO_SPARE_BYTES */
};

uint16_t photo_be16(const uint8_t *p);
uint32_t photo_be32(const uint8_t *p);
uint32_t photo_le24(const uint8_t *p);
uint32_t photo_le32(const uint8_t *p);
void photo_put_be16(uint8_t *p, uint16_t value);
void photo_put_be32(uint8_t *p, uint32_t value);
void photo_put_le32(uint8_t *p, uint32_t value);

/* Asserts that it fits: nothing is written that was not read, but for the spare bytes. */
void photo_write(struct photo_work *w, const void *data, size_t len);

/* Notes the size; not OK: none at all, or too many pixels. */
enum photo_result photo_set_size(struct photo_work *w, uint32_t width, uint32_t height);

/* How a TIFF block says the picture is to be turned; 1 when it does not say, or is not one. */
uint8_t photo_exif_orientation(const uint8_t *tiff, size_t len);
/* A TIFF block that says this and nothing else. */
void photo_exif_write(uint8_t orientation, uint8_t ret_tiff[PHOTO_TIFF_BYTES]);

/* Each writes w->out from w->in, whose first bytes are known to be its kind's. */
enum photo_result photo_clean_jpeg(struct photo_work *w);
enum photo_result photo_clean_png(struct photo_work *w);
enum photo_result photo_clean_webp(struct photo_work *w);

#endif
