/* Loads catalogue and rights from the record, and notices when they have changed. */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "registry_cache.h"

enum { RETRY_MS = 250, LEAST_MS = 20, DETAIL_BYTES = 256, LISTS = 3, PATH_BYTES = 1200 };

/* Column order of REGISTRY_GRANTS. */
enum grant_column {
	GRANT_NAME,
	GRANT_PUBLIC_KEY,
	GRANT_API_KEY_DIGEST,
	GRANT_VERBS,
	GRANT_SOURCES,
	GRANT_TYPES,
	GRANT_DEPARTMENTS,
	GRANT_PERSONAL,
	GRANT_MAX_EVENTS,
	GRANT_EXPIRES,
	GRANT_REVOKED,
};

struct registry {
	struct db *db;
	size_t first; /* our statements in its table */
	struct acl *acl;
	const struct registry_calls *calls;
	void *arg;
	struct catalogue *catalogue;
	struct registry_head head;
	uint64_t look_ms;
	bool rights_known; /* read at least once */
	bool loaded; /* rights and catalogue as of head.seq or later */
	bool renewed; /* asked for again while a question was under way */
	bool asking;
	bool asked_all; /* the question under way loads everything */
	bool wanted; /* look at the next tick */
	uint64_t next_look_ms;
	uint64_t asked_ms; /* when it last looked */
	char detail[DETAIL_BYTES];
	char cache[PATH_BYTES]; /* "": none */
};

struct registry *
registry_create(struct acl *acl, uint64_t look_ms, const struct registry_calls *calls, void *arg)
{
	struct registry *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->acl = acl;
	r->look_ms = look_ms;
	r->calls = calls;
	r->arg = arg;
	return r;
}

void
registry_destroy(struct registry *r)
{
	if (r == NULL)
		return;
	catalogue_destroy(r->catalogue);
	free(r);
}

void
registry_set_db(struct registry *r, struct db *db, size_t first_statement)
{
	r->db = db;
	r->first = first_statement;
}

bool
registry_rights_known(const struct registry *r)
{
	return r->rights_known;
}

const struct catalogue *
registry_catalogue(const struct registry *r)
{
	return r->catalogue;
}

const struct registry_head *
registry_head(const struct registry *r)
{
	return &r->head;
}

void
registry_renew(struct registry *r)
{
	r->loaded = false;
	r->renewed = true;
	r->wanted = true;
}

void
registry_look(struct registry *r)
{
	r->wanted = true;
}

/* --- rights ----------------------------------------------------------------------------------- */

/* The arrays of one row as NUL-terminated copies, which acl_replace() copies again. */
struct grant {
	const char **items[LISTS];
	char *text[LISTS];
};

static bool
copy_list(const struct pg_result *rows, int row, int column, const char ***ret_items,
    char **ret_text, size_t *ret_count)
{
	struct db_elements e = db_get_array(rows, row, column);
	size_t count = (size_t)e.left, bytes = 1, n = 0;
	struct db_elements again = e;

	while (db_next_element(&again))
		bytes += again.len + 1;
	*ret_items = calloc(count + 1, sizeof(**ret_items));
	*ret_text = malloc(bytes);
	if (*ret_items == NULL || *ret_text == NULL)
		return false;
	for (char *at = *ret_text; db_next_element(&e) && n < count; n++) {
		if (e.len > 0)
			memcpy(at, e.data, e.len);
		at[e.len] = '\0';
		(*ret_items)[n] = at;
		at += e.len + 1;
	}
	*ret_count = n;
	return true;
}

static unsigned
read_verbs(const struct pg_result *rows, int row)
{
	struct db_elements e = db_get_array(rows, row, GRANT_VERBS);
	unsigned verbs = 0;

	while (db_next_element(&e)) {
		char word[16] = "";
		if (e.data != NULL && e.len < sizeof(word))
			memcpy(word, e.data, e.len);
		verbs |= acl_verb_parse(word);
	}
	return verbs;
}

static bool
read_grant(const struct pg_result *rows, int row, struct acl_row *to, struct grant *lists,
    struct digest *api_key)
{
	static const int columns[LISTS] = { GRANT_SOURCES, GRANT_TYPES, GRANT_DEPARTMENTS };
	size_t counts[LISTS], len;

	for (size_t i = 0; i < LISTS; i++)
		if (!copy_list(
			rows, row, columns[i], &lists->items[i], &lists->text[i], &counts[i]))
			return false;
	const void *digest = db_is_null(rows, row, GRANT_API_KEY_DIGEST)
				 ? NULL
				 : db_get_bytea(rows, row, GRANT_API_KEY_DIGEST, &len);
	if (digest != NULL && len == DIGEST_BYTES)
		memcpy(api_key->bytes, digest, DIGEST_BYTES);
	*to = (struct acl_row){
		.name = db_get_text(rows, row, GRANT_NAME),
		.public_key = db_get_text_or_null(rows, row, GRANT_PUBLIC_KEY),
		.api_key = digest == NULL ? NULL : api_key,
		.verbs = read_verbs(rows, row),
		.sources = { lists->items[0], counts[0] },
		.types = { lists->items[1], counts[1] },
		.departments = { lists->items[2], counts[2] },
		.personal = (enum acl_personal)db_get_int(rows, row, GRANT_PERSONAL),
		.max_events = (uint32_t)db_get_int(rows, row, GRANT_MAX_EVENTS),
		.expires_us = db_is_null(rows, row, GRANT_EXPIRES)
				  ? 0
				  : db_get_int(rows, row, GRANT_EXPIRES),
		.revoked = db_get_bool(rows, row, GRANT_REVOKED),
	};
	return true;
}

static bool
load_grants(struct registry *r, const struct pg_result *rows)
{
	size_t count = (size_t)db_rows(rows);
	struct acl_row *acl_rows = calloc(count + 1, sizeof(*acl_rows));
	struct grant *lists = calloc(count + 1, sizeof(*lists));
	struct digest *api_keys = calloc(count + 1, sizeof(*api_keys));
	struct acl_complaint complaint = { .reason = "out of memory" };
	bool ok = acl_rows != NULL && lists != NULL && api_keys != NULL;

	for (size_t i = 0; ok && i < count; i++)
		ok = read_grant(rows, (int)i, &acl_rows[i], &lists[i], &api_keys[i]);
	if (ok)
		ok = acl_replace(r->acl, acl_rows, count, &complaint);
	/* A row that is not fit leaves the others in force and is told of. */
	if (!ok || complaint.skipped > 0)
		(void)snprintf(r->detail, sizeof(r->detail), "clients: %s (row %zu of %zu)",
		    complaint.reason, complaint.row, count);
	for (size_t i = 0; lists != NULL && i < count; i++)
		for (size_t l = 0; l < LISTS; l++) {
			free(lists[i].items[l]);
			free(lists[i].text[l]);
		}
	free(acl_rows);
	free(lists);
	free(api_keys);
	return ok;
}

/* --- catalogue -------------------------------------------------------------------------------- */

static bool
read_files(struct registry *r, const struct pg_result *rows, struct bundle *bundle)
{
	const char *why;

	if (db_rows(rows) == 0) {
		(void)snprintf(r->detail, sizeof(r->detail), "no configuration was applied yet");
		return false;
	}
	for (int i = 0; i < db_rows(rows); i++) {
		size_t len;
		const void *content = db_get_bytea(rows, i, 1, &len);
		if (bundle_add(bundle, db_get_text(rows, i, 0), content, len, &why))
			continue;
		(void)snprintf(r->detail, sizeof(r->detail), "configuration: %.160s", why);
		return false;
	}
	return true;
}

static bool
use_files(struct registry *r, const struct bundle *bundle)
{
	struct catalogue_report *report = calloc(1, sizeof(*report));
	struct catalogue *cat = report == NULL ? NULL : catalogue_parse(bundle, report);

	if (cat == NULL)
		(void)snprintf(r->detail, sizeof(r->detail), "configuration: %.64s %.160s",
		    report == NULL || report->kept == 0 ? "" : report->problems[0].file,
		    report == NULL      ? "out of memory"
		    : report->kept == 0 ? "not usable"
					: report->problems[0].reason);
	free(report);
	if (cat == NULL)
		return false;
	catalogue_destroy(r->catalogue);
	r->catalogue = cat;
	return true;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* True: the log has grown, or is another one. */
static bool
read_head(struct registry *r, const struct pg_result *rows)
{
	size_t len;

	if (db_rows(rows) == 0)
		return false;
	struct uuid log_id = db_get_uuid(rows, 0, 0);
	uint64_t seq = (uint64_t)db_get_int(rows, 0, 1);
	bool other = uuid_compare(&log_id, &r->head.log_uuid) != 0;
	if (!other && seq == r->head.seq)
		return false;
	r->head.log_uuid = log_id;
	uuid_format(&log_id, r->head.log_id);
	r->head.seq = seq;
	r->head.has_hash = false;
	if (!db_is_null(rows, 0, 2)) {
		const void *hash = db_get_bytea(rows, 0, 2, &len);
		r->head.has_hash = len == DIGEST_BYTES;
		memcpy(r->head.hash, hash, r->head.has_hash ? DIGEST_BYTES : 0);
	}
	if (other)
		r->loaded = false;
	return true;
}

static void
tell_news(struct registry *r)
{
	r->calls->on_news(r->arg, r->rights_known && r->catalogue != NULL, r->detail);
}

static void
on_loaded(struct registry *r, const struct db_reply *reply)
{
	const struct pg_result *files = reply->results[REGISTRY_CONFIG - 1];
	struct bundle bundle;

	r->detail[0] = '\0';
	bundle_init(&bundle);
	bool clients = load_grants(r, reply->results[REGISTRY_GRANTS - 1]);
	r->rights_known = r->rights_known || clients;
	bool usable = read_files(r, files, &bundle) && use_files(r, &bundle);
	/* A configuration that is not usable stays so until another is applied; none at all may
	 * come without a record when it is the first. */
	r->loaded = !r->renewed && clients && (usable || db_rows(files) > 0);
	if (clients && usable && r->cache[0] != '\0'
	    && !registry_cache_write(r->cache, &r->head, r->acl, &bundle))
		(void)snprintf(r->detail, sizeof(r->detail),
		    "the disk does not keep catalogue and rights for a start without the record");
	bundle_finish(&bundle);
	tell_news(r);
}

void
registry_use_cache(struct registry *r, const char *path)
{
	struct bundle bundle;

	if ((size_t)snprintf(r->cache, sizeof(r->cache), "%s", path) >= sizeof(r->cache)) {
		r->cache[0] = '\0';
		return;
	}
	r->detail[0] = '\0';
	bundle_init(&bundle);
	if (registry_cache_read(path, &r->head, r->acl, &bundle) && use_files(r, &bundle)) {
		r->rights_known = true;
		tell_news(r);
	}
	bundle_finish(&bundle);
}

static void ask(struct registry *r);

static void
on_answer(void *arg, const struct db_reply *reply)
{
	struct registry *r = arg;

	r->asking = false;
	if (reply->outcome != DB_COMMITTED) {
		if (!r->loaded) {
			(void)snprintf(r->detail, sizeof(r->detail), "not read yet");
			tell_news(r);
		}
		return;
	}
	bool grown = read_head(r, reply->results[0]);
	if (r->asked_all)
		on_loaded(r, reply);
	else if (db_get_bool(reply->results[1], 0, 0))
		r->loaded = false;
	bool changed = !r->asked_all && !r->loaded;
	if (grown && r->calls->on_head != NULL)
		r->calls->on_head(r->arg, &r->head);
	if (changed)
		ask(r);
}

static void
ask(struct registry *r)
{
	struct db_unit *unit = db_unit_create(r->db);

	r->asked_all = !r->loaded;
	r->renewed = false;
	r->wanted = false;
	/* The head before what may change after it. */
	db_unit_add(unit, r->first + REGISTRY_HEAD);
	if (r->asked_all) {
		db_unit_add(unit, r->first + REGISTRY_GRANTS);
		db_unit_add(unit, r->first + REGISTRY_CONFIG);
	} else {
		db_unit_add(unit, r->first + REGISTRY_CHANGES);
		db_add_int8(unit, (int64_t)r->head.seq);
	}
	r->asking = db_submit(r->db, unit, on_answer, r);
	if (!r->asking)
		db_unit_destroy(unit);
}

int64_t
registry_tick(struct registry *r, uint64_t now_ms)
{
	if (r->asking || db_state_now(r->db) != DB_READY)
		return RETRY_MS;
	uint64_t look_at_ms = r->next_look_ms;
	if (r->wanted)
		look_at_ms = r->loaded ? r->asked_ms + LEAST_MS : now_ms;
	if (now_ms < look_at_ms)
		return (int64_t)(look_at_ms - now_ms);
	r->asked_ms = now_ms;
	r->next_look_ms = now_ms + r->look_ms;
	ask(r);
	return (int64_t)r->look_ms;
}
