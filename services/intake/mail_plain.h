/* mail_plain - the words of a mail that is written in HTML alone.  Pure. */
#ifndef INTAKE_MAIL_PLAIN_H
#define INTAKE_MAIL_PLAIN_H

#include <stddef.h>

/* html: valid UTF-8.  Plain text with line ends where blocks end; styles, scripts, comments and
 * whatever a tag holds are gone.  To be freed; NULL: out of memory. */
char *mail_plain_text(const char *html, size_t len);

#endif
