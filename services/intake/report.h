/*
 * report - an Open311 POST requests: a form, checked, and the item it becomes.
 *
 * The form's texts are lent (by the HTTP request) until the item is done.
 */
#ifndef INTAKE_REPORT_H
#define INTAKE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "answers.h"
#include "base.h"
#include "catalogue.h"
#include "digest.h"
#include "http.h"
#include "item.h"
#include "phone.h"
#include "problems.h"

enum { REPORT_PAIRS_MAX = 160, REPORT_NAME_BYTES = 2 * 4 * 200 + 2 };

struct report_form {
	const struct http_pair *pairs;
	size_t count;
};

/* The field's value; NULL when it is absent or empty, which is the same.  Given twice: the first.
 */
const char *report_field(const struct report_form *form, const char *name);

struct report {
	struct item item;
	struct phone phone;
	char name[REPORT_NAME_BYTES]; /* first and last */
	char *answers; /* owned */
	bool some_answers; /* told before reading: a question that must be answered may be missed */
};

void report_init(struct report *report, item_done_fn *done);
void report_finish(struct report *report);

/*
 * Checks all fields and fills the item; its client, source, id, identity and ticket_id are the
 * door's to fill.  False: p says what is wrong.  now_us becomes the moment of arrival.
 */
MUST_CHECK bool report_read(struct report *report, const struct report_form *form,
    const struct catalogue *cat, int64_t now_us, struct problems *p);

/* The content, in an order that does not depend on how the client wrote its form, and without the
 * API key.  pairs are sorted in place. */
void report_identify(
    struct item *item, const struct item_maker *maker, struct http_pair *pairs, size_t count);

#endif
