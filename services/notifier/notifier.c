/* Opens and closes everything the notifier owns, and ties the parts to the loop. */
#include "notifier.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "notifier_sms.h"
#include "notifier_stats.h"
#include "store.h"

enum { COMPLAINT_BYTES = 300, REGISTRY_LOOK_MS = 1000 };

static void
wake(void *arg)
{
	daemon_wake_now(((struct notifier *)arg)->daemon);
}

static void
on_queued(void *arg)
{
	delivery_look(((struct notifier *)arg)->delivery);
}

/* --- the record ------------------------------------------------------------------------------- */

static void
on_state(void *arg, enum db_state state, const char *why)
{
	struct notifier *n = arg;

	daemon_set_dependency(
	    n->daemon, n->record_state, state == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (state == DB_READY) {
		log_info("record reached");
		registry_renew(n->registry);
		following_renew(n->following);
		delivery_renew(n->delivery);
	} else {
		log_warn("record away, waiting why=%s", log_quoted(why));
	}
	daemon_wake_now(n->daemon);
}

static void
on_slow(void *arg, uint64_t age_ms)
{
	(void)arg;
	log_warn("record slow, waiting age_ms=%llu", (unsigned long long)age_ms);
}

static bool
open_record(struct notifier *n)
{
	char complaint[COMPLAINT_BYTES] = "";
	const struct db_settings settings = {
		.conninfo = n->config.database,
		.password = n->config.database_password[0] == '\0' ? NULL
								   : n->config.database_password,
		.application_name = "turunc-notifier",
		.connections = 2,
		.watchdog_sql = "SELECT turunc.release_stuck_log_lock()",
	};
	const struct db_events events = { .on_state = on_state, .on_slow = on_slow, .arg = n };

	n->db = db_open(daemon_loop(n->daemon), &settings, store_statements, STORE_STATEMENTS,
	    &events, complaint, sizeof(complaint));
	if (n->db == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return n->db != NULL;
}

static void
on_registry_news(void *arg, bool usable, const char *detail)
{
	struct notifier *n = arg;

	daemon_set_dependency(
	    n->daemon, n->catalogue_state, usable ? DEPENDENCY_UP : DEPENDENCY_STARTING, detail);
	delivery_look(n->delivery); /* quiet hours may have changed */
	if (detail[0] == '\0')
		log_info("catalogue loaded templates=%zu",
		    registry_catalogue(n->registry)->template_count);
	else
		log_warn("catalogue not as wanted, the former stays in force why=%s",
		    log_quoted(detail));
	daemon_wake_now(n->daemon);
}

static void
on_registry_head(void *arg, const struct registry_head *head)
{
	struct notifier *n = arg;

	(void)head;
	if (!following_is_reading(n->following))
		following_renew(n->following);
}

static const struct registry_calls registry_calls = {
	.on_news = on_registry_news,
	.on_head = on_registry_head,
};

/* --- the stream ------------------------------------------------------------------------------- */

static void
on_client_readable(evutil_socket_t fd, short what, void *arg)
{
	struct notifier *n = arg;

	(void)fd;
	(void)what;
	(void)turunc_client_step(n->client); /* the descriptor stays readable while there is more */
}

/* The stream is up when the subscription holds; what is queued goes out without it. */
static void
on_client_state(void *arg, enum turunc_state state, const char *why)
{
	struct notifier *n = arg;

	if (state != TURUNC_READY)
		daemon_set_dependency(n->daemon, n->stream_state, DEPENDENCY_DOWN, why);
	log_debug("stream state=%s why=%s", turunc_state_name(state), log_quoted(why));
}

static void
on_client_subscribed(void *arg, uint64_t from_seq)
{
	struct notifier *n = arg;

	daemon_set_dependency(n->daemon, n->stream_state, DEPENDENCY_UP, NULL);
	log_info("following the log from_seq=%llu", (unsigned long long)from_seq);
}

static void
on_client_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct notifier *n = arg;

	if (trouble->about == TURUNC_ABOUT_SUBSCRIPTION)
		daemon_set_dependency(n->daemon, n->stream_state, DEPENDENCY_DOWN, trouble->text);
	following_on_trouble(n->following, trouble);
}

static void
on_client_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	following_on_deliver(((struct notifier *)arg)->following, deliver);
}

static bool
open_client(struct notifier *n)
{
	char server_key[KEYS_TEXT_SIZE], why[COMPLAINT_BYTES] = "";
	struct key_pair keys;

	if (!notifier_read_keys(n->config.keys_dir, "router.pub", &keys, server_key))
		return false;
	const struct turunc_options options = {
		.door = TURUNC_DOOR_STREAM,
		.endpoint = n->config.stream,
		.client_secret = keys.secret_key,
		.client_public = keys.public_key,
		.server_public = server_key,
		.software = "turunc-notifier/" TURUNC_VERSION,
		.backoff_max_ms = 1000, /* the router is ours, and near */
		.handlers = { .on_state = on_client_state,
		    .on_trouble = on_client_trouble,
		    .on_subscribed = on_client_subscribed,
		    .on_deliver = on_client_deliver },
		.arg = n,
	};
	n->client = turunc_client_create(&options, why, sizeof(why));
	keys_wipe(&keys);
	if (n->client != NULL)
		n->client_readable = event_new(daemon_loop(n->daemon), turunc_client_fd(n->client),
		    EV_READ | EV_PERSIST, on_client_readable, n);
	if (n->client_readable == NULL || event_add(n->client_readable, NULL) == -1) {
		log_error("cannot start what=TURUNC_BUS_STREAM why=%s", log_quoted(why));
		return false;
	}
	following_set_client(n->following, n->client);
	return true;
}

/* --- pages ------------------------------------------------------------------------------------ */

static void
refresh_gauges(void *arg)
{
	struct notifier *n = arg;

	stats_set(n->stats, NOTIFIER_STAT_POSITION, (int64_t)following_position(n->following));
}

static bool
open_http(struct notifier *n)
{
	struct http_settings settings;
	const char *why = "out of memory";

	http_settings_init(&settings);
	settings.host = n->config.http_listen.host;
	settings.port = n->config.http_listen.port;
	settings.trusted_peers = n->config.trusted_peers[0] == '\0' ? NULL
								    : n->config.trusted_peers;
	n->http = http_open(daemon_loop(n->daemon), &settings, NULL, 0, n, &why);
	if (n->http != NULL)
		n->pages = http_common_open(n->http, n->daemon);
	if (n->pages == NULL) {
		log_error("cannot start what=TURUNC_HTTP_LISTEN host=%s port=%u why=%s",
		    n->config.http_listen.host, n->config.http_listen.port, log_quoted(why));
		return false;
	}
	http_common_add_stats(n->pages, n->stats, refresh_gauges, n);
	http_common_add_stats(n->pages, letters_stats(n->letters), NULL, NULL);
	http_common_add_stats(n->pages, db_stats(n->db), NULL, NULL);
	return true;
}

/* --- parts, ticks, drain ---------------------------------------------------------------------- */

/* Those that decide what is to be told. */
static bool
make_tellers(struct notifier *n)
{
	const struct letters_options letters = { .daemon = n->daemon,
		.db = n->db,
		.first_statement = STORE_LETTERS,
		.consumer = "notifier",
		.settings = n->config.letters };
	n->letters = letters_create(&letters);
	const struct recalling_world recalling = { .db = n->db,
		.registry = n->registry,
		.letters = n->letters,
		.stats = n->stats,
		.ids = &n->ids,
		.key = &n->mail_key,
		.on_queued = on_queued,
		.arg = n };
	n->recalling = recalling_create(&recalling);
	const struct bouncing_world bouncing = { .db = n->db,
		.registry = n->registry,
		.stats = n->stats,
		.ids = &n->ids,
		.key = &n->mail_key,
		.on_queued = on_queued,
		.arg = n };
	n->bouncing = bouncing_create(&bouncing);
	const struct following_world following = { .db = n->db,
		.registry = n->registry,
		.letters = n->letters,
		.stats = n->stats,
		.ids = &n->ids,
		.key = &n->mail_key,
		.on_queued = on_queued,
		.wake = wake,
		.arg = n };
	n->following = following_create(&following);
	const struct surveying_world surveying = { .db = n->db,
		.registry = n->registry,
		.stats = n->stats,
		.ids = &n->ids,
		.has_links = n->mail_key.given };
	n->surveying = surveying_create(&surveying);
	if (!n->mail_key.given)
		log_warn(
		    "nobody is asked whether they are satisfied: TURUNC_MAIL_SECRET_FILE is not "
		    "set");
	return n->letters != NULL && n->recalling != NULL && n->bouncing != NULL
	       && n->following != NULL && n->surveying != NULL;
}

/* Those that send. */
static bool
make_senders(struct notifier *n)
{
	const struct notifier_config *c = &n->config;
	struct delivery_world delivery = { .loop = daemon_loop(n->daemon),
		.db = n->db,
		.registry = n->registry,
		.stats = n->stats,
		.ids = &n->ids,
		.attempts_max = (uint32_t)c->attempts,
		.retry_first_ms = (uint64_t)c->retry_first_ms,
		.retry_cap_ms = (uint64_t)c->retry_cap_ms,
		.in_flight = (unsigned)c->in_flight,
		.per_minute = (uint32_t)c->per_minute,
		.first_mails = (uint32_t)c->first_mails,
		.smtp = { .url = c->smtp_url[0] != '\0' ? c->smtp_url : NULL,
		    .user = c->smtp_user,
		    .password = c->smtp_password,
		    .tls = c->smtp_tls,
		    .ca_file = c->smtp_ca_file,
		    .timeout_ms = (long)c->send_timeout_ms },
		.mail_key = &n->mail_key,
		.gateway_timeout_ms = (long)c->send_timeout_ms,
		.ask_receipt_us = c->ask_receipt_ms * 1000,
		.ask_doubt_us = c->ask_doubt_ms * 1000,
		.wake = wake,
		.arg = n };
	const struct reminding_world reminding = { .loop = daemon_loop(n->daemon),
		.db = n->db,
		.registry = n->registry,
		.stats = n->stats,
		.ids = &n->ids,
		.smtp = delivery.smtp,
		.look_ms = (uint64_t)c->reminders_look_ms,
		.retry_ms = (uint64_t)c->retry_first_ms,
		.wake = wake,
		.arg = n };
	n->reminding = reminding_create(&reminding);
	if (!notifier_sms_gateways(n, &delivery))
		return false;
	n->delivery = delivery_create(&delivery);
	return n->reminding != NULL && n->delivery != NULL
	       && notifier_sms_asking(n, on_queued, wake);
}

static bool
make_parts(struct notifier *n)
{
	n->stats = stats_create(notifier_stat_rows, NOTIFIER_STATS);
	n->acl = acl_create();
	if (n->acl != NULL)
		n->registry = registry_create(n->acl, REGISTRY_LOOK_MS, &registry_calls, n);
	if (n->registry == NULL || n->stats == NULL || !open_record(n))
		return false;
	registry_set_db(n->registry, n->db, STORE_REGISTRY);
	return make_tellers(n) && make_senders(n);
}

static int64_t
tick_registry(void *arg, uint64_t now_ms)
{
	return registry_tick(((struct notifier *)arg)->registry, now_ms);
}

static int64_t
tick_letters(void *arg, uint64_t now_ms)
{
	return letters_tick(((struct notifier *)arg)->letters, now_ms);
}

static int64_t
tick_bouncing(void *arg, uint64_t now_ms)
{
	return bouncing_tick(((struct notifier *)arg)->bouncing, now_ms);
}

static int64_t
tick_recalling(void *arg, uint64_t now_ms)
{
	return recalling_tick(((struct notifier *)arg)->recalling, now_ms);
}

static int64_t
tick_following(void *arg, uint64_t now_ms)
{
	return following_tick(((struct notifier *)arg)->following, now_ms);
}

static int64_t
tick_surveying(void *arg, uint64_t now_ms)
{
	return surveying_tick(((struct notifier *)arg)->surveying, now_ms);
}

static int64_t
tick_delivery(void *arg, uint64_t now_ms)
{
	return delivery_tick(((struct notifier *)arg)->delivery, now_ms);
}

static int64_t
tick_reminding(void *arg, uint64_t now_ms)
{
	return reminding_tick(((struct notifier *)arg)->reminding, now_ms);
}

static void
stop_telling(void *arg)
{
	struct notifier *n = arg;

	notifier_sms_stop(n);

	following_stop(n->following);
	recalling_stop(n->recalling);
	bouncing_stop(n->bouncing);
	surveying_stop(n->surveying);
	reminding_stop(n->reminding);
	delivery_stop(n->delivery);
}

static bool
is_telling(void *arg)
{
	struct notifier *n = arg;

	return notifier_sms_busy(n) || following_busy(n->following) || recalling_busy(n->recalling)
	       || bouncing_busy(n->bouncing) || surveying_busy(n->surveying)
	       || reminding_busy(n->reminding) || letters_busy(n->letters)
	       || delivery_busy(n->delivery);
}

bool
notifier_open(struct notifier *n)
{
	const struct daemon_part telling = { "messages", stop_telling, is_telling, n };

	n->daemon = daemon_create("notifier", &n->config.daemon);
	if (n->daemon == NULL) {
		log_error("cannot start why=\"no event loop\"");
		return false;
	}
	if (!reply_address_key_init(&n->mail_key, n->config.mail_secret)) {
		log_error("cannot start what=TURUNC_MAIL_SECRET_FILE "
			  "why=\"shorter than 16 characters\"");
		return false;
	}
	n->record_state = daemon_add_dependency(n->daemon, "record", true);
	n->catalogue_state = daemon_add_dependency(n->daemon, "catalogue", true);
	n->stream_state = daemon_add_dependency(n->daemon, "stream", false);
	if (!make_parts(n) || !open_client(n) || !open_http(n)
	    || !notifier_sms_door(n, on_queued, wake))
		return false;
	daemon_add_part(n->daemon, telling);
	daemon_add_tick(n->daemon, tick_registry, n);
	daemon_add_tick(n->daemon, tick_letters, n);
	daemon_add_tick(n->daemon, tick_recalling, n);
	daemon_add_tick(n->daemon, tick_bouncing, n);
	daemon_add_tick(n->daemon, tick_following, n);
	daemon_add_tick(n->daemon, tick_surveying, n);
	daemon_add_tick(n->daemon, tick_delivery, n);
	daemon_add_tick(n->daemon, tick_reminding, n);
	daemon_add_tick(n->daemon, notifier_sms_tick, n);
	return true;
}

void
notifier_close(struct notifier *n)
{
	db_close(n->db);
	http_close(n->http);
	http_common_close(n->pages);
	notifier_sms_close(n);
	if (n->client_readable != NULL)
		event_free(n->client_readable);
	turunc_client_destroy(n->client);
	delivery_destroy(n->delivery);
	following_destroy(n->following);
	recalling_destroy(n->recalling);
	bouncing_destroy(n->bouncing);
	surveying_destroy(n->surveying);
	reminding_destroy(n->reminding);
	letters_destroy(n->letters);
	registry_destroy(n->registry);
	acl_destroy(n->acl);
	stats_destroy(n->stats);
	daemon_destroy(n->daemon);
}
