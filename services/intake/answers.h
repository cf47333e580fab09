/*
 * answers - what somebody answered to a subject's questions, checked and kept as JSON.
 *
 * The JSON is {"CODE": ["value", ...], ...} in the order of the questions, whatever order the
 * answers came in.
 */
#ifndef INTAKE_ANSWERS_H
#define INTAKE_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "catalogue.h"
#include "problems.h"

enum { ANSWERS_MAX = 128 };

/* Several entries of one code are the several values of one answer. */
struct answer {
	const char *code;
	const char *value;
};

/*
 * True: they fit the questions; *ret_json is the caller's to free(), NULL when nothing was
 * answered.  False: p says why.  required: questions that must be answered are missed.
 */
MUST_CHECK bool answers_check(const struct catalogue_subject *subject, const struct answer *given,
    size_t count, bool required, struct problems *p, char **ret_json);

#endif
