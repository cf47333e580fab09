/* changes_internal - the insides of struct changes; for changes.c and changes_write.c alone. */
#ifndef ROUTER_CHANGES_INTERNAL_H
#define ROUTER_CHANGES_INTERNAL_H

#include "changes.h"

enum { CHANGES_TYPE_BYTES = 40 };

struct changes_name {
	int64_t asked_id;
	int64_t ticket_id;
};

struct changes_record {
	int64_t ticket_id;
	char type[CHANGES_TYPE_BYTES];
	char department[TICKET_CODE_BYTES];
	char previous_department[TICKET_CODE_BYTES];
	char actor[CHANGES_ACTOR_BYTES];
	uint8_t *event;
	size_t event_len;
};

struct changes_hop {
	int64_t ticket_id;
	int32_t version;
	char from[TICKET_CODE_BYTES];
	char to[TICKET_CODE_BYTES];
	char reason[TICKET_CODE_BYTES];
	char actor[CHANGES_ACTOR_BYTES];
	int64_t at_us;
};

struct changes_text {
	struct uuid id;
	int64_t ticket_id;
	int32_t version;
	const char *kind;
	char actor[CHANGES_ACTOR_BYTES];
	char *body;
	uint8_t salt[CHANGES_SALT_BYTES];
	int64_t at_us;
};

struct changes_photo {
	struct uuid owner;
	int place; /* from 1 */
	int64_t ticket_id;
	int origin;
	char actor[CHANGES_ACTOR_BYTES];
	struct attachment file;
	int type;
	int64_t bytes;
	int32_t width, height;
	int64_t at_us;
};

struct changes {
	struct ticket *tickets; /* by ticket_id */
	size_t ticket_count;
	struct changes_name *names; /* by asked_id */
	size_t name_count;
	struct changes_record *records;
	size_t record_count, record_room;
	struct changes_hop *hops;
	size_t hop_count, hop_room;
	struct changes_text *texts;
	size_t text_count, text_room;
	struct changes_photo *photos;
	size_t photo_count, photo_room;
	struct changes_answer *answers;
	size_t answer_count, answer_room;
	bool failed; /* out of memory */
};

#endif
