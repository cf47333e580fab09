/* catalogue_placeholder - what may stand in braces in a citizen's text, and how long it gets.  For
 * catalogue_*.c alone. */
#ifndef TURUNC_CATALOGUE_PLACEHOLDER_H
#define TURUNC_CATALOGUE_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "catalogue.h"

enum template_event {
	RECEIVED,
	ROUTED,
	ANSWERED,
	EXTENDED,
	RESOLVED,
	REJECTED,
	FORWARDED,
	REOPENED,
	SURVEY,
	SURVEY_REMINDER,
	SMS_STOPPED, /* somebody asked for no more SMS */
	SMS_STARTED, /* or for them again */
	EVENTS
};
struct template_event_word {
	const char *word;
	bool required; /* each municipality has words for it; else nobody is told without them */
	bool sms_only; /* it is about SMS */
	bool says_nothing; /* of a matter, so that no text of it needs to be discreet */
	bool replies; /* whoever can be answered by SMS has another text for it */
};
extern const struct template_event_word template_events[EVENTS];

enum template_channel { SMS, EMAIL, CHANNELS };
extern const char *const template_channels[CHANNELS];

#define BIT(e) (1u << (e))

struct placeholder {
	const char *word;
	unsigned allowed; /* events, as BIT() */
	unsigned required; /* events */
	bool in_sms; /* personal or long texts travel by e-mail alone */
	bool telling; /* says what the matter is: in no discreet text */
};

enum { PLACEHOLDERS = 20, PLACEHOLDER_LINK_SIZE = 600 };
extern const struct placeholder placeholders[PLACEHOLDERS];

/* What makes a text longest: of each placeholder the value of most units, and the longest of those
 * that have a character in no SMS table (NULL: none has).  Lent from the catalogue and from here.
 */
struct placeholder_values {
	const char *longest[PLACEHOLDERS];
	const char *dearest[PLACEHOLDERS];
	char link[PLACEHOLDER_LINK_SIZE], survey_link[PLACEHOLDER_LINK_SIZE];
};

/* ret_values may not be moved afterwards. */
void placeholder_longest(const struct catalogue *cat, enum catalogue_language language,
    struct placeholder_values *ret_values);

#endif
