/* Opens and closes everything the router owns, and ties the parts to the loop. */
#include "router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus_metrics.h"
#include "clock.h"
#include "digest.h"
#include "http_common.h"
#include "log.h"
#include "router_desk.h"
#include "router_stats.h"
#include "store.h"

enum { PATH_BYTES = 1200, COMPLAINT_BYTES = 300 };

/* How long readers wait for what routing makes of a record that somebody else appended. */
enum { FOLLOW_MS = 5, IDLE_MS = 1000 };

static void
log_grew(struct router *r, uint64_t seq)
{
	if (seq <= r->head_seq)
		return;
	r->head_seq = seq;
	routing_log_grew(r->routing, seq);
	router_desk_log_grew(r, seq);
	daemon_wake_now(r->daemon);
}

void
router_log_grew(struct router *r, uint64_t seq)
{
	stream_log_grew(r->stream, registry_head(r->registry)->log_id, seq);
	log_grew(r, seq);
}

/* Most readers wait for what routing makes of what others append: one page then holds both. */
static void
log_grew_elsewhere(struct router *r, uint64_t seq)
{
	if (seq > r->head_seq && r->follow_ms == 0)
		r->follow_ms = clock_monotonic_ms() + FOLLOW_MS;
	log_grew(r, seq);
}

static int64_t
tick_following(void *arg, uint64_t now_ms)
{
	struct router *r = arg;

	if (r->follow_ms == 0)
		return IDLE_MS;
	if (routing_place(r->routing) < r->head_seq && now_ms < r->follow_ms)
		return (int64_t)(r->follow_ms - now_ms);
	r->follow_ms = 0;
	router_log_grew(r, r->head_seq);
	return IDLE_MS;
}

/* --- the record ------------------------------------------------------------------------------- */

/* Steps are written by one, the log is read by the other; each comes back in its own time. */
void
router_note_record(
    struct router *r, unsigned dependency, enum db_state state, const char *what, const char *why)
{
	daemon_set_dependency(
	    r->daemon, dependency, state == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (state == DB_READY)
		log_info("record reached for=%s", what);
	else
		log_warn("record away, waiting for=%s why=%s", what, log_quoted(why));
	daemon_wake_now(r->daemon);
}

static void
on_writer_state(void *arg, enum db_state state, const char *why)
{
	struct router *r = arg;

	router_note_record(r, r->record_state, state, "writing", why);
	if (state == DB_READY)
		routing_renew(r->routing, r->head_seq);
}

static void
on_reader_state(void *arg, enum db_state state, const char *why)
{
	struct router *r = arg;

	router_note_record(r, r->reading_state, state, "reading", why);
	if (state == DB_READY)
		registry_renew(r->registry);
}

static void
on_slow(void *arg, uint64_t age_ms)
{
	(void)arg;
	log_warn("record slow, waiting age_ms=%llu", (unsigned long long)age_ms);
}

static bool
open_record(struct router *r)
{
	const struct router_config *c = &r->config;
	char complaint[COMPLAINT_BYTES] = "";
	struct db_settings settings = {
		.conninfo = c->database,
		.password = c->database_password[0] == '\0' ? NULL : c->database_password,
		.application_name = "turunc-router",
		.waiting_ms =
		    (uint64_t)c->wait_ms, /* a command that was sent too late waits no longer */
		.watchdog_sql = "SELECT turunc.release_stuck_log_lock()",
	};
	const struct db_events writer_events = {
		.on_state = on_writer_state, .on_slow = on_slow, .arg = r
	};
	const struct db_events reader_events = { .on_state = on_reader_state, .arg = r };

	r->writer = db_open(daemon_loop(r->daemon), &settings, store_statements, STORE_STATEMENTS,
	    &writer_events, complaint, sizeof(complaint));
	settings.connections = (unsigned)c->read_connections;
	settings.waiting_ms = 0;
	settings.watchdog_sql = NULL;
	if (r->writer != NULL)
		r->reader = db_open(daemon_loop(r->daemon), &settings, store_statements,
		    STORE_STATEMENTS, &reader_events, complaint, sizeof(complaint));
	if (r->reader == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return r->reader != NULL;
}

/* Its clients' rights are known, so they need not be turned away. */
static void
open_doors(struct router *r)
{
	bool listening = registry_rights_known(r->registry) && bus_door_listen(r->door)
			 && doorbell_listen(r->bell);

	daemon_set_dependency(r->daemon, r->door_state,
	    listening ? DEPENDENCY_UP : DEPENDENCY_STARTING,
	    listening ? NULL : "not listening yet");
}

static void
on_registry_news(void *arg, bool usable, const char *detail)
{
	struct router *r = arg;

	daemon_set_dependency(
	    r->daemon, r->catalogue_state, usable ? DEPENDENCY_UP : DEPENDENCY_STARTING, detail);
	if (detail[0] == '\0')
		log_info("catalogue and rights loaded subjects=%zu clients=%zu",
		    registry_catalogue(r->registry)->subject_count, acl_count(r->acl));
	else
		log_warn("catalogue or rights not as wanted, the former stay in force why=%s",
		    log_quoted(detail));
	open_doors(r);
	stream_rights_changed(r->stream);
}

static void
on_registry_head(void *arg, const struct registry_head *head)
{
	struct router *r = arg;

	if (uuid_compare(&head->log_uuid, &r->log_uuid) != 0) {
		/* Another history: what was known of the old one's length means nothing. */
		log_info("log log_id=%s head=%llu", head->log_id, (unsigned long long)head->seq);
		r->log_uuid = head->log_uuid;
		r->head_seq = head->seq;
		stream_log_grew(r->stream, head->log_id, head->seq);
		search_index_renew(r->search_index);
		router_desk_log_grew(r, head->seq);
		routing_renew(r->routing, r->head_seq);
		daemon_wake_now(r->daemon);
		return;
	}
	router_log_grew(r, head->seq);
}

static const struct registry_calls registry_calls = {
	.on_news = on_registry_news,
	.on_head = on_registry_head,
};

/* --- doors ------------------------------------------------------------------------------------ */

static void
refresh_gauges(void *arg)
{
	struct router *r = arg;
	uint64_t place = routing_place(r->routing);

	stats_set(
	    r->stats, ROUTER_STAT_LAG, r->head_seq > place ? (int64_t)(r->head_seq - place) : 0);
	stats_set(r->stats, ROUTER_STAT_HEAD, (int64_t)r->head_seq);
	stats_set(r->stats, ROUTER_STAT_COMMANDS_HELD, (int64_t)commands_held(r->commands));
}

static bool
open_http(struct router *r)
{
	const struct router_config *c = &r->config;
	struct http_settings settings;
	const char *why = "out of memory";

	http_settings_init(&settings);
	settings.host = c->http_listen.host;
	settings.port = c->http_listen.port;
	settings.trusted_peers = c->trusted_peers[0] == '\0' ? NULL : c->trusted_peers;
	r->http = http_open(daemon_loop(r->daemon), &settings, NULL, 0, r, &why);
	if (r->http != NULL)
		r->pages = http_common_open(r->http, r->daemon);
	if (r->pages == NULL) {
		log_error("cannot start what=TURUNC_HTTP_LISTEN host=%s port=%u why=%s",
		    c->http_listen.host, c->http_listen.port, log_quoted(why));
		return false;
	}
	r->bus_metrics = bus_metrics_create(r->bus);
	if (r->bus_metrics == NULL)
		return false;
	http_common_add_stats(r->pages, r->stats, refresh_gauges, r);
	http_common_add_stats(r->pages, stream_stats(r->stream), stream_stats_refresh, r->stream);
	http_common_add_writer(r->pages, watch_write, r->watch);
	http_common_add_stats(r->pages, letters_stats(r->letters), NULL, NULL);
	http_common_add_stats(r->pages, db_stats(r->writer), NULL, NULL);
	http_common_add_stats(
	    r->pages, bus_metrics_stats(r->bus_metrics), bus_metrics_refresh, r->bus_metrics);
	return true;
}

static bool
load_keys(struct router *r)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/router.key", r->config.keys_dir);
	enum keys_result result = keys_read(path, &r->keys);
	if (result != KEYS_OK)
		log_error("cannot start what=%s why=%s", log_quoted(path),
		    log_quoted(keys_result_text(result)));
	return result == KEYS_OK;
}

static void
on_ring(void *arg, const char *log_id, uint64_t head_seq)
{
	struct router *r = arg;

	/* A ring of another history says only that it is time to look. */
	if (strcmp(log_id, registry_head(r->registry)->log_id) == 0)
		log_grew_elsewhere(r, head_seq);
	registry_look(r->registry);
	daemon_wake_now(r->daemon);
}

static bool
open_bus(struct router *r)
{
	const struct bus_door_options options = {
		.name = "stream",
		.endpoint = r->config.bus_listen,
		.shut = true,
		.verbs = ACL_SUBSCRIBE | ACL_SNAPSHOT | ACL_COMMAND,
	};

	r->bus = bus_create(daemon_loop(r->daemon), r->acl, &r->keys);
	if (r->bus != NULL) {
		bus_limit_memory(r->bus, (size_t)r->config.bus_memory);
		r->door = bus_door_open(r->bus, &options, &router_door_calls, r);
	}
	if (r->door != NULL)
		r->bell = doorbell_open(r->bus, r->config.doorbell, on_ring, r);
	if (r->bell == NULL)
		log_error("cannot start what=%s why=%s",
		    r->door == NULL ? "TURUNC_BUS_STREAM_LISTEN" : "TURUNC_DOORBELL",
		    log_quoted(strerror(errno)));
	return r->bell != NULL;
}

/* --- draining and ticks ----------------------------------------------------------------------- */

static int64_t
tick_registry(void *arg, uint64_t now_ms)
{
	struct router *r = arg;

	open_doors(r);
	return registry_tick(r->registry, now_ms);
}

static int64_t
tick_routing(void *arg, uint64_t now_ms)
{
	return routing_tick(((struct router *)arg)->routing, now_ms);
}

static int64_t
tick_commands(void *arg, uint64_t now_ms)
{
	return commands_tick(((struct router *)arg)->commands, now_ms);
}

static int64_t
tick_letters(void *arg, uint64_t now_ms)
{
	return letters_tick(((struct router *)arg)->letters, now_ms);
}

static int64_t
tick_sweeps(void *arg, uint64_t now_ms)
{
	return sweeps_tick(((struct router *)arg)->sweeps, now_ms);
}

static int64_t
tick_stream(void *arg, uint64_t now_ms)
{
	return stream_tick(((struct router *)arg)->stream, now_ms);
}

static int64_t
tick_watch(void *arg, uint64_t now_ms)
{
	return watch_tick(((struct router *)arg)->watch, now_ms);
}

static void
stop_streaming(void *arg)
{
	stream_drain(((struct router *)arg)->stream);
}

static bool
is_streaming(void *arg)
{
	return stream_busy(((const struct router *)arg)->stream);
}

static void
stop_deciding(void *arg)
{
	struct router *r = arg;

	commands_stop(r->commands);
	routing_stop(r->routing);
	sweeps_stop(r->sweeps);
}

static bool
is_deciding(void *arg)
{
	const struct router *r = arg;

	return commands_busy(r->commands) || routing_busy(r->routing) || letters_busy(r->letters)
	       || sweeps_busy(r->sweeps);
}

/* The door closes when the last answer is on its way. */
static bool
door_busy(void *arg)
{
	struct router *r = arg;

	return is_deciding(r) || is_streaming(r) || !bus_door_drain(r->door);
}

static void
register_parts(struct router *r)
{
	const struct daemon_part deciding = { "decisions", stop_deciding, is_deciding, r };
	const struct daemon_part streaming = { "stream", stop_streaming, is_streaming, r };
	const struct daemon_part door = { "door", NULL, door_busy, r };

	daemon_add_part(r->daemon, deciding);
	daemon_add_part(r->daemon, streaming);
	daemon_add_part(r->daemon, door);
	daemon_add_tick(r->daemon, tick_registry, r);
	daemon_add_tick(r->daemon, tick_commands, r);
	daemon_add_tick(r->daemon, tick_letters, r);
	daemon_add_tick(r->daemon, tick_routing, r);
	daemon_add_tick(r->daemon, tick_following, r);
	daemon_add_tick(r->daemon, tick_sweeps, r);
	daemon_add_tick(r->daemon, tick_stream, r);
	daemon_add_tick(r->daemon, tick_watch, r);
}

/* --- open and close --------------------------------------------------------------------------- */

static void
wake(void *arg)
{
	daemon_wake_now(((struct router *)arg)->daemon);
}

static void
on_append(void *arg, uint64_t seq)
{
	router_log_grew(arg, seq);
}

static struct commands *
make_commands(struct router *r)
{
	struct commands_world world = {
		.db = r->writer,
		.acl = r->acl,
		.registry = r->registry,
		.stats = r->stats,
		.ids = &r->ids,
		.batch_commands = (size_t)r->config.batch_commands,
		.held_commands = (size_t)r->config.held_commands,
		.wait_ms = (uint64_t)r->config.wait_ms,
		.on_append = on_append,
		.wake = wake,
		.arg = r,
	};
	struct digest secret;
	/* All routers of a record have the same key pair, so they share this secret as well. */
	static const char purpose[] = "turunc command digest";
	struct digest_keyed keyed;

	digest_keyed_init(&keyed, r->keys.secret_key, KEYS_TEXT_LEN);
	digest_keyed_add_part(&keyed, purpose, sizeof(purpose) - 1);
	digest_keyed_finish(&keyed, &secret);
	memcpy(world.secret, secret.bytes, sizeof(world.secret));
	struct commands *made = commands_create(&world);
	explicit_bzero(&secret, sizeof(secret));
	explicit_bzero(&world, sizeof(world));
	return made;
}

static bool
make_deciders(struct router *r)
{
	const struct letters_options letters = {
		.daemon = r->daemon,
		.db = r->writer,
		.first_statement = STORE_LETTERS,
		.consumer = "router",
		.settings = r->config.letters,
	};
	r->letters = letters_create(&letters);
	const struct routing_world routing = {
		.db = r->writer,
		.registry = r->registry,
		.letters = r->letters,
		.stats = r->stats,
		.ids = &r->ids,
		.batch_records = (size_t)r->config.batch_records,
		.on_append = on_append,
		.wake = wake,
		.arg = r,
	};
	const struct sweeps_world sweeps = {
		.db = r->writer,
		.registry = r->registry,
		.stats = r->stats,
		.ids = &r->ids,
		.every_ms = (uint64_t)r->config.sweep_ms,
		.on_append = on_append,
		.wake = wake,
		.arg = r,
	};

	r->commands = make_commands(r);
	r->routing = routing_create(&routing);
	r->sweeps = sweeps_create(&sweeps);
	if (r->letters == NULL || r->commands == NULL || r->routing == NULL || r->sweeps == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	return true;
}

static const struct catalogue *
catalogue_now(void *arg)
{
	return registry_catalogue(((struct router *)arg)->registry);
}

static bool
make_stream(struct router *r)
{
	const struct stream_inputs inputs = { .loop = daemon_loop(r->daemon),
		.db = r->reader,
		.writer = r->writer,
		.catalogue = catalogue_now,
		.stages = r->stats,
		.wake = wake,
		.arg = r };

	r->stream = stream_create(&inputs);
	r->watch = watch_create(r->reader, (uint64_t)r->config.watch_ms);
	if (r->stream == NULL || r->watch == NULL)
		log_error("cannot start why=\"out of memory\"");
	return r->stream != NULL && r->watch != NULL;
}

static bool
make_parts(struct router *r)
{
	r->stats = stats_create(router_stat_rows, ROUTER_STATS);
	r->acl = acl_create();
	if (r->acl != NULL)
		r->registry = registry_create(
		    r->acl, (uint64_t)r->config.look_ms, &registry_calls, r);
	if (r->registry == NULL || r->stats == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	return true;
}

bool
router_open(struct router *r)
{
	r->daemon = daemon_create("router", &r->config.daemon);
	if (r->daemon == NULL) {
		log_error("cannot start why=\"no event loop\"");
		return false;
	}
	r->record_state = daemon_add_dependency(r->daemon, "record", true);
	r->reading_state = daemon_add_dependency(r->daemon, "record_reading", true);
	r->catalogue_state = daemon_add_dependency(r->daemon, "catalogue", true);
	r->door_state = daemon_add_dependency(r->daemon, "stream_door", true);
	if (!make_parts(r) || !load_keys(r) || !open_record(r) || !make_deciders(r)
	    || !make_stream(r))
		return false;
	registry_set_db(r->registry, r->reader, STORE_REGISTRY);
	if (!open_bus(r) || !open_http(r) || !router_desk_open(r))
		return false;
	register_parts(r);
	return true;
}

/* The record first: whoever still waits for it is told, while there is a door to tell it by. */
void
router_close(struct router *r)
{
	db_close(r->writer);
	router_desk_stop(r);
	db_close(r->reader);
	http_close(r->http);
	router_desk_close(r);
	http_common_close(r->pages);
	bus_metrics_destroy(r->bus_metrics);
	doorbell_close(r->bell);
	bus_door_close(r->door);
	if (r->bus != NULL)
		bus_destroy(r->bus);
	commands_destroy(r->commands);
	routing_destroy(r->routing);
	letters_destroy(r->letters);
	sweeps_destroy(r->sweeps);
	stream_destroy(r->stream);
	watch_destroy(r->watch);
	registry_destroy(r->registry);
	stats_destroy(r->stats);
	acl_destroy(r->acl);
	daemon_destroy(r->daemon);
	keys_wipe(&r->keys);
}
