/*
 * clock - what time it is.
 *
 * Wall time is UTC in microseconds since 1970, the machine's own or a simulated one that every
 * process of a demo system shares through a small file.  Monotonic time is always real: timeouts,
 * retries and keep-alives use it and never notice a simulation.
 *
 * The simulated time is simulated_base + (monotonic now - real base) * speed.  The file holds two
 * settings and a generation that says which one counts, so readers are always consistent and a
 * writer killed half-way leaves the clock as it was.  Within a process it never goes back.
 */
#ifndef TURUNC_CLOCK_H
#define TURUNC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

/* The latest time there is: 9999-12-31T23:59:59.999999Z. */
#define CLOCK_LATEST_US INT64_C(253402300799999999)
/* A simulated clock may run this many times faster than the real one. */
enum { CLOCK_SPEED_MAX = 1000000 };

int64_t clock_now_us(void);
/* The machine's own, also while clock_now_us() is simulated: for what concerns people who are
 * really there (sessions, locks). */
int64_t clock_real_us(void);
uint64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* Real milliseconds until the wall clock shows at_us, 0 when it has.  On a simulated clock at
 * most 100, for its speed may change under the sleeper: look again. */
int64_t clock_ms_until(int64_t at_us);

/* From now on this process reads the simulated clock in the file.  False, with errno, when the
 * file is missing, or (EINVAL) not a clock; the clock is then as before. */
MUST_CHECK bool clock_open(const char *path);
/* Back to the real clock. */
void clock_close(void);
bool clock_is_simulated(void);

/* True once for each time that somebody has set the simulated clock since *seen was written (0 at
 * first): what the new time makes due is looked for at once, whatever look was planned.  False on
 * the real clock, which nobody sets. */
bool clock_was_set(uint64_t *seen);

/* The speed is num/den, 0/1 stands still; den not 0, num/den at most CLOCK_SPEED_MAX. */
struct clock_speed {
	uint32_t num;
	uint32_t den;
};

/* Makes (or replaces) the file in one step.  False with errno; EINVAL for a time or speed out of
 * range.  Processes that had the old file open stay with the old one. */
MUST_CHECK bool clock_simulation_create(
    const char *path, int64_t start_us, struct clock_speed speed);

/* Changes the clock for everybody who has the file open.  to_us CLOCK_KEEP leaves the time and
 * changes the speed only.  Time does not go back: an earlier to_us is EINVAL. */
#define CLOCK_KEEP INT64_C(-1)
MUST_CHECK bool clock_simulation_set(const char *path, int64_t to_us, struct clock_speed speed);

#endif
