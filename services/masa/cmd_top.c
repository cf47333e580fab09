/* masa top: how the system is, on one screen, until q. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "masa.h"
#include "page.h"
#include "terminal.h"
#include "top_figures.h"
#include "top_picture.h"
#include "top_screen.h"

static enum exit_code top_run(struct masa *m, int argc, char **argv);

const struct command top_commands[] = {
	{ "top", "", "[--every SECONDS] [--once] [--no-color]",
	    "how the system is, live on one screen: services, rates, queues, readers, the log's "
	    "lock; q ends it; --once (and a pipe) prints it once, 1 when something is wrong",
	    top_run },
	{ 0 },
};

enum {
	ASK_MS = 1500, /* the services, and then the record, have so long to answer */
	BETWEEN_MS = 1000, /* the two pictures of --once, for rates */
	DRAW_MS = 1000, /* the time goes on, and the age of what is shown */
	EVERY_MIN_MS = 500,
	EVERY_MAX_MS = 60000,
};

/* The screen of somebody who watches. */
struct watch {
	struct top_source *source;
	struct top_picture pictures[2]; /* the last two, by turns */
	unsigned taken; /* so many were taken */
	struct top_figures figures;
	uint64_t ask_at_ms;
	int64_t every_ms;
	bool paused, colours;
};

static enum exit_code
parse_every(const char *text, int64_t *ret_ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0.5 && seconds <= 60))
		return masa_fail(MASA_USAGE, "--every is a number of seconds, from 0.5 to 60");
	*ret_ms = (int64_t)(seconds * 1000);
	return MASA_OK;
}

static bool
print_page(const struct watch *w)
{
	unsigned width, height;

	terminal_size(&width, &height);
	const struct page_look look = { .width = width, .utf8 = terminal_is_utf8() };
	const struct top_view view = { .figures = &w->figures, .at_us = w->figures.at_us };
	struct page *page = page_create(&look);
	size_t len = 0;
	const char *text = NULL;

	if (page != NULL) {
		top_screen_draw(&view, page);
		text = page_text(page, &len);
	}
	if (text != NULL)
		(void)fwrite(text, 1, len, stdout);
	page_destroy(page);
	return text != NULL;
}

/* Two pictures, a moment apart, and what they say. */
static enum exit_code
run_once(struct masa *m, struct watch *w)
{
	for (int i = 0; i < 2; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){ .tv_sec = BETWEEN_MS / 1000 }, NULL);
		if (!top_picture_take(w->source, ASK_MS, -1, &w->pictures[w->taken % 2]))
			return masa_fail(MASA_FAILED, "no memory");
		w->taken++;
	}
	top_figures_make(&w->figures, &w->pictures[1], &w->pictures[0]);
	if (m->json)
		masa_print(m, top_figures_json(&w->figures));
	else if (!print_page(w))
		return masa_fail(MASA_FAILED, "no memory");
	return top_is_well(&w->figures) ? MASA_OK : MASA_FAILED;
}

static void
draw(const struct watch *w)
{
	unsigned width, height;
	static const char home[] = "\033[H";
	size_t len = 0;

	terminal_size(&width, &height);
	const struct page_look look = { .width = width,
		.height = height,
		.terminal = true,
		.colours = w->colours,
		.utf8 = terminal_is_utf8() };
	const struct top_picture *last = &w->pictures[(w->taken + 1) % 2];
	uint64_t now_ms = clock_monotonic_ms();
	const struct top_view view = { .figures = w->taken > 0 ? &w->figures : NULL,
		.at_us = clock_now_us(),
		.age_s = w->taken > 0 ? (double)(now_ms - last->at_ms) / 1000 : 0,
		.every_s = (double)w->every_ms / 1000,
		.paused = w->paused };
	struct page *page = page_create(&look);

	if (page == NULL)
		return;
	top_screen_draw(&view, page);
	const char *text = page_text(page, &len);
	if (text != NULL) {
		terminal_write(home, sizeof(home) - 1);
		terminal_write(text, len);
	}
	page_destroy(page);
}

/* Takes a picture unless a key is pressed meanwhile. */
static void
look(struct watch *w)
{
	struct top_picture fresh;

	if (!top_picture_take(w->source, ASK_MS, terminal_fd(), &fresh))
		return;
	struct top_picture *place = &w->pictures[w->taken % 2];
	top_picture_finish(place);
	*place = fresh;
	top_figures_make(
	    &w->figures, place, w->taken > 0 ? &w->pictures[(w->taken + 1) % 2] : NULL);
	w->taken++;
	w->ask_at_ms = clock_monotonic_ms() + (uint64_t)w->every_ms;
}

/* False: it is over. */
static bool
take_key(struct watch *w, char key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case ' ':
	case '\n':
		w->ask_at_ms = 0;
		break;
	case 'p':
	case 'P':
		w->paused = !w->paused;
		break;
	case '+':
		w->every_ms = w->every_ms / 2 > EVERY_MIN_MS ? w->every_ms / 2 : EVERY_MIN_MS;
		w->ask_at_ms = 0;
		break;
	case '-':
		w->every_ms = w->every_ms * 2 < EVERY_MAX_MS ? w->every_ms * 2 : EVERY_MAX_MS;
		break;
	default:
		break;
	}
	return true;
}

static enum exit_code
run_live(struct watch *w)
{
	if (!terminal_take())
		return masa_fail(MASA_FAILED, "the terminal cannot be used; --once prints it once");
	bool goes_on = true;
	while (goes_on) {
		char key = 0;
		uint64_t now_ms = clock_monotonic_ms();
		int wait_ms = DRAW_MS;
		bool asks = w->ask_at_ms == 0 || (!w->paused && now_ms >= w->ask_at_ms);
		draw(w);
		if (asks) {
			look(w);
			wait_ms = 0;
			draw(w);
		} else if (!w->paused && w->ask_at_ms - now_ms < DRAW_MS) {
			wait_ms = (int)(w->ask_at_ms - now_ms);
		}
		switch (terminal_wait(wait_ms, &key)) {
		case TERMINAL_KEY:
			goes_on = take_key(w, key);
			break;
		case TERMINAL_GONE:
			goes_on = false;
			break;
		case TERMINAL_TIME:
		case TERMINAL_RESIZED:
			break;
		}
	}
	terminal_give_back();
	return MASA_OK;
}

static enum exit_code
top_run(struct masa *m, int argc, char **argv)
{
	const char *every = "2";
	bool once = false, no_color = false;
	const struct option_spec specs[] = { { "every", &every, NULL }, { "once", NULL, &once },
		{ "no-color", NULL, &no_color } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	struct watch *w = calloc(1, sizeof(*w));
	if (code == MASA_OK && w == NULL)
		code = masa_fail(MASA_FAILED, "no memory");
	if (code == MASA_OK)
		code = parse_every(every, &w->every_ms);
	if (code == MASA_OK) {
		w->colours = !no_color && terminal_has_colours();
		w->source = top_source_open();
		if (w->source == NULL)
			code = masa_fail(MASA_FAILED, "no memory");
	}
	if (code == MASA_OK)
		code = once || m->json || !terminal_is_there() ? run_once(m, w) : run_live(w);
	if (w != NULL) {
		top_source_close(w->source);
		top_picture_finish(&w->pictures[0]);
		top_picture_finish(&w->pictures[1]);
	}
	free(w);
	return code;
}
