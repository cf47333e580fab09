/* person_photos - the photos of a person's export. */
#ifndef MASA_PERSON_PHOTOS_H
#define MASA_PERSON_PHOTOS_H

#include "masa.h"

/* Adds each photo's content to the export, as content_base64; null where the attachments' folder or
 * the file cannot be read. */
void person_photos_add(json_t *document);

#endif
