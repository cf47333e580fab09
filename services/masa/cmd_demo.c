/* masa demo: plays a month through the real doors, and says what it has played. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "catalogue.h"
#include "clock.h"
#include "demo.h"
#include "istanbul.h"
#include "masa.h"

static enum exit_code demo_run(struct masa *m, int argc, char **argv);
static enum exit_code demo_clock(struct masa *m, int argc, char **argv);

const struct command demo_commands[] = {
	{ "demo", "clock", "FILE --month 2026-03",
	    "make the clock of a new demonstration, standing an hour before that month begins",
	    demo_clock },
	{ "demo", "",
	    "--month 2026-03 --speed N|max [--share N] [--days N] [--seed N] [--leave-out N]",
	    "play that month on the simulated clock of a demonstration that is new (deploy/march), "
	    "N "
	    "times as fast as time or as fast as the services follow, and print what was played; "
	    "--share: "
	    "one contact of N; --days: its first ones; --leave-out: count the Nth information call "
	    "and do not tell it",
	    demo_run },
	{ 0 },
};

enum { VERSION_BYTES = 24, KEYS_BYTES = 400 };
#define BEFORE_US (60 * US_PER_MIN) /* in which the system is made */

static bool
read_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value > max)
		return false;
	*ret = value;
	return true;
}

static enum exit_code
read_speed(const char *text, double *ret)
{
	char *end;

	*ret = 0;
	if (text != NULL && strcmp(text, "max") == 0)
		return MASA_OK;
	*ret = text != NULL ? strtod(text, &end) : 0;
	if (text == NULL || end == text || *end != '\0' || !isfinite(*ret) || *ret <= 0)
		return masa_fail(MASA_USAGE, "--speed takes a number above 0, or max");
	return MASA_OK;
}

static enum exit_code
read_options(struct masa *m, int argc, char **argv, struct demo_options *o)
{
	const char *month = NULL, *speed = NULL, *share = "1", *days = "0", *seed = "1",
		   *leave_out = "0";
	const struct option_spec specs[] = { { "month", &month, NULL }, { "speed", &speed, NULL },
		{ "share", &share, NULL }, { "days", &days, NULL }, { "seed", &seed, NULL },
		{ "leave-out", &leave_out, NULL } };
	uint64_t one_of, first, left;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (month == NULL || !demo_month_parse(month, &o->month))
		return masa_fail(MASA_USAGE, "--month takes 2026-03, the month that is known");
	if (!read_number(share, 1000000, &one_of) || one_of == 0)
		return masa_fail(MASA_USAGE, "--share takes a number from 1 to 1000000");
	if (!read_number(days, 31, &first))
		return masa_fail(MASA_USAGE, "--days takes a number up to 31");
	if (!read_number(seed, UINT64_MAX, &o->seed))
		return masa_fail(MASA_USAGE, "--seed takes a number");
	if (!read_number(leave_out, UINT32_MAX, &left))
		return masa_fail(MASA_USAGE, "--leave-out takes a number");
	o->share = (struct demo_share){ (uint32_t)one_of, (int)first };
	o->leave_out = (uint32_t)left;
	return read_speed(speed, &o->speed);
}

static enum exit_code
demo_clock(struct masa *m, int argc, char **argv)
{
	const char *month_text = NULL;
	const struct option_spec specs[] = { { "month", &month_text, NULL } };
	const struct clock_speed standing = { 0, 1 };
	struct demo_month month;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (month_text == NULL || !demo_month_parse(month_text, &month))
		return masa_fail(MASA_USAGE, "--month takes 2026-03, the month that is known");
	/* Whoever has a clock open stays with it when its file is replaced. */
	if (access(argv[0], F_OK) == 0)
		return masa_fail(MASA_CONFLICT, "%s is there already", argv[0]);
	if (!m->dry_run && !clock_simulation_create(argv[0], month.start_us - BEFORE_US, standing))
		return masa_fail(MASA_FAILED, "%s: %s", argv[0], strerror(errno));
	return MASA_OK;
}

static enum exit_code
need(const char *name, const char **ret)
{
	*ret = masa_env(name, NULL);
	if (*ret == NULL || (*ret)[0] == '\0')
		return masa_fail(
		    MASA_CONFIG, "%s is not set: this is no demonstration of deploy/march", name);
	return MASA_OK;
}

static enum exit_code
read_place(struct demo_options *o)
{
	const struct {
		const char *name;
		const char **value;
	} places[] = { { "TURUNC_CLOCK_FILE", &o->clock_file }, { "TURUNC_DEMO_KEYS", &o->keys },
		{ "TURUNC_URL_INTAKE", &o->intake_url }, { "TURUNC_DEMO_SINK", &o->sink_url },
		{ "TURUNC_DEMO_LMTP", &o->lmtp }, { "TURUNC_CIMER_DIR", &o->cimer_dir } };
	char path[KEYS_BYTES];
	enum exit_code code = MASA_OK;

	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(places); i++)
		code = need(places[i].name, places[i].value);
	if (code != MASA_OK)
		return code;
	snprintf(path, sizeof(path), "%s/player.api_key", o->keys);
	FILE *file = fopen(path, "re");
	bool read = file != NULL && fgets(o->api_key, sizeof(o->api_key), file) != NULL;
	if (file != NULL)
		fclose(file);
	o->api_key[strcspn(o->api_key, "\r\n")] = '\0';
	return read ? MASA_OK : masa_fail(MASA_CONFIG, "%s: no API key in it", path);
}

/* Real records are not played with, and what is counted must be all there is. */
static enum exit_code
check_record(struct masa *m)
{
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT coalesce(bool_and(demo), false), EXISTS (SELECT FROM turunc.event_log "
	    "WHERE type LIKE 'ticket.%' OR type LIKE 'call.%') FROM turunc.log_history",
	    0, NULL, &result);

	if (code != MASA_OK)
		return code;
	bool demo = PQgetvalue(result, 0, 0)[0] == 't', used = PQgetvalue(result, 0, 1)[0] == 't';
	PQclear(result);
	if (!demo)
		return masa_fail(
		    MASA_DENIED, "this record was not made as a demonstration; nothing was played");
	if (used)
		return masa_fail(MASA_CONFLICT,
		    "this record has tickets or calls already; a month is "
		    "played into a new one (deploy/march)");
	return MASA_OK;
}

static enum exit_code
check_clock(const struct demo_options *o)
{
	if (!clock_is_simulated() && !clock_open(o->clock_file))
		return masa_fail(MASA_CONFIG, "%s: %s", o->clock_file, strerror(errno));
	if (clock_now_us() > o->month.start_us)
		return masa_fail(MASA_CONFLICT,
		    "the clock of this demonstration is past the month's "
		    "beginning; a month is played into a new one "
		    "(deploy/march)");
	return MASA_OK;
}

static enum exit_code
load_catalogue(struct masa *m, struct catalogue **ret)
{
	struct bundle bundle;
	struct catalogue_report report;
	char version[VERSION_BYTES];

	bundle_init(&bundle);
	enum exit_code code = masa_load_active(m, &bundle, version, sizeof(version));
	if (code == MASA_OK) {
		*ret = catalogue_parse(&bundle, &report);
		if (*ret == NULL)
			code = masa_fail(MASA_CONFIG, "the configuration in force cannot be read");
	}
	bundle_finish(&bundle);
	return code;
}

static json_t *
spent_json(const struct demo_waits *waits)
{
	json_t *spent = json_object();

	for (size_t i = 0; i < DEMO_WAITS_MAX && waits->at[i].what != NULL; i++)
		json_object_set_new(
		    spent, waits->at[i].what, json_integer((json_int_t)(waits->at[i].us / 1000)));
	return spent;
}

static enum exit_code
print_played(struct demo *d, double seconds)
{
	json_t *figures = demo_counts_json(&d->counts);
	int64_t tickets = demo_counted(&d->counts, "tickets"),
		ended = demo_counted(&d->counts, "ended"),
		reopened = demo_counted(&d->counts, "reopened"),
		answered = demo_counted(&d->counts, "ladder.answered");

	if (d->counts.lost || figures == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	json_object_set_new(figures, "open", json_integer(tickets - ended + reopened));
	json_t *said = json_pack("{s:s, s:I, s:I, s:I, s:f}", "month", "2026-03", "seed",
	    (json_int_t)d->options.seed, "messages", (json_int_t)d->messages, "troubles",
	    (json_int_t)d->troubles, "seconds", seconds);
	json_object_set_new(said, "steps", json_integer((json_int_t)d->waits.steps));
	json_object_set_new(said, "spent_ms", spent_json(&d->waits));
	if (answered > 0)
		json_object_set_new(said, "satisfied_percent",
		    json_real(round(1000.0 * (double)demo_counted(&d->counts, "ladder.satisfied")
				    / (double)answered)
			      / 10));
	if (d->m->json) {
		json_object_set_new(said, "figures", figures);
		masa_print(d->m, said);
	} else {
		json_object_update(said, figures);
		json_decref(figures);
		masa_print(d->m, said);
	}
	return d->troubles == 0 ? MASA_OK
				: masa_fail(MASA_FAILED, "%llu things did not go as played",
				    (unsigned long long)d->troubles);
}

static enum exit_code
play(struct demo *d, struct catalogue *cat)
{
	uint64_t began_ms = clock_monotonic_ms();

	d->cat = cat;
	if (!demo_plan_make(&d->plan, &d->options.month, &d->options.share, d->options.seed)
	    || !demo_people_make(&d->people, &d->plan, cat, d->options.seed) || !demo_work_open(d))
		return masa_fail(MASA_FAILED, "out of memory, or nobody to play with");
	enum exit_code code = demo_pace_open(d);
	if (code == MASA_OK)
		code = demo_doors_open(d);
	if (code == MASA_OK)
		code = demo_bus_open(d);
	if (code == MASA_OK)
		code = demo_play(d);
	if (code == MASA_OK)
		code = print_played(d, (double)(clock_monotonic_ms() - began_ms) / 1000);
	return code;
}

static enum exit_code
demo_run(struct masa *m, int argc, char **argv)
{
	struct demo d = { .m = m };
	struct catalogue *cat = NULL;

	enum exit_code code = read_options(m, argc, argv, &d.options);
	if (code == MASA_OK)
		code = check_record(m);
	if (code == MASA_OK)
		code = read_place(&d.options);
	if (code == MASA_OK)
		code = check_clock(&d.options);
	if (code == MASA_OK)
		code = load_catalogue(m, &cat);
	if (code == MASA_OK)
		code = play(&d, cat);
	demo_bus_close(&d);
	demo_doors_close(&d);
	demo_work_close(&d);
	demo_people_finish(&d.people);
	demo_plan_finish(&d.plan);
	demo_agenda_finish(&d.agenda);
	demo_counts_finish(&d.counts);
	catalogue_destroy(cat);
	return code;
}
