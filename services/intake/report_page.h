/*
 * report_page - the pages on which a citizen makes a report.
 */
#ifndef INTAKE_REPORT_PAGE_H
#define INTAKE_REPORT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "problems.h"
#include "report.h"

struct html;

/* Every subject by group, or those that the query's words find (all when they find none).  query
 * and complaint may be NULL. */
void report_page_subjects(
    struct html *h, const struct catalogue *cat, const char *query, const char *complaint);

/* A form: what was filled in before (may be empty) and what is wrong with it. */
struct report_page_form {
	const struct report_form *form;
	const struct problems *p; /* count 0: nothing */
	const char *photo_words; /* what is wrong with the photos; NULL: nothing */
	bool choose_again; /* photos came with it, which no form can be given back */
	unsigned photo_mb; /* how large one may be */
	const char *token;
};
/* The questions of one subject. */
void report_page_form(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, const struct report_page_form *f);
/* What helps with them where there are scripts; once, at a page's end. */
void report_page_script(struct html *h);
/* The field for photos, also of other forms. */
void report_page_photos(struct html *h, unsigned photo_mb);

/* The subject's own questions as fields of a form. */
void report_page_questions(
    struct html *h, const struct catalogue_subject *subject, const struct report_form *form);

/* What was received, and under which number. */
void report_page_receipt(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, int64_t ticket_id, int64_t at_us);

#endif
