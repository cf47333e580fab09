/* web_files - the static files of web/, carried by the binary. */
#ifndef INTAKE_WEB_FILES_H
#define INTAKE_WEB_FILES_H

extern const unsigned char web_index_html[], web_index_html_end[];
extern const unsigned char web_intake_css[], web_intake_css_end[];
extern const unsigned char web_map_js[], web_map_js_end[];
extern const unsigned char web_report_js[], web_report_js_end[];
extern const unsigned char web_call_js[], web_call_js_end[];
extern const unsigned char web_call_css[], web_call_css_end[];

#endif
