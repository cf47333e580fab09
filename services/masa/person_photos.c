/* Puts the contents of photos beside what the record says of them. */
#include "person_photos.h"

#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "backup_files.h"

static json_t *
content(struct attachments *folder, const char *name)
{
	struct digest digest;
	uint8_t *data;
	size_t len;

	if (folder == NULL || name == NULL || !digest_parse(name, strlen(name), &digest)
	    || !attachments_read(folder, &digest, &data, &len))
		return json_null();
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);
	json_t *said = text == NULL ? json_null()
				    : json_string(sodium_bin2base64(
					text, size, data, len, sodium_base64_VARIANT_ORIGINAL));
	free(text);
	free(data);
	return said;
}

void
person_photos_add(json_t *document)
{
	json_t *photos = json_object_get(document, "photos"), *photo;
	char buffer[PATH_MAX], complaint[200];
	const char *path = backup_files_folder(buffer, sizeof(buffer));
	const struct attachments_options options = { .folder = path == NULL ? "" : path };
	struct attachments *folder = path == NULL
					 ? NULL
					 : attachments_open(&options, complaint, sizeof(complaint));
	size_t i;

	json_array_foreach(photos, i, photo) json_object_set_new(photo, "content_base64",
	    content(folder, json_string_value(json_object_get(photo, "file"))));
	attachments_close(folder);
}
