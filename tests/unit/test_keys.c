/* Key files: what is read, what is refused, what is written. */
#include "keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "check.h"

static void
put(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd != -1 && write(fd, text, len) == (ssize_t)len && fchmod(fd, mode) == 0);
	close(fd);
}

TEST(test_keys_round_trip)
{
	struct key_pair made, read;
	struct stat st;
	const char *path = check_path("router.key");

	CHECK(keys_generate(&made));
	CHECK_U64("written", keys_write(path, &made), KEYS_OK);
	CHECK_U64("read", keys_read(path, &read), KEYS_OK);
	CHECK_STR("secret", read.secret_key, made.secret_key);
	CHECK_STR("public is computed", read.public_key, made.public_key);
	CHECK(stat(path, &st) == 0);
	CHECK_U64("mode", st.st_mode & 0777, 0600);
	CHECK_U64("never replaced", keys_write(path, &made), KEYS_EXISTS);
	keys_wipe(&made);
	CHECK_STR("wiped", made.secret_key, "");
}

TEST(test_keys_read_or_make)
{
	struct key_pair first, second;
	const char *path = check_path("made.key");

	CHECK_U64("made", keys_read_or_make(path, &first), KEYS_OK);
	CHECK_U64("read", keys_read_or_make(path, &second), KEYS_OK);
	CHECK_STR("the same", second.secret_key, first.secret_key);
	CHECK_U64("no directory", keys_read_or_make(check_path("no/such.key"), &first), KEYS_IO);
}

TEST(test_keys_mode_is_enforced)
{
	static const struct {
		mode_t mode;
		enum keys_result want;
	} modes[] = {
		{ 0600, KEYS_OK },
		{ 0400, KEYS_OK },
		{ 0640, KEYS_OPEN_TO_OTHERS },
		{ 0604, KEYS_OPEN_TO_OTHERS },
		{ 0660, KEYS_OPEN_TO_OTHERS },
		{ 0666, KEYS_OPEN_TO_OTHERS },
		{ 0610, KEYS_OPEN_TO_OTHERS },
	};
	struct key_pair keys, read;
	const char *path = check_path("mode.key");

	CHECK(keys_generate(&keys));
	CHECK_U64("written", keys_write(path, &keys), KEYS_OK);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		char name[16];
		snprintf(name, sizeof(name), "%o", (unsigned)modes[i].mode);
		CHECK(chmod(path, modes[i].mode) == 0);
		CHECK_U64(name, keys_read(path, &read), modes[i].want);
	}
}

TEST(test_keys_malformed)
{
	static const char good[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
	static const struct {
		const char *name;
		const char *text;
		enum keys_result want;
	} files[] = {
		{ "empty", "", KEYS_MALFORMED },
		{ "short", "JTKVSB%%)wK0E", KEYS_MALFORMED },
		{ "without the line's end", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", KEYS_OK },
		{ "with it", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\n", KEYS_OK },
		{ "two lines", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\n\n", KEYS_MALFORMED },
		{ "a blank", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh \n", KEYS_MALFORMED },
		{ "not of z85", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh\"\n", KEYS_MALFORMED },
		{ "high bytes", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{L\xc4\x9f\n",
		    KEYS_MALFORMED },
		{ "group too large", "#####%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6a", KEYS_MALFORMED },
	};
	struct key_pair read;
	const char *path = check_path("bad.key");

	CHECK_U64("fixture", strlen(good), KEYS_TEXT_LEN);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		put(path, files[i].text, strlen(files[i].text), 0600);
		CHECK_U64(files[i].name, keys_read(path, &read), files[i].want);
		CHECK_U64(files[i].name, keys_read_public(path, read.public_key), files[i].want);
	}
	CHECK_U64("missing", keys_read(check_path("none.key"), &read), KEYS_MISSING);
	CHECK_U64("a directory", keys_read(check_directory(), &read), KEYS_MALFORMED);
	CHECK(mkfifo(check_path("fifo.key"), 0600) == 0);
	CHECK_U64("a fifo", keys_read(check_path("fifo.key"), &read), KEYS_MALFORMED);
}

TEST(test_keys_public_lies_open)
{
	struct key_pair made;
	char key[KEYS_TEXT_SIZE] = "as it was";
	const char *path = check_path("router.pub");

	CHECK(keys_generate(&made));
	CHECK_U64("missing", keys_read_public(path, key), KEYS_MISSING);
	CHECK_STR("untouched", key, "as it was");
	put(path, made.public_key, KEYS_TEXT_LEN, 0644);
	CHECK_U64("read", keys_read_public(path, key), KEYS_OK);
	CHECK_STR("the key", key, made.public_key);
}
