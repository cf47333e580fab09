/* Moves the clock through the month and does what is due; never further than the system follows. */
#include "demo.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "catalogue.h"
#include "clock.h"
#include "compose.h"
#include "istanbul.h"

enum {
	STEP_MIN = 30, /* at most so much at once: what falls due in it is one step's */
	LOOK_MS = 3,
	READERS_LOOK_MS = 50,
	STALLED_MS = 180000,
	BAR_CHARS = 30,
	REAL_STEP_MS = 100 /* with a speed given: the clock moves so often */
};

void
demo_trouble(struct demo *d, const char *format, ...)
{
	va_list args;

	if (++d->troubles > DEMO_TROUBLES_SHOWN)
		return;
	va_start(args, format);
	fprintf(stderr, "masa: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
}

void
demo_plan_act(struct demo *d, int64_t at_us, enum demo_act act, uint32_t about, uint32_t version)
{
	if (at_us < d->plan.until_us - US_PER_S
	    && !demo_agenda_add(&d->agenda, at_us, act, about, version))
		demo_trouble(d, "out of memory");
}

static void
act(struct demo *d, const struct demo_entry *entry)
{
	switch (entry->act) {
	case ACT_OFFERED:
	case ACT_ABANDONED:
	case ACT_ANSWERED:
	case ACT_ASKED:
	case ACT_ENDED:
		demo_calls_act(d, entry);
		break;
	case ACT_CONTACT:
		demo_citizens_contact(d, entry->about);
		break;
	case ACT_FILE:
		demo_citizens_file(d, entry->about);
		break;
	case ACT_STEP:
		demo_work_act(d, entry);
		break;
	case ACT_SURVEY:
		demo_citizens_survey(d, entry);
		break;
	case ACT_WITHDRAW:
		demo_citizens_withdraw(d, entry);
		break;
	}
}

/* Who comes when; what they do then puts the rest down. */
static void
plan_arrivals(struct demo *d)
{
	for (uint32_t i = 0; i < d->plan.count; i++) {
		const struct demo_arrival *a = &d->plan.arrivals[i];
		if (demo_kind_is_call(a->kind))
			demo_plan_act(d, a->at_us, ACT_OFFERED, i, 0);
		else if (a->kind != DEMO_CIMER)
			demo_plan_act(d, a->at_us, ACT_CONTACT, i, 0);
	}
	for (uint32_t i = 0; i < d->plan.file_count; i++)
		demo_plan_act(d, d->plan.files_us[i], ACT_FILE, i, 0);
}

/* On a terminal alone. */
static void
show_progress(const struct demo *d, bool last)
{
	static bool shown;
	double part = (double)(d->now_us - d->plan.month.start_us)
		      / (double)(d->plan.until_us - d->plan.month.start_us);
	int filled = (int)(part * BAR_CHARS);
	struct istanbul_time t = istanbul_split(d->now_us);

	if (!isatty(STDERR_FILENO) || (last && !shown))
		return;
	shown = true;
	fprintf(stderr,
	    "\r[%.*s%*s] %02d.%02d.%04d %02d:%02d  %lld calls, %lld tickets, %llu messages%s",
	    filled, "##############################", BAR_CHARS - filled, "", t.day, t.month,
	    t.year, t.hour, t.minute, (long long)demo_counted(&d->counts, "calls.answered"),
	    (long long)demo_counted(&d->counts, "tickets"), (unsigned long long)d->messages,
	    last ? "\n" : "");
	fflush(stderr);
}

static const char acts_word[] = "what people do", owes_word[] = "answers of the doors",
		  looks_word[] = "looks into the record", reads_word[] = "messages are read";

/* Everything that is due now, and everything that follows from it now. */
static enum exit_code
settle(struct demo *d)
{
	uint64_t stalled_ms = clock_monotonic_ms() + STALLED_MS;
	struct demo_entry entry;
	bool done = false;

	while (!done) {
		while (demo_agenda_take(&d->agenda, d->now_us, &entry)) {
			act(d, &entry);
			demo_bus_pump(d, 0);
			demo_pace_spent(d, acts_word);
		}
		if (!demo_bus_idle(d) || !demo_errands_idle(d)) {
			demo_bus_pump(d, LOOK_MS);
			demo_pace_spent(d, owes_word);
		} else {
			enum exit_code code = demo_pace_look(d, &done);
			if (code != MASA_OK)
				return code;
			demo_pace_spent(d, looks_word);
			if (done) {
				demo_citizens_read(d);
				demo_pace_spent(d, reads_word);
			} else {
				const char *behind = d->behind;
				demo_bus_pump(d, LOOK_MS);
				demo_pace_spent(d, behind);
			}
		}
		done = done && demo_bus_idle(d) && demo_errands_idle(d)
		       && demo_agenda_next_us(&d->agenda) > d->now_us;
		if (clock_monotonic_ms() > stalled_ms)
			return masa_fail(
			    MASA_FAILED, "the system does not follow: %s", demo_pace_behind(d));
	}
	return MASA_OK;
}

static int64_t
step_us(const struct demo *d)
{
	int64_t longest_us = STEP_MIN * US_PER_MIN;
	double wanted_us = d->options.speed * REAL_STEP_MS * 1000;

	if (d->options.speed == 0 || wanted_us >= (double)longest_us)
		return longest_us;
	return wanted_us < 1 ? 1 : (int64_t)wanted_us;
}

static void
rest_until(uint64_t at_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (at_ms > now_ms)
		(void)nanosleep(&(struct timespec){ .tv_sec = (time_t)((at_ms - now_ms) / 1000),
				    .tv_nsec = (long)((at_ms - now_ms) % 1000 * 1000000) },
		    NULL);
}

static enum exit_code
set_clock(struct demo *d, int64_t at_us)
{
	const struct clock_speed standing = { 0, 1 };

	d->now_us = at_us;
	if (clock_simulation_set(d->options.clock_file, at_us, standing))
		return MASA_OK;
	return masa_fail(MASA_FAILED, "%s: %s", d->options.clock_file,
	    errno == EINVAL ? "the clock is already later" : strerror(errno));
}

/* The figures of the board are a reader's like all others, but nobody waits for them before. */
static enum exit_code
wait_for_readers(struct demo *d)
{
	uint64_t until_ms = clock_monotonic_ms() + STALLED_MS;
	bool done = false;
	enum exit_code code = MASA_OK;

	while (code == MASA_OK && !done && clock_monotonic_ms() < until_ms) {
		code = demo_pace_readers(d, &done);
		demo_bus_pump(d, READERS_LOOK_MS);
	}
	if (code == MASA_OK && !done)
		code = masa_fail(MASA_FAILED, "a service did not read the log to its end");
	return code;
}

/* Nothing may be left for later steps. */
static void
tell_everything(struct demo *d)
{
	d->told_us = d->now_us;
	d->told_seq = INT64_MAX;
}

/* What is not sent now would wait for the morning, or not, as the machine is slow or fast. */
static bool
last_text_hour(const struct demo *d, int64_t next_us)
{
	const struct catalogue_municipality *m = &d->cat->municipality;
	int64_t until_us;

	return compose_sms_hours(m, d->now_us, &until_us)
	       && !compose_sms_hours(m, next_us, &until_us);
}

enum exit_code
demo_play(struct demo *d)
{
	uint64_t began_ms = clock_monotonic_ms();
	int64_t from_us = d->plan.month.start_us, at_us = from_us;
	/* What is done at midnight is the next month's. */
	int64_t last_us = d->plan.until_us - US_PER_S;
	enum exit_code code = set_clock(d, from_us);

	plan_arrivals(d);
	while (code == MASA_OK && at_us < last_us) {
		at_us += step_us(d);
		if (at_us > last_us)
			at_us = last_us;
		if (d->options.speed > 0)
			rest_until(
			    began_ms
			    + (uint64_t)((double)(at_us - from_us) / d->options.speed / 1000));
		code = set_clock(d, at_us);
		d->waits.steps++;
		if (last_text_hour(d, at_us + step_us(d)))
			tell_everything(d);
		if (code == MASA_OK)
			code = settle(d);
		d->told_us = d->now_us;
		d->told_seq = (int64_t)d->news_through;
		memcpy(d->last_number, d->newest_number, sizeof(d->last_number));
		show_progress(d, false);
	}
	demo_agenda_finish(&d->agenda);
	if (code == MASA_OK)
		code = set_clock(d, d->plan.until_us);
	tell_everything(d);
	if (code == MASA_OK)
		code = settle(d);
	if (code == MASA_OK)
		demo_figures_tickets(d);
	show_progress(d, true);
	return code == MASA_OK ? wait_for_readers(d) : code;
}
