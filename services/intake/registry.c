/* Loads catalogue and rights from the record, and notices when they have changed. */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "log.h"
#include "store.h"

enum { LOOK_MS = 1000, DETAIL_BYTES = 256, LISTS = 3 };

struct registry {
	struct db *db;
	struct acl *acl;
	registry_news_fn *on_news;
	void *arg;
	struct catalogue *catalogue;
	struct registry_head head;
	bool loaded; /* rights and catalogue as of head.seq or later */
	bool asking;
	bool asked_all; /* the question under way loads everything */
	uint64_t next_look_ms;
	char detail[DETAIL_BYTES];
};

struct registry *
registry_create(struct acl *acl, registry_news_fn *on_news, void *arg)
{
	struct registry *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->acl = acl;
	r->on_news = on_news;
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
registry_set_db(struct registry *r, struct db *db)
{
	r->db = db;
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
	if (!ok || complaint.skipped > 0)
		(void)snprintf(r->detail, sizeof(r->detail), "clients: %zu left out, row %zu: %s",
		    complaint.skipped, complaint.row, complaint.reason);
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

static struct catalogue *
parse_files(struct registry *r, const struct pg_result *rows)
{
	struct bundle bundle;
	struct catalogue *cat = NULL;
	struct catalogue_report *report = calloc(1, sizeof(*report));
	const char *why = report == NULL ? "out of memory" : NULL;

	bundle_init(&bundle);
	for (int i = 0; why == NULL && i < db_rows(rows); i++) {
		size_t len;
		const void *content = db_get_bytea(rows, i, 1, &len);
		if (!bundle_add(&bundle, db_get_text(rows, i, 0), content, len, &why))
			break;
	}
	if (why == NULL)
		cat = catalogue_parse(&bundle, report);
	if (cat == NULL)
		(void)snprintf(r->detail, sizeof(r->detail), "configuration: %.64s %.160s",
		    why != NULL || report->kept == 0 ? "" : report->problems[0].file,
		    why != NULL         ? why
		    : report->kept == 0 ? "not usable"
					: report->problems[0].reason);
	bundle_finish(&bundle);
	free(report);
	return cat;
}

static bool
load_catalogue(struct registry *r, const struct pg_result *rows)
{
	if (db_rows(rows) == 0) {
		(void)snprintf(r->detail, sizeof(r->detail), "no configuration was applied yet");
		return false;
	}
	struct catalogue *cat = parse_files(r, rows);
	if (cat == NULL)
		return false;
	catalogue_destroy(r->catalogue);
	r->catalogue = cat;
	return true;
}

/* --- looking ---------------------------------------------------------------------------------- */

static void
read_head(struct registry *r, const struct pg_result *rows)
{
	size_t len;

	if (db_rows(rows) == 0)
		return;
	r->head.seq = (uint64_t)db_get_int(rows, 0, 0);
	const void *hash = db_get_bytea(rows, 0, 1, &len);
	r->head.has_hash = hash != NULL && len == DIGEST_BYTES;
	if (r->head.has_hash)
		memcpy(r->head.hash, hash, DIGEST_BYTES);
}

static void
on_loaded(struct registry *r, const struct db_reply *reply)
{
	if (db_rows(reply->results[0]) == 1) {
		struct uuid log_id = db_get_uuid(reply->results[0], 0, 0);
		uuid_format(&log_id, r->head.log_id);
	}
	read_head(r, reply->results[1]);
	r->detail[0] = '\0';
	bool clients = load_grants(r, reply->results[2]);
	bool catalogue = load_catalogue(r, reply->results[3]);
	/* A configuration that is not usable stays so until another is applied; none at all may
	 * come without a record when it is the first. */
	r->loaded = clients && (catalogue || db_rows(reply->results[3]) > 0);
	r->on_news(r->arg, r->catalogue != NULL, r->detail);
}

static void
on_answer(void *arg, const struct db_reply *reply)
{
	struct registry *r = arg;

	r->asking = false;
	if (reply->outcome != DB_COMMITTED) {
		if (!r->loaded) {
			(void)snprintf(r->detail, sizeof(r->detail), "not read yet");
			r->on_news(r->arg, r->catalogue != NULL, r->detail);
		}
		return;
	}
	if (r->asked_all) {
		on_loaded(r, reply);
		return;
	}
	read_head(r, reply->results[0]);
	if (db_get_int(reply->results[1], 0, 0) > 0) {
		r->loaded = false;
		r->next_look_ms = 0;
	}
}

static void
ask(struct registry *r)
{
	struct db_unit *unit = db_unit_create(r->db);

	r->asked_all = !r->loaded;
	if (r->asked_all) {
		db_unit_add(unit, STORE_HISTORY);
		db_unit_add(unit, STORE_HEAD); /* before what may change after it */
		db_unit_add(unit, STORE_GRANTS);
		db_unit_add(unit, STORE_CONFIG);
	} else {
		db_unit_add(unit, STORE_HEAD);
		db_unit_add(unit, STORE_CHANGES);
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
		return LOOK_MS / 4;
	if (now_ms < r->next_look_ms)
		return (int64_t)(r->next_look_ms - now_ms);
	r->next_look_ms = now_ms + LOOK_MS;
	ask(r);
	return LOOK_MS;
}
