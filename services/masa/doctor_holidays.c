/* Law 2429's days, held against a calendar. */
#include "doctor_holidays.h"

#include "istanbul.h"

enum { BEFORE_NOON_MIN = 10 * 60, AFTERNOON_MIN = 15 * 60, RAMADAN_DAYS = 3, SACRIFICE_DAYS = 4 };

static const struct {
	int month, day;
	const char *name;
	bool afternoon;
} fixed[] = {
	{ 1, 1, "New Year's Day", false },
	{ 4, 23, "National Sovereignty and Children's Day", false },
	{ 5, 1, "Labour and Solidarity Day", false },
	{ 5, 19, "Commemoration of Atatürk, Youth and Sports Day", false },
	{ 7, 15, "Democracy and National Unity Day", false },
	{ 8, 30, "Victory Day", false },
	{ 10, 28, "Republic Day's eve", true },
	{ 10, 29, "Republic Day", false },
};

static const struct {
	int year, month, day; /* the first */
} ramadan[] = { { 2024, 4, 10 }, { 2025, 3, 30 }, { 2026, 3, 20 }, { 2027, 3, 9 }, { 2028, 2, 26 },
	{ 2029, 2, 14 }, { 2030, 2, 4 }, { 2031, 1, 24 }, { 2032, 1, 14 }, { 2033, 1, 2 },
	{ 2033, 12, 23 } },
  sacrifice[] = { { 2024, 6, 16 }, { 2025, 6, 6 }, { 2026, 5, 27 }, { 2027, 5, 16 }, { 2028, 5, 5 },
	  { 2029, 4, 24 }, { 2030, 4, 13 }, { 2031, 4, 2 }, { 2032, 3, 22 }, { 2033, 3, 11 } };

struct look {
	const struct calendar *calendar;
	int32_t first_day, end_day;
	struct holiday_missing *missing;
	size_t max, count;
};

static bool
closed_at(const struct calendar *calendar, int32_t day, int minute)
{
	for (size_t i = 0; i < calendar->holiday_count; i++) {
		const struct calendar_holiday *h = &calendar->holidays[i];
		if (h->day == day && h->closed.from_min <= minute && minute < h->closed.to_min)
			return true;
	}
	return false;
}

static void
look_at_day(struct look *l, int32_t day, const char *name, bool afternoon)
{
	if (day < l->first_day || day >= l->end_day
	    || (closed_at(l->calendar, day, AFTERNOON_MIN)
		&& (afternoon || closed_at(l->calendar, day, BEFORE_NOON_MIN))))
		return;
	if (l->count < l->max)
		l->missing[l->count] = (struct holiday_missing){ day, name, afternoon };
	l->count++;
}

static void
look_at_feast(struct look *l, int32_t first, int days, const char *eve, const char *name)
{
	look_at_day(l, first - 1, eve, true);
	for (int i = 0; i < days; i++)
		look_at_day(l, first + i, name, false);
}

size_t
holidays_missing(const struct calendar *calendar, int32_t first_day, int32_t days,
    struct holiday_missing *ret, size_t max)
{
	struct look l = { calendar, first_day, first_day + days, ret, max, 0 };
	int year, last_year, month, day;

	civil_split(first_day, &year, &month, &day);
	civil_split(first_day + days, &last_year, &month, &day);
	for (; year <= last_year; year++)
		for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
			look_at_day(&l, civil_day(year, fixed[i].month, fixed[i].day),
			    fixed[i].name, fixed[i].afternoon);
	for (size_t i = 0; i < ARRAY_LEN(ramadan); i++)
		look_at_feast(&l, civil_day(ramadan[i].year, ramadan[i].month, ramadan[i].day),
		    RAMADAN_DAYS, "Ramadan Feast's eve", "Ramadan Feast");
	for (size_t i = 0; i < ARRAY_LEN(sacrifice); i++)
		look_at_feast(&l,
		    civil_day(sacrifice[i].year, sacrifice[i].month, sacrifice[i].day),
		    SACRIFICE_DAYS, "Feast of the Sacrifice's eve", "Feast of the Sacrifice");
	return l.count;
}

int
holidays_known_until(void)
{
	return sacrifice[ARRAY_LEN(sacrifice) - 1].year;
}
