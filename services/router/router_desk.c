/* Opens and closes the desk and what it reads by. */
#include "router_desk.h"

#include <stdio.h>

#include "attachment.h"
#include "desk_store.h"
#include "http_common.h"
#include "log.h"
#include "search_store.h"

enum { COMPLAINT_BYTES = 300 };

void
router_desk_log_grew(struct router *r, uint64_t seq)
{
	desk_log_grew(r->desk, seq);
	search_index_grew(r->search_index, seq);
}

static void
on_desk_state(void *arg, enum db_state state, const char *why)
{
	struct router *r = arg;

	router_note_record(r, r->desk_state, state, "the desk", why);
}

static void
on_indexer_state(void *arg, enum db_state state, const char *why)
{
	struct router *r = arg;

	router_note_record(r, r->search_state, state, "the search", why);
	if (state == DB_READY)
		search_index_renew(r->search_index);
}

/* Each on connections of its own: what people look for waits for nobody, and nobody for it; nor are
 * a page's few milliseconds worth other processes.
 * timeout_ms 0: none. */
static struct db *
open_one(struct router *r, const char *name, const struct db_statement *statements, size_t count,
    int64_t connections, int64_t timeout_ms, void (*on_state)(void *, enum db_state, const char *))
{
	const struct router_config *c = &r->config;
	const struct db_events events = { .on_state = on_state, .arg = r };
	char options[96], complaint[COMPLAINT_BYTES] = "";
	const struct db_settings settings = {
		.conninfo = c->database,
		.password = c->database_password[0] == '\0' ? NULL : c->database_password,
		.application_name = name,
		.options = timeout_ms == 0 ? NULL : options,
		.connections = (unsigned)connections,
	};

	(void)snprintf(options, sizeof(options),
	    "-c statement_timeout=%lld -c max_parallel_workers_per_gather=0",
	    (long long)timeout_ms);
	struct db *db = db_open(daemon_loop(r->daemon), &settings, statements, count, &events,
	    complaint, sizeof(complaint));
	if (db == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return db;
}

static bool
open_record(struct router *r)
{
	const struct router_config *c = &r->config;

	r->desk_state = daemon_add_dependency(r->daemon, "record_desk", false);
	r->search_state = daemon_add_dependency(r->daemon, "record_search", false);
	r->desk_reader = open_one(r, "turunc-router-desk", desk_statements, DESK_STATEMENTS,
	    c->desk_connections, c->desk_timeout_ms, on_desk_state);
	if (r->desk_reader != NULL)
		r->searcher = open_one(r, "turunc-router-search", search_statements,
		    SEARCH_STATEMENTS, 1, c->search_timeout_ms, NULL);
	if (r->searcher != NULL)
		r->indexer = open_one(r, "turunc-router-index", search_statements,
		    SEARCH_STATEMENTS, 1, 0, on_indexer_state);
	return r->indexer != NULL;
}

/* --- on the loop ------------------------------------------------------------------------------ */

static int64_t
tick_desk(void *arg, uint64_t now_ms)
{
	return desk_tick(((struct router *)arg)->desk, now_ms);
}

static int64_t
tick_search(void *arg, uint64_t now_ms)
{
	return search_index_tick(((struct router *)arg)->search_index, now_ms);
}

static void
stop_search(void *arg)
{
	search_index_stop(((struct router *)arg)->search_index);
}

static bool
search_busy(void *arg)
{
	return search_index_busy(((const struct router *)arg)->search_index);
}

static void
wake(void *arg)
{
	daemon_wake_now(((struct router *)arg)->daemon);
}

static bool
open_people(struct router *r)
{
	const struct people_world world = {
		.daemon = r->daemon,
		.http = r->http,
		.prefix = "/desk/",
		.database = r->config.database,
		.database_password = r->config.database_password,
		.application_name = "turunc-router-people",
		.settings = &r->config.people,
	};

	r->people = people_open(&world);
	if (r->people != NULL)
		http_common_add_stats(r->pages, people_stats(r->people), NULL, NULL);
	return r->people != NULL;
}

/* Only if there is a folder.  It is intake's to look after: orphans of ours are found by it. */
static bool
open_attachments(struct router *r)
{
	char complaint[COMPLAINT_BYTES] = "";
	const struct attachments_options options = { .folder = r->config.attachments_dir,
		.max_bytes = (uint64_t)r->config.attachments_bytes,
		.guest = true,
		.step = FAILPOINT_ROUTER_EVIDENCE };

	if (options.folder[0] == '\0')
		return true;
	r->attachments = attachments_open(&options, complaint, sizeof(complaint));
	if (r->attachments == NULL)
		log_error("cannot start what=TURUNC_ATTACHMENTS_DIR why=%s", log_quoted(complaint));
	return r->attachments != NULL;
}

bool
router_desk_open(struct router *r)
{
	if (!open_record(r) || !open_people(r) || !open_attachments(r))
		return false;
	const struct desk_world desk = {
		.people = r->people,
		.commands = r->commands,
		.registry = r->registry,
		.reader = r->desk_reader,
		.searcher = r->searcher,
		.writer = r->writer,
		.ids = &r->ids,
		.attachments = r->attachments,
		.photo_limits = { (uint64_t)r->config.photo_bytes,
		    (uint64_t)r->config.photo_pixels },
	};
	const struct search_index_world search = { .db = r->indexer, .wake = wake, .arg = r };
	const struct daemon_part part = { "search", stop_search, search_busy, r };

	r->search_index = search_index_create(&search);
	r->desk = desk_create(&desk);
	if (r->search_index == NULL || r->desk == NULL || !desk_add_routes(r->desk, r->http)) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	http_common_add_stats(r->pages, desk_stats(r->desk), NULL, NULL);
	http_common_add_stats(
	    r->pages, search_index_stats(r->search_index), search_index_refresh, r->search_index);
	daemon_add_tick(r->daemon, tick_desk, r);
	daemon_add_tick(r->daemon, tick_search, r);
	daemon_add_part(r->daemon, part);
	return true;
}

void
router_desk_stop(struct router *r)
{
	db_close(r->desk_reader);
	db_close(r->searcher);
	db_close(r->indexer);
	people_stop(r->people);
}

void
router_desk_close(struct router *r)
{
	people_close(r->people);
	desk_destroy(r->desk);
	search_index_destroy(r->search_index);
	attachments_close(r->attachments);
}
