/* Finds the header of a file of applications and makes an item of each row below it. */
#include "cimer_sheet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "fold.h"
#include "istanbul.h"
#include "phone.h"
#include "turunc/v1/ticket.pb-c.h"
#include "utf8.h"

enum {
	HEADER_WITHIN = 20, /* rows: titles may stand above it */
	FOLDED_BYTES = 160,
	UNIT_DIGITS = 8,
	DIGITS_KEPT = 15, /* that a spreadsheet's numbers have */
	ROOM_FIRST = 64,
	VALUE_BYTES = TABLE_ROW_BYTES_MAX / 4,
	BESIDE_BYTES = 256, /* codes, and words around a phone or mailbox that cannot be used */
};

/* One row while it is read. */
struct reading {
	const struct table_row *row;
	bool wrong;
	char values[CIMER_FIELDS][VALUE_BYTES];
	bool is_number[CIMER_FIELDS];
	int64_t date_us;
	struct phone phone;
	bool has_phone;
	bool has_email;
};

struct cimer_sheet {
	const struct catalogue *cat;
	const struct item_maker *maker;
	struct cimer_limits limits;
	int64_t now_us;
	bool from_1904;
	/* The header. */
	bool has_header;
	size_t rows_looked_at;
	size_t best_fields; /* of a row that might have been meant as one */
	bool has_field[CIMER_FIELDS]; /* of that row */
	signed char field_of[TABLE_COLUMNS_MAX]; /* -1: not read */
	/* What was found. */
	enum cimer_fault fault;
	enum cimer_field fault_field;
	size_t rows; /* below the header, right or wrong */
	struct cimer_application **applications;
	size_t count, room;
	size_t text_bytes;
	struct cimer_row_error errors[CIMER_ERRORS_KEPT];
	size_t error_count;
	struct reading reading;
};

static const enum cimer_field needed[] = { CIMER_REFERENCE, CIMER_DATE, CIMER_TEXT };

struct cimer_sheet *
cimer_sheet_create(const struct catalogue *cat, const struct item_maker *maker,
    const struct cimer_limits *limits, int64_t now_us)
{
	struct cimer_sheet *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cat = cat;
	s->maker = maker;
	s->limits = *limits;
	s->now_us = now_us;
	return s;
}

void
cimer_sheet_destroy(struct cimer_sheet *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		item_finish(&s->applications[i]->item);
		free(s->applications[i]);
	}
	free(s->applications);
	free(s);
}

void
cimer_sheet_days_from_1904(struct cimer_sheet *s, bool yes)
{
	s->from_1904 = yes;
}

static bool
fault(struct cimer_sheet *s, enum cimer_fault why, enum cimer_field field)
{
	if (s->fault == CIMER_SOUND) {
		s->fault = why;
		s->fault_field = field;
	}
	return false;
}

/* --- the header ------------------------------------------------------------------------------- */

/* A name and an address may be spread over columns; of all else there is one. */
static bool
may_be_spread(enum cimer_field field)
{
	return field == CIMER_NAME || field == CIMER_ADDRESS;
}

static bool
is_whole(const bool has_field[CIMER_FIELDS])
{
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!has_field[needed[i]])
			return false;
	}
	return true;
}

static bool
take_header(struct cimer_sheet *s, const struct table_row *row)
{
	bool has[CIMER_FIELDS] = { false };
	size_t known = 0;
	char folded[FOLDED_BYTES];
	int twice = -1;

	for (size_t i = 0; i < row->count; i++) {
		const char *name = row->cells[i];
		const struct catalogue_cimer_column *column = NULL;
		if (fold_text(name, strlen(name), folded, sizeof(folded)))
			column = catalogue_cimer_column(s->cat, folded);
		s->field_of[i] = column == NULL ? -1 : (signed char)column->field;
		if (column == NULL)
			continue;
		if (has[column->field] && !may_be_spread(column->field))
			twice = (int)column->field;
		has[column->field] = true;
		known++;
	}
	for (size_t i = row->count; i < TABLE_COLUMNS_MAX; i++)
		s->field_of[i] = -1;
	if (known > s->best_fields) {
		s->best_fields = known;
		memcpy(s->has_field, has, sizeof(has));
	}
	s->has_header = is_whole(has);
	if (s->has_header && twice != -1)
		return fault(s, CIMER_COLUMN_TWICE, (enum cimer_field)twice);
	if (!s->has_header && ++s->rows_looked_at == HEADER_WITHIN)
		return fault(s, CIMER_NO_HEADER, CIMER_REFERENCE);
	return true;
}

/* --- cells ------------------------------------------------------------------------------------ */

static void
wrong(struct cimer_sheet *s, enum cimer_field field, enum cimer_error error)
{
	s->reading.wrong = true;
	if (s->error_count++ < CIMER_ERRORS_KEPT)
		s->errors[s->error_count - 1] = (struct cimer_row_error){
			.line = s->reading.row->line, .field = field, .error = error
		};
}

/* Trimmed; line ends are LF, other control characters are spaces; behind what is there already. */
static bool
append_value(char *to, size_t size, const char *text)
{
	size_t used = strlen(to), len = strlen(text);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(" \t\r\n", *text) != NULL) {
		text++;
		len--;
	}
	if (len == 0)
		return true;
	if (used + len + 2 > size)
		return false;
	if (used > 0)
		to[used++] = ' ';
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\r' && i + 1 < len && text[i + 1] == '\n')
			continue;
		bool control = (unsigned char)c < ' ' || c == 0x7f;
		to[used++] = c == '\r' ? '\n' : (char)(control && c != '\n' && c != '\t' ? ' ' : c);
	}
	to[used] = '\0';
	return true;
}

static void
collect(struct cimer_sheet *s)
{
	struct reading *r = &s->reading;

	for (size_t f = 0; f < CIMER_FIELDS; f++)
		r->values[f][0] = '\0';
	for (size_t i = 0; i < r->row->count; i++) {
		if (s->field_of[i] < 0)
			continue;
		enum cimer_field field = (enum cimer_field)s->field_of[i];
		if (!append_value(r->values[field], sizeof(r->values[field]), r->row->cells[i]))
			wrong(s, field, CIMER_TOO_LONG);
		r->is_number[field] = r->row->is_number[i];
	}
}

static void
check_length(struct cimer_sheet *s, enum cimer_field field, size_t max)
{
	if (utf8_count(s->reading.values[field]) > max)
		wrong(s, field, CIMER_TOO_LONG);
}

/* "1,23457E+11" is what is left of a long number that a spreadsheet has shown. */
static bool
is_shortened(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0)
		return false;
	text += digits;
	if (*text == ',' || *text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return (*text == 'E' || *text == 'e') && text[1] == '+' && text[2] != '\0'
	       && strspn(text + 2, "0123456789") == strlen(text + 2);
}

/* A cell that is a number: its digits, as long as the spreadsheet kept all of them. */
static bool
whole_number(char *value, size_t size)
{
	char *end = NULL;
	double number = strtod(value, &end);

	if (*end != '\0' || !(number >= 0) || number > 1e15 - 1
	    || number != (double)(int64_t)number)
		return false;
	(void)snprintf(value, size, "%lld", (long long)number);
	return strlen(value) <= DIGITS_KEPT;
}

static void
read_reference(struct cimer_sheet *s)
{
	struct reading *r = &s->reading;
	char *value = r->values[CIMER_REFERENCE];

	if (value[0] == '\0')
		wrong(s, CIMER_REFERENCE, CIMER_MISSING);
	else if ((r->is_number[CIMER_REFERENCE]
		     && !whole_number(value, sizeof(r->values[CIMER_REFERENCE])))
		 || (!r->is_number[CIMER_REFERENCE] && is_shortened(value)))
		wrong(s, CIMER_REFERENCE, CIMER_SHORTENED_NUMBER);
	check_length(s, CIMER_REFERENCE, CIMER_REFERENCE_CHARS);
}

static void
read_date(struct cimer_sheet *s)
{
	struct reading *r = &s->reading;
	const char *value = r->values[CIMER_DATE];

	if (value[0] == '\0')
		wrong(s, CIMER_DATE, CIMER_MISSING);
	else if (r->is_number[CIMER_DATE] ? !cimer_date_of_days(value, s->from_1904, &r->date_us)
					  : !cimer_date_parse(value, &r->date_us))
		wrong(s, CIMER_DATE, CIMER_BAD_DATE);
	else if (r->date_us > istanbul_day_start_us(istanbul_day(s->now_us) + 1))
		wrong(s, CIMER_DATE, CIMER_DATE_AHEAD);
	else if (r->date_us < s->now_us - CIMER_OLDEST_DAYS * US_PER_DAY)
		wrong(s, CIMER_DATE, CIMER_DATE_OLD);
}

/* As a number it has lost the zeros in front. */
static void
read_unit(struct cimer_sheet *s)
{
	struct reading *r = &s->reading;
	char *value = r->values[CIMER_UNIT], digits[UNIT_DIGITS + 1];
	size_t len = strlen(value);

	if (len == 0)
		return;
	if (strspn(value, "0123456789") != len || len > UNIT_DIGITS
	    || (len < UNIT_DIGITS && !r->is_number[CIMER_UNIT])) {
		wrong(s, CIMER_UNIT, CIMER_BAD_UNIT);
		return;
	}
	memset(digits, '0', UNIT_DIGITS);
	memcpy(digits + UNIT_DIGITS - len, value, len + 1);
	memcpy(value, digits, sizeof(digits));
}

static void
read_row(struct cimer_sheet *s)
{
	struct reading *r = &s->reading;

	collect(s);
	read_reference(s);
	read_date(s);
	read_unit(s);
	if (r->values[CIMER_TEXT][0] == '\0')
		wrong(s, CIMER_TEXT, CIMER_MISSING);
	check_length(s, CIMER_TEXT, CIMER_TEXT_CHARS);
	check_length(s, CIMER_KIND, CIMER_KIND_CHARS);
	check_length(s, CIMER_NAME, FIELD_NAME_CHARS);
	check_length(s, CIMER_ADDRESS, FIELD_ADDRESS_CHARS);
	check_length(s, CIMER_PHONE, FIELD_ID_CHARS);
	check_length(s, CIMER_EMAIL, FIELD_EMAIL_BYTES);
	check_length(s, CIMER_NEIGHBOURHOOD, FIELD_NAME_CHARS);
	r->has_phone = phone_parse(r->values[CIMER_PHONE], &r->phone) == PHONE_OK;
	r->has_email = r->values[CIMER_EMAIL][0] != '\0'
		       && field_email_valid(r->values[CIMER_EMAIL]);
}

/* --- the item --------------------------------------------------------------------------------- */

/* Texts are put one behind the other into the application's own memory. */
struct keeper {
	char *to;
};

/* NULL when it is empty. */
static const char *
keep(struct keeper *k, const char *text)
{
	size_t len = strlen(text);
	char *at = k->to;

	if (len == 0)
		return NULL;
	memcpy(at, text, len + 1);
	k->to += len + 1;
	return at;
}

/* More of the text under way. */
static void
say(struct keeper *k, const char *text)
{
	size_t len = strlen(text);

	memcpy(k->to, text, len);
	k->to += len;
}

/* A phone or a mailbox that cannot be written to is kept for people to read, with the text. */
static const char *
keep_description(struct keeper *k, const struct reading *r)
{
	char *at = k->to;

	say(k, r->values[CIMER_TEXT]);
	if (!r->has_phone && r->values[CIMER_PHONE][0] != '\0') {
		say(k, "\n\nTelefon: ");
		say(k, r->values[CIMER_PHONE]);
	}
	if (!r->has_email && r->values[CIMER_EMAIL][0] != '\0') {
		say(k, "\n\nE-posta: ");
		say(k, r->values[CIMER_EMAIL]);
	}
	*k->to++ = '\0';
	return at;
}

/* The neighbourhood stands with the address when it is none of ours. */
static const char *
keep_address(struct keeper *k, const struct reading *r, bool known)
{
	char *at = k->to;

	if (!known)
		say(k, r->values[CIMER_NEIGHBOURHOOD]);
	if (k->to > at && r->values[CIMER_ADDRESS][0] != '\0')
		say(k, ", ");
	say(k, r->values[CIMER_ADDRESS]);
	if (k->to == at)
		return NULL;
	*k->to++ = '\0';
	return at;
}

static void
set_identity(struct item *item, const struct cimer_sheet *s)
{
	const struct reading *r = &s->reading;
	struct digest_keyed d;

	item_identity_begin(s->maker, &d);
	for (size_t f = 0; f < CIMER_FIELDS; f++) {
		if (f != CIMER_DATE)
			digest_keyed_add_part(&d, r->values[f], strlen(r->values[f]));
	}
	digest_keyed_add_part(&d, &r->date_us, sizeof(r->date_us));
	digest_keyed_finish(&d, &item->identity);
}

static void
set_place(struct item *item, struct keeper *k, const struct cimer_sheet *s)
{
	const struct catalogue *cat = s->cat;
	const struct reading *r = &s->reading;
	const char *given = r->values[CIMER_NEIGHBOURHOOD];
	const struct catalogue_neighbourhood *named =
	    given[0] == '\0' ? NULL : catalogue_neighbourhood_named(cat, given);

	item->address = keep_address(k, r, named != NULL);
	if (named != NULL)
		item_set_neighbourhood(item, named->code);
	else if (item->address != NULL)
		item_set_neighbourhood(item, field_neighbourhood_of_address(cat, item->address));
}

/* There is no answer to give by a callback: the whole file is one transaction. */
static void
nobody_waits(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static void
fill(struct cimer_application *a, const struct cimer_sheet *s)
{
	const struct catalogue *cat = s->cat;
	const struct reading *r = &s->reading;
	struct item *item = &a->item;
	struct keeper k = { a->texts };
	char folded[FOLDED_BYTES * 4];

	if (!fold_text(
		r->values[CIMER_KIND], strlen(r->values[CIMER_KIND]), folded, sizeof(folded)))
		folded[0] = '\0';
	const struct catalogue_subject *subject = catalogue_cimer_subject(cat, folded);
	const struct catalogue_department *department = catalogue_cimer_unit(
	    cat, r->values[CIMER_UNIT]);

	item_init(item, nobody_waits);
	a->line = r->row->line;
	a->kind = keep(&k, r->values[CIMER_KIND]);
	a->unit = keep(&k, r->values[CIMER_UNIT]);
	item->client = CIMER_CLIENT;
	item->source = CIMER_SOURCE;
	item->id = keep(&k, r->values[CIMER_REFERENCE]);
	item->kind = "report";
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_CIMER;
	item->arrived_us = r->date_us;
	item->time_us = s->now_us;
	item->name = keep(&k, r->values[CIMER_NAME]);
	if (r->has_phone)
		item->phone = keep(&k, r->phone.number);
	if (r->has_email)
		item->email = keep(&k, r->values[CIMER_EMAIL]);
	item->description = keep_description(&k, r);
	set_place(item, &k, s);
	item->opens = true;
	item->type = "ticket.opened";
	/* Lent by the catalogue otherwise, which may be replaced while the file is read. */
	item->subject_code = keep(&k, subject->code);
	item->department = department == NULL ? NULL : keep(&k, department->code);
	item->legal_basis = (int16_t)catalogue_cimer_basis(cat, folded);
	item->is_public = false;
	set_identity(item, s);
}

static bool
add(struct cimer_sheet *s)
{
	const struct reading *r = &s->reading;
	size_t bytes = BESIDE_BYTES;

	for (size_t f = 0; f < CIMER_FIELDS; f++)
		bytes += strlen(r->values[f]) * 2 + 2;
	s->text_bytes += bytes;
	if (s->text_bytes > s->limits.text_bytes)
		return fault(s, CIMER_TOO_MUCH_TEXT, CIMER_REFERENCE);
	if (s->count == s->room) {
		size_t room = s->room == 0 ? ROOM_FIRST : s->room * 2;
		struct cimer_application **grown = realloc(
		    s->applications, room * sizeof(struct cimer_application *));
		if (grown == NULL)
			return fault(s, CIMER_NO_MEMORY, CIMER_REFERENCE);
		s->applications = grown;
		s->room = room;
	}
	struct cimer_application *a = calloc(1, sizeof(*a) + bytes);
	if (a == NULL)
		return fault(s, CIMER_NO_MEMORY, CIMER_REFERENCE);
	fill(a, s);
	s->applications[s->count++] = a;
	return true;
}

bool
cimer_sheet_row(void *arg, const struct table_row *row)
{
	struct cimer_sheet *s = arg;

	if (!s->has_header)
		return take_header(s, row);
	if (++s->rows > s->limits.rows)
		return fault(s, CIMER_TOO_MANY_ROWS, CIMER_REFERENCE);
	s->reading.row = row;
	s->reading.wrong = false;
	read_row(s);
	return s->reading.wrong || add(s);
}

/* --- what was found --------------------------------------------------------------------------- */

bool
cimer_sheet_has_header(const struct cimer_sheet *s)
{
	return s->has_header;
}

enum cimer_fault
cimer_sheet_fault(const struct cimer_sheet *s)
{
	if (s->fault != CIMER_SOUND)
		return s->fault;
	if (!s->has_header)
		return CIMER_NO_HEADER;
	return s->count == 0 && s->error_count == 0 ? CIMER_NO_ROWS : CIMER_SOUND;
}

enum cimer_field
cimer_sheet_fault_field(const struct cimer_sheet *s)
{
	if (cimer_sheet_fault(s) != CIMER_NO_HEADER)
		return s->fault_field;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!s->has_field[needed[i]])
			return needed[i];
	}
	return CIMER_REFERENCE;
}

size_t
cimer_sheet_error_count(const struct cimer_sheet *s)
{
	return s->error_count;
}

const struct cimer_row_error *
cimer_sheet_errors(const struct cimer_sheet *s, size_t *ret_kept)
{
	*ret_kept = s->error_count < CIMER_ERRORS_KEPT ? s->error_count : CIMER_ERRORS_KEPT;
	return s->errors;
}

struct cimer_application **
cimer_sheet_applications(struct cimer_sheet *s, size_t *ret_count)
{
	*ret_count = s->count;
	return s->applications;
}
