/*
 * demo_people - the invented people of a demonstration: who they are, how they are reached, what
 * they say and how they will judge the outcome.
 *
 * Plainly synthetic: names put together by chance, telephone numbers of 0505 000, mail at
 * example.com, and every text says of itself that it is played.  Pure, but for memory.
 */
#ifndef MASA_DEMO_PEOPLE_H
#define MASA_DEMO_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "demo_plan.h"
#include "demo_random.h"

struct catalogue;
struct catalogue_question;
struct catalogue_subject;

struct demo_person {
	char name[64];
	char phone[20]; /* "+905050001234"; "": gave none */
	char email[64];
	bool answers_by_sms; /* when they are asked by SMS; the number is then nobody else's */
	const struct catalogue_subject *subject; /* NULL: the kind of contact names none */
	const struct catalogue_neighbourhood *neighbourhood;
};

struct demo_people {
	struct demo_person *at; /* by the contact's number */
	size_t count;
	double *subject_weights, *neighbourhood_weights;
};

/* False: no memory. */
MUST_CHECK bool demo_people_make(struct demo_people *ret_people, const struct demo_plan *plan,
    const struct catalogue *cat, uint64_t seed);
void demo_people_finish(struct demo_people *people);

/* What they say; ends with the mark that demo_text_contact() finds again. */
void demo_text(
    const struct demo_person *p, uint32_t contact, struct demo_random *r, char *out, size_t size);
/* The contact's number in such a text; false: it is none of ours. */
MUST_CHECK bool demo_text_contact(const char *text, uint32_t *ret_contact);
void demo_address(const struct demo_person *p, struct demo_random *r, char *out, size_t size);
/* An answer that the question's type allows, as forms send it. */
void demo_form_answer(const struct catalogue_question *q, int64_t now_us, struct demo_random *r,
    char *out, size_t size);

#endif
