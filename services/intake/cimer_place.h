/*
 * cimer_place - a folder that files of applications are put into, and what is made in it.
 *
 * Calls take the folder held open, and names in it; they block for as long as the disk does.
 */
#ifndef INTAKE_CIMER_PLACE_H
#define INTAKE_CIMER_PLACE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

/* The caller closes it; the folder stays open and unmoved.  NULL, with errno: it cannot. */
DIR *cimer_place_list(int place_fd);

/* Makes the file, or puts it in the place of what has the name, whole and durable, and readable by
 * our group.  False, with errno: what was there is as it was. */
MUST_CHECK bool cimer_place_write(int place_fd, const char *name, const char *bytes, size_t len);

/*
 * Leaves of lists that were taken more than keep_ms ago no more than their names, of all lists when
 * that is 0, and removes what is older than keep_ms and remains_ms.  What ends in report_ending
 * says what became of a list, and is none.  ret_done is false when one could not be emptied; how
 * many files were emptied or removed.
 */
size_t cimer_place_clear(int place_fd, const char *report_ending, int64_t keep_ms,
    int64_t remains_ms, int64_t now_us, bool *ret_done);
/* One list, which is in the record. */
MUST_CHECK bool cimer_place_empty(int place_fd, const char *name);

#endif
