/* Reads the fields of a step. */
#include "step_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "http.h"
#include "istanbul.h"
#include "number.h"

/* Lent to fields of a generated struct, which have no const. */
static char *
field(const struct http_request *req, const char *name)
{
	const char *value = http_form(req, name, NULL);
	char *lent;

	if (value == NULL)
		value = "";
	memcpy(&lent, &value, sizeof(lent));
	return lent;
}

/* Browsers send line ends as CR LF. */
static char *
our_lines(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text++)
		if (*text != '\r')
			*to++ = *text;
	*to = '\0';
	return out;
}

static uint32_t
small_number(const char *text)
{
	char *end = NULL;

	if (text[0] == '\0')
		return 0;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	return *end != '\0' || text[0] == '-' || errno != 0 || value > UINT32_MAX ? UINT32_MAX
										  : (uint32_t)value;
}

int64_t
step_form_until(const char *date)
{
	int year, month, day, used = 0;

	if (date[0] == '\0')
		return 0;
	if (strlen(date) != 10 || sscanf(date, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3
	    || used != 10 || !civil_valid(year, month, day))
		return -1;
	return istanbul_day_start_us(civil_day(year, month, day) + 1);
}

/* A number as people type it; what is none stays as it was typed, and the step says so. */
static char *
typed_number(const struct http_request *req, const char *name, char out[16])
{
	int64_t ticket_id;
	char *typed = field(req, name);

	if (number_parse_typed(typed, &ticket_id) != NUMBER_OK || !number_format(ticket_id, out))
		return typed;
	return out;
}

bool
step_form_read(struct step_form *form, const struct http_request *req)
{
	static const Turunc__V1__Command empty = TURUNC__V1__COMMAND__INIT;
	Turunc__V1__Command *c = &form->command;
	int64_t ticket_id;

	*form = (struct step_form){ .command = empty, .verb = STATUS_VERBS };
	form->text = our_lines(field(req, "text"));
	if (form->text == NULL)
		return false;
	if (number_parse(http_path_param(req, "number"), &ticket_id) == NUMBER_OK)
		(void)!number_format(ticket_id, form->ticket);
	c->id = field(req, "id");
	c->traceparent = frame_lend(http_header(req, "traceparent"));
	c->ticket = form->ticket;
	c->expected_version = small_number(field(req, "version"));
	c->verb = field(req, "verb");
	c->reason_code = field(req, "reason");
	c->text = form->text;
	c->department = field(req, "department");
	c->until_us = step_form_until(field(req, "until"));
	c->institution = field(req, "institution");
	c->reference = field(req, "reference");
	c->primary = typed_number(req, "primary", form->primary);
	c->subject_code = field(req, "subject");
	c->priority = small_number(field(req, "priority"));
	if (!status_verb_parse(c->verb, &form->verb))
		form->verb = STATUS_VERBS;
	return true;
}

void
step_form_finish(struct step_form *form)
{
	free(form->text);
	form->text = NULL;
}
