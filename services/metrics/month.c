/* Months and what is printed of them: names of months, and the canonical form of a report. */
#include "month.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "istanbul.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 2999 };

bool
month_parse(const char *text, int32_t *ret_month)
{
	int digits[6], n = 0;

	if (strlen(text) != MONTH_TEXT_SIZE - 1 || text[4] != '-')
		return false;
	for (int i = 0; i < MONTH_TEXT_SIZE - 1; i++) {
		if (i == 4)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return false;
		digits[n++] = text[i] - '0';
	}
	int year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3];
	int month = digits[4] * 10 + digits[5];
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12)
		return false;
	*ret_month = year * 100 + month;
	return true;
}

void
month_format(int32_t month, char out[MONTH_TEXT_SIZE])
{
	int year = month / 100 % 10000, of_year = month % 100;

	/* Digit by digit: the compiler cannot know that they fit. */
	for (int i = 3; i >= 0; i--, year /= 10)
		out[i] = (char)('0' + year % 10);
	out[4] = '-';
	out[5] = (char)('0' + of_year / 10 % 10);
	out[6] = (char)('0' + of_year % 10);
	out[7] = '\0';
}

int64_t
month_moment_us(int64_t at_us)
{
	const int64_t last_us = INT64_C(32471971200000000); /* 2998-12-31 */

	return at_us < US_PER_DAY ? US_PER_DAY : at_us > last_us ? last_us : at_us;
}

int32_t
month_of(int64_t at_us)
{
	int year, month, day;

	civil_split(istanbul_day(at_us), &year, &month, &day);
	return year * 100 + month;
}

int32_t
month_add(int32_t month, int count)
{
	int32_t months = month / 100 * 12 + month % 100 - 1 + count;

	return months / 12 * 100 + months % 12 + 1;
}

static int32_t
first_day(int32_t month)
{
	return civil_day(month / 100, month % 100, 1);
}

int64_t
month_start_us(int32_t month)
{
	return istanbul_day_start_us(first_day(month));
}

int
month_days(int32_t month)
{
	return first_day(month_add(month, 1)) - first_day(month);
}

void
month_title(int32_t month, int language, char *out, size_t size)
{
	static const char *const names[12][CATALOGUE_LANGUAGES] = { { "Ocak", "January" },
		{ "Şubat", "February" }, { "Mart", "March" }, { "Nisan", "April" },
		{ "Mayıs", "May" }, { "Haziran", "June" }, { "Temmuz", "July" },
		{ "Ağustos", "August" }, { "Eylül", "September" }, { "Ekim", "October" },
		{ "Kasım", "November" }, { "Aralık", "December" } };
	int of_year = month % 100;

	(void)snprintf(out, size, "%s %d",
	    of_year >= 1 && of_year <= 12 ? names[of_year - 1][language] : "", (int)month / 100);
}

void
month_report_finish(struct month_report *report)
{
	figures_finish(&report->figures);
	figures_finish(&report->month_before);
	figures_finish(&report->year_before);
	for (size_t i = 0; i < report->revision_count; i++)
		free(report->revisions[i].changes);
	free(report->revisions);
	*report = (struct month_report){ 0 };
}

/* --- the canonical form ----------------------------------------------------------------------- */

static json_t *
figures_json(const struct figures *figures, bool known)
{
	if (!known)
		return json_null();
	json_t *all = json_object();
	for (size_t i = 0; all != NULL && i < figures->count; i++) {
		if (json_object_set_new(
			all, figures->at[i].name, json_integer(figures->at[i].value))
		    == 0)
			continue;
		json_decref(all);
		all = NULL;
	}
	return all;
}

static json_t *
revision_json(const struct month_revision *revision)
{
	json_t *changes = json_array();

	for (size_t i = 0; changes != NULL && i < revision->change_count; i++) {
		const struct month_change *c = &revision->changes[i];
		json_t *change = json_pack("{s:s, s:I, s:I}", "name", c->name, "was",
		    (json_int_t)c->was, "is", (json_int_t)c->is);
		if (change != NULL && json_array_append_new(changes, change) == 0)
			continue;
		json_decref(changes);
		changes = NULL;
	}
	return json_pack("{s:i, s:I, s:I, s:o}", "number", (int)revision->number, "seq",
	    (json_int_t)revision->seq, "at_us", (json_int_t)revision->at_us, "changes", changes);
}

static json_t *
revisions_json(const struct month_report *report)
{
	json_t *all = json_array();

	for (size_t i = 0; all != NULL && i < report->revision_count; i++) {
		json_t *revision = revision_json(&report->revisions[i]);
		if (revision != NULL && json_array_append_new(all, revision) == 0)
			continue;
		json_decref(all);
		all = NULL;
	}
	return all;
}

/* json_pack takes every value over, also when it fails. */
json_t *
month_report_json(const struct month_report *report)
{
	char month[MONTH_TEXT_SIZE];

	month_format(report->month, month);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:b, s:b, s:I, s:i, s:o, s:o, s:o, "
			 "s:o}",
	    "month", month, "log_id", report->log_id, "as_of_seq", (json_int_t)report->as_of_seq,
	    "as_of_us", (json_int_t)report->as_of_us, "head_seq", (json_int_t)report->head_seq,
	    "head_hash", report->head_hash, "config_version", (json_int_t)report->config_version,
	    "over", report->over, "ladder_final", report->ladder_final, "published_from_us",
	    (json_int_t)report->published_from_us, "revision", (int)report->revision_count,
	    "revisions", revisions_json(report), "figures", figures_json(&report->figures, true),
	    "month_before", figures_json(&report->month_before, report->has_month_before),
	    "year_before", figures_json(&report->year_before, report->has_year_before));
}

char *
month_report_text(const struct month_report *report)
{
	json_t *value = month_report_json(report);
	char *text = value == NULL ? NULL : json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT);

	json_decref(value);
	if (text == NULL)
		return NULL;
	size_t len = strlen(text);
	char *line = realloc(text, len + 2);
	if (line == NULL) {
		free(text);
		return NULL;
	}
	memcpy(line + len, "\n", 2);
	return line;
}
