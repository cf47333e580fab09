/* The player's clients of the bus: the call centre, an operator, and one for each department. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "catalogue.h"
#include "demo.h"

enum {
	CLIENTS_MAX = 128,
	READY_MS = 30000,
	COMMANDS_MAX = 4096,
	ANSWER_MS = 120000,
	WINDOW = 4096,
	ACK_EVERY = 1000,
	PATH_BYTES = 512
};

struct client {
	struct demo *demo;
	struct turunc_client *client;
	const struct catalogue_department *department; /* NULL: not one */
	bool follows, subscribed;
	size_t commands; /* without an answer */
	size_t unacked; /* records; the player keeps nothing of them, so it need not say so often */
};

struct demo_bus {
	void *context;
	struct client at[CLIENTS_MAX]; /* first the call centre, then the operator */
	size_t count;
};
enum { CLIENT_CALLS, CLIENT_OPERATOR, CLIENT_FIRST_DEPARTMENT };

/* What an answer is about: one of enum demo_said, and of what. */
struct tag {
	enum demo_said said;
	uint32_t about;
};

/* --- what comes back ---------------------------------------------------------------------------
 */

static void
on_result(void *arg, const struct turunc_result *result)
{
	struct client *c = arg;
	struct tag *tag = result->tag;

	if (tag == NULL)
		return;
	if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_ACCEPTED
	    || result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_SPOOLED)
		demo_calls_taken(c->demo, tag->said, tag->about, result->ticket);
	else
		demo_trouble(c->demo, "event %s was not taken: %s", result->id,
		    result->error[0] != '\0' ? result->error : "it was there already");
	free(tag);
}

static void
on_answer(void *arg, const struct turunc_answer *answer)
{
	struct client *c = arg;
	uint32_t ticket = (uint32_t)(uintptr_t)answer->tag;

	c->commands--;
	demo_work_answered(c->demo, ticket, answer);
}

static void
on_subscribed(void *arg, uint64_t from_seq)
{
	struct client *c = arg;

	(void)from_seq;
	c->subscribed = true;
}

static void
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct client *c = arg;

	for (size_t i = 0; i < deliver->n_records; i++)
		demo_work_heard(c->demo, c->department, deliver->records[i]);
	c->unacked += deliver->n_records;
	if (c->unacked < ACK_EVERY)
		return;
	c->unacked = 0;
	(void)turunc_ack(c->client, deliver->through_seq);
}

static void
on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct client *c = arg;

	if (trouble->final)
		demo_trouble(c->demo, "bus: %s", trouble->text);
}

/* --- opening -----------------------------------------------------------------------------------
 */

static enum exit_code
open_client(struct demo *d, const char *folder, enum turunc_door door,
    const struct catalogue_department *department)
{
	struct demo_bus *bus = d->bus;
	struct client *c = &bus->at[bus->count];
	char path[PATH_BYTES], why[300] = "";

	if (snprintf(path, sizeof(path), "%s/%s", d->options.keys, folder) >= (int)sizeof(path))
		return masa_fail(MASA_USAGE, "the path of the keys is too long");
	c->demo = d;
	c->department = department;
	const struct turunc_options options = { .door = door,
		.key_dir = path,
		.software = "masa-demo/" TURUNC_VERSION,
		.zmq_context = bus->context,
		.commands_max = COMMANDS_MAX,
		.events_max = TURUNC_CREDIT_MAX,
		.answer_ms = ANSWER_MS,
		.handlers = { .on_result = on_result,
		    .on_answer = on_answer,
		    .on_subscribed = on_subscribed,
		    .on_deliver = on_deliver,
		    .on_trouble = on_trouble },
		.arg = c };
	c->client = turunc_client_create(&options, why, sizeof(why));
	if (c->client == NULL)
		return masa_fail(MASA_CONFIG, "%s: %s", path, why);
	bus->count++;
	return MASA_OK;
}

/* A department hears what concerns its tickets, the operator what a person has to route. */
static bool
follow(struct client *c)
{
	static const char *const department_types[] = { "ticket.*" };
	static const char *const operator_types[] = { "ticket.triaged" };
	const char *departments[] = { c->department != NULL ? c->department->code : "" };
	const struct turunc_subscription wanted = { .name = "demo",
		.types = c->department != NULL ? department_types : operator_types,
		.type_count = 1,
		.departments = departments,
		.department_count = c->department != NULL ? 1 : 0,
		.from = TURUNC__V1__FROM__FROM_LATEST,
		.view = TURUNC__V1__VIEW__VIEW_FULL,
		.replace = true,
		.take_over = true,
		.window = WINDOW };

	c->follows = true;
	return turunc_subscribe(c->client, &wanted) == TURUNC_TAKEN;
}

static bool
is_ready(void *arg)
{
	const struct client *c = arg;

	return c->follows ? c->subscribed : turunc_client_state(c->client) == TURUNC_READY;
}

enum exit_code
demo_bus_open(struct demo *d)
{
	d->bus = calloc(1, sizeof(*d->bus));
	if (d->bus == NULL || (d->bus->context = zmq_ctx_new()) == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	enum exit_code code = open_client(d, "calls", TURUNC_DOOR_PUBLISH, NULL);
	if (code == MASA_OK)
		code = open_client(d, "operator", TURUNC_DOOR_STREAM, NULL);
	for (size_t i = 0; code == MASA_OK && i < d->cat->department_count; i++) {
		char folder[128];
		if (!d->cat->departments[i].active || d->bus->count == CLIENTS_MAX)
			continue;
		snprintf(folder, sizeof(folder), "departments/%s", d->cat->departments[i].code);
		code = open_client(d, folder, TURUNC_DOOR_STREAM, &d->cat->departments[i]);
	}
	for (size_t i = 0; code == MASA_OK && i < d->bus->count; i++) {
		struct client *c = &d->bus->at[i];
		if ((i != CLIENT_CALLS && !follow(c))
		    || !turunc_client_run_until(c->client, is_ready, c, READY_MS))
			code = masa_fail(MASA_UNREACHABLE, "no session for %s within %d s",
			    c->department != NULL ? c->department->code
			    : i == CLIENT_CALLS   ? "the calls"
						  : "the operator",
			    READY_MS / 1000);
	}
	return code;
}

void
demo_bus_close(struct demo *d)
{
	if (d->bus == NULL)
		return;
	for (size_t i = 0; i < d->bus->count; i++)
		turunc_client_destroy(d->bus->at[i].client);
	if (d->bus->context != NULL)
		zmq_ctx_term(d->bus->context);
	free(d->bus);
	d->bus = NULL;
}

/* --- working -----------------------------------------------------------------------------------
 */

void
demo_bus_pump(struct demo *d, int wait_ms)
{
	struct curl_waitfd fds[CLIENTS_MAX];
	bool more = true;

	for (size_t i = 0; i < d->bus->count; i++)
		fds[i] = (struct curl_waitfd){ .fd = turunc_client_fd(d->bus->at[i].client),
			.events = CURL_WAIT_POLLIN };
	demo_errands_step(d);
	if (!demo_errands_wait(d, fds, (unsigned)d->bus->count, wait_ms))
		return;
	demo_errands_step(d);
	for (int turns = 0; more && turns < 16; turns++) {
		more = false;
		for (size_t i = 0; i < d->bus->count; i++)
			if (fds[i].revents != 0)
				more = turunc_client_step(d->bus->at[i].client) || more;
	}
}

bool
demo_bus_idle(const struct demo *d)
{
	bool idle = turunc_client_pending(d->bus->at[CLIENT_CALLS].client) == 0;

	/* Acknowledgements may be on their way for a while; nothing depends on them. */
	for (size_t i = 0; i < d->bus->count; i++)
		idle = idle && d->bus->at[i].commands == 0;
	return idle;
}

void
demo_bus_publish(
    struct demo *d, const Turunc__V1__InboundEvent *event, enum demo_said said, uint32_t about)
{
	struct tag *tag = malloc(sizeof(*tag));
	enum turunc_outcome outcome = TURUNC_NO_MEMORY;

	if (tag != NULL) {
		*tag = (struct tag){ said, about };
		do {
			outcome = turunc_publish(d->bus->at[CLIENT_CALLS].client, event, tag);
			if (outcome == TURUNC_FULL)
				demo_bus_pump(d, 10);
		} while (outcome == TURUNC_FULL);
	}
	if (outcome != TURUNC_TAKEN) {
		demo_trouble(d, "event %s: %s", event->id, turunc_outcome_name(outcome));
		free(tag);
	}
}

void
demo_bus_command(struct demo *d, const struct catalogue_department *by,
    const Turunc__V1__Command *command, uint32_t ticket)
{
	struct client *c = &d->bus->at[CLIENT_OPERATOR];
	enum turunc_outcome outcome;

	for (size_t i = CLIENT_FIRST_DEPARTMENT; by != NULL && i < d->bus->count; i++)
		if (d->bus->at[i].department == by)
			c = &d->bus->at[i];
	do {
		outcome = turunc_command(c->client, command, 0, (void *)(uintptr_t)ticket, NULL);
		if (outcome == TURUNC_FULL)
			demo_bus_pump(d, 10);
	} while (outcome == TURUNC_FULL);
	if (outcome == TURUNC_TAKEN)
		c->commands++;
	else
		demo_trouble(d, "ticket %s, %s: %s", command->ticket, command->verb,
		    turunc_outcome_name(outcome));
}
