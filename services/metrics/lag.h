/* lag - the greatest time from commit to projection of the last ten seconds. */
#ifndef METRICS_LAG_H
#define METRICS_LAG_H

#include <stdint.h>

enum { LAG_SLOTS = 10 }; /* seconds */

struct lag {
	int64_t us[LAG_SLOTS]; /* the greatest of each second, -1: none */
	uint64_t second;
};

void lag_init(struct lag *lag);
/* now_ms is monotonic. */
void lag_note(struct lag *lag, int64_t lag_us, uint64_t now_ms);
/* -1: none. */
int64_t lag_most_ms(const struct lag *lag, uint64_t now_ms);

#endif
