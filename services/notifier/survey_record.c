/* Packs the record of an invitation; nothing of the person is in it. */
#include "survey_record.h"

#include <assert.h>
#include <stdio.h>

#include "number.h"
#include "turunc/v1/event.pb-c.h"

size_t
survey_record_pack(const struct survey_record *record, struct uuid_source *ids, int64_t now_us,
    uint8_t ret_packed[SURVEY_RECORD_MAX])
{
	char id[UUID_TEXT_SIZE], survey[UUID_TEXT_SIZE], number[NUMBER_SIZE], type[32];
	char source[] = "notifier", actor[] = "system", empty[] = "";
	struct uuid event_id;

	uuid_next(ids, now_us, &event_id);
	uuid_format(&event_id, id);
	uuid_format(&record->survey_id, survey);
	if (!number_format(record->ticket_id, number))
		number[0] = '\0';
	(void)snprintf(type, sizeof(type), "%s", record->type);
	Turunc__V1__SurveyStep step = TURUNC__V1__SURVEY_STEP__INIT;
	step.survey_id = survey;
	step.ended_seq = record->ended_seq;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	event.id = id;
	event.source = source;
	event.type = type;
	event.time_us = now_us;
	event.subject = number;
	event.actor = actor;
	event.traceparent = empty;
	event.body_case = TURUNC__V1__EVENT__BODY_SURVEY;
	event.survey = &step;
	size_t size = turunc__v1__event__get_packed_size(&event);
	assert(size <= SURVEY_RECORD_MAX); /* every field above is bounded */
	turunc__v1__event__pack(&event, ret_packed);
	return size;
}
