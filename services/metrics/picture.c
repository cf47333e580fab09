/* Reads the figures, names them for people, and knows how old they are. */
#include "picture.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "istanbul.h"
#include "log.h"
#include "registry.h"
#include "store.h"
#include "uuid.h"

enum { IDLE_READ_MS = 1000, CURSOR_MS = 1000, LEAST_TICK_MS = 10, FRESH_MS = 10000 };

struct picture {
	struct db *db;
	struct live *live;
	struct projector *projector;
	const struct registry *registry;
	picture_add_fn *add;
	uint64_t read_ms, look_ms;
	picture_change_fn *on_change;
	void *arg;
	enum projector_state state;
	struct figures figures; /* last read whole */
	struct figures next; /* being read */
	uint64_t seq;
	bool known;
	bool confirmed; /* as_of_ms comes from a look, not from the last record's time */
	uint64_t as_of_ms; /* monotonic */
	bool moved;
	bool reading, looking, storing;
	uint64_t last_read_ms, last_look_ms, last_cursor_ms;
	uint64_t look_began_ms; /* the look under way */
	uint64_t looked_seq, looked_ms; /* the last answer, and when it was asked */
	bool looked;
	uint64_t stored_seq;
};

static const char *const statuses[] = { NULL, "opened", "triage", "routed", "accepted",
	"in_progress", "waiting", "resolved", "rejected", "forwarded", "duplicate", "withdrawn",
	"closed" };
static const char *const channels[] = { "other", "call", "web", "open311", "email", "cimer", "desk",
	"bus", "sms" };

struct picture *
picture_create(picture_change_fn *on_change, void *arg)
{
	struct picture *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->on_change = on_change;
	p->arg = arg;
	return p;
}

void
picture_set_parts(struct picture *p, const struct picture_options *options)
{
	p->db = options->db;
	p->live = options->live;
	p->projector = options->projector;
	p->registry = options->registry;
	p->add = options->add;
	p->read_ms = options->read_ms;
	p->look_ms = options->look_ms;
}

void
picture_destroy(struct picture *p)
{
	if (p == NULL)
		return;
	figures_finish(&p->figures);
	figures_finish(&p->next);
	free(p);
}

void
picture_moved(struct picture *p)
{
	p->moved = true;
}

void
picture_state_changed(struct picture *p, enum projector_state state)
{
	p->moved = true;
	if (p->state == state)
		return;
	p->state = state;
	p->on_change(p->arg);
}

enum projector_state
picture_state(const struct picture *p)
{
	return p->state;
}

const struct figures *
picture_figures(const struct picture *p)
{
	return &p->figures;
}

uint64_t
picture_seq(const struct picture *p)
{
	return p->seq;
}

int64_t
picture_age_ms(const struct picture *p, uint64_t now_ms)
{
	if (!p->known)
		return -1;
	return now_ms > p->as_of_ms ? (int64_t)(now_ms - p->as_of_ms) : 0;
}

bool
picture_fresh(const struct picture *p, uint64_t now_ms)
{
	int64_t age_ms = picture_age_ms(p, now_ms);

	return p->state == PROJECTOR_FOLLOWING && age_ms >= 0 && age_ms < FRESH_MS;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool
name_of(const char *name, const char *kind, const char *const *words, size_t count,
    char out[FIGURE_NAME_SIZE])
{
	size_t len = strlen(kind);

	if (strncmp(name, kind, len) != 0)
		return false;
	char *end;
	unsigned long n = strtoul(name + len, &end, 10);
	if (*end != '\0' || n >= count || words[n] == NULL)
		return false;
	(void)snprintf(out, FIGURE_NAME_SIZE, "%s%s", kind, words[n]);
	return true;
}

bool
picture_name(const char *name, char out[FIGURE_NAME_SIZE])
{
	static const char *const of_channels[] = { "today.", "open.", "due.", "soon.", "late." };

	if (name_of(name, "status.", statuses, ARRAY_LEN(statuses), out))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(of_channels); i++)
		if (name_of(name, of_channels[i], channels, ARRAY_LEN(channels), out))
			return true;
	int len = snprintf(out, FIGURE_NAME_SIZE, "%s", name);
	return len > 0 && len < FIGURE_NAME_SIZE;
}

/* --- reading the figures ---------------------------------------------------------------------- */

static bool
take_rows(struct picture *p, const struct live_reading *reading)
{
	char name[FIGURE_NAME_SIZE];

	figures_clear(&p->next);
	for (size_t i = 0; i + 1 < reading->count; i += 2) {
		if (reading->rows[i]->type != REDIS_REPLY_STRING
		    || reading->rows[i + 1]->type != REDIS_REPLY_STRING
		    || !picture_name(reading->rows[i]->str, name)
		    || !figures_set(&p->next, name, strtoll(reading->rows[i + 1]->str, NULL, 10)))
			return false;
	}
	int64_t lag_ms = projector_lag_ms(p->projector);
	return figures_complete(&p->next) && p->add(p->arg, &p->next)
	       && (lag_ms < 0 || figures_set(&p->next, "lag_ms", lag_ms));
}

/* What was read counts up to seq; how old is that? */
static void
set_age(struct picture *p, const struct live_reading *reading, uint64_t now_ms)
{
	if (p->looked && reading->seq >= p->looked_seq) {
		p->as_of_ms = p->looked_ms;
		p->confirmed = true;
	} else if (!p->confirmed) {
		/* Nobody has said how far the log is: at worst nothing happened to be projected
		 * since the last record that was. */
		int64_t age_ms = (clock_now_us() - reading->committed_us) / 1000;
		p->as_of_ms = age_ms < 0                   ? now_ms
			      : (uint64_t)age_ms >= now_ms ? 0
							   : now_ms - (uint64_t)age_ms;
	}
}

static void
ignore(void *arg, const char *name, bool known, int64_t value)
{
	(void)arg;
	(void)name;
	(void)known;
	(void)value;
}

static void
on_read(void *arg, enum live_outcome outcome, const struct live_reading *reading)
{
	struct picture *p = arg;

	p->reading = false;
	if (outcome != LIVE_OK) {
		projector_doubt(p->projector, outcome);
		return;
	}
	if (p->state != PROJECTOR_FOLLOWING)
		return;
	if (!take_rows(p, reading)) {
		log_warn("figures not understood, the former are kept");
		return;
	}
	bool news = !p->known || figures_diff(&p->figures, &p->next, ignore, NULL) > 0;
	struct figures former = p->figures;
	p->figures = p->next;
	p->next = former;
	p->seq = reading->seq;
	p->known = true;
	set_age(p, reading, clock_monotonic_ms());
	if (news)
		p->on_change(p->arg);
}

/* Without a catalogue nobody has said what is quick or near, and no place is named. */
static struct live_bounds
bounds_of(const struct catalogue *catalogue)
{
	const struct catalogue_municipality *m = catalogue == NULL ? NULL
								   : &catalogue->municipality;

	if (m == NULL)
		return (struct live_bounds){ .surge = INT32_MAX };
	return (struct live_bounds){ .quick_s = m->answer_within_s,
		.soon_us = m->legal_due_soon_days * US_PER_DAY,
		.surge = m->surge_reports };
}

static void
read_figures(struct picture *p, uint64_t now_ms)
{
	struct window window = window_at(clock_now_us());
	struct live_bounds bounds = bounds_of(registry_catalogue(p->registry));

	p->moved = false;
	p->last_read_ms = now_ms;
	p->reading = live_read(
	    p->live, projector_position(p->projector), &window, &bounds, on_read, p);
}

/* --- looking at the record -------------------------------------------------------------------- */

static void
on_look(void *arg, const struct db_reply *reply)
{
	struct picture *p = arg;
	char log_id[UUID_TEXT_SIZE];

	p->looking = false;
	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) != 1)
		return;
	struct uuid id = db_get_uuid(reply->results[0], 0, 0);
	uuid_format(&id, log_id);
	p->looked_seq = (uint64_t)db_get_int(reply->results[0], 0, 1);
	p->looked_ms = p->look_began_ms;
	p->looked = true;
	projector_head_seen(p->projector, log_id, p->looked_seq);
}

static void
look(struct picture *p, uint64_t now_ms)
{
	struct db_unit *unit = db_unit_create(p->db);

	db_unit_add(unit, STORE_HEAD);
	p->last_look_ms = now_ms;
	p->look_began_ms = now_ms;
	p->looking = db_submit(p->db, unit, on_look, p);
	if (!p->looking)
		db_unit_destroy(unit);
}

static void
on_stored(void *arg, const struct db_reply *reply)
{
	struct picture *p = arg;

	p->storing = false;
	if (reply->outcome == DB_FAILED)
		log_warn("own place not noted, tried again why=%s", log_quoted(reply->message));
}

/* Where we stand, for whoever looks after the consumers of the log. */
static void
store_cursor(struct picture *p, uint64_t now_ms)
{
	const struct live_position *at = projector_position(p->projector);
	struct uuid log_id;

	p->last_cursor_ms = now_ms;
	if (at->seq == p->stored_seq || !uuid_parse(at->log_id, UUID_TEXT_LEN, &log_id))
		return;
	struct db_unit *unit = db_unit_create(p->db);
	db_unit_add(unit, STORE_CURSOR);
	db_add_uuid(unit, &log_id);
	db_add_int8(unit, (int64_t)at->seq);
	db_add_int8(unit, clock_now_us());
	p->storing = db_submit(p->db, unit, on_stored, p);
	if (p->storing)
		p->stored_seq = at->seq;
	else
		db_unit_destroy(unit);
}

int64_t
picture_tick(struct picture *p, uint64_t now_ms)
{
	bool ready = db_state_now(p->db) == DB_READY;

	if (ready && !p->looking && now_ms - p->last_look_ms >= p->look_ms)
		look(p, now_ms);
	if (p->state == PROJECTOR_FOLLOWING) {
		uint64_t wait_ms = p->moved ? p->read_ms : IDLE_READ_MS;
		if (!p->reading && now_ms - p->last_read_ms >= wait_ms)
			read_figures(p, now_ms);
		if (ready && !p->storing && now_ms - p->last_cursor_ms >= CURSOR_MS)
			store_cursor(p, now_ms);
	}
	uint64_t next = p->read_ms < p->look_ms ? p->read_ms : p->look_ms;
	return (int64_t)(next / 2 < LEAST_TICK_MS ? LEAST_TICK_MS : next / 2);
}
