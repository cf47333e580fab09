/* The configuration folder with one of its files replaced by anything. */
#include "fuzz.h"
#include "muratpasa_bundle.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalogue_report report;
	const struct bundle *real = muratpasa_bundle();
	struct input in = { data, size };
	size_t which = take_byte(&in) % real->count;
	struct bundle bundle;
	const char *why;

	bundle_init(&bundle);
	for (size_t i = 0; i < real->count; i++) {
		const struct bundle_file *f = &real->files[i];
		bool ok = i == which ? bundle_add(&bundle, f->name, in.at, in.left, &why)
				     : bundle_add(&bundle, f->name, f->data, f->size, &why);
		if (!ok) {
			bundle_finish(&bundle);
			return 0;
		}
	}
	memset(&report, 0, sizeof(report));
	struct catalogue *cat = catalogue_parse(&bundle, &report);
	HOLDS(report.kept <= CATALOGUE_PROBLEMS_MAX);
	for (size_t i = 0; i < report.kept; i++)
		HOLDS(report.problems[i].reason[0] != '\0' && report.problems[i].file[0] != '\0');
	HOLDS((cat == NULL) == (report.errors > 0));
	if (cat != NULL) {
		for (size_t i = 0; i < cat->rule_count; i++)
			HOLDS(cat->rules[i].department == NULL || cat->rules[i].department->active);
		for (size_t i = 0; i < cat->department_count; i++)
			HOLDS(cat->departments[i].calendar != NULL);
		(void)catalogue_neighbourhood_nearest(cat, 36.88, 30.7, NULL);
		(void)catalogue_neighbourhood_named(cat, "fener");
	}
	catalogue_destroy(cat);
	cat = catalogue_parse_past(&bundle, &report);
	HOLDS(cat != NULL && cat->municipality.name != NULL);
	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		HOLDS(catalogue_neighbourhood(cat, cat->neighbourhoods[i].code)->name != NULL);
	for (size_t i = 0; i < cat->subject_count; i++)
		HOLDS(catalogue_say(&cat->subjects[i].name, CATALOGUE_EN) != NULL);
	catalogue_destroy(cat);
	bundle_finish(&bundle);
	return 0;
}
