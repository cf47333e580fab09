/* What masa top makes of what the system says, and how it stands on the screen. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "page.h"
#include "top_figures.h"
#include "top_screen.h"
#include "utf8.h"

static const char ready[] =
    "{\"ready\":true,\"dependencies\":[{\"name\":\"record\",\"state\":\"up\","
    "\"needed\":true},{\"name\":\"redis\",\"state\":\"up\",\"needed\":true}]}";
static const char quiet[] =
    "process_start_time_seconds 1000\nprocess_cpu_seconds_total 10\n"
    "process_resident_memory_bytes 1048576\nturunc_http_requests_total 100\n"
    "turunc_intake_items_total{outcome=\"accepted\"} 5\n"
    "turunc_intake_spool_items 0\nturunc_metrics_data_age_seconds 0.5\n"
    "turunc_notifier_oldest_waiting_seconds 0\n";
static const char record[] =
    "{\"log_id\":\"0195aaaa-0000-7000-8000-000000000000\",\"demo\":true,\"head_seq\":100,"
    "\"config\":3,\"version\":\"15.9\",\"up_s\":60.5,\"bytes\":1000,\"commits\":10,"
    "\"connections_max\":100,\"connections\":7,\"active\":1,\"oldest_transaction_s\":0.1,"
    "\"lock\":{\"holder\":null,\"waiting\":0,\"longest_wait_s\":null},\"other_waits\":0,"
    "\"tickets\":{\"3\":5},\"ways\":null,\"dead_letters\":0,"
    "\"readers\":[{\"client\":\"\",\"name\":\"router\",\"seq\":90,\"behind\":10,\"frozen\":null}]}";

/* A system that is well. */
static struct top_picture
well(uint64_t at_ms)
{
	struct top_picture p = { .at_us = 1767225600000000, /* 2026-01-01 03:00 there */
		.real_us = 1060 * INT64_C(1000000),
		.at_ms = at_ms,
		.edge_asked = true,
		.edge_status = 404,
		.record_asked = true,
		.record = json_loads(record, 0, NULL),
		.disk_bytes = 100,
		.disk_free_bytes = 50 };

	for (size_t i = 0; i < REACH_SERVICES; i++) {
		p.services[i].asked = true;
		p.services[i].status = 200;
		p.services[i].readyz = json_loads(ready, 0, NULL);
		p.services[i].samples = samples_parse(quiet, strlen(quiet));
	}
	CHECK(p.record != NULL);
	return p;
}

static void
say(struct top_picture *p, size_t service, const char *metrics)
{
	samples_destroy(p->services[service].samples);
	p->services[service].samples = samples_parse(metrics, strlen(metrics));
}

static void
set(json_t *object, const char *json)
{
	json_t *more = json_loads(json, 0, NULL);

	CHECK(more != NULL);
	json_object_update(object, more);
	json_decref(more);
}

static double
value(const struct top_figures *f, const char *key)
{
	const struct top_number *n = top_figures_number(f, key);

	return CHECK(n != NULL) ? n->value : NAN;
}

static struct top_figures *
figures(const struct top_picture *now, const struct top_picture *before)
{
	struct top_figures *f = malloc(sizeof(*f));

	CHECK(f != NULL);
	top_figures_make(f, now, before);
	return f;
}

static bool
near(double got, double want)
{
	return fabs(got - want) < 1e-6;
}

TEST(test_rates_are_between_two_pictures_and_unknown_with_one)
{
	struct top_picture before = well(1000), now = well(3000);
	say(&now, 0,
	    "process_start_time_seconds 1000\nprocess_cpu_seconds_total 10.5\n"
	    "turunc_http_requests_total 110\nturunc_intake_items_total{outcome=\"accepted\"} 11\n"
	    "turunc_intake_items_total{outcome=\"duplicate\"} 500\n");
	set(now.record, "{\"head_seq\":104,\"commits\":30,\"readers\":[{\"client\":\"\",\"name\":"
			"\"router\",\"seq\":104,\"behind\":0}]}");
	struct top_figures *f = figures(&now, NULL);
	CHECK(isnan(f->seconds) && isnan(value(f, "accepted")) && isnan(f->head_rate));
	CHECK(isnan(f->parts[0].cpu_percent) && isnan(f->readers[0].rate));
	free(f);
	f = figures(&now, &before);
	CHECK(near(f->seconds, 2) && near(value(f, "accepted"), 3) && near(f->head_rate, 2));
	CHECK(near(f->parts[0].cpu_percent, 25) && near(f->parts[0].requests, 5));
	CHECK(near(f->commits, 10) && near(f->readers[0].rate, 7));
	CHECK(near(f->parts[0].up_s, 60) && near(f->parts[TOP_RECORD].up_s, 60.5));
	CHECK(near(f->tickets[2], 5) && near(f->tickets[0], 0));
	CHECK_TRUE("what was not counted before has no rate", isnan(value(f, "repeats")));
	free(f);
	top_picture_finish(&before);
	top_picture_finish(&now);
}

TEST(test_a_service_that_began_anew_has_no_rates_yet)
{
	struct top_picture before = well(1000), now = well(3000);
	say(&now, 0,
	    "process_start_time_seconds 1058\nprocess_cpu_seconds_total 99\n"
	    "turunc_http_requests_total 1\n"
	    "turunc_intake_items_total{outcome=\"accepted\"} 2\n");
	struct top_figures *f = figures(&now, &before);

	CHECK(isnan(f->parts[0].cpu_percent) && isnan(f->parts[0].requests));
	CHECK(isnan(value(f, "accepted")) && near(f->parts[0].up_s, 2));
	free(f);
	top_picture_finish(&before);
	top_picture_finish(&now);
}

/* --- troubles --- */

static void
metric(struct top_picture *p, size_t service, const char *line)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s\n", quiet, line);
	say(p, service, text);
}

static void
dependency(struct top_picture *p, size_t service, const char *dependencies)
{
	set(p->services[service].readyz, dependencies);
}

static void
nothing(struct top_picture *p)
{
	(void)p;
}

static void
router_away(struct top_picture *p)
{
	p->services[1].status = 0;
}

static void
router_not_ready(struct top_picture *p)
{
	p->services[1].status = 503;
	dependency(p, 1,
	    "{\"dependencies\":[{\"name\":\"desk\",\"state\":\"down\",\"needed\":false,"
	    "\"detail\":\"slow\"},{\"name\":\"record\",\"state\":\"down\",\"needed\":"
	    "true,\"detail\":\"refused\"}]}");
}

static void
intake_impaired(struct top_picture *p)
{
	dependency(p, 0,
	    "{\"dependencies\":[{\"name\":\"record\",\"state\":\"starting\","
	    "\"needed\":false}]}");
}

static void
record_away(struct top_picture *p)
{
	json_decref(p->record);
	p->record = NULL;
	snprintf(p->record_why, sizeof(p->record_why), "it does not answer");
}

static void
redis_away(struct top_picture *p)
{
	dependency(p, 3,
	    "{\"dependencies\":[{\"name\":\"redis\",\"state\":\"down\",\"needed\":true,"
	    "\"detail\":\"refused\"}]}");
}

static void
edge_away(struct top_picture *p)
{
	p->edge_status = 0;
}

static void
edge_tells(struct top_picture *p)
{
	p->edge_status = 200;
}

static void
edge_of_a_network(struct top_picture *p)
{
	p->edge_status = 421;
}

static void
lock_held(struct top_picture *p)
{
	set(p->record, "{\"lock\":{\"holder\":\"turunc_router\",\"waiting\":3,"
		       "\"longest_wait_s\":2.5}}");
}

static void
lock_short(struct top_picture *p)
{
	set(p->record, "{\"lock\":{\"holder\":\"turunc_router\",\"waiting\":3,"
		       "\"longest_wait_s\":0.5}}");
}

static void
reader_frozen(struct top_picture *p)
{
	set(p->record,
	    "{\"readers\":[{\"client\":\"fen\",\"name\":\"live\",\"seq\":1,\"behind\":99,"
	    "\"frozen\":\"FORBIDDEN\"}]}");
}

static void
reader_behind(struct top_picture *p)
{
	set(p->record, "{\"readers\":[{\"client\":\"fen\",\"name\":\"live\",\"seq\":1,"
		       "\"behind\":10001}]}");
}

static void
disk_full(struct top_picture *p)
{
	p->disk_free_bytes = 9;
}

static void
disk_unknown(struct top_picture *p)
{
	p->disk_bytes = p->disk_free_bytes = NAN;
}

static void
connections_taken(struct top_picture *p)
{
	set(p->record, "{\"connections\":91}");
}

static void
set_aside(struct top_picture *p)
{
	set(p->record, "{\"dead_letters\":2}");
}

static void
old_transaction(struct top_picture *p)
{
	set(p->record, "{\"oldest_transaction_s\":1200}");
}

static void
spool_used(struct top_picture *p)
{
	metric(p, 0, "turunc_intake_spool_items 12");
}

static void
spool_damaged(struct top_picture *p)
{
	metric(p, 0, "turunc_intake_spool_damaged 1");
}

static void
spool_refused(struct top_picture *p)
{
	metric(p, 0, "turunc_intake_spool_items_set_aside 1");
}

static void
message_dead(struct top_picture *p)
{
	metric(p, 2, "turunc_notifier_messages_dead 4");
}

static void
message_in_doubt(struct top_picture *p)
{
	metric(p, 2, "turunc_notifier_messages_unknown 4");
}

static void
message_old(struct top_picture *p)
{
	metric(p, 2, "turunc_notifier_oldest_waiting_seconds 1000");
}

static void
gateway_away(struct top_picture *p)
{
	metric(p, 2,
	    "turunc_notifier_channel_away{channel=\"email\"} 0\n"
	    "turunc_notifier_channel_away{channel=\"sms\"} 1");
	set(p->record, "{\"ways\":[{\"channel\":\"sms\",\"waiting\":7}]}");
}

static void
law_broken(struct top_picture *p)
{
	metric(p, 1, "turunc_legal_deadlines_passed 2");
}

static void
law_near(struct top_picture *p)
{
	metric(p, 1,
	    "turunc_legal_deadlines_near{within=\"1d\"} 3\n"
	    "turunc_legal_deadlines_near{within=\"3d\"} 9");
}

static void
board_old(struct top_picture *p)
{
	metric(p, 3, "turunc_metrics_data_age_seconds 60");
}

static void
board_anew(struct top_picture *p)
{
	say(p, 3, "turunc_metrics_data_age_seconds -0.001\n");
}

static const struct {
	const char *name;
	void (*spoil)(struct top_picture *p);
	const char *text; /* NULL: no trouble */
	bool bad;
} cases[] = {
	{ "all is well", nothing, NULL, false },
	{ "no answer", router_away, "router: no answer", true },
	{ "not ready, the needed first", router_not_ready,
	    "router: not ready: record: refused; desk: slow", true },
	{ "ready with something away", intake_impaired, "intake: ready: record: starting", false },
	{ "no record", record_away, "postgresql: no answer: it does not answer", true },
	{ "no Redis", redis_away, "redis: no answer: refused", true },
	{ "no edge", edge_away, "edge: no answer", true },
	{ "an edge that tells", edge_tells,
	    "edge: answers: answers /readyz with 200, which it is to refuse", false },
	{ "an edge asked by another name", edge_of_a_network, NULL, false },
	{ "the lock", lock_held,
	    "the log's lock is held by turunc_router: 3 wait, the longest for 2.5 s", true },
	{ "the lock, as it is taken all the time", lock_short, NULL, false },
	{ "frozen", reader_frozen, "fen/live is frozen: FORBIDDEN", true },
	{ "behind", reader_behind, "fen/live is 10001 records behind", false },
	{ "disk", disk_full, "9.0 % of the disk is free", true },
	{ "a disk that is not seen", disk_unknown, NULL, false },
	{ "connections", connections_taken, "91 of 100 connections of PostgreSQL are taken", true },
	{ "dead letters", set_aside, "2 records were set aside: masa dlq list", true },
	{ "an old snapshot", old_transaction,
	    "a transaction has been open for 20 min: hot tables grow", false },
	{ "spool", spool_used, "the spool is in use: 12 items wait for the record", false },
	{ "damage", spool_damaged, "spool: 1 items came back damaged from the disk", true },
	{ "refusals", spool_refused, "spool: the record refuses 1 items in any shape", true },
	{ "given up", message_dead, "4 messages could not be sent: masa message list --state dead",
	    true },
	{ "in doubt", message_in_doubt,
	    "4 messages may or may not have left: masa message list --state unknown", false },
	{ "waiting", message_old, "a message has waited for 17 min to be sent", true },
	{ "a gateway", gateway_away,
	    "sms: nobody answers where these messages leave, and they wait", true },
	{ "the law", law_broken, "2 tickets are past their legal deadline without an answer",
	    true },
	{ "the law soon", law_near, "3 tickets reach their legal deadline within a day", false },
	{ "old figures", board_old, "the board's figures are 60 s old", false },
	{ "no figures", board_anew, "the board's figures are being made anew", false },
};

TEST(test_each_trouble_is_named_and_nothing_else_is)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct top_picture now = well(3000);
		cases[i].spoil(&now);
		struct top_figures *f = figures(&now, NULL);
		bool found = false;
		for (size_t t = 0; t < f->trouble_count; t++)
			found |= cases[i].text != NULL
				 && strcmp(f->troubles[t].text, cases[i].text) == 0
				 && f->troubles[t].bad == cases[i].bad;
		CHECK_TRUE(cases[i].name, found == (cases[i].text != NULL));
		if (cases[i].text == NULL)
			CHECK_U64(cases[i].name, f->trouble_count, 0);
		CHECK_TRUE(cases[i].name, top_is_well(f) == !cases[i].bad);
		free(f);
		top_picture_finish(&now);
	}
}

/* --- the screen --- */

/* Lines and the widest of them, without styles. */
static void
measure(const char *text, size_t len, unsigned *ret_lines, unsigned *ret_widest)
{
	unsigned width = 0;

	*ret_lines = 1;
	*ret_widest = 0;
	for (size_t i = 0; i < len;) {
		if (text[i] == '\033') {
			i += strcspn(text + i, "mKJ") + 1;
			continue;
		}
		if (text[i] == '\r' || text[i] == '\n') {
			*ret_lines += text[i] == '\n';
			width = 0;
			i++;
			continue;
		}
		i += utf8_char_len(text + i, len - i);
		width++;
		if (width > *ret_widest)
			*ret_widest = width;
	}
}

static char *
drawn(const struct top_figures *f, unsigned width, unsigned height, size_t *ret_len)
{
	const struct page_look look = {
		.width = width, .height = height, .terminal = true, .colours = true, .utf8 = true
	};
	const struct top_view view = { .figures = f, .at_us = 0, .every_s = 2 };
	struct page *p = page_create(&look);
	top_screen_draw(&view, p);
	const char *text = page_text(p, ret_len);
	char *copy = text != NULL ? strndup(text, *ret_len) : NULL;

	CHECK(copy != NULL);
	page_destroy(p);
	return copy;
}

TEST(test_the_screen_fits_whatever_happens)
{
	static const unsigned sizes[][2] = { { 80, 24 }, { 40, 12 }, { 132, 43 }, { 300, 100 },
		{ 1, 1 }, { 20, 2 } };
	struct top_picture worst = well(3000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i].spoil(&worst);
	for (int i = 0; i < 300; i++)
		json_array_append_new(json_object_get(worst.record, "readers"),
		    json_pack("{s:s,s:s,s:i,s:i}", "client",
			"a client with quite a long name of its own", "name",
			"and a subscription's", "seq", i, "behind", 2000000000));
	struct top_figures *bad = figures(&worst, NULL);
	const struct top_figures *all[] = { NULL, bad };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (size_t n = 0; n < ARRAY_LEN(all); n++) {
			size_t len;
			unsigned lines, widest;
			char *text = drawn(all[n], sizes[i][0], sizes[i][1], &len);
			measure(text, len, &lines, &widest);
			CHECK_TRUE("no more lines than there are", lines <= sizes[i][1]);
			CHECK_TRUE("no longer than they are", widest <= sizes[i][0]);
			if (sizes[i][1] >= 24)
				CHECK_TRUE("how to leave it", strstr(text, "q quit") != NULL);
			free(text);
		}
	}
	free(bad);
	top_picture_finish(&worst);
}

TEST(test_all_that_matters_stands_on_80_by_24)
{
	static const char *const words[] = { "Turunç", "WELL", "all is well", "intake", "router",
		"notifier", "metrics", "postgresql", "redis", "edge", "opened", "commit", "spool",
		"in progress 0", "the log's is free", "READER", "q quit", "demonstration",
		"0195aaaa", "7 of 100 connections", "50 % free" };
	struct top_picture before = well(1000), now = well(3000);
	struct top_figures *f = figures(&now, &before);
	size_t len;
	char *text = drawn(f, 80, 24, &len);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		CHECK_TRUE(words[i], strstr(text, words[i]) != NULL);
	free(text);
	free(f);
	router_away(&now);
	f = figures(&now, &before);
	text = drawn(f, 80, 24, &len);
	CHECK(strstr(text, "1 TROUBLE\033") != NULL && strstr(text, "router: no answer") != NULL);
	CHECK(strstr(text, "WELL") == NULL && strstr(text, "all is well") == NULL);
	CHECK(strstr(text, "email 0 wait  sms 0 wait") != NULL && strstr(text, "AWAY") == NULL);
	free(text);
	free(f);
	gateway_away(&now);
	f = figures(&now, &before);
	text = drawn(f, 80, 24, &len);
	CHECK(strstr(text, "AWAY") != NULL && strstr(text, "7 wait") != NULL);
	free(text);
	free(f);
	top_picture_finish(&before);
	top_picture_finish(&now);
}

static const struct {
	double value;
	const char *count, *seconds, *bytes;
} shown[] = {
	{ NAN, "-", "-", "-" },
	{ 0, "0", "0 s", "0 B" },
	{ 0.0003, "0.0", "0.3 ms", "0 B" },
	{ 0.25, "0.2", "250 ms", "0 B" },
	{ 2.5, "2.5", "2.5 s", "2 B" },
	{ 12, "12", "12 s", "12 B" },
	{ 600, "600", "10 min", "600 B" },
	{ 99999, "99999", "28 h", "98 K" },
	{ 100000, "100k", "28 h", "98 K" },
	{ 2000000, "2.0M", "23 d", "1.9 M" },
	{ 1e12, "1000G", "11574074 d", "931 G" },
};

TEST(test_numbers_are_short)
{
	char text[16];

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		CHECK_STR("count", top_count(shown[i].value, text), shown[i].count);
		CHECK_STR("seconds", top_seconds(shown[i].value, text), shown[i].seconds);
		CHECK_STR("bytes", top_bytes(shown[i].value, text), shown[i].bytes);
	}
	CHECK_STR("beyond", top_seconds(INFINITY, text), "> 60 s");
}

TEST(test_json_has_null_for_what_is_not_known)
{
	struct top_picture now = well(3000);
	say(&now, 0, "x 1\n");
	struct top_figures *f = figures(&now, NULL);
	json_t *all = top_figures_json(f);

	CHECK(all != NULL && json_array_size(json_object_get(all, "parts")) == TOP_PARTS);
	CHECK(json_is_null(json_object_get(json_object_get(all, "queues"), "spool")));
	CHECK(json_is_null(json_object_get(json_object_get(all, "flow_per_s"), "accepted")));
	CHECK(json_is_true(json_object_get(all, "well")));
	CHECK(json_array_size(json_object_get(all, "readers")) == 1);
	json_decref(all);
	free(f);
	top_picture_finish(&now);
}

TEST(test_a_text_that_was_cut_in_a_character_stays_text)
{
	char text[] = "abc\xf0\x9f\x98", whole[] = "ç", none[] = "";

	top_whole_characters(text);
	CHECK_STR("cut", text, "abc");
	top_whole_characters(whole);
	CHECK_STR("whole", whole, "ç");
	top_whole_characters(none);
	CHECK_STR("none", none, "");
}
