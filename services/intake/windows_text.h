/* windows_text - what the bytes of the two sets mean that Turkish mails and lists are written in.
 */
#ifndef INTAKE_WINDOWS_TEXT_H
#define INTAKE_WINDOWS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Of windows-1254 (Turkish) or windows-1252.  0: the set has nothing there, or it is NUL. */
int32_t windows_text_code(unsigned char byte, bool is_turkish);
/* Is it one of the letters in which they differ: Ğ İ Ş ğ ı ş? */
bool windows_text_is_turkish(unsigned char byte);

#endif
