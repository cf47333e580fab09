/*
 * mail_sandbox - what is left to the process that reads mails, once it has begun to read them.
 *
 * It faces whatever anybody sends, so it is taken for one that somebody else may come to run.  It
 * keeps memory, the files it has, and reading further ones (iconv loads its tables so); no sockets,
 * no writing, no other programs or processes, nobody else's memory.
 */
#ifndef INTAKE_MAIL_SANDBOX_H
#define INTAKE_MAIL_SANDBOX_H

#include <stdbool.h>

#include "base.h"

/* Does this kernel have what it takes?  Where it does not, mail_sandbox_enter() bounds what it can.
 */
bool mail_sandbox_known(void);
/* There is no way back.  False: refused. */
MUST_CHECK bool mail_sandbox_enter(void);
/* Of the service: others of its user do not read its memory. */
void mail_sandbox_shut(void);

#endif
