/* board_words - what the board calls its figures, targets and alarms, on pages without scripts. */
#ifndef METRICS_BOARD_WORDS_H
#define METRICS_BOARD_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alarm_rules.h"
#include "catalogue.h"
#include "history.h"
#include "targets.h"

enum { BOARD_TEXT_BYTES = 64, BOARD_PLACE_BYTES = 600 };

const char *board_alarm_word(enum alarm_kind kind, enum catalogue_language language);
const char *board_target_word(enum target_state state, enum catalogue_language language);
const char *board_value_word(enum history_value value, enum catalogue_language language);
const char *board_span_word(enum history_span span, enum catalogue_language language);
/* "opened", "call": a status or channel by its figure's name; the name itself when it is neither.
 */
const char *board_name_word(const char *name, enum catalogue_language language);

/* "12.345", "12,345". */
void board_number(int64_t n, enum catalogue_language language, char out[BOARD_TEXT_BYTES]);
/* Tenths of a percent: "%78,4", "78.4%". */
void board_percent(int64_t tenths, enum catalogue_language language, char out[BOARD_TEXT_BYTES]);
/* "2 dk 5 sn": seconds, then the two greatest units. */
void board_span(int64_t seconds, enum catalogue_language language, char out[BOARD_TEXT_BYTES]);
/* "neighbourhood/subject" in words; a code that the catalogue has no more stays one.  False: it is
 * of no place. */
MUST_CHECK bool board_place(const struct catalogue *catalogue, const char *about,
    enum catalogue_language language, char out[BOARD_PLACE_BYTES]);
/* An alarm's value, as its kind counts. */
void board_alarm_value(enum alarm_kind kind, int64_t value, enum catalogue_language language,
    char out[BOARD_TEXT_BYTES]);

#endif
