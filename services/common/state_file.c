/* Writes a file beside, syncs it, renames it, syncs the folder; reads back only what is whole. */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "write_all.h"

enum { PATH_BYTES = 1300 };

const char *
state_file_why(enum state_file_result result)
{
	switch (result) {
	case STATE_FILE_OK:
		return "";
	case STATE_FILE_ABSENT:
		return "absent";
	case STATE_FILE_DAMAGED:
		return "damaged";
	case STATE_FILE_FAILED:
		break;
	}
	return strerror(errno);
}

bool
state_file_sync_folder_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = snprintf(folder, sizeof(folder), "%.*s",
	    slash == NULL ? 1 : (int)(slash - path + 1), slash == NULL ? "." : path);

	if (len < 0 || (size_t)len >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return false;
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd != -1 && fsync(fd) == 0;
	int saved_errno = errno;
	if (fd != -1)
		close(fd);
	errno = saved_errno;
	return ok;
}

enum state_file_result
state_file_write(const char *path, const void *data, size_t len)
{
	char beside[PATH_BYTES];
	struct digest digest;
	int written = snprintf(beside, sizeof(beside), "%s.new", path);

	if (written < 0 || (size_t)written >= sizeof(beside) || len > STATE_FILE_BYTES_MAX) {
		errno = written < 0 || (size_t)written >= sizeof(beside) ? ENAMETOOLONG : EFBIG;
		return STATE_FILE_FAILED;
	}
	digest_sha256(data, len, &digest);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool ok = fd != -1 && write_all(fd, digest.bytes, DIGEST_BYTES) && write_all(fd, data, len)
		  && fsync(fd) == 0;
	int saved_errno = errno;
	if (fd != -1)
		close(fd);
	errno = saved_errno;
	if (ok && rename(beside, path) == 0 && state_file_sync_folder_of(path))
		return STATE_FILE_OK;
	return STATE_FILE_FAILED;
}

static enum state_file_result
read_open(int fd, uint8_t **ret_data, size_t *ret_len)
{
	struct stat st;
	struct digest digest;
	size_t got = 0;

	if (fstat(fd, &st) == -1)
		return STATE_FILE_FAILED;
	if (st.st_size < DIGEST_BYTES || st.st_size > DIGEST_BYTES + STATE_FILE_BYTES_MAX)
		return STATE_FILE_DAMAGED;
	size_t size = (size_t)st.st_size;
	uint8_t *bytes = malloc(size);
	while (bytes != NULL && got < size) {
		ssize_t n = read(fd, bytes + got, size - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (bytes == NULL || got < size) {
		free(bytes);
		return STATE_FILE_FAILED;
	}
	size_t len = size - DIGEST_BYTES;
	digest_sha256(bytes + DIGEST_BYTES, len, &digest);
	if (memcmp(digest.bytes, bytes, DIGEST_BYTES) != 0) {
		free(bytes);
		return STATE_FILE_DAMAGED;
	}
	memmove(bytes, bytes + DIGEST_BYTES, len);
	*ret_data = bytes;
	*ret_len = len;
	return STATE_FILE_OK;
}

enum state_file_result
state_file_read(const char *path, uint8_t **ret_data, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return errno == ENOENT ? STATE_FILE_ABSENT : STATE_FILE_FAILED;
	enum state_file_result result = read_open(fd, ret_data, ret_len);
	int saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}
