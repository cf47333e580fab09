/* muratpasa - the worked municipality as a catalogue, for tests that need a real one. */
#ifndef TESTS_MURATPASA_H
#define TESTS_MURATPASA_H

#include "catalogue.h"

/* NULL, and a failed check, when it does not parse.  The caller destroys it. */
struct catalogue *muratpasa_load(void);

#endif
