/*
 * photo - a picture that somebody sent, without anything that is not the picture.
 *
 * What it is, is told by its content.  JPEG, PNG and WebP are taken apart into their pieces, and
 * only the pieces that a decoder needs are written again, each checked for its form: camera,
 * place, time, names, previews, comments, colour profiles, further pictures and whatever stands
 * behind the end are gone, and the picture itself is the same to the bit.  How it is to be turned
 * stays, as the only entry of an Exif block of our own.
 *
 * Nothing is decoded here: memory is the input's size and 128 bytes.  What a browser later has to
 * unpack is bounded by the number of pixels.  Pure.
 */
#ifndef TURUNC_PHOTO_H
#define TURUNC_PHOTO_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum photo_type { PHOTO_NO_TYPE, PHOTO_JPEG, PHOTO_PNG, PHOTO_WEBP, PHOTO_TYPES };

enum photo_result {
	PHOTO_OK,
	PHOTO_UNKNOWN, /* none of the three */
	PHOTO_HEIC, /* what some phones make; told apart, since people can change it there */
	PHOTO_INCOMPLETE, /* ends too early */
	PHOTO_BROKEN, /* not formed as its kind must be */
	PHOTO_MOVES, /* an animation */
	PHOTO_TOO_MANY_PIXELS,
	PHOTO_NO_MEMORY,
	PHOTO_RESULTS
};

struct photo {
	enum photo_type type;
	uint32_t width; /* as stored, before it is turned */
	uint32_t height;
	uint8_t orientation; /* Exif's: 1 (as it is) to 8 */
	uint8_t *data; /* owned */
	size_t len;
};

/* *ret_photo is written when PHOTO_OK, and then the caller's to finish. */
MUST_CHECK enum photo_result photo_clean(
    const uint8_t *data, size_t len, uint64_t max_pixels, struct photo *ret_photo);
void photo_finish(struct photo *photo);

/* By the first bytes; PHOTO_NO_TYPE: none of the three. */
enum photo_type photo_type_of(const uint8_t *data, size_t len);
/* "image/jpeg" */
const char *photo_media_type(enum photo_type type);

#endif
