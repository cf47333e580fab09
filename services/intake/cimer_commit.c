/* Writes the applications of a file that was read to its end, all of them or none. */
#include <stdlib.h>
#include <string.h>

#include "cimer_internal.h"
#include "clock.h"
#include "intake.h"
#include "log.h"
#include "number.h"
#include "store.h"

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
		cimer_wait_again(c, "it changed while it was read");
		return;
	}
	char *report = outcomes == NULL ? NULL : cimer_report_tickets(outcomes, count, &len);
	if (cimer_put_away(c, CIMER_DONE, report, len)) {
		count_rows(c, outcomes, count);
		stats_add_at(c->in->stats, INTAKE_STAT_CIMER_FILES, CIMER_FILES_DONE, 1);
		cimer_drop_file(c);
	}
	free(outcomes);
}

/* What no file can do anything about: lost and full systems, locks, settings, our own mistakes. */
static bool
may_pass(const char *sqlstate)
{
	static const char *const classes[] = { "08", "25", "40", "42", "53", "54", "55", "57", "58",
		"F0", "XX" };

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (strncmp(sqlstate, classes[i], 2) == 0)
			return true;
	}
	return false;
}

static void
on_refused(struct cimer *c, const struct db_reply *reply)
{
	static const struct cimer_words refused = {
		"Veri tabanı dosyayı kabul etmedi; dosyadan hiçbir başvuru alınmadı. Bilgi işlem "
		"birimi günlük kayıtlarına bakmalıdır.",
		"The record refused it; nothing of the file was taken. The log says why."
	};

	/* The constraint may be told, what it was about may not. */
	log_error("file of applications refused by the record file=%s sqlstate=%s constraint=%s",
	    log_quoted(c->name), reply->sqlstate, log_quoted(reply->constraint));
	if (may_pass(reply->sqlstate)
	    || cimer_folder_refused(c->folder, c->name) < CIMER_REFUSALS_MAX)
		cimer_fail_again(c, "the record refused it");
	else
		cimer_reject(c, refused, NULL, 0);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct cimer *c = arg;

	switch (reply->outcome) {
	case DB_COMMITTED:
		c->numbers.first += c->unknown_count;
		c->numbers.count -= c->unknown_count;
		on_taken(c, reply);
		break;
	case DB_FAILED:
		on_refused(c, reply);
		break;
	case DB_UNKNOWN:
		/* They may stand in the record. */
		c->numbers.count = 0;
		cimer_wait_again(c, "the record is away");
		break;
	case DB_NOT_SENT:
	default:
		cimer_wait_again(c, "the record is away");
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
write_file(struct cimer *c)
{
	size_t count;
	struct cimer_application **all = cimer_sheet_applications(c->sheet, &count);
	int64_t now_us = clock_now_us(), serial = c->numbers.first;
	bool sealed = true;

	for (size_t i = 0; i < count && sealed; i++) {
		if (all[i]->item.ticket_id == 0)
			all[i]->item.ticket_id = number_make(c->numbers.year, serial++);
		sealed = all[i]->item.ticket_id != 0
			 && item_seal(&all[i]->item, &c->in->maker, now_us);
	}
	struct db_unit *unit = sealed ? build_unit(c, all, count) : NULL;
	c->state = CIMER_WRITING;
	if (unit != NULL && db_submit(c->in->imports, unit, on_written, c))
		return;
	db_unit_destroy(unit);
	cimer_wait_again(c, sealed ? "the record is away" : "out of memory or ticket numbers");
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void
on_leased(void *arg, const struct db_reply *reply)
{
	struct cimer *c = arg;
	int year = c->numbers.year; /* it may be another one by now */

	if (reply->outcome != DB_COMMITTED) {
		cimer_wait_again(c, "the record is away");
		daemon_wake_now(c->in->daemon);
		return;
	}
	int64_t first = db_get_int(reply->results[0], 0, 0);
	if (!number_file_note_lease(c->in->number_file, year, first, (int32_t)c->unknown_count))
		log_error(
		    "the disk does not keep how far ticket numbers were leased year=%d", year);
	c->numbers = (struct cimer_numbers){ year, first, c->unknown_count };
	write_file(c);
	daemon_wake_now(c->in->daemon);
}

/* A file that is not written does not use up numbers: the next attempt takes the same. */
static void
lease(struct cimer *c)
{
	int year = number_year(clock_now_us());

	if (c->unknown_count == 0
	    || (c->numbers.year == year && c->numbers.count >= c->unknown_count)) {
		write_file(c);
		return;
	}
	struct db_unit *unit = db_unit_create(c->in->imports);
	db_unit_add(unit, STORE_LEASE);
	db_add_int4(unit, year);
	db_add_int4(unit, (int32_t)c->unknown_count);
	db_add_int8(unit, number_file_high_water(c->in->number_file, year));
	c->numbers = (struct cimer_numbers){ .year = year };
	c->state = CIMER_LEASING;
	if (db_submit(c->in->imports, unit, on_leased, c))
		return;
	db_unit_destroy(unit);
	cimer_wait_again(c, "the record is away");
}

/* Those that have a ticket keep it; what is there between now and writing finds its first answer
 * then, and costs a number. */
static void
on_known(void *arg, const struct db_reply *reply)
{
	struct cimer *c = arg;
	size_t count;
	struct cimer_application **all = cimer_sheet_applications(c->sheet, &count);

	if (reply->outcome != DB_COMMITTED) {
		cimer_wait_again(c, "the record is away");
		daemon_wake_now(c->in->daemon);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	c->unknown_count = (int64_t)count - db_rows(rows);
	for (int row = 0; row < db_rows(rows); row++)
		all[db_get_int(rows, row, 0) - 1]->item.ticket_id = db_get_int(rows, row, 1);
	lease(c);
	daemon_wake_now(c->in->daemon);
}

void
cimer_commit(struct cimer *c)
{
	size_t count;
	struct cimer_application **all = cimer_sheet_applications(c->sheet, &count);
	struct db_unit *unit = db_unit_create(c->in->imports);

	db_unit_add(unit, STORE_CIMER_KNOWN);
	db_add_text(unit, CIMER_CLIENT);
	db_add_text(unit, CIMER_SOURCE);
	struct db_array *references = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < count; i++)
		db_array_text(references, all[i]->item.id);
	c->state = CIMER_ASKING;
	if (db_submit(c->in->imports, unit, on_known, c))
		return;
	db_unit_destroy(unit);
	cimer_wait_again(c, "the record is away");
}
