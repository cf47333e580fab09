/* Asks the record whether anything is left that the present time has made due. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalogue.h"
#include "clock.h"
#include "compose.h"
#include "demo.h"
#include "istanbul.h"

enum { TEXT_BYTES = 24, PACE_PARAMETERS = 6 };

/* Each column but the first two says whether something is behind; the words are behind[]'s.  What
 * the notifier does is asked for as of the step before ($5, $6): nobody in the month depends on
 * it sooner. */
static const char pace_sql[] =
    "WITH head AS (SELECT coalesce(max(last_seq), 0) AS seq FROM turunc.log_batch), "
    "place AS (SELECT name, seq FROM turunc.consumer_cursor WHERE client = '') "
    "SELECT head.seq, (SELECT count(*) FROM turunc.event_log e WHERE e.seq > $2::bigint "
    "AND e.seq <= head.seq AND e.type IN ('ticket.routed', 'ticket.transferred', "
    "'ticket.reopened', 'ticket.triaged', 'ticket.resumed')), "
    "EXISTS (SELECT FROM turunc.event_log e WHERE e.seq > coalesce((SELECT seq FROM place "
    "WHERE name = 'router'), 0) AND e.type IN ('ticket.opened', 'contact.recorded', "
    "'survey.answered', 'sms.received')), "
    "EXISTS (SELECT FROM turunc.event_log e WHERE e.seq > coalesce((SELECT seq FROM place "
    "WHERE name = 'notifier'), 0) AND e.seq <= $6::bigint AND e.type IN ('ticket.opened', "
    "'ticket.routed', "
    "'ticket.answered', 'ticket.extended', 'ticket.resolved', 'ticket.rejected', "
    "'ticket.forwarded', 'ticket.reopened', 'survey.invited', 'survey.reminded')), "
    "EXISTS (SELECT FROM turunc.ticket_clock WHERE next_alarm_us <= $1::bigint), "
    "EXISTS (SELECT FROM turunc.ticket_state WHERE status BETWEEN 7 AND 11 "
    "AND ended_us <= $4::bigint), "
    "EXISTS (SELECT FROM turunc.survey WHERE state IN (1, 2) AND due_us <= $5::bigint), "
    "EXISTS (SELECT FROM turunc.notification WHERE state = 2 "
    "AND created_us <= $5::bigint), "
    "EXISTS (SELECT FROM turunc.notification n WHERE n.state = 1 "
    "AND n.next_attempt_us <= $5::bigint AND (n.channel = 'email' OR NOT $3::boolean "
    "OR EXISTS (SELECT FROM turunc.ticket_state s WHERE s.ticket_id = n.ticket_id "
    "AND s.priority >= 4))) FROM head";
static const char pace_name[] = "demo_pace";

static const char *const behind[] = { "", "", "router reads the log", "notifier reads the log",
	"alarms are due", "tickets are to be closed", "invitations are due",
	"messages are being sent", "messages are to be sent" };

static enum exit_code
failed(struct demo *d, PGresult *result)
{
	PQclear(result);
	return masa_fail(MASA_UNREACHABLE, "the record: %s", PQerrorMessage(d->m->db));
}

enum exit_code
demo_pace_open(struct demo *d)
{
	/* Asked some thousand times, of tables that are empty at first: one plan, by the indexes.
	 */
	enum exit_code code = masa_query(d->m,
	    "SELECT set_config('plan_cache_mode', 'force_generic_plan', false), "
	    "set_config('enable_seqscan', 'off', false)",
	    0, NULL, NULL);

	if (code != MASA_OK)
		return code;
	PGresult *result = PQprepare(d->m->db, pace_name, pace_sql, PACE_PARAMETERS, NULL);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		return failed(d, result);
	PQclear(result);
	return MASA_OK;
}

const char *
demo_pace_behind(const struct demo *d)
{
	return d->behind != NULL ? d->behind : "the doors owe answers";
}

enum exit_code
demo_pace_look(struct demo *d, bool *ret_done)
{
	char now[TEXT_BYTES], through[TEXT_BYTES], closable[TEXT_BYTES], lag[TEXT_BYTES],
	    lag_seq[TEXT_BYTES];
	const struct catalogue_municipality *m = &d->cat->municipality;
	int64_t until_us;
	bool quiet = !compose_sms_hours(m, d->told_us, &until_us);
	const char *values[PACE_PARAMETERS] = { now, through, quiet ? "t" : "f", closable, lag,
		lag_seq };

	*ret_done = false;
	snprintf(now, sizeof(now), "%" PRId64, d->now_us);
	snprintf(through, sizeof(through), "%" PRIu64, d->news_through);
	snprintf(
	    closable, sizeof(closable), "%" PRId64, d->now_us - m->reopen_window_days * US_PER_DAY);
	snprintf(lag, sizeof(lag), "%" PRId64, d->told_us);
	snprintf(lag_seq, sizeof(lag_seq), "%" PRId64, d->told_seq);
	PGresult *result = PQexecPrepared(
	    d->m->db, pace_name, PACE_PARAMETERS, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		return failed(d, result);
	d->news_through = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	d->news_expected += strtoull(PQgetvalue(result, 0, 1), NULL, 10);
	d->behind = NULL;
	for (int i = 2; i < PQnfields(result); i++)
		if (PQgetvalue(result, 0, i)[0] == 't')
			d->behind = behind[i];
	PQclear(result);
	if (d->behind == NULL && d->news_heard < d->news_expected)
		d->behind = "departments have not heard everything";
	*ret_done = d->behind == NULL;
	return MASA_OK;
}

void
demo_pace_spent(struct demo *d, const char *what)
{
	struct demo_waits *waits = &d->waits;
	int64_t now_us = clock_monotonic_us();
	size_t i = 0;

	while (i + 1 < DEMO_WAITS_MAX && waits->at[i].what != NULL && waits->at[i].what != what)
		i++;
	waits->at[i].what = what;
	waits->at[i].us += waits->since_us == 0 ? 0 : now_us - waits->since_us;
	waits->since_us = now_us;
}

enum exit_code
demo_pace_readers(struct demo *d, bool *ret_done)
{
	PGresult *result;
	enum exit_code code = masa_query(d->m,
	    "SELECT coalesce(min(c.seq), 0) >= (SELECT coalesce(max(last_seq), 0) "
	    "FROM turunc.log_batch) FROM turunc.consumer_cursor c WHERE c.client = ''",
	    0, NULL, &result);

	*ret_done = false;
	if (code != MASA_OK)
		return code;
	*ret_done = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return MASA_OK;
}
