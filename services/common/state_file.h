/*
 * state_file - a small file that a service replaces as a whole and must be able to believe.
 *
 * The content stands behind the SHA-256 of itself.  It is written beside, made durable, and put in
 * place by its name, so that a reader finds the old or the new one.  Blocks for as long as the disk
 * does; 0600.
 */
#ifndef TURUNC_STATE_FILE_H
#define TURUNC_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { STATE_FILE_BYTES_MAX = 64 * 1024 * 1024 };

enum state_file_result {
	STATE_FILE_OK,
	STATE_FILE_ABSENT,
	STATE_FILE_DAMAGED, /* not what was written */
	STATE_FILE_FAILED, /* errno */
};
/* "absent", "damaged", or errno's words. */
const char *state_file_why(enum state_file_result result);

/* Durable when STATE_FILE_OK; else the file is as it was. */
MUST_CHECK enum state_file_result state_file_write(const char *path, const void *data, size_t len);
/* The folder's entry for a file made or renamed at path must itself survive a power cut. */
MUST_CHECK bool state_file_sync_folder_of(const char *path);

/* *ret_data is the caller's to free(). */
MUST_CHECK enum state_file_result state_file_read(
    const char *path, uint8_t **ret_data, size_t *ret_len);

#endif
