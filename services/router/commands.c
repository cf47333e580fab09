/* The queue of commands, its batches, and their way through the record. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "command.h"
#include "db_result.h"
#include "log.h"
#include "router_stats.h"
#include "store.h"

enum { IDLE_MS = 1000, ATTEMPTS_MAX = 30, SCAN_FACTOR = 4 };

static const struct backoff retry = { .first_ms = 2, .cap_ms = 500, .spread_percent = 50 };

struct commands {
	struct commands_world world;
	struct command_list waiting; /* in the order they came */
	struct command_list batch; /* on their way */
	size_t held; /* in both */
	size_t batch_count;
	size_t limit; /* of the next batch */
	struct changes *changes;
	bool busy;
	bool stopped;
	uint32_t failures; /* in a row */
	uint64_t wait_until_ms;
};

struct commands *
commands_create(const struct commands_world *world)
{
	struct commands *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->world = *world;
	c->limit = world->batch_commands;
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->batch);
	return c;
}

static void
destroy_list(struct command_list *list)
{
	while (!TAILQ_EMPTY(list)) {
		struct command *command = TAILQ_FIRST(list);
		TAILQ_REMOVE(list, command, link);
		command_destroy(command);
	}
}

void
commands_destroy(struct commands *c)
{
	if (c == NULL)
		return;
	destroy_list(&c->waiting);
	destroy_list(&c->batch);
	changes_destroy(c->changes);
	explicit_bzero(c->world.secret, sizeof(c->world.secret));
	free(c);
}

void
commands_stop(struct commands *c)
{
	c->stopped = true;
}

bool
commands_busy(const struct commands *c)
{
	return c->held > 0;
}

size_t
commands_held(const struct commands *c)
{
	return c->held;
}

/* --- coming and going ------------------------------------------------------------------------- */

static void
count(struct commands *c, enum status_verb verb, size_t outcome)
{
	stats_add_at(c->world.stats, ROUTER_STAT_COMMANDS + (size_t)verb, outcome, 1);
}

static void
refuse_at_once(struct commands *c, struct bus_session *session,
    const Turunc__V1__ClientFrame *frame, Turunc__V1__RefusalCode code, const char *why)
{
	Turunc__V1__ServerFrame answer = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Refused refused = TURUNC__V1__REFUSED__INIT;
	char text[CHANGES_WHY_BYTES];
	enum status_verb verb;

	(void)snprintf(text, sizeof(text), "%s", why);
	refused.id = frame->command->id;
	refused.code = code;
	refused.text = text;
	answer.request = frame->request;
	answer.body_case = TURUNC__V1__SERVER_FRAME__BODY_REFUSED;
	answer.refused = &refused;
	if (!status_verb_parse(frame->command->verb, &verb))
		verb = STATUS_VERBS;
	count(c, verb, (size_t)code);
	(void)bus_send(session, &answer);
}

void
commands_handle(
    struct commands *c, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	const Turunc__V1__RefusalCode later = TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE;
	const char *why;

	if (c->stopped || c->held >= c->world.held_commands) {
		refuse_at_once(c, session, frame, later,
		    c->stopped ? "the router is stopping" : "too many commands are waiting");
		return;
	}
	struct command *command = command_create(
	    session, frame, c->world.secret, sizeof(c->world.secret), &why);
	if (command == NULL) {
		refuse_at_once(c, session, frame,
		    why[0] == '\0' ? later : TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD,
		    why[0] == '\0' ? "out of memory" : why);
		return;
	}
	TAILQ_INSERT_TAIL(&c->waiting, command, link);
	c->held++;
	c->world.wake(c->world.arg);
}

void
commands_ask(struct commands *c, const struct asker *who, const Turunc__V1__Command *asked,
    const struct command_photos *photos, command_answered_fn *answered, void *arg)
{
	struct command_answer refusal = {
		.refusal = TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE,
		.text = "too many commands are waiting",
	};
	struct command *command = NULL;
	const char *why = "";
	enum status_verb verb;

	if (!c->stopped && c->held < c->world.held_commands) {
		command = command_create_for(who, asked, photos, answered, arg, c->world.secret,
		    sizeof(c->world.secret), &why);
		refusal.text = why[0] == '\0' ? "out of memory" : why;
		if (why[0] != '\0')
			refusal.refusal = TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD;
	}
	if (command == NULL) {
		if (!status_verb_parse(asked->verb, &verb))
			verb = STATUS_VERBS;
		count(c, verb, (size_t)refusal.refusal);
		answered(arg, &refusal);
		return;
	}
	TAILQ_INSERT_TAIL(&c->waiting, command, link);
	c->held++;
	c->world.wake(c->world.arg);
}

static void
forget_session(struct command_list *list, const struct bus_session *session)
{
	struct command *command;

	TAILQ_FOREACH (command, list, link)
		if (command->session == session)
			command->session = NULL;
}

void
commands_session_closed(struct commands *c, const struct bus_session *session)
{
	forget_session(&c->waiting, session);
	forget_session(&c->batch, session);
}

/* Answers and lets go. */
static void
settle(struct commands *c, struct command_list *list, struct command *command)
{
	TAILQ_REMOVE(list, command, link);
	c->held--;
	count(c, command->verb,
	    command->repeat
		    && command->answer.refusal != TURUNC__V1__REFUSAL_CODE__REFUSAL_ID_REUSED
		? (size_t)OUTCOME_REPEAT
		: (size_t)command->answer.refusal);
	stats_observe(
	    c->world.stats, ROUTER_STAT_COMMAND_TIME, clock_monotonic_us() - command->arrived_us);
	command_send(command);
	command_destroy(command);
}

static void
settle_batch(struct commands *c)
{
	changes_destroy(c->changes);
	c->changes = NULL;
	c->busy = false;
	while (!TAILQ_EMPTY(&c->batch))
		settle(c, &c->batch, TAILQ_FIRST(&c->batch));
	c->world.wake(c->world.arg);
}

/* --- failing ---------------------------------------------------------------------------------- */

/* The batch goes back to where it was, to be read and decided anew: whatever was committed after
 * all is then found as a first answer. */
static void
try_again(struct commands *c)
{
	struct command *command;

	changes_destroy(c->changes);
	c->changes = NULL;
	c->busy = false;
	TAILQ_FOREACH (command, &c->batch, link) {
		command->decided = false;
		command->repeat = false;
		command->attempts++;
	}
	TAILQ_CONCAT(&c->batch, &c->waiting, link);
	TAILQ_CONCAT(&c->waiting, &c->batch, link);
	c->wait_until_ms = clock_monotonic_ms()
			   + backoff_delay_ms(
			       &retry, ++c->failures, (uint32_t)clock_monotonic_us());
	for (command = TAILQ_FIRST(&c->waiting); command != NULL;) {
		struct command *next = TAILQ_NEXT(command, link);
		if (command->attempts > ATTEMPTS_MAX) {
			command_give_up(command, "others change the same tickets all the time");
			settle(c, &c->waiting, command);
		}
		command = next;
	}
	c->world.wake(c->world.arg);
}

static void
give_up_batch(struct commands *c, const char *why)
{
	struct command *command;

	TAILQ_FOREACH (command, &c->batch, link)
		if (!command->repeat)
			command_give_up(command, why);
	settle_batch(c);
}

static void
on_failure(struct commands *c, const struct db_reply *reply)
{
	bool lost = strncmp(reply->sqlstate, "TU00", 4) == 0;

	if (reply->outcome == DB_FAILED && lost) {
		stats_incr(c->world.stats, ROUTER_STAT_COMMANDS_LOST);
		try_again(c);
		return;
	}
	if (reply->outcome != DB_FAILED || db_fault_of(reply->sqlstate) == DB_FAULT_PASSING) {
		log_warn("commands not settled, will be read and decided again count=%zu "
			 "sqlstate=%s",
		    c->batch_count, reply->sqlstate);
		try_again(c);
		return;
	}
	if (db_fault_of(reply->sqlstate) == DB_FAULT_DATA && c->batch_count > 1) {
		log_warn("commands refused by the record, trying fewer count=%zu sqlstate=%s",
		    c->batch_count, reply->sqlstate);
		c->limit = c->batch_count / 2;
		try_again(c);
		return;
	}
	log_error("the record refuses commands, clients are told to come again count=%zu "
		  "sqlstate=%s why=%s",
	    c->batch_count, reply->sqlstate, log_quoted(reply->message));
	c->limit = c->world.batch_commands;
	give_up_batch(c, "the record refused it");
}

/* --- a batch ---------------------------------------------------------------------------------- */

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct commands *c = arg;

	if (reply->outcome != DB_COMMITTED) {
		struct command *command;
		TAILQ_FOREACH (command, &c->batch, link)
			command->unsure = command->unsure || reply->outcome != DB_NOT_SENT;
		on_failure(c, reply);
		return;
	}
	bool appended = changes_records(c->changes) > 0;
	changes_trace(c->changes, "decided");
	uint64_t last = !appended
			    ? 0
			    : (uint64_t)db_get_int(reply->results[reply->result_count - 1], 0, 0);

	c->failures = 0;
	c->limit = c->limit * 2 < c->world.batch_commands ? c->limit * 2 : c->world.batch_commands;
	if (appended)
		c->world.on_append(c->world.arg, last);
	settle_batch(c);
}

static void
write_batch(struct commands *c)
{
	int64_t now_us = clock_now_us();
	struct db_unit *unit = db_unit_create(c->world.db);

	db_unit_step(unit, FAILPOINT_ROUTER_COMMANDS);
	changes_add(c->changes, unit, now_us);
	changes_add_log(c->changes, unit, now_us);
	if (changes_ok(c->changes) && db_submit(c->world.db, unit, on_written, c))
		return;
	db_unit_destroy(unit);
	try_again(c);
}

static void
find_repeats(struct commands *c, const struct pg_result *rows)
{
	for (int row = 0; row < db_rows(rows); row++) {
		struct uuid id = db_get_uuid(rows, row, ANSWER_ID);
		const char *client = db_get_text(rows, row, ANSWER_CLIENT);
		struct digest digest = { { 0 } };
		struct command *command;
		size_t len;
		const void *bytes = db_get_bytea(rows, row, ANSWER_DIGEST, &len);

		if (len == sizeof(digest.bytes))
			memcpy(digest.bytes, bytes, len);
		TAILQ_FOREACH (command, &c->batch, link)
			if (uuid_compare(&command->id, &id) == 0
			    && strcmp(command->client, client) == 0)
				command_repeat(command, &digest,
				    (int)db_get_int(rows, row, ANSWER_REFUSAL),
				    db_get_text(rows, row, ANSWER_TEXT),
				    (int32_t)db_get_int(rows, row, ANSWER_VERSION),
				    (int)db_get_int(rows, row, ANSWER_STATUS));
	}
}

/* What the people who ask may do at this moment; whoever is not there any more may do nothing. */
static bool
find_rights(struct commands *c, const struct pg_result *rows)
{
	struct command *command;

	TAILQ_FOREACH (command, &c->batch, link) {
		if (command->asker.name[0] == '\0')
			continue;
		asker_withdraw(&command->asker);
		for (int row = 0; row < db_rows(rows); row++) {
			struct db_elements departments = db_get_array(rows, row, 2);
			if (strcmp(db_get_text(rows, row, 0), command->asker.name) == 0
			    && !asker_grant(
				&command->asker, (unsigned)db_get_int(rows, row, 1), &departments))
				return false;
		}
	}
	return true;
}

/* First answers, tickets and rights are here. */
static void
on_read(void *arg, const struct db_reply *reply)
{
	struct commands *c = arg;
	const struct catalogue *cat = registry_catalogue(c->world.registry);
	struct command *command;

	if (reply->outcome != DB_COMMITTED) {
		on_failure(c, reply);
		return;
	}
	c->changes = changes_create();
	if (c->changes == NULL || cat == NULL) {
		try_again(c);
		return;
	}
	find_repeats(c, reply->results[0]);
	changes_load(c->changes, reply->results[1]);
	if (!find_rights(c, reply->results[2])) {
		try_again(c);
		return;
	}
	const struct step_world world = { cat, clock_now_us(), c->world.ids, c->changes };
	TAILQ_FOREACH (command, &c->batch, link) {
		if (command->repeat)
			continue;
		command_decide(command, c->world.acl, &world);
		changes_answer(c->changes, &command->answer);
	}
	stats_observe(c->world.stats, ROUTER_STAT_COMMAND_BATCH, (int64_t)c->batch_count);
	if (changes_empty(c->changes) && changes_ok(c->changes))
		settle_batch(c);
	else
		write_batch(c);
}

/* May it go with those picked already?  Commands on one ticket and sendings of one id keep their
 * order, one after another. */
static bool
goes_along(const struct commands *c, const struct command *command)
{
	const struct command *other;

	TAILQ_FOREACH (other, &c->batch, link)
		if ((other->ticket_id == command->ticket_id && command->ticket_id != 0)
		    || (uuid_compare(&other->id, &command->id) == 0
			&& strcmp(other->client, command->client) == 0))
			return false;
	/* Nor may it overtake one that stays behind. */
	TAILQ_FOREACH (other, &c->waiting, link) {
		if (other == command)
			return true;
		if (other->ticket_id == command->ticket_id && command->ticket_id != 0)
			return false;
	}
	return true;
}

static void
pick_batch(struct commands *c)
{
	struct command *command = TAILQ_FIRST(&c->waiting);

	c->batch_count = 0;
	for (size_t seen = 0;
	     command != NULL && c->batch_count < c->limit && seen < c->limit * SCAN_FACTOR;
	     seen++) {
		struct command *next = TAILQ_NEXT(command, link);
		if (goes_along(c, command)) {
			TAILQ_REMOVE(&c->waiting, command, link);
			TAILQ_INSERT_TAIL(&c->batch, command, link);
			c->batch_count++;
		}
		command = next;
	}
}

static void
read_batch(struct commands *c)
{
	struct db_unit *unit = db_unit_create(c->world.db);
	struct command *command;

	pick_batch(c);
	db_unit_add(unit, STORE_ANSWERS);
	struct db_array *clients = db_add_array(unit, DB_TEXT);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	TAILQ_FOREACH (command, &c->batch, link) {
		db_array_text(clients, command->client);
		db_array_uuid(ids, &command->id);
	}
	db_unit_add(unit, STORE_TICKETS);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	TAILQ_FOREACH (command, &c->batch, link) {
		if (command->ticket_id != 0)
			db_array_int8(tickets, command->ticket_id);
		if (command->primary_id != 0)
			db_array_int8(tickets, command->primary_id);
	}
	db_unit_add(unit, STORE_ASKERS);
	struct db_array *askers = db_add_array(unit, DB_TEXT);
	TAILQ_FOREACH (command, &c->batch, link)
		if (command->asker.name[0] != '\0')
			db_array_text(askers, command->asker.name);
	c->busy = true;
	if (!db_submit(c->world.db, unit, on_read, c)) {
		db_unit_destroy(unit);
		try_again(c);
	}
}

/* Commands come in the order of their arrival, but for those tried again, which are older still. */
static int64_t
expire(struct commands *c)
{
	int64_t now_us = clock_monotonic_us();
	int64_t wait_us = (int64_t)c->world.wait_ms * 1000;
	struct command *first;

	while ((first = TAILQ_FIRST(&c->waiting)) != NULL) {
		int64_t left_us = first->arrived_us + wait_us - now_us;
		if (left_us > 0)
			return left_us / 1000 + 1;
		command_give_up(first, "the record cannot be reached");
		settle(c, &c->waiting, first);
	}
	return IDLE_MS;
}

int64_t
commands_tick(struct commands *c, uint64_t now_ms)
{
	int64_t next_ms = expire(c);

	if (c->busy || TAILQ_EMPTY(&c->waiting) || db_state_now(c->world.db) != DB_READY
	    || registry_catalogue(c->world.registry) == NULL)
		return next_ms;
	if (now_ms < c->wait_until_ms) {
		int64_t left_ms = (int64_t)(c->wait_until_ms - now_ms);
		return left_ms < next_ms ? left_ms : next_ms;
	}
	read_batch(c);
	return next_ms;
}
