/* Reads, commits and puts away files of applications, one after the other. */
#include "cimer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cimer_folder.h"
#include "cimer_report.h"
#include "cimer_sheet.h"
#include "clock.h"
#include "intake.h"
#include "istanbul.h"
#include "log.h"
#include "number.h"
#include "store.h"
#include "table.h"

enum {
	STEPS_A_TURN = 1,
	CLEAR_EVERY_MS = 3600000,
	UNIT_BYTES_FOR_TEXT = 4, /* a unit holds a text, its arrays and the records */
	UNIT_BYTES_MIN = 8 * 1024 * 1024,
	COMPLAINT_BYTES = 300,
};

enum state { IDLE, READING, LEASING, WRITING };

struct cimer {
	struct intake *in;
	struct cimer_folder *folder;
	unsigned dependency;
	bool stopped;
	char unreadable[CIMER_NAME_BYTES]; /* the file that was told of last */
	uint64_t look_ms; /* when to look again */
	uint64_t clear_ms;
	enum state state;
	/* the file in hand */
	char name[CIMER_NAME_BYTES];
	struct stat file;
	int fd;
	size_t separator; /* of those tried */
	struct table *table;
	struct cimer_sheet *sheet;
	const struct catalogue *cat; /* what the sheet lends from */
	char digest[sizeof(((struct catalogue *)NULL)->digest)]; /* cat's */
};

/* As people save them here, the likeliest first. */
static const char separators[] = { ';', ',', '\t' };

/* --- its own way to the record
 * ---------------------------------------------------------------------------------- */

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

static void
drop_file(struct cimer *c)
{
	table_destroy(c->table);
	c->table = NULL;
	cimer_sheet_destroy(c->sheet);
	c->sheet = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = IDLE;
}

void
cimer_close(struct cimer *c)
{
	if (c == NULL)
		return;
	drop_file(c);
	cimer_folder_destroy(c->folder);
	free(c);
}

static void
stop(void *arg)
{
	struct cimer *c = arg;

	c->stopped = true;
	if (c->state == READING)
		drop_file(c);
}

static bool
busy(void *arg)
{
	const struct cimer *c = arg;

	return c->state == LEASING || c->state == WRITING;
}

/* --- how a file ends -------------------------------------------------------------------------- */

/* It stays where it is, and is read again from its beginning. */
static void
wait_again(struct cimer *c, const char *why)
{
	log_warn("file of applications waits file=%s why=%s", log_quoted(c->name), log_quoted(why));
	stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_WAITED, 1);
	cimer_folder_wait(
	    c->folder, c->name, clock_monotonic_ms() + (uint64_t)c->in->config.cimer_look_ms);
	drop_file(c);
}

/* False: the report could not be made, or the file not be moved. */
static bool
put_away(struct cimer *c, enum cimer_place place, char *report, size_t len)
{
	bool moved = report != NULL && cimer_folder_move(c->folder, c->name, place, report, len);

	if (!moved) {
		const char *why = report == NULL ? "out of memory" : strerror(errno);
		daemon_set_dependency(c->in->daemon, c->dependency, DEPENDENCY_DOWN, why);
		wait_again(c, why);
	}
	free(report);
	return moved;
}

static void
reject(struct cimer *c, struct cimer_words words, const struct cimer_words *field, int line)
{
	size_t len = 0;
	char *report = cimer_report_errors(c->sheet, words, field, line, &len);

	if (!cimer_folder_unchanged(c->folder, c->fd, c->name, &c->file)) {
		free(report);
		wait_again(c, "it changed while it was read");
		return;
	}
	if (!put_away(c, CIMER_REJECTED, report, len))
		return;
	log_warn("file of applications rejected file=%s line=%d errors=%zu why=%s",
	    log_quoted(c->name), line, c->sheet == NULL ? 0 : cimer_sheet_error_count(c->sheet),
	    log_quoted(words.en));
	stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_REJECTED, 1);
	if (c->sheet != NULL)
		stats_add_at(c->in->stats, INTAKE_STAT_CIMER_ROWS, CIMER_ROWS_WRONG,
		    cimer_sheet_error_count(c->sheet));
	drop_file(c);
}

static void
count_rows(struct cimer *c, const struct cimer_outcome *outcomes, size_t count)
{
	size_t by[CIMER_AS_COUNT] = { 0 };

	for (size_t i = 0; i < count; i++)
		by[outcomes[i].as]++;
	for (size_t as = 0; as < CIMER_AS_COUNT; as++)
		stats_add_at(c->in->stats, INTAKE_STAT_CIMER_ROWS, as, by[as]);
	log_info("file of applications taken file=%s rows=%zu opened=%zu known=%zu differ=%zu",
	    log_quoted(c->name), count, by[CIMER_AS_OPENED], by[CIMER_AS_KNOWN],
	    by[CIMER_AS_DIFFERENT]);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* What became of each row: repeats say so, the others were opened. */
static struct cimer_outcome *
read_outcomes(struct cimer *c, const struct pg_result *rows, uint64_t *ret_seq)
{
	size_t count;
	struct cimer_application **all = cimer_sheet_applications(c->sheet, &count);
	struct cimer_outcome *outcomes = calloc(count, sizeof(*outcomes));

	for (size_t i = 0; outcomes != NULL && i < count; i++)
		outcomes[i] = (struct cimer_outcome){ all[i]->line, all[i]->item.id,
			all[i]->item.ticket_id, CIMER_AS_OPENED };
	for (int row = 0; row < db_rows(rows); row++) {
		int64_t place = db_get_int(rows, row, 0);
		int64_t ticket_id = db_is_null(rows, row, 1) ? 0 : db_get_int(rows, row, 1);
		if (place == 0) {
			*ret_seq = (uint64_t)ticket_id;
		} else if (outcomes != NULL) {
			struct cimer_outcome *o = &outcomes[place - 1];
			o->ticket_id = ticket_id;
			o->as = db_get_bool(rows, row, 2) ? CIMER_AS_KNOWN : CIMER_AS_DIFFERENT;
		}
	}
	return outcomes;
}

static void
on_taken(struct cimer *c, const struct db_reply *reply)
{
	uint64_t seq = 0;
	size_t count, len = 0;
	struct cimer_outcome *outcomes = read_outcomes(
	    c, reply->results[reply->result_count - 1], &seq);

	(void)cimer_sheet_applications(c->sheet, &count);
	if (outcomes != NULL) {
		size_t opened = 0;
		for (size_t i = 0; i < count; i++)
			opened += outcomes[i].as == CIMER_AS_OPENED;
		intake_accept_calls.on_commit(c->in, seq, opened, count - opened);
	}
	if (!cimer_folder_unchanged(c->folder, c->fd, c->name, &c->file)) {
		/* What was added is read with the rest, which is then known. */
		free(outcomes);
		wait_again(c, "it changed while it was read");
		return;
	}
	char *report = outcomes == NULL ? NULL : cimer_report_tickets(outcomes, count, &len);
	if (put_away(c, CIMER_DONE, report, len)) {
		count_rows(c, outcomes, count);
		stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_DONE, 1);
		drop_file(c);
	}
	free(outcomes);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct cimer *c = arg;

	switch (reply->outcome) {
	case DB_COMMITTED:
		on_taken(c, reply);
		break;
	case DB_FAILED:
		/* The constraint may be told, what it was about may not. */
		log_error("file of applications refused by the record file=%s sqlstate=%s "
			  "constraint=%s",
		    log_quoted(c->name), reply->sqlstate, log_quoted(reply->constraint));
		wait_again(c, "the record refused it");
		break;
	case DB_UNKNOWN:
	case DB_NOT_SENT:
	default:
		wait_again(c, "the record is away");
	}
	daemon_wake_now(c->in->daemon);
}

static struct db_unit *
build_unit(struct cimer *c, struct cimer_application **all, size_t count)
{
	struct db_unit *unit = db_unit_create(c->in->imports);
	struct item **items = calloc(count, sizeof(struct item *));
	int64_t now_us = clock_now_us();

	if (items == NULL) {
		db_unit_destroy(unit);
		return NULL;
	}
	db_unit_add(unit, STORE_CIMER);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	struct db_array *references = db_add_array(unit, DB_TEXT);
	struct db_array *kinds = db_add_array(unit, DB_TEXT);
	struct db_array *units = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < count; i++) {
		items[i] = &all[i]->item;
		db_array_int8(tickets, items[i]->ticket_id);
		db_array_text(references, items[i]->id);
		db_array_text(kinds, all[i]->kind == NULL ? "" : all[i]->kind);
		db_array_text(units, all[i]->unit == NULL ? "" : all[i]->unit);
	}
	db_add_int8(unit, now_us);
	store_add_accept(unit, now_us, items, count);
	free(items);
	return unit;
}

static void
write_file(struct cimer *c, int year, int64_t first_serial)
{
	size_t count;
	struct cimer_application **all = cimer_sheet_applications(c->sheet, &count);
	int64_t now_us = clock_now_us();
	bool sealed = true;

	for (size_t i = 0; i < count && sealed; i++) {
		all[i]->item.ticket_id = number_make(year, first_serial + (int64_t)i);
		sealed = all[i]->item.ticket_id != 0
			 && item_seal(&all[i]->item, &c->in->maker, now_us);
	}
	struct db_unit *unit = sealed ? build_unit(c, all, count) : NULL;
	c->state = WRITING;
	if (unit != NULL && db_submit(c->in->imports, unit, on_written, c))
		return;
	db_unit_destroy(unit);
	wait_again(c, sealed ? "the record is away" : "out of memory or ticket numbers");
}

static void
on_leased(void *arg, const struct db_reply *reply)
{
	struct cimer *c = arg;
	int year = number_year(clock_now_us());
	size_t count;

	if (reply->outcome != DB_COMMITTED) {
		wait_again(c, "the record is away");
		daemon_wake_now(c->in->daemon);
		return;
	}
	(void)cimer_sheet_applications(c->sheet, &count);
	int64_t first = db_get_int(reply->results[0], 0, 0);
	if (!number_file_note_lease(c->in->number_file, year, first, (int32_t)count))
		log_error(
		    "the disk does not keep how far ticket numbers were leased year=%d", year);
	write_file(c, year, first);
	daemon_wake_now(c->in->daemon);
}

/* A number for each row; those of rows that turn out to be known are passed over. */
static void
lease(struct cimer *c)
{
	size_t count;
	int year = number_year(clock_now_us());
	struct db_unit *unit = db_unit_create(c->in->imports);

	(void)cimer_sheet_applications(c->sheet, &count);
	db_unit_add(unit, STORE_LEASE);
	db_add_int4(unit, year);
	db_add_int4(unit, (int32_t)count);
	db_add_int8(unit, number_file_high_water(c->in->number_file, year));
	c->state = LEASING;
	if (db_submit(c->in->imports, unit, on_leased, c))
		return;
	db_unit_destroy(unit);
	wait_again(c, "the record is away");
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool
begin_reading(struct cimer *c)
{
	const struct intake_config *config = &c->in->config;
	const struct table_limits limits = { (uint64_t)config->cimer_file_bytes,
		(uint64_t)config->cimer_unpacked_bytes, (size_t)config->cimer_string_bytes };
	const struct cimer_limits sheet_limits = { (size_t)config->cimer_rows,
		(size_t)config->cimer_text_bytes };

	table_destroy(c->table);
	cimer_sheet_destroy(c->sheet);
	c->table = table_open(c->fd, &limits, separators[c->separator]);
	c->cat = registry_catalogue(c->in->registry);
	memcpy(c->digest, c->cat->digest, sizeof(c->digest));
	c->sheet = cimer_sheet_create(c->cat, &c->in->maker, &sheet_limits, clock_now_us());
	c->state = READING;
	return c->table != NULL && c->sheet != NULL;
}

/* Another separator may find the header that this one has not. */
static bool
try_another(struct cimer *c)
{
	if (cimer_sheet_has_header(c->sheet) || table_is_workbook(c->table)
	    || c->separator + 1 == ARRAY_LEN(separators))
		return false;
	switch (table_problem(c->table)) {
	case TABLE_FINE:
	case TABLE_QUOTE_OPEN:
	case TABLE_QUOTE_INSIDE:
	case TABLE_ROW_BYTES:
	case TABLE_COLUMNS:
		c->separator++;
		return begin_reading(c);
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
	enum table_problem problem = table_problem(c->table);

	if (try_another(c))
		return;
	if (problem == TABLE_UNREADABLE || fault == CIMER_NO_MEMORY) {
		wait_again(c, cimer_words_of_table(TABLE_UNREADABLE).en);
	} else if (problem != TABLE_FINE) {
		reject(c, cimer_words_of_table(problem), NULL, table_problem_line(c->table));
	} else if (fault != CIMER_SOUND) {
		struct cimer_words field = cimer_words_of_field(cimer_sheet_fault_field(c->sheet));
		bool names = fault == CIMER_NO_HEADER || fault == CIMER_COLUMN_TWICE;
		reject(c, cimer_words_of_fault(fault), names ? &field : NULL, 0);
	} else if (cimer_sheet_error_count(c->sheet) > 0) {
		reject(c, rows_wrong, NULL, 0);
	} else {
		lease(c);
	}
}

/* What the sheet lends from is gone when another configuration came into force; the new one may
 * stand where the old one was. */
static bool
same_catalogue(const struct cimer *c)
{
	const struct catalogue *cat = registry_catalogue(c->in->registry);

	return cat == c->cat && strcmp(cat->digest, c->digest) == 0;
}

static void
read_on(struct cimer *c)
{
	if (!same_catalogue(c)) {
		c->separator = 0;
		if (!begin_reading(c))
			wait_again(c, "out of memory");
		return;
	}
	for (unsigned step = 0; step < STEPS_A_TURN; step++) {
		/* A workbook says so in a part that is read before its rows. */
		cimer_sheet_days_from_1904(c->sheet, table_from_1904(c->table));
		if (table_step(c->table, cimer_sheet_row, c->sheet) != TABLE_MORE) {
			decide(c);
			return;
		}
	}
}

/* --- the folder ------------------------------------------------------------------------------- */

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
look(struct cimer *c, uint64_t now_ms)
{
	bool there = cimer_folder_look(c->folder, now_ms);
	const char *why = there ? why_not(c) : strerror(errno);
	size_t waiting = cimer_folder_waiting(c->folder);

	tell_unreadable(c);
	if (there && why == NULL && c->unreadable[0] != '\0')
		why = "a file may not be read";
	c->look_ms = now_ms + (uint64_t)c->in->config.cimer_look_ms;
	stats_set(c->in->stats, INTAKE_STAT_CIMER_WAITING, (int64_t)waiting);
	daemon_set_dependency(c->in->daemon, c->dependency,
	    there && (why == NULL || waiting == 0) ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (there && c->in->config.cimer_keep_ms > 0 && now_ms >= c->clear_ms) {
		size_t removed = cimer_folder_clear(
		    c->folder, c->in->config.cimer_keep_ms, (int64_t)time(NULL) * US_PER_S);
		if (removed > 0)
			log_info("old files of applications removed files=%zu", removed);
		c->clear_ms = now_ms + CLEAR_EVERY_MS;
	}
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
	if (!begin_reading(c))
		wait_again(c, "out of memory");
	return true;
}

static int64_t
tick(void *arg, uint64_t now_ms)
{
	struct cimer *c = arg;

	if (c->stopped)
		return -1;
	if (c->state == READING) {
		read_on(c);
		return 0;
	}
	if (c->state == IDLE) {
		if (now_ms >= c->look_ms)
			look(c, now_ms);
		if (begin_file(c, now_ms))
			return 0;
	}
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
	c->folder = cimer_folder_create(in->config.cimer_dir, (uint64_t)in->config.cimer_settle_ms);
	if (c->folder == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	daemon_add_part(in->daemon, (struct daemon_part){ "cimer", stop, busy, c });
	daemon_add_tick(in->daemon, tick, c);
	return true;
}
