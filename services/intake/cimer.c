/* Reads and puts away files of applications, one after the other. */
#include "cimer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "cimer_internal.h"
#include "clock.h"
#include "intake.h"
#include "istanbul.h"
#include "log.h"
#include "store.h"
#include "table.h"
#include "workbook_reader.h"

enum {
	STEPS_A_TURN = 1,
	CLEAR_EVERY_MS = 3600000,
	RETRY_CAP_MS = 600000, /* between attempts at a file that fails */
	UNIT_BYTES_FOR_TEXT = 4, /* a unit holds a text, its arrays and the records */
	UNIT_BYTES_MIN = 8 * 1024 * 1024,
	COMPLAINT_BYTES = 300,
};

/* As people save them here, the likeliest first. */
static const char separators[] = { ';', ',', '\t' };

/* --- its own way to the record -----------------------------------------------------------------
 */

static bool
open_imports(struct intake *in)
{
	const struct intake_config *config = &in->config;
	char complaint[COMPLAINT_BYTES] = "";
	const struct db_events no_events = { 0 };
	const struct db_settings settings = {
		.conninfo = config->database,
		.password = config->database_password[0] == '\0' ? NULL : config->database_password,
		.application_name = "turunc-intake-cimer",
		.connections = 1,
		.in_flight = 1,
		.unit_bytes = (size_t)config->cimer_text_bytes * UNIT_BYTES_FOR_TEXT
			      + UNIT_BYTES_MIN,
	};

	in->imports = db_open(daemon_loop(in->daemon), &settings, store_write_statements,
	    STORE_WRITE_STATEMENTS, &no_events, complaint, sizeof(complaint));
	if (in->imports == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return in->imports != NULL;
}

void
cimer_drop_file(struct cimer *c)
{
	table_destroy(c->table);
	c->table = NULL;
	workbook_reader_destroy(c->workbook);
	c->workbook = NULL;
	cimer_sheet_destroy(c->sheet);
	c->sheet = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = CIMER_IDLE;
}

void
cimer_close(struct cimer *c)
{
	if (c == NULL)
		return;
	cimer_drop_file(c);
	cimer_folder_destroy(c->folder);
	free(c);
}

static void
stop(void *arg)
{
	struct cimer *c = arg;

	c->stopped = true;
	if (c->state == CIMER_READING || c->state == CIMER_HEARING)
		cimer_drop_file(c);
}

static bool
busy(void *arg)
{
	const struct cimer *c = arg;

	return c->state == CIMER_ASKING || c->state == CIMER_LEASING || c->state == CIMER_WRITING;
}

/* --- how a file ends -------------------------------------------------------------------------- */

/* It stays where it is, and is read again from its beginning. */
static void
wait_for(struct cimer *c, const char *why, uint64_t wait_ms)
{
	log_warn("file of applications waits file=%s wait_ms=%llu why=%s", log_quoted(c->name),
	    (unsigned long long)wait_ms, log_quoted(why));
	stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_WAITED, 1);
	cimer_folder_wait(c->folder, c->name, clock_monotonic_ms() + wait_ms);
	cimer_drop_file(c);
}

void
cimer_wait_again(struct cimer *c, const char *why)
{
	wait_for(c, why, (uint64_t)c->in->config.cimer_look_ms);
}

void
cimer_fail_again(struct cimer *c, const char *why)
{
	const struct backoff backoff = { (uint64_t)c->in->config.cimer_look_ms, RETRY_CAP_MS, 0 };

	wait_for(c, why, backoff_delay_ms(&backoff, cimer_folder_failed(c->folder, c->name), 0));
}

/* False: the report could not be made, or the file not be moved. */
bool
cimer_put_away(struct cimer *c, enum cimer_place place, char *report, size_t len)
{
	bool moved = report != NULL && cimer_folder_move(c->folder, c->name, place, report, len);

	if (!moved) {
		const char *why = report == NULL ? "out of memory" : strerror(errno);
		daemon_set_dependency(c->in->daemon, c->dependency, DEPENDENCY_DOWN, why);
		cimer_fail_again(c, why);
	}
	free(report);
	return moved;
}

void
cimer_reject(struct cimer *c, struct cimer_words words, const struct cimer_words *field, int line)
{
	size_t len = 0;
	char *report = cimer_report_errors(c->sheet, words, field, line, &len);

	if (!cimer_folder_unchanged(c->folder, c->fd, c->name, &c->file)) {
		free(report);
		cimer_wait_again(c, "it changed while it was read");
		return;
	}
	if (!cimer_put_away(c, CIMER_REJECTED, report, len))
		return;
	log_warn("file of applications rejected file=%s line=%d errors=%zu why=%s",
	    log_quoted(c->name), line, c->sheet == NULL ? 0 : cimer_sheet_error_count(c->sheet),
	    log_quoted(words.en));
	stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_REJECTED, 1);
	if (c->sheet != NULL)
		stats_add_at(c->in->stats, INTAKE_STAT_CIMER_ROWS, CIMER_ROWS_WRONG,
		    cimer_sheet_error_count(c->sheet));
	cimer_drop_file(c);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What the sheet lends from is gone when another configuration came into force; the new one may
 * stand where the old one was. */
static bool
same_catalogue(const struct cimer *c)
{
	const struct catalogue *cat = registry_catalogue(c->in->registry);

	return cat == c->cat && strcmp(cat->digest, c->digest) == 0;
}

static const struct workbook_calls workbook_calls;

/* A text here, a workbook by a process of its own.  What becomes a workbook once it was looked at
 * is refused by the table, as unreadable for now: nothing is unpacked here. */
static bool
begin_reading(struct cimer *c)
{
	const struct intake_config *config = &c->in->config;
	const struct table_limits limits = { (uint64_t)config->cimer_file_bytes,
		(uint64_t)config->cimer_unpacked_bytes, (size_t)config->cimer_string_bytes,
		.workbooks = false };
	const struct cimer_limits sheet_limits = { (size_t)config->cimer_rows,
		(size_t)config->cimer_text_bytes };

	table_destroy(c->table);
	c->table = NULL;
	workbook_reader_destroy(c->workbook);
	c->workbook = NULL;
	cimer_sheet_destroy(c->sheet);
	c->cat = registry_catalogue(c->in->registry);
	memcpy(c->digest, c->cat->digest, sizeof(c->digest));
	c->sheet = cimer_sheet_create(c->cat, &c->in->maker, &sheet_limits, clock_now_us());
	if (c->sheet == NULL)
		return false;
	if (workbook_reader_is_for(c->fd)) {
		c->state = CIMER_HEARING;
		c->workbook = workbook_reader_start(
		    daemon_loop(c->in->daemon), c->fd, &limits, &workbook_calls, c);
		return c->workbook != NULL;
	}
	c->state = CIMER_READING;
	c->table = table_open(c->fd, &limits, separators[c->separator]);
	return c->table != NULL;
}

static void
read_from_the_start(struct cimer *c)
{
	if (!begin_reading(c))
		cimer_wait_again(c, "it cannot be read now");
}

/* Files wait for a record, a configuration that knows what they are, and numbers. */
static const char *
why_not(const struct cimer *c)
{
	const struct catalogue *cat = registry_catalogue(c->in->registry);

	if (cat == NULL)
		return "the service is starting";
	if (cat->cimer.column_count == 0)
		return "the configuration has no cimer.csv";
	return db_state_now(c->in->imports) == DB_READY ? NULL : "the record is away";
}

static void
begin_again(struct cimer *c)
{
	const char *why = why_not(c);

	if (why != NULL)
		cimer_wait_again(c, why);
	else
		read_from_the_start(c);
}

static enum table_problem
problem_of(const struct cimer *c)
{
	return c->workbook != NULL ? workbook_reader_problem(c->workbook) : table_problem(c->table);
}

static int
problem_line_of(const struct cimer *c)
{
	return c->workbook != NULL ? workbook_reader_problem_line(c->workbook)
				   : table_problem_line(c->table);
}

/* Its reader may be bounded too tightly, or have been ended with others when memory was short. */
static void
wait_for_reader(struct cimer *c)
{
	if (cimer_folder_refused(c->folder, c->name) < CIMER_REFUSALS_MAX)
		cimer_fail_again(c, "its reader came to no end");
	else
		cimer_reject(c, cimer_words_of_crash(), NULL, 0);
}

/* Another separator may find the header that this one has not. */
static bool
try_another(struct cimer *c)
{
	if (cimer_sheet_has_header(c->sheet) || c->workbook != NULL
	    || c->separator + 1 == ARRAY_LEN(separators))
		return false;
	switch (table_problem(c->table)) {
	case TABLE_FINE:
	case TABLE_QUOTE_OPEN:
	case TABLE_QUOTE_INSIDE:
	case TABLE_ROW_BYTES:
	case TABLE_COLUMNS:
		c->separator++;
		read_from_the_start(c);
		return true;
	default:
		return false;
	}
}

static void
decide(struct cimer *c)
{
	static const struct cimer_words rows_wrong = {
		"Satırlarda hata var; dosyadan hiçbir başvuru "
		"alınmadı.",
		"There are errors in rows; nothing of the file was taken."
	};
	enum cimer_fault fault = cimer_sheet_fault(c->sheet);
	enum table_problem problem = problem_of(c);

	if (try_another(c))
		return;
	if (problem == TABLE_UNREADABLE && c->workbook != NULL) {
		wait_for_reader(c);
	} else if (problem == TABLE_UNREADABLE || fault == CIMER_NO_MEMORY) {
		cimer_wait_again(c, cimer_words_of_table(TABLE_UNREADABLE).en);
	} else if (problem != TABLE_FINE) {
		cimer_reject(c, cimer_words_of_table(problem), NULL, problem_line_of(c));
	} else if (fault != CIMER_SOUND) {
		struct cimer_words field = cimer_words_of_field(cimer_sheet_fault_field(c->sheet));
		bool names = fault == CIMER_NO_HEADER || fault == CIMER_COLUMN_TWICE;
		cimer_reject(c, cimer_words_of_fault(fault), names ? &field : NULL, 0);
	} else if (cimer_sheet_error_count(c->sheet) > 0) {
		cimer_reject(c, rows_wrong, NULL, 0);
	} else {
		cimer_commit(c);
	}
}

static void
read_on(struct cimer *c)
{
	if (!same_catalogue(c)) {
		c->separator = 0;
		begin_again(c);
		return;
	}
	for (unsigned step = 0; step < STEPS_A_TURN; step++) {
		if (table_step(c->table, cimer_sheet_row, c->sheet) != TABLE_MORE) {
			decide(c);
			return;
		}
	}
}

static bool
on_workbook_row(void *arg, const struct table_row *row)
{
	struct cimer *c = arg;

	if (!same_catalogue(c))
		return false;
	cimer_sheet_days_from_1904(c->sheet, workbook_reader_from_1904(c->workbook));
	return cimer_sheet_row(c->sheet, row);
}

static void
on_workbook_end(void *arg, enum workbook_end end)
{
	struct cimer *c = arg;

	if (!same_catalogue(c)) {
		begin_again(c);
	} else if (end == WORKBOOK_READ) {
		decide(c);
	} else if (end == WORKBOOK_CRASHED) {
		log_error("the reader of a workbook crashed file=%s", log_quoted(c->name));
		cimer_reject(c, cimer_words_of_crash(), NULL, 0);
	} else if (end == WORKBOOK_CUT_OFF) {
		wait_for_reader(c);
	} else {
		cimer_wait_again(c, "its reader could not be started");
	}
	daemon_wake_now(c->in->daemon);
}

static const struct workbook_calls workbook_calls = { on_workbook_row, on_workbook_end };

/* --- the folder ------------------------------------------------------------------------------- */

/* Told once for as long as it is the same. */
static void
tell_unreadable(struct cimer *c)
{
	const char *name = cimer_folder_unreadable(c->folder);

	if (name != NULL && strcmp(name, c->unreadable) != 0)
		log_warn("file of applications may not be read file=%s", log_quoted(name));
	(void)snprintf(c->unreadable, sizeof(c->unreadable), "%s", name == NULL ? "" : name);
}

static void
clear(struct cimer *c, uint64_t now_ms)
{
	int64_t keep_ms = c->in->config.cimer_keep_ms;
	bool soon = keep_ms > 0 && keep_ms < CLEAR_EVERY_MS;
	size_t files = cimer_folder_clear(c->folder, (int64_t)time(NULL) * US_PER_S);

	if (files > 0)
		log_info("files of applications emptied or removed files=%zu", files);
	if (cimer_folder_to_clear(c->folder))
		log_warn("a list in done cannot be emptied, it is tried again");
	c->clear_ms = now_ms + (uint64_t)(soon ? keep_ms : CLEAR_EVERY_MS);
}

static void
look(struct cimer *c, uint64_t now_ms)
{
	bool there = cimer_folder_look(c->folder, now_ms);
	const char *why = there ? NULL : strerror(errno);
	size_t waiting = cimer_folder_waiting(c->folder);

	tell_unreadable(c);
	if (cimer_folder_trouble(c->folder) != NULL)
		why = cimer_folder_trouble(c->folder);
	else if (there && waiting > 0)
		why = why_not(c);
	if (why == NULL && c->unreadable[0] != '\0')
		why = "a file may not be read";
	if (why == NULL && cimer_folder_failing(c->folder))
		why = "a file cannot be read, written or put away, the log says why";
	if (why == NULL && cimer_folder_to_clear(c->folder))
		why = "a list in done cannot be emptied";
	if (why == NULL && cimer_folder_rejected_waits(c->folder))
		why = "files in rejected wait for somebody";
	c->look_ms = now_ms + (uint64_t)c->in->config.cimer_look_ms;
	stats_set(c->in->stats, INTAKE_STAT_CIMER_WAITING, (int64_t)waiting);
	daemon_set_dependency(
	    c->in->daemon, c->dependency, why == NULL ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (there && (now_ms >= c->clear_ms || cimer_folder_to_clear(c->folder)))
		clear(c, now_ms);
}

static bool
begin_file(struct cimer *c, uint64_t now_ms)
{
	if (why_not(c) != NULL)
		return false;
	c->fd = cimer_folder_take(c->folder, now_ms, c->name, &c->file);
	if (c->fd == -1)
		return false;
	c->separator = 0;
	begin_again(c);
	return true;
}

static int64_t
tick(void *arg, uint64_t now_ms)
{
	struct cimer *c = arg;

	if (c->stopped)
		return -1;
	if (c->state == CIMER_READING) {
		read_on(c);
		return 0;
	}
	if (c->state == CIMER_IDLE) {
		if (now_ms >= c->look_ms)
			look(c, now_ms);
		if (begin_file(c, now_ms))
			return 0;
	}
	if (c->state != CIMER_IDLE)
		return -1; /* what is under way wakes us */
	return now_ms >= c->look_ms ? 0 : (int64_t)(c->look_ms - now_ms);
}

bool
cimer_open(struct intake *in)
{
	if (in->config.cimer_dir[0] == '\0')
		return true;
	struct cimer *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	in->cimer = c;
	c->in = in;
	c->fd = -1;
	if (!open_imports(in))
		return false;
	c->dependency = daemon_add_dependency(in->daemon, "cimer", false);
	c->folder = cimer_folder_create(
	    in->config.cimer_dir, (uint64_t)in->config.cimer_settle_ms, in->config.cimer_keep_ms);
	if (c->folder == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	daemon_add_part(in->daemon, (struct daemon_part){ "cimer", stop, busy, c });
	daemon_add_tick(in->daemon, tick, c);
	return true;
}
