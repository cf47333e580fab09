/* A sorted array: some hundred names, looked up by halving. */
#include "demo_counts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the name is, or belongs. */
static size_t
place_of(const struct demo_counts *c, const char *name)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(c->at[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
demo_count(struct demo_counts *c, int64_t by, const char *format, ...)
{
	char name[DEMO_NAME_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	size_t place = place_of(c, name);
	if (place < c->count && strcmp(c->at[place].name, name) == 0) {
		c->at[place].value += by;
		return;
	}
	if (c->count == c->room) {
		size_t room = c->room == 0 ? 256 : c->room * 2;
		struct demo_count *at = reallocarray(c->at, room, sizeof(*at));
		if (at == NULL) {
			c->lost = true;
			return;
		}
		c->at = at;
		c->room = room;
	}
	memmove(&c->at[place + 1], &c->at[place], (c->count - place) * sizeof(c->at[0]));
	c->count++;
	memcpy(c->at[place].name, name, sizeof(name));
	c->at[place].value = by;
}

int64_t
demo_counted(const struct demo_counts *c, const char *name)
{
	size_t place = place_of(c, name);

	return place < c->count && strcmp(c->at[place].name, name) == 0 ? c->at[place].value : 0;
}

json_t *
demo_counts_json(const struct demo_counts *c)
{
	json_t *object = json_object();

	for (size_t i = 0; object != NULL && i < c->count; i++)
		if (json_object_set_new(object, c->at[i].name, json_integer(c->at[i].value)) != 0) {
			json_decref(object);
			object = NULL;
		}
	return object;
}

void
demo_counts_finish(struct demo_counts *c)
{
	free(c->at);
	memset(c, 0, sizeof(*c));
}
