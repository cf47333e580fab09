/* Keeps photos as files named by their content. */
#include "attachment.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attachment_internal.h"
#include "state_file.h"
#include "write_all.h"

enum { DRAFT_LIFE_S = 3600, DRAFT_NAME_BYTES = 16 };
static const char drafts[] = "new";

bool
attachments_path(const struct attachments *a, const struct digest *digest, char path[PATH_MAX])
{
	char hex[DIGEST_HEX_SIZE];

	digest_format(digest, hex);
	return snprintf(path, PATH_MAX, "%s/%.2s/%s", a->folder, hex, hex) < PATH_MAX;
}

/* A path of its own below the drafts. */
bool
attachments_draft_path(const struct attachments *a, char path[PATH_MAX])
{
	uint8_t random[DRAFT_NAME_BYTES];
	char hex[2 * DRAFT_NAME_BYTES + 1];

	randombytes_buf(random, sizeof(random));
	(void)sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	return snprintf(path, PATH_MAX, "%s/%s/%s", a->folder, drafts, hex) < PATH_MAX;
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* The first program to come makes it; whoever else comes at that moment finds it made. */
static bool
make_key(const struct attachments *a, const char *path)
{
	uint8_t key[ATTACHMENT_KEY_BYTES];
	char draft[PATH_MAX];

	randombytes_buf(key, sizeof(key));
	if (!attachments_draft_path(a, draft))
		return false;
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);
	bool made = fd != -1 && !failpoint(FAILPOINT_INTAKE_LINK_KEY, FAILPOINT_BEFORE)
		    && write_all(fd, key, sizeof(key)) && fsync(fd) == 0
		    && (link(draft, path) == 0 || errno == EEXIST)
		    && state_file_sync_folder_of(path)
		    && !failpoint(FAILPOINT_INTAKE_LINK_KEY, FAILPOINT_AFTER);
	int why = errno;
	if (fd != -1) {
		close(fd);
		(void)unlink(draft);
	}
	sodium_memzero(key, sizeof(key));
	errno = why;
	return made;
}

bool
attachments_read_key(struct attachments *a)
{
	char path[PATH_MAX];

	if (a->has_key)
		return true;
	if (snprintf(path, sizeof(path), "%s/link.key", a->folder) >= (int)sizeof(path))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && a->max_bytes > 0 && !a->guest && make_key(a, path))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	a->has_key = fd != -1 && read(fd, a->key, sizeof(a->key)) == (ssize_t)sizeof(a->key);
	if (fd != -1)
		close(fd);
	return a->has_key;
}

static bool
make_folder(const char *path)
{
	return mkdir(path, S_IRWXU | S_IRGRP | S_IXGRP) == 0 || errno == EEXIST;
}

static bool
make_folders(const struct attachments *a)
{
	char path[PATH_MAX];

	if (!make_folder(a->folder) || snprintf(path, sizeof(path), "%s/%s", a->folder, drafts) < 0
	    || !make_folder(path))
		return false;
	for (unsigned i = 0; i < ATTACHMENT_FOLDERS; i++) {
		(void)snprintf(path, sizeof(path), "%s/%02x", a->folder, i);
		if (!make_folder(path))
			return false;
	}
	return true;
}

/* Called for every file of a folder; st is its state. */
typedef void file_fn(
    struct attachments *a, const char *name, const struct stat *st, int dir, void *arg);

static bool
each_file(struct attachments *a, const char *folder, file_fn *fn, void *arg)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", a->folder, folder) >= (int)sizeof(path))
		return false;
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.'
		    && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		    && S_ISREG(st.st_mode))
			fn(a, entry->d_name, &st, dirfd(dir), arg);
	closedir(dir);
	return true;
}

static void
count_file(struct attachments *a, const char *name, const struct stat *st, int dir, void *arg)
{
	(void)name;
	(void)dir;
	(void)arg;
	a->bytes += (uint64_t)st->st_size;
	a->count++;
}

/* Another program may be writing one at this moment; an hour is longer than any takes. */
static void
drop_draft(struct attachments *a, const char *name, const struct stat *st, int dir, void *arg)
{
	(void)a;
	(void)arg;
	if (st->st_mtime < time(NULL) - DRAFT_LIFE_S)
		(void)unlinkat(dir, name, 0);
}

static bool
look_through(struct attachments *a)
{
	char name[8];
	bool read = a->guest || each_file(a, drafts, drop_draft, NULL);

	for (unsigned i = 0; read && i < ATTACHMENT_FOLDERS; i++) {
		(void)snprintf(name, sizeof(name), "%02x", i);
		read = each_file(a, name, count_file, NULL);
	}
	return read;
}

struct attachments *
attachments_open(const struct attachments_options *options, char *complaint, size_t size)
{
	struct attachments *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->folder = strdup(options->folder);
	if (a == NULL || a->folder == NULL) {
		(void)snprintf(complaint, size, "out of memory");
		attachments_close(a);
		return NULL;
	}
	a->max_bytes = options->max_bytes;
	a->draft_bytes = options->draft_bytes == 0 ? options->max_bytes : options->draft_bytes;
	a->guest = options->guest;
	a->step = options->step;
	if (a->max_bytes == 0
	    || (make_folders(a) && look_through(a) && (a->guest || attachments_read_key(a))))
		return a;
	(void)snprintf(
	    complaint, size, "%s: %s", options->folder, errno == 0 ? "damaged" : strerror(errno));
	attachments_close(a);
	return NULL;
}

void
attachments_close(struct attachments *a)
{
	if (a == NULL)
		return;
	sodium_memzero(a->key, sizeof(a->key));
	free(a->folder);
	free(a);
}

uint64_t
attachments_bytes(const struct attachments *a)
{
	return a->bytes;
}

uint64_t
attachments_count(const struct attachments *a)
{
	return a->count;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* The draft gets its name when it is durable; whatever fails takes it away again. */
static bool
write_file(struct attachments *a, const char *path, const struct photo *photo)
{
	char draft[PATH_MAX];

	if (!attachments_draft_path(a, draft))
		return false;
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);
	if (fd == -1)
		return false;
	bool durable = !failpoint(a->step, FAILPOINT_BEFORE)
		       && write_all(fd, photo->data, photo->len) && fsync(fd) == 0
		       && rename(draft, path) == 0 && state_file_sync_folder_of(path)
		       && !failpoint(a->step, FAILPOINT_AFTER);
	int why = errno;
	close(fd);
	if (!durable) {
		(void)unlink(draft);
		(void)unlink(path);
	}
	errno = why;
	return durable;
}

enum attachments_result
attachments_store(struct attachments *a, const struct photo *photo, struct attachment *ret)
{
	struct attachment stored = { .type = photo->type,
		.bytes = (uint32_t)photo->len,
		.width = photo->width,
		.height = photo->height };
	bool lies = photo->orientation >= 5; /* on its side: shown turned by a quarter */
	struct digest_sha256 d;
	char path[PATH_MAX];

	assert(a->max_bytes > 0 && photo->len <= UINT32_MAX);
	if (photo->len > a->max_bytes || a->bytes > a->max_bytes - photo->len)
		return ATTACHMENT_FULL;
	if (lies) {
		stored.width = photo->height;
		stored.height = photo->width;
	}
	randombytes_buf(stored.salt, sizeof(stored.salt));
	digest_sha256_init(&d);
	digest_sha256_add(&d, stored.salt, sizeof(stored.salt));
	digest_sha256_add(&d, photo->data, photo->len);
	digest_sha256_finish(&d, &stored.digest);
	if (!attachments_path(a, &stored.digest, path)) {
		errno = ENAMETOOLONG;
		return ATTACHMENT_FAILED;
	}
	if (!write_file(a, path, photo))
		return errno == ENOSPC || errno == EDQUOT ? ATTACHMENT_FULL : ATTACHMENT_FAILED;
	a->bytes += photo->len;
	a->count++;
	*ret = stored;
	return ATTACHMENT_STORED;
}

bool
attachments_remove(struct attachments *a, const struct digest *digest)
{
	char path[PATH_MAX];
	struct stat st;

	if (!attachments_path(a, digest, path))
		return false;
	if (stat(path, &st) != 0 || unlink(path) != 0)
		return errno == ENOENT;
	uint64_t size = (uint64_t)st.st_size;
	a->bytes -= size < a->bytes ? size : a->bytes;
	a->count -= a->count > 0;
	return true;
}

struct listing {
	int64_t before_s;
	const struct digest *after;
	struct digest *at;
	size_t count, max;
};

static int
compare(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void
list_file(struct attachments *a, const char *name, const struct stat *st, int dir, void *arg)
{
	struct listing *l = arg;
	struct digest digest;

	(void)a;
	(void)dir;
	if (st->st_mtime >= l->before_s || !digest_parse(name, strlen(name), &digest)
	    || (l->after != NULL && compare(&digest, l->after) <= 0))
		return;
	/* A folder comes in no order: the first max so far are kept sorted. */
	size_t place = l->count;
	while (place > 0 && compare(&digest, &l->at[place - 1]) < 0)
		place--;
	if (place == l->max)
		return;
	if (l->count < l->max)
		l->count++;
	memmove(&l->at[place + 1], &l->at[place], (l->count - 1 - place) * sizeof(l->at[0]));
	l->at[place] = digest;
}

size_t
attachments_list_old(struct attachments *a, unsigned folder, int64_t before_s,
    const struct digest *after, struct digest ret[], size_t max)
{
	struct listing l = { before_s, after, ret, 0, max };
	char name[8];

	(void)snprintf(name, sizeof(name), "%02x", folder % ATTACHMENT_FOLDERS);
	(void)each_file(a, name, list_file, &l);
	return l.count;
}

bool
attachments_read(
    struct attachments *a, const struct digest *digest, uint8_t **ret_data, size_t *ret_len)
{
	struct stat st;
	int fd = attachments_open_file(a, digest);
	uint8_t *data = NULL;

	if (fd != -1 && fstat(fd, &st) == 0)
		data = malloc((size_t)st.st_size + 1);
	bool whole = data != NULL && pread(fd, data, (size_t)st.st_size, 0) == st.st_size;
	if (fd != -1)
		close(fd);
	if (!whole) {
		free(data);
		return false;
	}
	*ret_data = data;
	*ret_len = (size_t)st.st_size;
	return true;
}

int
attachments_open_file(struct attachments *a, const struct digest *digest)
{
	char path[PATH_MAX];

	return attachments_path(a, digest, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
						 : -1;
}
