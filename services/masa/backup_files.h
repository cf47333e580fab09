/* backup_files - the attachments' folder, copied while services write and remove files in it. */
#ifndef MASA_BACKUP_FILES_H
#define MASA_BACKUP_FILES_H

#include <time.h>

#include "masa.h"

/* What was seen at the last pass, so that the next looks only where something came. */
struct backup_files {
	const char *from;
	const char *to; /* made when it is not there */
	struct timespec changed[256];
};

/* The folder of this system's attachments; NULL: none can be found. */
const char *backup_files_folder(char *buffer, size_t size);

/* Copies every file that is not there yet.  A file never changes once it has its name, and one that
 * goes meanwhile was erased.  A system that never took a photo may lack the folder where it stands
 * by itself; one that was named must be there. */
MUST_CHECK enum exit_code backup_files_pass(struct backup_files *b);

#endif
