/* masa citizen: what is held of a person, and making it forgotten (KVKK, art. 11). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "masa.h"
#include "person.h"
#include "person_photos.h"
#include "reach.h"
#include "records.h"
#include "samples.h"
#include "viewed.h"

enum { REASON_BYTES_MAX = 400, SPOOL_LOOK_MS = 2000 };

static enum exit_code citizen_export(struct masa *m, int argc, char **argv);
static enum exit_code citizen_erase(struct masa *m, int argc, char **argv);
static enum exit_code citizen_destructions(struct masa *m, int argc, char **argv);

const struct command citizen_commands[] = {
	{ "citizen", "export", "PHONE|EMAIL|TICKET [--out FILE]",
	    "everything held about a person, as JSON; FILE is made readable by you alone",
	    citizen_export },
	{ "citizen", "erase",
	    "PHONE|EMAIL|TICKET --reason TEXT --confirm CONTACTS [--open-too] [--dry-run]",
	    "blank all that the person said and is; history and figures stay.  --dry-run shows "
	    "what and how many contacts, which --confirm repeats; --open-too also where a "
	    "department still works on it",
	    citizen_erase },
	{ "citizen", "destructions", "[--limit N]", "the log of what was erased, newest first",
	    citizen_destructions },
	{ 0 },
};

/* --- export -------------------------------------------------------------------------------------
 */

/* The whole document to a file of one's own, or to standard output. */
static enum exit_code
write_document(struct masa *m, const char *path, json_t *document)
{
	if (path == NULL) {
		m->json = true;
		masa_print(m, json_incref(document));
		return MASA_OK;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return masa_fail(
		    errno == EEXIST ? MASA_CONFLICT : MASA_FAILED, "%s: %s", path, strerror(errno));
	bool written = json_dumpfd(document, fd, JSON_INDENT(2)) == 0 && write(fd, "\n", 1) == 1;
	written = close(fd) == 0 && written;
	if (!written) {
		unlink(path);
		return masa_fail(MASA_FAILED, "%s cannot be written", path);
	}
	return MASA_OK;
}

static enum exit_code
citizen_export(struct masa *m, int argc, char **argv)
{
	const char *path = NULL;
	const struct option_spec specs[] = { { "out", &path, NULL } };
	int positional;
	struct person person = { 0 };
	json_t *document = NULL;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = person_find(m, argv[0], &person);
	/* All of it as of one moment, and the trace of having looked before anything is shown. */
	if (code == MASA_OK)
		code = masa_query(m, "BEGIN ISOLATION LEVEL REPEATABLE READ", 0, NULL, NULL);
	if (code == MASA_OK)
		code = person_export(m, &person, &document);
	if (code == MASA_OK)
		code = masa_query(m, "COMMIT", 0, NULL, NULL);
	if (code == MASA_OK) {
		person_photos_add(document);
		code = viewed_note(m, person.opened, "export");
	}
	if (code == MASA_OK)
		code = write_document(m, path, document);
	json_decref(document);
	person_finish(&person);
	return code;
}

/* --- erase --------------------------------------------------------------------------------------
 */

static enum exit_code
check_request(struct masa *m, const struct person *person, const char *reason, const char *confirm,
    bool open_too)
{
	bool named;

	if (reason == NULL || reason[0] == '\0' || strlen(reason) > REASON_BYTES_MAX)
		return masa_fail(
		    MASA_USAGE, "--reason TEXT says why, in at most %d bytes", REASON_BYTES_MAX);
	enum exit_code code = person_is_named(m, person, reason, &named);
	if (code != MASA_OK)
		return code;
	if (named)
		return masa_fail(MASA_USAGE, "the reason is kept: it must not hold the person's "
					     "name, phone or address");
	if (person->live_count > 0 && !open_too && !m->dry_run)
		return masa_fail(MASA_CONFLICT,
		    "%d of their tickets are still worked on; --open-too erases nonetheless, and "
		    "the departments lose what they need",
		    person->live_count);
	if (m->dry_run)
		return MASA_OK;
	if (confirm == NULL)
		return masa_fail(MASA_USAGE, "--confirm CONTACTS repeats what --dry-run named");
	if (strspn(confirm, "0123456789") != strlen(confirm)
	    || atoi(confirm) != person->contact_count)
		return masa_fail(MASA_CONFLICT,
		    "there are %d contacts to erase, not %s: look with "
		    "--dry-run first",
		    person->contact_count, confirm);
	return MASA_OK;
}

/* What people told intake while the record was away is not found, and comes to the record after
 * the erasure.  Where intake is not told of, nothing is asked. */
static void
warn_of_spool(void)
{
	struct reach_answer answer = { 0 };
	const char *base = reach_service_url(REACH_INTAKE);
	struct reach_many *many = base == NULL ? NULL : reach_many_open();
	double waiting = 0;
	bool told = false;

	if (base == NULL)
		return;
	snprintf(answer.url, sizeof(answer.url), "%s/metrics", base);
	if (many != NULL && reach_many_get(many, &answer, 1, SPOOL_LOOK_MS, -1)) {
		struct samples *samples = samples_parse(answer.text, answer.len);
		told = samples_sum(samples, "turunc_intake_spool_items", NULL, &waiting);
		samples_destroy(samples);
		reach_answer_finish(&answer);
	}
	reach_many_close(many);
	if (!told)
		fprintf(stderr, "masa: intake does not answer: what lies in its spool may be "
				"theirs, so erase again when that is empty\n");
	else if (waiting > 0)
		fprintf(stderr,
		    "masa: %.0f items in intake's spool are not in the record yet and may be "
		    "theirs: erase again when it is empty\n",
		    waiting);
}

static void
add_erased(struct records *records, const PGresult *rows, int row)
{
	Turunc__V1__Administration act = TURUNC__V1__ADMINISTRATION__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	act.name = PQgetvalue(rows, row, 2);
	event.body_case = TURUNC__V1__EVENT__BODY_ADMINISTRATION;
	event.administration = &act;
	records_add(records, "citizen.erased", strtoll(PQgetvalue(rows, row, 0), NULL, 10),
	    PQgetisnull(rows, row, 1) ? NULL : PQgetvalue(rows, row, 1), &event);
}

/* What they said may have become a ticket since it was looked up, with a contact of its own. */
static enum exit_code
check_all_erased(struct masa *m, const char *given)
{
	int left = 0;
	enum exit_code code = person_contacts_left(m, given, &left);

	if (code == MASA_OK && left > 0)
		code = masa_fail(MASA_CONFLICT,
		    "%d more of their contacts came meanwhile, and nothing was erased: look with "
		    "--dry-run again",
		    left);
	return code;
}

/* The rows, the destruction log and the records, in one transaction. */
static enum exit_code
erase(struct masa *m, const char *given, const struct person *person, const char *reason,
    char id[UUID_TEXT_SIZE])
{
	struct records records;
	struct uuid destruction;
	char at_text[24];
	PGresult *rows;

	records_init(&records, m);
	uuid_next(&records.ids, records.now_us, &destruction);
	uuid_format(&destruction, id);
	snprintf(at_text, sizeof(at_text), "%lld", (long long)records.now_us);
	const char *values[] = { person->contacts, id, at_text, m->actor, reason };
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "SELECT ticket_id, department, citizen_id FROM "
		    "turunc.erase_contacts($1::uuid[], $2::uuid, $3::bigint, $4, $5)",
		    5, values, &rows);
	if (code == MASA_OK) {
		for (int row = 0; row < PQntuples(rows); row++)
			add_erased(&records, rows, row);
		PQclear(rows);
		const char *calls[] = { person->calls, person->numbers, id };
		code = masa_query(m, "SELECT turunc.erase_calls($1::uuid[], $2::text[], $3::uuid)",
		    3, calls, NULL);
	}
	if (code == MASA_OK) {
		const char *files[] = { person->contacts, id, at_text };
		code = masa_query(m, "SELECT turunc.erase_files($1::uuid[], $2::uuid, $3::bigint)",
		    3, files, NULL);
	}
	if (code == MASA_OK)
		code = check_all_erased(m, given);
	if (code == MASA_OK)
		code = records_append(&records);
	records_finish(&records);
	if (code == MASA_OK)
		code = masa_query(m, m->dry_run ? "ROLLBACK" : "COMMIT", 0, NULL, NULL);
	return code;
}

static enum exit_code
citizen_erase(struct masa *m, int argc, char **argv)
{
	const char *reason = NULL, *confirm = NULL;
	bool open_too = false;
	const struct option_spec specs[] = { { "reason", &reason, NULL },
		{ "confirm", &confirm, NULL }, { "open-too", NULL, &open_too } };
	int positional;
	struct person person = { 0 };
	char id[UUID_TEXT_SIZE] = "";
	json_t *summary = NULL;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = person_find(m, argv[0], &person);
	if (code == MASA_OK || code == MASA_NOT_FOUND)
		warn_of_spool();
	if (code == MASA_OK)
		code = check_request(m, &person, reason, confirm, open_too);
	/* Before it is gone: afterwards nobody can tell where else they are mentioned. */
	if (code == MASA_OK)
		code = person_summary(m, &person, &summary);
	if (code == MASA_OK)
		code = erase(m, argv[0], &person, reason, id);
	if (code == MASA_OK) {
		json_object_set_new(summary, "live_tickets", json_integer(person.live_count));
		json_object_set_new(summary, "dry_run", json_boolean(m->dry_run));
		if (!m->dry_run)
			json_object_set_new(summary, "destruction", json_string(id));
		masa_print(m, json_incref(summary));
	}
	json_decref(summary);
	person_finish(&person);
	return code;
}

static enum exit_code
citizen_destructions(struct masa *m, int argc, char **argv)
{
	const char *limit = "20";
	const struct option_spec specs[] = { { "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	const char *values[] = { limit };
	return masa_show(m,
	    "SELECT destruction_id::text AS destruction, at_us, actor, reason, method, "
	    "cardinality(citizen_ids) AS citizens, cardinality(ticket_ids) AS tickets, contacts, "
	    "texts, bodies, messages, calls, drafts, files FROM turunc.destruction ORDER BY at_us "
	    "DESC, "
	    "destruction_id "
	    "DESC LIMIT $1::integer",
	    1, values);
}
