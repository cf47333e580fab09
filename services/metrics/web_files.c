/* Puts files into the binary; the assembler finds them by the include path. */
#include "web_files.h"

#include "carry.h"

CARRY(web_index_html, "web/index.html");
CARRY(web_board_css, "web/board.css");
CARRY(web_board_js, "web/board.js");
CARRY(web_panels_css, "web/panels.css");
CARRY(web_dom_js, "web/dom.js");
CARRY(web_alarms_js, "web/alarms.js");
CARRY(web_tables_css, "web/tables.css");
CARRY(web_history_js, "web/history.js");
CARRY(web_words_js, "web/words.js");
CARRY(web_satisfaction_css, "web/satisfaction.css");
CARRY(web_report_css, "web/report.css");
CARRY(web_charts_js, "web/charts.js");
CARRY(web_icon_svg, "web/icon.svg");
CARRY(live_lua, "live.lua");
