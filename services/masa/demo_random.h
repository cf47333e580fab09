/*
 * demo_random - chance that comes out the same for the same seed, on every machine.
 *
 * Each subject of chance (a caller, a ticket) has a stream of its own made of the seed and its
 * number, so that what happens to one does not depend on what happened to others before.  Pure.
 */
#ifndef MASA_DEMO_RANDOM_H
#define MASA_DEMO_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct demo_random {
	uint64_t state;
};

struct demo_random demo_random_of(uint64_t seed, uint64_t subject);
uint64_t demo_random_next(struct demo_random *r);
/* In [0, 1). */
double demo_random_real(struct demo_random *r);
/* In [0, below); below not 0. */
uint32_t demo_random_below(struct demo_random *r, uint32_t below);
bool demo_random_chance(struct demo_random *r, double share);
/* Waiting times: none or long ones are as likely as they are where things come by themselves. */
double demo_random_wait(struct demo_random *r, double mean);
/* An index of weights, as often as its weight says. */
size_t demo_random_pick(struct demo_random *r, const double *weights, size_t count);

#endif
