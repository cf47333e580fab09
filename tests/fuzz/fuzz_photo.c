/* A photo: whatever it is, what comes out is no longer than it may be, and once cleaned is clean.
 */
#include "fuzz.h"
#include "photo.h"

enum { MAX_PIXELS = 64000000, SPARE_BYTES = 128 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct photo once, twice;
	char *copy = copy_text(data, size);
	enum photo_result result = photo_clean((const uint8_t *)copy, size, MAX_PIXELS, &once);

	free(copy);
	if (result != PHOTO_OK)
		return 0;
	HOLDS(once.len <= size + SPARE_BYTES && once.width > 0 && once.height > 0);
	HOLDS((uint64_t)once.width * once.height <= MAX_PIXELS);
	HOLDS(once.orientation >= 1 && once.orientation <= 8);
	HOLDS(photo_type_of(once.data, once.len) == once.type);
	HOLDS(photo_clean(once.data, once.len, MAX_PIXELS, &twice) == PHOTO_OK);
	HOLDS(twice.len == once.len && memcmp(twice.data, once.data, once.len) == 0);
	HOLDS(twice.orientation == once.orientation);
	photo_finish(&once);
	photo_finish(&twice);
	return 0;
}
