/* Packs what became of a message; no address and nothing the other side said is in it. */
#include "outcome_record.h"

#include <string.h>

#include "db_result.h"
#include "event_pack.h"

uint64_t
outcome_record_about(int64_t about_seq)
{
	return about_seq > 0 ? (uint64_t)about_seq : 0;
}

void
outcome_record_follow(struct outcome_record *row, const struct pg_result *rows, int at, int column)
{
	size_t len;

	row->trace[0] = '\0';
	if (db_is_null(rows, at, column))
		return;
	const void *event = db_get_bytea(rows, at, column, &len);
	if (!trace_of_packed(event, len, row->trace))
		row->trace[0] = '\0';
}

const char *
outcome_record_type(enum outcome outcome)
{
	return outcome == OUTCOME_ACCEPTED ? "notification.sent" : "notification.failed";
}

size_t
outcome_record_pack(const struct outcome_record *row, const struct job *job,
    struct uuid_source *ids, int64_t now_us, uint8_t ret_packed[OUTCOME_RECORD_MAX])
{
	bool sent = job->outcome == OUTCOME_ACCEPTED;

	return outcome_record_say(row, &job->notification_id, job->attempt,
	    outcome_record_type(job->outcome),
	    sent                  ? ""
	    : row->reason != NULL ? row->reason
				  : outcome_name(job->outcome),
	    ids, now_us, ret_packed);
}

size_t
outcome_record_say(const struct outcome_record *row, const struct uuid *id_of, uint32_t attempt,
    const char *what, const char *why, struct uuid_source *ids, int64_t now_us,
    uint8_t ret_packed[OUTCOME_RECORD_MAX])
{
	char notification[UUID_TEXT_SIZE], channel[8], reason[16] = "";
	char about[sizeof(row->about_type)], language[sizeof(row->language)], trace[TRACE_SIZE];

	uuid_format(id_of, notification);
	strcpy(channel, row->channel);
	strcpy(reason, why);
	memcpy(about, row->about_type, sizeof(about));
	memcpy(language, row->language, sizeof(language));
	Turunc__V1__NotificationStep step = TURUNC__V1__NOTIFICATION_STEP__INIT;
	step.notification_id = notification;
	step.about = about;
	step.about_seq = row->about_seq;
	step.channel = channel;
	step.language = language;
	step.attempt = attempt;
	step.reason = reason;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	event.body_case = TURUNC__V1__EVENT__BODY_NOTIFICATION;
	event.notification = &step;
	memcpy(trace, row->trace, sizeof(trace));
	event.traceparent = trace;
	return event_pack(
	    &event, what, row->ticket_id, ids, now_us, ret_packed, OUTCOME_RECORD_MAX);
}
