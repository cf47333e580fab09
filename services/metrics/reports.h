/*
 * reports - the months' reports over HTTP.
 *
 *	/reports/			which months there are
 *	/reports/YYYY-MM		the report as a page, which is also how it is printed
 *	/reports/YYYY-MM.json .csv .xlsx	the same figures as files; the JSON is the canonical
 *					form, byte for byte what "masa report" prints for the same
 *					record
 *	/reports/YYYY-MM/press		the press sheet, in Turkish; press.txt for copying
 *	/reports/files/...		what the pages are drawn with
 *
 * Shown to whom the board is shown: the figures name subjects of special categories and small
 *counts, which must not leave the house; the press sheet and open data do without both.  Each
 *question sees one moment of the record; so many are under way at most, the rest hear 503, and so
 *does everybody while the log is being counted anew.
 */
#ifndef METRICS_REPORTS_H
#define METRICS_REPORTS_H

#include <stdbool.h>

#include "base.h"

struct board;
struct db;
struct http;
struct reports;
struct stats;

struct reports_options {
	struct db *db;
	struct board *board;
	const char *scratch; /* a folder for the temporary files of workbooks */
};

/* All are lent.  NULL: no memory.  Destroy takes NULL; close db and http before. */
struct reports *reports_create(const struct reports_options *options);
void reports_destroy(struct reports *r);
/* False: no room for another table of routes. */
MUST_CHECK bool reports_add_routes(struct reports *r, struct http *http);
/* turunc_metrics_reports_*.  Lent. */
const struct stats *reports_stats(const struct reports *r);

#endif
