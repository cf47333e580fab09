/* desk_words - what the desk says to the people who work there. */
#ifndef ROUTER_DESK_WORDS_H
#define ROUTER_DESK_WORDS_H

#include <stddef.h>

#include "catalogue.h"
#include "status.h"

/* Sentences of whole pages. */
enum desk_word {
	WORD_AWAY,
	WORD_SLOW,
	WORD_NO_TICKET,
	WORD_NOT_YOURS,
	WORD_NOT_A_NUMBER,
	WORD_NOTHING_TYPED,
	WORD_NOTHING_CHOSEN,
	WORD_TOO_MANY,
	WORD_DECIDED_ALREADY,
	WORD_SAY_WHY,
	WORD_NO_ALARM,
	DESK_WORDS
};
const char *desk_word(enum desk_word word, enum catalogue_language language);

/* The verb as a button: "İncelemeye al". */
const char *desk_verb(enum status_verb verb, enum catalogue_language language);
/* That it was done: "İncelemeye alındı." */
const char *desk_done(enum status_verb verb, enum catalogue_language language);

/* Why a step was refused, from its field or code; the English of the step itself, or ours in
 * Turkish. */
const char *desk_refusal(int refusal, const char *text, enum catalogue_language language);

/* Reasons that no file of the configuration lists: of triage, transfer, extend and reopen.
 * NULL after the last. */
const struct catalogue_reason *desk_reason_at(enum status_verb verb, size_t index);
/* By code, wherever it stands; the code itself when nobody knows it. */
const char *desk_reason_name(
    const struct catalogue *cat, const char *code, enum catalogue_language language);

/* What a record of the log says to staff; the type itself when it is not known. */
const char *desk_event(const char *type, enum catalogue_language language);
/* What a message to a citizen was about, by its record's type. */
const char *desk_message(const char *about, enum catalogue_language language);
/* Who did it: "Başvuran", "Kural 17", or the actor as it stands. */
void desk_actor(const char *actor, enum catalogue_language language, char *out, size_t size);

const char *desk_channel(int channel, enum catalogue_language language);
const char *desk_priority(int priority, enum catalogue_language language);
const char *desk_basis(int basis, enum catalogue_language language);
const char *desk_message_state(int state, enum catalogue_language language);

/* Names by code, the code itself when it is not known; "" stays "". */
const char *desk_department(
    const struct catalogue *cat, const char *code, enum catalogue_language language);
const char *desk_subject(
    const struct catalogue *cat, const char *code, enum catalogue_language language);
const char *desk_neighbourhood(const struct catalogue *cat, const char *code);

#endif
