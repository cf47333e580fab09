/* Builds the records of an administrator's act and appends them. */
#include "records.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "number.h"

enum { RECORD_BYTES_MAX = 2048 };

void
records_init(struct records *r, struct masa *m)
{
	*r = (struct records){ .m = m,
		.now_us = clock_now_us(),
		.types = json_array(),
		.tickets = json_array(),
		.departments = json_array(),
		.events = json_array() };
}

void
records_finish(struct records *r)
{
	json_decref(r->types);
	json_decref(r->tickets);
	json_decref(r->departments);
	json_decref(r->events);
}

void
records_add(struct records *r, const char *type, int64_t ticket_id, const char *department,
    Turunc__V1__Event *event)
{
	struct uuid id;
	char id_text[UUID_TEXT_SIZE], number[NUMBER_SIZE] = "";
	uint8_t packed[RECORD_BYTES_MAX];
	char hex[2 * RECORD_BYTES_MAX + 3] = "\\x";

	uuid_next(&r->ids, r->now_us, &id);
	uuid_format(&id, id_text);
	if (ticket_id != 0 && !number_format(ticket_id, number))
		number[0] = '\0';
	event->id = id_text;
	event->source = frame_lend("masa");
	event->type = frame_lend(type);
	event->time_us = r->now_us;
	event->subject = number;
	event->actor = r->m->actor;
	event->traceparent = frame_lend("");
	size_t size = turunc__v1__event__get_packed_size(event);
	if (size > sizeof(packed)) {
		r->failed = true;
		return;
	}
	turunc__v1__event__pack(event, packed);
	sodium_bin2hex(hex + 2, sizeof(hex) - 2, packed, size);
	r->failed = r->failed || json_array_append_new(r->types, json_string(type)) != 0
		    || json_array_append_new(r->tickets,
			   ticket_id != 0 ? json_integer((json_int_t)ticket_id) : json_null())
			   != 0
		    || json_array_append_new(r->departments,
			   department != NULL ? json_string(department) : json_null())
			   != 0
		    || json_array_append_new(r->events, json_string(hex)) != 0;
	r->count++;
}

enum exit_code
records_append(struct records *r)
{
	char at_text[24];

	if (r->count == 0)
		return MASA_OK;
	char *types = json_dumps(r->types, 0), *tickets = json_dumps(r->tickets, 0);
	char *departments = json_dumps(r->departments, 0), *events = json_dumps(r->events, 0);
	snprintf(at_text, sizeof(at_text), "%lld", (long long)r->now_us);
	const char *values[] = { at_text, types, tickets, departments, events, r->m->actor };
	enum exit_code code;
	if (r->failed || types == NULL || tickets == NULL || departments == NULL || events == NULL)
		code = masa_fail(MASA_FAILED, "the record of it cannot be made: too long, or out "
					      "of memory");
	else
		code = masa_query(r->m,
		    "WITH r AS (SELECT n, t.type, k.ticket_id, d.department, e.event FROM "
		    "jsonb_array_elements_text($2::jsonb) WITH ORDINALITY AS t(type, n) JOIN "
		    "jsonb_array_elements_text($3::jsonb) WITH ORDINALITY AS k(ticket_id, n) "
		    "USING (n) JOIN jsonb_array_elements_text($4::jsonb) WITH ORDINALITY AS "
		    "d(department, n) USING (n) JOIN jsonb_array_elements_text($5::jsonb) WITH "
		    "ORDINALITY AS e(event, n) USING (n)) "
		    "SELECT turunc.log_append($1::bigint, array_agg(type ORDER BY n), "
		    "array_agg(ticket_id::bigint ORDER BY n), array_agg(nullif(department, '') "
		    "ORDER BY n), array_agg(NULL::text), array_agg($6::text), "
		    "array_agg(event::bytea ORDER BY n)) FROM r",
		    6, values, NULL);
	free(types);
	free(tickets);
	free(departments);
	free(events);
	return code;
}

enum exit_code
masa_log_act(struct masa *m, const char *type, const char *name, uint64_t config_version)
{
	struct records records;
	Turunc__V1__Administration act = TURUNC__V1__ADMINISTRATION__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	act.name = frame_lend(name);
	act.config_version = config_version;
	event.body_case = TURUNC__V1__EVENT__BODY_ADMINISTRATION;
	event.administration = &act;
	records_init(&records, m);
	records_add(&records, type, 0, NULL, &event);
	enum exit_code code = records_append(&records);
	records_finish(&records);
	return code;
}
