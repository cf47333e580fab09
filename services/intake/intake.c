/* Opens and closes everything intake owns, and ties the parts to the loop. */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus_metrics.h"
#include "clock.h"
#include "digest.h"
#include "disks.h"
#include "door.h"
#include "door_mail.h"
#include "failpoint.h"
#include "log.h"
#include "number.h"
#include "state_file.h"
#include "store.h"

enum { PATH_BYTES = 1200, COMPLAINT_BYTES = 300, SECRET_TEXT_MIN = 16, TICK_MS = 1000 };
enum { CATALOGUE_LOOK_MS = 1000 };
enum { LOOKUP_CONNECTIONS = 2 };
enum { LIMIT_KEYS = 1024, LIMIT_ADDRESSES = 16384, LIMIT_TICKETS = 65536 };
/* Wrong digits on the page of one's report: of 10,000 there are, a stranger may try some 1,500 a
 * day of one ticket, from up to 1,800 addresses at once: with more, the ticket is forgotten among
 * others before its six minutes are over. */
enum {
	TRACK_PER_MINUTE = 6,
	TRACK_BURST = 12,
	TRACK_TICKET_PER_MINUTE = 1,
	TRACK_TICKET_BURST = 6
};
/* Changes by one link to end surveys: more than a person and their mail program make. */
enum { STOPS_PER_MINUTE = 2, STOPS_BURST = 10 };

/* --- the record ------------------------------------------------------------------------------- */

static void
on_writer_state(void *arg, enum db_state state, const char *why)
{
	struct intake *in = arg;

	if (state == DB_LOST && !in->writer_lost)
		in->writer_lost_ms = clock_monotonic_ms();
	in->writer_lost = state == DB_LOST;
	daemon_set_dependency(
	    in->daemon, in->record_state, state == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (state == DB_READY) {
		log_info("record reached");
		numbers_tick(in->numbers, clock_now_us(), clock_monotonic_ms());
	} else
		log_warn("record away, %s why=%s",
		    in->spool != NULL ? "what comes is spooled" : "senders are told to come again",
		    log_quoted(why));
	daemon_wake_now(in->daemon);
}

static void
on_room(void *arg)
{
	struct intake *in = arg;
	if (in->accept != NULL)
		accept_flush(in->accept);
}

static void
on_slow(void *arg, uint64_t age_ms)
{
	(void)arg;
	log_warn("record slow, waiting age_ms=%llu", (unsigned long long)age_ms);
}

static bool
open_record(struct intake *in)
{
	const struct intake_config *c = &in->config;
	char complaint[COMPLAINT_BYTES] = "";
	struct db_settings settings = {
		.conninfo = c->database,
		.password = c->database_password[0] == '\0' ? NULL : c->database_password,
		.application_name = "turunc-intake",
		.connections = (unsigned)c->write_connections,
		.in_flight = (unsigned)c->write_in_flight,
		.waiting_ms = INTAKE_AWAY_MS, /* then it goes where the rest goes: to the spool */
		.watchdog_sql = "SELECT turunc.release_stuck_log_lock()",
	};
	const struct db_events writer_events = {
		.on_state = on_writer_state,
		.on_room = on_room,
		.on_slow = on_slow,
		.arg = in,
	};
	const struct db_events no_events = { 0 };

	in->writer_lost = true;
	in->writer_lost_ms = clock_monotonic_ms();
	in->writer = db_open(daemon_loop(in->daemon), &settings, store_write_statements,
	    STORE_WRITE_STATEMENTS, &writer_events, complaint, sizeof(complaint));
	settings.connections = (unsigned)c->read_connections;
	settings.in_flight = 1;
	settings.waiting_ms = 0;
	settings.watchdog_sql = NULL;
	if (in->writer != NULL)
		in->reader = db_open(daemon_loop(in->daemon), &settings, store_read_statements,
		    STORE_READ_STATEMENTS, &no_events, complaint, sizeof(complaint));
	settings.connections = LOOKUP_CONNECTIONS;
	settings.application_name = "turunc-intake-call";
	settings.options = "-c statement_timeout=2000";
	if (in->reader != NULL)
		in->lookup = db_open(daemon_loop(in->daemon), &settings, store_read_statements,
		    STORE_READ_STATEMENTS, &no_events, complaint, sizeof(complaint));
	if (in->lookup == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return in->lookup != NULL;
}

/* Its clients' rights are known, so they need not be turned away. */
static void
open_door(struct intake *in)
{
	bool listening = registry_rights_known(in->registry) && bus_door_listen(in->door);

	daemon_set_dependency(in->daemon, in->door_state,
	    listening ? DEPENDENCY_UP : DEPENDENCY_STARTING,
	    listening ? NULL : "not listening yet");
}

static void
on_registry_news(void *arg, bool usable, const char *detail)
{
	struct intake *in = arg;

	daemon_set_dependency(
	    in->daemon, in->catalogue_state, usable ? DEPENDENCY_UP : DEPENDENCY_STARTING, detail);
	if (detail[0] == '\0')
		log_info("catalogue and rights loaded subjects=%zu clients=%zu",
		    registry_catalogue(in->registry)->subject_count, acl_count(in->acl));
	else
		log_warn("catalogue or rights not as wanted, the former stay in force why=%s",
		    log_quoted(detail));
	open_door(in);
}

static const struct registry_calls registry_calls = { .on_news = on_registry_news };

/* --- secrets ---------------------------------------------------------------------------------- */

/* Beside first, so that whoever is cut off leaves no half of a secret, which no start would take.
 */
static bool
make_secret(const char *path, uint8_t *secret, size_t len)
{
	char draft[PATH_BYTES + 8];

	randombytes_buf(secret, len);
	(void)snprintf(draft, sizeof(draft), "%s.new", path);
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool written = fd != -1 && !failpoint(FAILPOINT_INTAKE_IDENTITY_SECRET, FAILPOINT_BEFORE)
		       && write(fd, secret, len) == (ssize_t)len && fsync(fd) == 0;
	if (fd != -1)
		close(fd);
	return written && rename(draft, path) == 0 && state_file_sync_folder_of(path)
	       && !failpoint(FAILPOINT_INTAKE_IDENTITY_SECRET, FAILPOINT_AFTER);
}

/* Reads the file, or makes it at the first start; true when it holds the whole secret. */
static bool
read_or_make_secret(const char *path, uint8_t *secret, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return make_secret(path, secret, len);
	bool whole = fd != -1 && read(fd, secret, len) == (ssize_t)len;
	if (fd != -1)
		close(fd);
	return whole;
}

static bool
load_identity_secret(struct intake *in)
{
	char path[PATH_BYTES];
	const char *given = in->config.identity_secret;
	struct digest digest;

	if (given[0] != '\0') {
		if (strlen(given) < SECRET_TEXT_MIN) {
			log_error("cannot start what=TURUNC_IDENTITY_SECRET_FILE "
				  "why=\"shorter than 16 characters\"");
			return false;
		}
		digest_sha256(given, strlen(given), &digest);
		memcpy(in->secret, digest.bytes, sizeof(in->secret));
	} else {
		(void)snprintf(path, sizeof(path), "%s/identity.secret", in->config.state_dir);
		if (!read_or_make_secret(path, in->secret, sizeof(in->secret))) {
			log_error("cannot start what=%s why=%s", log_quoted(path),
			    log_quoted(errno == 0 ? "too short" : strerror(errno)));
			return false;
		}
	}
	in->maker.secret = in->secret;
	in->maker.secret_len = sizeof(in->secret);
	return true;
}

static bool
load_keys(struct intake *in, char router_key[KEYS_TEXT_SIZE])
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/intake.key", in->config.keys_dir);
	enum keys_result result = keys_read(path, &in->keys);
	if (result != KEYS_OK) {
		log_error("cannot start what=%s why=%s", log_quoted(path),
		    log_quoted(keys_result_text(result)));
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/router.pub", in->config.keys_dir);
	result = keys_read_public(path, router_key);
	if (result != KEYS_OK)
		log_error("cannot start what=%s why=%s", log_quoted(path),
		    log_quoted(keys_result_text(result)));
	return result == KEYS_OK;
}

/* --- doors ------------------------------------------------------------------------------------ */

static bool
watch_disks(struct intake *in)
{
	char attachments[PATH_BYTES];
	const struct disk_folder folders[] = {
		{ "state", in->config.state_dir },
		{ "attachments", attachments },
		{ "record", in->config.record_dir },
	};

	files_folder(in, attachments, sizeof(attachments));
	size_t count = ARRAY_LEN(folders) - (in->config.record_dir[0] == '\0' ? 1 : 0);
	in->disks = disks_open(folders, count, DISKS_EVERY_MS, DISKS_SILENT_MS);
	if (in->disks == NULL)
		log_error("cannot look at disks why=%s", log_quoted(strerror(errno)));
	return in->disks != NULL;
}

static bool
open_http(struct intake *in)
{
	const struct intake_config *c = &in->config;
	struct http_settings settings;
	const char *why = "out of memory";

	http_settings_init(&settings);
	settings.host = c->http_listen.host;
	settings.port = c->http_listen.port;
	settings.trusted_peers = c->trusted_peers[0] == '\0' ? NULL : c->trusted_peers;
	settings.max_connections = (uint32_t)c->connections;
	settings.max_connections_per_address = (uint32_t)c->connections_per_address;
	settings.max_body_bytes = DOOR_BODY_BYTES;
	settings.max_buffered_bytes = (uint32_t)c->body_bytes;
	settings.write_error = door_write_error;
	in->http = http_open(daemon_loop(in->daemon), &settings, door_open311_routes,
	    door_open311_route_count, in, &why);
	if (in->http != NULL && http_add_routes(in->http, door_web_routes, door_web_route_count, in)
	    && http_add_routes(in->http, door_report_routes, door_report_route_count, in)
	    && http_add_routes(in->http, door_information_routes, door_information_route_count, in)
	    && http_add_routes(in->http, door_map_routes, door_map_route_count, in)
	    && http_add_routes(in->http, door_track_routes, door_track_route_count, in)
	    && http_add_routes(in->http, door_survey_routes, door_survey_route_count, in)
	    && http_add_routes(in->http, door_survey_stop_routes, door_survey_stop_route_count, in))
		return true;
	log_error("cannot start what=TURUNC_HTTP_LISTEN host=%s port=%u why=%s",
	    log_quoted(c->http_listen.host), c->http_listen.port, log_quoted(why));
	return false;
}

static bool
open_call(struct intake *in)
{
	const struct people_world world = {
		.daemon = in->daemon,
		.http = in->http,
		.prefix = "/call/",
		.database = in->config.database,
		.database_password = in->config.database_password,
		.application_name = "turunc-intake-people",
		.settings = &in->config.people,
	};

	in->people = people_open(&world);
	if (in->people == NULL)
		return false;
	if (http_add_routes(in->http, call_routes, call_route_count, in))
		return true;
	log_error("cannot start why=\"no room for the routes of /call/\"");
	return false;
}

static void
bus_head(void *arg, struct bus_head *ret_head)
{
	struct intake *in = arg;
	const struct registry_head *head = registry_head(in->registry);

	*ret_head = (struct bus_head){ .log_id = head->log_id,
		.seq = head->seq,
		.hash = head->has_hash ? head->hash : NULL,
		.hash_len = head->has_hash ? sizeof(head->hash) : 0 };
}

static bool
open_bus(struct intake *in)
{
	static const struct bus_door_calls calls = {
		.head = bus_head,
		.on_open = door_bus_on_open,
		.on_frame = intake_on_frame,
		.on_close = door_bus_on_close,
	};
	const struct bus_door_options options = {
		.name = "publish",
		.endpoint = in->config.bus_listen,
		.shut = true,
		.verbs = ACL_PUBLISH,
		.credit_events = (uint32_t)in->config.publish_credit,
	};
	char router_key[KEYS_TEXT_SIZE];

	if (!load_keys(in, router_key))
		return false;
	in->bus = bus_create(daemon_loop(in->daemon), in->acl, &in->keys);
	if (in->bus != NULL) {
		bus_limit_memory(in->bus, (size_t)in->config.bus_memory);
		in->door = bus_door_open(in->bus, &options, &calls, in);
	}
	if (in->door != NULL)
		in->bell = doorbell_button_open(in->bus, in->config.doorbell, router_key);
	if (in->bell != NULL)
		in->bus_metrics = bus_metrics_create(in->bus);
	if (in->bell == NULL)
		log_error("cannot start what=%s why=%s",
		    in->door == NULL ? "TURUNC_BUS_PUBLISH_LISTEN" : "TURUNC_DOORBELL",
		    log_quoted(strerror(errno)));
	return in->bus_metrics != NULL;
}

/* --- draining --------------------------------------------------------------------------------- */

static void
stop_http(void *arg)
{
	http_drain(((struct intake *)arg)->http);
}

static bool
http_busy(void *arg)
{
	return !http_drained(((struct intake *)arg)->http);
}

/* When the work in hand is answered, the bus's clients are told to go elsewhere. */
static bool
items_busy(void *arg)
{
	struct intake *in = arg;

	return accept_held(in->accept) > 0 || in->publishes > 0 || !bus_door_drain(in->door);
}

static void
register_parts(struct intake *in)
{

	struct daemon_part http = { "http", stop_http, http_busy, in };
	struct daemon_part items = { "items", NULL, items_busy, in };

	daemon_add_part(in->daemon, http);
	daemon_add_part(in->daemon, items);
}

/* --- ticks ------------------------------------------------------------------------------------ */

static int64_t
tick_accept(void *arg, uint64_t now_ms)
{
	return accept_tick(((struct intake *)arg)->accept, now_ms);
}

static int64_t
tick_drain(void *arg, uint64_t now_ms)
{
	return drain_tick(((struct intake *)arg)->drain, now_ms);
}

static int64_t
tick_files(void *arg, uint64_t now_ms)
{
	return files_tick(((struct intake *)arg)->files, now_ms);
}

static int64_t
tick_registry(void *arg, uint64_t now_ms)
{
	struct intake *in = arg;

	open_door(in);
	return registry_tick(in->registry, now_ms);
}

int64_t
intake_note_numbers(struct intake *in)
{
	int year = number_year(clock_now_us());
	int64_t left = numbers_left(in->numbers, year);

	stats_set(in->stats, INTAKE_STAT_NUMBERS_LEFT, left);
	left += number_file_left(in->number_file, year);
	daemon_set_dependency(in->daemon, in->numbers_state,
	    left > 0 ? DEPENDENCY_UP : DEPENDENCY_DOWN, left > 0 ? NULL : "none leased");
	return left;
}

static int64_t
tick_second(void *arg, uint64_t now_ms)
{
	struct intake *in = arg;
	int64_t now_us = clock_now_us();
	static const int64_t soon_ms = TICK_MS / 4;

	numbers_tick(in->numbers, now_us, now_ms);
	int64_t left = intake_note_numbers(in);
	stats_set(in->stats, INTAKE_STAT_HELD, (int64_t)accept_held(in->accept));
	stats_set(in->stats, INTAKE_STAT_IN_DOUBT, (int64_t)accept_in_doubt(in->accept));
	standby_tick(in);
	return left == 0 ? soon_ms : TICK_MS;
}

/* --- open and close --------------------------------------------------------------------------- */

static struct ratelimit *
limit(int64_t per_minute, int64_t burst, uint32_t keys, bool *ok)
{
	const struct ratelimit_settings settings = { keys, (uint32_t)burst, (uint32_t)per_minute };

	if (per_minute == 0)
		return NULL;
	struct ratelimit *made = ratelimit_create(&settings);
	*ok = *ok && made != NULL;
	return made;
}

static bool
make_parts(struct intake *in)
{
	const struct intake_config *c = &in->config;
	const struct accept_limits limits = {
		.batch_items = (size_t)c->batch_items,
		.batch_bytes = (size_t)c->batch_bytes,
		.held_items = (size_t)c->held_items,
		.held_bytes = (size_t)c->held_bytes,
		.wait_ms = (uint64_t)c->wait_ms,
	};
	bool ok = true;

	in->stats = stats_create(intake_stats, INTAKE_STAT_COUNT);
	in->acl = acl_create();
	in->accept = accept_create(&limits, in->spool, &intake_accept_calls, in);
	in->numbers = numbers_create(intake_lease_numbers, intake_numbers_aside, in);
	in->repeats = repeats_create();
	in->per_key = limit(c->key_per_minute, c->key_burst, LIMIT_KEYS, &ok);
	in->per_address = limit(c->address_per_minute, c->address_burst, LIMIT_ADDRESSES, &ok);
	in->photos_per_address = limit(c->photos_per_minute, c->photos_burst, LIMIT_ADDRESSES, &ok);
	in->mail_per_address = limit(c->mails_per_minute, c->mails_burst, LIMIT_ADDRESSES, &ok);
	in->track_per_address = limit(TRACK_PER_MINUTE, TRACK_BURST, LIMIT_ADDRESSES, &ok);
	in->track_per_ticket = limit(
	    TRACK_TICKET_PER_MINUTE, TRACK_TICKET_BURST, LIMIT_TICKETS, &ok);
	in->stops_per_message = limit(STOPS_PER_MINUTE, STOPS_BURST, LIMIT_ADDRESSES, &ok);
	if (c->wrong_keys_per_minute > 0) {
		in->guesses = guesses_create(
		    (uint32_t)c->wrong_keys_burst, (uint32_t)c->wrong_keys_per_minute);
		ok = ok && in->guesses != NULL;
	}
	if (in->acl != NULL)
		in->registry = registry_create(in->acl, CATALOGUE_LOOK_MS, &registry_calls, in);
	ok = ok && in->stats != NULL && in->accept != NULL && in->numbers != NULL
	     && in->repeats != NULL && in->registry != NULL;
	if (!ok)
		log_error("cannot start why=\"out of memory\"");
	return ok;
}

/* What was last read of catalogue and rights is in force until the record has been asked. */
static void
use_registry_cache(struct intake *in)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/registry", in->config.state_dir);
	registry_use_cache(in->registry, path);
}

bool
intake_open(struct intake *in)
{
	in->daemon = daemon_create("intake", &in->config.daemon);
	if (in->daemon == NULL) {
		log_error("cannot start why=\"no event loop\"");
		return false;
	}
	in->record_state = daemon_add_dependency(in->daemon, "record", in->config.spool_bytes == 0);
	if (in->config.spool_bytes > 0)
		in->spool_state = daemon_add_dependency(in->daemon, "spool", true);
	in->catalogue_state = daemon_add_dependency(in->daemon, "catalogue", true);
	in->door_state = daemon_add_dependency(in->daemon, "publish_door", true);
	in->numbers_state = daemon_add_dependency(in->daemon, "numbers", true);
	if (!load_identity_secret(in) || !standby_open(in) || !make_parts(in) || !open_record(in))
		return false;
	in->files = files_open(in);
	if (in->files == NULL || !watch_disks(in))
		return false;
	registry_set_db(in->registry, in->reader, STORE_REGISTRY);
	if (!open_bus(in) || !open_http(in) || !open_call(in) || !door_mail_open(in))
		return false;
	use_registry_cache(in);
	register_parts(in);
	if (in->drain != NULL)
		daemon_add_tick(in->daemon, tick_drain, in);
	daemon_add_tick(in->daemon, tick_accept, in);
	daemon_add_tick(in->daemon, tick_registry, in);
	daemon_add_tick(in->daemon, tick_second, in);
	daemon_add_tick(in->daemon, tick_files, in);
	return cimer_open(in);
}

/* The record first: whoever still waits for it is told, while there is a door to tell it by. */
void
intake_close(struct intake *in)
{
	people_stop(in->people);
	db_close(in->lookup);
	in->lookup = NULL; /* those told by accept_destroy() look nothing up any more */
	db_close(in->imports);
	in->imports = NULL;
	db_close(in->writer);
	db_close(in->reader);
	accept_destroy(in->accept);
	door_mail_close(in->mail);
	drain_destroy(in->drain);
	standby_close(in);
	http_close(in->http);
	people_close(in->people);
	files_close(in->files);
	cimer_close(in->cimer);
	doorbell_button_close(in->bell);
	bus_door_close(in->door);
	bus_metrics_destroy(in->bus_metrics);
	disks_close(in->disks);
	if (in->bus != NULL)
		bus_destroy(in->bus);
	registry_destroy(in->registry);
	acl_destroy(in->acl);
	numbers_destroy(in->numbers);
	repeats_destroy(in->repeats);
	ratelimit_destroy(in->per_key);
	ratelimit_destroy(in->per_address);
	ratelimit_destroy(in->photos_per_address);
	ratelimit_destroy(in->mail_per_address);
	ratelimit_destroy(in->track_per_address);
	ratelimit_destroy(in->track_per_ticket);
	ratelimit_destroy(in->stops_per_message);
	guesses_destroy(in->guesses);
	stats_destroy(in->stats);
	daemon_destroy(in->daemon);
	keys_wipe(&in->keys);
	sodium_memzero(in->secret, sizeof(in->secret));
}

bool
intake_takes(const struct intake *in, size_t items, size_t bytes, const char **ret_why)
{
	if (registry_catalogue(in->registry) == NULL)
		*ret_why = "The service is starting.";
	else if (!accept_has_place(in->accept, items, bytes))
		*ret_why = in->writer_lost ? "The record cannot be reached, nor is there room to "
					     "keep this; nothing was taken."
					   : "Too much is waiting; nothing was taken.";
	else
		return true;
	return false;
}
