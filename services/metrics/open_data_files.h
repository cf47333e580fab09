/*
 * open_data_files - what a month's open data are, made from its tickets step by step.
 *
 *	requests.csv, requests.json	GeoReport Bulk: a line a ticket of a public subject
 *	counts.csv, counts.json		how many, by subject and neighbourhood
 *	dictionary.csv, dictionary.json	what each field is, in Turkish and English
 *	SHA256SUMS			of all of these, as sha256sum checks them
 *
 * Nobody is to be found in them.  No subject that is not public or of a special category is there
 * at all, nor descriptions, names or addresses; positions have three decimals, as anonymous readers
 * of Open311 see them.  Where a subject has under five tickets in a neighbourhood, and wherever
 * subtraction would tell (disclosure.h), the count is left out of counts.*, and the lines of
 * requests.* lose what would tell it again: neighbourhood, position, department, the ticket's
 * number and the time of the day; they stand at the end.
 *
 * A catalogue may be replaced between two steps: the caller then begins anew.  Pure.
 */
#ifndef METRICS_OPEN_DATA_FILES_H
#define METRICS_OPEN_DATA_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "digest.h"

struct evbuffer;
struct open_data_build;

enum open_data_file {
	OPEN_DATA_REQUESTS_CSV,
	OPEN_DATA_REQUESTS_JSON,
	OPEN_DATA_COUNTS_CSV,
	OPEN_DATA_COUNTS_JSON,
	OPEN_DATA_DICTIONARY_CSV,
	OPEN_DATA_DICTIONARY_JSON,
	OPEN_DATA_SUMS,
	OPEN_DATA_FILES
};

const char *open_data_file_name(enum open_data_file file);
const char *open_data_content_type(enum open_data_file file);
/* False: no file has that name. */
MUST_CHECK bool open_data_file_named(const char *name, enum open_data_file *ret_file);

/* A ticket; what is not in the catalogue (any more) is -1. */
struct open_data_row {
	int64_t ticket_id;
	int64_t arrived_us, updated_us;
	int64_t ended_us; /* 0: it has not */
	double latitude, longitude;
	bool placed;
	uint8_t status, channel;
	int16_t subject; /* of the catalogue's, by its place there; never -1 */
	int16_t neighbourhood, department, reason;
};

struct open_data_month {
	int32_t month;
	int64_t read_us; /* when the record was read */
	size_t tickets;
	size_t coarse; /* of them: those that lost their place */
	bool withheld; /* there are too few to say anything */
	struct evbuffer *files[OPEN_DATA_FILES];
	struct digest digests[OPEN_DATA_FILES];
};

void open_data_month_finish(struct open_data_month *m);

/* Takes rows on success, which are in any order.  NULL: no memory, or more subjects and
 * neighbourhoods than disclosure.h takes. */
struct open_data_build *open_data_build_create(const struct catalogue *cat, int32_t month,
    int64_t read_us, struct open_data_row *rows, size_t count);
void open_data_build_destroy(struct open_data_build *b);

enum open_data_progress {
	OPEN_DATA_MORE,
	OPEN_DATA_WORK, /* open_data_build_work() comes next */
	OPEN_DATA_DONE,
	OPEN_DATA_FAILED
};
/* Writes so many rows more.  When done, *ret_month is the caller's. */
enum open_data_progress open_data_build_step(struct open_data_build *b, const struct catalogue *cat,
    size_t rows, struct open_data_month *ret_month);
/* What takes the processor for long: deciding what may be told, and the checksums.  It touches
 * nothing but the build, so it may run on another thread while nobody else does. */
void open_data_build_work(struct open_data_build *b);

/* --- the dictionary, for the page too --- */
struct open_data_field {
	const char *file; /* "requests" or "counts" */
	const char *name;
	const char *type; /* string, datetime, number, integer, boolean */
	const char *words[CATALOGUE_LANGUAGES];
};
extern const struct open_data_field open_data_fields[];
extern const size_t open_data_field_count;

#endif
