/* Draws every arrival of the month from the curves of its kind. */
#include "demo_plan.h"

#include <stdlib.h>
#include <string.h>

#include "demo_random.h"
#include "istanbul.h"

enum {
	DAY_MIN = 24 * 60,
	BEFORE_END_MIN = 30, /* a call of the last minutes would end in another month */
	FILE_MIN = 16 * 60 + 30, /* of a working day */
	FAST_LAST_DAY = 19, /* Ramazan 2026: 18 February to 19 March */
	FEAST_LAST_DAY = 22,
	IFTAR_FIRST_MIN = 18 * 60 + 50, /* on the first of March */
};

/* Calls answered: 21,219; of all recorded (14,402) the calls are 80.9 %, the desk 6.5 %, the web,
 * mail and CİMER 12.5 %.  Of the calls offered 97.4 % are answered. */
static const uint32_t volumes[DEMO_KINDS] = {
	[DEMO_CALL_RECORDED] = 11651,
	[DEMO_CALL_JOINED] = 350,
	[DEMO_CALL_INFORMATION] = 6800,
	[DEMO_CALL_TRANSFERRED] = 1900,
	[DEMO_CALL_NUISANCE] = 518,
	[DEMO_CALL_ABANDONED] = 566,
	[DEMO_DESK] = 936,
	[DEMO_WEB] = 745,
	[DEMO_OPEN311] = 300,
	[DEMO_EMAIL] = 410,
	[DEMO_CIMER] = 360,
};

static const double call_hours[24] = { 25, 16, 11, 8, 7, 8, 14, 30, 72, 110, 125, 122, 96, 108, 112,
	104, 98, 90, 78, 66, 58, 50, 42, 33 };
static const double call_weekdays[7] = { 1.22, 1.10, 1.06, 1.04, 1.05, 0.78, 0.64 };
static const double home_hours[24] = { 14, 8, 4, 3, 3, 4, 9, 20, 46, 62, 66, 60, 54, 52, 55, 56, 50,
	46, 44, 52, 66, 70, 58, 32 };

bool
demo_kind_is_call(enum demo_kind kind)
{
	return kind <= DEMO_CALL_ABANDONED;
}

bool
demo_kind_opens(enum demo_kind kind)
{
	return kind == DEMO_CALL_RECORDED || !demo_kind_is_call(kind);
}

uint32_t
demo_volume(enum demo_kind kind)
{
	return volumes[kind];
}

bool
demo_month_parse(const char *text, struct demo_month *ret_month)
{
	if (strcmp(text, "2026-03") != 0)
		return false;
	ret_month->year = 2026;
	ret_month->month = 3;
	ret_month->start_us = istanbul_day_start_us(civil_day(2026, 3, 1));
	ret_month->end_us = istanbul_day_start_us(civil_day(2026, 4, 1));
	return true;
}

/* Later by a minute a day. */
int
demo_iftar_min(const struct demo_month *month, int day)
{
	(void)month;
	return day > FAST_LAST_DAY ? -1 : IFTAR_FIRST_MIN + (day - 1) * 19 / (FAST_LAST_DAY - 1);
}

static bool
is_feast(int day)
{
	return day > FAST_LAST_DAY && day <= FEAST_LAST_DAY;
}

static double
fasting_weight(int minute, int iftar_min)
{
	int to_iftar = iftar_min - minute;

	if (to_iftar > 0 && to_iftar <= 20)
		return 0.35; /* at the table */
	if (to_iftar <= 0 && to_iftar > -35)
		return 0.15;
	if (to_iftar > 20 && to_iftar <= 100)
		return 1.55; /* everything before the evening */
	if (to_iftar <= -35 && to_iftar > -150)
		return 1.45;
	if (minute >= 3 * 60 && minute < 5 * 60)
		return 2.2; /* awake for the meal before dawn */
	return 1;
}

double
demo_call_weight(const struct demo_month *month, int64_t at_us)
{
	struct istanbul_time t = istanbul_split(at_us);
	int minute = t.hour * 60 + t.minute, next = (t.hour + 1) % 24;
	double part = t.minute / 60.0;
	double weight = (call_hours[t.hour] * (1 - part) + call_hours[next] * part)
			* call_weekdays[t.weekday];
	int iftar_min = demo_iftar_min(month, t.day);

	if (iftar_min >= 0)
		weight *= fasting_weight(minute, iftar_min);
	return is_feast(t.day) ? weight * 0.45 : weight;
}

static bool
is_office_day(int64_t at_us)
{
	struct istanbul_time t = istanbul_split(at_us);

	return t.weekday < 5 && !is_feast(t.day);
}

static double
weight_of(const struct demo_month *month, enum demo_kind kind, int64_t at_us)
{
	struct istanbul_time t = istanbul_split(at_us);
	int minute = t.hour * 60 + t.minute;

	if (demo_kind_is_call(kind))
		return demo_call_weight(month, at_us);
	if (kind == DEMO_DESK) /* the desk of the town hall */
		return is_office_day(at_us) && minute >= 8 * 60 + 30 && minute < 17 * 60 + 15
			   ? (minute >= 12 * 60 && minute < 13 * 60 ? 0.4 : 1)
			   : 0;
	return home_hours[t.hour] * (t.weekday < 5 ? 1 : 0.75) * (is_feast(t.day) ? 0.5 : 1);
}

/* When files of CİMER's applications come; without one there is none to be in. */
static bool
plan_files(struct demo_plan *plan)
{
	int days = (int)((plan->until_us - plan->month.start_us + US_PER_DAY - 1) / US_PER_DAY);

	plan->files_us = calloc((size_t)days + 1, sizeof(*plan->files_us));
	if (plan->files_us == NULL)
		return false;
	for (int i = 0; i < days; i++) {
		int64_t at_us = plan->month.start_us + i * US_PER_DAY + FILE_MIN * US_PER_MIN;
		if (is_office_day(at_us) && at_us < plan->until_us)
			plan->files_us[plan->file_count++] = at_us;
	}
	return true;
}

static void
draw_call(struct demo_arrival *a, struct demo_random *r)
{
	bool nuisance = a->kind == DEMO_CALL_NUISANCE;

	a->wait_ms = 1500 + (uint32_t)demo_random_wait(r, 14000);
	if (a->wait_ms > 240000)
		a->wait_ms = 240000;
	a->talk_ms = 20000 + (uint32_t)demo_random_wait(r, nuisance ? 15000 : 110000);
	if (a->talk_ms > 900000)
		a->talk_ms = 900000;
	if (a->kind == DEMO_CALL_ABANDONED)
		a->wait_ms += 20000;
}

/* So many of a kind, each in a minute that its curve chose; cumulative has a sum for each minute.
 */
static void
draw(struct demo_plan *plan, enum demo_kind kind, uint32_t count, const double *cumulative,
    int minutes, uint64_t seed)
{
	struct demo_random r = demo_random_of(seed, UINT64_C(0x706c616e00) + (uint64_t)kind);

	for (uint32_t n = 0; n < count; n++) {
		double at = demo_random_real(&r) * cumulative[minutes - 1];
		int low = 0, high = minutes - 1;
		while (low < high) {
			int middle = (low + high) / 2;
			if (cumulative[middle] > at)
				high = middle;
			else
				low = middle + 1;
		}
		struct demo_arrival *a = &plan->arrivals[plan->count++];
		a->kind = kind;
		a->at_us = plan->month.start_us + low * US_PER_MIN
			   + demo_random_below(&r, 60000) * INT64_C(1000);
		if (demo_kind_is_call(kind))
			draw_call(a, &r);
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct demo_arrival *one = a, *two = b;

	if (one->at_us != two->at_us)
		return one->at_us < two->at_us ? -1 : 1;
	if (one->kind != two->kind)
		return one->kind < two->kind ? -1 : 1;
	return one->talk_ms < two->talk_ms ? -1 : one->talk_ms > two->talk_ms;
}

static uint32_t
share_of(uint32_t volume, const struct demo_share *share, int days, int month_days)
{
	uint64_t part = (uint64_t)volume * (uint64_t)days / (uint64_t)month_days / share->one_of;

	return part == 0 ? 1 : (uint32_t)part;
}

bool
demo_plan_make(struct demo_plan *ret_plan, const struct demo_month *month,
    const struct demo_share *share, uint64_t seed)
{
	int month_days = (int)((month->end_us - month->start_us) / US_PER_DAY);
	int days = share->days == 0 || share->days > month_days ? month_days : share->days;
	int minutes = days * DAY_MIN - BEFORE_END_MIN;
	struct demo_plan plan = { .month = *month,
		.until_us = month->start_us + days * US_PER_DAY };
	double *cumulative = calloc((size_t)minutes, sizeof(*cumulative));
	size_t room = 0;

	for (int kind = 0; kind < DEMO_KINDS; kind++)
		room += volumes[kind];
	plan.arrivals = calloc(room, sizeof(*plan.arrivals));
	if (cumulative == NULL || plan.arrivals == NULL || !plan_files(&plan)) {
		free(cumulative);
		demo_plan_finish(&plan);
		return false;
	}
	for (int kind = 0; kind < DEMO_KINDS; kind++) {
		/* Who writes to CİMER after the last file is in no file of the month. */
		int until = minutes;
		if (kind == DEMO_CIMER && plan.file_count > 0)
			until = (int)((plan.files_us[plan.file_count - 1] - month->start_us)
				      / US_PER_MIN)
				- 1;
		double sum = 0;
		for (int i = 0; i < until; i++)
			cumulative[i] = sum += weight_of(
			    month, (enum demo_kind)kind, month->start_us + i * US_PER_MIN);
		bool none = sum == 0 || (kind == DEMO_CIMER && plan.file_count == 0);
		if (!none)
			draw(&plan, (enum demo_kind)kind,
			    share_of(volumes[kind], share, days, month_days), cumulative, until,
			    seed);
	}
	free(cumulative);
	qsort(plan.arrivals, plan.count, sizeof(*plan.arrivals), by_time);
	*ret_plan = plan;
	return true;
}

void
demo_plan_finish(struct demo_plan *plan)
{
	free(plan->arrivals);
	free(plan->files_us);
	memset(plan, 0, sizeof(*plan));
}
