/* The C client's store on a disk that holds anything: what is read back is whole, and the store
 * takes events again. */
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "../../clients/c/src/entry.h"
#include "../../clients/c/src/journal.h"

static bool
on_event(void *arg, struct tc_place place, const uint8_t *bytes)
{
	size_t *total = arg;

	for (uint32_t i = 0; i < place.len; i++)
		*total += bytes[i];
	return true;
}

static void
write_file(const char *dir, const char *name, const uint8_t *data, size_t size)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	HOLDS(fd != -1 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

static void
empty(const char *dir)
{
	static const char *const names[] = { "00000001.journal", "00000002.journal", "lock",
		"00000003.journal", "00000001.damaged", "00000002.damaged", "00000003.damaged",
		"rejected" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	HOLDS(rmdir(dir) == 0);
}

static void
check_entries(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + 1);
	struct tc_entry entry;
	size_t skipped = 0, seen = 0;
	uint32_t offset = 0;

	memcpy(exact, data, size);
	while (tc_entry_find(exact, size, 1, offset, &entry, &skipped)) {
		HOLDS(entry.offset >= offset && entry.len <= TC_PAYLOAD_MAX);
		HOLDS(entry.payload >= exact && entry.payload + entry.len <= exact + size);
		offset = entry.offset + TC_ENTRY_HEAD + entry.len;
		seen += TC_ENTRY_HEAD + entry.len;
	}
	HOLDS(seen + skipped <= size);
	free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/dev/shm/turunc-fuzz-XXXXXX", why[200] = "";
	struct input in = { data, size };
	size_t first = take_byte(&in) * 16u, total = 0;
	struct tc_place place;

	first = first < in.left ? first : in.left;
	check_entries(in.at, in.left);
	HOLDS(mkdtemp(dir) != NULL);
	write_file(dir, "00000001.journal", in.at, first);
	if (first < in.left)
		write_file(dir, "00000002.journal", in.at + first, in.left - first);
	const struct tc_journal_options options = { dir, 1 << 20, 4096 };
	struct tc_journal *j = tc_journal_open(&options, on_event, &total, why, sizeof(why));
	if (j != NULL) {
		uint8_t back[5];
		HOLDS(tc_journal_append(j, (const uint8_t *)"after", 5, &place) == TC_JOURNAL_OK);
		HOLDS(tc_journal_read(j, place, back) && memcmp(back, "after", 5) == 0);
		tc_journal_done(j, place);
	} else {
		HOLDS(why[0] != '\0');
	}
	tc_journal_close(j);
	empty(dir);
	return 0;
}
