/* Opens and closes everything metrics owns, and ties the parts to the loop. */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "http_common.h"
#include "log.h"
#include "store.h"
#include "targets.h"

enum { PATH_BYTES = 1200, COMPLAINT_BYTES = 300, CATALOGUE_LOOK_MS = 2000 };

/* --- what the parts say ----------------------------------------------------------------------- */

static void
on_record_state(void *arg, enum db_state state, const char *why)
{
	struct metrics *m = arg;

	daemon_set_dependency(
	    m->daemon, m->record_state, state == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (state == DB_READY) {
		log_info("record reached");
		registry_renew(m->registry);
	} else {
		log_warn("record away, the figures only get older why=%s", log_quoted(why));
	}
	daemon_wake_now(m->daemon);
}

static void
on_redis_state(void *arg, bool ready, const char *why)
{
	struct metrics *m = arg;

	daemon_set_dependency(
	    m->daemon, m->redis_state, ready ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (ready)
		log_info("redis reached");
	else
		log_warn("redis away, the board says so why=%s", log_quoted(why));
	if (m->projector != NULL)
		projector_redis_changed(m->projector, ready);
	daemon_wake_now(m->daemon);
}

static void
on_projection_state(void *arg, enum projector_state state, const char *why)
{
	struct metrics *m = arg;

	daemon_set_dependency(m->daemon, m->figures_state,
	    state == PROJECTOR_FOLLOWING ? DEPENDENCY_UP : DEPENDENCY_STARTING, why);
	picture_state_changed(m->picture, state);
	daemon_wake_now(m->daemon);
}

static void
on_stream(void *arg, bool up, const char *why)
{
	struct metrics *m = arg;

	daemon_set_dependency(
	    m->daemon, m->stream_state, up ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
}

static void
on_applied(void *arg)
{
	picture_moved(((struct metrics *)arg)->picture);
}

static void
on_picture(void *arg)
{
	struct metrics *m = arg;

	if (m->board != NULL)
		board_changed(m->board);
}

/* What a target or a day ago has to say of the figures just read. */
static bool
on_add_figures(void *arg, struct figures *f)
{
	struct metrics *m = arg;
	const struct catalogue *catalogue = registry_catalogue(m->registry);

	return history_add_then(m->past, f)
	       && (catalogue == NULL
		   || targets_set(f, &catalogue->municipality, catalogue->office, clock_now_us()));
}

static void
on_registry_news(void *arg, bool usable, const char *detail)
{
	struct metrics *m = arg;

	if (detail[0] != '\0')
		log_warn("catalogue not as wanted, the former stays in force usable=%s why=%s",
		    usable ? "yes" : "no", log_quoted(detail));
	board_changed(m->board);
}

static const struct registry_calls registry_calls = { .on_news = on_registry_news };
static const struct projector_calls projector_calls = {
	.on_state = on_projection_state,
	.on_stream = on_stream,
	.on_applied = on_applied,
};

/* --- opening ---------------------------------------------------------------------------------- */

static bool
cannot_start(const char *what, const char *why)
{
	log_error("cannot start what=%s why=%s", what, log_quoted(why));
	return false;
}

static bool
make_board(struct metrics *m)
{
	m->past = history_create(m->db, m->picture, on_picture, m);
	m->alarms = alarm_watch_create(m->db, m->picture, m->registry, on_picture, m);
	const struct board_options options = {
		.picture = m->picture,
		.registry = m->registry,
		.acl = m->acl,
		.alarms = m->alarms,
		.history = m->past,
	};
	if (m->past != NULL && m->alarms != NULL)
		m->board = board_create(&options);
	if (m->board == NULL)
		return cannot_start("board", "out of memory");
	return board_show_to(m->board, m->config.board_shown_to)
	       || cannot_start("TURUNC_METRICS_SHOWN_TO", "not a list of addresses");
}

static bool
open_record(struct metrics *m)
{
	const struct metrics_config *c = &m->config;
	char complaint[COMPLAINT_BYTES] = "";
	struct db_settings settings = {
		.conninfo = c->database,
		.password = c->database_password[0] == '\0' ? NULL : c->database_password,
		.application_name = "turunc-metrics",
	};
	const struct db_events events = { .on_state = on_record_state, .arg = m };
	const struct db_events silent = { 0 };

	m->db = db_open(daemon_loop(m->daemon), &settings, store_statements, STORE_STATEMENTS,
	    &events, complaint, sizeof(complaint));
	settings.unit_ms = (uint64_t)c->rebuild_ms;
	if (m->db != NULL)
		m->history = db_open(daemon_loop(m->daemon), &settings, store_statements,
		    STORE_STATEMENTS, &silent, complaint, sizeof(complaint));
	/* A plan made while its tables were empty must not read them whole when they are not. */
	settings.options = "-c enable_seqscan=off";
	if (m->history != NULL)
		m->counting = db_open(daemon_loop(m->daemon), &settings, store_statements,
		    STORE_STATEMENTS, &silent, complaint, sizeof(complaint));
	if (m->counting != NULL)
		m->keeper = keeper_create(m->counting, (uint64_t)c->count_ms);
	if (m->keeper == NULL)
		return cannot_start("TURUNC_DATABASE", complaint);
	return make_board(m);
}

static bool
open_redis(struct metrics *m)
{
	const struct metrics_config *c = &m->config;
	char complaint[COMPLAINT_BYTES] = "";
	const struct redis_settings settings = {
		.address = c->redis,
		.password = c->redis_password[0] == '\0' ? NULL : c->redis_password,
	};

	m->redis = redis_open(
	    daemon_loop(m->daemon), &settings, on_redis_state, m, complaint, sizeof(complaint));
	return m->redis != NULL || cannot_start("TURUNC_REDIS", complaint);
}

static bool
read_keys(struct metrics *m)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/metrics.key", m->config.keys_dir);
	enum keys_result result = keys_read(path, &m->keys);
	if (result != KEYS_OK)
		return cannot_start(path, keys_result_text(result));
	(void)snprintf(path, sizeof(path), "%s/router.pub", m->config.keys_dir);
	result = keys_read_public(path, m->server_key);
	return result == KEYS_OK || cannot_start(path, keys_result_text(result));
}

static bool
open_projection(struct metrics *m)
{
	const struct metrics_config *c = &m->config;
	char why[COMPLAINT_BYTES] = "out of memory";

	const struct letters_options letters = {
		.daemon = m->daemon,
		.db = m->db,
		.first_statement = STORE_LETTERS,
		.consumer = "metrics",
		.settings = c->letters,
	};
	m->live = live_create(m->redis);
	m->letters = letters_create(&letters);
	if (m->live == NULL || m->letters == NULL)
		return cannot_start("projection", why);
	const struct projector_options options = {
		.redis = m->redis,
		.live = m->live,
		.db = m->history,
		.letters_db = m->db,
		.letters = m->letters,
		.endpoint = c->bus_stream,
		.public_key = m->keys.public_key,
		.secret_key = m->keys.secret_key,
		.server_key = m->server_key,
		.replay_max = (uint64_t)c->replay_max,
		.window = (uint32_t)c->window,
	};
	m->projector = projector_create(
	    daemon_loop(m->daemon), &options, &projector_calls, m, why, sizeof(why));
	if (m->projector == NULL)
		return cannot_start("TURUNC_BUS_STREAM", why);
	const struct picture_options parts = {
		.db = m->db,
		.live = m->live,
		.projector = m->projector,
		.registry = m->registry,
		.read_ms = (uint64_t)c->read_ms,
		.look_ms = (uint64_t)c->look_ms,
		.add = on_add_figures,
	};
	picture_set_parts(m->picture, &parts);
	return true;
}

static void
on_open_data_work(void *arg)
{
	daemon_wake_now(((struct metrics *)arg)->daemon);
}

static bool
open_open_data(struct metrics *m)
{
	m->worker = worker_open(daemon_loop(m->daemon));
	if (m->worker == NULL)
		return false;
	const struct open_data_options options = {
		.db = m->history,
		.registry = m->registry,
		.worker = m->worker,
		.fresh_ms = (uint64_t)m->config.open_data_kept_ms,
		.tickets_max = (size_t)m->config.open_data_tickets,
		.on_work = on_open_data_work,
		.arg = m,
	};

	m->open_data = open_data_create(&options);
	return m->open_data != NULL && open_data_add_routes(m->open_data, m->http);
}

static bool
open_reports(struct metrics *m)
{
	const struct reports_options options = {
		.db = m->history,
		.board = m->board,
		.scratch = m->config.state_dir,
	};

	m->reports = reports_create(&options);
	return m->reports != NULL && reports_add_routes(m->reports, m->http);
}

static bool
open_http(struct metrics *m)
{
	const struct metrics_config *c = &m->config;
	struct http_settings settings;
	const char *why = "out of memory";

	http_settings_init(&settings);
	settings.host = c->http_listen.host;
	settings.port = c->http_listen.port;
	settings.trusted_peers = c->trusted_peers[0] == '\0' ? NULL : c->trusted_peers;
	settings.max_streams = (uint32_t)c->board_viewers;
	settings.max_streams_per_address = (uint32_t)c->board_viewers_per_address;
	m->http = http_open(daemon_loop(m->daemon), &settings, NULL, 0, m, &why);
	m->satisfaction = satisfaction_create(m->history, m->board);
	if (m->http != NULL && m->satisfaction != NULL
	    && satisfaction_add_routes(m->satisfaction, m->http) && open_open_data(m)
	    && open_reports(m) && board_add_routes(m->board, m->http))
		m->pages = http_common_open(m->http, m->daemon);
	if (m->pages == NULL) {
		log_error("cannot start what=TURUNC_HTTP_LISTEN host=%s port=%u why=%s",
		    c->http_listen.host, c->http_listen.port, log_quoted(why));
		return false;
	}
	http_common_add_stats(m->pages, projector_stats(m->projector), NULL, NULL);
	http_common_add_stats(m->pages, board_stats(m->board), board_refresh_stats, m->board);
	http_common_add_stats(m->pages, history_stats(m->past), NULL, NULL);
	http_common_add_stats(m->pages, alarm_watch_stats(m->alarms), NULL, NULL);
	http_common_add_stats(m->pages, satisfaction_stats(m->satisfaction), NULL, NULL);
	http_common_add_stats(m->pages, open_data_stats(m->open_data), NULL, NULL);
	http_common_add_stats(m->pages, keeper_stats(m->keeper), NULL, NULL);
	http_common_add_stats(m->pages, reports_stats(m->reports), NULL, NULL);
	http_common_add_stats(m->pages, redis_stats(m->redis), NULL, NULL);
	http_common_add_stats(m->pages, letters_stats(m->letters), NULL, NULL);
	http_common_add_stats(m->pages, db_stats(m->db), NULL, NULL);
	return true;
}

static int64_t
tick_registry(void *arg, uint64_t now_ms)
{
	return registry_tick(arg, now_ms);
}

static int64_t
tick_letters(void *arg, uint64_t now_ms)
{
	return letters_tick(arg, now_ms);
}

static int64_t
tick_projector(void *arg, uint64_t now_ms)
{
	return projector_tick(arg, now_ms);
}

static int64_t
tick_picture(void *arg, uint64_t now_ms)
{
	return picture_tick(arg, now_ms);
}

static int64_t
tick_board(void *arg, uint64_t now_ms)
{
	return board_tick(arg, now_ms);
}

static int64_t
tick_history(void *arg, uint64_t now_ms)
{
	return history_tick(arg, now_ms);
}

static int64_t
tick_alarms(void *arg, uint64_t now_ms)
{
	return alarm_watch_tick(arg, now_ms);
}

static int64_t
tick_open_data(void *arg, uint64_t now_ms)
{
	return open_data_tick(arg, now_ms);
}

static int64_t
tick_keeper(void *arg, uint64_t now_ms)
{
	return keeper_tick(arg, now_ms);
}

static void
stop_keeper(void *arg)
{
	keeper_stop(arg);
}

static void
stop_projector(void *arg)
{
	projector_stop(arg);
}

static bool
projector_is_busy(void *arg)
{
	return projector_busy(arg);
}

static void
register_parts(struct metrics *m)
{
	daemon_add_part(m->daemon, (struct daemon_part){ .name = "projection",
				       .stop = stop_projector,
				       .busy = projector_is_busy,
				       .arg = m->projector });
	daemon_add_part(m->daemon,
	    (struct daemon_part){
		.name = "months", .stop = stop_keeper, .busy = keeper_busy, .arg = m->keeper });
	daemon_add_tick(m->daemon, tick_registry, m->registry);
	daemon_add_tick(m->daemon, tick_letters, m->letters);
	daemon_add_tick(m->daemon, tick_projector, m->projector);
	daemon_add_tick(m->daemon, tick_picture, m->picture);
	daemon_add_tick(m->daemon, tick_history, m->past);
	daemon_add_tick(m->daemon, tick_alarms, m->alarms);
	daemon_add_tick(m->daemon, tick_board, m->board);
	daemon_add_tick(m->daemon, tick_open_data, m->open_data);
	daemon_add_tick(m->daemon, tick_keeper, m->keeper);
}

static bool
make_parts(struct metrics *m)
{
	m->acl = acl_create();
	m->picture = picture_create(on_picture, m);
	if (m->acl != NULL)
		m->registry = registry_create(m->acl, CATALOGUE_LOOK_MS, &registry_calls, m);
	return (m->picture != NULL && m->registry != NULL)
	       || cannot_start("parts", "out of memory");
}

bool
metrics_open(struct metrics *m)
{
	m->daemon = daemon_create("metrics", &m->config.daemon);
	if (m->daemon == NULL)
		return cannot_start("loop", "no event loop");
	m->record_state = daemon_add_dependency(m->daemon, "record", true);
	m->redis_state = daemon_add_dependency(m->daemon, "redis", true);
	m->figures_state = daemon_add_dependency(m->daemon, "figures", true);
	m->stream_state = daemon_add_dependency(m->daemon, "stream", false);
	if (!make_parts(m) || !read_keys(m) || !open_record(m))
		return false;
	registry_set_db(m->registry, m->db, STORE_REGISTRY);
	if (!open_redis(m) || !open_projection(m) || !open_http(m))
		return false;
	register_parts(m);
	return true;
}

/* Redis and the record first: what is under way is told so while everybody is still there. */
void
metrics_close(struct metrics *m)
{
	if (m->projector != NULL)
		projector_stop(m->projector);
	if (m->keeper != NULL)
		keeper_stop(m->keeper);
	redis_close(m->redis);
	db_close(m->counting);
	db_close(m->history);
	db_close(m->db);
	http_close(m->http);
	http_common_close(m->pages);
	projector_destroy(m->projector);
	letters_destroy(m->letters);
	live_destroy(m->live);
	reports_destroy(m->reports);
	worker_close(m->worker);
	open_data_destroy(m->open_data);
	satisfaction_destroy(m->satisfaction);
	keeper_destroy(m->keeper);
	board_destroy(m->board);
	alarm_watch_destroy(m->alarms);
	history_destroy(m->past);
	picture_destroy(m->picture);
	registry_destroy(m->registry);
	acl_destroy(m->acl);
	daemon_destroy(m->daemon);
	keys_wipe(&m->keys);
}
