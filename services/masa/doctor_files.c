/* What masa doctor finds on the disks: who may read secrets, and how much room is left. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor.h"

enum { FREE_PERCENT = 10, FOLDERS_DEEP = 4, NAMED_MAX = 5 };

/* Secrets of a local run, below its folder, and of a system in containers, below its vault; there
 * the edge's key and Redis's password lie beside these folders. */
static const struct {
	const char *folder;
	const char *ending; /* of the files that are secret; "": all */
} secret_files[] = {
	{ "keys", ".key" }, { "secrets", "" }, { "demo-keys", ".secret" },
	{ "demo-keys", ".api_key" },
	{ "service", "_PASSWORD" }, /* given as an environment variable */
};

/* What nobody else may even list. */
static const char *const closed_folders[] = { "postgres/data", "redis/data", "state/intake",
	"state/router", "state/notifier", "state/metrics", "state/attachments", "cimer" };

struct search {
	struct doctor *d;
	const char *ending;
	unsigned found;
};

static bool
ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	return len >= ending_len && strcmp(name + len - ending_len, ending) == 0;
}

static void
look_at_secret(struct search *s, const char *path, mode_t mode)
{
	if ((mode & 077) == 0 || ++s->found > NAMED_MAX)
		return;
	doctor_find(s->d, DOCTOR_BAD, "files",
	    "chmod 600 it; when others had access, make a new one in its place",
	    "the secret in %.300s can be read by others (mode %03o)", path, mode & 0777);
}

static void
search(struct search *s, const char *folder, int depth)
{
	char path[PATH_MAX];
	struct stat st;
	DIR *dir = depth > 0 ? opendir(folder) : NULL;
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.'
		    || snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name)
			   >= (int)sizeof(path)
		    || lstat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			search(s, path, depth - 1);
		else if (S_ISREG(st.st_mode) && ends_with(entry->d_name, s->ending))
			look_at_secret(s, path, st.st_mode);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
look_at_closed(struct doctor *d, const char *system)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(closed_folders); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", system, closed_folders[i])
			>= (int)sizeof(path)
		    || stat(path, &st) != 0 || (st.st_mode & 07) == 0)
			continue;
		doctor_find(d, DOCTOR_BAD, "files", "chmod o= it: citizens' data lie there",
		    "the folder %s is open to every user of this machine (mode %03o)", path,
		    st.st_mode & 0777);
	}
}

/* The keys by which clients know the bus, wherever they are. */
static void
look_at_keys(struct doctor *d)
{
	static const char *const names[] = { "intake.key", "router.key" };
	const char *folder = masa_env("TURUNC_KEYS_DIR", NULL);
	struct stat st;
	char path[PATH_MAX];

	if (folder == NULL) {
		doctor_skip(d, "key files", "TURUNC_KEYS_DIR is not set");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) >= (int)sizeof(path))
			return;
		if (stat(path, &st) == -1)
			doctor_find(d, DOCTOR_BAD, "keys",
			    "restore it from your safe copy: clients know the door by it",
			    "the key file %s of a bus door: %s", path, strerror(errno));
		else if ((st.st_mode & 077) != 0)
			doctor_find(d, DOCTOR_BAD, "keys",
			    "chmod 600, and make a new key if others had access",
			    "the key file %s of a bus door can be read by others", path);
	}
	doctor_looked(d, "key files");
}

/* --- room -------------------------------------------------------------------------------------
 */

bool
doctor_disk_is_full(double free_bytes, double bytes)
{
	return bytes > 0 && free_bytes * 100 < bytes * FREE_PERCENT;
}

static void
look_at_disk(struct doctor *d, const char *folder, unsigned long *seen, size_t *count)
{
	struct statvfs disk;

	if (folder == NULL || statvfs(folder, &disk) != 0)
		return;
	for (size_t i = 0; i < *count; i++)
		if (seen[i] == disk.f_fsid)
			return;
	seen[(*count)++] = disk.f_fsid;
	double bytes = (double)disk.f_blocks * (double)disk.f_frsize,
	       free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
	static const char fix[] =
	    "make room, or give it a larger one: a full disk stops the record";
	if (doctor_disk_is_full(free_bytes, bytes))
		doctor_find(d, DOCTOR_BAD, "disk", fix, "%.1f %% of the disk of %.200s is free",
		    free_bytes * 100 / bytes, folder);
	if (doctor_disk_is_full((double)disk.f_favail, (double)disk.f_files))
		doctor_find(d, DOCTOR_BAD, "disk", fix,
		    "%.1f %% of the files that the disk of %.200s can hold are left",
		    (double)disk.f_favail * 100 / (double)disk.f_files, folder);
}

static void
look_at_disks(struct doctor *d, const char *system)
{
	static const char *const settings[] = { "TURUNC_ATTACHMENTS_DIR", "TURUNC_STATE_DIR" };
	unsigned long seen[ARRAY_LEN(settings) + 2];
	size_t count = 0;
	char postgres[PATH_MAX];

	look_at_disk(d, system, seen, &count);
	if (system != NULL
	    && snprintf(postgres, sizeof(postgres), "%s/postgres", system) < (int)sizeof(postgres))
		look_at_disk(d, postgres, seen, &count);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		look_at_disk(d, masa_env(settings[i], NULL), seen, &count);
	if (count > 0)
		doctor_looked(d, "disk");
	else
		doctor_skip(d, "disk", "no folder of the system is known here");
}

static void
look_at_secrets(struct doctor *d, const char *below)
{
	struct search beside[] = { { d, "edge.key", 0 }, { d, "redis.conf", 0 } };
	char folder[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(beside); i++)
		search(&beside[i], below, 1);
	for (size_t i = 0; i < ARRAY_LEN(secret_files); i++) {
		struct search s = { d, secret_files[i].ending, 0 };
		if (snprintf(folder, sizeof(folder), "%s/%s", below, secret_files[i].folder)
		    >= (int)sizeof(folder))
			continue;
		search(&s, folder, FOLDERS_DEEP);
		if (s.found > NAMED_MAX)
			doctor_find(d, DOCTOR_BAD, "files", "chmod -R go= it",
			    "%u more secrets in %s can be read by others", s.found - NAMED_MAX,
			    folder);
	}
	doctor_looked(d, "files");
}

void
doctor_files(struct doctor *d)
{
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	const char *vault = masa_env("TURUNC_VAULT_DIR", NULL);

	look_at_keys(d);
	look_at_disks(d, system);
	if (system != NULL || vault != NULL)
		look_at_secrets(d, system != NULL ? system : vault);
	else
		doctor_skip(d, "files", "the system is not on this machine (TURUNC_SYSTEM_DIR)");
	if (system != NULL)
		look_at_closed(d, system);
	else if (vault != NULL)
		doctor_skip(d, "folders", "each part alone mounts its own volumes, and no other");
}
