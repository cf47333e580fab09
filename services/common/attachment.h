/*
 * attachment - the folder of cleaned photos, and the links by which they are shown.
 *
 * A file's name is its content's: SHA-256 of a salt of 16 random bytes and the bytes themselves
 * (digest.h's hexadecimal, in one of 256 folders).  The salt stands in the record's row alone, so
 * that no two rows share a file, a name tells nobody that a known picture was sent, and erasing a
 * row and its file needs no counting.  A file is whole and durable before it has its name, and is
 * never changed.  What has a name and no row is an orphan: its writer was cut off before the
 * COMMIT, or the row was erased where this folder is not.
 *
 * Links carry the name and the end of their life under a key that lies in the folder: every program
 * that shows photos makes and checks them alike.  They open to whoever has them: make one only for
 * who may see the photo, and for a short time.
 *
 * Every call blocks for as long as the disk does.
 */
#ifndef TURUNC_ATTACHMENT_H
#define TURUNC_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "digest.h"
#include "failpoint.h"
#include "photo.h"

struct http_request;
struct attachments;

enum {
	ATTACHMENT_SALT_BYTES = 16,
	ATTACHMENT_FOLDERS = 256,
	ATTACHMENT_LINK_SIZE = 100, /* "/photo/" and the token */
};

struct attachment {
	struct digest digest; /* its name */
	uint8_t salt[ATTACHMENT_SALT_BYTES];
	enum photo_type type;
	uint32_t bytes;
	uint32_t width, height; /* as it is shown */
};

struct attachments_options {
	const char *folder;
	uint64_t max_bytes; /* of all files; 0: this program only reads */
	uint64_t draft_bytes; /* of all files when a draft is taken: the rest is for photos; 0: as
				 max_bytes */
	bool guest; /* it writes, but the folder, its key and its drafts are another's to look after
		     */
	enum failpoint_step step; /* of a store */
};

/* Who writes makes the folders and the key, counts what is there, and removes drafts that were
 * left.  NULL: complaint says why. */
struct attachments *attachments_open(
    const struct attachments_options *options, char *complaint, size_t size);
/* Accepts NULL. */
void attachments_close(struct attachments *a);
uint64_t attachments_bytes(const struct attachments *a);
uint64_t attachments_count(const struct attachments *a);

enum attachments_result {
	ATTACHMENT_STORED, /* durable under its name */
	ATTACHMENT_FULL, /* max_bytes, or the disk */
	ATTACHMENT_FAILED, /* errno */
};
/* Not stored: nothing is left of it. */
MUST_CHECK enum attachments_result attachments_store(
    struct attachments *a, const struct photo *photo, struct attachment *ret);
/* True: there is no such file any more. */
bool attachments_remove(struct attachments *a, const struct digest *digest);

/* The whole file, the caller's to free(); false: there is none, or memory ran out. */
MUST_CHECK bool attachments_read(
    struct attachments *a, const struct digest *digest, uint8_t **ret_data, size_t *ret_len);

/* To be read, and closed by the caller; -1: there is none. */
MUST_CHECK int attachments_open_file(struct attachments *a, const struct digest *digest);

/* The names in one of ATTACHMENT_FOLDERS folders that were written before that second: the first
 * max behind `after` (NULL: from the first), in their order.  Fewer than max: there are no more. */
size_t attachments_list_old(struct attachments *a, unsigned folder, int64_t before_s,
    const struct digest *after, struct digest ret[], size_t max);

/* --- links ------------------------------------------------------------------------------------
 */

/* "/photo/…", good until then; false: the key is not there yet. */
MUST_CHECK bool attachments_link(struct attachments *a, const struct digest *digest,
    int64_t until_us, char ret_link[ATTACHMENT_LINK_SIZE]);
/* Of a link without "/photo/".  False: not one of ours, or over. */
MUST_CHECK bool attachments_link_read(
    struct attachments *a, const char *token, int64_t now_us, struct digest *ret_digest);
/* Answers a request for such a link: the photo, or 404. */
void attachments_serve(
    struct attachments *a, struct http_request *req, const char *token, int64_t now_us);

#endif
