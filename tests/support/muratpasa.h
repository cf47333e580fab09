/* muratpasa - the worked municipality as a catalogue, for tests that need a real one. */
#ifndef TESTS_MURATPASA_H
#define TESTS_MURATPASA_H

#include <stdbool.h>
#include <stddef.h>

#include "catalogue.h"

/* NULL, and a failed check, when it does not parse.  The caller destroys it. */
struct catalogue *muratpasa_load(void);
/* With one file replaced, added, or (text NULL) left out; NULL: report says what is wrong. */
struct catalogue *muratpasa_load_with(
    const char *file, const char *text, struct catalogue_report *report);
/* Its municipality.csv.  False, and a failed check: it cannot be read. */
bool muratpasa_settings(char *ret_text, size_t size);

#endif
