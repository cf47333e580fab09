/* Appends refused events to their file and reads them back for turunc_store_rejected(). */
#include "rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "turunc/client.h"

/* Entries here are position-free: they belong to no segment. */
enum { NO_SEGMENT = 0, NO_OFFSET = 0, REASON_MAX = 512 };

static const char file_name[] = "rejected";
static const char old_name[] = "rejected.old";

/* Moves a full file aside; true when the (perhaps new) file is open, *ret_size its length. */
static int
open_with_room(int dir_fd, uint64_t bytes_max, uint64_t more, off_t *ret_size)
{
	struct stat st;
	int fd = openat(dir_fd, file_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || fstat(fd, &st) == -1)
		goto fail;
	if (st.st_size > 0 && (uint64_t)st.st_size + more > bytes_max) {
		close(fd);
		fd = -1;
		if (renameat(dir_fd, file_name, dir_fd, old_name) == -1)
			goto fail;
		fd = openat(dir_fd, file_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1 || fstat(fd, &st) == -1)
			goto fail;
	}
	if (fsync(dir_fd) == -1)
		goto fail;
	*ret_size = st.st_size;
	return fd;
fail:
	if (fd != -1)
		close(fd);
	return -1;
}

bool
tc_rejects_append(
    int dir_fd, uint64_t bytes_max, const char *reason, const uint8_t *event, uint32_t len)
{
	size_t reason_len = strnlen(reason, REASON_MAX);
	size_t payload_len = 2 + reason_len + len, size = TC_ENTRY_HEAD + payload_len;
	off_t end = 0;
	uint8_t *entry = malloc(size);

	if (entry == NULL)
		return false;
	uint8_t *payload = entry + TC_ENTRY_HEAD;
	payload[0] = (uint8_t)reason_len;
	payload[1] = (uint8_t)(reason_len >> 8);
	memcpy(payload + 2, reason, reason_len);
	memcpy(payload + 2 + reason_len, event, len);
	tc_entry_head(
	    entry, NO_SEGMENT, NO_OFFSET, TC_ENTRY_REJECTED, payload, (uint32_t)payload_len);

	int fd = open_with_room(dir_fd, bytes_max, size, &end);
	bool ok = fd != -1 && pwrite(fd, entry, size, end) == (ssize_t)size;
	if (fd != -1 && !ok && ftruncate(fd, end) == -1)
		ok = false; /* readers step over the part */
	if (ok)
		ok = fdatasync(fd) == 0;
	if (fd != -1)
		close(fd);
	free(entry);
	return ok;
}

typedef void rejected_fn(void *arg, const char *reason, const Turunc__V1__InboundEvent *event);

static void
hand_out(const uint8_t *payload, size_t len, rejected_fn *on_event, void *arg)
{
	char reason[REASON_MAX + 1];

	if (len < 2)
		return;
	size_t reason_len = (size_t)payload[0] | (size_t)payload[1] << 8;
	if (reason_len > REASON_MAX || reason_len > len - 2)
		return;
	memcpy(reason, payload + 2, reason_len);
	reason[reason_len] = '\0';
	Turunc__V1__InboundEvent *event = turunc__v1__inbound_event__unpack(
	    NULL, len - 2 - reason_len, payload + 2 + reason_len);
	if (event == NULL)
		return;
	on_event(arg, reason, event);
	turunc__v1__inbound_event__free_unpacked(event, NULL);
}

/* Each entry is read as if it stood alone at the beginning: none knows its offset. */
static void
read_entries(FILE *file, rejected_fn *on_event, void *arg)
{
	uint8_t *bytes = malloc(TC_ENTRY_HEAD + TC_PAYLOAD_MAX);
	struct tc_entry entry;
	long at = 0;

	while (bytes != NULL && fseek(file, at, SEEK_SET) == 0) {
		size_t got = fread(bytes, 1, TC_ENTRY_HEAD + TC_PAYLOAD_MAX, file);
		if (got < TC_ENTRY_HEAD)
			break;
		if (tc_entry_parse(bytes, got, NO_SEGMENT, NO_OFFSET, &entry)) {
			hand_out(entry.payload, entry.len, on_event, arg);
			at += TC_ENTRY_HEAD + (long)entry.len;
			continue;
		}
		const uint8_t *next = memmem(bytes + 1, got - 1, "TRN1", 4);
		at += next != NULL ? next - bytes : (long)got - 3;
	}
	free(bytes);
}

bool
turunc_store_rejected(const char *store_dir, rejected_fn *on_event, void *arg)
{
	const char *const names[] = { old_name, file_name };
	int dir_fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = dir_fd != -1;

	for (size_t i = 0; ok && i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = openat(dir_fd, names[i], O_RDONLY | O_CLOEXEC);
		FILE *file = fd == -1 ? NULL : fdopen(fd, "r");
		if (file == NULL) {
			ok = fd == -1 && errno == ENOENT;
			if (fd != -1)
				close(fd);
			continue;
		}
		read_entries(file, on_event, arg);
		fclose(file);
	}
	if (dir_fd != -1)
		close(dir_fd);
	return ok;
}
