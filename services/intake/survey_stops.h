/*
 * survey_stops - what was said by the links that end surveys while the record was away, on disk
 * until the record has it.
 *
 * Wishes stand in the order they came; of one message only its last counts, and takes the place at
 * the end.  One file that is replaced at every change; keeping and taking off block for as long as
 * the disk does.  A wish names a message, and nothing of a person.
 */
#ifndef INTAKE_SURVEY_STOPS_H
#define INTAKE_SURVEY_STOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "uuid.h"

enum { SURVEY_STOPS_MAX = 2000 };

struct survey_wish {
	struct uuid message;
	bool again; /* wants to be asked again */
	int64_t at_us;
};

struct survey_stops;

/* An absent file is an empty one.  NULL: why says it; a damaged file is such a reason. */
MUST_CHECK struct survey_stops *survey_stops_open(const char *path, char *why, size_t why_size);
void survey_stops_close(struct survey_stops *s); /* takes NULL */

/* True: it is durable.  False: it is not, for so many wait already or the disk did not take it. */
MUST_CHECK bool survey_stops_keep(struct survey_stops *s, const struct survey_wish *wish);

size_t survey_stops_count(const struct survey_stops *s);
/* The oldest; NULL: none.  Lent until the next change. */
const struct survey_wish *survey_stops_first(const struct survey_stops *s);
/* What was said last of this message; NULL: nothing that waits.  Lent likewise. */
const struct survey_wish *survey_stops_find(
    const struct survey_stops *s, const struct uuid *message);

/* The record has it.  Stays when another wish of that message came meanwhile.  False: the disk did
 * not take that, and it is to be brought again, which changes nothing. */
MUST_CHECK bool survey_stops_done(struct survey_stops *s, const struct survey_wish *wish);

#endif
