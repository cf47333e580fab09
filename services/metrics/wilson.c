/* Reckons the Wilson score interval. */
#include "wilson.h"

#include <math.h>

static const double z = 1.959963984540054; /* leaves 2.5 % on either side of a normal law */

bool
wilson_interval(int64_t part, int64_t whole, struct wilson *ret_interval)
{
	if (whole <= 0 || part < 0 || part > whole)
		return false;
	double n = (double)whole, p = (double)part / n;
	double centre = p + z * z / (2 * n);
	double reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	double scale = 1 + z * z / n;

	/* At the ends one of the two bounds is the end itself, not nearly so. */
	*ret_interval = (struct wilson){ .share = p,
		.low = part == 0 ? 0 : (centre - reach) / scale,
		.high = part == whole ? 1 : (centre + reach) / scale };
	return true;
}
