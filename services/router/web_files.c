/* Puts the files of web/ into the binary; the assembler finds them by the include path. */
#include "web_files.h"

#define CARRY(symbol, file)                                                     \
	__asm__(".section .rodata\n"                                            \
		".global " #symbol "\n" #symbol ":\n.incbin \"web/" file "\"\n" \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n")

CARRY(web_desk_css, "desk.css");
CARRY(web_desk_js, "desk.js");
CARRY(web_icon_svg, "icon.svg");
