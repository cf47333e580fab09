/* Adds up working time: walks local days, and each day's open minutes, in order of time. */
#include "calendar.h"

#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "istanbul.h"

enum {
	DAYS_AHEAD_MAX = 36600, /* how far calendar_deadline() looks for working time */
	US_PER_MS = 1000,
	/* A day's intervals, cut by that many closures, and twice over when the clock goes back. */
	CLOSURES_MAX = 8,
	PIECES_MAX = 2 * (CALENDAR_INTERVALS_MAX + CLOSURES_MAX)
};

/* One stretch of working time in UTC. */
struct piece {
	int64_t from_us;
	int64_t to_us;
};

static const char *const basis_names[LEGAL_BASES] = {
	[LEGAL_NONE] = "none",
	[LEGAL_PETITION_3071] = "3071",
	[LEGAL_INFORMATION_4982] = "4982",
	[LEGAL_KVKK_13] = "kvkk",
};

/* --- a calendar's contents ----------------------------------------------------------- */

/* The first holiday on or after that day. */
static size_t
holiday_from(const struct calendar *cal, int32_t day)
{
	size_t low = 0, high = cal->holiday_count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (cal->holidays[mid].day < day)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
week_sound(const struct calendar *cal, const char **ret_why)
{
	for (size_t d = 0; d < 7; d++) {
		const struct calendar_day *day = &cal->week[d];
		int before = -1;
		if (day->count > CALENDAR_INTERVALS_MAX) {
			*ret_why = "too many intervals in a day";
			return false;
		}
		for (size_t i = 0; i < day->count; i++) {
			if (day->open[i].from_min < 0 || day->open[i].to_min > MINUTES_A_DAY
			    || day->open[i].from_min >= day->open[i].to_min) {
				*ret_why = "an interval must end after it begins, within the day";
				return false;
			}
			if (day->open[i].from_min <= before) {
				*ret_why = "intervals of a day overlap or touch";
				return false;
			}
			before = day->open[i].to_min;
		}
	}
	return true;
}

static bool
holidays_sound(const struct calendar *cal, const char **ret_why)
{
	size_t same_day = 0;

	for (size_t i = 0; i < cal->holiday_count; i++) {
		const struct calendar_holiday *h = &cal->holidays[i];
		if (h->closed.from_min < 0 || h->closed.to_min > MINUTES_A_DAY
		    || h->closed.from_min >= h->closed.to_min) {
			*ret_why = "a closure must end after it begins, within the day";
			return false;
		}
		if (i > 0
		    && (h->day < h[-1].day
			|| (h->day == h[-1].day && h->closed.from_min < h[-1].closed.from_min))) {
			*ret_why = "holidays are not in order";
			return false;
		}
		same_day = i > 0 && h->day == h[-1].day ? same_day + 1 : 1;
		if (same_day > CLOSURES_MAX) {
			*ret_why = "too many closures of one day";
			return false;
		}
	}
	return true;
}

static void
add_number(struct digest_sha256 *d, int32_t number)
{
	/* Byte by byte: the version must not depend on the machine. */
	const unsigned char bytes[] = { (unsigned char)(number >> 24),
		(unsigned char)(number >> 16), (unsigned char)(number >> 8),
		(unsigned char)number };

	digest_sha256_add(d, bytes, sizeof(bytes));
}

static void
set_version(struct calendar *cal)
{
	struct digest_sha256 state;
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];

	digest_sha256_init(&state);
	digest_sha256_add_part(&state, cal->name, strlen(cal->name));
	for (size_t d = 0; d < 7; d++) {
		add_number(&state, cal->week[d].count);
		for (size_t i = 0; i < cal->week[d].count; i++) {
			add_number(&state, cal->week[d].open[i].from_min);
			add_number(&state, cal->week[d].open[i].to_min);
		}
	}
	for (size_t i = 0; i < cal->holiday_count; i++) {
		add_number(&state, cal->holidays[i].day);
		add_number(&state, cal->holidays[i].closed.from_min);
		add_number(&state, cal->holidays[i].closed.to_min);
	}
	add_number(&state, cal->first_year);
	add_number(&state, cal->last_year);
	digest_sha256_finish(&state, &digest);
	digest_format(&digest, hex);
	memcpy(cal->version, hex, 12);
	cal->version[12] = '\0';
}

bool
calendar_seal(struct calendar *cal, const char **ret_why)
{
	if (!week_sound(cal, ret_why) || !holidays_sound(cal, ret_why))
		return false;
	cal->always_open = cal->holiday_count == 0;
	for (size_t d = 0; d < 7; d++) {
		cal->always_open = cal->always_open && cal->week[d].count == 1
				   && cal->week[d].open[0].from_min == 0
				   && cal->week[d].open[0].to_min == MINUTES_A_DAY;
	}
	set_version(cal);
	return true;
}

/* --- one day ------------------------------------------------------------------------- */

/* The day's open intervals without what holidays close; at most INTERVALS + CLOSURES of them. */
static size_t
open_intervals(const struct calendar *cal, int32_t day, struct calendar_interval *out)
{
	const struct calendar_day *week_day = &cal->week[civil_weekday(day)];
	size_t count = 0;

	for (size_t i = 0; i < week_day->count; i++) {
		int from = week_day->open[i].from_min, to = week_day->open[i].to_min;
		for (size_t h = holiday_from(cal, day);
		     h < cal->holiday_count && cal->holidays[h].day == day && from < to; h++) {
			const struct calendar_interval *closed = &cal->holidays[h].closed;
			if (closed->to_min <= from || closed->from_min >= to)
				continue;
			if (closed->from_min > from)
				out[count++] = (struct calendar_interval){ (int16_t)from,
					closed->from_min };
			from = closed->to_min;
		}
		if (from < to)
			out[count++] = (struct calendar_interval){ (int16_t)from, (int16_t)to };
	}
	return count;
}

/*
 * The day's working time as moments.  For each stretch of constant offset that touches the day, the
 * intervals as clocks show them then, cut to that stretch: an hour shown twice counts twice, an
 * hour never shown does not count.
 */
static size_t
day_pieces(const struct calendar *cal, int32_t day, struct piece *out)
{
	struct calendar_interval open[CALENDAR_INTERVALS_MAX + CLOSURES_MAX];
	size_t open_count = open_intervals(cal, day, open), count = 0;
	int64_t midnight_us = istanbul_day_start_us(day), end_us = istanbul_day_start_us(day + 1);

	if (open_count == 0)
		return 0;
	for (int64_t at_us = midnight_us; at_us < end_us;) {
		struct istanbul_span span = istanbul_span_at(at_us);
		int64_t base_us = day * US_PER_DAY - span.offset_s * US_PER_S;
		for (size_t i = 0; i < open_count && count < PIECES_MAX; i++) {
			int64_t from_us = base_us + open[i].from_min * US_PER_MIN;
			int64_t to_us = base_us + open[i].to_min * US_PER_MIN;
			if (from_us < span.from_us)
				from_us = span.from_us;
			if (to_us > span.to_us)
				to_us = span.to_us;
			if (from_us < to_us)
				out[count++] = (struct piece){ from_us, to_us };
		}
		at_us = span.to_us;
	}
	return count;
}

/* --- spans --------------------------------------------------------------------------- */

static bool
outside_table(const struct calendar *cal, int64_t from_us, int64_t to_us)
{
	int year, month, day;

	if (cal->always_open)
		return false;
	civil_split(istanbul_day(from_us), &year, &month, &day);
	if (year < cal->first_year)
		return true;
	/* A span that ends at midnight of New Year is still within the old year. */
	civil_split(istanbul_day(to_us > from_us ? to_us - 1 : to_us), &year, &month, &day);
	return year > cal->last_year;
}

static int64_t
elapsed_us(const struct calendar *cal, int64_t from_us, int64_t to_us)
{
	struct piece pieces[PIECES_MAX];
	int64_t total_us = 0;

	if (cal->always_open)
		return to_us - from_us;
	for (int32_t day = istanbul_day(from_us), last = istanbul_day(to_us); day <= last; day++) {
		size_t count = day_pieces(cal, day, pieces);
		for (size_t i = 0; i < count; i++) {
			int64_t a = pieces[i].from_us > from_us ? pieces[i].from_us : from_us;
			int64_t b = pieces[i].to_us < to_us ? pieces[i].to_us : to_us;
			if (a < b)
				total_us += b - a;
		}
	}
	return total_us;
}

int64_t
calendar_elapsed_ms(const struct calendar *cal, int64_t from_us, int64_t to_us, bool *ret_unsure)
{
	if (to_us <= from_us) {
		if (ret_unsure != NULL)
			*ret_unsure = false;
		return 0;
	}
	if (ret_unsure != NULL)
		*ret_unsure = outside_table(cal, from_us, to_us);
	return elapsed_us(cal, from_us, to_us) / US_PER_MS;
}

/* Finds where left_us of working time after start_us end. */
static bool
walk_ahead(const struct calendar *cal, int64_t start_us, int64_t left_us, int64_t *ret_us)
{
	struct piece pieces[PIECES_MAX];
	int32_t first = istanbul_day(start_us);

	for (int32_t day = first; day <= first + DAYS_AHEAD_MAX; day++) {
		size_t count = day_pieces(cal, day, pieces);
		for (size_t i = 0; i < count; i++) {
			int64_t from_us = pieces[i].from_us > start_us ? pieces[i].from_us
								       : start_us;
			int64_t have_us = pieces[i].to_us - from_us;
			if (have_us >= left_us) {
				*ret_us = from_us + left_us;
				return true;
			}
			if (have_us > 0)
				left_us -= have_us;
		}
	}
	return false;
}

bool
calendar_deadline(const struct calendar *cal, int64_t start_us, int64_t working_ms, int64_t *ret_us,
    bool *ret_unsure)
{
	int64_t deadline_us = start_us;

	if (working_ms < 0 || working_ms > DAYS_AHEAD_MAX * (US_PER_DAY / US_PER_MS))
		return false;
	if (cal->always_open)
		deadline_us += working_ms * US_PER_MS;
	else if (working_ms > 0 && !walk_ahead(cal, start_us, working_ms * US_PER_MS, &deadline_us))
		return false;
	if (ret_unsure != NULL)
		*ret_unsure = outside_table(cal, start_us, deadline_us);
	*ret_us = deadline_us;
	return true;
}

bool
calendar_is_open(const struct calendar *cal, int64_t at_us)
{
	return elapsed_us(cal, at_us, at_us + 1) > 0;
}

/* --- the legal clock ----------------------------------------------------------------- */

const char *
legal_basis_name(enum legal_basis basis)
{
	return (size_t)basis < ARRAY_LEN(basis_names) ? basis_names[basis] : "";
}

bool
legal_basis_parse(const char *text, enum legal_basis *ret_basis)
{
	for (size_t i = 0; i < ARRAY_LEN(basis_names); i++) {
		if (strcmp(text, basis_names[i]) == 0) {
			*ret_basis = (enum legal_basis)i;
			return true;
		}
	}
	return false;
}

/* Open at any minute: a half holiday still is a working day. */
static bool
is_working_day(const struct calendar *office, int32_t day)
{
	struct calendar_interval open[CALENDAR_INTERVALS_MAX + CLOSURES_MAX];

	return open_intervals(office, day, open) > 0;
}

bool
legal_deadline(enum legal_basis basis, bool extended, int64_t arrival_us,
    const struct calendar *office, int64_t *ret_us, bool *ret_unsure)
{
	enum { PETITION_DAYS = 30, INFORMATION_DAYS = 15, EXTENDED_DAYS = 30 };
	int32_t arrival_day = istanbul_day(arrival_us), last_day = arrival_day;

	if (basis == LEGAL_PETITION_3071 || basis == LEGAL_KVKK_13) {
		*ret_us = istanbul_day_start_us(arrival_day + PETITION_DAYS + 1);
		if (ret_unsure != NULL)
			*ret_unsure = false;
		return true;
	}
	if (basis != LEGAL_INFORMATION_4982)
		return false;
	for (int left = extended ? EXTENDED_DAYS : INFORMATION_DAYS; left > 0;) {
		last_day++;
		if (last_day > arrival_day + DAYS_AHEAD_MAX)
			return false;
		left -= is_working_day(office, last_day);
	}
	int64_t end_us = istanbul_day_start_us(last_day + 1);
	if (ret_unsure != NULL)
		*ret_unsure = outside_table(office, arrival_us, end_us);
	*ret_us = end_us;
	return true;
}
