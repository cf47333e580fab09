/* What is written is Prometheus text format 0.0.4, to the letter. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "stats.h"

enum { TICKETS, QUEUE, OPEN, SEALED, UNSEALED, COMMIT, SIZES, NASTY, ROWS };

static const char *const doors[] = { "open311", "bus", NULL };
static const char *const nasty[] = { "a\"b\\c\nd", NULL };
static const int64_t small_bounds[] = { 10, 250, 0 };

static const struct stat_row table[] = {
	[TICKETS] = { .name = "turunc_test_tickets_total",
	    .type = STAT_COUNTER,
	    .help = "Tickets committed",
	    .label = "door",
	    .label_values = doors },
	[QUEUE] = { .name = "turunc_test_queue_seconds",
	    .type = STAT_GAUGE,
	    .divisor = 1000000,
	    .help = "Age of the oldest" },
	[OPEN] = { .name = "turunc_test_open", .type = STAT_GAUGE, .help = "Open now" },
	[SEALED] = { .name = "turunc_test_letters_total",
	    .type = STAT_COUNTER,
	    .help = "Letters",
	    .fixed = "kind",
	    .fixed_value = "sealed" },
	[UNSEALED] = { .name = "turunc_test_letters_total",
	    .type = STAT_COUNTER,
	    .help = "Letters",
	    .fixed = "kind",
	    .fixed_value = "un\"sealed" },
	[COMMIT] = { .name = "turunc_test_commit_seconds",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us,
	    .help = "Send to commit" },
	[SIZES] = { .name = "turunc_test_size_bytes",
	    .type = STAT_HISTOGRAM,
	    .bounds = small_bounds,
	    .help = "Sizes",
	    .fixed = "of",
	    .fixed_value = "frame",
	    .label = "door",
	    .label_values = doors },
	[NASTY] = { .name = "turunc_test_nasty_total",
	    .type = STAT_COUNTER,
	    .help = "A \\ and\na line, \"quoted\"",
	    .label = "what",
	    .label_values = nasty },
};
_Static_assert(ARRAY_LEN(table) == ROWS, "a row each");

static char *
written(const struct stats *s)
{
	struct evbuffer *out = evbuffer_new();

	CHECK(stats_write(s, out));
	size_t len = evbuffer_get_length(out);
	char *text = calloc(1, len + 1);
	evbuffer_remove(out, text, len);
	evbuffer_free(out);
	return text;
}

static const struct {
	const char *name;
	const char *want;
} parts[] = {
	{ "labelled counter", "# HELP turunc_test_tickets_total Tickets committed\n"
			      "# TYPE turunc_test_tickets_total counter\n"
			      "turunc_test_tickets_total{door=\"open311\"} 3\n"
			      "turunc_test_tickets_total{door=\"bus\"} 256\n" },
	{ "divided gauge",
	    "# TYPE turunc_test_queue_seconds gauge\nturunc_test_queue_seconds 0.0015\n" },
	{ "gauge below zero", "turunc_test_open -4\n" },
	{ "one head for rows of one name", "# TYPE turunc_test_letters_total counter\n"
					   "turunc_test_letters_total{kind=\"sealed\"} 1\n"
					   "turunc_test_letters_total{kind=\"un\\\"sealed\"} 0\n" },
	{ "histogram with labels",
	    "# TYPE turunc_test_size_bytes histogram\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"open311\",le=\"10\"} 0\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"open311\",le=\"250\"} 0\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"open311\",le=\"+Inf\"} 0\n"
	    "turunc_test_size_bytes_count{of=\"frame\",door=\"open311\"} 0\n"
	    "turunc_test_size_bytes_sum{of=\"frame\",door=\"open311\"} 0\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"bus\",le=\"10\"} 3\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"bus\",le=\"250\"} 5\n"
	    "turunc_test_size_bytes_bucket{of=\"frame\",door=\"bus\",le=\"+Inf\"} 6\n"
	    "turunc_test_size_bytes_count{of=\"frame\",door=\"bus\"} 6\n"
	    "turunc_test_size_bytes_sum{of=\"frame\",door=\"bus\"} 772\n" },
	{ "bounds in seconds", "turunc_test_commit_seconds_bucket{le=\"0.0001\"} 1\n" },
	{ "bounds of whole seconds", "turunc_test_commit_seconds_bucket{le=\"60\"} 2\n" },
	{ "sum in seconds", "turunc_test_commit_seconds_sum 62.0001\n" },
	{ "escaped help", "# HELP turunc_test_nasty_total A \\\\ and\\na line, \"quoted\"\n" },
	{ "escaped value", "turunc_test_nasty_total{what=\"a\\\"b\\\\c\\nd\"} 0\n" },
};

static struct stats *
filled(void)
{
	struct stats *s = stats_create(table, ROWS);
	static const int64_t sizes[] = { -5, 0, 10, 11, 250, 501 };

	if (!CHECK(s != NULL))
		exit(EXIT_FAILURE);
	stats_incr(s, TICKETS);
	stats_add(s, TICKETS, 2);
	stats_add_at(s, TICKETS, 1, 256);
	stats_set(s, QUEUE, 1500);
	stats_set(s, OPEN, 9);
	stats_set(s, OPEN, -4);
	stats_incr(s, SEALED);
	stats_observe(s, COMMIT, 100);
	stats_observe(s, COMMIT, 61000000);
	stats_observe(s, COMMIT, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		stats_observe_at(s, SIZES, 1, sizes[i]);
	return s;
}

TEST(test_stats_text)
{
	struct stats *s = filled();
	char *text = written(s);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strstr(text, parts[i].want) == NULL)
			CHECK_STR(parts[i].name, text, parts[i].want);
	free(text);
	stats_destroy(s);
	stats_destroy(NULL);
}

TEST(test_stats_get)
{
	struct stats *s = filled();

	CHECK_I64("counter", stats_get(s, TICKETS, 1), 256);
	CHECK_I64("gauge", stats_get(s, OPEN, 0), -4);
	CHECK_I64("observations", stats_get(s, SIZES, 1), 6);
	stats_add(s, TICKETS, INT64_MAX - 3);
	CHECK_I64("at its end", stats_get(s, TICKETS, 0), INT64_MAX);
	stats_incr(s, TICKETS);
	CHECK_I64("starts again, never below zero", stats_get(s, TICKETS, 0), 0);
	stats_destroy(s);
}

/* Reads a label's value with its escapes; returns where it ends, NULL: malformed. */
static const char *
read_labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		at++;
		size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
		if (name == 0 || strncmp(at + name, "=\"", 2) != 0)
			return NULL;
		for (at += name + 2; *at != '"'; at++) {
			if (*at == '\0' || *at == '\n')
				return NULL;
			if (*at == '\\' && strchr("\\n\"", *++at) == NULL)
				return NULL;
		}
		at++;
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

/* Every line is a comment for the family that follows, or name{labels} number. */
static void
check_grammar(const char *text)
{
	char family[100] = "", kind[20] = "";
	size_t samples = 0;

	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (sscanf(line, "# HELP %99s", family) == 1)
			continue;
		char named[100];
		if (sscanf(line, "# TYPE %99s %19s", named, kind) == 2) {
			CHECK_STR("TYPE follows its HELP", named, family);
			continue;
		}
		CHECK_TRUE(line, strncmp(line, family, strlen(family)) == 0);
		const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_0123456789");
		at = read_labels(at);
		if (!CHECK_TRUE(line, at != NULL && *at == ' '))
			return;
		char *end;
		(void)strtod(at + 1, &end);
		CHECK_TRUE(line, end > at + 1 && *end == '\n');
		samples++;
	}
	CHECK_TRUE("there is something", samples > 5);
}

TEST(test_stats_parses)
{
	struct stats *s = filled();
	char *text = written(s);
	struct evbuffer *out = evbuffer_new();

	check_grammar(text);
	free(text);
	stats_destroy(s);

	CHECK(stats_write_process("sample", out));
	evbuffer_add(out, "", 1);
	const char *process = (const char *)evbuffer_pullup(out, -1);
	check_grammar(process);
	CHECK_TRUE("version",
	    strstr(
		process, "turunc_build_info{service=\"sample\",version=\"" TURUNC_VERSION "\"} 1\n")
		!= NULL);
	const char *memory = strstr(process, "\nprocess_resident_memory_bytes ");
	CHECK_TRUE("memory", memory != NULL && atoll(strchr(memory, ' ')) > 100000);
	const char *started = strstr(process, "\nprocess_start_time_seconds ");
	time_t now = time(NULL), start = started == NULL ? 0 : atoll(strchr(started, ' '));
	CHECK_TRUE("start", start <= now + 2 && start > now - 120);
	const char *files = strstr(process, "\nprocess_open_fds ");
	CHECK_TRUE("files", files != NULL && atoll(strchr(files, ' ')) >= 3);
	evbuffer_free(out);
}

TEST(test_stats_common_bounds_rise)
{
	for (size_t i = 0; stats_bounds_us[i + 1] != 0; i++)
		CHECK(stats_bounds_us[i] > 0 && stats_bounds_us[i] < stats_bounds_us[i + 1]);
}
