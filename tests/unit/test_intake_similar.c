#include "base.h"
#include "check.h"
#include "similar.h"

static const struct similar_place here = { "fener", "1964 Sk. No 5", true, 36.8500, 30.7600 };

static const struct {
	const char *name;
	struct similar_place place;
	bool near, house;
	int metres;
} candidates[] = {
	{ "the same house", { "fener", "Fener Mh. 1964. sokak no:5", false, 0, 0 }, true, true,
	    -1 },
	{ "the same street", { "fener", "1964 sokak 17", false, 0, 0 }, true, false, -1 },
	{ "the street, neighbourhood unknown", { "", "1964 sokak", false, 0, 0 }, true, false, -1 },
	{ "a street of that name elsewhere", { "sinan", "1964 sokak no 5", false, 0, 0 }, false,
	    false, -1 },
	{ "another street", { "fener", "1965 sokak no 5", false, 0, 0 }, false, false, -1 },
	{ "no street, a step away", { "sinan", "park", true, 36.8501, 30.7600 }, true, false, 11 },
	{ "249 metres", { "sinan", NULL, true, 36.8500 + 249.5 / 111195, 30.7600 }, true, false,
	    249 },
	{ "251 metres", { "fener", NULL, true, 36.8500 + 251.0 / 111195, 30.7600 }, false, false,
	    -1 },
	{ "251 metres, but the street",
	    { "fener", "1964 Sokak", true, 36.8500 + 251.0 / 111195, 30.7600 }, true, false, -1 },
	{ "nothing known", { "fener", NULL, false, 0, 0 }, false, false, -1 },
};

TEST(test_what_is_near)
{
	struct similar_spot spot;

	similar_read(&here, &spot);
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		struct similar_list list = { 0 };
		similar_offer(&list, &spot, &candidates[i].place, i);
		CHECK_U64(candidates[i].name, list.count, candidates[i].near);
		if (list.count == 0)
			continue;
		CHECK_TRUE(candidates[i].name, list.at[0].same_house == candidates[i].house);
		CHECK_I64(candidates[i].name, list.at[0].metres, candidates[i].metres);
	}
}

TEST(test_the_nearest_come_first_and_no_more_than_fit)
{
	struct similar_list list = { 0 };
	struct similar_spot spot;

	similar_read(&here, &spot);
	for (size_t i = 0; i < 3 * SIMILAR_MAX; i++) {
		double far = (double)(240 - 10 * i) / 111195;
		const struct similar_place there = { "fener", NULL, true, 36.85 + far, 30.76 };
		similar_offer(&list, &spot, &there, i);
	}
	const struct similar_place house = { "fener", "1964 sokak no 5", false, 0, 0 };
	similar_offer(&list, &spot, &house, 999);
	CHECK_U64("as many as are shown", list.count, SIMILAR_MAX);
	CHECK_U64("the house first", list.at[0].row, 999);
	for (size_t i = 2; i < list.count; i++)
		CHECK_TRUE("nearer first", list.at[i - 1].metres <= list.at[i].metres);
	similar_offer(&list, &spot, &house, 1000);
	CHECK_U64("of two alike the newer, which came first", list.at[0].row, 999);
}

TEST(test_distances)
{
	CHECK_TRUE("none", similar_distance(36.85, 30.76, 36.85, 30.76) < 0.001);
	double degree = similar_distance(0, 0, 1, 0);
	CHECK_TRUE("a degree", degree > 111000 && degree < 111400);
	CHECK_TRUE("the other side", similar_distance(0, 0, 0, 180) > 20000000);
}
