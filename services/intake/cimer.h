/*
 * cimer - takes applications out of files that people put into a folder.
 *
 * One file at a time is read in small steps, and is taken as a whole: all of its rows in one
 * transaction, or none.  Then it is moved to done/ with a list of the tickets beside it, or to
 * rejected/ with what was wrong in which row.  Nothing is kept of a file that was read halfway:
 * after a crash, a lost record or an unknown outcome it is simply still there, and is read again;
 * references that the record has already are then found, not opened twice.  While the record is
 * away files wait where they are.
 */
#ifndef INTAKE_CIMER_H
#define INTAKE_CIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct cimer;
struct intake;

/* Sets in->cimer, unless the settings name no folder, and in->imports.  False: cannot start, and
 * the log says why. */
MUST_CHECK bool cimer_open(struct intake *in);
/* Takes NULL; in->imports is closed by then. */
void cimer_close(struct cimer *c);

#endif
