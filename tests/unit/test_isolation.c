/* Batches halve until the record at fault is alone, and nobody good is ever blamed. */
#include <stdint.h>

#include "base.h"
#include "check.h"
#include "isolation.h"

enum { MOST = 500, RECORDS = 1000 };

/* Reads RECORDS records of which some are bad, the way a consumer does; what was found is written
 * to bad[], the batches tried are counted. */
static size_t
run(const bool bad[RECORDS], bool ret_found[RECORDS])
{
	struct isolation i = { 0 };
	size_t at = 0, tries = 0;

	for (size_t n = 0; n < RECORDS; n++)
		ret_found[n] = false;
	while (at < RECORDS && tries < 100 * RECORDS) {
		tries++;
		if (i.found) {
			ret_found[at++] = true;
			isolation_passed(&i, 1);
			continue;
		}
		size_t size = isolation_size(&i, RECORDS - at < MOST ? RECORDS - at : MOST);
		bool fails = false;
		for (size_t n = at; n < at + size; n++)
			fails = fails || bad[n];
		if (fails) {
			isolation_failed(&i, size);
		} else {
			isolation_passed(&i, size);
			at += size;
		}
	}
	return tries;
}

TEST(test_one_at_every_place)
{
	for (size_t place = 0; place < RECORDS; place++) {
		bool bad[RECORDS] = { false }, found[RECORDS];

		bad[place] = true;
		size_t tries = run(bad, found);
		CHECK_MEM("the bad one and no other", found, sizeof(found), bad, sizeof(bad));
		/* Nine halvings, as many halves that pass, the rest. */
		CHECK_TRUE("by halves", tries <= 24);
	}
}

TEST(test_patterns)
{
	static const struct {
		const char *name;
		size_t from, every;
	} patterns[] = {
		{ "none", RECORDS, 1 },
		{ "all", 0, 1 },
		{ "every other", 0, 2 },
		{ "side by side with a good one between", 1, 3 },
		{ "far apart", 7, 333 },
		{ "the last", RECORDS - 1, 1 },
	};

	for (size_t p = 0; p < ARRAY_LEN(patterns); p++) {
		bool bad[RECORDS] = { false }, found[RECORDS];

		for (size_t n = patterns[p].from; n < RECORDS; n += patterns[p].every)
			bad[n] = true;
		(void)run(bad, found);
		CHECK_MEM(patterns[p].name, found, sizeof(found), bad, sizeof(bad));
	}
}

TEST(test_a_good_batch_takes_all_there_is)
{
	struct isolation i = { 0 };

	CHECK_U64("nothing suspected", isolation_size(&i, MOST), MOST);
	CHECK_U64("nothing there", isolation_size(&i, 0), 0);
	isolation_failed(&i, 8);
	CHECK_U64("half", isolation_size(&i, MOST), 4);
	CHECK_U64("fewer are there", isolation_size(&i, 3), 3);
	isolation_passed(&i, 4);
	CHECK_U64("half of the rest", isolation_size(&i, MOST), 2);
	isolation_passed(&i, 4);
	CHECK_U64("all passed after all", isolation_size(&i, MOST), MOST);
	isolation_failed(&i, 1);
	CHECK_TRUE("alone", i.found);
	isolation_passed(&i, 1);
	CHECK_FALSE("and past it", i.found);
}
