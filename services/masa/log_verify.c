/* Recomputes the log's chain, batch by batch, and names every place where it does not hold. */
#include "log_verify.h"

#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES_A_READ = 500 };

static const char records_changed[] = "the records of this batch are not those it was hashed over";
static const char hash_changed[] = "the hash of this batch was changed; its records are as written";

PRINTF(4, 5)
static json_t *
add_fault(struct log_verifier *v, int64_t from, int64_t through, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_t *fault = json_pack("{s:I,s:I,s:s}", "from", (json_int_t)from, "through",
	    (json_int_t)through, "fault", text);
	if (fault == NULL || json_array_append_new(v->faults, fault) != 0)
		return NULL;
	return fault;
}

static int64_t
get_int8(const PGresult *result, int row, int column)
{
	uint64_t value;

	memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
	return (int64_t)be64toh(value);
}

static enum exit_code
ask(struct log_verifier *v, const char *sql, int64_t first, int64_t second, PGresult **ret)
{
	char texts[2][24];
	const char *values[] = { texts[0], texts[1] };
	enum exit_code code = masa_connect(v->m);

	if (code != MASA_OK)
		return code;
	snprintf(texts[0], sizeof(texts[0]), "%" PRId64, first);
	snprintf(texts[1], sizeof(texts[1]), "%" PRId64, second);
	*ret = PQexecParams(v->m->db, sql, 2, NULL, values, NULL, NULL, 1);
	if (PQresultStatus(*ret) == PGRES_TUPLES_OK)
		return MASA_OK;
	PQclear(*ret);
	return masa_fail(MASA_UNREACHABLE, "the record says: %s", PQerrorMessage(v->m->db));
}

/* --- hashes -------------------------------------------------------------------------------------
 */

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

/* prior NULL: the first batch of all, which has none before it. */
static void
batch_digest(
    const struct digest *prior, const PGresult *records, int row, int64_t count, struct digest *ret)
{
	struct digest_sha256 sum;
	struct digest one;

	digest_sha256_init(&sum);
	if (prior != NULL)
		digest_sha256_add(&sum, prior->bytes, sizeof(prior->bytes));
	for (int64_t i = 0; i < count; i++) {
		record_digest(records, row + (int)i, &one);
		digest_sha256_add(&sum, one.bytes, sizeof(one.bytes));
	}
	digest_sha256_finish(&sum, ret);
}

/* --- one batch ----------------------------------------------------------------------------------
 */

/* Passes over the records of [first, last]; how many there are, *ret_row where they begin. */
static int64_t
take_records(const PGresult *records, int64_t first, int64_t last, int *at, int *ret_row)
{
	while (*at < PQntuples(records) && get_int8(records, *at, 0) < first)
		(*at)++;
	*ret_row = *at;
	while (*at < PQntuples(records) && get_int8(records, *at, 0) <= last)
		(*at)++;
	return *at - *ret_row;
}

static void
chain_from(struct log_verifier *v, const struct digest *one, const struct digest *other)
{
	v->priors = 0;
	if (one != NULL)
		v->prior[v->priors++] = *one;
	if (other != NULL)
		v->prior[v->priors++] = *other;
	v->after_hole = false;
	v->doubt = NULL;
}

/* No batch covers [next_seq, first): were the records dropped too, or only the row that vouches for
 * them? */
static void
verify_hole(struct log_verifier *v, int64_t first, const PGresult *records, int *at)
{
	int64_t from = v->next_seq, expected = first - from;
	int row;
	int64_t found = take_records(records, from, first - 1, at, &row);
	struct digest computed;

	if (found == expected) {
		const struct digest *prior = v->priors > 0 ? &v->prior[0] : NULL;
		bool can = v->priors > 0 || !v->any_batch;
		batch_digest(prior, records, row, found, &computed);
		v->doubt = add_fault(
		    v, from, first - 1, "these records belong to no batch: its row is missing");
		json_t *doubt = v->doubt;
		chain_from(v, can ? &computed : NULL, NULL);
		v->doubt = doubt;
	} else {
		json_t *doubt = add_fault(v, from, first - 1,
		    "%" PRId64 " of %" PRId64 " records are missing, with their batches",
		    expected - found, expected);
		chain_from(v, NULL, NULL);
		v->doubt = doubt;
	}
	v->any_batch = true;
	v->after_hole = true;
	v->next_seq = first;
}

/* Names the first missing record and the last; the stored hash is what the next batch goes on from.
 */
static void
records_missing(struct log_verifier *v, int64_t first, int64_t last, const PGresult *records,
    int row, int64_t found)
{
	int64_t lowest = 0, highest = 0, seq = first;

	for (int64_t i = 0; i <= found; i++) {
		int64_t here = i < found ? get_int8(records, row + (int)i, 0) : last + 1;
		if (here > seq) {
			lowest = lowest == 0 ? seq : lowest;
			highest = here - 1;
		}
		seq = here + 1;
	}
	int64_t missing = last - first + 1 - found;
	if (missing == 1)
		add_fault(v, lowest, highest, "record %" PRId64 " is missing", lowest);
	else
		add_fault(v, lowest, highest, "%" PRId64 " records are missing", missing);
}

/* What the batch before it was chained to says which half of that one was changed. */
static void
explain_doubt(struct log_verifier *v, size_t fits)
{
	if (v->doubt != NULL && !v->after_hole)
		json_object_set_new(
		    v->doubt, "fault", json_string(fits == 0 ? records_changed : hash_changed));
}

static void
verify_chained(struct log_verifier *v, int64_t first, int64_t last, const struct digest *stored,
    const PGresult *records, int row)
{
	struct digest computed[2];
	size_t tries = v->priors > 0 ? v->priors : 1;

	for (size_t i = 0; i < tries; i++) {
		batch_digest(v->priors > 0 ? &v->prior[i] : NULL, records, row, last - first + 1,
		    &computed[i]);
		if (digest_equal(&computed[i], stored)) {
			explain_doubt(v, i);
			chain_from(v, stored, NULL);
			return;
		}
	}
	if (v->after_hole) {
		/* What it was chained to is gone, so it cannot be checked by itself. */
		if (v->doubt != NULL)
			json_object_set_new(v->doubt, "through", json_integer(last));
		chain_from(v, stored, NULL);
		return;
	}
	json_t *doubt = add_fault(v, first, last,
	    "the hash of batch %" PRId64 "-%" PRId64 " does not fit its records", first, last);
	chain_from(v, stored, &computed[0]);
	v->doubt = doubt;
}

static void
check_witnesses(struct log_verifier *v, int64_t last, const struct digest *stored)
{
	for (size_t i = 0; i < v->witness_count; i++)
		if (v->witnesses[i].seq == last)
			v->witnesses[i].right = digest_equal(&v->witnesses[i].hash, stored);
}

static void
verify_batch(
    struct log_verifier *v, const PGresult *batches, int b, const PGresult *records, int *at)
{
	int64_t first = get_int8(batches, b, 0), last = get_int8(batches, b, 1);
	struct digest stored = { { 0 } };
	int row;

	if (first < v->next_seq || last < first) {
		add_fault(v, first, last,
		    "a batch covers %" PRId64 "-%" PRId64 " where %" PRId64 " comes next", first,
		    last, v->next_seq);
		return;
	}
	if (first > v->next_seq)
		verify_hole(v, first, records, at);
	if (PQgetlength(batches, b, 2) == DIGEST_BYTES)
		memcpy(stored.bytes, PQgetvalue(batches, b, 2), DIGEST_BYTES);
	int64_t found = take_records(records, first, last, at, &row);
	if (found == last - first + 1) {
		verify_chained(v, first, last, &stored, records, row);
	} else {
		records_missing(v, first, last, records, row, found);
		chain_from(v, &stored, NULL);
	}
	check_witnesses(v, last, &stored);
	v->head = stored;
	v->any_batch = true;
	v->batches++;
	v->next_seq = last + 1;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Reads the next batches and their records, and checks them.  after: the last batch seen, which a
 * batch that covers too much is not the end of. */
static enum exit_code
verify_some(struct log_verifier *v, int64_t *after, bool *ret_more)
{
	PGresult *batches, *records;

	enum exit_code code = ask(v,
	    "SELECT first_seq, last_seq, hash FROM turunc.log_batch WHERE last_seq > $1::bigint"
	    " ORDER BY last_seq LIMIT $2::bigint",
	    *after, BATCHES_A_READ, &batches);
	if (code != MASA_OK)
		return code;
	int count = PQntuples(batches);
	*ret_more = count == BATCHES_A_READ;
	*after = count > 0 ? get_int8(batches, count - 1, 1) : *after;
	code = ask(v,
	    "SELECT seq, committed_at_us, type, ticket_id, department, previous_department, actor, "
	    "event FROM turunc.event_log WHERE seq BETWEEN $1::bigint AND $2::bigint ORDER BY seq",
	    v->next_seq, count > 0 ? *after : 0, &records);
	if (code != MASA_OK) {
		PQclear(batches);
		return code;
	}
	int at = 0;
	for (int b = 0; b < count && json_array_size(v->faults) < LOG_FAULTS_MAX; b++)
		verify_batch(v, batches, b, records, &at);
	PQclear(batches);
	PQclear(records);
	return MASA_OK;
}

/* Records below the first, or behind the last batch: written around the door. */
static enum exit_code
verify_outside(struct log_verifier *v)
{
	PGresult *result;

	/* One statement, so that a batch committed meanwhile is seen with its records. */
	enum exit_code code = ask(v,
	    "SELECT min(o.seq), max(o.seq) FROM (SELECT seq FROM turunc.event_log WHERE "
	    "seq < $2::bigint UNION ALL SELECT e.seq FROM turunc.event_log e WHERE "
	    "e.seq > $1::bigint AND NOT EXISTS (SELECT FROM turunc.log_batch b WHERE "
	    "b.last_seq >= e.seq AND b.first_seq BETWEEN $1::bigint AND e.seq)) o",
	    v->next_seq - 1, 1, &result);
	if (code != MASA_OK)
		return code;
	if (!PQgetisnull(result, 0, 0)) {
		int64_t from = get_int8(result, 0, 0), through = get_int8(result, 0, 1);
		if (from == through)
			add_fault(v, from, through, "record %" PRId64 " belongs to no batch", from);
		else
			add_fault(v, from, through,
			    "records %" PRId64 "-%" PRId64 " belong to no batch", from, through);
	}
	PQclear(result);
	return MASA_OK;
}

/* The witnesses that do not fit, between the last that does and the first that does not. */
static void
judge_witnesses(struct log_verifier *v)
{
	int64_t good = 0;

	for (size_t i = 0; i < v->witness_count; i++) {
		const struct log_witness *w = &v->witnesses[i];
		if (w->right && w->seq > good)
			good = w->seq;
	}
	for (size_t i = 0; i < v->witness_count; i++) {
		const struct log_witness *w = &v->witnesses[i];
		if (w->right)
			continue;
		if (w->seq >= v->next_seq)
			add_fault(v, v->next_seq, w->seq,
			    "the log ends at %" PRId64 " but once reached %" PRId64,
			    v->next_seq - 1, w->seq);
		else
			add_fault(v, w->seq > good ? good + 1 : 1, w->seq,
			    "the history was written anew: the head of record %" PRId64
			    " was another one",
			    w->seq);
		return;
	}
}

static int
compare_witnesses(const void *a, const void *b)
{
	const struct log_witness *left = a, *right = b;

	return left->seq < right->seq ? -1 : left->seq > right->seq;
}

void
log_verifier_witness(struct log_verifier *v, int64_t seq, const struct digest *hash)
{
	if (v->witness_count == ARRAY_LEN(v->witnesses)) {
		memmove(v->witnesses, v->witnesses + 1,
		    (ARRAY_LEN(v->witnesses) - 1) * sizeof(*v->witnesses));
		v->witness_count--;
	}
	v->witnesses[v->witness_count++] = (struct log_witness){ .seq = seq, .hash = *hash };
}

enum exit_code
log_verifier_run(struct log_verifier *v)
{
	int64_t after = 0;
	bool more = true;
	enum exit_code code = MASA_OK;

	qsort(v->witnesses, v->witness_count, sizeof(*v->witnesses), compare_witnesses);
	while (code == MASA_OK && more && json_array_size(v->faults) < LOG_FAULTS_MAX)
		code = verify_some(v, &after, &more);
	/* With too many faults the end was not reached, and nothing is said of it. */
	if (code == MASA_OK && json_array_size(v->faults) < LOG_FAULTS_MAX) {
		code = verify_outside(v);
		judge_witnesses(v);
	}
	return code;
}
