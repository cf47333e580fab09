/* web_files - the files the binary carries: the pages of web/ and the projection's function. */
#ifndef METRICS_WEB_FILES_H
#define METRICS_WEB_FILES_H

extern const unsigned char web_index_html[], web_index_html_end[];
extern const unsigned char web_board_css[], web_board_css_end[];
extern const unsigned char web_board_js[], web_board_js_end[];
extern const unsigned char web_panels_css[], web_panels_css_end[];
extern const unsigned char web_dom_js[], web_dom_js_end[];
extern const unsigned char web_alarms_js[], web_alarms_js_end[];
extern const unsigned char web_tables_css[], web_tables_css_end[];
extern const unsigned char web_history_js[], web_history_js_end[];
extern const unsigned char web_words_js[], web_words_js_end[];
extern const unsigned char web_satisfaction_css[], web_satisfaction_css_end[];
extern const unsigned char web_report_css[], web_report_css_end[];
extern const unsigned char web_charts_js[], web_charts_js_end[];
extern const unsigned char web_icon_svg[], web_icon_svg_end[];
/* Ended with a NUL. */
extern const char live_lua[], live_lua_end[];

#endif
