/* Working time in any calendar that is one: elapsed(start, deadline(start, d)) = d. */
#include "calendar.h"
#include "fuzz.h"

enum { HOLIDAYS = 8 };
#define US_FROM INT64_C(1735689600000000) /* 2025 */

static struct calendar_interval
take_interval(struct input *in)
{
	int16_t from = (int16_t)(take_byte(in) * 6), to = (int16_t)(take_byte(in) * 6);
	return (struct calendar_interval){ from, to };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct calendar_holiday holidays[HOLIDAYS];
	struct calendar cal = {
		.name = "fuzz", .holidays = holidays, .first_year = 2025, .last_year = 2027
	};
	const char *why = NULL;
	bool unsure = false;
	int64_t due_us;

	for (size_t d = 0; d < 7; d++) {
		cal.week[d].count = take_byte(&in) % (CALENDAR_INTERVALS_MAX + 1);
		for (size_t i = 0; i < cal.week[d].count; i++)
			cal.week[d].open[i] = take_interval(&in);
	}
	cal.holiday_count = take_byte(&in) % (HOLIDAYS + 1);
	for (size_t i = 0; i < cal.holiday_count; i++)
		holidays[i] = (struct calendar_holiday){ 20089 + take_byte(&in),
			take_interval(&in) };
	if (!calendar_seal(&cal, &why)) {
		HOLDS(why != NULL);
		return 0;
	}
	int64_t start_us = US_FROM
			   + (int64_t)(take_number(&in) % (UINT64_C(2) * 366 * 86400 * 1000000));
	int64_t working_ms = (int64_t)(take_number(&in) % (UINT64_C(400) * 3600 * 1000));
	if (calendar_deadline(&cal, start_us, working_ms, &due_us, &unsure)) {
		HOLDS(due_us >= start_us);
		HOLDS(calendar_elapsed_ms(&cal, start_us, due_us, NULL) == working_ms);
	}
	for (int basis = 0; basis < LEGAL_BASES; basis++)
		(void)legal_deadline(
		    (enum legal_basis)basis, basis % 2, start_us, &cal, &due_us, NULL);
	return 0;
}
