/* Which records' times are believed. */
#include "month_clock.h"

#include "istanbul.h"
#include "month.h"

/* 2020-01-01 in Istanbul: no log is older, whatever the clock that began it said. */
#define OLDEST_US INT64_C(1577826000000000)
#define SURE_US (MONTH_SURE_MIN * US_PER_MIN)

static bool
is_far(const struct month_state *state, int64_t committed_us)
{
	int32_t day = istanbul_day(committed_us);

	if (day > state->day + MONTH_AHEAD_DAYS)
		return true;
	return day < state->day - MONTH_BEHIND_DAYS && state->leapt_from_us != 0
	       && committed_us >= state->leapt_from_us - (int64_t)MONTH_BEHIND_DAYS * US_PER_DAY;
}

/* Do both come from the same far time? */
static bool
goes_on(const struct month_state *state, int64_t committed_us)
{
	int64_t since_us = committed_us - state->doubted_us;

	return state->doubted_us != 0 && since_us >= -(int64_t)MONTH_BEHIND_DAYS * US_PER_DAY
	       && since_us <= (int64_t)MONTH_AHEAD_DAYS * US_PER_DAY;
}

bool
month_clock_turns(const struct month_state *state, int64_t committed_us)
{
	if (state->day == 0)
		return false;
	if (is_far(state, committed_us))
		return goes_on(state, committed_us) && committed_us - state->doubted_us >= SURE_US;
	return istanbul_day(committed_us) > state->day;
}

bool
month_clock_turn(struct month_state *state, int64_t committed_us)
{
	int32_t day = istanbul_day(committed_us);
	bool back = day < state->day;

	if (back) {
		state->at_us = committed_us;
		state->leapt_from_us = 0;
	} else if (day > state->day + MONTH_BEHIND_DAYS) {
		if (state->leapt_from_us == 0)
			state->leapt_from_us = state->at_us;
		state->leapt_day = day;
	} else if (day > state->leapt_day + MONTH_AHEAD_DAYS) {
		state->leapt_from_us = 0;
	}
	state->day = day;
	state->doubted_us = 0;
	return back;
}

void
month_clock_pass(struct month_state *state, uint64_t seq, int64_t committed_us)
{
	state->seq = seq;
	if (state->day == 0) {
		state->at_us = committed_us;
		state->day = state->leapt_day = istanbul_day(committed_us);
		state->leapt_from_us = OLDEST_US;
		state->calendar.first = month_of(committed_us);
		state->calendar.rolled = month_add(state->calendar.first, -1);
		state->published = state->ladder_published = state->calendar.rolled;
		return;
	}
	if (is_far(state, committed_us)) {
		if (!goes_on(state, committed_us))
			state->doubted_us = committed_us;
		return;
	}
	state->doubted_us = 0;
	if (committed_us > state->at_us)
		state->at_us = committed_us;
}
