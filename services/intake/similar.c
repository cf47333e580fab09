/* Compares where a caller's matter is with where others' are. */
#include "similar.h"

#include <math.h>
#include <string.h>

static const double earth_metres = 6371000, radians = 3.14159265358979323846 / 180;

double
similar_distance(double latitude_a, double longitude_a, double latitude_b, double longitude_b)
{
	double north = sin((latitude_b - latitude_a) * radians / 2);
	double east = sin((longitude_b - longitude_a) * radians / 2);
	double half = north * north
		      + cos(latitude_a * radians) * cos(latitude_b * radians) * east * east;

	return 2 * earth_metres * asin(sqrt(half > 1 ? 1 : half));
}

void
similar_read(const struct similar_place *place, struct similar_spot *ret_spot)
{
	*ret_spot = (struct similar_spot){ .place = place };
	ret_spot->has_street = place->address != NULL
			       && street_of_address(place->address, &ret_spot->street);
}

static bool
may_be_same_neighbourhood(const struct similar_place *a, const struct similar_place *b)
{
	return a->neighbourhood[0] == '\0' || b->neighbourhood[0] == '\0'
	       || strcmp(a->neighbourhood, b->neighbourhood) == 0;
}

/* Lower is nearer. */
static int
rank(const struct similar *s)
{
	if (s->same_house)
		return 0;
	if (s->metres >= 0)
		return 1 + s->metres;
	return 1 + SIMILAR_METRES / 2; /* somewhere in the same street */
}

static void
insert(struct similar_list *list, const struct similar *found)
{
	size_t at = list->count;

	while (at > 0 && rank(&list->at[at - 1]) > rank(found))
		at--;
	if (at == SIMILAR_MAX)
		return;
	if (list->count < SIMILAR_MAX)
		list->count++;
	memmove(&list->at[at + 1], &list->at[at], (list->count - at - 1) * sizeof(list->at[0]));
	list->at[at] = *found;
}

void
similar_offer(struct similar_list *list, const struct similar_spot *wanted,
    const struct similar_place *candidate, size_t row)
{
	struct similar found = { .row = row, .metres = -1 };
	struct similar_spot spot;

	similar_read(candidate, &spot);
	if (wanted->place->has_position && candidate->has_position) {
		double metres = similar_distance(wanted->place->latitude, wanted->place->longitude,
		    candidate->latitude, candidate->longitude);
		if (metres <= SIMILAR_METRES)
			found.metres = (int)metres;
	}
	found.same_street = wanted->has_street && spot.has_street
			    && may_be_same_neighbourhood(wanted->place, candidate)
			    && strcmp(wanted->street.name, spot.street.name) == 0;
	found.same_house = found.same_street && wanted->street.number[0] != '\0'
			   && strcmp(wanted->street.number, spot.street.number) == 0;
	if (found.same_street || found.metres >= 0)
		insert(list, &found);
}
