/* Packs the record of an invitation; nothing of the person is in it. */
#include "survey_record.h"

#include "event_pack.h"
#include "frame.h"

size_t
survey_record_pack(const struct survey_record *record, struct uuid_source *ids, int64_t now_us,
    uint8_t ret_packed[SURVEY_RECORD_MAX])
{
	char survey[UUID_TEXT_SIZE];

	uuid_format(&record->survey_id, survey);
	Turunc__V1__SurveyStep step = TURUNC__V1__SURVEY_STEP__INIT;
	step.survey_id = survey;
	step.ended_seq = record->ended_seq;
	step.reason = frame_lend(record->reason);
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	event.body_case = TURUNC__V1__EVENT__BODY_SURVEY;
	event.survey = &step;
	return event_pack(
	    &event, record->type, record->ticket_id, ids, now_us, ret_packed, SURVEY_RECORD_MAX);
}
