/* Subscriptions: taken, taken over, frozen, and noticed when somebody else moved them. */
#include "stream_internal.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

enum {
	IN_USE_RETRY_MS = 1000,
	AWAY_RETRY_MS = 1000,
	TAKES_MAX = 2, /* for one Subscribe */
};

/* What the record answers to a take (turunc.take_subscription). */
enum take_outcome {
	TAKE_OK,
	TAKE_FILTER_DIFFERS,
	TAKE_LOG_CHANGED,
	TAKE_BEYOND,
	TAKE_TOO_MANY,
	TAKE_LOST, /* somebody else took it since its epoch was asked for */
};

/* --- answers to a Subscribe ------------------------------------------------------------------- */

struct refusal {
	enum stream_outcome outcome;
	Turunc__V1__ErrorCode code;
	const char *text;
	uint32_t retry_ms;
	uint64_t last_common_seq;
};

static void
refuse(
    struct stream *s, struct bus_session *session, uint64_t request, const struct refusal *refusal)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;

	stats_add_at(s->stats, STREAM_STAT_SUBSCRIBES, refusal->outcome, 1);
	log_info("subscribe refused client=%s session=%llu why=%s", bus_session_client(session),
	    (unsigned long long)bus_session_id(session), log_quoted(refusal->text));
	memcpy(&error.text, &refusal->text, sizeof(refusal->text));
	error.code = refusal->code;
	error.retry_ms = refusal->retry_ms;
	error.last_common_seq = refusal->last_common_seq;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
	frame.error = &error;
	bus_send(session, &frame);
}

static const struct refusal too_much = { .outcome = OUTCOME_TOO_MUCH,
	.code = TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
	.text = "a session has one subscription: open another session" };
static const struct refusal too_many = { .outcome = OUTCOME_TOO_MUCH,
	.code = TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
	.text = "this client has too many subscriptions" };
static const struct refusal uncovered = { .outcome = OUTCOME_FORBIDDEN,
	.code = TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
	.text = "the client's rights do not cover these types and departments" };
static const struct refusal in_use = { .outcome = OUTCOME_IN_USE,
	.code = TURUNC__V1__ERROR_CODE__ERROR_IN_USE,
	.text = "another session holds this subscription",
	.retry_ms = IN_USE_RETRY_MS };
static const struct refusal away = { .outcome = OUTCOME_UNAVAILABLE,
	.code = TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE,
	.text = "the record is away",
	.retry_ms = AWAY_RETRY_MS };
static const struct refusal contended = { .outcome = OUTCOME_UNAVAILABLE,
	.code = TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE,
	.text = "others take this subscription at this moment",
	.retry_ms = AWAY_RETRY_MS };
static const struct refusal leaving = { .outcome = OUTCOME_UNAVAILABLE,
	.code = TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN,
	.text = "the door is closing",
	.retry_ms = AWAY_RETRY_MS };
static const struct refusal filter_differs = { .outcome = OUTCOME_FILTER_DIFFERS,
	.code = TURUNC__V1__ERROR_CODE__ERROR_FILTER_DIFFERS,
	.text = "another filter is stored: replace it, with an explicit position" };
static const struct refusal beyond = { .outcome = OUTCOME_MALFORMED,
	.code = TURUNC__V1__ERROR_CODE__ERROR_MALFORMED,
	.text = "from_seq: beyond the end of the log" };

/* --- freezing --------------------------------------------------------------------------------- */

static void
on_frozen(void *arg, const struct db_reply *reply)
{
	stream_unit_done(arg, reply);
}

/* The stored position stays where it is until the rights cover its filter again.  When this cannot
 * be written, the next Subscribe still finds the rights too narrow. */
static void
freeze(struct stream *s, const char *client, const char *name, const struct filter *f)
{
	struct db_unit *unit = db_unit_create(s->in.db);

	db_unit_add(unit, STORE_STREAM_FREEZE);
	db_add_text(unit, client);
	db_add_text(unit, name);
	db_add_text(unit, "the client's rights no longer cover its filter");
	struct db_array *types = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < f->type_count; i++)
		db_array_text(types, f->types[i]);
	struct db_array *departments = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < f->department_count; i++)
		db_array_text(departments, f->departments[i]);
	db_add_int8(unit, clock_now_us());
	(void)!stream_submit(s, unit, on_frozen, s);
}

static bool
rights_cover(const struct acl_client *rights, const struct filter *f)
{
	return rights != NULL && acl_allows_verb(rights, ACL_SUBSCRIBE)
	       && filter_covered(f, rights);
}

static void
freeze_and_end(struct reader *r)
{
	freeze(r->stream, r->client, r->name, &r->asked);
	reader_end(r, END_FROZEN, TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
	    "the client's rights no longer cover this subscription; its position is kept", 0);
}

void
stream_rights_changed(struct stream *s)
{
	struct reader *r, *next;

	for (r = TAILQ_FIRST(&s->readers); r != NULL; r = next) {
		struct filter wider = { 0 };

		next = TAILQ_NEXT(r, link);
		if (r->state != READER_LIVE)
			continue;
		const struct acl_client *rights = bus_session_rights(r->session);
		if (rights == NULL)
			continue; /* the bus ends it, with REVOKED */
		/* What was allowed so far counts, also where the client asked for everything. */
		if (!rights_cover(rights, &r->effective)) {
			freeze_and_end(r);
		} else if (filter_effective(&r->asked, rights, &wider)) {
			filter_finish(&r->effective);
			r->effective = wider;
			reader_choose_anew(r);
		}
	}
}

/* --- a take that came back -------------------------------------------------------------------- */

static struct reader *
other_holder(const struct reader *mine)
{
	struct reader *r;

	TAILQ_FOREACH (r, &mine->stream->readers, link)
		if (r != mine && r->state != READER_NONE && strcmp(r->client, mine->client) == 0
		    && strcmp(r->name, mine->name) == 0)
			return r;
	return NULL;
}

static void
refuse_reader(struct reader *r, const struct refusal *refusal)
{
	reader_stop(r, END_CLOSED);
	refuse(r->stream, r->session, r->request, refusal);
}

static void
supersede(struct reader *r)
{
	reader_end(r, END_SUPERSEDED, TURUNC__V1__ERROR_CODE__ERROR_SUPERSEDED,
	    "another session took this subscription over", 0);
}

static void
tell_subscribed(struct reader *r)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Subscribed subscribed = TURUNC__V1__SUBSCRIBED__INIT;

	subscribed.epoch = r->epoch;
	subscribed.from_seq = r->position + 1;
	frame.request = r->request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_SUBSCRIBED;
	frame.subscribed = &subscribed;
	bus_send(r->session, &frame);
	log_info("subscribed client=%s name=%s session=%llu epoch=%llu from_seq=%llu", r->client,
	    r->name, (unsigned long long)bus_session_id(r->session), (unsigned long long)r->epoch,
	    (unsigned long long)subscribed.from_seq);
}

/* The subscription is this session's now, unless the world changed while it was taken. */
static void
begin(struct reader *r, uint64_t epoch, uint64_t position)
{
	const struct acl_client *rights = bus_session_rights(r->session);
	struct reader *other = other_holder(r);
	r->epoch = epoch;
	r->position = position;
	ledger_start(&r->ledger, position);
	r->told_ms = clock_monotonic_ms();
	r->state = READER_LIVE;
	r->since_us = clock_now_us();
	if (rights == NULL)
		return; /* the bus ends it, with REVOKED */
	if (!rights_cover(rights, &r->asked)) {
		freeze_and_end(r);
		return;
	}
	if (!filter_effective(&r->asked, rights, &r->effective)) {
		refuse_reader(r, &away);
		return;
	}
	bool over = other != NULL && other->state == READER_LIVE;
	if (over && other->epoch > epoch) {
		supersede(r);
		return;
	}
	stats_add_at(
	    r->stream->stats, STREAM_STAT_SUBSCRIBES, over ? OUTCOME_TAKEN_OVER : OUTCOME_TAKEN, 1);
	if (over)
		supersede(other);
	tell_subscribed(r);
}

static bool ask_epoch(struct reader *r);

static void
on_answer(struct reader *r, const struct pg_result *rows)
{
	struct stream *s = r->stream;
	enum take_outcome outcome = (enum take_outcome)db_get_int(rows, 0, 0);
	struct uuid log_id = db_get_uuid(rows, 0, 4);
	const struct refusal changed = { .outcome = OUTCOME_LOG_CHANGED,
		.code = TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED,
		.text = "the log has another history now",
		.last_common_seq = (uint64_t)db_get_int(rows, 0, 3) };
	const struct refusal *const refusals[] = {
		[TAKE_FILTER_DIFFERS] = &filter_differs,
		[TAKE_LOG_CHANGED] = &changed,
		[TAKE_BEYOND] = &beyond,
		[TAKE_TOO_MANY] = &too_many,
		[TAKE_LOST] = &contended,
	};

	if (outcome == TAKE_OK) {
		/* Which of the two is behind, the record says. */
		if (uuid_is_nil(&s->log_uuid))
			stream_log_is(s, &log_id);
		else if (uuid_compare(&s->log_uuid, &log_id) != 0)
			stream_look(s);
		r->log_uuid = log_id;
		begin(r, (uint64_t)db_get_int(rows, 0, 1), (uint64_t)db_get_int(rows, 0, 2));
		return;
	}
	if (outcome == TAKE_LOST) {
		stats_incr(s->stats, STREAM_STAT_TAKES_LOST);
		if (r->wanted.takes < TAKES_MAX && ask_epoch(r))
			return;
	}
	refuse_reader(r, refusals[outcome]);
}

static void
on_taken(void *arg, const struct db_reply *reply)
{
	struct reader *r = arg;

	stream_unit_done(r->stream, reply);
	if (r->session != NULL && r->state == READER_TAKING) {
		if (reply->outcome == DB_COMMITTED)
			on_answer(r, reply->results[0]);
		else
			refuse_reader(r, &away);
	}
	reader_release(r);
}

/* --- Subscribe -------------------------------------------------------------------------------- */

static void
add_list(struct db_unit *unit, char *const *items, size_t count)
{
	struct db_array *array = db_add_array(unit, DB_TEXT);

	for (size_t i = 0; i < count; i++)
		db_array_text(array, items[i]);
}

static bool
take(struct reader *r, int64_t expected_epoch)
{
	struct stream *s = r->stream;
	struct db_unit *unit = db_unit_create(s->in.db);
	struct uuid instance;
	const char *text = bus_session_instance(r->session);
	bool known = uuid_parse(text, strlen(text), &instance);

	r->wanted.takes++;
	db_unit_add(unit, STORE_STREAM_TAKE);
	db_add_text(unit, r->client);
	db_add_text(unit, r->name);
	add_list(unit, r->asked.types, r->asked.type_count);
	add_list(unit, r->asked.departments, r->asked.department_count);
	db_add_int2(unit, (int16_t)r->view);
	db_add_uuid(unit, known ? &instance : NULL);
	db_add_int2(unit, (int16_t)r->wanted.from);
	db_add_int8(unit, r->wanted.from_seq);
	db_add_int8(unit, r->wanted.from_time_us);
	db_add_uuid(unit, r->wanted.log_known ? &r->wanted.log_id : NULL);
	db_add_bool(unit, r->wanted.replace);
	db_add_int8(unit, clock_now_us());
	db_add_int8(unit, expected_epoch);
	if (!stream_submit(s, unit, on_taken, r))
		return false;
	reader_hold(r);
	return true;
}

static void
on_epoch(void *arg, const struct db_reply *reply)
{
	struct reader *r = arg;

	stream_unit_done(r->stream, reply);
	if (r->session != NULL && r->state == READER_TAKING) {
		const struct pg_result *rows = reply->results == NULL ? NULL : reply->results[0];
		bool told = reply->outcome == DB_COMMITTED;
		int64_t epoch = told && !db_is_null(rows, 0, 0) ? db_get_int(rows, 0, 0) : 0;
		if (!told || !take(r, epoch))
			refuse_reader(r, &away);
	}
	reader_release(r);
}

/* A take is only good for the epoch that was seen before it was sent: the record may commit it long
 * after, when this session is over and another one has taken the subscription. */
static bool
ask_epoch(struct reader *r)
{
	struct db_unit *unit = db_unit_create(r->stream->in.db);

	db_unit_add(unit, STORE_STREAM_EPOCHS);
	db_array_text(db_add_array(unit, DB_TEXT), r->client);
	db_array_text(db_add_array(unit, DB_TEXT), r->name);
	if (!stream_submit(r->stream, unit, on_epoch, r))
		return false;
	reader_hold(r);
	return true;
}

static bool
name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= STREAM_NAME_BYTES
	       && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* NULL: fit to be looked at further. */
static const char *
fault_of(const Turunc__V1__Subscribe *wanted, struct uuid *ret_log_id)
{
	size_t log_id_len = strlen(wanted->log_id);

	if (!name_valid(wanted->name))
		return "name: 1 to 64 of a-z, 0-9, '.', '_', '-'";
	if ((unsigned)wanted->from > TURUNC__V1__FROM__FROM_TIME)
		return "from: not a way to begin";
	if ((unsigned)wanted->view > TURUNC__V1__VIEW__VIEW_NONE)
		return "view: not one of them";
	if (wanted->from_seq > INT64_MAX)
		return "from_seq: beyond the end of the log";
	if (log_id_len > 0 && !uuid_parse(wanted->log_id, log_id_len, ret_log_id))
		return "log_id: not a UUID";
	return filter_fault(
	    wanted->types, wanted->n_types, wanted->departments, wanted->n_departments);
}

/* The name is held by a living session of somebody else. */
static bool
is_held(const struct reader *r, bool take_over)
{
	const struct reader *other = other_holder(r);

	return other != NULL && !take_over
	       && strcmp(bus_session_instance(other->session), bus_session_instance(r->session))
		      != 0
	       && bus_session_silent_ms(other->session) < STREAM_HELD_FOR_MS;
}

/* NULL: it is on its way. */
static const struct refusal *
begin_taking(struct reader *r, const Turunc__V1__Subscribe *wanted, const struct uuid *log_id)
{
	struct stream *s = r->stream;
	const struct acl_client *rights = bus_session_rights(r->session);

	memcpy(r->name, wanted->name, strlen(wanted->name) + 1);
	if (!filter_init(&r->asked, wanted->types, wanted->n_types, wanted->departments,
		wanted->n_departments))
		return &away;
	if (!rights_cover(rights, &r->asked) || rights->types.count == 0
	    || rights->departments.count == 0) {
		freeze(s, r->client, r->name, &r->asked);
		return &uncovered;
	}
	if (is_held(r, wanted->take_over))
		return &in_use;
	r->view = wanted->view;
	r->wanted = (struct wanted){ .from = wanted->from,
		.from_seq = (int64_t)wanted->from_seq,
		.from_time_us = wanted->from_time_us,
		.replace = wanted->replace,
		.log_known = log_id != NULL };
	if (log_id != NULL)
		r->wanted.log_id = *log_id;
	if (db_state_now(s->in.db) != DB_READY || !ask_epoch(r))
		return &away;
	r->state = READER_TAKING;
	return NULL;
}

void
stream_handle_subscribe(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	const Turunc__V1__Subscribe *wanted = frame->subscribe;
	struct uuid log_id = { 0 };
	const struct refusal *refusal;

	struct reader *r = reader_get(s, session, frame->request);
	if (r == NULL)
		return;
	if (s->draining || r->state != READER_NONE) {
		refuse(s, session, frame->request, s->draining ? &leaving : &too_much);
		return;
	}
	const char *fault = fault_of(wanted, &log_id);
	if (fault != NULL) {
		refuse(s, session, frame->request,
		    &(struct refusal){ .outcome = OUTCOME_MALFORMED,
			.code = TURUNC__V1__ERROR_CODE__ERROR_MALFORMED,
			.text = fault });
		return;
	}
	r->request = frame->request;
	refusal = begin_taking(r, wanted, wanted->log_id[0] == '\0' ? NULL : &log_id);
	if (refusal != NULL)
		refuse_reader(r, refusal);
}

void
stream_handle_credit(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct reader *r = reader_of(session);

	if (r == NULL || r->state != READER_LIVE || r->epoch != frame->credit->epoch) {
		bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_NO_SUBSCRIPTION,
		    "this session holds no subscription under this epoch");
		return;
	}
	if (!ledger_add_credit(&r->ledger, frame->credit->records)) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
		    "over 4096 records of credit; none of this was taken");
		return;
	}
	reader_poke(r);
	stream_run(s);
}

/* --- epochs ----------------------------------------------------------------------------------- */

void
reader_compare_epoch(struct reader *r, const struct pg_result *rows, int row)
{
	struct uuid instance = { 0 }, mine = { 0 };
	const char *text = bus_session_instance(r->session);

	if (!db_is_null(rows, row, 0) && db_get_int(rows, row, 0) == (int64_t)r->epoch)
		return;
	if (!db_is_null(rows, row, 1))
		instance = db_get_uuid(rows, row, 1);
	(void)!uuid_parse(text, strlen(text), &mine);
	/* A seek or a deletion leaves the holder's instance in place or no row at all: the client
	 * may come again at once.  Another instance is another holder, at another router. */
	if (!db_is_null(rows, row, 0) && uuid_compare(&instance, &mine) != 0)
		supersede(r);
	else
		reader_end(r, END_MOVED, TURUNC__V1__ERROR_CODE__ERROR_NO_SUBSCRIPTION,
		    "the subscription was moved or deleted: subscribe again", 0);
}

struct epoch_question {
	struct stream *stream;
	size_t count;
	struct {
		struct reader *reader;
		uint64_t epoch;
	} held[];
};

static void
on_epochs(void *arg, const struct db_reply *reply)
{
	struct epoch_question *q = arg;

	stream_unit_done(q->stream, reply);
	q->stream->checking = false;
	for (size_t i = 0; i < q->count; i++) {
		struct reader *r = q->held[i].reader;
		if (reply->outcome == DB_COMMITTED && r->state == READER_LIVE
		    && r->epoch == q->held[i].epoch)
			reader_compare_epoch(r, reply->results[0], (int)i);
		reader_release(r);
	}
	free(q);
}

static void
give_back(struct epoch_question *q)
{
	for (size_t i = 0; i < q->count; i++)
		reader_release(q->held[i].reader);
	free(q);
}

void
stream_check_epochs(struct stream *s)
{
	struct reader *r;
	size_t live = 0;

	TAILQ_FOREACH (r, &s->readers, link)
		live += r->state == READER_LIVE;
	if (live == 0 || s->checking || s->draining || db_state_now(s->in.db) != DB_READY)
		return;
	struct epoch_question *q = malloc(sizeof(*q) + live * sizeof(q->held[0]));
	if (q == NULL)
		return;
	*q = (struct epoch_question){ .stream = s };
	struct db_unit *unit = db_unit_create(s->in.db);
	db_unit_add(unit, STORE_STREAM_EPOCHS);
	struct db_array *clients = db_add_array(unit, DB_TEXT);
	struct db_array *names = db_add_array(unit, DB_TEXT);
	TAILQ_FOREACH (r, &s->readers, link) {
		if (r->state != READER_LIVE)
			continue;
		db_array_text(clients, r->client);
		db_array_text(names, r->name);
		q->held[q->count].reader = r;
		q->held[q->count++].epoch = r->epoch;
		reader_hold(r);
	}
	s->checking = stream_submit(s, unit, on_epochs, q);
	if (!s->checking)
		give_back(q);
}
