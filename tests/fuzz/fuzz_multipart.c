/* A body of multipart/form-data: names and values are text, and all of it lies within the body. The
 * input is the type, a NUL, the body. */
#include "fuzz.h"
#include "http_multipart.h"
#include "utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *type = take_text(&in);
	char *body = copy_text(in.at, in.left);
	const char *end = body + in.left;
	struct http_pairs pairs;
	struct http_files files;

	if (http_multipart_parse(body, in.left, type, &pairs, &files) == HTTP_PAIRS_OK) {
		HOLDS(pairs.count <= HTTP_PAIRS_MAX && files.count <= HTTP_FILES_MAX);
		for (size_t i = 0; i < pairs.count; i++) {
			const struct http_pair *p = &pairs.at[i];
			HOLDS(p->name >= body && p->value > p->name && p->value <= end);
			HOLDS(p->name[0] != '\0' && utf8_valid(p->name, strlen(p->name)));
			HOLDS(p->value + strlen(p->value) <= end);
			HOLDS(utf8_valid(p->value, strlen(p->value)));
		}
		for (size_t i = 0; i < files.count; i++) {
			const struct http_file *f = &files.at[i];
			HOLDS(
			    (const char *)f->data >= body && (const char *)f->data + f->len <= end);
			HOLDS(utf8_valid(f->name, strlen(f->name)));
		}
	}
	http_pairs_finish(&pairs);
	free(body);
	free(type);
	return 0;
}
