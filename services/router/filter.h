/*
 * filter - which records a subscription is about: types, and departments that have or had them.
 *
 * Pure.  Both lists are sorted and without repeats, so that the same wish is the same filter.  An
 * empty list asks for everything the client's rights allow; filter_effective() writes that out.
 */
#ifndef ROUTER_FILTER_H
#define ROUTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "acl.h"
#include "base.h"

enum { FILTER_ITEMS_MAX = 256, FILTER_ITEM_BYTES = 128 };

/* Zeroed is empty.  The strings are the filter's own. */
struct filter {
	char **types; /* "ticket.routed", "ticket.*", "*" */
	size_t type_count;
	char **departments; /* codes, or "*" */
	size_t department_count;
};

/* NULL: fit to be a filter.  Else what is wrong with it, a sentence for the client. */
const char *filter_fault(
    char *const *types, size_t type_count, char *const *departments, size_t department_count);

/* Copies, sorts and removes repeats.  False: out of memory, and *f is empty. */
MUST_CHECK bool filter_init(struct filter *f, char *const *types, size_t type_count,
    char *const *departments, size_t department_count);
void filter_finish(struct filter *f);

/* The rights allow everything the filter names; empty lists name nothing. */
bool filter_covered(const struct filter *f, const struct acl_client *rights);
/* The filter with empty lists filled by what the rights allow.  False: out of memory. */
MUST_CHECK bool filter_effective(
    const struct filter *f, const struct acl_client *rights, struct filter *ret_effective);

/* Of an effective filter.  "" is no department: only a filter of all departments has it. */
bool filter_matches(const struct filter *effective, const char *type, const char *department,
    const char *previous_department);

#endif
