/*
 * cimer_report - what stands beside a file of applications that was dealt with.
 *
 * UTF-8 with its mark and ';', as spreadsheets in Turkish open it.  References, lines and numbers
 * of tickets; nothing of what a person said.
 */
#ifndef INTAKE_CIMER_REPORT_H
#define INTAKE_CIMER_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cimer_sheet.h"
#include "cimer_words.h"

enum cimer_as {
	CIMER_AS_OPENED,
	CIMER_AS_KNOWN, /* the reference has a ticket, with the same content */
	CIMER_AS_DIFFERENT, /* with other content, which was not taken */
	CIMER_AS_COUNT
};

struct cimer_outcome {
	int line;
	const char *reference;
	int64_t ticket_id;
	enum cimer_as as;
};

/* The caller's to free(); NULL: out of memory. */
char *cimer_report_tickets(const struct cimer_outcome *outcomes, size_t count, size_t *ret_len);
/* words of the file as a whole (field may be NULL, line 0), then the sheet's rows (NULL: none). */
char *cimer_report_errors(const struct cimer_sheet *sheet, struct cimer_words words,
    const struct cimer_words *field, int line, size_t *ret_len);

#endif
