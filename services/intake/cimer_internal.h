/* cimer_internal - what reading files of applications and committing them share. */
#ifndef INTAKE_CIMER_INTERNAL_H
#define INTAKE_CIMER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base.h"
#include "catalogue.h"
#include "cimer_folder.h"
#include "cimer_report.h"
#include "cimer_sheet.h"
#include "table.h"

struct intake;
struct workbook_reader;

enum cimer_state {
	CIMER_IDLE,
	CIMER_READING,
	CIMER_HEARING, /* the rows of a workbook, from the process that reads it */
	CIMER_ASKING, /* the record, which references it has */
	CIMER_LEASING, /* numbers for the others */
	CIMER_WRITING,
};

/* Numbers that were leased and of which none from first on stands in the record. */
struct cimer_numbers {
	int year;
	int64_t first;
	int64_t count;
};

struct cimer {
	struct intake *in;
	struct cimer_folder *folder;
	unsigned dependency;
	bool stopped;
	char unreadable[CIMER_NAME_BYTES]; /* the file that was told of last */
	uint64_t look_ms; /* when to look again */
	uint64_t clear_ms;
	enum cimer_state state;
	struct cimer_numbers numbers;
	/* the file in hand */
	char name[CIMER_NAME_BYTES];
	struct stat file;
	int fd;
	size_t separator; /* of those tried */
	struct table *table; /* of a text */
	struct workbook_reader *workbook; /* of a workbook */
	struct cimer_sheet *sheet;
	const struct catalogue *cat; /* what the sheet lends from */
	char digest[sizeof(((struct catalogue *)NULL)->digest)]; /* cat's */
	int64_t unknown_count; /* of its applications the record has not yet */
};

/* --- cimer_commit.c --- */

/* Writes the sheet's applications, all or none, and puts the file away, or has it wait. */
void cimer_commit(struct cimer *c);

/* --- cimer.c: how a file ends --- */

/* It stays where it is, and is read again from its beginning: soon, as something passes. */
void cimer_wait_again(struct cimer *c, const char *why);
/* ... later and later, as it may be the file's own fault. */
void cimer_fail_again(struct cimer *c, const char *why);
/* False: the report could not be made, or the file not be moved; it waits then.  Takes report. */
MUST_CHECK bool cimer_put_away(
    struct cimer *c, enum cimer_place place, char *report, size_t report_len);
/* field may be NULL, line 0. */
void cimer_reject(
    struct cimer *c, struct cimer_words words, const struct cimer_words *field, int line);
void cimer_drop_file(struct cimer *c);

#endif
