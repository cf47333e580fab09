/* Puts collected changes into a unit, one statement a table. */
#include <stddef.h>
#include <string.h>

#include "changes_internal.h"
#include "db_unit.h"
#include "store.h"

/* One column of a table: where its value stands in an item of the array written. */
struct column {
	enum db_type type;
	size_t at;
	enum column_kind {
		PLAIN,
		ZERO_IS_NULL, /* an integer, 0 for null */
		EMPTY_IS_NULL, /* a code, "" for null */
		ENUM_AS_INT2, /* an int-sized enum or int */
		POINTER, /* const char * */
	} kind;
	size_t len; /* bytea */
};

static void
add_integer(struct db_array *array, const struct column *c, const void *at)
{
	int64_t value = 0;
	int small = 0;

	if (c->type == DB_INT8)
		memcpy(&value, at, sizeof(value));
	else
		memcpy(&small, at, sizeof(small));
	if (c->kind == ZERO_IS_NULL && value == 0)
		db_array_null(array);
	else if (c->type == DB_INT8)
		db_array_int8(array, value);
	else if (c->type == DB_INT4)
		db_array_int4(array, small);
	else
		db_array_int2(array, (int16_t)small);
}

static void
add_value(struct db_array *array, const struct column *c, const void *item)
{
	const char *at = (const char *)item + c->at;
	const char *text = at;
	bool flag;

	switch (c->type) {
	case DB_TEXT:
		if (c->kind == POINTER)
			memcpy(&text, at, sizeof(text));
		db_array_text(array, c->kind == EMPTY_IS_NULL && text[0] == '\0' ? NULL : text);
		return;
	case DB_BOOL:
		memcpy(&flag, at, sizeof(flag));
		db_array_bool(array, flag);
		return;
	case DB_UUID: {
		struct uuid id;
		memcpy(&id, at, sizeof(id));
		db_array_uuid(array, &id);
		return;
	}
	case DB_BYTEA:
		db_array_bytea(array, at, c->len);
		return;
	default:
		add_integer(array, c, at);
	}
}

/* The columns of count items of the given size; wanted (NULL: all) picks among them. */
static void
add_columns(struct db_unit *unit, const struct column *columns, size_t column_count,
    const void *items, size_t count, size_t size, bool (*wanted)(const void *item))
{
	for (size_t c = 0; c < column_count; c++) {
		struct db_array *array = db_add_array(unit, columns[c].type);
		for (size_t i = 0; i < count; i++) {
			const char *item = (const char *)items + i * size;
			if (wanted == NULL || wanted(item))
				add_value(array, &columns[c], item);
		}
	}
}

/* --- tickets ---------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct ticket, member)

static const struct column state_columns[] = {
	{ DB_INT8, AT(ticket_id), PLAIN, 0 },
	{ DB_INT4, AT(read_version), PLAIN, 0 },
	{ DB_INT2, AT(status), ENUM_AS_INT2, 0 },
	{ DB_INT4, AT(version), PLAIN, 0 },
	{ DB_TEXT, AT(department), PLAIN, 0 },
	{ DB_TEXT, AT(subject), PLAIN, 0 },
	{ DB_INT2, AT(priority), ENUM_AS_INT2, 0 },
	{ DB_TEXT, AT(reason), PLAIN, 0 },
	{ DB_INT8, AT(until_us), ZERO_IS_NULL, 0 },
	{ DB_INT8, AT(primary_id), ZERO_IS_NULL, 0 },
	{ DB_INT8, AT(legal_due_us), ZERO_IS_NULL, 0 },
	{ DB_INT8, AT(service_due_us), ZERO_IS_NULL, 0 },
	{ DB_INT8, AT(answered_us), ZERO_IS_NULL, 0 },
	{ DB_BOOL, AT(extended), PLAIN, 0 },
	{ DB_INT8, AT(ended_us), ZERO_IS_NULL, 0 },
};

static bool
ticket_changed(const void *item)
{
	return ((const struct ticket *)item)->changed;
}

/* A clock with the ticket it belongs to, for its columns. */
struct clock_row {
	int64_t ticket_id;
	int which;
	struct ticket_clock clock;
};

#define CLOCK_AT(member) offsetof(struct clock_row, clock.member)

static const struct column clock_columns[] = {
	{ DB_INT8, offsetof(struct clock_row, ticket_id), PLAIN, 0 },
	{ DB_INT2, offsetof(struct clock_row, which), ENUM_AS_INT2, 0 },
	{ DB_INT2, CLOCK_AT(read_alarm), ENUM_AS_INT2, 0 },
	{ DB_INT8, CLOCK_AT(read_alarm_us), ZERO_IS_NULL, 0 },
	{ DB_INT2, CLOCK_AT(basis), ENUM_AS_INT2, 0 },
	{ DB_TEXT, CLOCK_AT(calendar), PLAIN, 0 },
	{ DB_TEXT, CLOCK_AT(calendar_version), PLAIN, 0 },
	{ DB_INT2, CLOCK_AT(state), ENUM_AS_INT2, 0 },
	{ DB_INT8, CLOCK_AT(started_us), PLAIN, 0 },
	{ DB_INT8, CLOCK_AT(due_us), PLAIN, 0 },
	{ DB_INT8, CLOCK_AT(promise_ms), PLAIN, 0 },
	{ DB_INT8, CLOCK_AT(elapsed_ms), PLAIN, 0 },
	{ DB_INT8, CLOCK_AT(running_since_us), PLAIN, 0 },
	{ DB_INT2, CLOCK_AT(next_alarm), ENUM_AS_INT2, 0 },
	{ DB_INT8, CLOCK_AT(next_alarm_us), ZERO_IS_NULL, 0 },
};

static size_t
count_clocks(const struct changes *ch)
{
	size_t n = 0;
	for (size_t i = 0; i < ch->ticket_count; i++)
		n += ch->tickets[i].legal.changed + (size_t)ch->tickets[i].service.changed;
	return n;
}

static void
add_clocks(struct changes *ch, struct db_unit *unit)
{
	size_t count = count_clocks(ch), n = 0;
	struct clock_row *rows;

	if (count == 0)
		return;
	rows = calloc(count, sizeof(*rows));
	if (rows == NULL) {
		ch->failed = true;
		return;
	}
	for (size_t i = 0; i < ch->ticket_count; i++) {
		const struct ticket *t = &ch->tickets[i];
		if (t->legal.changed)
			rows[n++] = (struct clock_row){ t->ticket_id,
				TURUNC__V1__CLOCK__CLOCK_LEGAL, t->legal };
		if (t->service.changed)
			rows[n++] = (struct clock_row){ t->ticket_id,
				TURUNC__V1__CLOCK__CLOCK_SERVICE, t->service };
	}
	db_unit_add(unit, STORE_PUT_CLOCKS);
	add_columns(
	    unit, clock_columns, ARRAY_LEN(clock_columns), rows, count, sizeof(*rows), NULL);
	free(rows);
}

/* --- what goes with them ---------------------------------------------------------------------- */

#define HOP_AT(member) offsetof(struct changes_hop, member)

static const struct column hop_columns[] = {
	{ DB_INT8, HOP_AT(ticket_id), PLAIN, 0 },
	{ DB_INT4, HOP_AT(version), PLAIN, 0 },
	{ DB_TEXT, HOP_AT(from), PLAIN, 0 },
	{ DB_TEXT, HOP_AT(to), PLAIN, 0 },
	{ DB_TEXT, HOP_AT(reason), PLAIN, 0 },
	{ DB_TEXT, HOP_AT(actor), PLAIN, 0 },
	{ DB_INT8, HOP_AT(at_us), PLAIN, 0 },
};

#define TEXT_AT(member) offsetof(struct changes_text, member)

static const struct column text_columns[] = {
	{ DB_UUID, TEXT_AT(id), PLAIN, 0 },
	{ DB_INT8, TEXT_AT(ticket_id), PLAIN, 0 },
	{ DB_INT4, TEXT_AT(version), PLAIN, 0 },
	{ DB_TEXT, TEXT_AT(kind), POINTER, 0 },
	{ DB_TEXT, TEXT_AT(actor), PLAIN, 0 },
	{ DB_TEXT, TEXT_AT(body), POINTER, 0 },
	{ DB_BYTEA, TEXT_AT(salt), PLAIN, CHANGES_SALT_BYTES },
	{ DB_INT8, TEXT_AT(at_us), PLAIN, 0 },
};

#define PHOTO_AT(member) offsetof(struct changes_photo, member)

static const struct column photo_columns[] = {
	{ DB_UUID, PHOTO_AT(owner), PLAIN, 0 },
	{ DB_INT2, PHOTO_AT(place), ENUM_AS_INT2, 0 },
	{ DB_INT8, PHOTO_AT(ticket_id), PLAIN, 0 },
	{ DB_INT2, PHOTO_AT(origin), ENUM_AS_INT2, 0 },
	{ DB_TEXT, PHOTO_AT(actor), PLAIN, 0 },
	{ DB_BYTEA, PHOTO_AT(file.digest), PLAIN, DIGEST_BYTES },
	{ DB_BYTEA, PHOTO_AT(file.salt), PLAIN, ATTACHMENT_SALT_BYTES },
	{ DB_INT2, PHOTO_AT(type), ENUM_AS_INT2, 0 },
	{ DB_INT8, PHOTO_AT(bytes), PLAIN, 0 },
	{ DB_INT4, PHOTO_AT(width), PLAIN, 0 },
	{ DB_INT4, PHOTO_AT(height), PLAIN, 0 },
	{ DB_INT8, PHOTO_AT(at_us), PLAIN, 0 },
};

#define ANSWER_AT(member) offsetof(struct changes_answer, member)

static const struct column answer_columns[] = {
	{ DB_TEXT, ANSWER_AT(client), PLAIN, 0 },
	{ DB_UUID, ANSWER_AT(id), PLAIN, 0 },
	{ DB_BYTEA, ANSWER_AT(digest), PLAIN, DIGEST_BYTES },
	{ DB_INT8, ANSWER_AT(ticket_id), ZERO_IS_NULL, 0 },
	{ DB_INT2, ANSWER_AT(refusal), ENUM_AS_INT2, 0 },
	{ DB_TEXT, ANSWER_AT(text), PLAIN, 0 },
	{ DB_INT4, ANSWER_AT(version), PLAIN, 0 },
	{ DB_INT2, ANSWER_AT(status), ENUM_AS_INT2, 0 },
};

void
changes_add(struct changes *ch, struct db_unit *unit, int64_t at_us)
{
	bool any = false;

	for (size_t i = 0; i < ch->ticket_count; i++)
		any = any || ch->tickets[i].changed;
	if (any) {
		db_unit_add(unit, STORE_PUT_STATES);
		db_add_int8(unit, at_us);
		add_columns(unit, state_columns, ARRAY_LEN(state_columns), ch->tickets,
		    ch->ticket_count, sizeof(*ch->tickets), ticket_changed);
	}
	add_clocks(ch, unit);
	if (ch->hop_count > 0) {
		db_unit_add(unit, STORE_ADD_HOPS);
		add_columns(unit, hop_columns, ARRAY_LEN(hop_columns), ch->hops, ch->hop_count,
		    sizeof(*ch->hops), NULL);
	}
	if (ch->text_count > 0) {
		db_unit_add(unit, STORE_ADD_TEXTS);
		add_columns(unit, text_columns, ARRAY_LEN(text_columns), ch->texts, ch->text_count,
		    sizeof(*ch->texts), NULL);
	}
	if (ch->photo_count > 0) {
		db_unit_add(unit, STORE_ADD_PHOTOS);
		add_columns(unit, photo_columns, ARRAY_LEN(photo_columns), ch->photos,
		    ch->photo_count, sizeof(*ch->photos), NULL);
	}
	if (ch->answer_count > 0) {
		db_unit_add(unit, STORE_PUT_ANSWERS);
		db_add_int8(unit, at_us);
		add_columns(unit, answer_columns, ARRAY_LEN(answer_columns), ch->answers,
		    ch->answer_count, sizeof(*ch->answers), NULL);
	}
}

#define RECORD_AT(member) offsetof(struct changes_record, member)

static const struct column record_columns[] = {
	{ DB_TEXT, RECORD_AT(type), PLAIN, 0 },
	{ DB_INT8, RECORD_AT(ticket_id), PLAIN, 0 },
	{ DB_TEXT, RECORD_AT(department), EMPTY_IS_NULL, 0 },
	{ DB_TEXT, RECORD_AT(previous_department), EMPTY_IS_NULL, 0 },
	{ DB_TEXT, RECORD_AT(actor), PLAIN, 0 },
};

void
changes_add_log(struct changes *ch, struct db_unit *unit, int64_t at_us)
{
	if (ch->record_count == 0)
		return;
	db_unit_add(unit, STORE_APPEND);
	db_add_int8(unit, at_us);
	add_columns(unit, record_columns, ARRAY_LEN(record_columns), ch->records, ch->record_count,
	    sizeof(*ch->records), NULL);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < ch->record_count; i++)
		db_array_bytea(events, ch->records[i].event, ch->records[i].event_len);
}
