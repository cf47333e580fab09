/* cimer_words - what was wrong with a file or a row, for those who put it there. */
#ifndef INTAKE_CIMER_WORDS_H
#define INTAKE_CIMER_WORDS_H

#include "cimer_sheet.h"
#include "table.h"

struct cimer_words {
	const char *tr;
	const char *en;
};

struct cimer_words cimer_words_of_table(enum table_problem problem);
/* Of a workbook whose reader came to no end. */
struct cimer_words cimer_words_of_crash(void);
struct cimer_words cimer_words_of_fault(enum cimer_fault fault);
struct cimer_words cimer_words_of_row(enum cimer_error error);
/* The field, as Turkish speakers call it. */
struct cimer_words cimer_words_of_field(enum cimer_field field);

#endif
