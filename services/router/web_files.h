/* The desk's files, part of the program (web_files.c). */
#ifndef ROUTER_WEB_FILES_H
#define ROUTER_WEB_FILES_H

extern const char web_desk_css[], web_desk_css_end[];
extern const char web_desk_js[], web_desk_js_end[];
extern const char web_icon_svg[], web_icon_svg_end[];

#endif
