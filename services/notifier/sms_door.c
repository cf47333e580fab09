/* Takes gateways' callbacks: checks who calls, reads what they say, answers when it is safe. */
#include "sms_door.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "http.h"
#include "incoming_text.h"
#include "log.h"
#include "notifier_stats.h"
#include "number.h"
#include "phone.h"
#include "ratelimit.h"
#include "receipt_match.h"
#include "store.h"
#include "wish_words.h"

enum {
	CALLBACKS_MAX = 16,
	BODY_MAX_BYTES = 256 * 1024,
	WRONG_KEYS = 1024,
	WRONG_BURST = 10,
	WRONG_PER_MINUTE = 10,
	NAMED_MAX = 4, /* tickets that a text may name */
	RETRY_S = 5,
	ANSWER_MS = 3000, /* gateways do not wait for long */
	/* Early receipts wait for the record: so long, looked at after twice as long each time, and
	 * so many that the others still find room. */
	EARLY_MS = 2000,
	EARLY_FIRST_MS = 20,
	EARLY_CAP_MS = 320,
	EARLY_MAX = CALLBACKS_MAX / 2,
};
static const int64_t answers_within_us = INT64_C(30) * 24 * 3600 * 1000000;
/* Longer than gateways come again, where a text is known by its words alone. */
static const int64_t again_us = INT64_C(20) * 60 * 1000000;

/* One request, from its body to its answer. */
struct callback {
	struct sms_door *door;
	uint64_t serial; /* never given again: what intake says may come when this has long ended */
	struct http_request *request;
	const struct gateway_profile *profile;
	json_t *document; /* owns the texts */
	struct gateway_news news[GATEWAY_NEWS_MAX];
	size_t count;
	struct receipt_match match; /* of its receipts */
	bool held; /* until the record knows of early ones */
	uint32_t looks; /* for those, until now */
	uint64_t look_at_ms; /* again; 0: it is looking */
	size_t at; /* the incoming text in hand */
	size_t waiting; /* texts without intake's word */
	bool read; /* every text was handed over */
	bool failed;
	bool answered; /* 503 before intake's word; that is still to come */
	uint64_t since_ms;
	struct callback *next;
};

struct sms_door {
	struct sms_door_world world;
	struct ratelimit *wrong; /* secrets, by address */
	struct strangers *strangers;
	struct callback *callbacks;
	size_t callback_count;
	uint64_t last_serial;
};

static void next_text(struct callback *c);

/* --- ends ------------------------------------------------------------------------------------- */

static void
count(struct sms_door *door, enum callback_end end)
{
	stats_add_at(door->world.receipts.stats, NOTIFIER_STAT_CALLBACKS, end, 1);
}

static void
answer(struct callback *c)
{
	if (c->answered)
		return;
	c->answered = true;
	count(c->door, c->failed        ? CALLBACK_AWAY
		       : c->match.early ? CALLBACK_EARLY
					: CALLBACK_TAKEN);
	if (c->failed || c->match.early)
		http_reply_retry(c->request, 503, "Not now; come again.", RETRY_S);
	else
		http_reply_data(c->request, 200, "text/plain", "OK", 2);
}

static void
end(struct callback *c)
{
	struct sms_door *door = c->door;
	struct callback **at = &door->callbacks;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	door->callback_count--;
	answer(c);
	json_decref(c->document);
	free(c);
}

static void
fail(struct callback *c)
{
	c->failed = true;
	c->read = true;
	if (c->waiting == 0)
		end(c);
}

/* --- texts to intake -------------------------------------------------------------------------- */

static void *
tag_of(const struct callback *c)
{
	return (void *)(uintptr_t)c->serial;
}

static bool
publish(struct callback *c, const struct gateway_news *n, const char *sender, const char *ticket)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__SmsReceived sms = TURUNC__V1__SMS_RECEIVED__INIT;
	char id[INCOMING_TEXT_ID_SIZE], text[GATEWAY_TEXT_MAX + 1], from[40], number[NUMBER_SIZE],
	    gateway[32];
	char source[] = "sms", type[] = "sms.received";
	int64_t now_us = clock_now_us();

	incoming_text_id(c->profile->name, n, now_us, id);
	incoming_text_plain(n->text, text);
	snprintf(from, sizeof(from), "%s", sender);
	incoming_text_blank(from, false);
	snprintf(number, sizeof(number), "%s", ticket);
	snprintf(gateway, sizeof(gateway), "%s", c->profile->name);
	sms.sender = from;
	sms.text = text;
	sms.gateway = gateway;
	sms.ticket = number;
	event.id = id;
	event.source = source;
	event.type = type;
	event.time_us = now_us;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_SMS;
	event.sms = &sms;
	switch (turunc_publish(c->door->world.publisher, &event, tag_of(c))) {
	case TURUNC_TAKEN:
		c->waiting++;
		return true;
	case TURUNC_STORED: /* safe already; its result finds nobody waiting */
		stats_add_at(
		    c->door->world.receipts.stats, NOTIFIER_STAT_TEXTS_IN, TEXT_PUBLISHED, 1);
		return true;
	case TURUNC_INVALID: /* it never will be */
	case TURUNC_TOO_LARGE:
		log_warn("a text cannot be taken gateway=%s", c->profile->name);
		stats_add_at(
		    c->door->world.receipts.stats, NOTIFIER_STAT_TEXTS_IN, TEXT_REJECTED, 1);
		return true;
	case TURUNC_FULL:
	case TURUNC_NOT_NOW:
	case TURUNC_STORE_FAILED:
	case TURUNC_NO_MEMORY:
	case TURUNC_OUTCOMES:
	default:
		stats_add_at(c->door->world.receipts.stats, NOTIFIER_STAT_TEXTS_IN, TEXT_FULL, 1);
		return false;
	}
}

void
sms_door_on_result(struct sms_door *door, const struct turunc_result *result)
{
	struct callback *c = door->callbacks;
	enum text_end how = TEXT_PUBLISHED;

	while (c != NULL && tag_of(c) != result->tag)
		c = c->next;
	if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_DUPLICATE)
		how = TEXT_REPEATED;
	if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED) {
		how = TEXT_REJECTED; /* final: to come again would not help */
		log_warn("intake rejected a text why=%s", log_quoted(result->error));
	}
	if (c == NULL || c->waiting == 0)
		return; /* it was stored: its gateway has been answered, or will be without this */
	stats_add_at(door->world.receipts.stats, NOTIFIER_STAT_TEXTS_IN, how, 1);
	if (--c->waiting == 0 && c->read)
		end(c);
}

static enum wish_end
wish_end(enum wish wish, int64_t taken)
{
	if (taken == WISH_TAKEN || taken == WISH_CONFIRMED)
		return wish == WISH_STOP ? WISH_STOPPED : WISH_STARTED;
	return taken == WISH_TAKEN_BEFORE ? WISH_REPEATED : WISH_STRANGER;
}

static void
count_wish(struct callback *c, enum wish wish, int64_t taken)
{
	struct stats *stats = c->door->world.receipts.stats;

	stats_add_at(stats, NOTIFIER_STAT_WISHES, wish_end(wish, taken), 1);
	if (taken != WISH_CONFIRMED)
		return;
	stats_incr(stats, NOTIFIER_STAT_QUEUED);
	c->door->world.on_news(c->door->world.arg);
}

static void
on_looked_up(void *arg, const struct db_reply *reply)
{
	struct callback *c = arg;
	const struct gateway_news *n = &c->news[c->at];
	char number[NUMBER_SIZE] = "";
	struct phone phone;

	if (reply->outcome != DB_COMMITTED) {
		fail(c);
		return;
	}
	bool known = phone_parse(n->sender, &phone) == PHONE_OK;
	enum wish wish = known ? sms_wish(n->text) : WISH_NONE;
	if (wish != WISH_NONE)
		count_wish(c, wish, db_get_int(reply->results[1], 0, 0));
	if (db_rows(reply->results[0]) > 0
	    && !number_format(db_get_int(reply->results[0], 0, 0), number))
		number[0] = '\0';
	if (!publish(c, n, known ? phone.number : n->sender, number)) {
		fail(c);
		return;
	}
	c->at++;
	next_text(c);
}

static void
add_wish(const struct callback *c, struct db_unit *unit, const struct catalogue *catalogue,
    const char *phone, int64_t now_us)
{
	const struct gateway_news *n = &c->news[c->at];
	char id[INCOMING_TEXT_ID_SIZE];
	struct wish_words words;
	struct uuid confirmation;

	incoming_text_id(c->profile->name, n, now_us, id);
	wish_words_write(catalogue, sms_wish(n->text) == WISH_STOP, now_us, &words);
	uuid_next(c->door->world.receipts.ids, now_us, &confirmation);
	db_unit_add(unit, STORE_WISH);
	db_add_text(unit, id);
	db_add_text(unit, phone);
	db_add_bool(unit, sms_wish(n->text) == WISH_STOP);
	db_add_int8(unit, n->key[0] != '\0' ? now_us : again_us);
	db_add_int8(unit, now_us);
	db_add_uuid(unit, &confirmation);
	struct db_array *languages = db_add_array(unit, DB_TEXT);
	struct db_array *bodies = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < words.count; i++) {
		db_array_text(languages, words.languages[i]);
		db_array_text(bodies, words.bodies[i]);
	}
}

/* Its wish, and the ticket that it is about. */
static void
look_up(struct callback *c)
{
	const struct catalogue *catalogue = registry_catalogue(c->door->world.registry);
	struct gateway_news *n = &c->news[c->at];
	int64_t named[NAMED_MAX], now_us = clock_now_us();
	struct phone phone;

	if (catalogue == NULL) { /* it says what stands before the text */
		fail(c);
		return;
	}
	n->text = incoming_text_behind(n->text, catalogue->municipality.sms_keyword);
	struct db_unit *unit = db_unit_create(c->door->world.receipts.db);
	bool known = phone_parse(n->sender, &phone) == PHONE_OK;
	size_t count_named = sms_ticket_numbers(n->text, named, NAMED_MAX);
	db_unit_add(unit, STORE_ANSWERS);
	db_add_text(unit, known ? phone.number : "");
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < count_named; i++)
		db_array_int8(tickets, named[i]);
	db_add_int8(unit, now_us - answers_within_us);
	if (known && sms_wish(n->text) != WISH_NONE)
		add_wish(c, unit, catalogue, phone.number, now_us);
	if (!db_submit(c->door->world.receipts.db, unit, on_looked_up, c)) {
		db_unit_destroy(unit);
		fail(c);
	}
}

static void
next_text(struct callback *c)
{
	while (c->at < c->count && !c->news[c->at].incoming)
		c->at++;
	if (c->at < c->count) {
		look_up(c);
		return;
	}
	c->read = true;
	if (c->waiting == 0)
		end(c);
}

/* --- receipts --------------------------------------------------------------------------------- */

static void
on_applied(void *arg, const struct db_reply *reply)
{
	struct callback *c = arg;

	receipts_count(&c->door->world.receipts, c->match.receipts, c->match.count, reply);
	if (reply->outcome != DB_COMMITTED) {
		fail(c);
		return;
	}
	c->door->world.on_news(c->door->world.arg);
	next_text(c);
}

static size_t
count_held(const struct sms_door *door)
{
	size_t held = 0;

	for (const struct callback *c = door->callbacks; c != NULL; c = c->next)
		held += c->held;
	return held;
}

/*
 * Most gateways do not come again, so the callback is held until what it may be about is written
 * down.  Not for long: a gateway that calls before it answers our own request waits for us.
 */
static bool
hold(struct callback *c, uint64_t now_ms)
{
	const struct backoff pauses = { EARLY_FIRST_MS, EARLY_CAP_MS, 0 };

	if (now_ms >= c->since_ms + EARLY_MS || (!c->held && count_held(c->door) >= EARLY_MAX))
		return false;
	if (!c->held)
		stats_incr(c->door->world.receipts.stats, NOTIFIER_STAT_CALLBACKS_HELD);
	c->look_at_ms = now_ms + backoff_delay_ms(&pauses, ++c->looks, 0);
	c->door->world.wake(c->door->world.arg);
	return true;
}

static void
on_known(void *arg, const struct db_reply *reply)
{
	struct callback *c = arg;
	uint64_t now_ms = clock_monotonic_ms();

	if (reply->outcome != DB_COMMITTED) {
		fail(c);
		return;
	}
	const struct receipt_news news = { c->profile, c->news, c->count };
	receipt_match_read(&news, reply, c->door->strangers, now_ms, &c->match);
	c->held = c->match.early && hold(c, now_ms);
	if (c->held)
		return;
	if (c->match.count == 0) {
		next_text(c);
		return;
	}
	struct db_unit *unit = db_unit_create(c->door->world.receipts.db);
	receipts_apply(&c->door->world.receipts, unit, c->match.receipts, c->match.count);
	if (!db_submit(c->door->world.receipts.db, unit, on_applied, c)) {
		db_unit_destroy(unit);
		fail(c);
	}
}

static void
look_for_receipts(struct callback *c)
{
	const struct receipt_news news = { c->profile, c->news, c->count };
	struct db_unit *unit = db_unit_create(c->door->world.receipts.db);

	c->look_at_ms = 0;
	if (!receipt_match_ask(&news, unit)) {
		db_unit_destroy(unit);
		next_text(c);
		return;
	}
	if (!db_submit(c->door->world.receipts.db, unit, on_known, c)) {
		db_unit_destroy(unit);
		fail(c);
	}
}

/* --- who calls -------------------------------------------------------------------------------- */

/* The same time for every wrong secret of any length. */
static bool
same_secret(const char *given, const char *secret)
{
	unsigned char a[crypto_generichash_BYTES], b[crypto_generichash_BYTES];

	crypto_generichash(a, sizeof(a), (const unsigned char *)given, strlen(given), NULL, 0);
	crypto_generichash(b, sizeof(b), (const unsigned char *)secret, strlen(secret), NULL, 0);
	return sodium_memcmp(a, b, sizeof(a)) == 0;
}

/* NULL: nobody we know. */
static const struct gateway_profile *
caller(const struct sms_door *door, const char *name, const char *secret)
{
	const struct gateway_profile *found = NULL;

	for (size_t i = 0; i < door->world.gateway_count; i++) {
		const struct sms_door_gateway *g = &door->world.gateways[i];
		if (g->profile != NULL && g->secret != NULL && g->secret[0] != '\0'
		    && same_secret(secret, g->secret) && strcmp(g->profile->name, name) == 0)
			found = g->profile;
	}
	return found;
}

/*
 * Every call is charged before its secret is looked at, and who knows it is paid back: an address
 * that has used up its guesses learns nothing more, not even from a right one.
 */
static bool
may_try(struct sms_door *door, struct http_request *req)
{
	const char *address = http_client_network(req);
	uint64_t wait_ms = 0;

	if (ratelimit_take(door->wrong, address, strlen(address), clock_monotonic_ms(), &wait_ms))
		return true;
	count(door, CALLBACK_REFUSED);
	http_reply_retry(req, 429, "Too many wrong attempts.", (uint32_t)(wait_ms / 1000 + 1));
	return false;
}

/* Who calls; NULL: it was answered. */
static const struct gateway_profile *
admit(struct sms_door *door, struct http_request *req, const char *secret)
{
	const char *address = http_client_network(req);

	if (!may_try(door, req))
		return NULL;
	const struct gateway_profile *profile = caller(
	    door, http_path_param(req, "gateway"), secret != NULL ? secret : "");
	if (profile != NULL) {
		ratelimit_give_back(door->wrong, address, strlen(address));
		return profile;
	}
	count(door, CALLBACK_REFUSED);
	http_reply_error(req, 404, "There is no such page.");
	return NULL;
}

static void
take(struct sms_door *door, struct http_request *req, const char *secret)
{
	const struct gateway_profile *profile = admit(door, req, secret);
	size_t len, ignored;

	if (profile == NULL)
		return;
	const char *body = http_body(req, &len);
	struct callback *c = door->callback_count < CALLBACKS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		count(door, CALLBACK_BUSY);
		http_reply_retry(req, 503, "Too many at one time; come again.", RETRY_S);
		return;
	}
	int read = gateway_read(profile, body, len, &c->document, c->news, &ignored);
	if (read < 0) {
		count(door, CALLBACK_MALFORMED);
		http_reply_error(req, 400, "The body is not JSON, or has too many elements.");
		json_decref(c->document);
		free(c);
		return;
	}
	stats_add(door->world.receipts.stats, NOTIFIER_STAT_CALLBACKS_IGNORED, ignored);
	c->door = door;
	c->serial = ++door->last_serial;
	c->request = req;
	c->profile = profile;
	c->count = (size_t)read;
	c->since_ms = clock_monotonic_ms();
	c->next = door->callbacks;
	door->callbacks = c;
	door->callback_count++;
	look_for_receipts(c);
}

static void
on_path(struct http_request *req, void *arg)
{
	take(arg, req, http_path_param(req, "secret"));
}

static void
on_header(struct http_request *req, void *arg)
{
	take(arg, req, http_header(req, "X-Turunc-Secret"));
}

static const struct http_route routes[] = {
	{ HTTP_POST, "/receipts/{gateway}/{secret}", on_path, BODY_MAX_BYTES },
	{ HTTP_POST, "/receipts/{gateway}", on_header, BODY_MAX_BYTES },
};

struct sms_door *
sms_door_open(struct http *http, const struct sms_door_world *world)
{
	const struct ratelimit_settings limit = {
		.keys = WRONG_KEYS, .burst = WRONG_BURST, .per_minute = WRONG_PER_MINUTE
	};
	struct sms_door *door = calloc(1, sizeof(*door));

	if (door == NULL)
		return NULL;
	door->world = *world;
	door->wrong = ratelimit_create(&limit);
	door->strangers = strangers_create();
	if (door->wrong == NULL || door->strangers == NULL
	    || !http_add_routes(http, routes, ARRAY_LEN(routes), door)) {
		sms_door_close(door);
		return NULL;
	}
	return door;
}

void
sms_door_close(struct sms_door *door)
{
	if (door == NULL)
		return;
	while (door->callbacks != NULL) {
		struct callback *next = door->callbacks->next;
		json_decref(door->callbacks->document);
		free(door->callbacks);
		door->callbacks = next;
	}
	ratelimit_destroy(door->wrong);
	strangers_destroy(door->strangers);
	free(door);
}

int64_t
sms_door_tick(struct sms_door *door, uint64_t now_ms)
{
	int64_t wait_ms = -1;

	for (struct callback *c = door->callbacks, *next; c != NULL; c = next) {
		bool look = c->held && c->look_at_ms != 0;
		uint64_t until_ms = look ? c->look_at_ms : c->since_ms + ANSWER_MS;
		next = c->next;
		if (!look && (c->answered || c->waiting == 0))
			continue; /* the record answers in its own time */
		if (now_ms < until_ms) {
			if (wait_ms < 0 || (int64_t)(until_ms - now_ms) < wait_ms)
				wait_ms = (int64_t)(until_ms - now_ms);
		} else if (look) {
			look_for_receipts(c);
		} else {
			c->failed = true;
			answer(c);
		}
	}
	return wait_ms;
}
