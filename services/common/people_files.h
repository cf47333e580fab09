/* people_files - what is in services/common/web, as it is in the program. */
#ifndef TURUNC_PEOPLE_FILES_H
#define TURUNC_PEOPLE_FILES_H

extern const unsigned char web_people_css[], web_people_css_end[];

#endif
