/*
 * terminal - the screen of whoever sits there, taken for a while and given back as it was.
 *
 * Taken, keys come at once and unseen, and the alternate screen is shown; whatever ends the
 * program by a signal gives it back first.
 */
#ifndef MASA_TERMINAL_H
#define MASA_TERMINAL_H

#include <stdbool.h>

#include "base.h"

/* Both ends are one, and it can place its cursor (TERM is not empty or "dumb"). */
bool terminal_is_there(void);
/* Colours are wanted: NO_COLOR is not set. */
bool terminal_has_colours(void);
/* Its text is UTF-8, as the environment has it. */
bool terminal_is_utf8(void);

/* False: it cannot be; nothing was changed. */
MUST_CHECK bool terminal_take(void);
void terminal_give_back(void); /* may be called when nothing is taken */

/* As it is now; what is unknown or 0 is 80 by 24. */
void terminal_size(unsigned *ret_width, unsigned *ret_height);

enum terminal_event { TERMINAL_TIME, TERMINAL_KEY, TERMINAL_RESIZED, TERMINAL_GONE };
/* Waits for a key at most so long.  GONE: it hung up, or we were told to end. */
enum terminal_event terminal_wait(int limit_ms, char *ret_key);
/* What becomes readable when terminal_wait() would not wait. */
int terminal_fd(void);

/* All of it or, when nobody takes it, less. */
void terminal_write(const char *text, unsigned long len);

#endif
