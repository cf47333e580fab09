/* Reads calendars and holidays, and gives each calendar the holidays that close it. */
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"
#include "istanbul.h"

enum {
	/* Law 2429 alone gives seven closures on fixed dates: a year with fewer is incomplete. */
	CLOSURES_A_YEAR_MIN = 7,
	FIRST_YEAR = 1970,
	YEARS = 1030
};

static const char *const weekdays[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* A row of calendars.csv, kept until the calendar's holidays are known. */
struct hours {
	struct calendar cal; /* its name is the first member: compare by it */
	int line;
};

static int
weekday_named(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(weekdays); i++) {
		if (strlen(weekdays[i]) == len && strncmp(weekdays[i], text, len) == 0)
			return (int)i;
	}
	return -1;
}

/* "mon", "mon-fri" or "*". */
static bool
weekdays_parse(const char *text, int *ret_first, int *ret_last)
{
	const char *dash = strchr(text, '-');

	if (strcmp(text, "*") == 0) {
		*ret_first = 0;
		*ret_last = 6;
		return true;
	}
	*ret_first = weekday_named(text, dash == NULL ? strlen(text) : (size_t)(dash - text));
	*ret_last = dash == NULL ? *ret_first : weekday_named(dash + 1, strlen(dash + 1));
	return *ret_first != -1 && *ret_last >= *ret_first;
}

/* Puts the interval in its place among those of the day. */
static bool
add_interval(struct calendar_day *day, struct calendar_interval interval)
{
	size_t at = day->count;

	if (day->count == CALENDAR_INTERVALS_MAX)
		return false;
	while (at > 0 && day->open[at - 1].from_min > interval.from_min) {
		day->open[at] = day->open[at - 1];
		at--;
	}
	day->open[at] = interval;
	day->count++;
	return true;
}

static struct hours *
hours_named(struct parse *p, struct list *all, struct sheet *s, const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		struct hours *h = list_at(all, i);
		if (strcmp(h->cal.name, name) == 0)
			return h;
	}
	struct hours *h = list_add(p, all, s->file, sheet_line(s));
	if (h != NULL) {
		memcpy(h->cal.name, name, strlen(name) + 1);
		h->line = sheet_line(s);
	}
	return h;
}

static void
read_calendar_row(struct parse *p, struct list *all, struct sheet *s)
{
	enum { NAME, WEEKDAY, OPEN, CLOSE };
	const char *name = cell(s, NAME);
	int first = 0, last = -1, from = 0, to = 0;

	if (!code_valid(name) || strlen(name) >= CALENDAR_NAME_MAX)
		sheet_error(s, "name \"%.40s\" is not a code of at most %d letters", name,
		    CALENDAR_NAME_MAX - 1);
	if (!weekdays_parse(cell(s, WEEKDAY), &first, &last))
		sheet_error(s, "weekday \"%.20s\" is not mon ... sun, a range mon-fri, or *",
		    cell(s, WEEKDAY));
	if (!minute_parse(cell(s, OPEN), &from) || !minute_parse(cell(s, CLOSE), &to) || from >= to)
		sheet_error(s,
		    "%.10s to %.10s is not a time HH:MM to a later one (24:00 ends a day)",
		    cell(s, OPEN), cell(s, CLOSE));
	struct hours *h = s->bad ? NULL : hours_named(p, all, s, name);
	if (h == NULL)
		return;
	for (int day = first; day <= last; day++) {
		struct calendar_interval interval = { (int16_t)from, (int16_t)to };
		if (!add_interval(&h->cal.week[day], interval))
			/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): day is 0 to 6 */
			sheet_error(s, "more than %d intervals on %s", CALENDAR_INTERVALS_MAX,
			    weekdays[day]);
	}
}

static int
compare_hours(const void *a, const void *b)
{
	const struct hours *left = a, *right = b;

	return strcmp(left->cal.name, right->cal.name);
}

/* --- holidays ------------------------------------------------------------------------ */

static bool
scope_known(const struct list *all, const char *scope)
{
	char part[CALENDAR_NAME_MAX];

	if (strcmp(scope, "*") == 0)
		return true;
	while (next_part(&scope, ';', part, sizeof(part))) {
		bool known = false;
		for (size_t i = 0; i < all->count; i++) {
			const struct hours *h = list_at(all, i);
			known = known || strcmp(h->cal.name, part) == 0;
		}
		if (!known)
			return false;
	}
	return true;
}

static int
compare_holidays(const void *a, const void *b)
{
	const struct calendar_holiday *left = &((const struct catalogue_holiday *)a)->when;
	const struct calendar_holiday *right = &((const struct catalogue_holiday *)b)->when;

	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	return left->closed.from_min - right->closed.from_min;
}

static bool
same_closure(const struct list *holidays, const struct catalogue_holiday *h)
{
	for (size_t i = 0; i < holidays->count; i++) {
		const struct catalogue_holiday *other = list_at(holidays, i);
		if (compare_holidays(other, h) == 0 && strcmp(other->scope, h->scope) == 0)
			return true;
	}
	return false;
}

static void
read_holidays(struct parse *p, const struct list *all)
{
	enum { DATE, NAME_TR, NAME_EN, FROM, TO, CALENDARS };
	static const char *const columns[] = { "date", "name_tr", "name_en", "closed_from?",
		"closed_to?", "calendars" };
	struct list holidays;
	struct sheet s;

	list_init(&holidays, sizeof(struct catalogue_holiday));
	if (!sheet_open(&s, p, "holidays.csv", columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s)) {
		struct catalogue_holiday h = { .name = cell_both(&s, NAME_TR, 80, true),
			.scope = cell_required(&s, CALENDARS, 200) };
		int from = 0, to = MINUTES_A_DAY;
		if (!date_parse(cell(&s, DATE), &h.when.day))
			sheet_error(&s, "date \"%.20s\" is not a date YYYY-MM-DD", cell(&s, DATE));
		if ((cell(&s, FROM)[0] != '\0' && !minute_parse(cell(&s, FROM), &from))
		    || (cell(&s, TO)[0] != '\0' && !minute_parse(cell(&s, TO), &to)) || from >= to)
			sheet_error(&s, "closed %.10s to %.10s is not a time HH:MM to a later one",
			    cell(&s, FROM), cell(&s, TO));
		h.when.closed = (struct calendar_interval){ (int16_t)from, (int16_t)to };
		if (!s.bad && !scope_known(all, h.scope))
			sheet_error(
			    &s, "calendars \"%.60s\" is neither * nor known calendars", h.scope);
		if (!s.bad && same_closure(&holidays, &h))
			sheet_error(&s, "the same closure twice");
		struct catalogue_holiday *item =
		    s.bad ? NULL : list_add(p, &holidays, s.file, sheet_line(&s));
		if (item != NULL)
			*item = h;
	}
	p->cat->holidays = list_settle(p, &holidays, &p->cat->holiday_count, compare_holidays);
}

/* The years that the table covers without a gap, from the first complete one on. */
static void
find_coverage(struct parse *p, int *ret_first, int *ret_last)
{
	static const char file[] = "holidays.csv";
	short closures[YEARS] = { 0 };
	int first = 0, last = 0, year, month, day;

	for (size_t i = 0; i < p->cat->holiday_count; i++) {
		civil_split(p->cat->holidays[i].when.day, &year, &month, &day);
		closures[year - FIRST_YEAR]++;
	}
	for (int y = 0; y < YEARS; y++) {
		if (closures[y] >= CLOSURES_A_YEAR_MIN && first == 0)
			first = last = y + FIRST_YEAR;
		else if (closures[y] >= CLOSURES_A_YEAR_MIN && last == y + FIRST_YEAR - 1)
			last = y + FIRST_YEAR;
		else if (closures[y] > 0)
			parse_warning(p, file, 0,
			    "year %d has %d closures, or follows a gap: deadlines in it are marked "
			    "unsure",
			    y + FIRST_YEAR, closures[y]);
	}
	if (first == 0)
		parse_warning(p, file, 0, "no year is complete: every deadline is marked unsure");
	*ret_first = first;
	*ret_last = last;
}

static bool
in_scope(const char *scope, const struct calendar *cal, bool day_and_night)
{
	char part[CALENDAR_NAME_MAX];

	/* Who works day and night works on holidays too, unless one names it. */
	if (strcmp(scope, "*") == 0)
		return !day_and_night;
	while (next_part(&scope, ';', part, sizeof(part))) {
		if (strcmp(part, cal->name) == 0)
			return true;
	}
	return false;
}

static void
give_holidays(struct parse *p, struct calendar *cal)
{
	const struct catalogue *cat = p->cat;
	struct calendar_holiday *holidays = parse_take(
	    p, (cat->holiday_count + 1) * sizeof(*holidays));

	if (holidays == NULL)
		return;
	/* Sealed once without holidays: that tells who is open day and night. */
	for (size_t i = 0; i < cat->holiday_count; i++) {
		if (in_scope(cat->holidays[i].scope, cal, cal->always_open))
			holidays[cal->holiday_count++] = cat->holidays[i].when;
	}
	cal->holidays = holidays;
}

static void
settle_calendar(struct parse *p, struct hours *h, int first_year, int last_year)
{
	const char *why = "";

	h->cal.first_year = (int16_t)first_year;
	h->cal.last_year = (int16_t)last_year;
	if (!calendar_seal(&h->cal, &why)) {
		parse_error(p, "calendars.csv", h->line, "calendar %s: %s", h->cal.name, why);
		return;
	}
	give_holidays(p, &h->cal);
	if (!calendar_seal(&h->cal, &why))
		parse_error(p, "holidays.csv", 0, "calendar %s: %s", h->cal.name, why);
}

static void
find_office(struct parse *p)
{
	const char *name = p->cat->municipality.office_calendar;

	p->cat->office = catalogue_calendar(p->cat, name);
	if (name[0] == '\0')
		return; /* said already */
	if (p->cat->office == NULL)
		parse_error(p, "municipality.csv", p->office_calendar_line,
		    "office_calendar: unknown calendar \"%s\"", name);
	else if (p->cat->office->always_open)
		parse_error(p, "municipality.csv", p->office_calendar_line,
		    "office_calendar: \"%s\" is open day and night, and has no working days", name);
}

void
parse_calendars(struct parse *p)
{
	static const char *const columns[] = { "name", "weekday", "open", "close" };
	struct list all;
	struct sheet s;
	int first_year, last_year;

	list_init(&all, sizeof(struct hours));
	if (sheet_open(&s, p, "calendars.csv", columns, ARRAY_LEN(columns), false)) {
		while (sheet_next(&s))
			read_calendar_row(p, &all, &s);
		if (all.count == 0)
			parse_error(p, s.file, 0, "there is no calendar");
	}
	read_holidays(p, &all);
	find_coverage(p, &first_year, &last_year);

	struct calendar *calendars = parse_take(p, (all.count + 1) * sizeof(*calendars));
	if (all.count > 0)
		qsort(all.items, all.count, all.item_size, compare_hours);
	for (size_t i = 0; i < all.count && calendars != NULL; i++) {
		struct hours *h = list_at(&all, i);
		settle_calendar(p, h, first_year, last_year);
		calendars[i] = h->cal;
	}
	p->cat->calendars = calendars;
	p->cat->calendar_count = calendars == NULL ? 0 : all.count;
	free(all.items);
	find_office(p);
}
