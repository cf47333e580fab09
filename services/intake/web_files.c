/* Puts the files of web/ into the binary; the assembler finds them by the include path. */
#include "web_files.h"

#define CARRY(symbol, file)                                                     \
	__asm__(".section .rodata\n"                                            \
		".global " #symbol "\n" #symbol ":\n.incbin \"web/" file "\"\n" \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n")

CARRY(web_index_html, "index.html");
CARRY(web_intake_css, "intake.css");
CARRY(web_report_js, "report.js");
CARRY(web_map_js, "map.js");
CARRY(web_call_js, "call.js");
CARRY(web_call_css, "call.css");
