/* Parses deploy/config/muratpasa. */
#include "muratpasa.h"

#include <stdio.h>
#include <string.h>

#include "bundle.h"
#include "check.h"

struct catalogue *
muratpasa_load_with(const char *file, const char *text, struct catalogue_report *report)
{
	char why[200] = "";
	const char *reason = "";
	struct bundle whole, bundle;

	bundle_init(&whole);
	bundle_init(&bundle);
	if (!CHECK(bundle_read_folder(
		&whole, TURUNC_SOURCE "/deploy/config/muratpasa", why, sizeof(why))))
		return NULL;
	for (size_t i = 0; i < whole.count; i++) {
		const struct bundle_file *f = &whole.files[i];
		if (file == NULL || strcmp(f->name, file) != 0)
			CHECK(bundle_add(&bundle, f->name, f->data, f->size, &reason));
	}
	if (text != NULL)
		CHECK(bundle_add(&bundle, file, text, strlen(text), &reason));
	struct catalogue *cat = catalogue_parse(&bundle, report);
	bundle_finish(&bundle);
	bundle_finish(&whole);
	return cat;
}

struct catalogue *
muratpasa_load(void)
{
	static struct catalogue_report report;
	struct catalogue *cat = muratpasa_load_with(NULL, NULL, &report);

	CHECK(cat != NULL);
	return cat;
}

bool
muratpasa_settings(char *ret_text, size_t size)
{
	FILE *file = fopen(TURUNC_SOURCE "/deploy/config/muratpasa/municipality.csv", "r");
	size_t len = file == NULL ? 0 : fread(ret_text, 1, size - 1, file);

	if (file != NULL)
		(void)fclose(file);
	ret_text[len] = '\0';
	return CHECK(len > 0 && len < size - 1);
}
