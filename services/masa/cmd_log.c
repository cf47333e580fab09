/* masa log: follow the history, and check that nobody rewrote it. */
#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digest.h"
#include "masa.h"

static enum exit_code log_tail(struct masa *m, int argc, char **argv);
static enum exit_code log_verify(struct masa *m, int argc, char **argv);

const struct command log_commands[] = {
	{ "log", "tail", "[--lines N] [--follow]",
	    "the last records of the log; --follow goes on until interrupted", log_tail },
	{ "log", "verify", "",
	    "recompute every hash from the first record on; says where the history is not as "
	    "written",
	    log_verify },
	{ 0 },
};

static enum exit_code
log_tail(struct masa *m, int argc, char **argv)
{
	const char *lines = "20";
	bool follow = false;
	const struct option_spec specs[] = { { "lines", &lines, NULL },
		{ "follow", NULL, &follow } };
	char after[24] = "0";
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (strlen(lines) > 6 || strspn(lines, "0123456789") != strlen(lines) || lines[0] == '\0')
		return masa_fail(MASA_USAGE, "--lines is a number up to 999999");
	do {
		const char *values[] = { after, lines };
		code = masa_query(m,
		    "SELECT * FROM (SELECT seq, committed_at_us, type, ticket_id, department, actor"
		    " FROM turunc.event_log WHERE seq > $1::bigint"
		    " ORDER BY seq DESC LIMIT CASE WHEN $1::bigint = 0 THEN $2::integer END) r "
		    "ORDER BY seq",
		    2, values, &result);
		if (code != MASA_OK)
			return code;
		int rows = PQntuples(result);
		if (rows > 0)
			snprintf(after, sizeof(after), "%s", PQgetvalue(result, rows - 1, 0));
		if (rows > 0 || !follow)
			masa_print(m, masa_rows(result));
		PQclear(result);
		fflush(stdout);
		if (follow)
			nanosleep(&(struct timespec){ .tv_nsec = 250000000 }, NULL);
	} while (follow);
	return MASA_OK;
}

/* --- verify --------------------------------------------------------------------------------------
 */

enum { BATCHES_A_READ = 500 };

struct verifier {
	struct masa *m;
	int64_t next_seq; /* the record that must come next */
	struct digest chain; /* hash of the last batch found right */
	bool any_batch;
	int64_t batches;
	char fault[256]; /* "" while all is right */
};

static enum exit_code verify_some(struct verifier *v, bool *ret_more);
static void verify_batch(
    struct verifier *v, const PGresult *batches, int b, const PGresult *records, int *at);
static void record_digest(const PGresult *records, int row, struct digest *ret);

static int64_t
get_int8(const PGresult *result, int row, int column)
{
	uint64_t value;

	memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
	return (int64_t)be64toh(value);
}

static enum exit_code
log_verify(struct masa *m, int argc, char **argv)
{
	struct verifier v = { .m = m, .next_seq = 1 };
	int positional;
	bool more = true;
	PGresult *result;
	char head_hex[DIGEST_HEX_SIZE] = "";

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	while (code == MASA_OK && more && v.fault[0] == '\0')
		code = verify_some(&v, &more);
	if (code != MASA_OK)
		return code;

	/* Records that no batch covers: written around the door. */
	if (v.fault[0] == '\0') {
		char last[24];
		snprintf(last, sizeof(last), "%" PRId64, v.next_seq - 1);
		const char *values[] = { last };
		code = masa_query(m,
		    "SELECT e.seq FROM turunc.event_log e WHERE e.seq > $1::bigint AND e.seq <="
		    " coalesce((SELECT min(b.first_seq) - 1 FROM turunc.log_batch b WHERE "
		    "b.first_seq > $1::bigint),"
		    " 9223372036854775807) ORDER BY e.seq LIMIT 1",
		    1, values, &result);
		if (code != MASA_OK)
			return code;
		if (PQntuples(result) > 0)
			snprintf(v.fault, sizeof(v.fault), "record %s belongs to no batch",
			    PQgetvalue(result, 0, 0));
		PQclear(result);
	}
	if (v.any_batch)
		digest_format(&v.chain, head_hex);
	masa_print(m, json_pack("{s:b,s:I,s:I,s:s,s:s}", "right", v.fault[0] == '\0', "records",
			  (json_int_t)(v.next_seq - 1), "batches", (json_int_t)v.batches,
			  "head_hash", head_hex, "fault", v.fault));
	return v.fault[0] == '\0' ? MASA_OK : MASA_FAILED;
}

/* Reads the next batches and their records, and checks them. */
static enum exit_code
verify_some(struct verifier *v, bool *ret_more)
{
	char from[24], to[24], limit[8];
	PGresult *batches, *records;

	snprintf(from, sizeof(from), "%" PRId64, v->next_seq);
	snprintf(limit, sizeof(limit), "%d", BATCHES_A_READ);
	enum exit_code code = masa_connect(v->m);
	if (code != MASA_OK)
		return code;
	const char *batch_values[] = { from, limit };
	batches = PQexecParams(v->m->db,
	    "SELECT first_seq, last_seq, hash FROM turunc.log_batch WHERE last_seq >= $1::bigint"
	    " ORDER BY last_seq LIMIT $2::integer",
	    2, NULL, batch_values, NULL, NULL, 1);
	if (PQresultStatus(batches) != PGRES_TUPLES_OK) {
		PQclear(batches);
		return masa_fail(MASA_UNREACHABLE, "the record says: %s", PQerrorMessage(v->m->db));
	}
	int count = PQntuples(batches);
	*ret_more = count == BATCHES_A_READ;
	snprintf(to, sizeof(to), "%" PRId64, count > 0 ? get_int8(batches, count - 1, 1) : 0);
	const char *record_values[] = { from, to };
	records = PQexecParams(v->m->db,
	    "SELECT seq, committed_at_us, type, ticket_id, department, previous_department, actor, "
	    "event"
	    " FROM turunc.event_log WHERE seq BETWEEN $1::bigint AND $2::bigint ORDER BY seq",
	    2, NULL, record_values, NULL, NULL, 1);
	if (PQresultStatus(records) != PGRES_TUPLES_OK) {
		PQclear(batches);
		PQclear(records);
		return masa_fail(MASA_UNREACHABLE, "the record says: %s", PQerrorMessage(v->m->db));
	}
	int at = 0;
	for (int b = 0; b < count && v->fault[0] == '\0'; b++)
		verify_batch(v, batches, b, records, &at);
	PQclear(batches);
	PQclear(records);
	return MASA_OK;
}

static void
verify_batch(struct verifier *v, const PGresult *batches, int b, const PGresult *records, int *at)
{
	int64_t first = get_int8(batches, b, 0), last = get_int8(batches, b, 1);
	struct digest_sha256 sum;
	struct digest got;

	if (first != v->next_seq || last < first) {
		snprintf(v->fault, sizeof(v->fault),
		    "a batch covers %" PRId64 "-%" PRId64 " where %" PRId64 " comes next", first,
		    last, v->next_seq);
		return;
	}
	digest_sha256_init(&sum);
	if (v->any_batch)
		digest_sha256_add(&sum, v->chain.bytes, sizeof(v->chain.bytes));
	for (int64_t seq = first; seq <= last; seq++, (*at)++) {
		struct digest one;
		if (*at >= PQntuples(records) || get_int8(records, *at, 0) != seq) {
			snprintf(v->fault, sizeof(v->fault), "record %" PRId64 " is missing", seq);
			return;
		}
		record_digest(records, *at, &one);
		digest_sha256_add(&sum, one.bytes, sizeof(one.bytes));
	}
	digest_sha256_finish(&sum, &got);
	if (PQgetlength(batches, b, 2) != DIGEST_BYTES
	    || memcmp(PQgetvalue(batches, b, 2), got.bytes, sizeof(got.bytes)) != 0) {
		snprintf(v->fault, sizeof(v->fault),
		    "the hash of batch %" PRId64 "-%" PRId64 " does not fit its records", first,
		    last);
		return;
	}
	v->chain = got;
	v->any_batch = true;
	v->batches++;
	v->next_seq = last + 1;
}

/* The same bytes as turunc.record_hash() covers, put together here on purpose, so that the check
 * does not ask the database to vouch for itself. */
static void
record_digest(const PGresult *records, int row, struct digest *ret)
{
	static const int words[] = { 2, 4, 5, 6 };
	struct digest_sha256 sum;
	const char zero[8] = { 0 };

	digest_sha256_init(&sum);
	digest_sha256_add(&sum, PQgetvalue(records, row, 0), 8);
	digest_sha256_add(&sum, PQgetvalue(records, row, 1), 8);
	digest_sha256_add(
	    &sum, PQgetisnull(records, row, 3) ? zero : PQgetvalue(records, row, 3), 8);
	for (size_t w = 0; w < ARRAY_LEN(words); w++) {
		if (w > 0)
			digest_sha256_add(&sum, "\x1f", 1);
		digest_sha256_add(&sum, PQgetvalue(records, row, words[w]),
		    (size_t)PQgetlength(records, row, words[w]));
	}
	digest_sha256_add(&sum, "\x1e", 1);
	digest_sha256_add(&sum, PQgetvalue(records, row, 7), (size_t)PQgetlength(records, row, 7));
	digest_sha256_finish(&sum, ret);
}
