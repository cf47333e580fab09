/*
 * street - the street and the house number within an address as people write it.
 *
 * "Fener Mh. 1964 Sk. No: 5/3" and "1964. sokak no 5" name one house.  What comes before the
 * neighbourhood is passed over; a street is known by its word (sokak, cadde, bulvar), in whatever
 * case and spelling fold.h makes the same.
 */
#ifndef TURUNC_STREET_H
#define TURUNC_STREET_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum { STREET_NAME_SIZE = 128, STREET_NUMBER_SIZE = 12, STREET_ADDRESS_BYTES = 2048 };

struct street {
	char name[STREET_NAME_SIZE]; /* folded: "1964 sokak", "ataturk bulvar" */
	char number[STREET_NUMBER_SIZE]; /* of the house: "5"; "" when none was told */
};

/* False: it names no street, or is longer than STREET_ADDRESS_BYTES once folded. */
MUST_CHECK bool street_of_address(const char *address, struct street *ret_street);

#endif
