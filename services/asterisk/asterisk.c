/* Opens and closes the program, and publishes what was heard. */
#include "asterisk.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <turunc/client.h>

#include "clock.h"
#include "log.h"

enum { WHY_BYTES = 300, AGENTS_FILE_MAX = 256 * 1024, PATH_BYTES = 1200, ID_BYTES = 128 };

/* --- publishing
 * ----------------------------------------------------------------------------------- */

/* A store that could not be written takes nothing more until it is opened anew: leave, and be
 * started again. */
static void
refuse(struct asterisk *a, const struct pbx_event *e, enum turunc_outcome outcome)
{
	a->dropped++;
	if (outcome == TURUNC_STORE_FAILED) {
		log_error("the disk refuses what was heard, leaving why=%s",
		    log_quoted(turunc_client_store_why(a->client)));
		a->store_failed = true;
		daemon_stop(a->daemon);
	} else {
		log_error("not published, the call will miss it type=%s why=%s total=%" PRIu64,
		    e->type, turunc_outcome_name(outcome), a->dropped);
	}
}

static void
publish(struct asterisk *a, struct pbx_event *e)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__Call call = TURUNC__V1__CALL__INIT;
	char id[PBX_TEXT_SIZE + 64], type[32], disposition[32];

	(void)snprintf(type, sizeof(type), "%s", e->type);
	(void)snprintf(disposition, sizeof(disposition), "%s", e->disposition);
	int len = snprintf(
	    id, sizeof(id), "%s/%s/%" PRId64, e->call_id, e->type + strlen("call."), e->time_us);
	call.call_id = e->call_id;
	call.queue = e->queue;
	call.agent = e->agent;
	call.caller = e->caller;
	call.disposition = disposition;
	event.id = id;
	event.source = a->config.source;
	event.type = type;
	event.time_us = e->time_us;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
	event.call = &call;
	enum turunc_outcome outcome = len > ID_BYTES ? TURUNC_INVALID
						     : turunc_publish(a->client, &event, NULL);
	if (outcome == TURUNC_TAKEN || outcome == TURUNC_STORED) {
		a->published++;
		log_debug("published type=%s total=%" PRIu64, e->type, a->published);
	} else {
		refuse(a, e, outcome);
	}
}

void
asterisk_on_event(struct asterisk *a, const struct ami_message *message)
{
	struct pbx_event event;
	bool taken = pbx_take(a->pbx, message, clock_now_us(), &event);

	if (!taken)
		return;
	if (event.unknown_agent) {
		a->unknown_agents++;
		log_warn("a phone that is nobody's in the table of agents, the call goes without "
			 "interface=%s total=%" PRIu64,
		    log_quoted(ami_value(message, "Interface")), a->unknown_agents);
	}
	publish(a, &event);
}

static void
on_result(void *arg, const struct turunc_result *result)
{
	(void)arg;
	if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED)
		log_error(
		    "intake refuses an event for good, it is in the store's file rejected why=%s",
		    log_quoted(result->error));
}

static void
on_state(void *arg, enum turunc_state state, const char *why)
{
	(void)arg;
	if (state == TURUNC_READY)
		log_info("intake reached");
	else if (state == TURUNC_DOWN)
		log_warn("intake away, what is heard is kept why=%s",
		    log_quoted(why == NULL ? "" : why));
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct asterisk *a = arg;

	(void)fd;
	(void)what;
	(void)turunc_client_step(a->client);
}

/* --- open and close
 * ------------------------------------------------------------------------------- */

static bool
read_agents(struct asterisk *a)
{
	char why[WHY_BYTES] = "";
	FILE *file = fopen(a->config.agents, "re");
	char *data = malloc(AGENTS_FILE_MAX);
	bool read_all = false;

	if (file == NULL || data == NULL) {
		(void)snprintf(why, sizeof(why), "%s", strerror(errno));
	} else {
		size_t size = fread(data, 1, AGENTS_FILE_MAX, file);
		if (ferror(file) || size == AGENTS_FILE_MAX)
			(void)snprintf(why, sizeof(why), "cannot be read, or is too large");
		else
			read_all = pbx_agents_parse(&a->agents, data, size, why, sizeof(why));
	}
	if (!read_all)
		log_error(
		    "cannot start what=%s why=%s", log_quoted(a->config.agents), log_quoted(why));
	if (file != NULL)
		(void)fclose(file);
	free(data);
	return read_all;
}

static bool
open_client(struct asterisk *a)
{
	char store[PATH_BYTES], why[WHY_BYTES] = "";
	const struct turunc_options options = {
		.door = TURUNC_DOOR_PUBLISH,
		.key_dir = a->config.keys_dir,
		.endpoint = a->config.endpoint[0] == '\0' ? NULL : a->config.endpoint,
		.software = "turunc-asterisk/" TURUNC_VERSION,
		.store_dir = store,
		.handlers = { .on_state = on_state, .on_result = on_result },
		.arg = a,
	};

	(void)snprintf(store, sizeof(store), "%s/store", a->config.state_dir);
	if (mkdir(store, 0700) == -1 && errno != EEXIST)
		(void)snprintf(why, sizeof(why), "store: %s", strerror(errno));
	else
		a->client = turunc_client_create(&options, why, sizeof(why));
	if (a->client == NULL) {
		log_error("cannot start what=publishing why=%s", log_quoted(why));
		return false;
	}
	a->client_event = event_new(daemon_loop(a->daemon), turunc_client_fd(a->client),
	    EV_READ | EV_PERSIST, on_client, a);
	return a->client_event != NULL && event_add(a->client_event, NULL) == 0;
}

static int64_t
tick(void *arg, uint64_t now_ms)
{
	return manager_tick(arg, now_ms);
}

/* Nothing more is heard; what was goes out, or stays in the store. */
static void
stop(void *arg)
{
	struct asterisk *a = arg;

	a->link_ends = a->link != NULL;
	manager_close(a);
	a->retry_ms = UINT64_MAX;
}

static bool
busy(void *arg)
{
	struct asterisk *a = arg;

	/* What its callbacks still hold is freed in the loop's next turn. */
	if (a->link_ends) {
		a->link_ends = false;
		return true;
	}
	return turunc_client_state(a->client) == TURUNC_READY && !turunc_client_idle(a->client);
}

bool
asterisk_open(struct asterisk *a)
{
	char why[WHY_BYTES] = "";

	a->daemon = daemon_create("asterisk", &a->config.daemon);
	if (a->daemon == NULL || !read_agents(a))
		return false;
	if (strpbrk(a->config.secret, "\r\n") != NULL) {
		log_error(
		    "cannot start what=TURUNC_ASTERISK_SECRET_FILE why=\"more than one line\"");
		return false;
	}
	a->pbx = pbx_create(&a->agents);
	if (a->pbx == NULL
	    || !address_resolve(a->config.manager.host, &a->addresses, why, sizeof(why))) {
		log_error("cannot start what=TURUNC_ASTERISK_MANAGER why=%s", log_quoted(why));
		return false;
	}
	if (!open_client(a))
		return false;
	daemon_add_part(a->daemon, (struct daemon_part){ "calls", stop, busy, a });
	daemon_add_tick(a->daemon, tick, a);
	return true;
}

void
asterisk_close(struct asterisk *a)
{
	manager_close(a);
	if (a->client_event != NULL)
		event_free(a->client_event);
	turunc_client_destroy(a->client);
	pbx_destroy(a->pbx);
	daemon_destroy(a->daemon);
}
