/* Parses deploy/config/muratpasa. */
#include "muratpasa.h"

#include "bundle.h"
#include "check.h"

struct catalogue *
muratpasa_load(void)
{
	static struct catalogue_report report;
	char why[200] = "";
	struct bundle bundle;

	bundle_init(&bundle);
	if (!CHECK(bundle_read_folder(
		&bundle, TURUNC_SOURCE "/deploy/config/muratpasa", why, sizeof(why))))
		return NULL;
	struct catalogue *cat = catalogue_parse(&bundle, &report);
	bundle_finish(&bundle);
	CHECK(cat != NULL);
	return cat;
}
