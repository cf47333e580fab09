/* Reads the form of an Open311 POST into an item. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "turunc/v1/ticket.pb-c.h"

enum { STATUS_BAD = 400, STATUS_NOT_FOUND = 404 };
static const char attribute_prefix[] = "attribute[";

/* The single fields of the form: how long they may be.  Others are passed over. */
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t max_chars;
} fields[] = {
	{ "service_code", FIELD_LINE, FIELD_ID_CHARS },
	{ "lat", FIELD_LINE, FIELD_ID_CHARS },
	{ "long", FIELD_LINE, FIELD_ID_CHARS },
	{ "address_string", FIELD_LINES, FIELD_ADDRESS_CHARS },
	{ "address_id", FIELD_LINE, FIELD_ID_CHARS },
	{ "email", FIELD_LINE, FIELD_EMAIL_BYTES },
	{ "device_id", FIELD_LINE, FIELD_ID_CHARS },
	{ "account_id", FIELD_LINE, FIELD_ID_CHARS },
	{ "first_name", FIELD_LINE, FIELD_NAME_CHARS },
	{ "last_name", FIELD_LINE, FIELD_NAME_CHARS },
	{ "phone", FIELD_LINE, FIELD_ID_CHARS },
	{ "description", FIELD_LINES, FIELD_DESCRIPTION_CHARS },
	{ "media_url", FIELD_LINE, FIELD_URL_CHARS },
};

const char *
report_field(const struct report_form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (form->pairs[i].value[0] != '\0' && strcmp(form->pairs[i].name, name) == 0)
			return form->pairs[i].value;
	return NULL;
}

void
report_init(struct report *report, item_done_fn *done)
{
	item_init(&report->item, done);
	report->answers = NULL;
	report->some_answers = false;
}

void
report_finish(struct report *report)
{
	item_finish(&report->item);
	free(report->answers);
	report->answers = NULL;
}

static void
check_fields(const struct report_form *form, struct problems *p)
{
	for (size_t f = 0; f < ARRAY_LEN(fields); f++) {
		const struct field *field = &fields[f];
		size_t times = 0;
		for (size_t i = 0; i < form->count; i++)
			times += form->pairs[i].value[0] != '\0'
				 && strcmp(form->pairs[i].name, field->name) == 0;
		if (times > 1)
			problems_add(p, STATUS_BAD, "%s: given more than once", field->name);
		(void)field_check_text(
		    p, field->name, report_field(form, field->name), field->kind, field->max_chars);
	}
}

/* attribute[CODE]=v and attribute[CODE][]=v; buffer holds copies of the codes. */
static bool
read_answers(struct report *report, const struct report_form *form,
    const struct catalogue_subject *subject, struct problems *p)
{
	struct answer given[ANSWERS_MAX];
	char codes[ANSWERS_MAX][CALENDAR_NAME_MAX * 2];
	const size_t prefix_len = sizeof(attribute_prefix) - 1;
	size_t count = 0;

	for (size_t i = 0; i < form->count; i++) {
		const char *name = form->pairs[i].name;
		if (strncmp(name, attribute_prefix, prefix_len) != 0
		    || form->pairs[i].value[0] == '\0')
			continue;
		name += prefix_len;
		size_t len = strcspn(name, "]");
		bool formed = strcmp(name + len, "]") == 0 || strcmp(name + len, "][]") == 0;
		if (!formed || len == 0 || len >= sizeof(codes[0]) || count == ANSWERS_MAX) {
			problems_add(p, STATUS_BAD, "attribute: %s",
			    formed && count == ANSWERS_MAX ? "too many values"
							   : "not like attribute[CODE]");
			return false;
		}
		memcpy(codes[count], name, len);
		codes[count][len] = '\0';
		given[count] = (struct answer){ codes[count], form->pairs[i].value };
		count++;
	}
	return answers_check(subject, given, count, !report->some_answers, p, &report->answers);
}

/* Both are looked at, so that both are told. */
static void
read_position(struct item *item, const char *lat, const char *lon, struct problems *p)
{
	bool lat_fits = field_check_number(p, "lat", lat, -90, 90, &item->latitude);
	bool lon_fits = field_check_number(p, "long", lon, -180, 180, &item->longitude);

	item->has_position = lat_fits && lon_fits;
}

static void
read_place(struct item *item, const struct report_form *form, const struct catalogue *cat,
    struct problems *p)
{
	const char *lat = report_field(form, "lat"), *lon = report_field(form, "long");
	const char *address_id = report_field(form, "address_id");

	item->address = report_field(form, "address_string");
	if ((lat == NULL) != (lon == NULL))
		problems_add(p, STATUS_BAD, "lat, long: both or neither");
	if (lat != NULL && lon != NULL)
		read_position(item, lat, lon, p);
	if (address_id != NULL && catalogue_neighbourhood(cat, address_id) == NULL)
		problems_add(p, STATUS_BAD, "address_id: not a neighbourhood's code");
	if (lat == NULL && lon == NULL && item->address == NULL && address_id == NULL)
		problems_add(
		    p, STATUS_BAD, "lat and long, address_string or address_id: one is required");
	if (p->count > 0)
		return;
	if (address_id != NULL)
		item_set_neighbourhood(item, address_id);
	else if (item->has_position)
		item_set_neighbourhood(
		    item, field_neighbourhood_of_position(cat, item->latitude, item->longitude));
	else
		item_set_neighbourhood(item, field_neighbourhood_of_address(cat, item->address));
}

static void
read_person(struct report *report, const struct report_form *form, struct problems *p)
{
	struct item *item = &report->item;
	const char *first = report_field(form, "first_name"),
		   *last = report_field(form, "last_name");
	const char *phone = report_field(form, "phone");

	item->email = report_field(form, "email");
	(void)field_check_email(p, "email", item->email);
	if (phone != NULL && field_check_phone(p, "phone", phone, &report->phone))
		item->phone = report->phone.number;
	if ((first == NULL && last == NULL) || p->count > 0)
		return;
	(void)snprintf(report->name, sizeof(report->name), "%s%s%s", first == NULL ? "" : first,
	    first == NULL || last == NULL ? "" : " ", last == NULL ? "" : last);
	item->name = report->name;
}

bool
report_read(struct report *report, const struct report_form *form, const struct catalogue *cat,
    int64_t now_us, struct problems *p)
{
	struct item *item = &report->item;
	const char *code = report_field(form, "service_code");
	const struct catalogue_subject *subject = code == NULL ? NULL
							       : catalogue_subject(cat, code);

	if (code == NULL)
		problems_add(p, STATUS_BAD, "service_code: required");
	else if (subject == NULL)
		problems_add(p, STATUS_NOT_FOUND, "service_code: no such service");
	check_fields(form, p);
	read_place(item, form, cat, p);
	read_person(report, form, p);
	item->media_url = report_field(form, "media_url");
	(void)field_check_url(p, "media_url", item->media_url);
	if (subject == NULL || !read_answers(report, form, subject, p) || p->count > 0)
		return false;

	item->kind = "report";
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_OPEN311;
	item->arrived_us = now_us;
	item->time_us = now_us;
	item->language = catalogue_language_name(cat->municipality.default_language);
	item->description = report_field(form, "description");
	item->account_id = report_field(form, "account_id");
	item->device_id = report_field(form, "device_id");
	item->answers = report->answers;
	item->opens = true;
	item->type = "ticket.opened";
	item->subject_code = code;
	item->legal_basis = (int16_t)subject->legal_basis;
	item->is_public = subject->is_public && !subject->special_category;
	return true;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct http_pair *left = a, *right = b;
	int by_name = strcmp(left->name, right->name);
	return by_name != 0 ? by_name : strcmp(left->value, right->value);
}

void
report_identify(
    struct item *item, const struct item_maker *maker, struct http_pair *pairs, size_t count)
{
	struct digest_keyed d;

	qsort(pairs, count, sizeof(pairs[0]), compare_pairs);
	item_identity_begin(maker, &d);
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].value[0] == '\0' || strcmp(pairs[i].name, "api_key") == 0)
			continue;
		digest_keyed_add_part(&d, pairs[i].name, strlen(pairs[i].name));
		digest_keyed_add_part(&d, pairs[i].value, strlen(pairs[i].value));
	}
	digest_keyed_finish(&d, &item->identity);
}
