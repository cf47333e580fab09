/* Wishes to end surveys that were said while the record was away: what is on disk, and in what
 * order. */
#include "survey_stops.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "state_file.h"
#include "turunc/v1/state.pb-c.h"

static struct survey_wish
wish(unsigned message, bool again, int64_t at_us)
{
	struct survey_wish made = { .again = again, .at_us = at_us };

	made.message.bytes[0] = (uint8_t)(message >> 8);
	made.message.bytes[15] = (uint8_t)message;
	return made;
}

static struct survey_stops *
opened(const char *path)
{
	char why[100] = "";
	struct survey_stops *s = survey_stops_open(path, why, sizeof(why));

	CHECK_STR(path, why, "");
	return s;
}

static bool
keep(struct survey_stops *s, unsigned message, bool again, int64_t at_us)
{
	const struct survey_wish made = wish(message, again, at_us);

	return survey_stops_keep(s, &made);
}

static bool
done(struct survey_stops *s, unsigned message, bool again, int64_t at_us)
{
	const struct survey_wish made = wish(message, again, at_us);

	return survey_stops_done(s, &made);
}

TEST(test_they_come_back_in_their_order)
{
	struct survey_stops *s = opened("stops");

	if (s == NULL)
		return;
	CHECK(survey_stops_first(s) == NULL && survey_stops_count(s) == 0);
	CHECK(keep(s, 1, false, 10) && keep(s, 2, true, 20) && keep(s, 3, false, 30));
	survey_stops_close(s);
	s = opened("stops"); /* as after a kill */
	if (s == NULL)
		return;
	for (unsigned i = 1; i <= 3; i++) {
		const struct survey_wish *first = survey_stops_first(s);
		const struct survey_wish want = wish(i, i == 2, 10 * (int64_t)i);
		if (!CHECK(first != NULL))
			break;
		CHECK_MEM("whose", first->message.bytes, sizeof(first->message.bytes),
		    want.message.bytes, sizeof(want.message.bytes));
		CHECK(first->again == want.again && first->at_us == want.at_us);
		CHECK(done(s, i, i == 2, 10 * (int64_t)i));
	}
	CHECK_U64("none is left", survey_stops_count(s), 0);
	survey_stops_close(s);
	s = opened("stops");
	CHECK(s != NULL && survey_stops_count(s) == 0);
	survey_stops_close(s);
}

TEST(test_the_last_of_a_message_counts)
{
	struct survey_stops *s = opened("stops");
	const struct survey_wish of_first = wish(1, false, 0);

	if (s == NULL)
		return;
	CHECK(survey_stops_find(s, &of_first.message) == NULL);
	CHECK(keep(s, 1, false, 10) && keep(s, 2, false, 20) && keep(s, 1, true, 30));
	CHECK_U64("one of each", survey_stops_count(s), 2);
	CHECK_I64("it went behind the other", survey_stops_first(s)->at_us, 20);
	CHECK_TRUE("what was said last", survey_stops_find(s, &of_first.message)->again);
	/* The record has the first of them, which was on its way when the other came. */
	CHECK(done(s, 1, false, 10));
	CHECK_U64("the other is still to be brought", survey_stops_count(s), 2);
	CHECK(done(s, 1, true, 30) && done(s, 2, false, 20));
	CHECK_U64("none is left", survey_stops_count(s), 0);
	survey_stops_close(s);
}

/* Written at once: keeping so many one after the other is as many syncs of the disk. */
static bool
write_many(const char *path, size_t count)
{
	static Turunc__V1__SurveyStop rows[SURVEY_STOPS_MAX + 1];
	static Turunc__V1__SurveyStop *pointers[SURVEY_STOPS_MAX + 1];
	static uint8_t messages[SURVEY_STOPS_MAX + 1][16], bytes[64 * (SURVEY_STOPS_MAX + 1)];
	Turunc__V1__SurveyStops all = TURUNC__V1__SURVEY_STOPS__INIT;

	for (size_t i = 0; i < count; i++) {
		turunc__v1__survey_stop__init(&rows[i]);
		memcpy(messages[i], wish((unsigned)i, false, 0).message.bytes, 16);
		rows[i].message = (ProtobufCBinaryData){ .len = 16, .data = messages[i] };
		rows[i].at_us = (int64_t)i;
		pointers[i] = &rows[i];
	}
	all.n_stops = count;
	all.stops = pointers;
	return state_file_write(path, bytes, turunc__v1__survey_stops__pack(&all, bytes))
	       == STATE_FILE_OK;
}

TEST(test_so_many_and_no_more)
{
	char why[100] = "";

	CHECK(write_many("stops", SURVEY_STOPS_MAX));
	struct survey_stops *s = opened("stops");
	if (s == NULL)
		return;
	CHECK_U64("so many", survey_stops_count(s), SURVEY_STOPS_MAX);
	CHECK_FALSE("one more", keep(s, SURVEY_STOPS_MAX, false, 1));
	CHECK_TRUE("another word of one that is there", keep(s, 5, true, 9000));
	CHECK_U64("so many", survey_stops_count(s), SURVEY_STOPS_MAX);
	CHECK(done(s, 0, false, 0) && keep(s, SURVEY_STOPS_MAX, false, 1));
	survey_stops_close(s);
	CHECK(write_many("more", SURVEY_STOPS_MAX + 1));
	CHECK(survey_stops_open("more", why, sizeof(why)) == NULL);
	CHECK_STR("nobody has written that", why, "damaged");
}

TEST(test_a_disk_that_takes_nothing_is_told)
{
	CHECK(mkdir("away", 0700) == 0);
	struct survey_stops *s = opened("away/stops");

	if (s == NULL)
		return;
	CHECK(keep(s, 1, false, 10));
	CHECK(rename("away", "elsewhere") == 0);
	CHECK_FALSE("kept", keep(s, 2, false, 20));
	CHECK_FALSE("taken off", done(s, 1, false, 10));
	CHECK_U64("it is as it was", survey_stops_count(s), 1);
	CHECK(rename("elsewhere", "away") == 0);
	CHECK(keep(s, 2, false, 20) && done(s, 1, false, 10));
	CHECK_U64("the other", survey_stops_count(s), 1);
	survey_stops_close(s);
}

TEST(test_what_is_damaged_is_not_believed)
{
	char why[100] = "";
	struct survey_stops *s = opened("stops");
	FILE *file;

	CHECK(s != NULL && keep(s, 1, false, 10));
	survey_stops_close(s);
	file = fopen("stops", "r+");
	if (!CHECK(file != NULL))
		return;
	CHECK(fseek(file, -1, SEEK_END) == 0 && fputc('x', file) == 'x' && fclose(file) == 0);
	CHECK(survey_stops_open("stops", why, sizeof(why)) == NULL);
	CHECK_STR("why", why, "damaged");
}
