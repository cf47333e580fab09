/* desk_form - the parts that the desk's forms are made of. */
#ifndef ROUTER_DESK_FORM_H
#define ROUTER_DESK_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "desk_visit.h"

/* <form method="post"> to a page below /desk/, with the token that people_ask() wants; class may be
 * NULL.  The caller closes it. */
void form_begin(struct html *h, const struct visit *v, const char *path, const char *class);
/* The same for a form that files come with: its token stands in the query. */
void form_begin_files(struct html *h, const struct visit *v, const char *path, const char *class);
/* Up to three photos of at most so many bytes each. */
void form_photos(struct html *h, const char *label, uint64_t each_bytes);
/* A new id, under which a repeat of this form is known. */
void form_id(struct html *h, const struct visit *v);
void form_version(struct html *h, int64_t version);

/* A select with its label around it; options between begin and end. */
void form_select_begin(struct html *h, const char *name, const char *label);
void form_select_end(struct html *h);

/* nothing: the text of the option "". */
void form_subjects(struct html *h, const struct catalogue *cat, const char *name,
    const char *chosen, const char *nothing);
void form_neighbourhoods(struct html *h, const struct catalogue *cat, const char *name,
    const char *chosen, const char *nothing);
/* Active departments but for one; the select is called "department". */
void form_departments(
    struct html *h, const struct catalogue *cat, const char *but, const char *chosen);
/* The reasons this verb may have; the select is called "reason". */
void form_reasons(
    struct html *h, const struct catalogue *cat, enum status_verb verb, const char *chosen);
void form_institutions(struct html *h, const struct catalogue *cat, const char *chosen);
void form_priorities(struct html *h, const char *chosen);
void form_text(struct html *h, const char *label, const char *typed, bool needed);
void form_input(struct html *h, const char *name, const char *type, const char *label,
    const char *typed, bool needed);

/* What the step before this page did ("done" in the query). */
void form_notice(struct html *h, const struct visit *v);

#endif
