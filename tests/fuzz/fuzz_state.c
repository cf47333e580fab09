/* What a service keeps on its own disk: spooled items, rights and configuration as last read,
 * ticket numbers set aside, refusals of surveys.  Their checksums are right here, so that what is
 * behind them is read.
 */
#include <unistd.h>

#include "fuzz.h"
#include "number_file.h"
#include "registry_cache.h"
#include "spooled_item.h"
#include "state_file.h"
#include "survey_stops.h"

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static void
check_spooled(const uint8_t *data, size_t size)
{
	struct frame *frame = NULL, *again = NULL;
	struct item item, second;
	size_t len;

	if (frame_unpack(&turunc__v1__spooled_item__descriptor, data, size, &frame, NULL)
	    != FRAME_OK)
		return;
	if (spooled_item_decode(&item, spooled_item_message(frame), on_done)) {
		uint8_t *bytes = spooled_item_encode(&item, &len);
		HOLDS(bytes != NULL);
		HOLDS(frame_unpack(&turunc__v1__spooled_item__descriptor, bytes, len, &again, NULL)
		      == FRAME_OK);
		HOLDS(spooled_item_decode(&second, spooled_item_message(again), on_done));
		HOLDS(second.event_len == item.event_len && second.ticket_id == item.ticket_id);
		HOLDS(strcmp(second.actor, item.actor) == 0);
		HOLDS((second.email == NULL) == (item.email == NULL));
		item_finish(&second);
		item_finish(&item);
		free(bytes);
	}
	frame_destroy(again);
	frame_destroy(frame);
}

static void
check_cache(const char *path)
{
	struct registry_head head = { .seq = 7 };
	struct acl *acl = acl_create();
	struct bundle files;

	bundle_init(&files);
	if (registry_cache_read(path, &head, acl, &files)) {
		HOLDS(files.count <= BUNDLE_FILES_MAX && acl_count(acl) <= ACL_CLIENTS_MAX);
		HOLDS(registry_cache_write(path, &head, acl, &files));
	} else {
		HOLDS(head.seq == 7 && acl_count(acl) == 0);
	}
	bundle_finish(&files);
	acl_destroy(acl);
}

static void
check_numbers(const char *path)
{
	char why[200] = "";
	struct number_file *f = number_file_open(path, why, sizeof(why));
	int64_t first;
	int32_t count;

	if (f == NULL) {
		HOLDS(why[0] != '\0');
		return;
	}
	for (int year = 25; year <= 27; year++) {
		int64_t left = number_file_left(f, year);
		HOLDS(left >= 0 && number_file_high_water(f, year) >= 1);
		if (number_file_take(f, year, 10, &first, &count))
			HOLDS(first >= 1 && count >= 1 && count <= 10 && count <= left);
		HOLDS(number_file_left(f, year) <= left);
	}
	number_file_close(f);
}

static void
check_stops(const char *path)
{
	char why[200] = "";
	struct survey_stops *s = survey_stops_open(path, why, sizeof(why));
	const struct survey_wish *first;

	if (s == NULL) {
		HOLDS(why[0] != '\0');
		return;
	}
	size_t left = survey_stops_count(s);
	HOLDS(left <= SURVEY_STOPS_MAX && (left == 0) == (survey_stops_first(s) == NULL));
	for (unsigned i = 0; i < 3 && (first = survey_stops_first(s)) != NULL; i++) {
		const struct survey_wish wish = *first;
		HOLDS(survey_stops_find(s, &wish.message) == first);
		HOLDS(survey_stops_done(s, &wish) && survey_stops_count(s) == --left);
		HOLDS(survey_stops_find(s, &wish.message) == NULL);
	}
	survey_stops_close(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char path[64];

	snprintf(path, sizeof(path), "/dev/shm/turunc-fuzz-state-%d", (int)getpid());
	switch (take_byte(&in) % 4) {
	case 0:
		check_spooled(in.at, in.left);
		return 0;
	case 1:
		HOLDS(state_file_write(path, in.at, in.left) == STATE_FILE_OK);
		check_cache(path);
		break;
	case 2:
		HOLDS(state_file_write(path, in.at, in.left) == STATE_FILE_OK);
		check_numbers(path);
		break;
	default:
		HOLDS(state_file_write(path, in.at, in.left) == STATE_FILE_OK);
		check_stops(path);
	}
	(void)unlink(path);
	return 0;
}
