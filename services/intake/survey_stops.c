/* Keeps wishes of the time without the record in one small file. */
#include "survey_stops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "state_file.h"
#include "turunc/v1/state.pb-c.h"

enum { PATH_BYTES = 1200 };

struct survey_stops {
	char path[PATH_BYTES];
	size_t count;
	struct survey_wish wishes[SURVEY_STOPS_MAX];
};

static bool
same_message(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Its place; count when there is none. */
static size_t
place_of(const struct survey_stops *s, const struct uuid *message)
{
	size_t i = 0;

	while (i < s->count && !same_message(&s->wishes[i].message, message))
		i++;
	return i;
}

static bool
load(struct survey_stops *s, const uint8_t *data, size_t len)
{
	Turunc__V1__SurveyStops *m = turunc__v1__survey_stops__unpack(NULL, len, data);
	bool whole = m != NULL && m->n_stops <= SURVEY_STOPS_MAX;

	for (size_t i = 0; whole && i < m->n_stops; i++) {
		const Turunc__V1__SurveyStop *stop = m->stops[i];
		struct survey_wish *wish = &s->wishes[i];
		whole = stop->message.len == sizeof(wish->message.bytes);
		if (!whole)
			break;
		*wish = (struct survey_wish){ .again = stop->again, .at_us = stop->at_us };
		memcpy(wish->message.bytes, stop->message.data, stop->message.len);
		whole = place_of(s, &wish->message) == s->count++;
	}
	if (m != NULL)
		turunc__v1__survey_stops__free_unpacked(m, NULL);
	return whole;
}

struct survey_stops *
survey_stops_open(const char *path, char *why, size_t why_size)
{
	struct survey_stops *s = calloc(1, sizeof(*s));
	uint8_t *data = NULL;
	size_t len = 0;

	if (s == NULL || strlen(path) >= sizeof(s->path)) {
		(void)snprintf(why, why_size, s == NULL ? "out of memory" : "the path is too long");
		free(s);
		return NULL;
	}
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
	enum state_file_result result = state_file_read(path, &data, &len);
	if (result == STATE_FILE_OK && !load(s, data, len))
		result = STATE_FILE_DAMAGED;
	free(data);
	if (result == STATE_FILE_OK || result == STATE_FILE_ABSENT)
		return s;
	(void)snprintf(why, why_size, "%s", state_file_why(result));
	free(s);
	return NULL;
}

void
survey_stops_close(struct survey_stops *s)
{
	free(s);
}

static bool
write_file(const char *path, const uint8_t *bytes, size_t len)
{
	return !failpoint(FAILPOINT_INTAKE_SURVEY_STOPS, FAILPOINT_BEFORE)
	       && state_file_write(path, bytes, len) == STATE_FILE_OK
	       && !failpoint(FAILPOINT_INTAKE_SURVEY_STOPS, FAILPOINT_AFTER);
}

/* The wishes as they shall be, without the one at `without` and with `more` (NULL: none) behind
 * them; on success they are. */
static bool
replace(struct survey_stops *s, size_t without, const struct survey_wish *more)
{
	Turunc__V1__SurveyStops m = TURUNC__V1__SURVEY_STOPS__INIT;
	struct survey_wish *wishes = calloc(s->count + 1, sizeof(*wishes));
	Turunc__V1__SurveyStop *rows = calloc(s->count + 1, sizeof(*rows));
	Turunc__V1__SurveyStop **pointers = calloc(s->count + 1, sizeof(*pointers));
	uint8_t *bytes = NULL;
	size_t count = 0;
	bool replaced = false;

	if (wishes == NULL || rows == NULL || pointers == NULL)
		goto out;
	for (size_t i = 0; i < s->count; i++)
		if (i != without)
			wishes[count++] = s->wishes[i];
	if (more != NULL)
		wishes[count++] = *more;
	for (size_t i = 0; i < count; i++) {
		turunc__v1__survey_stop__init(&rows[i]);
		rows[i].message = (ProtobufCBinaryData){ .len = sizeof(wishes[i].message.bytes),
			.data = wishes[i].message.bytes };
		rows[i].again = wishes[i].again;
		rows[i].at_us = wishes[i].at_us;
		pointers[i] = &rows[i];
	}
	m.n_stops = count;
	m.stops = pointers;
	bytes = malloc(turunc__v1__survey_stops__get_packed_size(&m) + 1);
	replaced = bytes != NULL
		   && write_file(s->path, bytes, turunc__v1__survey_stops__pack(&m, bytes));
	if (replaced) {
		memcpy(s->wishes, wishes, count * sizeof(*wishes));
		s->count = count;
	}
out:
	free(bytes);
	free(pointers);
	free(rows);
	free(wishes);
	return replaced;
}

bool
survey_stops_keep(struct survey_stops *s, const struct survey_wish *wish)
{
	size_t place = place_of(s, &wish->message);

	if (place == s->count && s->count == SURVEY_STOPS_MAX)
		return false;
	return replace(s, place, wish);
}

size_t
survey_stops_count(const struct survey_stops *s)
{
	return s->count;
}

const struct survey_wish *
survey_stops_first(const struct survey_stops *s)
{
	return s->count == 0 ? NULL : &s->wishes[0];
}

const struct survey_wish *
survey_stops_find(const struct survey_stops *s, const struct uuid *message)
{
	size_t place = place_of(s, message);

	return place == s->count ? NULL : &s->wishes[place];
}

bool
survey_stops_done(struct survey_stops *s, const struct survey_wish *wish)
{
	size_t place = place_of(s, &wish->message);

	if (place == s->count || s->wishes[place].at_us != wish->at_us
	    || s->wishes[place].again != wish->again)
		return true;
	return replace(s, place, NULL);
}
