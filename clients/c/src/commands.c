/* Commands: each is said until it is answered, always under the same id. */
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum { AGAIN_MS = 1000, COMMAND_BYTES_MAX = 16 * 1024, FRAME_ROOM = 16 * 1024 + 64 };

static bool
command_valid(const Turunc__V1__Command *command)
{
	size_t id_len = strlen(command->id);

	return (id_len == 0 || id_len == TURUNC_UUID_SIZE - 1) && command->ticket[0] != '\0'
	       && command->verb[0] != '\0' && tc_message_text_valid(&command->base);
}

static bool
list_room(struct tc_commands *list)
{
	if (list->count < list->room)
		return true;
	size_t room = list->room == 0 ? 16 : list->room * 2;
	struct tc_command *more = realloc(list->list, room * sizeof(*more));
	if (more == NULL)
		return false;
	list->list = more;
	list->room = room;
	return true;
}

enum turunc_outcome
turunc_command(struct turunc_client *c, const Turunc__V1__Command *command, uint32_t timeout_ms,
    void *tag, char ret_id[TURUNC_UUID_SIZE])
{
	struct tc_commands *list = &c->commands;
	Turunc__V1__Command copy = *command;
	struct tc_command item = { .tag = tag, .give_up_ms = UINT64_MAX };

	if (c->options.door != TURUNC_DOOR_STREAM)
		return TURUNC_NOT_NOW;
	if (!command_valid(command))
		return TURUNC_INVALID;
	if (list->count >= c->options.commands_max)
		return TURUNC_FULL;
	if (command->id[0] == '\0')
		turunc_uuid(item.id);
	else
		memcpy(item.id, command->id, sizeof(item.id));
	copy.id = item.id;
	item.len = turunc__v1__command__get_packed_size(&copy);
	if (item.len > COMMAND_BYTES_MAX)
		return TURUNC_TOO_LARGE;
	item.bytes = malloc(item.len);
	if (item.bytes == NULL || !list_room(list)) {
		free(item.bytes);
		return TURUNC_NO_MEMORY;
	}
	turunc__v1__command__pack(&copy, item.bytes);
	if (timeout_ms != 0)
		item.give_up_ms = tc_now_ms() + timeout_ms;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list keeps it */
	list->list[list->count++] = item;
	if (ret_id != NULL)
		memcpy(ret_id, item.id, TURUNC_UUID_SIZE);
	tc_wake(c);
	return TURUNC_TAKEN;
}

void
tc_commands_close(struct turunc_client *c)
{
	for (size_t i = 0; i < c->commands.count; i++)
		free(c->commands.list[i].bytes);
	free(c->commands.list);
}

void
tc_commands_stop(struct turunc_client *c)
{
	for (size_t i = 0; i < c->commands.count; i++) {
		c->commands.list[i].request = 0;
		c->commands.list[i].due_ms = 0;
	}
}

static struct tc_command *
by_request(struct tc_commands *list, uint64_t request)
{
	for (size_t i = 0; request != 0 && i < list->count; i++)
		if (list->list[i].request == request)
			return &list->list[i];
	return NULL;
}

/* Ends the command, then tells the caller, who may give the next one at once. */
static void
settle(struct turunc_client *c, struct tc_command *command, struct turunc_answer answer)
{
	struct tc_commands *list = &c->commands;
	struct tc_command ended = *command;
	size_t at = (size_t)(command - list->list);

	list->count--;
	memmove(command, command + 1, (list->count - at) * sizeof(*command));
	answer.tag = ended.tag;
	answer.id = ended.id;
	if (!answer.timed_out)
		c->stats.commands_answered++;
	if (c->options.handlers.on_answer != NULL)
		c->options.handlers.on_answer(c->options.arg, &answer);
	free(ended.bytes);
}

static void
say_later(struct tc_command *command, uint32_t wait_ms)
{
	command->request = 0;
	command->due_ms = tc_now_ms() + (wait_ms != 0 ? wait_ms : AGAIN_MS);
}

void
tc_commands_on_done(struct turunc_client *c, uint64_t request, const Turunc__V1__Done *done)
{
	struct tc_command *command = by_request(&c->commands, request);

	if (command == NULL || strcmp(command->id, done->id) != 0) {
		c->stats.bad_frames++;
		return;
	}
	settle(c, command,
	    (struct turunc_answer){
		.done = true, .version = done->version, .status = done->status, .text = "" });
}

void
tc_commands_on_refused(
    struct turunc_client *c, uint64_t request, const Turunc__V1__Refused *refused)
{
	struct tc_command *command = by_request(&c->commands, request);

	if (command == NULL || strcmp(command->id, refused->id) != 0) {
		c->stats.bad_frames++;
		return;
	}
	if (refused->code == TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE) {
		say_later(command, 0);
		return;
	}
	settle(c, command,
	    (struct turunc_answer){ .version = refused->current_version,
		.status = refused->current_status,
		.refusal = refused->code,
		.text = refused->text });
}

/* The door answered with an Error instead: what passes is said again, the rest is a refusal. */
bool
tc_commands_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error)
{
	struct tc_command *command = by_request(&c->commands, request);
	struct turunc_answer answer = { .text = error->text };

	if (command == NULL)
		return false;
	switch (error->code) {
	case TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN:
		answer.refusal = TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN;
		settle(c, command, answer);
		break;
	case TURUNC__V1__ERROR_CODE__ERROR_MALFORMED:
	case TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL:
		answer.refusal = TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD;
		settle(c, command, answer);
		break;
	default:
		say_later(command, error->retry_ms);
	}
	return true;
}

static bool
say(struct turunc_client *c, struct tc_command *command, uint64_t now_ms)
{
	uint8_t frame[FRAME_ROOM];

	command->request = tc_next_request(c);
	command->deadline_ms = now_ms + c->options.answer_ms;
	size_t head = tc_wire_head(frame, command->request, TC_FIELD_COMMAND, command->len);
	memcpy(frame + head, command->bytes, command->len);
	c->stats.commands_sent++;
	return tc_session_say_bytes(c, frame, head + command->len);
}

void
tc_commands_work(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_commands *list = &c->commands;

	for (size_t i = 0; i < list->count;) {
		struct tc_command *command = &list->list[i];
		if (command->give_up_ms <= now_ms) {
			settle(c, command,
			    (struct turunc_answer){
				.timed_out = true, .text = "no answer in time" });
			continue;
		}
		if (c->session.state == TURUNC_READY && command->request != 0
		    && command->deadline_ms <= now_ms) {
			tc_session_drop(c, 0, "the door does not answer a command", 0);
			return;
		}
		if (c->session.state == TURUNC_READY && command->request == 0
		    && command->due_ms <= now_ms && !say(c, command, now_ms))
			return;
		i++;
	}
}

uint64_t
tc_commands_deadline(const struct turunc_client *c)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < c->commands.count; i++) {
		const struct tc_command *command = &c->commands.list[i];
		uint64_t next_ms = command->request != 0 ? command->deadline_ms : command->due_ms;
		if (c->session.state != TURUNC_READY)
			next_ms = UINT64_MAX;
		if (next_ms > command->give_up_ms)
			next_ms = command->give_up_ms;
		if (next_ms < due_ms)
			due_ms = next_ms;
	}
	return due_ms;
}
