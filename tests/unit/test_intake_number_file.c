/* Numbers set aside: never one twice, whatever happens between taking and using them. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "number_file.h"

static struct number_file *
open_file(void)
{
	char why[200] = "";
	struct number_file *f = number_file_open(check_path("numbers"), why, sizeof(why));

	if (!CHECK(f != NULL))
		printf("why: %s\n", why);
	return f;
}

TEST(test_taken_numbers_are_gone_before_they_are_used)
{
	struct number_file *f = open_file();
	int64_t first = 0;
	int32_t count = 0;

	CHECK_FALSE("none at first", number_file_take(f, 2026, 10, &first, &count));
	CHECK(number_file_set_aside(f, 2026, 1001, 25));
	CHECK(number_file_take(f, 2026, 10, &first, &count));
	CHECK_I64("from the front", first, 1001);
	CHECK_I64("as many as asked", count, 10);
	number_file_close(f); /* as a crash leaves it */
	f = open_file();
	CHECK_I64("what is left", number_file_left(f, 2026), 15);
	CHECK(number_file_take(f, 2026, 10, &first, &count));
	CHECK_I64("behind those", first, 1011);
	CHECK(number_file_take(f, 2026, 10, &first, &count));
	CHECK_I64("the rest", count, 5);
	CHECK_FALSE("and no more", number_file_take(f, 2026, 10, &first, &count));
	CHECK_FALSE("nor of another year", number_file_take(f, 2027, 10, &first, &count));
	number_file_close(f);
}

TEST(test_the_high_water_only_rises)
{
	struct number_file *f = open_file();

	CHECK_I64("at first", number_file_high_water(f, 2026), 1);
	CHECK(number_file_note_lease(f, 2026, 2049, 2048));
	CHECK(number_file_note_lease(f, 2026, 1, 2048));
	CHECK(number_file_set_aside(f, 2026, 100, 10));
	for (int year = 2027; year < 2034; year++)
		CHECK(number_file_note_lease(f, year, 1, 5));
	number_file_close(f);
	f = open_file();
	CHECK_I64("the highest", number_file_high_water(f, 2026), 4097);
	CHECK_I64("of each year", number_file_high_water(f, 2033), 6);
	CHECK(number_file_note_lease(f, 2034, 1, 5));
	CHECK_I64("a ninth year takes the oldest one's place", number_file_high_water(f, 2026), 1);
	number_file_close(f);
}

TEST(test_a_damaged_file_is_no_empty_one)
{
	struct number_file *f = open_file();
	char why[200] = "";

	CHECK(number_file_set_aside(f, 2026, 1, 10));
	number_file_close(f);
	int fd = open(check_path("numbers"), O_RDWR);
	CHECK(fd != -1 && pwrite(fd, "\x7f", 1, 33) == 1);
	close(fd);
	CHECK(number_file_open(check_path("numbers"), why, sizeof(why)) == NULL);
	CHECK_STR("it says so", why, "damaged");
}

TEST(test_a_disk_that_keeps_nothing_gives_nothing)
{
	struct number_file *f = open_file();
	int64_t first = 0;
	int32_t count = 0;

	CHECK(number_file_set_aside(f, 2026, 1, 10));
	CHECK(mkdir(check_path("numbers.new"), 0700) == 0); /* in the way of the new file */
	CHECK_FALSE("not taken", number_file_take(f, 2026, 5, &first, &count));
	CHECK(rmdir(check_path("numbers.new")) == 0);
	CHECK(number_file_take(f, 2026, 5, &first, &count));
	CHECK_I64("the same ones", first, 1);
	number_file_close(f);
}
