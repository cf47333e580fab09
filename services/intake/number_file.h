/*
 * number_file - ticket numbers set aside on disk for the time without the record, and how far this
 * intake ever leased.
 *
 * Serials are taken from the disk in blocks: what a block holds is gone from the file before the
 * first of them is handed out, so a crash skips numbers and never gives one twice.  The high water
 * goes into every lease, so that a record restored from an old backup cannot lease them again.
 * year is number_year()'s.  Everything that writes blocks for as long as the disk does.
 */
#ifndef INTAKE_NUMBER_FILE_H
#define INTAKE_NUMBER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct number_file;

/* An absent file is an empty one.  NULL: why says it; a damaged file is such a reason, for its
 * numbers may have been handed out. */
MUST_CHECK struct number_file *number_file_open(const char *path, char *why, size_t why_size);
void number_file_close(struct number_file *f); /* takes NULL */

/* The first serial that was never leased here; 1 when none was. */
int64_t number_file_high_water(const struct number_file *f, int year);
/* Serials [first, first + count) were leased.  False: the disk did not keep it. */
MUST_CHECK bool number_file_note_lease(
    struct number_file *f, int year, int64_t first, int32_t count);

/* They were leased to be set aside; what was left of older ones is given up.  False: as above. */
MUST_CHECK bool number_file_set_aside(
    struct number_file *f, int year, int64_t first, int32_t count);
int64_t number_file_left(const struct number_file *f, int year);
/* Takes up to how_many, at least one: *ret_count serials from *ret_first on.  False: none are
 * left, or the disk did not keep it. */
MUST_CHECK bool number_file_take(
    struct number_file *f, int year, int32_t how_many, int64_t *ret_first, int32_t *ret_count);

#endif
