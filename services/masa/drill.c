/* Compares a restored copy with the running system, and with itself. */
#include "drill.h"

#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attachment.h"
#include "backup.h"
#include "bundle.h"
#include "catalogue.h"
#include "log_verify.h"
#include "program.h"

enum { DIFFERENCES_MAX = 50 }; /* said; one is enough for the verdict */

static void
compared(struct drill *d, const char *what, int64_t held)
{
	json_array_append_new(
	    d->compared, json_pack("{s:s,s:I}", "what", what, "held", (json_int_t)held));
}

PRINTF(3, 4)
static void
differs(struct drill *d, const char *what, const char *format, ...)
{
	char text[300];
	va_list args;

	if (json_array_size(d->differences) >= DIFFERENCES_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(
	    d->differences, json_pack("{s:s,s:s}", "what", what, "difference", text));
}

/* The first cell of the first row, "" without one. */
static enum exit_code
ask_one(struct masa *m, const char *sql, const char *value, char *ret, size_t size)
{
	const char *values[] = { value };
	PGresult *result;
	enum exit_code code = masa_query(m, sql, value != NULL ? 1 : 0, values, &result);

	if (code != MASA_OK)
		return code;
	snprintf(ret, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return MASA_OK;
}

/* --- the log ------------------------------------------------------------------------------------
 */

/* The running system's word on the copy's last record. */
static enum exit_code
take_witness(struct drill *d, struct log_verifier *v, const char *head)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest hash;
	enum exit_code code = ask_one(d->live,
	    "SELECT encode(hash, 'hex') FROM turunc.log_batch WHERE last_seq = $1::bigint", head,
	    hex, sizeof(hex));

	if (code != MASA_OK)
		return code;
	if (digest_parse(hex, strlen(hex), &hash))
		log_verifier_witness(v, d->head, &hash);
	else if (d->head > 0)
		differs(d, "log",
		    "the running system has no batch that ends with record %s: its history is "
		    "another one, or was cut",
		    head);
	return MASA_OK;
}

enum exit_code
drill_log(struct drill *d)
{
	char head[24];
	struct log_verifier *v = calloc(1, sizeof(*v));
	const json_t *fault;
	size_t i;

	if (v == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	*v = (struct log_verifier){ .m = d->copy, .next_seq = 1, .faults = json_array() };
	enum exit_code code = ask_one(d->copy,
	    "SELECT coalesce(max(last_seq), 0) FROM turunc.log_batch", NULL, head, sizeof(head));
	d->head = strtoll(head, NULL, 10);
	if (code == MASA_OK && d->live != NULL)
		code = take_witness(d, v, head);
	if (code == MASA_OK)
		code = log_verifier_run(v);
	if (code == MASA_OK) {
		json_array_foreach(v->faults, i, fault) differs(d, "log",
		    "records %" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT ": %s",
		    json_integer_value(json_object_get(fault, "from")),
		    json_integer_value(json_object_get(fault, "through")),
		    json_string_value(json_object_get(fault, "fault")));
		compared(d, "hashes of the log", v->batches);
	}
	json_decref(v->faults);
	free(v);
	return code;
}

/* --- tables -------------------------------------------------------------------------------------
 */

/* A piece of a table is asked for in one statement, which is a snapshot of its own: the running
 * system keeps none for longer than that, and what has gone on by then is known with it.  $1 the
 * copy's last record, $2 tickets of later ones, $3 its last configuration, $4 to $5 the piece. */
#define OF(rows)                                                                         \
	"WITH given AS (SELECT $1::bigint AS head, $3::bigint AS version), later AS "    \
	"MATERIALIZED (SELECT unnest($2::bigint[]) AS ticket_id UNION SELECT ticket_id " \
	"FROM turunc.event_log WHERE seq > $1::bigint AND ticket_id BETWEEN $4::bigint " \
	"AND $5::bigint) SELECT count(*), "                                              \
	"coalesce(sum(hashtextextended(x::text, 0)::numeric), 0), "                      \
	"(SELECT coalesce(array_agg(ticket_id), '{}') FROM later) FROM (" rows ") AS x"
#define SETTLED(ticket_id)                                             \
	ticket_id " BETWEEN $4::bigint AND $5::bigint AND NOT EXISTS " \
		  "(SELECT FROM later l WHERE l.ticket_id = " ticket_id ")"

enum pieces { WHOLE, PIECES_OF_RECORDS, PIECES_OF_TICKETS };

/* What changes in the transaction of its record alone. */
static const struct table {
	const char *what;
	enum pieces pieces;
	const char *sql;
} tables[] = {
	{ "records of the log", PIECES_OF_RECORDS,
	    OF("SELECT e.* FROM turunc.event_log e, given g WHERE e.seq <= g.head AND e.seq "
	       "BETWEEN $4::bigint AND $5::bigint") },
	{ "files of the configuration", WHOLE,
	    OF("SELECT f.* FROM turunc.config_file f, given g WHERE f.version <= g.version") },
	{ "tickets", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket t WHERE " SETTLED("t.ticket_id")) },
	{ "aliases of tickets", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket_alias t WHERE " SETTLED("t.ticket_id")) },
	{ "states of tickets", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket_state t WHERE " SETTLED("t.ticket_id")) },
	{ "clocks", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket_clock t WHERE " SETTLED("t.ticket_id")) },
	{ "hops", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket_hop t WHERE " SETTLED("t.ticket_id")) },
	{ "answers and notes", PIECES_OF_TICKETS,
	    OF("SELECT t.* FROM turunc.ticket_text t WHERE " SETTLED("t.ticket_id")) },
	{ "contacts", PIECES_OF_TICKETS,
	    OF("SELECT c.* FROM turunc.contact c WHERE " SETTLED("c.ticket_id")) },
	{ "rows of photos and mails", PIECES_OF_TICKETS,
	    OF("SELECT a.* FROM turunc.attachment a WHERE " SETTLED("a.ticket_id")) },
	{ "applications from CIMER", PIECES_OF_TICKETS,
	    OF("SELECT a.ticket_id, a.reference, a.kind, a.unit, a.received_us FROM "
	       "turunc.cimer_application a WHERE " SETTLED("a.ticket_id")) },
	{ "answers to surveys", PIECES_OF_TICKETS,
	    OF("SELECT a.* FROM turunc.survey_answer a JOIN turunc.survey s USING (survey_id) "
	       "WHERE " SETTLED("s.ticket_id")) },
};

/* What one side holds of a piece. */
struct held {
	int64_t rows;
	char sum[64];
	PGresult *result; /* owned */
	const char *later; /* tickets that have gone on; lent by result */
};

static enum exit_code
count_rows(struct masa *m, const struct table *t, const char *const values[5], struct held *ret)
{
	enum exit_code code = masa_query(m, t->sql, 5, values, &ret->result);

	if (code != MASA_OK)
		return code;
	ret->rows = strtoll(PQgetvalue(ret->result, 0, 0), NULL, 10);
	snprintf(ret->sum, sizeof(ret->sum), "%s", PQgetvalue(ret->result, 0, 1));
	ret->later = PQgetvalue(ret->result, 0, 2);
	return MASA_OK;
}

/* The end of the piece that begins with from; the copy says it, which nobody else works with. */
static enum exit_code
find_end(struct drill *d, const struct table *t, int64_t from, int64_t *ret_until)
{
	char first[24], rows[24];
	const char *values[] = { first, rows };
	PGresult *result;
	int64_t head = d->head;

	*ret_until = INT64_MAX;
	if (t->pieces == PIECES_OF_RECORDS && head - from >= d->piece_rows)
		*ret_until = from + d->piece_rows - 1;
	if (t->pieces != PIECES_OF_TICKETS)
		return MASA_OK;
	snprintf(first, sizeof(first), "%" PRId64, from);
	snprintf(rows, sizeof(rows), "%" PRId64, d->piece_rows - 1);
	enum exit_code code = masa_query(d->copy,
	    "SELECT ticket_id FROM turunc.ticket WHERE ticket_id >= $1::bigint ORDER BY ticket_id "
	    "OFFSET $2::bigint LIMIT 1",
	    2, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) > 0)
		*ret_until = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return MASA_OK;
}

/* The running system first: it says which tickets have gone on by then, and the copy, which goes
 * on no more, is counted without the same ones. */
static enum exit_code
compare_piece(struct drill *d, const struct table *t, const char *version, int64_t from,
    int64_t until, struct held *ret_live, struct held *ret_copy)
{
	char head[24], first[24], last[24];
	const char *values[] = { head, "{}", version, first, last };

	snprintf(head, sizeof(head), "%" PRId64, d->head);
	snprintf(first, sizeof(first), "%" PRId64, from);
	snprintf(last, sizeof(last), "%" PRId64, until);
	enum exit_code code = count_rows(d->live, t, values, ret_live);
	if (code != MASA_OK)
		return code;
	values[1] = ret_live->later;
	return count_rows(d->copy, t, values, ret_copy);
}

static enum exit_code
compare_table(struct drill *d, const struct table *t, const char *version)
{
	int64_t of_copy = 0, of_live = 0, from = INT64_MIN, until;
	bool same = true, more = true;

	if (t->pieces == PIECES_OF_RECORDS)
		from = 1;
	while (more) {
		struct held live = { 0 }, copy = { 0 };
		enum exit_code code = find_end(d, t, from, &until);
		if (code == MASA_OK)
			code = compare_piece(d, t, version, from, until, &live, &copy);
		of_live += live.rows;
		of_copy += copy.rows;
		same = same && strcmp(live.sum, copy.sum) == 0;
		PQclear(live.result);
		PQclear(copy.result);
		if (code != MASA_OK)
			return code;
		more = until < INT64_MAX;
		from = more ? until + 1 : until;
	}
	compared(d, t->what, of_copy);
	if (of_copy != of_live)
		differs(d, t->what, "%" PRId64 " in the copy, %" PRId64 " in the running system",
		    of_copy, of_live);
	else if (!same)
		differs(d, t->what, "as many, but not the same");
	return MASA_OK;
}

/* Rows are compared as text, which both must write alike. */
static const char same_text[] = "SELECT set_config('TimeZone', 'UTC', false), "
				"set_config('bytea_output', 'hex', false), "
				"set_config('extra_float_digits', '1', false), "
				"set_config('max_parallel_workers_per_gather', '0', false)";

static enum exit_code
compare_schema(struct drill *d)
{
	static const char sql[] = "SELECT md5(string_agg(name, ' ' ORDER BY name)) FROM "
				  "public.turunc_migration";
	char of_copy[40], of_live[40];
	enum exit_code code = ask_one(d->copy, sql, NULL, of_copy, sizeof(of_copy));

	if (code == MASA_OK)
		code = ask_one(d->live, sql, NULL, of_live, sizeof(of_live));
	if (code == MASA_OK && strcmp(of_copy, of_live) != 0)
		code = masa_fail(MASA_CONFLICT,
		    "the backup is of before an upgrade: its tables cannot be compared "
		    "with those of now; make a new backup, or look at it --alone");
	return code;
}

static enum exit_code
compare_tables(struct drill *d)
{
	char version[24];
	enum exit_code code = ask_one(d->copy,
	    "SELECT coalesce(max(version), 0) FROM turunc.config_version", NULL, version,
	    sizeof(version));

	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(tables); i++)
		code = compare_table(d, &tables[i], version);
	return code;
}

/* The copy in itself: what its log speaks of is there, and a system could start with it. */
static enum exit_code
look_at_copy(struct drill *d)
{
	char missing[24], version[24];
	struct bundle bundle;
	enum exit_code code = ask_one(d->copy,
	    "SELECT count(*) FROM turunc.event_log e WHERE e.type = 'ticket.opened' AND NOT EXISTS "
	    "(SELECT FROM turunc.ticket t WHERE t.ticket_id = e.ticket_id)",
	    NULL, missing, sizeof(missing));

	if (code == MASA_OK && strcmp(missing, "0") != 0)
		differs(d, "tickets", "%s that the log opened are not there", missing);
	bundle_init(&bundle);
	if (code == MASA_OK)
		code = masa_load_active(d->copy, &bundle, version, sizeof(version));
	if (code == MASA_OK && version[0] != '\0') {
		struct catalogue_report *report = calloc(1, sizeof(*report));
		struct catalogue *catalogue = report != NULL ? catalogue_parse(&bundle, report)
							     : NULL;
		if (catalogue == NULL)
			differs(d, "configuration", "version %s is not valid", version);
		catalogue_destroy(catalogue);
		free(report);
	}
	bundle_finish(&bundle);
	return code;
}

enum exit_code
drill_tables(struct drill *d)
{
	enum exit_code code = look_at_copy(d);

	if (code != MASA_OK || d->live == NULL)
		return code;
	code = compare_schema(d);
	if (code == MASA_OK)
		code = masa_query(d->live, same_text, 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(d->copy, same_text, 0, NULL, NULL);
	if (code == MASA_OK)
		code = compare_tables(d);
	return code;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* Erased while the backup was made: the row was copied, the file had gone. */
static bool
erased_since(struct drill *d, const char *name)
{
	char still[8] = "";

	return d->live != NULL
	       && ask_one(d->live,
		      "SELECT 1 FROM turunc.attachment WHERE digest = decode($1, 'hex')", name,
		      still, sizeof(still))
		      == MASA_OK
	       && still[0] == '\0';
}

/* salt_hex: as PostgreSQL's encode() has it.  True: the file is there and is what its name says. */
static bool
photo_right(struct attachments *folder, const char *name, const char *salt_hex)
{
	struct digest digest, computed;
	struct digest_sha256 sum;
	uint8_t salt[ATTACHMENT_SALT_BYTES], *data;
	size_t len, salt_len;

	if (!digest_parse(name, strlen(name), &digest)
	    || sodium_hex2bin(salt, sizeof(salt), salt_hex, strlen(salt_hex), NULL, &salt_len, NULL)
		   != 0
	    || !attachments_read(folder, &digest, &data, &len))
		return false;
	digest_sha256_init(&sum);
	digest_sha256_add(&sum, salt, salt_len);
	digest_sha256_add(&sum, data, len);
	digest_sha256_finish(&sum, &computed);
	free(data);
	return memcmp(&digest, &computed, sizeof(digest)) == 0;
}

enum exit_code
drill_photos(struct drill *d, const char *path)
{
	char complaint[200] = "";
	PGresult *rows;
	int64_t right = 0;
	enum exit_code code = masa_query(d->copy,
	    "SELECT encode(digest, 'hex'), encode(salt, 'hex') FROM turunc.attachment WHERE "
	    "digest IS NOT NULL ORDER BY digest",
	    0, NULL, &rows);

	if (code != MASA_OK)
		return code;
	const struct attachments_options options = { .folder = path };
	struct attachments *folder = PQntuples(rows) > 0
					 ? attachments_open(&options, complaint, sizeof(complaint))
					 : NULL;
	if (PQntuples(rows) > 0 && folder == NULL)
		differs(d, "photos and mails", "%s", complaint);
	for (int row = 0; folder != NULL && row < PQntuples(rows); row++) {
		const char *name = PQgetvalue(rows, row, 0);
		if (photo_right(folder, name, PQgetvalue(rows, row, 1)))
			right++;
		else if (!erased_since(d, name))
			differs(d, "photos and mails", "%s is missing or damaged", name);
	}
	compared(d, "photos and mails", right);
	attachments_close(folder);
	PQclear(rows);
	return MASA_OK;
}

void
drill_secrets(struct drill *d, const char *restored)
{
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	const char *const parts[] = { "keys", "secrets" };
	char now[PATH_MAX], then[PATH_MAX];

	for (size_t i = 0; system != NULL && i < ARRAY_LEN(parts); i++) {
		if (!backup_path(now, system, parts[i]) || access(now, F_OK) != 0
		    || !backup_path(then, restored, parts[i]))
			continue;
		const char *argv[] = { "diff", "-rq", then, now, NULL };
		if (program_run(argv, PROGRAM_AS_WE_ARE) != MASA_OK)
			differs(d, parts[i],
			    "are not those of the running system any more: make a new backup");
		compared(d, parts[i], 1);
	}
}
