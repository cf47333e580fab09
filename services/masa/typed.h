/* typed - what somebody types at the terminal, or gives on standard input. */
#ifndef MASA_TYPED_H
#define MASA_TYPED_H

#include "masa.h"

/* A secret: the first line of standard input, or asked for twice at the terminal without showing
 * it.  MASA_USAGE, with the reason said: no terminal and not from_stdin, nothing there, two
 * different ones, or more than fits. */
MUST_CHECK enum exit_code typed_secret(bool from_stdin, char *ret_secret, size_t size);

#endif
