/* acl_rows - which of the rows given to acl_replace() are fit; for acl.c only. */
#ifndef TURUNC_ACL_ROWS_H
#define TURUNC_ACL_ROWS_H

#include "acl.h"

/* Puts the fit rows into kept, which has room for all of them, and returns how many there are.
 * Those left out are added to the complaint. */
size_t acl_rows_keep_fit(const struct acl_row *rows, size_t count, const struct acl_row **kept,
    struct acl_complaint *complaint);

#endif
