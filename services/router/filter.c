/* Compares records and rights with what a subscription asked for. */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

static const char *
list_fault(char *const *items, size_t count, const char *what_many, const char *what_bad)
{
	if (count > FILTER_ITEMS_MAX)
		return what_many;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(items[i]);
		size_t star = strcspn(items[i], "*");

		if (len == 0 || len > FILTER_ITEM_BYTES || (star != len && star != len - 1))
			return what_bad;
	}
	return NULL;
}

const char *
filter_fault(
    char *const *types, size_t type_count, char *const *departments, size_t department_count)
{
	const char *fault = list_fault(types, type_count, "types: more than 256 of them",
	    "types: empty, over 128 bytes, or a * that is not at its end");

	if (fault == NULL)
		fault = list_fault(departments, department_count,
		    "departments: more than 256 of them",
		    "departments: empty, over 128 bytes, or a * that is not alone");
	for (size_t i = 0; fault == NULL && i < department_count; i++)
		if (strchr(departments[i], '*') != NULL && departments[i][1] != '\0')
			fault = "departments: a * that is not alone";
	return fault;
}

static int
compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list_free(char **items, size_t count)
{
	for (size_t i = 0; items != NULL && i < count; i++)
		free(items[i]);
	free(items);
}

static bool
list_copy(const char *const *items, size_t count, char ***ret_items, size_t *ret_count)
{
	char **copy = calloc(count + 1, sizeof(*copy));
	size_t n = 0;

	if (copy == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(items[i]);
		if (copy[i] == NULL) {
			list_free(copy, i);
			return false;
		}
	}
	qsort(copy, count, sizeof(*copy), compare_items);
	for (size_t i = 0; i < count; i++) {
		if (n > 0 && strcmp(copy[n - 1], copy[i]) == 0)
			free(copy[i]);
		else
			copy[n++] = copy[i];
	}
	*ret_items = copy;
	*ret_count = n;
	return true;
}

static bool
init_lists(struct filter *f, const char *const *types, size_t type_count,
    const char *const *departments, size_t department_count)
{
	*f = (struct filter){ 0 };
	if (list_copy(types, type_count, &f->types, &f->type_count)
	    && list_copy(departments, department_count, &f->departments, &f->department_count))
		return true;
	filter_finish(f);
	return false;
}

bool
filter_init(struct filter *f, char *const *types, size_t type_count, char *const *departments,
    size_t department_count)
{
	return init_lists(f, (const char *const *)types, type_count,
	    (const char *const *)departments, department_count);
}

void
filter_finish(struct filter *f)
{
	list_free(f->types, f->type_count);
	list_free(f->departments, f->department_count);
	*f = (struct filter){ 0 };
}

bool
filter_covered(const struct filter *f, const struct acl_client *rights)
{
	for (size_t i = 0; i < f->type_count; i++)
		if (!acl_allows_type(rights, f->types[i]))
			return false;
	for (size_t i = 0; i < f->department_count; i++) {
		bool all = strcmp(f->departments[i], "*") == 0;
		if (all ? !acl_allows_all_departments(rights)
			: !acl_allows_department(rights, f->departments[i]))
			return false;
	}
	return true;
}

bool
filter_effective(
    const struct filter *f, const struct acl_client *rights, struct filter *ret_effective)
{
	bool own_types = f->type_count > 0, own_departments = f->department_count > 0;

	return init_lists(ret_effective,
	    own_types ? (const char *const *)f->types : rights->types.items,
	    own_types ? f->type_count : rights->types.count,
	    own_departments ? (const char *const *)f->departments : rights->departments.items,
	    own_departments ? f->department_count : rights->departments.count);
}

bool
filter_matches(const struct filter *effective, const char *type, const char *department,
    const char *previous_department)
{
	bool wanted = false;

	for (size_t i = 0; !wanted && i < effective->type_count; i++)
		wanted = acl_pattern_matches(effective->types[i], type);
	for (size_t i = 0; wanted && i < effective->department_count; i++) {
		const char *code = effective->departments[i];
		if (strcmp(code, "*") == 0 || strcmp(code, department) == 0
		    || strcmp(code, previous_department) == 0)
			return true;
	}
	return false;
}
