/* Makes, reads and writes CURVE keys; secret ones only from files nobody else can read. */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "state_file.h"
#include "write_all.h"

static const char *const texts[] = {
	[KEYS_OK] = "ok",
	[KEYS_MISSING] = "no such key file",
	[KEYS_EXISTS] = "the key file exists already",
	[KEYS_OPEN_TO_OTHERS] = "the key file must be its owner's alone (chmod 600)",
	[KEYS_MALFORMED] = "not a key file: one line of 40 characters of z85",
	[KEYS_IO] = "the key file cannot be read or written",
};

const char *
keys_result_text(enum keys_result result)
{
	return texts[result];
}

bool
keys_generate(struct key_pair *ret_keys)
{
	return zmq_curve_keypair(ret_keys->public_key, ret_keys->secret_key) == 0;
}

bool
keys_text_valid(const char *text)
{
	/* zmq_z85_decode of 4.3.4 trusts characters outside its alphabet: look first. */
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
	uint8_t raw[KEYS_RAW_BYTES];

	if (strnlen(text, KEYS_TEXT_SIZE) != KEYS_TEXT_LEN
	    || strspn(text, alphabet) != KEYS_TEXT_LEN)
		return false;
	bool valid = zmq_z85_decode(raw, text) != NULL;
	sodium_memzero(raw, sizeof(raw));
	return valid;
}

bool
keys_text_from_raw(const uint8_t raw[KEYS_RAW_BYTES], char ret_text[KEYS_TEXT_SIZE])
{
	return zmq_z85_encode(ret_text, raw, KEYS_RAW_BYTES) != NULL;
}

void
keys_wipe(struct key_pair *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}

/* --- files ------------------------------------------------------------------------------------ */

/* Regular; a secret one its owner's alone. */
static enum keys_result
check_file(int fd, bool secret)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return KEYS_IO;
	if (!S_ISREG(st.st_mode))
		return KEYS_MALFORMED;
	if (!secret)
		return KEYS_OK;
	bool ours = st.st_uid == geteuid() || st.st_uid == 0;
	return ours && (st.st_mode & 077) == 0 ? KEYS_OK : KEYS_OPEN_TO_OTHERS;
}

static ssize_t
read_all(int fd, char *data, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, data + used, size - used);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* The line's end is optional, anything more is not a key. */
static enum keys_result
parse(const char *text, size_t len, char ret_key[KEYS_TEXT_SIZE])
{
	char key[KEYS_TEXT_SIZE] = "";

	if (len == KEYS_TEXT_LEN + 1 && text[KEYS_TEXT_LEN] == '\n')
		len--;
	if (len != KEYS_TEXT_LEN)
		return KEYS_MALFORMED;
	memcpy(key, text, KEYS_TEXT_LEN);
	bool valid = keys_text_valid(key);
	if (valid)
		memcpy(ret_key, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return valid ? KEYS_OK : KEYS_MALFORMED;
}

static enum keys_result
read_key(const char *path, bool secret, char ret_key[KEYS_TEXT_SIZE])
{
	char text[KEYS_TEXT_LEN + 8];
	/* NONBLOCK: a fifo under that name must not hold up the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return errno == ENOENT ? KEYS_MISSING : KEYS_IO;
	enum keys_result result = check_file(fd, secret);
	if (result == KEYS_OK) {
		ssize_t len = read_all(fd, text, sizeof(text));
		result = len == -1 ? KEYS_IO : parse(text, (size_t)len, ret_key);
		sodium_memzero(text, sizeof(text));
	}
	int saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}

enum keys_result
keys_read(const char *path, struct key_pair *ret_keys)
{
	struct key_pair keys;

	enum keys_result result = read_key(path, true, keys.secret_key);
	if (result != KEYS_OK)
		return result;
	if (zmq_curve_public(keys.public_key, keys.secret_key) == -1)
		result = KEYS_MALFORMED;
	else
		*ret_keys = keys;
	keys_wipe(&keys);
	return result;
}

enum keys_result
keys_read_public(const char *path, char ret_key[KEYS_TEXT_SIZE])
{
	return read_key(path, false, ret_key);
}

static bool
write_new(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return false;
	bool written = fchmod(fd, 0600) == 0 && write_all(fd, text, len) && fsync(fd) == 0;
	int saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return written;
}

enum keys_result
keys_write(const char *path, const struct key_pair *keys)
{
	char draft[PATH_MAX], text[KEYS_TEXT_SIZE + 1];
	uint64_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return KEYS_IO;
	int n = snprintf(draft, sizeof(draft), "%s.%016llx", path, (unsigned long long)chance);
	if (n < 0 || (size_t)n >= sizeof(draft)) {
		errno = ENAMETOOLONG;
		return KEYS_IO;
	}
	snprintf(text, sizeof(text), "%s\n", keys->secret_key);
	bool linked = write_new(draft, text, KEYS_TEXT_LEN + 1) && link(draft, path) == 0;
	int saved_errno = errno;
	sodium_memzero(text, sizeof(text));
	unlink(draft);
	if (!linked) {
		errno = saved_errno;
		return saved_errno == EEXIST ? KEYS_EXISTS : KEYS_IO;
	}
	return state_file_sync_folder_of(path) ? KEYS_OK : KEYS_IO;
}

enum keys_result
keys_read_or_make(const char *path, struct key_pair *ret_keys)
{
	struct key_pair keys;
	enum keys_result result = keys_read(path, ret_keys);

	if (result != KEYS_MISSING)
		return result;
	if (!keys_generate(&keys)) {
		errno = ENOTSUP;
		return KEYS_IO;
	}
	result = keys_write(path, &keys);
	if (result == KEYS_OK)
		*ret_keys = keys;
	keys_wipe(&keys);
	/* Somebody else was first: theirs counts. */
	return result == KEYS_EXISTS ? keys_read(path, ret_keys) : result;
}
