/*
 * files - keeps the attachments' folder to what the record knows of.
 *
 * Every few seconds the files of erased rows are removed, every hour the raw mails of machines that
 * have been kept long enough become such.  At the start and every few hours the
 * folder is gone through for orphans: files older than an age that no row and nothing in the spool
 * speaks of.  No orphan is removed while anything waits for the record; what was erased is, as a
 * row says that it was.
 */
#ifndef INTAKE_FILES_H
#define INTAKE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct files;
struct intake;

/* Opens in->attachments; asks by in->reader and in->writer.  NULL: cannot start, and the log says
 * why.  Close takes NULL; accept and the databases are gone by then. */
struct files *files_open(struct intake *in);
void files_close(struct files *f);
/* Where they are, by the settings. */
void files_folder(const struct intake *in, char *folder, size_t size);
/* ms until it wants to be called again. */
int64_t files_tick(struct files *f, uint64_t now_ms);

#endif
