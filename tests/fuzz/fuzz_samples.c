/* What masa reads out of /metrics: whatever the text, what was kept can be asked. */
#include <math.h>

#include "fuzz.h"
#include "samples.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t half = take_byte(&in) * in.left / 255;
	struct samples *earlier = samples_parse((const char *)in.at, half);
	struct samples *later = samples_parse((const char *)in.at + half, in.left - half);
	double value = 0;

	HOLDS(earlier != NULL && later != NULL);
	HOLDS(samples_count(later) <= in.left / 4);
	(void)samples_sum(later, "a", NULL, &value);
	double all = value, some = 0;
	/* A label only takes away; numbers of both signs may do otherwise. */
	if (samples_sum(later, "a", "b=\"c\"", &some))
		HOLDS(samples_sum(later, "a", NULL, &all));
	if (samples_quantile(later, earlier, "a", NULL, 0.95, &value))
		HOLDS(!isnan(value));
	samples_destroy(earlier);
	samples_destroy(later);
	return 0;
}
