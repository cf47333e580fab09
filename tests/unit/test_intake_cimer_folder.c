/* The folder that files of applications are put into: where it may lie, and what is left in it. */
#include "cimer_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

TEST(test_shares_are_told_from_disks)
{
	CHECK_TRUE("NFS", cimer_folder_is_remote(0x6969));
	CHECK_TRUE(
	    "SMB 2, whatever its sign", cimer_folder_is_remote((uint64_t)(int32_t)0xfe534d42));
	CHECK_TRUE("FUSE", cimer_folder_is_remote(0x65735546));
	CHECK_FALSE("ext4", cimer_folder_is_remote(0xef53));
	CHECK_FALSE("XFS", cimer_folder_is_remote(0x58465342));
	CHECK_FALSE("memory", cimer_folder_is_remote(0x01021994));
	CHECK_FALSE("overlay", cimer_folder_is_remote(0x794c7630));
}

static void
put_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	if (CHECK(file != NULL)) {
		(void)fputs(text, file);
		(void)fclose(file);
	}
}

/* -1: it is not there. */
static int64_t
size_of(const char *name)
{
	struct stat file;

	return stat(name, &file) == -1 ? -1 : (int64_t)file.st_size;
}

/* What a list held is in the record: its name stays for a while, and what became of it. */
static void
check_cleared(int64_t keep_ms, int64_t after_s, int64_t list, int64_t report)
{
	struct cimer_folder *f = cimer_folder_create("box", 0, keep_ms);
	char name[64];

	(void)snprintf(name, sizeof(name), "kept %lld s, after %lld s", (long long)keep_ms / 1000,
	    (long long)after_s);
	(void)mkdir("box", 0700);
	CHECK_TRUE(name, f != NULL && cimer_folder_look(f, 1));
	put_file("box/done/liste.csv", "Ayşe");
	put_file("box/done/liste.csv.tickets.csv", "report");
	put_file("box/done/.report-0123", "half of a report");
	(void)cimer_folder_clear(f, ((int64_t)time(NULL) + after_s) * 1000000);
	CHECK_I64(name, size_of("box/done/liste.csv"), list);
	CHECK_I64(name, size_of("box/done/liste.csv.tickets.csv"), report);
	CHECK_FALSE(name, cimer_folder_to_clear(f));
	cimer_folder_destroy(f);
	(void)unlink("box/done/liste.csv");
	(void)unlink("box/done/liste.csv.tickets.csv");
	(void)unlink("box/done/.report-0123");
}

TEST(test_lists_are_emptied_and_their_remains_removed)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };

	check_cleared(0, 0, 0, 6);
	check_cleared(0, 13 * DAY, 0, 6);
	check_cleared(0, 15 * DAY, -1, -1);
	check_cleared(HOUR * 1000, 0, 5, 6);
	check_cleared(HOUR * 1000, HOUR + 60, 0, 6);
	check_cleared((int64_t)30 * DAY * 1000, 29 * DAY, 5, 6);
	check_cleared((int64_t)30 * DAY * 1000, 31 * DAY, -1, -1);
}

/* Its content is somebody's: that it cannot be taken away is said, and tried again. */
TEST(test_a_list_that_cannot_be_emptied_is_told)
{
	struct cimer_folder *f = cimer_folder_create("shut", 0, 0);
	struct rlimit files = { 0 }, fewer;

	(void)mkdir("shut", 0700);
	CHECK(f != NULL && cimer_folder_look(f, 1));
	put_file("shut/done/liste.csv", "Ayşe");
	int next = open("/dev/null", O_RDONLY);
	CHECK(next != -1 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &files) == 0);
	fewer = files;
	fewer.rlim_cur = (rlim_t)next + 1; /* the folder's names can be read, no file be made */
	CHECK(setrlimit(RLIMIT_NOFILE, &fewer) == 0);
	CHECK_U64("cleared", cimer_folder_clear(f, (int64_t)time(NULL) * 1000000), 0);
	CHECK_TRUE("told", cimer_folder_to_clear(f));
	CHECK_I64("as it was", size_of("shut/done/liste.csv"), 5);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	CHECK_U64("cleared", cimer_folder_clear(f, (int64_t)time(NULL) * 1000000), 1);
	CHECK_FALSE("no more", cimer_folder_to_clear(f));
	cimer_folder_destroy(f);
}
