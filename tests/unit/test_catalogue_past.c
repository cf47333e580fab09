/* Configurations that were in force once: what is refused nowadays is left out, and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "check.h"

/* deploy/config/muratpasa, read once; this file is tests/unit/X.c. */
static const struct bundle *
real_files(void)
{
	static struct bundle bundle;
	char folder[1024], why[200] = "";

	if (bundle.count > 0)
		return &bundle;
	(void)snprintf(folder, sizeof(folder), "%s", __FILE__);
	char *tail = strstr(folder, "tests/unit/");
	if (!CHECK(tail != NULL))
		exit(1);
	(void)snprintf(tail, sizeof(folder) - (size_t)(tail - folder), "deploy/config/muratpasa");
	bundle_init(&bundle);
	CHECK_TRUE(folder, bundle_read_folder(&bundle, folder, why, sizeof(why)));
	return &bundle;
}

/* The real one with one file replaced; text NULL: left out; an unknown name: added. */
static struct catalogue *
parse_with(const char *file, const char *text, size_t len, struct catalogue_report *report)
{
	const struct bundle *real = real_files();
	bool replaced = false;
	struct bundle bundle;
	const char *why = "";

	bundle_init(&bundle);
	for (size_t i = 0; i < real->count; i++) {
		const struct bundle_file *f = &real->files[i];
		bool this_one = strcmp(f->name, file) == 0;
		replaced = replaced || this_one;
		if (!this_one)
			CHECK_TRUE(why, bundle_add(&bundle, f->name, f->data, f->size, &why));
		else if (text != NULL)
			CHECK_TRUE(why, bundle_add(&bundle, f->name, text, len, &why));
	}
	if (!replaced)
		CHECK_TRUE(why, bundle_add(&bundle, file, text, len, &why));
	struct catalogue *cat = catalogue_parse_past(&bundle, report);
	bundle_finish(&bundle);
	return cat;
}

/* What the reports of months ask. */
static void
ask(const char *what, const struct catalogue *cat)
{
	if (!CHECK_TRUE(what, cat != NULL))
		return;
	CHECK_TRUE(what, cat->municipality.name != NULL && cat->municipality.phone != NULL);
	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		CHECK_TRUE(
		    what, catalogue_neighbourhood(cat, cat->neighbourhoods[i].code)->name != NULL);
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
		enum catalogue_language language = (enum catalogue_language)l;
		for (size_t i = 0; i < cat->department_count; i++)
			CHECK_TRUE(
			    what, catalogue_say(&cat->departments[i].name, language) != NULL);
		for (size_t i = 0; i < cat->subject_count; i++)
			CHECK_TRUE(what, catalogue_say(&cat->subjects[i].name, language) != NULL);
	}
	CHECK_TRUE(what, catalogue_is_special(cat, "never-heard-of"));
	CHECK(catalogue_department(cat, "never-heard-of") == NULL);
}

TEST(test_a_row_that_is_refused_is_left_out)
{
	static const char rows[] = "code,name,population,latitude,longitude,aliases\n"
				   "balbey,Balbey,988,36.8898,30.7052,\n"
				   "\xc3\xbc\xc3\xa7,\xc3\x9c\xc3\xa7,30,36.89,30.7,\n";
	static struct catalogue_report report;
	struct catalogue *cat = parse_with("neighbourhoods.csv", rows, sizeof(rows) - 1, &report);

	ask("a bad row", cat);
	if (cat != NULL && CHECK_U64("the other one", cat->neighbourhood_count, 1))
		CHECK_I64("its people", catalogue_neighbourhood(cat, "balbey")->population, 988);
	CHECK_TRUE("told", report.errors > 0);
	catalogue_destroy(cat);
}

TEST(test_a_file_that_nobody_knows_is_left_out)
{
	static struct catalogue_report report;
	struct catalogue *cat = parse_with("once_allowed.csv", "x", 1, &report);

	ask("a stranger", cat);
	CHECK_TRUE("all of the rest", cat != NULL && cat->neighbourhood_count > 10);
	CHECK_TRUE("told", report.errors > 0);
	catalogue_destroy(cat);
}

TEST_WITHIN(test_any_file_missing_or_cut_off, 150)
{
	const struct bundle *real = real_files();
	static struct catalogue_report report;

	for (size_t i = 0; i < real->count; i++) {
		const struct bundle_file *f = &real->files[i];
		struct catalogue *cat = parse_with(f->name, NULL, 0, &report);
		ask(f->name, cat);
		catalogue_destroy(cat);
		for (size_t part = 1; part < 4; part++) {
			cat = parse_with(f->name, f->data, f->size * part / 4, &report);
			ask(f->name, cat);
			catalogue_destroy(cat);
		}
	}
}
