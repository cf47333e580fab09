/*
 * person - whom a phone number, an e-mail address or a ticket speaks of, and what is held of them.
 *
 * A phone or a mailbox is taken at its word: the contacts that gave exactly this.  A ticket means
 * whoever opened it: all contacts with the same key, or that one alone when it gave none.  Other
 * addresses that the contacts found also gave are named (also_known_as) and not followed: a phone
 * may be a family's or a muhtar's.
 */
#ifndef MASA_PERSON_H
#define MASA_PERSON_H

#include "masa.h"

struct person {
	char *contacts; /* ids as a PostgreSQL array, owned */
	char *opened; /* tickets they opened, the same */
	char *calls; /* calls they made, the same */
	char *numbers; /* phones they are known by, the same */
	int call_count;
	int contact_count;
	int live_count; /* of the tickets opened, those not ended yet */
};

/* MASA_NOT_FOUND: nothing is held. */
MUST_CHECK enum exit_code person_find(struct masa *m, const char *given, struct person *ret_person);
void person_finish(struct person *p);
/* How many of their contacts are not erased; 0 is no failure. */
MUST_CHECK enum exit_code person_contacts_left(struct masa *m, const char *given, int *ret_count);

/* {name: [rows]} of everything held. */
MUST_CHECK enum exit_code person_export(
    struct masa *m, const struct person *p, json_t **ret_document);
/* Only how much there is, and where else the person is mentioned. */
MUST_CHECK enum exit_code person_summary(
    struct masa *m, const struct person *p, json_t **ret_summary);

/* Does a text hold a name, phone or address of theirs? */
MUST_CHECK enum exit_code person_is_named(
    struct masa *m, const struct person *p, const char *text, bool *ret_named);

#endif
