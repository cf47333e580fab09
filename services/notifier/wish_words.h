/* wish_words - the text that confirms that SMS stop, or come again; pure. */
#ifndef NOTIFIER_WISH_WORDS_H
#define NOTIFIER_WISH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue.h"
#include "compose.h"

struct wish_words {
	const char *languages[CATALOGUE_LANGUAGES]; /* the default one first */
	char bodies[CATALOGUE_LANGUAGES][COMPOSE_SMS_SIZE];
	size_t count; /* 0: there are no templates, and nothing is confirmed */
};
void wish_words_write(
    const struct catalogue *cat, bool stop, int64_t now_us, struct wish_words *ret_words);

#endif
