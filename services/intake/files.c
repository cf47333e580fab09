/* Removes files that nothing in the record speaks of any more. */
#include "files.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "clock.h"
#include "intake.h"
#include "log.h"
#include "store.h"

enum {
	TICK_MS = 1000,
	LOOKING_TICK_MS = 50, /* while the folders are gone through, one by one */
	ERASED_EVERY_MS = 2000,
	STUCK_EVERY_MS = 20000, /* when something could not be removed */
	EXPIRE_EVERY_MS = 3600000,
	FOLDERS_A_TICK = 64, /* without anything old in them */
	NAMES_MAX = 256,
	MS_PER_S = 1000,
	US_PER_MS = 1000,
	PATH_BYTES = 1200,
	COMPLAINT_BYTES = 300,
};

struct files {
	struct intake *in;
	bool asking; /* one question at a time */
	uint64_t erased_ms; /* when to ask for erased ones, and to begin the next look */
	uint64_t look_ms;
	size_t stuck[2]; /* by why they should go: in this round, whose first is logged */
	bool erased_on; /* there were more: erased_after is the last that was dealt with */
	struct digest erased_after;
	unsigned folder; /* ATTACHMENT_FOLDERS: no look is under way */
	bool folder_on; /* in the middle of it, behind folder_after */
	struct digest folder_after;
	uint64_t expire_ms; /* when to look for what has been kept long enough */
	struct digest names[NAMES_MAX];
	size_t count;
};

void
files_folder(const struct intake *in, char *folder, size_t size)
{
	const struct intake_config *c = &in->config;

	if (c->attachments_dir[0] != '\0')
		(void)snprintf(folder, size, "%s", c->attachments_dir);
	else
		(void)snprintf(folder, size, "%s/attachments", c->state_dir);
}

struct files *
files_open(struct intake *in)
{
	const struct intake_config *c = &in->config;
	char folder[PATH_BYTES], complaint[COMPLAINT_BYTES] = "out of memory";
	struct files *f = calloc(1, sizeof(*f));

	files_folder(in, folder, sizeof(folder));
	const struct attachments_options options = { .folder = folder,
		.max_bytes = (uint64_t)c->attachments_bytes,
		.draft_bytes = (uint64_t)(c->attachments_bytes / 100 * c->attachments_mail_percent),
		.step = FAILPOINT_INTAKE_ATTACHMENT };
	if (f != NULL)
		in->attachments = attachments_open(&options, complaint, sizeof(complaint));
	if (in->attachments == NULL) {
		log_error("cannot start what=TURUNC_ATTACHMENTS_DIR why=%s", log_quoted(complaint));
		free(f);
		return NULL;
	}
	f->in = in;
	return f;
}

void
files_close(struct files *f)
{
	if (f == NULL)
		return;
	attachments_close(f->in->attachments);
	f->in->attachments = NULL;
	free(f);
}

void
intake_settle_photos(
    struct intake *in, struct photos *photos, const struct item *item, enum item_outcome outcome)
{
	/* What may yet surface keeps its files; if it does not, they go as orphans. */
	bool stay = item_keeps_files(item, outcome);

	stats_add_at(in->stats, INTAKE_STAT_PHOTOS, stay ? PHOTOS_STORED : PHOTOS_DROPPED,
	    photos->stored_count);
	if (!stay)
		photos_drop(photos);
}

/* True: it is gone. */
static bool
drop(struct files *f, const struct digest *digest, size_t why)
{
	if (attachments_remove(f->in->attachments, digest)) {
		stats_add_at(f->in->stats, INTAKE_STAT_FILES_REMOVED, why, 1);
		return true;
	}
	if (f->stuck[why]++ == 0)
		log_warn("a file cannot be removed, it will be tried again why=%s",
		    log_quoted(strerror(errno)));
	stats_add_at(f->in->stats, INTAKE_STAT_FILES_STUCK, why, 1);
	return false;
}

static bool
take_digest(const struct pg_result *rows, int row, struct digest *ret)
{
	size_t len;
	const void *data = db_get_bytea(rows, row, 0, &len);

	if (len != sizeof(ret->bytes))
		return false;
	memcpy(ret->bytes, data, len);
	return true;
}

static bool
is_among(const struct files *f, const struct digest *digest)
{
	for (size_t i = 0; i < f->count; i++)
		if (digest_equal(&f->names[i], digest))
			return true;
	return false;
}

static void
add_names(struct db_unit *unit, const struct files *f)
{
	struct db_array *names = db_add_array(unit, DB_BYTEA);

	for (size_t i = 0; i < f->count; i++)
		db_array_bytea(names, f->names[i].bytes, sizeof(f->names[i].bytes));
}

/* What could not be removed is not tried more often than orphans are looked for. */
static uint64_t
stuck_every_ms(const struct files *f)
{
	uint64_t look_ms = (uint64_t)f->in->config.look_ms;

	return look_ms < ERASED_EVERY_MS  ? ERASED_EVERY_MS
	       : look_ms < STUCK_EVERY_MS ? look_ms
					  : STUCK_EVERY_MS;
}

/* --- erased -------------------------------------------------------------------------------------
 */

static void
on_forgotten(void *arg, const struct db_reply *reply)
{
	struct files *f = arg;

	f->asking = false;
	if (reply->outcome != DB_COMMITTED)
		log_warn("files of erased rows are removed, and will be looked at again why=%s",
		    log_quoted(reply->message));
}

static void
on_erased(void *arg, const struct db_reply *reply)
{
	struct files *f = arg;
	struct digest digest;

	f->asking = false;
	f->count = 0;
	if (reply->outcome != DB_COMMITTED)
		return;
	if (!f->erased_on)
		f->stuck[FILES_ERASED] = 0;
	int rows = db_rows(reply->results[0]);
	for (int row = 0; row < rows && f->count < NAMES_MAX; row++) {
		if (!take_digest(reply->results[0], row, &digest))
			continue;
		f->erased_after = digest;
		if (drop(f, &digest, FILES_ERASED))
			f->names[f->count++] = digest;
	}
	/* What cannot be removed keeps its name there and nobody behind it from their turn. */
	f->erased_on = rows >= NAMES_MAX;
	if (f->stuck[FILES_ERASED] > 0 && !f->erased_on)
		f->erased_ms += stuck_every_ms(f) - ERASED_EVERY_MS;
	if (f->count == 0)
		return;
	struct db_unit *unit = db_unit_create(f->in->writer);
	db_unit_add(unit, STORE_FILE_FORGET);
	add_names(unit, f);
	f->asking = db_submit(f->in->writer, unit, on_forgotten, f);
	if (!f->asking)
		db_unit_destroy(unit);
}

static void
ask_erased(struct files *f)
{
	struct db_unit *unit = db_unit_create(f->in->reader);

	db_unit_add(unit, STORE_FILES_ERASED);
	db_add_bytea(unit, f->erased_after.bytes, f->erased_on ? sizeof(f->erased_after.bytes) : 0);
	f->asking = db_submit(f->in->reader, unit, on_erased, f);
	if (!f->asking)
		db_unit_destroy(unit);
}

/* --- kept long enough --------------------------------------------------------------------------
 */

static void
on_expired(void *arg, const struct db_reply *reply)
{
	struct files *f = arg;

	f->asking = false;
	if (reply->outcome != DB_COMMITTED) {
		log_warn("old mails of machines stay, and will be looked at again why=%s",
		    log_quoted(reply->message));
		return;
	}
	int64_t expired = db_get_int(reply->results[0], 0, 0);
	if (expired > 0)
		log_info("old mails of machines are over mails=%lld", (long long)expired);
	stats_add_at(f->in->stats, INTAKE_STAT_MACHINE_RAW, MACHINE_RAW_EXPIRED, (uint64_t)expired);
	if (expired == NAMES_MAX)
		f->expire_ms = 0; /* there are more */
}

static void
ask_expired(struct files *f, uint64_t now_ms)
{
	const struct intake_config *c = &f->in->config;
	int64_t now_us = clock_now_us();
	struct db_unit *unit = db_unit_create(f->in->writer);

	f->expire_ms = now_ms
		       + (c->look_ms < EXPIRE_EVERY_MS ? (uint64_t)c->look_ms : EXPIRE_EVERY_MS);
	db_unit_add(unit, STORE_MACHINE_EXPIRE);
	db_add_int8(unit, now_us - c->machine_keep_ms * US_PER_MS);
	db_add_int8(unit, now_us);
	db_add_int4(unit, NAMES_MAX);
	f->asking = db_submit(f->in->writer, unit, on_expired, f);
	if (!f->asking)
		db_unit_destroy(unit);
}

/* --- orphans ------------------------------------------------------------------------------------
 */

/* An item under way or spooled has files and no row yet; so may one in a spool that failed, until
 * it has been opened anew. */
static bool
all_is_told(const struct intake *in)
{
	return accept_held(in->accept) == 0
	       && (in->spool == NULL
		   || (spool_takes(in->spool) && spool_count(in->spool) == 0
		       && spool_set_aside_count(in->spool) == 0 && spool_damaged(in->spool) == 0));
}

static void
on_known(void *arg, const struct db_reply *reply)
{
	struct files *f = arg;
	struct digest digest;
	struct files known = { 0 };

	f->asking = false;
	if (reply->outcome != DB_COMMITTED || !all_is_told(f->in))
		return;
	for (int row = 0; row < db_rows(reply->results[0]) && known.count < NAMES_MAX; row++)
		if (take_digest(reply->results[0], row, &digest))
			known.names[known.count++] = digest;
	for (size_t i = 0; i < f->count; i++)
		if (!is_among(&known, &f->names[i]) && drop(f, &f->names[i], FILES_ORPHAN))
			log_info("a file that no row speaks of is removed");
	f->folder_on = f->count == NAMES_MAX;
	if (f->folder_on)
		f->folder_after = f->names[f->count - 1];
	else
		f->folder++;
}

/* The next folders, up to one that has something old in it; that one is done when the record has
 * said what it knows, part by part. */
static void
look(struct files *f)
{
	int64_t before_s = (int64_t)time(NULL) - f->in->config.orphan_age_ms / MS_PER_S;
	unsigned looked = 0;

	f->count = 0;
	while (f->folder < ATTACHMENT_FOLDERS && looked++ < FOLDERS_A_TICK) {
		f->count = attachments_list_old(f->in->attachments, f->folder, before_s,
		    f->folder_on ? &f->folder_after : NULL, f->names, NAMES_MAX);
		if (f->count > 0)
			break;
		f->folder++;
		f->folder_on = false;
	}
	if (f->count == 0)
		return;
	struct db_unit *unit = db_unit_create(f->in->reader);
	db_unit_add(unit, STORE_FILES_KNOWN);
	add_names(unit, f);
	f->asking = db_submit(f->in->reader, unit, on_known, f);
	if (!f->asking)
		db_unit_destroy(unit);
}

int64_t
files_tick(struct files *f, uint64_t now_ms)
{
	const struct intake *in = f->in;

	stats_set(in->stats, INTAKE_STAT_FILES_BYTES, (int64_t)attachments_bytes(in->attachments));
	stats_set(in->stats, INTAKE_STAT_FILES, (int64_t)attachments_count(in->attachments));
	if (db_state_now(in->reader) != DB_READY || db_state_now(in->writer) != DB_READY)
		return TICK_MS;
	if (f->folder == ATTACHMENT_FOLDERS && now_ms >= f->look_ms) {
		f->look_ms = now_ms + (uint64_t)in->config.look_ms;
		f->folder = 0;
		f->stuck[FILES_ORPHAN] = 0;
	}
	int64_t wait_ms = f->folder < ATTACHMENT_FOLDERS ? LOOKING_TICK_MS : TICK_MS;
	if (f->asking)
		return wait_ms;
	if (now_ms >= f->erased_ms) {
		f->erased_ms = now_ms + ERASED_EVERY_MS;
		ask_erased(f);
	} else if (now_ms >= f->expire_ms) {
		ask_expired(f, now_ms);
	} else if (f->folder < ATTACHMENT_FOLDERS) {
		if (all_is_told(in))
			look(f);
		else
			wait_ms = TICK_MS;
	}
	return wait_ms;
}
