/* Filters: what is fit to be one, what rights cover, which records match. */
#include "filter.h"

#include <string.h>

#include "base.h"
#include "check.h"

static char *
texts(const char *text)
{
	char *lent;

	memcpy(&lent, &text, sizeof(lent));
	return lent;
}

static const char *const rights_types[] = { "ticket.*", "survey.answered" };
static const char *const rights_departments[] = { "park", "temizlik" };
static const char *const all[] = { "*" };

static const struct acl_client some = { .types = { rights_types, 2 },
	.departments = { rights_departments, 2 } };
static const struct acl_client everything = { .types = { all, 1 }, .departments = { all, 1 } };
static const struct acl_client nothing = { 0 };

static const struct {
	const char *name;
	const char *type, *department; /* NULL: the list is empty */
	bool fit, some, everything, nothing;
} filters[] = {
	{ "empty names nothing", NULL, NULL, true, true, true, true },
	{ "an allowed type", "ticket.routed", NULL, true, true, true, false },
	{ "a prefix that is allowed", "ticket.*", NULL, true, true, true, false },
	{ "a prefix wider than allowed", "tick*", NULL, true, false, true, false },
	{ "every type", "*", NULL, true, false, true, false },
	{ "another type", "call.ended", NULL, true, false, true, false },
	{ "an allowed department", NULL, "park", true, true, true, false },
	{ "another department", NULL, "saglik", true, false, true, false },
	{ "every department", NULL, "*", true, false, true, false },
	{ "both", "ticket.opened", "temizlik", true, true, true, false },
	{ "one of two", "ticket.opened", "saglik", true, false, true, false },
	{ "empty type", "", NULL, false, false, false, false },
	{ "empty department", NULL, "", false, false, false, false },
	{ "a star inside", "tick*et", NULL, false, false, false, false },
	{ "two stars", "ticket.**", NULL, false, false, false, false },
	{ "a prefix of departments", NULL, "par*", false, false, false, false },
};

TEST(test_filter_coverage)
{
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		char *type = texts(filters[i].type), *department = texts(filters[i].department);
		size_t types = type != NULL, departments = department != NULL;
		const char *fault = filter_fault(&type, types, &department, departments);
		struct filter f;

		CHECK_TRUE(filters[i].name, (fault == NULL) == filters[i].fit);
		if (fault != NULL
		    || !CHECK(filter_init(&f, &type, types, &department, departments)))
			continue;
		CHECK_TRUE(filters[i].name, filter_covered(&f, &some) == filters[i].some);
		CHECK_TRUE(
		    filters[i].name, filter_covered(&f, &everything) == filters[i].everything);
		CHECK_TRUE(filters[i].name, filter_covered(&f, &nothing) == filters[i].nothing);
		filter_finish(&f);
	}
}

TEST(test_filter_bounds)
{
	char *many[FILTER_ITEMS_MAX + 1], long_one[FILTER_ITEM_BYTES + 2];

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = texts("a");
	CHECK_TRUE("256 types", filter_fault(many, FILTER_ITEMS_MAX, NULL, 0) == NULL);
	CHECK_TRUE("257 types", filter_fault(many, FILTER_ITEMS_MAX + 1, NULL, 0) != NULL);
	CHECK_TRUE("257 departments", filter_fault(NULL, 0, many, FILTER_ITEMS_MAX + 1) != NULL);
	memset(long_one, 'a', sizeof(long_one));
	long_one[FILTER_ITEM_BYTES + 1] = '\0';
	many[0] = long_one;
	CHECK_TRUE("129 bytes", filter_fault(many, 1, NULL, 0) != NULL);
	long_one[FILTER_ITEM_BYTES] = '\0';
	CHECK_TRUE("128 bytes", filter_fault(many, 1, NULL, 0) == NULL);
}

/* The same wish is the same filter, whatever its order. */
TEST(test_filter_order)
{
	char *types[] = { texts("ticket.routed"), texts("call.*"), texts("ticket.routed") };
	struct filter f;

	if (!CHECK(filter_init(&f, types, 3, NULL, 0)))
		return;
	CHECK_U64("no repeats", f.type_count, 2);
	CHECK_STR("sorted", f.types[0], "call.*");
	CHECK_STR("sorted", f.types[1], "ticket.routed");
	filter_finish(&f);
}

static const struct {
	const char *name;
	const char *types, *departments; /* of the filter; "" lists are filled by the rights */
	const struct acl_client *rights;
	const char *type, *department, *previous;
	bool match;
} records[] = {
	{ "everything", "", "", &everything, "call.ended", "", "", true },
	{ "no department needs all", "", "", &some, "ticket.opened", "", "", false },
	{ "now in the department", "", "", &some, "ticket.routed", "park", "", true },
	{ "left the department", "", "", &some, "ticket.transferred", "saglik", "park", true },
	{ "another's", "", "", &some, "ticket.routed", "saglik", "", false },
	{ "a type that rights lack", "", "", &some, "call.ended", "park", "", false },
	{ "a type not asked for", "ticket.closed", "", &some, "ticket.routed", "park", "", false },
	{ "asked for", "ticket.routed", "", &some, "ticket.routed", "park", "", true },
	{ "a department not asked for", "", "park", &some, "ticket.routed", "temizlik", "", false },
	{ "no rights", "", "", &nothing, "ticket.routed", "park", "", false },
};

TEST(test_filter_matches)
{
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		char *type = texts(records[i].types), *department = texts(records[i].departments);
		struct filter f, effective;

		if (!CHECK(
			filter_init(&f, &type, type[0] != '\0', &department, department[0] != '\0'))
		    || !CHECK(filter_effective(&f, records[i].rights, &effective)))
			continue;
		CHECK_TRUE(records[i].name, filter_matches(&effective, records[i].type,
						records[i].department, records[i].previous)
						== records[i].match);
		filter_finish(&f);
		filter_finish(&effective);
	}
}
