/* problem_words - the reason in a problem's sentence, as a citizen would be told it. */
#ifndef INTAKE_PROBLEM_WORDS_H
#define INTAKE_PROBLEM_WORDS_H

#include "catalogue.h"

/* text: one of problems.h, as the checks of fields.h, report.h, answers.h and phone.h write them.
 * NULL: none that a form of ours could bring about. */
const char *problem_words(const char *text, enum catalogue_language language);

#endif
