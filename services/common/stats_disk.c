/* What room the disks have that a process writes to. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#include "stats.h"

/* free: what is left for a process without root's reserve, which the services are. */
static const struct metric {
	const char *name, *help;
	bool free;
} metrics[] = {
	{ "turunc_disk_free_bytes", "Room left on the disk of this folder", true },
	{ "turunc_disk_size_bytes", "Size of the disk of this folder", false },
};

bool
stats_write_disks(const struct stats_folder *folders, size_t count, struct evbuffer *out)
{
	for (size_t m = 0; m < ARRAY_LEN(metrics); m++) {
		if (evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[m].name,
			metrics[m].help, metrics[m].name)
		    == -1)
			return false;
		for (size_t i = 0; i < count; i++) {
			struct statvfs disk;
			if (statvfs(folders[i].path, &disk) != 0)
				continue;
			uint64_t blocks = metrics[m].free ? disk.f_bavail : disk.f_blocks;
			if (evbuffer_add_printf(out, "%s{folder=\"%s\"} %" PRIu64 "\n",
				metrics[m].name, folders[i].name, blocks * disk.f_frsize)
			    == -1)
				return false;
		}
	}
	return true;
}
