#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "check.h"

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(check_path(name), "w");

	if (!CHECK(f != NULL))
		return;
	CHECK(fputs(text, f) >= 0);
	CHECK(fclose(f) == 0);
}

TEST(test_bundle_order_does_not_matter)
{
	struct bundle a, b;
	char first[BUNDLE_DIGEST_SIZE], second[BUNDLE_DIGEST_SIZE];
	const char *why;

	bundle_init(&a);
	bundle_init(&b);
	CHECK(bundle_add(&a, "b.csv", "2", 1, &why) && bundle_add(&a, "a.csv", "1", 1, &why));
	CHECK(bundle_add(&b, "a.csv", "1", 1, &why) && bundle_add(&b, "b.csv", "2", 1, &why));
	bundle_digest(&a, first);
	bundle_digest(&b, second);
	CHECK_STR("same digest", first, second);
	CHECK_U64("hexadecimal", strlen(first), 64);
	CHECK_STR("sorted", a.files[0].name, "a.csv");
	CHECK_STR("found", bundle_find(&a, "b.csv")->data, "2");
	CHECK(bundle_find(&a, "c.csv") == NULL);
	bundle_finish(&b);

	/* Moving a byte from the contents to the name is another bundle. */
	bundle_init(&b);
	CHECK(bundle_add(&b, "a.csv", "", 0, &why) && bundle_add(&b, "b.csv", "12", 2, &why));
	bundle_digest(&b, second);
	CHECK_TRUE("another digest", strcmp(first, second) != 0);
	bundle_finish(&a);
	bundle_finish(&b);
	bundle_finish(&b);
}

TEST(test_bundle_refuses)
{
	static const char *const names[] = { "", "/a.csv", "a/b/c.csv", "../a.csv", ".a.csv",
		"a/.b", "a..csv", "A.csv", "a b.csv", "ı.csv", "a/", "a.",
		"a-very-long-name-that-goes-on-and-on-until-it-is-too-long-for-us.csv" };
	struct bundle b;
	const char *why;
	char name[32];
	static char large[BUNDLE_FILE_BYTES_MAX + 1];

	bundle_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_FALSE(names[i], bundle_add(&b, names[i], "x", 1, &why));
	CHECK(bundle_add(&b, "templates/a.txt", "x", 1, &why));
	CHECK_FALSE("twice", bundle_add(&b, "templates/a.txt", "x", 1, &why));
	CHECK_FALSE("too large", bundle_add(&b, "l.csv", large, sizeof(large), &why));
	CHECK(bundle_add(&b, "l.csv", large, sizeof(large) - 1, &why));
	for (int i = 2; i < BUNDLE_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "f%d.csv", i);
		CHECK(bundle_add(&b, name, "", 0, &why));
	}
	CHECK_FALSE("one more", bundle_add(&b, "z.csv", "", 0, &why));
	CHECK_STR("why", why, "too many files");
	CHECK_U64("as before", b.count, BUNDLE_FILES_MAX);
	bundle_finish(&b);
}

TEST(test_bundle_read_folder)
{
	struct bundle b;
	char why[200];

	write_file("subjects.csv", "code\n");
	write_file("README.md", "for people\n");
	write_file(".hidden.csv", "x\n");
	CHECK(mkdir(check_path("templates"), 0700) == 0);
	write_file("templates/received.sms.tr.txt", "{number}\n");
	write_file("templates/notes.md", "x");
	bundle_init(&b);
	CHECK_TRUE(why, bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_U64("two files", b.count, 2);
	CHECK(bundle_find(&b, "subjects.csv") != NULL);
	CHECK(bundle_find(&b, "templates/received.sms.tr.txt") != NULL);
	bundle_finish(&b);
}

TEST(test_bundle_read_folder_refuses)
{
	struct bundle b;
	char why[200];

	bundle_init(&b);
	CHECK(!bundle_read_folder(&b, check_path("absent"), why, sizeof(why)));
	CHECK(strstr(why, "No such file") != NULL);

	CHECK(mkdir(check_path("folder.csv"), 0700) == 0);
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("why", why, "folder.csv: not a regular file");
	CHECK(rmdir(check_path("folder.csv")) == 0);

	write_file("Konular.csv", "x");
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("why", why, "Konular.csv: the name is not allowed in a bundle");
	CHECK(unlink(check_path("Konular.csv")) == 0);

	write_file("templates", "not a folder");
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("why", why, "templates: Not a directory");
	CHECK(unlink(check_path("templates")) == 0);

	CHECK(symlink("nowhere", check_path("dangling.csv")) == 0);
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("why", why, "dangling.csv: No such file or directory");
	CHECK(unlink(check_path("dangling.csv")) == 0);

	CHECK(mkfifo(check_path("pipe.csv"), 0600) == 0);
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("does not wait for a pipe", why, "pipe.csv: not a regular file");
	CHECK(unlink(check_path("pipe.csv")) == 0);

	write_file("large.csv", "x");
	CHECK(truncate(check_path("large.csv"), BUNDLE_FILE_BYTES_MAX + 1) == 0);
	CHECK(!bundle_read_folder(&b, check_directory(), why, sizeof(why)));
	CHECK_STR("why", why, "large.csv: the file is too large");
	bundle_finish(&b);
}
