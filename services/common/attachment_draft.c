/* Writes a file of the attachments' folder while it comes in. */
#include "attachment_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attachment_internal.h"
#include "state_file.h"
#include "write_all.h"

struct attachment_draft {
	struct attachments *a;
	int fd;
	bool failed;
	uint64_t bytes;
	uint8_t salt[ATTACHMENT_SALT_BYTES];
	struct digest_sha256 digest;
	bool durable;
	int why; /* it is not */
	struct attachment kept;
	char path[PATH_MAX];
};

struct attachment_draft *
attachment_draft_begin(struct attachments *a)
{
	struct attachment_draft *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->a = a;
	d->fd = attachments_draft_path(a, d->path) ? open(
		    d->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP)
						   : -1;
	if (d->fd == -1) {
		free(d);
		return NULL;
	}
	randombytes_buf(d->salt, sizeof(d->salt));
	digest_sha256_init(&d->digest);
	digest_sha256_add(&d->digest, d->salt, sizeof(d->salt));
	return d;
}

bool
attachment_draft_add(struct attachment_draft *d, const void *data, size_t len)
{
	uint64_t room = d->a->draft_bytes > d->a->bytes ? d->a->draft_bytes - d->a->bytes : 0;

	if (d->failed)
		return false;
	if (d->bytes + len > room || d->bytes + len > UINT32_MAX) {
		errno = ENOSPC;
		d->failed = true;
	} else if (!write_all(d->fd, data, len)) {
		d->failed = true;
	} else {
		d->bytes += len;
		digest_sha256_add(&d->digest, data, len);
	}
	return !d->failed;
}

void
attachment_draft_drop(struct attachment_draft *d)
{
	if (d == NULL)
		return;
	if (d->fd != -1)
		close(d->fd);
	if (d->path[0] != '\0')
		(void)unlink(d->path);
	free(d);
}

void
attachment_draft_settle(struct attachment_draft *d, enum failpoint_step step)
{
	char path[PATH_MAX] = "";

	d->kept = (struct attachment){ .bytes = (uint32_t)d->bytes };
	for (size_t i = 0; i < sizeof(d->kept.salt); i++)
		d->kept.salt[i] = d->salt[i];
	digest_sha256_finish(&d->digest, &d->kept.digest);
	d->durable = !d->failed && attachments_path(d->a, &d->kept.digest, path)
		     && !failpoint(step, FAILPOINT_BEFORE) && fsync(d->fd) == 0
		     && rename(d->path, path) == 0 && state_file_sync_folder_of(path)
		     && !failpoint(step, FAILPOINT_AFTER);
	d->why = errno;
	if (d->durable)
		d->path[0] = '\0';
	else if (path[0] != '\0')
		(void)unlink(path);
}

enum attachments_result
attachment_draft_end(struct attachment_draft *d, struct attachment *ret)
{
	bool durable = d->durable;
	int why = d->why;

	if (durable) {
		d->a->bytes += d->bytes;
		d->a->count++;
		*ret = d->kept;
	}
	attachment_draft_drop(d);
	errno = why;
	if (durable)
		return ATTACHMENT_STORED;
	return why == ENOSPC || why == EDQUOT ? ATTACHMENT_FULL : ATTACHMENT_FAILED;
}
