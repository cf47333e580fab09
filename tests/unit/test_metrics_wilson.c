/* The interval of a share, against published figures and its own laws. */
#include <math.h>

#include "base.h"
#include "check.h"
#include "wilson.h"

/* The first four are Newcombe's (1998, "Two-sided confidence intervals for the single proportion",
 * Table I, method 3), to four digits; the others were reckoned with fractions of arbitrary size. */
static const struct {
	const char *name;
	int64_t part, whole;
	double low, high;
} golden[] = {
	{ "81 of 263", 81, 263, 0.2553, 0.3662 },
	{ "15 of 148", 15, 148, 0.0624, 0.1605 },
	{ "0 of 20", 0, 20, 0, 0.1611 },
	{ "1 of 29", 1, 29, 0.0061, 0.1718 },
	{ "nobody of one", 0, 1, 0, 0.7935 },
	{ "one of one", 1, 1, 0.2065, 1 },
	{ "ten of ten", 10, 10, 0.7225, 1 },
	{ "half", 50, 100, 0.4038, 0.5962 },
	{ "a good month", 4765, 5000, 0.9468, 0.9585 },
};

static bool
near(double a, double b, double by)
{
	return fabs(a - b) <= by;
}

TEST(test_wilson_golden)
{
	struct wilson w;

	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		if (!CHECK_TRUE(
			golden[i].name, wilson_interval(golden[i].part, golden[i].whole, &w)))
			continue;
		CHECK_TRUE(golden[i].name, near(w.low, golden[i].low, 0.00005));
		CHECK_TRUE(golden[i].name, near(w.high, golden[i].high, 0.00005));
		CHECK_TRUE(golden[i].name,
		    near(w.share, (double)golden[i].part / (double)golden[i].whole, 1e-12));
	}
}

TEST(test_wilson_of_nothing_is_nothing)
{
	struct wilson w;

	CHECK_FALSE("none asked", wilson_interval(0, 0, &w));
	CHECK_FALSE("more than all", wilson_interval(3, 2, &w));
	CHECK_FALSE("less than none", wilson_interval(-1, 2, &w));
	CHECK_FALSE("a whole below none", wilson_interval(0, -1, &w));
}

/* Turning yes and no around turns the interval around; it holds the share; more answers narrow it;
 * it stays within 0 and 1 however many there are. */
TEST(test_wilson_laws)
{
	struct wilson w, other;

	for (int64_t n = 1; n <= 60; n++)
		for (int64_t k = 0; k <= n; k++) {
			CHECK(wilson_interval(k, n, &w) && wilson_interval(n - k, n, &other));
			CHECK_TRUE("mirror", near(w.low, 1 - other.high, 1e-12));
			CHECK_TRUE("holds it", w.low <= w.share && w.share <= w.high);
			CHECK_TRUE("within", w.low >= 0 && w.high <= 1);
			CHECK(wilson_interval(k * 4, n * 4, &other));
			CHECK_TRUE("narrower", other.high - other.low < w.high - w.low);
		}
	CHECK(wilson_interval(INT64_MAX / 2, INT64_MAX, &w));
	CHECK_TRUE("a great many", near(w.low, w.high, 1e-6) && w.low >= 0 && w.high <= 1);
}
