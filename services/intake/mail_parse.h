/*
 * mail_parse - reads a mail with GMime.
 *
 * Runs in a process of its own (mail_reader.h), which may take its time and memory only so far and
 * whose end, however it comes, costs one mail its comfort and nobody else anything.
 */
#ifndef INTAKE_MAIL_PARSE_H
#define INTAKE_MAIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "mail_letter.h"

/* Once per process. */
void mail_parse_begin(void);

/* data: the raw mail, beginning with the Return-Path that the door has put there.  False: it could
 * not be read; nothing is held. */
MUST_CHECK bool mail_parse(const char *data, size_t len, struct mail_letter *ret_letter);

#endif
