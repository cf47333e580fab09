/* Puts the files of web/ into the binary; the assembler finds them by the include path. */
#include "web_files.h"

#include "carry.h"

CARRY(web_index_html, "web/index.html");
CARRY(web_intake_css, "web/intake.css");
CARRY(web_report_js, "web/report.js");
CARRY(web_map_js, "web/map.js");
CARRY(web_call_js, "web/call.js");
CARRY(web_call_css, "web/call.css");
