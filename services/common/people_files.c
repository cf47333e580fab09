/* Puts the style of the sign-in pages into the program. */
#include "people_files.h"

#include "carry.h"

CARRY(web_people_css, "web/people.css");
