/* Puts the files of web/ into the binary; the assembler finds them by the include path. */
#include "web_files.h"

#include "carry.h"

CARRY(web_desk_css, "web/desk.css");
CARRY(web_desk_js, "web/desk.js");
CARRY(web_icon_svg, "web/icon.svg");
