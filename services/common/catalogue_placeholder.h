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
	EVENTS
};
struct template_event_word {
	const char *word;
	bool required; /* each municipality has words for it; else nobody is told without them */
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

enum { PLACEHOLDERS = 14 };
extern const struct placeholder placeholders[PLACEHOLDERS];

/* Of each placeholder's longest value: septets, and whether a character is in no SMS table. */
struct placeholder_lengths {
	size_t of[PLACEHOLDERS];
	bool ucs2[PLACEHOLDERS];
};

struct placeholder_lengths placeholder_longest(
    const struct catalogue *cat, enum catalogue_language language);

/* Septets that the text takes with the Turkish tables, once typographic characters are folded;
 * *ret_ucs2 becomes true when a character is in no table. */
size_t sms_length(const char *text, size_t len, bool *ret_ucs2);

#endif
