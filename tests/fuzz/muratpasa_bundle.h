/* muratpasa_bundle - the worked municipality, read once, for harnesses that need a real one. */
#ifndef TESTS_FUZZ_MURATPASA_BUNDLE_H
#define TESTS_FUZZ_MURATPASA_BUNDLE_H

#include "bundle.h"
#include "catalogue.h"
#include "fuzz.h"

static inline const struct bundle *
muratpasa_bundle(void)
{
	static struct bundle bundle;
	char why[200] = "";

	if (bundle.count == 0) {
		bundle_init(&bundle);
		HOLDS(bundle_read_folder(
		    &bundle, TURUNC_SOURCE "/deploy/config/muratpasa", why, sizeof(why)));
	}
	return &bundle;
}

static inline const struct catalogue *
muratpasa_catalogue(void)
{
	static struct catalogue *catalogue;
	static struct catalogue_report report;

	if (catalogue == NULL)
		catalogue = catalogue_parse(muratpasa_bundle(), &report);
	HOLDS(catalogue != NULL);
	return catalogue;
}

#endif
