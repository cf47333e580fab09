/* Turns records of the log into the texts that the projection takes. */
#include "ops.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "istanbul.h"
#include "number.h"
#include "window.h"

enum { OP_BYTES_MAX = 512, CALL_ID_BYTES_MAX = 200, CODE_BYTES_MAX = 64 };

/* What a type means for the hour of its department, and whether it stops the legal clock. */
static const struct step_kind {
	const char *type;
	const char *flow;
	bool answers;
} step_kinds[] = {
	{ "ticket.routed", "in", false },
	{ "ticket.transferred", "in", false },
	{ "ticket.reopened", "in", false },
	{ "ticket.answered", "-", true },
	{ "ticket.resolved", "out", true },
	{ "ticket.rejected", "out", true },
	{ "ticket.forwarded", "out", true },
	{ "ticket.joined", "out", false },
	{ "ticket.withdrawn", "out", false },
};

static const struct {
	const char *type;
	char letter;
} call_kinds[] = {
	{ "call.offered", 'o' },
	{ "call.answered", 'a' },
	{ "call.abandoned", 'x' },
	{ "call.ended", 'e' },
};

/* --- the list --------------------------------------------------------------------------------- */

void
ops_finish(struct ops *ops)
{
	free(ops->text);
	free(ops->at);
	*ops = (struct ops){ 0 };
}

void
ops_clear(struct ops *ops)
{
	ops->len = 0;
	ops->count = 0;
	ops->failed = false;
}

const char *
ops_at(const struct ops *ops, size_t i)
{
	return ops->text + ops->at[i];
}

static bool
make_room(struct ops *ops)
{
	if (ops->size - ops->len < OP_BYTES_MAX) {
		size_t size = ops->size == 0 ? 8192 : ops->size * 2;
		char *text = realloc(ops->text, size);
		if (text == NULL)
			return false;
		ops->text = text;
		ops->size = size;
	}
	if (ops->count == ops->room) {
		size_t room = ops->room == 0 ? 256 : ops->room * 2;
		size_t *at = realloc(ops->at, room * sizeof(*at));
		if (at == NULL)
			return false;
		ops->at = at;
		ops->room = room;
	}
	return true;
}

void
ops_add(struct ops *ops, const char *format, ...)
{
	va_list list;

	if (ops->failed || !make_room(ops)) {
		ops->failed = true;
		return;
	}
	va_start(list, format);
	int len = vsnprintf(ops->text + ops->len, OP_BYTES_MAX, format, list);
	va_end(list);
	if (len < 0 || len >= OP_BYTES_MAX) {
		ops->failed = true;
		return;
	}
	ops->at[ops->count++] = ops->len;
	ops->len += (size_t)len + 1;
}

/* --- records ---------------------------------------------------------------------------------- */

static const struct step_kind *
kind_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(step_kinds); i++)
		if (strcmp(step_kinds[i].type, type) == 0)
			return &step_kinds[i];
	return NULL;
}

const char *
ops_flow(const char *type)
{
	const struct step_kind *kind = kind_of(type);

	return kind == NULL ? "-" : kind->flow;
}

const char *
ops_department(const char *code)
{
	size_t len = strlen(code);

	return len == 0 || len > CODE_BYTES_MAX || strpbrk(code, " \t\r\n.") != NULL ? "-" : code;
}

void
ops_place(const char *neighbourhood, const char *subject, char out[OPS_PLACE_SIZE])
{
	static const char odd[] = " \t\r\n/";
	size_t first = strlen(neighbourhood), second = strlen(subject);

	if (first == 0 || second == 0 || first + second + 2 > OPS_PLACE_SIZE
	    || strpbrk(neighbourhood, odd) != NULL || strpbrk(subject, odd) != NULL) {
		memcpy(out, "-", 2);
		return;
	}
	memcpy(out, neighbourhood, first);
	out[first] = '/';
	memcpy(out + first + 1, subject, second + 1);
}

bool
ops_add_call(
    struct ops *ops, const char *type, const Turunc__V1__CallStep *call, int64_t committed_us)
{
	int64_t at_us = call->at_us > 0 ? call->at_us : committed_us;
	size_t len = strlen(call->call_id);

	if (len == 0 || len > CALL_ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(call_kinds); i++) {
		if (strcmp(call_kinds[i].type, type) != 0)
			continue;
		ops_add(ops, "c %" PRId32 " %c %" PRId64 " %" PRId64 " %s", istanbul_day(at_us),
		    call_kinds[i].letter, at_us, window_minute(committed_us), call->call_id);
		return true;
	}
	return false;
}

static bool
add_step(struct ops *ops, const Turunc__V1__Record *record, int64_t ticket)
{
	const Turunc__V1__TicketStep *step = record->event->step;
	const struct step_kind *kind = kind_of(record->event->type);

	if (step->status < TURUNC__V1__STATUS__STATUS_OPENED
	    || step->status > TURUNC__V1__STATUS__STATUS_CLOSED)
		return false;
	ops_add(ops, "s %" PRId64 " %d %s %d %" PRId64 " %" PRId64 " %s %" PRId64, ticket,
	    (int)step->status, ops_department(step->department), kind != NULL && kind->answers,
	    step->legal_due_us, step->service_due_us, kind == NULL ? "-" : kind->flow,
	    window_minute(record->committed_at_us));
	return true;
}

bool
ops_add_record(struct ops *ops, const Turunc__V1__Record *record)
{
	const Turunc__V1__Event *event = record->event;
	char place[OPS_PLACE_SIZE];
	int64_t ticket;

	if (event == NULL)
		return false;
	switch (event->body_case) {
	case TURUNC__V1__EVENT__BODY_OPENED:
		if (number_parse(event->subject, &ticket) != NUMBER_OK)
			return false;
		ops_place(event->opened->neighbourhood, event->opened->subject_code, place);
		ops_add(ops, "o %" PRId64 " %" PRId64 " %d %" PRId32 " %" PRId64 " %s", ticket,
		    record->committed_at_us, (int)event->opened->channel,
		    istanbul_day(record->committed_at_us), window_minute(record->committed_at_us),
		    place);
		return true;
	case TURUNC__V1__EVENT__BODY_STEP:
		return number_parse(event->subject, &ticket) == NUMBER_OK
		       && add_step(ops, record, ticket);
	case TURUNC__V1__EVENT__BODY_CALL:
		return ops_add_call(ops, event->type, event->call, record->committed_at_us);
	default:
		return true;
	}
}
