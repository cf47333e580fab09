/*
 * report_page - the pages on which a citizen makes a report.
 */
#ifndef INTAKE_REPORT_PAGE_H
#define INTAKE_REPORT_PAGE_H

#include <stdint.h>

#include "catalogue.h"
#include "problems.h"
#include "report.h"

struct html;

/* Every subject, by group; complaint may be NULL. */
void report_page_subjects(struct html *h, const struct catalogue *cat, const char *complaint);

/*
 * The questions of one subject, with what was filled in before (form, may be empty) and what is
 * wrong with it (p->count 0: nothing).
 */
void report_page_form(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, const struct report_form *form,
    const struct problems *p, const char *token);

/* The subject's own questions as fields of a form. */
void report_page_questions(
    struct html *h, const struct catalogue_subject *subject, const struct report_form *form);

/* What was received, and under which number. */
void report_page_receipt(struct html *h, const struct catalogue *cat,
    const struct catalogue_subject *subject, int64_t ticket_id, int64_t at_us);

#endif
