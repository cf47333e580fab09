/* What is shown of disks, and that a folder which hangs keeps nobody waiting.  The call that asks
 * the kernel is this file's own. */
#include <errno.h>
#include <event2/buffer.h>
#include <pthread.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "check.h"
#include "clock.h"
#include "disks.h"

enum { PATIENCE_MS = 30000, QUICK_MS = 500, NAP_NS = 5000000 };
enum { OFTEN_MS = 5, SILENT_MS = 300 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool hangs; /* whoever looks at /hangs does not come back */
static unsigned hanging;

int
statvfs(const char *path, struct statvfs *found)
{
	if (strcmp(path, "/gone") == 0) {
		errno = ENOENT;
		return -1;
	}
	pthread_mutex_lock(&lock);
	if (strcmp(path, "/hangs") == 0) {
		hanging++;
		pthread_cond_broadcast(&changed);
		while (hangs)
			pthread_cond_wait(&changed, &lock);
		hanging--;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	memset(found, 0, sizeof(*found));
	found->f_frsize = 4096;
	found->f_blocks = UINT64_C(1) << 40;
	found->f_bfree = 900;
	found->f_bavail = 700;
	return 0;
}

/* Until the text has it; true: it has. */
static bool
comes(struct disks *d, const char *wanted, char *text, size_t size)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	for (;;) {
		struct evbuffer *out = evbuffer_new();
		uint64_t began_ms = clock_monotonic_ms();
		bool written = disks_write(d, out);
		uint64_t took_ms = clock_monotonic_ms() - began_ms;
		ev_ssize_t len = evbuffer_remove(out, text, size - 1);
		text[len < 0 ? 0 : len] = '\0';
		evbuffer_free(out);
		if (!written || took_ms > PATIENCE_MS / 2)
			return false;
		if (strstr(text, wanted) != NULL)
			return true;
		if (clock_monotonic_ms() > until_ms)
			return false;
		(void)nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	}
}

TEST(test_room_is_shown)
{
	const struct disk_folder folders[] = { { "state", "/here" }, { "record", "/gone" } };
	struct disks *d = disks_open(folders, ARRAY_LEN(folders), OFTEN_MS, SILENT_MS);
	char text[2000];

	CHECK_TRUE("opened", d != NULL);
	CHECK_TRUE("what cannot be looked at is said to be so",
	    comes(d, "turunc_disk_answers{folder=\"record\"} 0\n", text, sizeof(text)));
	CHECK_TRUE("what can, too",
	    comes(d, "turunc_disk_answers{folder=\"state\"} 1\n", text, sizeof(text)));
	CHECK_TRUE("room without root's reserve",
	    strstr(text, "turunc_disk_free_bytes{folder=\"state\"} 2867200\n") != NULL);
	CHECK_TRUE("in 64 bits",
	    strstr(text, "turunc_disk_size_bytes{folder=\"state\"} 4503599627370496\n") != NULL);
	CHECK_TRUE("no figure of the other", strstr(text, "free_bytes{folder=\"record\"}") == NULL);
	disks_close(d);
	disks_close(NULL);
}

TEST(test_a_folder_that_hangs_keeps_nobody_waiting)
{
	const struct disk_folder folders[] = { { "attachments", "/hangs" }, { "state", "/here" } };
	char text[2000];

	hangs = true;
	struct disks *d = disks_open(folders, ARRAY_LEN(folders), OFTEN_MS, SILENT_MS);
	CHECK_TRUE("opened", d != NULL);
	CHECK_TRUE("others are shown",
	    comes(d, "turunc_disk_answers{folder=\"state\"} 1\n", text, sizeof(text)));
	pthread_mutex_lock(&lock);
	while (hanging == 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	CHECK_TRUE("silent for so long, it does not answer",
	    comes(d, "turunc_disk_answers{folder=\"attachments\"} 0\n", text, sizeof(text)));
	CHECK_TRUE("others go on",
	    comes(d, "turunc_disk_answers{folder=\"state\"} 1\n", text, sizeof(text)));
	CHECK_TRUE("no figure of it", strstr(text, "free_bytes{folder=\"attachments\"}") == NULL);

	uint64_t began_ms = clock_monotonic_ms();
	disks_close(d);
	uint64_t took_ms = clock_monotonic_ms() - began_ms;
	CHECK_TRUE("closing waits a moment", took_ms >= DISKS_LEAVE_MS - QUICK_MS);
	CHECK_TRUE("and not for ever", took_ms < PATIENCE_MS);

	/* It comes back to what is still there, and lets it go. */
	pthread_mutex_lock(&lock);
	hangs = false;
	pthread_cond_broadcast(&changed);
	while (hanging > 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}
