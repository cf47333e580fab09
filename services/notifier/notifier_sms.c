/* Makes what speaks with SMS gateways: whom messages go to, who is asked, who calls. */
#include "notifier_sms.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

enum { PATH_BYTES = 1200, COMPLAINT_BYTES = 300 };

bool
notifier_read_keys(const char *folder, const char *server, struct key_pair *ret_keys,
    char ret_server_key[KEYS_TEXT_SIZE])
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, server);
	enum keys_result result = keys_read_public(path, ret_server_key);
	if (result == KEYS_OK) {
		(void)snprintf(path, sizeof(path), "%s/notifier.key", folder);
		result = keys_read(path, ret_keys);
	}
	if (result != KEYS_OK)
		log_error("cannot start what=%s why=%s", log_quoted(path),
		    log_quoted(keys_result_text(result)));
	return result == KEYS_OK;
}

static bool
read_gateway(const struct gateway_config *c, struct gateway *g)
{
	const char *why = NULL;

	g->profile = c->kind[0] != '\0' ? gateway_profile(c->kind) : NULL;
	if (g->profile == NULL && c->kind[0] != '\0')
		why = "no such protocol";
	else if (!sms_fields_parse(c->fields, &g->fields))
		why = "TURUNC_SMS_FIELDS: not four names";
	g->url = g->profile != NULL && c->url[0] != '\0' ? c->url : NULL;
	g->user = c->user;
	g->password = c->password;
	g->authorization = c->authorization;
	if (why != NULL)
		log_error("cannot start what=%s why=%s", log_quoted(c->kind), log_quoted(why));
	return why == NULL;
}

bool
notifier_sms_gateways(struct notifier *n, struct delivery_world *delivery)
{
	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++) {
		const struct gateway_config *c = &n->config.gateways[i];
		struct gateway *g = &n->gateways[i];
		if (!read_gateway(c, g))
			return false;
		delivery->gateways[i] = *g;
		delivery->gateway_per_minute[i] = c->per_minute > 0    ? (uint32_t)c->per_minute
						  : g->profile != NULL ? g->profile->per_minute
								       : 1;
		n->callers[i] = (struct sms_door_gateway){ g->profile, c->callback_secret };
	}
	/* Their messages are told apart by the protocol's name. */
	if (n->gateways[0].url != NULL && n->gateways[0].profile == n->gateways[1].profile) {
		log_error("cannot start what=TURUNC_SMS2_GATEWAY why=\"the same as the first\"");
		return false;
	}
	return true;
}

static struct receipts_world
receipts_world(struct notifier *n)
{
	return (struct receipts_world){ .db = n->db,
		.stats = n->stats,
		.ids = &n->ids,
		.again_us = n->config.ask_receipt_ms * 1000 };
}

static uint32_t
asks_per_minute(const struct gateway_config *c, const struct gateway *g)
{
	if (c->asks_per_minute > 0)
		return (uint32_t)c->asks_per_minute;
	return g->profile != NULL ? g->profile->asks_per_minute : 1;
}

bool
notifier_sms_asking(struct notifier *n, void (*on_news)(void *arg), void (*wake)(void *arg))
{
	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++) {
		const struct gateway *g = &n->gateways[i];
		const struct asking_world world = { .loop = daemon_loop(n->daemon),
			.receipts = receipts_world(n),
			.gateway = g,
			.timeout_ms = (long)n->config.send_timeout_ms,
			.per_minute = asks_per_minute(&n->config.gateways[i], g),
			.on_answered = on_news,
			.wake = wake,
			.arg = n };
		if (g->url == NULL || g->profile->ask == NULL)
			continue;
		n->asking[i] = asking_create(&world);
		if (n->asking[i] == NULL)
			return false;
	}
	return true;
}

/* --- texts of citizens, to intake ------------------------------------------------------------- */

static void
on_publisher_readable(evutil_socket_t fd, short what, void *arg)
{
	struct notifier *n = arg;

	(void)fd;
	(void)what;
	(void)turunc_client_step(n->publisher);
}

static void
on_published(void *arg, const struct turunc_result *result)
{
	sms_door_on_result(((struct notifier *)arg)->sms_door, result);
}

bool
notifier_sms_door(struct notifier *n, void (*on_news)(void *arg), void (*wake)(void *arg))
{
	char server_key[KEYS_TEXT_SIZE], why[COMPLAINT_BYTES] = "";
	struct key_pair keys;
	bool called = false;

	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++)
		called = called || n->config.gateways[i].callback_secret[0] != '\0';
	if (!called)
		return true;
	if (!notifier_read_keys(n->config.keys_dir, "intake.pub", &keys, server_key))
		return false;
	const struct turunc_options options = {
		.door = TURUNC_DOOR_PUBLISH,
		.endpoint = n->config.publish,
		.client_secret = keys.secret_key,
		.client_public = keys.public_key,
		.server_public = server_key,
		.software = "turunc-notifier/" TURUNC_VERSION,
		.store_dir = n->config.sms_store_dir[0] != '\0' ? n->config.sms_store_dir : NULL,
		.backoff_max_ms = 1000, /* intake is ours, and near */
		.handlers = { .on_result = on_published },
		.arg = n,
	};
	n->publisher = turunc_client_create(&options, why, sizeof(why));
	keys_wipe(&keys);
	if (n->publisher != NULL)
		n->publisher_readable = event_new(daemon_loop(n->daemon),
		    turunc_client_fd(n->publisher), EV_READ | EV_PERSIST, on_publisher_readable, n);
	if (n->publisher_readable == NULL || event_add(n->publisher_readable, NULL) == -1) {
		log_error("cannot start what=TURUNC_BUS_PUBLISH why=%s", log_quoted(why));
		return false;
	}
	const struct sms_door_world world = { .receipts = receipts_world(n),
		.gateways = n->callers,
		.gateway_count = DELIVERY_GATEWAYS,
		.publisher = n->publisher,
		.registry = n->registry,
		.on_news = on_news,
		.wake = wake,
		.arg = n };
	n->sms_door = sms_door_open(n->http, &world);
	if (n->sms_door == NULL)
		log_error("cannot start what=/receipts/ why=\"out of memory\"");
	return n->sms_door != NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

int64_t
notifier_sms_tick(void *arg, uint64_t now_ms)
{
	struct notifier *n = arg;
	int64_t wait_ms = n->sms_door != NULL ? sms_door_tick(n->sms_door, now_ms) : -1;

	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++) {
		int64_t next_ms = n->asking[i] != NULL ? asking_tick(n->asking[i], now_ms) : -1;
		if (next_ms >= 0 && (wait_ms < 0 || next_ms < wait_ms))
			wait_ms = next_ms;
	}
	return wait_ms;
}

void
notifier_sms_stop(struct notifier *n)
{
	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++)
		if (n->asking[i] != NULL)
			asking_stop(n->asking[i]);
}

bool
notifier_sms_busy(const struct notifier *n)
{
	bool busy = false;

	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++)
		busy = busy || (n->asking[i] != NULL && asking_busy(n->asking[i]));
	return busy;
}

void
notifier_sms_close(struct notifier *n)
{
	sms_door_close(n->sms_door);
	if (n->publisher_readable != NULL)
		event_free(n->publisher_readable);
	turunc_client_destroy(n->publisher);
	for (size_t i = 0; i < DELIVERY_GATEWAYS; i++)
		asking_destroy(n->asking[i]);
}
