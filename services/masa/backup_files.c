/* Copies attachments: each file once. */
#include "backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };
static const char key_name[] = "link.key";

const char *
backup_files_folder(char *buffer, size_t size)
{
	const char *given = masa_env("TURUNC_ATTACHMENTS_DIR", NULL);
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);

	if (given != NULL)
		return given;
	if (system == NULL || snprintf(buffer, size, "%s/state/attachments", system) >= (int)size)
		return NULL;
	return buffer;
}

/* Whole, with its time; a copy that was cut off is shorter, and made anew. */
static bool
copy_file(int from_dir, int to_dir, const char *name)
{
	struct stat st, there;
	int in = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (in == -1)
		return errno == ENOENT;
	if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(in);
		return true;
	}
	if (fstatat(to_dir, name, &there, 0) == 0 && there.st_size == st.st_size) {
		close(in);
		return true;
	}
	int out = openat(to_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.st_mode & 0777);
	ssize_t n = out == -1 ? -1 : 1;
	while (n > 0)
		n = copy_file_range(in, NULL, out, NULL, CHUNK_BYTES, 0);
	/* The owner is needed where a restore brings it back. */
	bool whole = n == 0 && fchmod(out, st.st_mode & 0777) == 0
		     && (geteuid() != 0 || fchown(out, st.st_uid, st.st_gid) == 0)
		     && futimens(out, (const struct timespec[]){ st.st_atim, st.st_mtim }) == 0;
	if (out != -1)
		whole = close(out) == 0 && whole;
	close(in);
	return whole;
}

static bool
make_like(int from, int to_parent, const char *name)
{
	struct stat st;

	if (fstat(from, &st) != 0
	    || (mkdirat(to_parent, name, st.st_mode & 0777) != 0 && errno != EEXIST))
		return false;
	return geteuid() != 0 || fchownat(to_parent, name, st.st_uid, st.st_gid, 0) == 0;
}

static bool
copy_folder(int from, int to)
{
	int again = dup(from);
	DIR *dir = again == -1 ? NULL : fdopendir(again);
	const struct dirent *entry;
	bool copied = dir != NULL;

	while (copied && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			copied = copy_file(from, to, entry->d_name);
	if (dir != NULL)
		closedir(dir);
	else if (again != -1)
		close(again);
	return copied;
}

/* One of the 256, when something came since the last look. */
static bool
pass_folder(struct backup_files *b, int from_root, int to_root, unsigned i)
{
	char name[8];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%02x", i);
	int from = openat(from_root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from == -1)
		return errno == ENOENT;
	bool done = fstat(from, &st) == 0;
	bool same = done && st.st_mtim.tv_sec == b->changed[i].tv_sec
		    && st.st_mtim.tv_nsec == b->changed[i].tv_nsec;
	if (done && !same) {
		int to = make_like(from, to_root, name)
			     ? openat(to_root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			     : -1;
		done = to != -1 && copy_folder(from, to);
		if (to != -1)
			close(to);
		if (done)
			b->changed[i] = st.st_mtim;
	}
	close(from);
	return done;
}

enum exit_code
backup_files_pass(struct backup_files *b)
{
	if (b->from == NULL)
		return masa_fail(MASA_FAILED, "the photos' folder is not known: set "
					      "TURUNC_ATTACHMENTS_DIR");
	int from = open(b->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from == -1 && errno == ENOENT && masa_env("TURUNC_ATTACHMENTS_DIR", NULL) == NULL)
		return MASA_OK;
	if (from == -1)
		return masa_fail(
		    MASA_FAILED, "the photos of %s cannot be copied: %s", b->from, strerror(errno));
	int to = make_like(from, AT_FDCWD, b->to) ? open(b->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
						  : -1;
	bool done = to != -1 && copy_file(from, to, key_name);
	for (unsigned i = 0; done && i < ARRAY_LEN(b->changed); i++)
		done = pass_folder(b, from, to, i);
	int why = errno;
	if (to != -1)
		close(to);
	close(from);
	return done ? MASA_OK
		    : masa_fail(MASA_FAILED, "the photos of %s cannot be copied: %s", b->from,
			strerror(why));
}
