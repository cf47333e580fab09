/* survey_record - the record of the log that somebody was invited, or reminded, or is not asked. */
#ifndef NOTIFIER_SURVEY_RECORD_H
#define NOTIFIER_SURVEY_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define SURVEY_SKIPPED "survey.skipped"
enum { SURVEY_RECORD_MAX = 320 };

struct survey_record {
	const char *type; /* NEWS_SURVEY_INVITED, NEWS_SURVEY_REMINDED or SURVEY_SKIPPED */
	struct uuid survey_id;
	int64_t ticket_id;
	uint64_t ended_seq;
	const char *reason; /* of SURVEY_SKIPPED, else "" */
};

/* Returns its size. */
size_t survey_record_pack(const struct survey_record *record, struct uuid_source *ids,
    int64_t now_us, uint8_t ret_packed[SURVEY_RECORD_MAX]);

#endif
