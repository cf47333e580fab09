/* A folder of photos is listed part by part, each name once. */
#include "attachment.h"
#include "attachment_draft.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { FOLDER = 7, FILES = 10, LATER_S = 3600 };

static struct attachments *
open_with_files(void)
{
	const struct attachments_options options = { .folder = check_path("photos"),
		.max_bytes = 1000 };
	char complaint[200] = "", path[400];

	struct attachments *a = attachments_open(&options, complaint, sizeof(complaint));
	if (!CHECK(a != NULL)) {
		printf("why: %s\n", complaint);
		return NULL;
	}
	for (unsigned i = 0; i < FILES; i++) {
		/* 3 and 10 have no divisor in common: written in another order than theirs. */
		(void)snprintf(path, sizeof(path), "%s/%02x/%02x%062x", options.folder,
		    (unsigned)FOLDER, (unsigned)FOLDER, i * 3 % FILES);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd != -1);
		close(fd);
	}
	return a;
}

/* Mail that comes in leaves room for photos. */
TEST(test_drafts_leave_room_for_photos)
{
	const struct attachments_options options = {
		.folder = check_path("shared"), .max_bytes = 1000, .draft_bytes = 700
	};
	char complaint[200] = "", bytes[700] = "x";
	struct attachment kept;

	struct attachments *a = attachments_open(&options, complaint, sizeof(complaint));
	if (!CHECK(a != NULL))
		return;
	struct attachment_draft *d = attachment_draft_begin(a);
	CHECK_TRUE("as much", attachment_draft_add(d, bytes, 600));
	attachment_draft_settle(d, FAILPOINT_INTAKE_MAIL);
	CHECK_U64("is kept", attachment_draft_end(d, &kept), ATTACHMENT_STORED);
	d = attachment_draft_begin(a);
	CHECK_FALSE("and no more", attachment_draft_add(d, bytes, 101));
	attachment_draft_drop(d);
	const struct photo photo = { .data = (uint8_t *)bytes, .len = 300 };
	CHECK_U64("a photo is", attachments_store(a, &photo, &kept), ATTACHMENT_STORED);
	attachments_close(a);
}

TEST(test_parts_meet_and_are_in_order)
{
	struct attachments *a = open_with_files();
	int64_t later_s = (int64_t)time(NULL) + LATER_S;

	for (size_t max = 1; a != NULL && max <= FILES + 1; max++) {
		struct digest names[FILES + 1], after;
		size_t seen = 0, count;
		do {
			count = attachments_list_old(
			    a, FOLDER, later_s, seen == 0 ? NULL : &after, names, max);
			CHECK_TRUE("no more than asked", count <= max);
			for (size_t i = 0; i < count; i++)
				CHECK_U64("each in its turn",
				    names[i].bytes[sizeof(names[i].bytes) - 1], seen + i);
			if (count > 0)
				after = names[count - 1];
			seen += count;
		} while (count == max && seen <= FILES);
		CHECK_U64("all of them", seen, FILES);
	}
	attachments_close(a);
}

TEST(test_what_is_young_is_not_listed)
{
	struct attachments *a = open_with_files();
	struct digest names[FILES];

	if (a == NULL)
		return;
	CHECK_U64("too young", attachments_list_old(a, FOLDER, 1000, NULL, names, FILES), 0);
	CHECK_U64("another folder",
	    attachments_list_old(a, FOLDER + 1, (int64_t)time(NULL) + LATER_S, NULL, names, FILES),
	    0);
	attachments_close(a);
}
