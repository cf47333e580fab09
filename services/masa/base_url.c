/* Puts the origin's address into the files that are applied. */
#include "base_url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"

#define FILE_NAME "municipality.csv"

/* What may stand in a cell without quotes, and in a message as a link. */
static bool
url_valid(const char *url)
{
	size_t len = strlen(url);
	const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : url + len;

	return *host != '\0' && *host != '/' && len <= 200 && url[len - 1] != '/'
	       && strspn(
		      url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/.-_[]")
		      == len;
}

static bool
is_local(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *host = strstr(url, "://");

	for (size_t i = 0; host != NULL && i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(hosts[i]);
		if (strncmp(host + 3, hosts[i], len) == 0 && strchr(":/", host[3 + len]) != NULL)
			return true;
	}
	return false;
}

/* The base_url in force in these files, to be freed; NULL: no memory, or they are not valid. */
static char *
read_base_url(const struct bundle *b)
{
	struct catalogue_report *report = calloc(1, sizeof(*report));
	struct catalogue *catalogue = report != NULL ? catalogue_parse(b, report) : NULL;
	char *url = catalogue != NULL ? strdup(catalogue->municipality.base_url) : NULL;

	catalogue_destroy(catalogue);
	free(report);
	return url;
}

/* A cell begins where the address begins, and the address ends where it is found. */
static bool
is_cell_of(const struct bundle_file *file, const char *found, size_t len)
{
	return found > file->data && strchr(",;\"", found[-1]) != NULL
	       && strchr("/\"\r\n", found[len]) != NULL;
}

/* The file's text with one address for the other, to be freed; NULL: no memory. */
static char *
with_other_url(const struct bundle_file *file, const char *old, const char *url, size_t *ret_size)
{
	size_t old_len = strlen(old), url_len = strlen(url), size = 0;
	/* Each occurrence is as long as the old address at least. */
	char *text = malloc((file->size / old_len + 1) * url_len + file->size + 1);
	const char *at = file->data, *found;

	if (text == NULL)
		return NULL;
	while ((found = strstr(at, old)) != NULL) {
		memcpy(text + size, at, (size_t)(found - at));
		size += (size_t)(found - at);
		bool cell = is_cell_of(file, found, old_len);
		memcpy(text + size, cell ? url : old, cell ? url_len : old_len);
		size += cell ? url_len : old_len;
		at = found + old_len;
	}
	size_t rest = file->size - (size_t)(at - file->data);
	memcpy(text + size, at, rest);
	*ret_size = size + rest;
	return text;
}

/* The same files, but for one; b is replaced on success. */
static enum exit_code
replace_file(struct bundle *b, const char *name, const char *text, size_t size)
{
	struct bundle next;
	const char *why = "";

	bundle_init(&next);
	for (size_t i = 0; i < b->count; i++) {
		const struct bundle_file *f = &b->files[i];
		bool it = strcmp(f->name, name) == 0;
		if (!bundle_add(&next, f->name, it ? text : f->data, it ? size : f->size, &why)) {
			bundle_finish(&next);
			return masa_fail(MASA_CONFIG, "%s: %s", f->name, why);
		}
	}
	bundle_finish(b);
	*b = next;
	return MASA_OK;
}

enum exit_code
base_url_put(struct bundle *b, const char *url, bool local_only)
{
	const struct bundle_file *file = bundle_find(b, FILE_NAME);
	char *old, *text;
	size_t size = 0;

	if (!url_valid(url))
		return masa_fail(MASA_USAGE,
		    "%s is not an address like https://masa.example.bel.tr, without a final /",
		    url);
	old = read_base_url(b);
	if (old == NULL || file == NULL) {
		free(old);
		return masa_fail(MASA_FAILED, "base_url cannot be read");
	}
	if (strcmp(old, url) == 0 || (local_only && !is_local(old))) {
		free(old);
		return MASA_OK;
	}
	text = with_other_url(file, old, url, &size);
	enum exit_code code = text != NULL ? replace_file(b, FILE_NAME, text, size)
					   : masa_fail(MASA_FAILED, "out of memory");
	free(text);
	free(old);
	return code;
}
