/* Puts the style of the sign-in pages into the program; the assembler finds it by the include path.
 */
#include "people_files.h"

__asm__(".section .rodata\n"
	".global web_people_css\nweb_people_css:\n.incbin \"web/people.css\"\n"
	".global web_people_css_end\nweb_people_css_end:\n.byte 0\n.previous\n");
