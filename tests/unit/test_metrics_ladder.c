/* What must hold of the ladder, and that every step has its words in both languages. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "ladder.h"
#include "satisfaction_page.h"

static const struct ladder good = { .month = 202603,
	.steps = { 100, 80, 78, 70, 40, 36 },
	.rests = { 5, 3, 10, 1, 0, 1 },
	.not_solved = 4 };

TEST(test_ladder_holds)
{
	struct ladder l = good;

	CHECK(ladder_holds(&l));
	for (int i = 1; i < LADDER_STEPS; i++) {
		l = good;
		l.steps[i] = l.steps[i - 1] + 1;
		CHECK_FALSE(ladder_step_name((enum ladder_step)i), ladder_holds(&l));
	}
	for (int i = 0; i < LADDER_RESTS; i++) {
		l = good;
		l.rests[i]++;
		CHECK_FALSE(ladder_rest_name((enum ladder_rest)i), ladder_holds(&l));
	}
	l = good;
	l.not_solved = 5;
	CHECK_FALSE("satisfied and not solved at once", ladder_holds(&l));
}

TEST(test_ladder_is_made_of_figures)
{
	struct ladder l = { .month = 202603 };
	char name[64];

	for (int i = 0; i < LADDER_STEPS; i++) {
		(void)snprintf(
		    name, sizeof(name), "ladder.%s", ladder_step_name((enum ladder_step)i));
		CHECK_TRUE(name, ladder_set(&l, name, good.steps[i]));
	}
	for (int i = 0; i < LADDER_RESTS; i++) {
		(void)snprintf(
		    name, sizeof(name), "ladder.rest.%s", ladder_rest_name((enum ladder_rest)i));
		CHECK_TRUE(name, ladder_set(&l, name, good.rests[i]));
	}
	CHECK_TRUE("not solved", ladder_set(&l, "ladder.not_solved", good.not_solved));
	CHECK_MEM("as it was", &l, sizeof(l), &good, sizeof(good));
	CHECK_FALSE("another", ladder_set(&l, "ladder.odd", 1));
	CHECK_FALSE("nothing", ladder_set(&l, "", 1));
	CHECK_FALSE("no rest of a ladder", ladder_set(&l, "ladder.rest.odd", 1));
}

TEST(test_ladder_says_what_it_counts)
{
	for (int i = 0; i < LADDER_STEPS; i++)
		for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
			enum ladder_step step = (enum ladder_step)i;
			enum catalogue_language language = (enum catalogue_language)l;
			CHECK(ladder_step_title(step, language)[0] != '\0');
			CHECK(strlen(ladder_step_definition(step, language)) > 40);
		}
	for (int i = 0; i < LADDER_RESTS; i++)
		CHECK(ladder_rest_title((enum ladder_rest)i, CATALOGUE_TR)[0] != '\0');
}

TEST(test_satisfaction_as_json)
{
	const struct ladder nobody = { .month = 202602, .steps = { 1 }, .rests = { 0, 0, 1 } };
	const struct ladder months[] = { good, nobody };
	json_t *json = satisfaction_json(months, ARRAY_LEN(months), 1772528400000000);

	if (!CHECK(json != NULL))
		return;
	json_t *first = json_array_get(json_object_get(json, "months"), 0);
	json_t *share = json_object_get(first, "satisfaction");
	CHECK_STR("month", json_string_value(json_object_get(first, "month")), "2026-03");
	CHECK_I64("answered", json_integer_value(json_object_get(first, "answered")), 40);
	CHECK_I64("why not",
	    json_integer_value(
		json_object_get(json_object_get(first, "not_eligible"), "no_address")),
	    10);
	double low = json_real_value(json_object_get(share, "low"));
	double high = json_real_value(json_object_get(share, "high"));
	CHECK_TRUE("36 of 40", low > 0.7694 && low < 0.7696 && high > 0.9604 && high < 0.9606);
	json_t *second = json_array_get(json_object_get(json, "months"), 1);
	CHECK_TRUE("of no answers nothing is known, which is neither 0 nor 100 %",
	    json_is_null(json_object_get(second, "satisfaction")));
	CHECK(json_object_size(json_object_get(json_object_get(json, "definitions"), "tr")) == 7);
	json_decref(json);
}
