/* What masa reads out of a service's /metrics. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "samples.h"

static struct samples *
read_text(const char *text)
{
	struct samples *s = samples_parse(text, strlen(text));

	CHECK(s != NULL);
	return s;
}

static const struct {
	const char *name;
	const char *text;
	size_t want;
} lines[] = {
	{ "nothing", "", 0 },
	{ "comments are none", "# HELP a b\n# TYPE a counter\n", 0 },
	{ "one", "a 1\n", 1 },
	{ "with labels", "a{b=\"c\",d=\"e\"} 1.5\n", 1 },
	{ "with a time", "a 1 1395066363000\n", 1 },
	{ "a brace in a value", "a{b=\"}\\\"{\"} 1\n", 1 },
	{ "a last line that may be cut", "a 1\nb 2", 1 },
	{ "no value", "a \nb\nc{d=\"e\"}\n", 0 },
	{ "a value that is none", "a x\nb 1x\n", 0 },
	{ "labels without an end", "a{b=\"c\n", 0 },
	{ "no name", "{a=\"b\"} 1\n 1\n", 0 },
	{ "the others are taken", "a x\nb 1\n\nc 2\n", 2 },
};

TEST(test_a_line_is_a_sample_or_passed_over)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct samples *s = read_text(lines[i].text);
		CHECK_U64(lines[i].name, samples_count(s), lines[i].want);
		samples_destroy(s);
	}
}

TEST(test_no_more_is_kept_than_is_said)
{
	size_t len = 0;
	char *text = malloc((SAMPLES_MAX + 10) * 4);

	CHECK(text != NULL);
	for (int i = 0; i < SAMPLES_MAX + 10; i++, len += 4)
		memcpy(text + len, "a 1\n", 4);
	struct samples *s = samples_parse(text, len);
	CHECK_U64("kept", samples_count(s), SAMPLES_MAX);
	samples_destroy(s);
	free(text);
}

TEST(test_a_nul_ends_nothing_but_its_line)
{
	static const char text[] = "a 1\nb\0 2\nc 3\n";
	double value = 0;
	struct samples *s = samples_parse(text, sizeof(text) - 1);

	CHECK_U64("lines", samples_count(s), 2);
	CHECK(samples_sum(s, "c", NULL, &value) && value > 2.5);
	samples_destroy(s);
}

TEST(test_sums_go_over_what_has_the_label)
{
	static const struct {
		const char *name, *label;
		bool there;
		double want;
	} sums[] = {
		{ "sent", NULL, true, 15 },
		{ "sent", "outcome=\"ok\"", true, 5 },
		{ "sent", "way=\"sms\"", true, 6 },
		{ "sent", "come=\"ok\"", false, 0 }, /* a label's name is whole */
		{ "sent", "outcome=\"o", true, 5 },
		{ "sen", NULL, false, 0 },
		{ "plain", NULL, true, 7 },
		{ "plain", "way=\"sms\"", false, 0 },
	};
	struct samples *s = read_text("sent{way=\"sms\",outcome=\"ok\"} 1\n"
				      "sent{way=\"sms\",outcome=\"no\"} 5\n"
				      "sent{way=\"email\",outcome=\"ok\"} 4\n"
				      "sent{way=\"email\",outcome=\"no\"} 5\n"
				      "plain 7\n");

	for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
		double got = 0;
		bool there = samples_sum(s, sums[i].name, sums[i].label, &got);
		CHECK_U64(sums[i].name, there, sums[i].there);
		CHECK_I64(sums[i].name, (int64_t)got, (int64_t)sums[i].want);
	}
	double got = 42;
	CHECK_FALSE("no samples", samples_sum(NULL, "plain", NULL, &got));
	CHECK_I64("as it was", (int64_t)got, 42);
	samples_destroy(s);
}

static const char before[] = "t_bucket{le=\"0.1\"} 100\n"
			     "t_bucket{le=\"1\"} 100\n"
			     "t_bucket{le=\"+Inf\"} 100\n";
static const char after[] = "t_bucket{le=\"0.1\"} 104\n"
			    "t_bucket{le=\"1\"} 109\n"
			    "t_bucket{le=\"+Inf\"} 110\n"
			    "t_sum 3\n"
			    "t_count 110\n"
			    "other_bucket{le=\"+Inf\"} 5000\n";

static const struct {
	const char *name;
	const char *earlier; /* NULL: none */
	const char *later;
	double quantile;
	bool known;
	double want;
	const char *label;
} quantiles[] = {
	{ "the median between two readings", before, after, 0.5, true, 1, NULL },
	{ "below a bound", before, after, 0.4, true, 0.1, NULL },
	{ "above all bounds", before, after, 0.95, true, INFINITY, NULL },
	{ "since the beginning the old ones weigh more", NULL, after, 0.5, true, 0.1, NULL },
	{ "nothing happened", before, before, 0.5, false, 0, NULL },
	{ "it began anew", after, before, 0.5, false, 0, NULL },
	{ "no histogram", NULL, "t 1\n", 0.5, false, 0, NULL },
	{ "without its last bucket", NULL, "t_bucket{le=\"1\"} 1\n", 0.5, false, 0, NULL },
	{ "over labels", NULL,
	    "t_bucket{a=\"x\",le=\"1\"} 1\nt_bucket{a=\"x\",le=\"+Inf\"} 1\n"
	    "t_bucket{a=\"y\",le=\"1\"} 0\nt_bucket{a=\"y\",le=\"+Inf\"} 3\n",
	    0.5, true, INFINITY, NULL },
	{ "over one label's", NULL,
	    "t_bucket{a=\"x\",le=\"1\"} 1\nt_bucket{a=\"x\",le=\"+Inf\"} 1\n"
	    "t_bucket{a=\"y\",le=\"1\"} 0\nt_bucket{a=\"y\",le=\"+Inf\"} 3\n",
	    0.5, true, 1, "a=\"x\"" },
};

TEST(test_a_quantile_is_of_what_happened_between_two_readings)
{
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
		struct samples *later = read_text(quantiles[i].later);
		struct samples *earlier = quantiles[i].earlier != NULL
					      ? read_text(quantiles[i].earlier)
					      : NULL;
		double got = 0, apart;
		bool known = samples_quantile(
		    later, earlier, "t", quantiles[i].label, quantiles[i].quantile, &got);
		CHECK_U64(quantiles[i].name, known, quantiles[i].known);
		apart = got - quantiles[i].want;
		CHECK_TRUE(quantiles[i].name, !known || (isinf(got) && isinf(quantiles[i].want))
						  || (apart < 1e-9 && apart > -1e-9));
		samples_destroy(later);
		samples_destroy(earlier);
	}
}
