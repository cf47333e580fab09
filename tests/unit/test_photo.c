/* Photos keep their picture and their way up, and lose everything else. */
#include "photo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fixture.h"

enum { FILE_MAX = 65536, MAX_PIXELS = 64000000 };

struct bytes {
	uint8_t data[FILE_MAX];
	size_t len;
};

static void
read_fixture(const char *name, struct bytes *ret)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "photos/%s", name);
	ret->len = fixture_read(path, ret->data, sizeof(ret->data));
}

static const char *const fixtures[] = { "plain.jpeg", "plain.png", "lossy.webp", "lossless.webp",
	"alpha.webp" };

TEST(test_real_ones_pass_and_once_cleaned_stay_as_they_are)
{
	static struct bytes in;
	struct photo once, twice;

	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		read_fixture(fixtures[i], &in);
		if (!CHECK_I64(fixtures[i],
			(int64_t)photo_clean(in.data, in.len, MAX_PIXELS, &once), PHOTO_OK))
			continue;
		CHECK_U64(fixtures[i], once.width, 48);
		CHECK_U64(fixtures[i], once.height, 32);
		CHECK_TRUE(fixtures[i], once.len <= in.len && once.len > in.len / 4);
		CHECK_TRUE(fixtures[i], memmem(once.data, once.len, "ICC", 3) == NULL);
		CHECK(photo_clean(once.data, once.len, MAX_PIXELS, &twice) == PHOTO_OK);
		CHECK_MEM(fixtures[i], twice.data, twice.len, once.data, once.len);
		photo_finish(&once);
		photo_finish(&twice);
	}
}

TEST(test_no_beginning_of_one_is_one)
{
	static struct bytes in;
	struct photo photo;

	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		read_fixture(fixtures[i], &in);
		for (size_t len = 0; len + 1 < in.len; len++) {
			/* A copy, so that reading one byte too many is seen. */
			uint8_t *part = malloc(len + 1);
			memcpy(part, in.data, len);
			enum photo_result r = photo_clean(part, len, MAX_PIXELS, &photo);
			free(part);
			if (!CHECK_TRUE(fixtures[i], r != PHOTO_OK))
				break;
		}
	}
}

/* Small files by hand: what a piece of them makes of the whole.  In text, \x is a byte. */
#define SOI "\xff\xd8"
#define DQT                                              \
	"\xff\xdb\0\x43\0"                               \
	"0123456789012345678901234567890123456789012345" \
	"678901234567890123"
#define SOF(sides) "\xff\xc0\0\x0b\x8" sides "\1\1\x11\0"
#define SOS "\xff\xda\0\x8\1\1\0\0\x3f\0"
#define EOI "\xff\xd9"
#define SMALL "\0\x10\0\x10"

#define FILE_OF(text) text, sizeof(text) - 1
static const struct {
	const char *name;
	const char *data;
	size_t len;
	enum photo_result want;
} jpegs[] = {
	{ "the least of one", FILE_OF(SOI DQT SOF(SMALL) SOS "xyz" EOI), PHOTO_OK },
	{ "with fill bytes", FILE_OF(SOI "\xff\xff" DQT SOF(SMALL) SOS "xyz\xff" EOI), PHOTO_OK },
	{ "restarts and stuffing", FILE_OF(SOI SOF(SMALL) SOS "x\xff\0y\xff\xd0z" EOI), PHOTO_OK },
	{ "no end", FILE_OF(SOI DQT SOF(SMALL) SOS "xyz"), PHOTO_INCOMPLETE },
	{ "no scan", FILE_OF(SOI DQT SOF(SMALL) EOI "............"), PHOTO_BROKEN },
	{ "a scan before the frame", FILE_OF(SOI DQT SOS "xyz" EOI), PHOTO_BROKEN },
	{ "two frames", FILE_OF(SOI SOF(SMALL) SOF(SMALL) SOS "xyz" EOI), PHOTO_BROKEN },
	{ "no height", FILE_OF(SOI SOF("\0\0\0\x10") SOS "xyz" EOI), PHOTO_BROKEN },
	{ "65,535 by 65,535", FILE_OF(SOI SOF("\xff\xff\xff\xff") SOS "xyz" EOI),
	    PHOTO_TOO_MANY_PIXELS },
	{ "a table too short", FILE_OF(SOI "\xff\xdb\0\x5\0xx" SOF(SMALL) SOS "xyz" EOI),
	    PHOTO_BROKEN },
	{ "a table of text",
	    FILE_OF(SOI "\xff\xc4\0\x17\0<script>alert(1)</scr" SOF(SMALL) SOS "xyz" EOI),
	    PHOTO_BROKEN },
	{ "lossless, which nobody shows",
	    FILE_OF(SOI "\xff\xc3\0\xb\x8" SMALL "\1\1\x11\0" SOS "xyz" EOI), PHOTO_BROKEN },
	{ "a length of one", FILE_OF(SOI "\xff\xe0\0\1" SOF(SMALL) SOS "xyz" EOI), PHOTO_BROKEN },
	{ "no marker", FILE_OF(SOI "\xff\xdbno, this is text"), PHOTO_INCOMPLETE },
	{ "text after the first marker",
	    FILE_OF(SOI "\xff\xfe\0\4hi"
			"text is not a marker"),
	    PHOTO_BROKEN },
};

TEST(test_jpegs_by_their_pieces)
{
	struct photo photo;

	for (size_t i = 0; i < ARRAY_LEN(jpegs); i++) {
		enum photo_result r = photo_clean(
		    (const uint8_t *)jpegs[i].data, jpegs[i].len, MAX_PIXELS, &photo);
		if (CHECK_I64(jpegs[i].name, (int64_t)r, (int64_t)jpegs[i].want) && r == PHOTO_OK)
			photo_finish(&photo);
	}
}

TEST(test_the_pixels_allowed_are_the_last_allowed)
{
	static const char file[] = SOI SOF(SMALL) SOS "xyz" EOI;
	struct photo photo;

	CHECK(photo_clean((const uint8_t *)file, sizeof(file) - 1, 256, &photo) == PHOTO_OK);
	photo_finish(&photo);
	CHECK(photo_clean((const uint8_t *)file, sizeof(file) - 1, 255, &photo)
	      == PHOTO_TOO_MANY_PIXELS);
}

#define EXIF_LE "Exif\0\0II*\0\x8\0\0\0"
#define EXIF_BE "Exif\0\0MM\0*\0\0\0\x8"
#define ORIENTATION_LE(v) "\x12\1\3\0\1\0\0\0" v "\0\0\0"
#define ORIENTATION_BE(v) "\1\x12\0\3\0\0\0\1\0" v "\0\0"

static const struct {
	const char *name;
	const char *data;
	size_t len;
	uint8_t want;
} exifs[] = {
	{ "little", FILE_OF(EXIF_LE "\1\0" ORIENTATION_LE("\6") "\0\0\0\0"), 6 },
	{ "big", FILE_OF(EXIF_BE "\0\1" ORIENTATION_BE("\x8") "\0\0\0\0"), 8 },
	{ "zero is none", FILE_OF(EXIF_LE "\1\0" ORIENTATION_LE("\0") "\0\0\0\0"), 1 },
	{ "nine is none", FILE_OF(EXIF_LE "\1\0" ORIENTATION_LE("\x9") "\0\0\0\0"), 1 },
	{ "as a long", FILE_OF(EXIF_LE "\1\0\x12\1\4\0\1\0\0\0\6\0\0\0\0\0\0\0"), 1 },
	{ "cut in the entry", FILE_OF(EXIF_LE "\1\0\x12\1\3\0\1\0"), 1 },
	{ "65,535 entries", FILE_OF(EXIF_LE "\xff\xff" ORIENTATION_LE("\3")), 3 },
	{ "a directory beyond the end", FILE_OF("Exif\0\0II*\0\xff\xff\xff\xff\1\0"), 1 },
	{ "no TIFF", FILE_OF("Exif\0\0II+\0\x8\0\0\0\1\0" ORIENTATION_LE("\6")), 1 },
	{ "nothing", FILE_OF("Exif\0\0"), 1 },
};

TEST(test_the_way_up_survives)
{
	static const char rest[] = SOF(SMALL) SOS "xyz" EOI;
	uint8_t file[256];

	for (size_t i = 0; i < ARRAY_LEN(exifs); i++) {
		size_t len = exifs[i].len;
		struct photo photo, again;
		memcpy(file, SOI "\xff\xe1\0", 5);
		file[5] = (uint8_t)(len + 2);
		memcpy(file + 6, exifs[i].data, len);
		memcpy(file + 6 + len, rest, sizeof(rest) - 1);
		if (!CHECK(photo_clean(file, 6 + len + sizeof(rest) - 1, MAX_PIXELS, &photo)
			   == PHOTO_OK))
			continue;
		CHECK_U64(exifs[i].name, photo.orientation, exifs[i].want);
		CHECK(photo_clean(photo.data, photo.len, MAX_PIXELS, &again) == PHOTO_OK);
		CHECK_U64(exifs[i].name, again.orientation, exifs[i].want);
		photo_finish(&photo);
		photo_finish(&again);
	}
}
