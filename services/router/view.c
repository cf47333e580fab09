/* Cuts a ticket down to what a reader's rights cover. */
#include "view.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_result.h"
#include "frame.h"
#include "utf8.h"

enum view_column {
	COLUMN_TICKET,
	COLUMN_STATUS,
	COLUMN_VERSION,
	COLUMN_DEPARTMENT,
	COLUMN_CHANNEL,
	COLUMN_SUBJECT,
	COLUMN_PRIORITY,
	COLUMN_NEIGHBOURHOOD,
	COLUMN_DESCRIPTION,
	COLUMN_ADDRESS,
	COLUMN_LATITUDE,
	COLUMN_LONGITUDE,
	COLUMN_ARRIVED,
	COLUMN_RECORDED,
	COLUMN_LEGAL_DUE,
	COLUMN_SERVICE_DUE,
	COLUMN_MEDIA,
	COLUMN_ANSWERS,
	COLUMN_NAME,
	COLUMN_PHONE,
	COLUMN_EMAIL,
	COLUMN_PRIMARY,
};

static const char *
text_at(const struct pg_result *rows, int row, int column)
{
	const char *text = db_get_text_or_null(rows, row, column);

	return text == NULL ? "" : text;
}

void
view_read(const struct pg_result *rows, int row, struct view_ticket *t)
{
	*t = (struct view_ticket){
		.ticket_id = db_get_int(rows, row, COLUMN_TICKET),
		.status = (int)db_get_int(rows, row, COLUMN_STATUS),
		.version = (uint32_t)db_get_int(rows, row, COLUMN_VERSION),
		.department = text_at(rows, row, COLUMN_DEPARTMENT),
		.channel = (int)db_get_int(rows, row, COLUMN_CHANNEL),
		.subject_code = text_at(rows, row, COLUMN_SUBJECT),
		.priority = (int)db_get_int(rows, row, COLUMN_PRIORITY),
		.neighbourhood = text_at(rows, row, COLUMN_NEIGHBOURHOOD),
		.description = text_at(rows, row, COLUMN_DESCRIPTION),
		.address = text_at(rows, row, COLUMN_ADDRESS),
		.arrived_us = db_get_int(rows, row, COLUMN_ARRIVED),
		.recorded_us = db_get_int(rows, row, COLUMN_RECORDED),
		.legal_due_us = db_get_int(rows, row, COLUMN_LEGAL_DUE),
		.service_due_us = db_get_int(rows, row, COLUMN_SERVICE_DUE),
		.media_url = text_at(rows, row, COLUMN_MEDIA),
		.answers = text_at(rows, row, COLUMN_ANSWERS),
		.name = text_at(rows, row, COLUMN_NAME),
		.phone = text_at(rows, row, COLUMN_PHONE),
		.email = text_at(rows, row, COLUMN_EMAIL),
		.primary_id = db_get_int(rows, row, COLUMN_PRIMARY),
	};
	t->has_position = !db_is_null(rows, row, COLUMN_LATITUDE)
			  && !db_is_null(rows, row, COLUMN_LONGITUDE);
	if (t->has_position) {
		t->latitude = db_get_float8(rows, row, COLUMN_LATITUDE);
		t->longitude = db_get_float8(rows, row, COLUMN_LONGITUDE);
	}
}

void
view_cut_short(struct view *v, const struct view_ticket *t)
{
	static const Turunc__V1__TicketView empty = TURUNC__V1__TICKET_VIEW__INIT;

	v->message = empty;
	v->json = NULL;
	v->values = NULL;
	if (number_format(t->ticket_id, v->number))
		v->message.number = v->number;
	v->message.status = (Turunc__V1__Status)t->status;
	v->message.department = frame_lend(t->department);
}

static void
put_codes(struct view *v, const struct view_ticket *t)
{
	Turunc__V1__TicketView *m = &v->message;

	m->version = t->version;
	m->channel = (Turunc__V1__Channel)t->channel;
	m->subject_code = frame_lend(t->subject_code);
	m->priority = (uint32_t)t->priority;
	m->neighbourhood = frame_lend(t->neighbourhood);
	m->arrived_us = t->arrived_us;
	m->recorded_us = t->recorded_us;
	m->legal_due_us = t->legal_due_us;
	m->service_due_us = t->service_due_us;
	if (t->primary_id != 0 && number_format(t->primary_id, v->primary))
		m->primary = v->primary;
}

/* Values of one answer as strings, borrowed from the parsed JSON. */
static size_t
put_values(json_t *list, char **values)
{
	size_t i, n = 0;
	json_t *item;

	json_array_foreach(list, i, item) if (json_is_string(item))
	    values[n++] = frame_lend(json_string_value(item));
	return n;
}

static size_t
count_values(json_t *answers)
{
	const char *code;
	json_t *list;
	size_t n = 0;

	json_object_foreach(answers, code, list) n += json_array_size(list);
	return n;
}

/* {"CODE": ["value", ...]} as intake wrote it; anything else is no answer. */
static void
put_answers(struct view *v, const char *text)
{
	static const Turunc__V1__Answer empty = TURUNC__V1__ANSWER__INIT;
	json_t *answers = text[0] == '\0' ? NULL : json_loads(text, 0, NULL);
	const char *code;
	json_t *list;
	size_t used = 0;

	if (!json_is_object(answers)
	    || (v->values = calloc(count_values(answers) + 1, sizeof(*v->values))) == NULL) {
		json_decref(answers);
		return;
	}
	v->json = answers;
	v->message.answers = v->answer_list;
	json_object_foreach(answers, code, list)
	{
		size_t n = v->message.n_answers;
		if (n == VIEW_ANSWERS_MAX)
			break;
		v->answers[n] = empty;
		v->answers[n].code = frame_lend(code);
		v->answers[n].values = v->values + used;
		v->answers[n].n_values = put_values(list, v->values + used);
		used += v->answers[n].n_values;
		v->answer_list[n] = &v->answers[n];
		v->message.n_answers++;
	}
}

static void
put_story(struct view *v, const struct view_ticket *t)
{
	static const Turunc__V1__Attachment no_attachment = TURUNC__V1__ATTACHMENT__INIT;
	static const Turunc__V1__Position no_position = TURUNC__V1__POSITION__INIT;
	Turunc__V1__TicketView *m = &v->message;

	m->description = frame_lend(t->description);
	m->address = frame_lend(t->address);
	if (t->has_position) {
		v->position = no_position;
		v->position.latitude = t->latitude;
		v->position.longitude = t->longitude;
		m->position = &v->position;
	}
	if (t->media_url[0] != '\0') {
		v->attachment = no_attachment;
		v->attachment.link = frame_lend(t->media_url);
		v->attachments[0] = &v->attachment;
		m->attachments = v->attachments;
		m->n_attachments = 1;
	}
	put_answers(v, t->answers);
}

static void
put_citizen(struct view *v, const struct view_ticket *t, enum acl_personal personal)
{
	static const Turunc__V1__Citizen nobody = TURUNC__V1__CITIZEN__INIT;

	if (personal == ACL_PERSONAL_NONE
	    || (t->name[0] == '\0' && t->phone[0] == '\0' && t->email[0] == '\0'))
		return;
	v->citizen = nobody;
	v->citizen.masked = personal == ACL_PERSONAL_MASKED;
	if (v->citizen.masked) {
		view_mask_name(t->name, v->name);
		view_mask_email(t->email, v->email);
		v->phone[0] = '\0';
		if (t->phone[0] != '\0')
			phone_mask(t->phone, v->phone);
	}
	v->citizen.name = v->citizen.masked ? v->name : frame_lend(t->name);
	v->citizen.phone = v->citizen.masked ? v->phone : frame_lend(t->phone);
	v->citizen.email = v->citizen.masked ? v->email : frame_lend(t->email);
	v->message.citizen = &v->citizen;
}

enum view_cut
view_cut(struct view *v, const struct view_ticket *t, const struct acl_client *rights, bool special)
{
	bool covered = acl_allows_all_departments(rights)
		       || (t->department[0] != '\0'
			   && acl_allows_department(rights, t->department));

	view_cut_short(v, t);
	if (!covered)
		return VIEW_CUT_DEPARTMENT;
	put_codes(v, t);
	if (special && rights->personal != ACL_PERSONAL_FULL)
		return VIEW_CUT_CATEGORY;
	put_story(v, t);
	put_citizen(v, t, rights->personal);
	return VIEW_WHOLE;
}

void
view_clear(struct view *v)
{
	json_decref(v->json);
	free(v->values);
	v->json = NULL;
	v->values = NULL;
}

static size_t
put_masked(const char *from, size_t len, char *out, size_t at, size_t room)
{
	size_t first = len == 0 ? 0 : utf8_char_len(from, len);
	int written = snprintf(out + at, room - at, "%.*s***", (int)first, from);

	return written < 0 || (size_t)written >= room - at ? room : at + (size_t)written;
}

void
view_mask_name(const char *name, char out[VIEW_MASK_BYTES])
{
	size_t at = 0;

	out[0] = '\0';
	while (*(name += strspn(name, " \t\r\n")) != '\0') {
		size_t len = strcspn(name, " \t\r\n");
		size_t start = at;
		if (at > 0 && at < VIEW_MASK_BYTES - 1)
			out[at++] = ' ';
		at = put_masked(name, len, out, at, VIEW_MASK_BYTES);
		if (at >= VIEW_MASK_BYTES) {
			out[start] = '\0';
			return;
		}
		name += len;
	}
}

void
view_mask_email(const char *email, char out[VIEW_MASK_BYTES])
{
	const char *sign = strrchr(email, '@');

	out[0] = '\0';
	if (email[0] == '\0')
		return;
	size_t at = put_masked(
	    email, sign == NULL ? strlen(email) : (size_t)(sign - email), out, 0, VIEW_MASK_BYTES);
	int written = snprintf(out + at, VIEW_MASK_BYTES - at, "%s", sign == NULL ? "" : sign);
	if (written < 0 || (size_t)written >= VIEW_MASK_BYTES - at)
		out[at] = '\0';
}
