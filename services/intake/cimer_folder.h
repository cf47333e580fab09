/*
 * cimer_folder - a folder that people put files into: which of them are whole, and where they go.
 *
 * A file is taken when its size and time have stayed the same for a while and nobody has it open
 * for writing.  Names that begin with '.' or "~$" or end as unfinished downloads do are passed
 * over, and so is whatever is no plain file.  Links are not followed.
 *
 * Those who put files in are trusted with the files, and with nothing else of this machine: where
 * files go are folders of this process's own user, held open, and nothing in them is opened that
 * was not made here.  A network share is refused: no call to one has an end.
 *
 * Times are monotonic milliseconds.
 */
#ifndef INTAKE_CIMER_FOLDER_H
#define INTAKE_CIMER_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base.h"

enum {
	CIMER_NAME_BYTES = 256,
	CIMER_FILES_MAX = 256,
	CIMER_NAMES_MAX = 2000,
	CIMER_REFUSALS_MAX = 5,
	CIMER_REMAINS_MS = 14 * 86400 * 1000 /* names of lists, and what became of them */
};
enum cimer_place { CIMER_DONE, CIMER_REJECTED, CIMER_PLACES };

struct cimer_folder;

/* What was taken keeps its content in done/ for keep_ms; 0: it is emptied as it is put away.  NULL:
 * out of memory.  The folder need not be there yet. */
struct cimer_folder *cimer_folder_create(const char *path, uint64_t settle_ms, int64_t keep_ms);
void cimer_folder_destroy(struct cimer_folder *f); /* takes NULL */

/* Looks what is there; makes done/ and rejected/ if they are not.  False, with errno: it cannot. */
MUST_CHECK bool cimer_folder_look(struct cimer_folder *f, uint64_t now_ms);
/* What somebody has to mend, since the last look; NULL: nothing that errno does not say. */
const char *cimer_folder_trouble(const struct cimer_folder *f);
/* Is there a file in rejected/? */
bool cimer_folder_rejected_waits(const struct cimer_folder *f);
/* kind: as statfs(2) tells it. */
bool cimer_folder_is_remote(uint64_t kind);
size_t cimer_folder_waiting(const struct cimer_folder *f);
/* Of those that may not be opened (somebody else's, without rights for us); NULL: none. */
const char *cimer_folder_unreadable(const struct cimer_folder *f);

/*
 * Opens the file that has been whole for longest.  -1: there is none now.  ret_name is its name,
 * and ret_file what it was when it was opened.
 */
int cimer_folder_take(struct cimer_folder *f, uint64_t now_ms, char ret_name[CIMER_NAME_BYTES],
    struct stat *ret_file);
/* The file stays and is offered again then. */
void cimer_folder_wait(struct cimer_folder *f, const char *name, uint64_t until_ms);
/* How often, with this, it could not be dealt with, or was refused by the record; from the
 * beginning again when the file has changed. */
uint32_t cimer_folder_failed(struct cimer_folder *f, const char *name);
uint32_t cimer_folder_refused(struct cimer_folder *f, const char *name);
bool cimer_folder_failing(const struct cimer_folder *f); /* some file */
/* Is what was read still what the name means? */
bool cimer_folder_unchanged(
    const struct cimer_folder *f, int fd, const char *name, const struct stat *file);

/*
 * Moves the file there with the report beside it, which is durable first.  A name that is taken
 * there gets a number.  False, with errno: the file stays where it is; the report may be there
 * already.
 */
MUST_CHECK bool cimer_folder_move(struct cimer_folder *f, const char *name, enum cimer_place place,
    const char *report, size_t report_len);

/* Empties lists in done/ that were kept for long enough, also those that a crash has left, and
 * removes what remains of them after CIMER_REMAINS_MS; how many files. */
size_t cimer_folder_clear(struct cimer_folder *f, int64_t now_us);
/* Is a list left that could not be emptied? */
bool cimer_folder_to_clear(const struct cimer_folder *f);

#endif
