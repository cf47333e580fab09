/* Writes pictures as JSON: whole, what changed, or just that we are alive. */
#include "statement.h"

#include <stdio.h>
#include <string.h>

#include "alarm_watch.h"
#include "board_words.h"
#include "catalogue.h"
#include "clock.h"
#include "picture.h"

#define UNASSIGNED "-" /* the department of tickets that have none yet */

static bool
set(json_t *object, const char *name, json_t *value)
{
	return value != NULL && json_object_set_new(object, name, value) == 0;
}

static bool
listed(const json_t *departments, const char *code)
{
	size_t i;
	json_t *department;

	json_array_foreach(departments, i, department)
	{
		if (strcmp(json_string_value(json_object_get(department, "code")), code) == 0)
			return true;
	}
	return false;
}

static bool
list(json_t *departments, const char *code, const char *tr, const char *en)
{
	json_t *department = json_pack("{s:s, s:s, s:s}", "code", code, "tr", tr, "en", en);

	return department != NULL && json_array_append_new(departments, department) == 0;
}

/* "d.<code>.open": the code, in out. */
static bool
code_of(const char *name, char out[FIGURE_NAME_SIZE])
{
	const char *dot = strrchr(name, '.');

	if (strncmp(name, "d.", 2) != 0 || dot <= name + 2 || strcmp(dot, ".open") != 0)
		return false;
	(void)snprintf(out, FIGURE_NAME_SIZE, "%.*s", (int)(dot - name - 2), name + 2);
	return true;
}

static const struct catalogue_department *
find(const struct catalogue *catalogue, const char *code)
{
	for (size_t i = 0; catalogue != NULL && i < catalogue->department_count; i++)
		if (strcmp(catalogue->departments[i].code, code) == 0)
			return &catalogue->departments[i];
	return NULL;
}

json_t *
statement_departments(const struct catalogue *catalogue, const struct figures *figures)
{
	json_t *all = json_array();
	bool ok = all != NULL;
	char code[FIGURE_NAME_SIZE];

	for (size_t i = 0; ok && catalogue != NULL && i < catalogue->department_count; i++) {
		const struct catalogue_department *d = &catalogue->departments[i];
		if (d->active)
			ok = list(all, d->code, d->name.in[CATALOGUE_TR], d->name.in[CATALOGUE_EN]);
	}
	for (size_t i = 0; ok && i < figures->count; i++) {
		if (!code_of(figures->at[i].name, code) || strcmp(code, UNASSIGNED) == 0
		    || listed(all, code))
			continue;
		const struct catalogue_department *d = find(catalogue, code);
		ok = list(all, code, d == NULL ? code : d->name.in[CATALOGUE_TR],
		    d == NULL ? code : d->name.in[CATALOGUE_EN]);
	}
	if (ok)
		return all;
	json_decref(all);
	return NULL;
}

json_t *
statement_beat(const struct picture *picture)
{
	int64_t age_ms = picture_age_ms(picture, clock_monotonic_ms());
	json_t *said = json_object();

	if (set(said, "state", json_string(projector_state_name(picture_state(picture))))
	    && set(said, "seq", json_integer((json_int_t)picture_seq(picture)))
	    && set(said, "age_ms", age_ms < 0 ? json_null() : json_integer(age_ms))
	    && set(said, "now_us", json_integer(clock_now_us())))
		return said;
	json_decref(said);
	return NULL;
}

static void
put(void *arg, const char *name, bool known, int64_t value)
{
	/* Places are for the alarms, which name none that is not for everybody. */
	if (strncmp(name, "surge.", 6) == 0 || strncmp(name, "usual.", 6) == 0)
		return;
	/* What does not fit here is told by the next snapshot. */
	(void)json_object_set_new(arg, name, known ? json_integer(value) : json_null());
}

json_t *
statement_patch(const struct picture *picture, const struct figures *told)
{
	json_t *said = statement_beat(picture), *values = json_object();

	if (said == NULL || values == NULL) {
		json_decref(said);
		json_decref(values);
		return NULL;
	}
	(void)figures_diff(told, picture_figures(picture), put, values);
	if (set(said, "values", values))
		return said;
	json_decref(said);
	return NULL;
}

/* --- the frame -------------------------------------------------------------------------------- */

static json_t *
targets_of(const struct catalogue *catalogue)
{
	if (catalogue == NULL)
		return json_object();
	const struct catalogue_municipality *m = &catalogue->municipality;
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "answer_within_s", m->answer_within_s,
	    "answer_percent", m->answer_target_percent, "wait_s", m->wait_alarm_s,
	    "overdue_percent", m->overdue_target_percent, "triage_min", m->triage_alarm_min,
	    "legal_days", m->legal_due_soon_days);
}

static json_t *
place_of(const struct catalogue *catalogue, const char *about)
{
	char tr[BOARD_PLACE_BYTES], en[BOARD_PLACE_BYTES];

	if (!board_place(catalogue, about, CATALOGUE_TR, tr)
	    || !board_place(catalogue, about, CATALOGUE_EN, en))
		return json_null();
	return json_pack("{s:s, s:s}", "tr", tr, "en", en);
}

static json_t *
alarm_of(const struct catalogue *catalogue, const struct alarm_row *row)
{
	bool seen = row->acknowledged_us != 0;

	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:o, s:o}", "id", (json_int_t)row->id, "kind",
	    alarm_kind_name(row->alarm.kind), "value", (json_int_t)row->alarm.value, "bound",
	    (json_int_t)row->alarm.bound, "raised_us", (json_int_t)row->raised_us,
	    "acknowledged_us", seen ? json_integer(row->acknowledged_us) : json_null(), "place",
	    place_of(catalogue, row->alarm.about));
}

static json_t *
alarms_of(const struct statement_frame *frame)
{
	json_t *all = frame->alarms_known ? json_array() : json_null();

	for (size_t i = 0; frame->alarms_known && i < frame->alarm_count; i++) {
		json_t *alarm = alarm_of(frame->catalogue, &frame->alarms[i]);
		if (alarm == NULL || json_array_append_new(all, alarm) != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

json_t *
statement_frame(const struct statement_frame *frame)
{
	const struct catalogue *catalogue = frame->catalogue;
	const char *name = catalogue == NULL ? "" : catalogue->municipality.name;
	json_t *said = json_object();

	if (set(said, "build", json_string(frame->build))
	    && set(said, "charts", json_boolean(frame->charts))
	    && set(said, "municipality", json_string(name))
	    && set(said, "departments", statement_departments(catalogue, frame->figures))
	    && set(said, "targets", targets_of(catalogue))
	    && set(said, "history", json_integer((json_int_t)frame->history_version))
	    && set(said, "alarms", alarms_of(frame)))
		return said;
	json_decref(said);
	return NULL;
}

json_t *
statement_snapshot(const struct picture *picture, const json_t *frame)
{
	static const struct figures nothing;
	json_t *said = statement_patch(picture, &nothing);

	if (said != NULL && frame != NULL
	    && json_object_update(said, (json_t *)(uintptr_t)frame) == 0)
		return said;
	json_decref(said);
	return NULL;
}
