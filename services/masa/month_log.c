/* Reads the log in pieces, each in a transaction of its own, and folds it. */
#include "month_log.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"

enum { RECORDS_A_READ = 5000 };

static int64_t
get_int8(const PGresult *result, int row, int column)
{
	uint64_t value;

	memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
	return (int64_t)be64toh(value);
}

/* Binary both ways, since it may be the whole log. */
static enum exit_code
ask(struct masa *m, const char *sql, const uint64_t *numbers, int count, PGresult **ret)
{
	char texts[2][24];
	const char *values[] = { texts[0], texts[1] };
	enum exit_code code = masa_connect(m);

	if (code != MASA_OK)
		return code;
	for (int i = 0; i < count; i++)
		(void)snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, numbers[i]);
	*ret = PQexecParams(m->db, sql, count, NULL, values, NULL, NULL, 1);
	if (PQresultStatus(*ret) == PGRES_TUPLES_OK)
		return MASA_OK;
	PQclear(*ret);
	return masa_fail(MASA_UNREACHABLE, "the record says: %s", PQerrorMessage(m->db));
}

/* Which history the last record to be counted is of, how long the log is, and the hash that covers
 * that record. */
static enum exit_code
read_head(struct masa *m, uint64_t *as_of, struct month_log *log)
{
	PGresult *result;

	enum exit_code code = ask(m,
	    "WITH e AS (SELECT coalesce((SELECT max(last_seq) FROM turunc.log_batch), 0) AS seq), "
	    "a AS (SELECT seq, CASE WHEN $1::bigint = 0 THEN seq ELSE $1::bigint END AS of_seq "
	    "FROM e) SELECT h.log_id::text, a.seq, coalesce(b.last_seq, 0), "
	    "encode(b.hash, 'hex') FROM a JOIN LATERAL (SELECT log_id FROM turunc.log_history "
	    "WHERE base_seq < greatest(a.of_seq, 1) ORDER BY history_no DESC LIMIT 1) h ON true "
	    "LEFT JOIN LATERAL (SELECT last_seq, hash FROM turunc.log_batch "
	    "WHERE last_seq >= a.of_seq ORDER BY last_seq LIMIT 1) b ON true",
	    as_of, 1, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) != 1) {
		PQclear(result);
		return masa_fail(MASA_FAILED, "the record has no log");
	}
	uint64_t end = (uint64_t)get_int8(result, 0, 1);
	(void)snprintf(log->log_id, sizeof(log->log_id), "%s", PQgetvalue(result, 0, 0));
	log->head_seq = (uint64_t)get_int8(result, 0, 2);
	if (!PQgetisnull(result, 0, 3))
		(void)snprintf(
		    log->head_hash, sizeof(log->head_hash), "%s", PQgetvalue(result, 0, 3));
	PQclear(result);
	if (*as_of > end)
		return masa_fail(MASA_NOT_FOUND, "the log ends at record %" PRIu64, end);
	if (*as_of == 0)
		*as_of = end;
	return MASA_OK;
}

static enum exit_code
count_some(struct masa *m, uint64_t as_of, struct month_log *log, bool *ret_more)
{
	const uint64_t range[] = { log->fold.state.seq, as_of };
	PGresult *result;

	enum exit_code code = ask(m,
	    "SELECT seq, committed_at_us, event FROM turunc.event_log WHERE seq > $1::bigint "
	    "AND seq <= $2::bigint ORDER BY seq LIMIT 5000",
	    range, 2, &result);
	if (code != MASA_OK)
		return code;
	int rows = PQntuples(result);
	*ret_more = rows == RECORDS_A_READ;
	for (int row = 0; code == MASA_OK && row < rows; row++) {
		uint64_t seq = (uint64_t)get_int8(result, row, 0);
		if (seq != log->fold.state.seq + 1)
			code = masa_fail(MASA_FAILED,
			    "records %" PRIu64 " to %" PRIu64
			    " are missing from the log: masa log verify says more",
			    log->fold.state.seq + 1, seq - 1);
		else if (!month_fold_add(&log->fold, seq, get_int8(result, row, 1),
			     PQgetvalue(result, row, 2), (size_t)PQgetlength(result, row, 2)))
			code = masa_fail(MASA_FAILED, "out of memory");
	}
	PQclear(result);
	return code;
}

static enum exit_code
read_catalogue(struct masa *m, struct month_log *log)
{
	const uint64_t version = log->fold.state.config_version;
	struct catalogue_report *report = NULL;
	const char *why = "";
	struct bundle bundle;
	PGresult *result;

	if (version == 0)
		return MASA_OK;
	enum exit_code code = ask(m,
	    "SELECT name, content FROM turunc.config_file WHERE version = $1::bigint ORDER BY "
	    "name",
	    &version, 1, &result);
	if (code == MASA_OK && PQntuples(result) == 0) {
		PQclear(result);
		code = masa_fail(MASA_FAILED,
		    "version %" PRIu64 " of the configuration is missing from the record", version);
	}
	if (code != MASA_OK)
		return code;
	bundle_init(&bundle);
	for (int row = 0; code == MASA_OK && row < PQntuples(result); row++)
		if (!bundle_add(&bundle, PQgetvalue(result, row, 0), PQgetvalue(result, row, 1),
			(size_t)PQgetlength(result, row, 1), &why))
			code = masa_fail(MASA_FAILED,
			    "version %" PRIu64 " of the configuration cannot be read: %s", version,
			    why);
	PQclear(result);
	if (code == MASA_OK) {
		report = calloc(1, sizeof(*report));
		log->catalogue = report == NULL ? NULL : catalogue_parse_past(&bundle, report);
		free(report);
		if (log->catalogue == NULL)
			code = masa_fail(MASA_FAILED, "out of memory");
	}
	bundle_finish(&bundle);
	return code;
}

enum exit_code
month_log_count(struct masa *m, uint64_t as_of, struct month_log *log)
{
	bool more = true;

	*log = (struct month_log){ 0 };
	month_fold_init(&log->fold, MONTH_FOLD_WHOLE);
	enum exit_code code = read_head(m, &as_of, log);
	while (code == MASA_OK && more)
		code = count_some(m, as_of, log, &more);
	if (code == MASA_OK && log->fold.state.seq != as_of)
		code = masa_fail(MASA_FAILED,
		    "records %" PRIu64 " to %" PRIu64
		    " are missing from the log: masa log verify says more",
		    log->fold.state.seq + 1, as_of);
	if (code == MASA_OK)
		code = read_catalogue(m, log);
	return code;
}

void
month_log_finish(struct month_log *log)
{
	month_fold_finish(&log->fold);
	catalogue_destroy(log->catalogue);
	*log = (struct month_log){ 0 };
}

enum exit_code
month_log_report(const struct month_log *log, int32_t month, struct month_report *ret_report)
{
	if (!month_fold_report(&log->fold, month, log->catalogue, ret_report))
		return masa_fail(MASA_FAILED, "out of memory");
	(void)strcpy(ret_report->log_id, log->log_id);
	(void)strcpy(ret_report->head_hash, log->head_hash);
	ret_report->head_seq = log->head_seq;
	ret_report->log_begins = log->fold.state.calendar.first;
	return MASA_OK;
}
