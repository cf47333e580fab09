/* Collects the municipality's files from a folder or from the record, in one order. */
#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"

_Static_assert((int)BUNDLE_DIGEST_SIZE == (int)DIGEST_HEX_SIZE, "one size of digest");

void
bundle_init(struct bundle *b)
{
	b->files = NULL;
	b->count = 0;
}

void
bundle_finish(struct bundle *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->files[i].name);
		free(b->files[i].data);
	}
	free(b->files);
	bundle_init(b);
}

/* Lower-case letters, digits, '_', '-' and '.', one folder deep at most; no part is hidden. */
static bool
name_valid(const char *name)
{
	size_t len = strlen(name), slashes = 0;

	if (len == 0 || len >= BUNDLE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (c == '/')
			slashes++;
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
			     || c == '.'))
			return false;
		if ((c == '.' || c == '/') && (i == 0 || name[i - 1] == '/' || name[i - 1] == '.'))
			return false;
	}
	return slashes <= 1 && name[len - 1] != '/' && name[len - 1] != '.';
}

/* Where that name is, or would go. */
static size_t
place_of(const struct bundle *b, const char *name)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (strcmp(b->files[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct bundle_file *
bundle_find(const struct bundle *b, const char *name)
{
	size_t at = place_of(b, name);

	return at < b->count && strcmp(b->files[at].name, name) == 0 ? &b->files[at] : NULL;
}

bool
bundle_add(struct bundle *b, const char *name, const void *data, size_t size, const char **ret_why)
{
	*ret_why = NULL;
	if (!name_valid(name))
		*ret_why = "the name is not allowed in a bundle";
	else if (bundle_find(b, name) != NULL)
		*ret_why = "a file of that name is there already";
	else if (b->count == BUNDLE_FILES_MAX)
		*ret_why = "too many files";
	else if (size > BUNDLE_FILE_BYTES_MAX)
		*ret_why = "the file is too large";
	if (*ret_why != NULL)
		return false;

	struct bundle_file file = { .name = strdup(name), .data = malloc(size + 1), .size = size };
	struct bundle_file *files = realloc(b->files, (b->count + 1) * sizeof(*files));
	if (files != NULL)
		b->files = files;
	if (file.name == NULL || file.data == NULL || files == NULL) {
		free(file.name);
		free(file.data);
		*ret_why = "out of memory";
		return false;
	}
	if (size > 0)
		memcpy(file.data, data, size);
	file.data[size] = '\0';
	size_t at = place_of(b, name);
	memmove(files + at + 1, files + at, (b->count - at) * sizeof(*files));
	files[at] = file;
	b->count++;
	return true;
}

/* --- from a folder ------------------------------------------------------------------- */

static bool
complain(char *why, size_t why_size, const char *name, const char *reason)
{
	snprintf(why, why_size, "%s: %s", name, reason);
	return false;
}

static bool
read_whole(int fd, char *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = read(fd, data + have, size - have);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO; /* it shrank while we were reading */
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static bool
add_file(struct bundle *b, int folder_fd, const char *entry, const char *name, char *why,
    size_t why_size)
{
	struct stat st;
	const char *reason = NULL;
	char *data = NULL;

	int fd = openat(folder_fd, entry, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return complain(why, why_size, name, strerror(errno));
	if (fstat(fd, &st) == -1)
		reason = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		reason = "not a regular file";
	else if (st.st_size > BUNDLE_FILE_BYTES_MAX)
		reason = "the file is too large";
	else if ((data = malloc((size_t)st.st_size + 1)) == NULL)
		reason = "out of memory";
	else if (!read_whole(fd, data, (size_t)st.st_size))
		reason = strerror(errno);
	else if (bundle_add(b, name, data, (size_t)st.st_size, &reason))
		reason = NULL;
	free(data);
	close(fd);
	return reason == NULL || complain(why, why_size, name, reason);
}

static bool
has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	return name[0] != '.' && len > ending_len && strcmp(name + len - ending_len, ending) == 0;
}

/* Adds what in dir (which it closes) has that ending, under prefix. */
static bool
add_folder(
    struct bundle *b, DIR *dir, const char *prefix, const char *ending, char *why, size_t why_size)
{
	char name[BUNDLE_NAME_MAX];
	bool ok = true;

	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (entry == NULL) {
			if (errno != 0)
				ok = complain(why, why_size, prefix, strerror(errno));
			break;
		}
		if (!has_ending(entry->d_name, ending))
			continue;
		int len = snprintf(name, sizeof(name), "%s%s", prefix, entry->d_name);
		ok = len < (int)sizeof(name)
			 ? add_file(b, dirfd(dir), entry->d_name, name, why, why_size)
			 : complain(why, why_size, entry->d_name, "the name is too long");
		if (!ok)
			break;
	}
	closedir(dir);
	return ok;
}

/* What of a configuration stands in a folder of its own; whether it must be there is for the
 * catalogue to judge. */
static bool
add_texts(struct bundle *b, int folder_fd, const char *name, const char *prefix, char *why,
    size_t why_size)
{
	int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return true;
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		complain(why, why_size, name, strerror(errno));
		if (fd != -1)
			close(fd);
		return false;
	}
	return add_folder(b, dir, prefix, ".txt", why, why_size);
}

bool
bundle_read_folder(struct bundle *b, const char *folder, char *why, size_t why_size)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return complain(why, why_size, folder, strerror(errno));
	DIR *dir = opendir(folder);
	if (dir == NULL) {
		close(fd);
		return complain(why, why_size, folder, strerror(errno));
	}
	bool read = add_folder(b, dir, "", ".csv", why, why_size)
		    && add_texts(b, fd, "templates", "templates/", why, why_size)
		    && add_texts(b, fd, "information", "information/", why, why_size);
	close(fd);
	return read;
}

void
bundle_digest(const struct bundle *b, char ret_hex[BUNDLE_DIGEST_SIZE])
{
	struct digest_sha256 state;
	struct digest digest;

	digest_sha256_init(&state);
	for (size_t i = 0; i < b->count; i++) {
		digest_sha256_add_part(&state, b->files[i].name, strlen(b->files[i].name));
		digest_sha256_add_part(&state, b->files[i].data, b->files[i].size);
	}
	digest_sha256_finish(&state, &digest);
	digest_format(&digest, ret_hex);
}
