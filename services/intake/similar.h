/*
 * similar - which open or lately ended tickets may be about what a caller reports?
 *
 * Candidates have the same subject already.  They are near when both positions are known and lie
 * within SIMILAR_METRES, or when both addresses name the same street in what may be the same
 * neighbourhood.  Never from titles or words: those join what is not the same.
 */
#ifndef INTAKE_SIMILAR_H
#define INTAKE_SIMILAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "street.h"

enum { SIMILAR_METRES = 250, SIMILAR_MAX = 8 };

struct similar_place {
	const char *neighbourhood; /* code; "" unknown */
	const char *address; /* NULL: none */
	bool has_position;
	double latitude, longitude;
};

/* Where a matter is, once read. */
struct similar_spot {
	const struct similar_place *place;
	struct street street;
	bool has_street;
};
void similar_read(const struct similar_place *place, struct similar_spot *ret_spot);

struct similar {
	size_t row; /* the caller's own number for the candidate */
	bool same_street;
	bool same_house;
	int metres; /* -1: not known */
};

/* The nearest SIMILAR_MAX so far, best first; zeroed is ready. */
struct similar_list {
	size_t count;
	struct similar at[SIMILAR_MAX];
};

/* Takes the candidate in when it is near.  Candidates come newest first; of two alike the first one
 * stays in front. */
void similar_offer(struct similar_list *list, const struct similar_spot *wanted,
    const struct similar_place *candidate, size_t row);

/* Over the ground, in metres. */
double similar_distance(
    double latitude_a, double longitude_a, double latitude_b, double longitude_b);

#endif
