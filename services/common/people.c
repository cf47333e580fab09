/* Opens and closes people, looks sessions up, and lets a request through or not. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "people_internal.h"

enum { COMPLAINT_BYTES = 300 };

const char *const people_role_names[PEOPLE_ROLES] = { "viewer", "call-taker", "clerk", "operator",
	"administrator" };

static const char *const sign_in_outcomes[] = { "done", "wrong", "locked", "busy", "away",
	"foreign", NULL };
static const char *const lock_kinds[] = { "user", "address", "place", NULL };
static const char *const password_outcomes[] = { "changed", "refused", NULL };
static const char *const ask_outcomes[] = { "known", "stranger", "role", "forged", "away", NULL };

static const struct stat_row stat_rows[PEOPLE_STATS] = {
	[PEOPLE_STAT_SIGN_INS] = { .name = "turunc_people_sign_ins_total",
	    .help = "Attempts to sign in",
	    .label = "outcome",
	    .label_values = sign_in_outcomes },
	[PEOPLE_STAT_LOCKS] = { .name = "turunc_people_locks_total",
	    .help = "Locks after too many wrong passwords",
	    .label = "of",
	    .label_values = lock_kinds },
	[PEOPLE_STAT_SIGN_OUTS] = { .name = "turunc_people_sign_outs_total",
	    .help = "Sessions people ended themselves" },
	[PEOPLE_STAT_PASSWORDS] = { .name = "turunc_people_password_changes_total",
	    .help = "Forms to change one's own password",
	    .label = "outcome",
	    .label_values = password_outcomes },
	[PEOPLE_STAT_ASKS] = { .name = "turunc_people_requests_total",
	    .help = "Requests to pages of people, by who sent them",
	    .label = "by",
	    .label_values = ask_outcomes },
	[PEOPLE_STAT_LOOKS] = { .name = "turunc_people_lookups_total",
	    .help = "Sessions looked up in the record" },
	[PEOPLE_STAT_WAITING] = { .name = "turunc_people_passwords_waiting",
	    .help = "Passwords waiting to be checked or being checked",
	    .type = STAT_GAUGE },
	[PEOPLE_STAT_CHECKED] = { .name = "turunc_people_password_seconds",
	    .help = "From an attempt's arrival to its answer",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
};

/* --- asking ----------------------------------------------------------------------------------- */

struct ask {
	struct people *people;
	struct http_request *req;
	unsigned roles;
	people_known_fn *known;
	void *arg;
	bool even_away;
	bool looks_on;
	uint8_t token[PEOPLE_TOKEN_BYTES];
	struct digest session;
};

const char *
people_cookie_name(const struct people *p)
{
	return p->settings.secure ? "__Host-turunc" : "turunc";
}

bool
people_session_of(const struct people *p, const struct http_request *req,
    uint8_t ret_token[PEOPLE_TOKEN_BYTES], struct digest *ret_digest)
{
	if (!people_cookie_find(http_header(req, "Cookie"), people_cookie_name(p), ret_token))
		return false;
	people_token_digest(ret_token, ret_digest);
	return true;
}

bool
people_is_ours(const struct people *p, const struct http_request *req)
{
	return people_same_origin(http_header(req, "Origin"), http_header(req, "Sec-Fetch-Site"),
	    http_header(req, "Host"), p->settings.secure);
}

static bool
changes(const struct http_request *req)
{
	return http_request_method(req) != HTTP_GET && http_request_method(req) != HTTP_HEAD
	       && http_request_method(req) != HTTP_OPTIONS;
}

static const char *
form_token_of(const struct http_request *req)
{
	const char *given = http_header(req, "X-CSRF-Token");
	size_t count;

	if (given != NULL)
		return given;
	if (http_content_type_is(req, "multipart/form-data"))
		given = http_query(req, "csrf", &count);
	else
		given = http_form(req, "csrf", &count);
	return given != NULL && count == 1 ? given : NULL;
}

static void
count_ask(struct people *p, size_t outcome)
{
	stats_add_at(p->stats, PEOPLE_STAT_ASKS, outcome, 1);
}

/* The page asked for, as a browser may be sent there.  False: it does not fit. */
static bool
target_of(const struct http_request *req, char target[PEOPLE_NEXT_BYTES + 1])
{
	bool fits;

	target[0] = '\0';
	fits = people_escape(target, PEOPLE_NEXT_BYTES + 1, http_request_path(req), "/");
	for (size_t i = 0; fits && i < http_query_count(req); i++) {
		const struct http_pair *pair = http_query_at(req, i);
		fits = people_escape(target, PEOPLE_NEXT_BYTES + 1, i == 0 ? "?" : "&", "?&")
		       && people_escape(target, PEOPLE_NEXT_BYTES + 1, pair->name, "")
		       && people_escape(target, PEOPLE_NEXT_BYTES + 1, "=", "=")
		       && people_escape(target, PEOPLE_NEXT_BYTES + 1, pair->value, "");
	}
	return fits;
}

/* To the sign-in page, and from there back to where they were going.  over: they had a session. */
static void
send_to_sign_in(const struct people *p, struct http_request *req, bool over)
{
	char target[PEOPLE_NEXT_BYTES + 1], to[PEOPLE_URL_SIZE];
	const char *language = http_query(req, "lang", NULL) == NULL ? ""
			       : html_language(req) == CATALOGUE_EN  ? "lang=en&"
								     : "lang=tr&";

	(void)snprintf(
	    to, sizeof(to), "%ssign-in?%s%s", p->prefix, language, over ? "over=1&" : "");
	size_t len = strlen(to);
	if (!target_of(req, target) || strcmp(target, p->prefix) == 0
	    || !people_next_valid(target, p->prefix) || !people_escape(to, sizeof(to), "next=", "=")
	    || !people_escape(to, sizeof(to), target, "/"))
		to[len - 1] = '\0'; /* without the last ? or & */
	people_redirect(req, to, NULL);
}

static void
refuse_stranger(struct people *p, struct http_request *req, bool over)
{
	count_ask(p, ASK_STRANGER);
	if (!changes(req) && people_takes_html(req))
		send_to_sign_in(p, req, over);
	else
		people_reply_word(p, req, 401, PEOPLE_OVER, NULL);
}

static void
let_through(struct people *p, const struct ask *ask, const struct known *known)
{
	if (changes(ask->req)
	    && !people_form_token_equal(form_token_of(ask->req), known->form_token)) {
		count_ask(p, ASK_FORGED);
		people_reply_word(p, ask->req, 403, PEOPLE_FOREIGN, NULL);
		return;
	}
	if (!ask->looks_on)
		people_used(p, &ask->session);
	if ((known->who.roles & ask->roles) == 0) {
		count_ask(p, ASK_ROLE);
		people_reply_word(p, ask->req, 403, PEOPLE_NOT_YOURS, &known->who);
		return;
	}
	count_ask(p, ASK_KNOWN);
	ask->known(ask->arg, ask->req, &known->who);
}

/* NULL: no memory, or more departments than fit. */
static struct known *
read_known(const struct pg_result *rows, const uint8_t token[PEOPLE_TOKEN_BYTES])
{
	struct db_elements each = db_get_array(rows, 0, LOOK_DEPARTMENTS);
	size_t bytes = 0, used = 0;

	for (struct db_elements e = each; db_next_element(&e);)
		bytes += e.len + 1;
	struct known *k = calloc(1, sizeof(*k) + bytes);
	if (k == NULL)
		return NULL;
	(void)snprintf(k->who.name, sizeof(k->who.name), "%s", db_get_text(rows, 0, LOOK_NAME));
	(void)snprintf(
	    k->who.shown_as, sizeof(k->who.shown_as), "%s", db_get_text(rows, 0, LOOK_SHOWN));
	k->who.roles = (unsigned)db_get_int(rows, 0, LOOK_ROLES);
	k->who.seen_us = db_get_int(rows, 0, LOOK_SEEN);
	k->who.until_us = db_get_int(rows, 0, LOOK_UNTIL);
	while (db_next_element(&each) && k->who.department_count < PEOPLE_DEPARTMENTS_MAX) {
		if (each.data == NULL)
			continue;
		k->departments[k->who.department_count++] = k->text + used;
		memcpy(k->text + used, each.data, each.len);
		used += each.len + 1;
	}
	k->who.departments = k->departments;
	people_form_token(token, k->form_token);
	k->who.form_token = k->form_token;
	return k;
}

static void
answer_away(struct people *p, const struct ask *ask)
{
	const struct known *known = ask->even_away ? people_recall_away(p, &ask->session) : NULL;

	if (known != NULL) {
		let_through(p, ask, known);
		return;
	}
	count_ask(p, ASK_AWAY);
	people_reply_word(p, ask->req, 503, PEOPLE_AWAY, NULL);
}

static void
on_looked(void *arg, const struct db_reply *reply)
{
	struct ask *ask = arg;
	struct people *p = ask->people;
	struct known *known = NULL;

	p->pending--;
	if (reply->outcome == DB_COMMITTED)
		people_heard(p);
	if (reply->outcome == DB_COMMITTED && db_rows(reply->results[0]) == 1)
		known = read_known(reply->results[0], ask->token);
	if (reply->outcome == DB_COMMITTED && known == NULL && db_rows(reply->results[0]) == 0) {
		people_forget(p, &ask->session);
		refuse_stranger(p, ask->req, true);
	} else if (known == NULL) {
		answer_away(p, ask);
	} else {
		people_remember(p, &ask->session, known);
		let_through(p, ask, known);
	}
	sodium_memzero(ask, sizeof(*ask));
	free(ask);
}

static void
look(struct people *p, const struct ask *asked)
{
	struct ask *ask = malloc(sizeof(*ask));
	struct db_unit *unit = ask == NULL || p->stopped ? NULL : db_unit_create(p->db);

	db_unit_add(unit, PEOPLE_LOOK);
	db_add_bytea(unit, asked->session.bytes, DIGEST_BYTES);
	db_add_int8(unit, clock_real_us());
	db_add_int8(unit, p->settings.idle_ms * 1000);
	if (ask != NULL)
		*ask = *asked;
	if (unit != NULL && db_submit(p->db, unit, on_looked, ask)) {
		p->pending++;
		stats_incr(p->stats, PEOPLE_STAT_LOOKS);
		return;
	}
	db_unit_destroy(unit);
	free(ask);
	answer_away(p, asked);
}

static void
ask_for(struct people *p, struct ask ask)
{
	struct http_request *req = ask.req;

	if (changes(req) && !people_is_ours(p, req)) {
		count_ask(p, ASK_FORGED);
		people_reply_word(p, req, 403, PEOPLE_FOREIGN, NULL);
		return;
	}
	if (!people_session_of(p, req, ask.token, &ask.session)) {
		refuse_stranger(p, req, false);
		return;
	}
	bool waits = ask.even_away && (p->stopped || db_state_now(p->db) != DB_READY);
	const struct known *recalled = waits ? people_recall_away(p, &ask.session) : NULL;
	if (recalled == NULL && !changes(req))
		recalled = people_recall(p, &ask.session);
	if (recalled != NULL)
		let_through(p, &ask, recalled);
	else
		look(p, &ask);
	sodium_memzero(&ask, sizeof(ask));
}

void
people_ask(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg)
{
	ask_for(
	    p, (struct ask){ .people = p, .req = req, .roles = roles, .known = known, .arg = arg });
}

void
people_ask_even_away(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg)
{
	ask_for(p, (struct ask){ .people = p,
		       .req = req,
		       .roles = roles,
		       .known = known,
		       .arg = arg,
		       .even_away = true });
}

void
people_ask_looking_on(
    struct people *p, struct http_request *req, unsigned roles, people_known_fn *known, void *arg)
{
	ask_for(p, (struct ask){ .people = p,
		       .req = req,
		       .roles = roles,
		       .known = known,
		       .arg = arg,
		       .looks_on = true });
}

static int64_t
tick(void *arg, uint64_t now_ms)
{
	struct people *p = arg;

	stats_set(p->stats, PEOPLE_STAT_WAITING, (int64_t)passwords_waiting(p->passwords));
	if (now_ms >= p->keep_ms)
		people_keep(p, now_ms);
	return (int64_t)(p->keep_ms > now_ms ? p->keep_ms - now_ms : 1);
}

/* --- open and close --------------------------------------------------------------------------- */

static void
on_state(void *arg, enum db_state state, const char *why)
{
	struct people *p = arg;

	daemon_set_dependency(
	    p->daemon, p->dependency, state == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN, why);
	if (state == DB_READY) {
		log_info("record reached for=people");
		/* Who worked on meanwhile has not been idle. */
		p->keep_ms = 0;
		daemon_wake_now(p->daemon);
	} else
		log_warn("record away, nobody is let in why=%s", log_quoted(why));
}

static bool
open_db(struct people *p, const struct people_world *world)
{
	char complaint[COMPLAINT_BYTES] = "";
	const char *password = world->database_password;
	const struct db_settings settings = {
		.conninfo = world->database,
		.password = password == NULL || password[0] == '\0' ? NULL : password,
		.application_name = world->application_name,
		.connections = 2,
		.waiting_max = 256,
		.waiting_ms = 2000,
	};
	const struct db_events events = { .on_state = on_state, .arg = p };

	p->db = db_open(daemon_loop(p->daemon), &settings, people_statements, PEOPLE_STATEMENTS,
	    &events, complaint, sizeof(complaint));
	if (p->db == NULL)
		log_error("cannot start what=TURUNC_DATABASE why=%s", log_quoted(complaint));
	return p->db != NULL;
}

static bool
add_routes(struct people *p)
{
	static const struct {
		unsigned methods;
		const char *name;
		http_handler_fn *handle;
	} table[] = {
		{ HTTP_GET, "sign-in", people_get_sign_in },
		{ HTTP_POST, "sign-in", people_post_sign_in },
		{ HTTP_POST, "sign-out", people_post_sign_out },
		{ HTTP_GET, "password", people_get_password },
		{ HTTP_POST, "password", people_post_password },
		{ HTTP_GET, "people.css", people_get_style },
	};
	size_t paths = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (i == 0 || strcmp(table[i].name, table[i - 1].name) != 0)
			(void)snprintf(
			    p->paths[paths++], PEOPLE_PATH_SIZE, "%s%s", p->prefix, table[i].name);
		p->routes[i] = (struct http_route){ table[i].methods, p->paths[paths - 1],
			table[i].handle, PEOPLE_FORM_BYTES };
	}
	return http_add_routes(p->http, p->routes, ARRAY_LEN(table), p);
}

static bool
is_busy(void *arg)
{
	return ((const struct people *)arg)->pending > 0;
}

struct people *
people_open(const struct people_world *world)
{
	struct people *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return NULL;
	}
	p->settings = *world->settings;
	/* An idle session must not end because its use was not written down in time. */
	if (p->settings.keep_ms > p->settings.idle_ms / 4)
		p->settings.keep_ms = p->settings.idle_ms / 4;
	p->daemon = world->daemon;
	p->http = world->http;
	(void)snprintf(p->prefix, sizeof(p->prefix), "%s", world->prefix);
	p->dependency = daemon_add_dependency(p->daemon, "people_record", false);
	p->stats = stats_create(stat_rows, PEOPLE_STATS);
	p->passwords = passwords_open(daemon_loop(p->daemon), (size_t)p->settings.queue);
	if (p->stats == NULL || p->passwords == NULL || !add_routes(p)) {
		log_error(
		    "cannot start why=\"no memory, no thread or no room for people's routes\"");
		people_stop(p);
		people_close(p);
		return NULL;
	}
	if (!open_db(p, world)) {
		people_stop(p);
		people_close(p);
		return NULL;
	}
	daemon_add_part(p->daemon, (struct daemon_part){ "people", NULL, is_busy, p });
	daemon_add_tick(p->daemon, tick, p);
	return p;
}

/* Hashes first: what they found goes to the record, which then answers that it is gone. */
void
people_stop(struct people *p)
{
	if (p == NULL || p->stopped)
		return;
	p->stopped = true;
	passwords_close(p->passwords);
	p->passwords = NULL;
	db_close(p->db);
	p->db = NULL;
}

void
people_close(struct people *p)
{
	if (p == NULL)
		return;
	people_stop(p);
	people_forget_all(p);
	stats_destroy(p->stats);
	free(p);
}

const struct stats *
people_stats(const struct people *p)
{
	return p->stats;
}
