/* Tells the rows that are fit to be in force from those that are not. */
#include "acl_rows.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "utf8.h"

static bool
name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = name == NULL ? 0 : strnlen(name, ACL_NAME_BYTES + 1);

	return len > 0 && len <= ACL_NAME_BYTES && strspn(name, allowed) == len
	       && strchr("._-", name[0]) == NULL;
}

/* Text, and a * only as its last character. */
static bool
pattern_valid(const char *pattern)
{
	size_t len = pattern == NULL ? 0 : strnlen(pattern, ACL_PATTERN_BYTES + 1);

	if (len == 0 || len > ACL_PATTERN_BYTES || !utf8_valid(pattern, len))
		return false;
	const char *star = strchr(pattern, '*');
	return star == NULL || star[1] == '\0';
}

static bool
list_valid(const struct acl_list *list)
{
	if (list->count > ACL_PATTERNS_MAX)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!pattern_valid(list->items[i]))
			return false;
	return true;
}

/* Departments are codes or everything; there is no "all that begin with". */
static bool
departments_valid(const struct acl_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (strchr(list->items[i], '*') != NULL && strcmp(list->items[i], "*") != 0)
			return false;
	return true;
}

/* NULL when the row is fit by itself. */
static const char *
why_unfit(const struct acl_row *row)
{
	if (!name_valid(row->name))
		return "name not allowed";
	if (row->public_key == NULL && row->api_key == NULL)
		return "no key";
	if (row->public_key != NULL && !keys_text_valid(row->public_key))
		return "public key is not z85";
	if ((row->verbs & ~(unsigned)ACL_VERBS_ALL) != 0)
		return "unknown verb";
	if (!list_valid(&row->sources) || !list_valid(&row->types) || !list_valid(&row->departments)
	    || !departments_valid(&row->departments))
		return "a source, type or department is not allowed";
	if (row->personal < ACL_PERSONAL_NONE || row->personal > ACL_PERSONAL_FULL)
		return "unknown degree of personal data";
	return NULL;
}

typedef int row_order(const struct acl_row *a, const struct acl_row *b);

static int
order_by_name(const struct acl_row *a, const struct acl_row *b)
{
	return strcmp(a->name, b->name);
}

static int
order_by_key(const struct acl_row *a, const struct acl_row *b)
{
	if (a->public_key == NULL || b->public_key == NULL)
		return (a->public_key != NULL) - (b->public_key != NULL);
	return strcmp(a->public_key, b->public_key);
}

static int
order_by_api_key(const struct acl_row *a, const struct acl_row *b)
{
	if (a->api_key == NULL || b->api_key == NULL)
		return (a->api_key != NULL) - (b->api_key != NULL);
	return memcmp(a->api_key->bytes, b->api_key->bytes, DIGEST_BYTES);
}

static const struct {
	row_order *order;
	const char *why;
} uniques[] = {
	{ order_by_name, "name used twice" },
	{ order_by_key, "public key used twice" },
	{ order_by_api_key, "API key used twice" },
};

/* Equal rows stay in the order they came in, so that the first one is kept. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	row_order *const *order = arg;
	const struct acl_row *const *row_a = a, *const *row_b = b;
	int c = (*order)(*row_a, *row_b);

	return c != 0 ? c : (*row_a > *row_b) - (*row_a < *row_b);
}

static void
leave_out(struct acl_complaint *complaint, size_t row, const char *why)
{
	if (complaint->skipped++ == 0 || row < complaint->row) {
		complaint->row = row;
		complaint->reason = why;
	}
}

size_t
acl_rows_keep_fit(const struct acl_row *rows, size_t count, const struct acl_row **kept,
    struct acl_complaint *complaint)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const char *why = why_unfit(&rows[i]);
		if (why == NULL)
			kept[n++] = &rows[i];
		else
			leave_out(complaint, i, why);
	}
	for (size_t u = 0; u < ARRAY_LEN(uniques); u++) {
		row_order *order = uniques[u].order;
		size_t unique = 0;
		qsort_r(kept, n, sizeof(*kept), compare_rows, &order);
		for (size_t i = 0; i < n; i++) {
			bool keyless = order == order_by_key       ? kept[i]->public_key == NULL
				       : order == order_by_api_key ? kept[i]->api_key == NULL
								   : false;
			if (unique == 0 || keyless || order(kept[unique - 1], kept[i]) != 0)
				kept[unique++] = kept[i];
			else
				leave_out(complaint, (size_t)(kept[i] - rows), uniques[u].why);
		}
		n = unique;
	}
	return n;
}
