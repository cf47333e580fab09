/* SplitMix64: small, and good enough for people who do not exist. */
#include "demo_random.h"

#include <math.h>

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct demo_random
demo_random_of(uint64_t seed, uint64_t subject)
{
	return (struct demo_random){ mix(seed + UINT64_C(0x9e3779b97f4a7c15))
				     ^ mix(subject * UINT64_C(0xd1342543de82ef95) + 1) };
}

uint64_t
demo_random_next(struct demo_random *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	return mix(r->state);
}

double
demo_random_real(struct demo_random *r)
{
	return (double)(demo_random_next(r) >> 11) * 0x1p-53;
}

uint32_t
demo_random_below(struct demo_random *r, uint32_t below)
{
	return (uint32_t)(demo_random_real(r) * below);
}

bool
demo_random_chance(struct demo_random *r, double share)
{
	return demo_random_real(r) < share;
}

double
demo_random_wait(struct demo_random *r, double mean)
{
	return -mean * log1p(-demo_random_real(r));
}

size_t
demo_random_pick(struct demo_random *r, const double *weights, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	double at = demo_random_real(r) * sum;
	for (size_t i = 0; i + 1 < count; i++) {
		if (at < weights[i])
			return i;
		at -= weights[i];
	}
	return count - 1;
}
