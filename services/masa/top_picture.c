/* Asks everybody at once, and the record after them. */
#include "top_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "clock.h"
#include "masa.h"
#include "record_link.h"

/* What is asked of each service, and of the edge at the end. */
enum { READYZ, METRICS, OF_A_SERVICE };
enum { EDGE = REACH_SERVICES * OF_A_SERVICE, ASKED };

struct top_source {
	struct reach_many *reach;
	struct record_link *record; /* NULL: where it is is not known */
};

/* Everything in one question, so that it is of one moment.  Small tables and short parts of large
 * ones by their indexes: it is asked every second or two.  What other roles do is seen by who may
 * (pg_read_all_stats); who may not sees nulls. */
static const char question[] =
    "WITH head AS (SELECT coalesce((SELECT last_seq FROM turunc.log_batch"
    "  ORDER BY last_seq DESC LIMIT 1), 0) AS seq),"
    " mine AS (SELECT oid FROM pg_database WHERE datname = current_database()),"
    " locks AS (SELECT l.pid, l.granted, l.waitstart FROM pg_locks l, mine WHERE"
    "  l.locktype = 'advisory' AND l.classid = 0 AND l.objid = 7301 AND l.database = mine.oid)"
    " SELECT json_build_object("
    "'log_id', h.log_id, 'demo', h.demo, 'head_seq', head.seq,"
    "'config', (SELECT version FROM turunc.config_active LIMIT 1),"
    "'version', current_setting('server_version'),"
    "'up_s', extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()),"
    "'bytes', pg_database_size(current_database()),"
    "'commits', (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),"
    "'connections_max', current_setting('max_connections')::integer,"
    "'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
    "'active', (SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
    "  AND pid <> pg_backend_pid() AND datname = current_database()),"
    "'oldest_transaction_s', (SELECT max(extract(epoch FROM clock_timestamp() - xact_start))"
    "  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),"
    "'lock', json_build_object("
    "  'holder', (SELECT a.usename FROM locks JOIN pg_stat_activity a USING (pid)"
    "    WHERE locks.granted LIMIT 1),"
    "  'pid', (SELECT pid FROM locks WHERE granted LIMIT 1),"
    "  'waiting', (SELECT count(*) FROM locks WHERE NOT granted),"
    "  'longest_wait_s', (SELECT extract(epoch FROM max(clock_timestamp() - waitstart))"
    "    FROM locks WHERE NOT granted)),"
    "'other_waits', (SELECT count(*) FROM pg_locks l WHERE NOT l.granted"
    "  AND l.pid NOT IN (SELECT pid FROM locks)),"
    "'tickets', (SELECT json_object_agg(status, n) FROM (SELECT status, count(*) AS n"
    "  FROM turunc.ticket_state WHERE status <= 6 GROUP BY status) t),"
    "'ways', (SELECT json_agg(w) FROM (SELECT channel, count(*) AS waiting, min(next_attempt_us)"
    "  AS next_us FROM turunc.notification WHERE state = 1 GROUP BY channel ORDER BY channel) w),"
    "'dead_letters', (SELECT count(*) FROM turunc.dead_letter WHERE state = 1),"
    "'readers', (SELECT json_agg(r) FROM (SELECT client, name, c.seq, head.seq - c.seq AS behind,"
    "  frozen_reason AS frozen FROM turunc.consumer_cursor c"
    "  ORDER BY frozen_reason IS NULL, head.seq - c.seq DESC, client, name LIMIT 200) r))"
    " FROM head, turunc.log_history h ORDER BY h.history_no DESC LIMIT 1";

struct top_source *
top_source_open(void)
{
	struct top_source *source = calloc(1, sizeof(*source));
	const char *conninfo = masa_env("TURUNC_DATABASE", NULL);

	if (source == NULL)
		return NULL;
	source->reach = reach_many_open();
	if (conninfo != NULL)
		source->record = record_link_create(conninfo);
	if (source->reach == NULL || (conninfo != NULL && source->record == NULL)) {
		top_source_close(source);
		return NULL;
	}
	return source;
}

void
top_source_close(struct top_source *source)
{
	if (source == NULL)
		return;
	record_link_destroy(source->record);
	reach_many_close(source->reach);
	free(source);
}

static bool
ask_services(struct top_source *source, long limit_ms, int watch_fd, struct top_picture *p)
{
	struct reach_answer answers[ASKED] = { 0 };
	const char *edge = masa_env("TURUNC_URL_EDGE", NULL);

	for (size_t i = 0; i < REACH_SERVICES; i++) {
		const char *base = reach_service_url(i);
		struct reach_answer *asked = &answers[i * OF_A_SERVICE];
		p->services[i].asked = base != NULL;
		if (base == NULL)
			continue;
		snprintf(asked[READYZ].url, sizeof(asked[READYZ].url), "%s/readyz", base);
		snprintf(asked[METRICS].url, sizeof(asked[METRICS].url), "%s/metrics", base);
	}
	p->edge_asked = edge != NULL;
	if (edge != NULL)
		snprintf(answers[EDGE].url, sizeof(answers[EDGE].url), "%s/readyz", edge);
	if (!reach_many_get(source->reach, answers, ASKED, limit_ms, watch_fd))
		return false;
	for (size_t i = 0; i < REACH_SERVICES; i++) {
		struct reach_answer *said = &answers[i * OF_A_SERVICE];
		if (!p->services[i].asked)
			continue;
		p->services[i].status = said[READYZ].status;
		p->services[i].readyz = json_loads(said[READYZ].text, 0, NULL);
		if (said[METRICS].status == 200)
			p->services[i].samples = samples_parse(
			    said[METRICS].text, said[METRICS].len);
	}
	p->edge_status = answers[EDGE].status;
	for (size_t i = 0; i < ASKED; i++)
		reach_answer_finish(&answers[i]);
	return true;
}

static bool
ask_record(struct top_source *source, long limit_ms, int watch_fd, struct top_picture *p)
{
	PGresult *result;

	p->record_asked = source->record != NULL;
	if (source->record == NULL)
		return true;
	switch (record_link_ask(source->record, question, (uint64_t)limit_ms, watch_fd, &result)) {
	case RECORD_INTERRUPTED:
		return false;
	case RECORD_AWAY:
		snprintf(
		    p->record_why, sizeof(p->record_why), "%s", record_link_why(source->record));
		return true;
	case RECORD_ANSWERED:
	default:
		break;
	}
	if (PQntuples(result) == 1)
		p->record = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
	PQclear(result);
	if (p->record == NULL)
		snprintf(p->record_why, sizeof(p->record_why),
		    "it has no history: masa db migrate makes one");
	return true;
}

static void
look_at_disk(struct top_picture *p)
{
	const char *folder = masa_env("TURUNC_SYSTEM_DIR", NULL);
	struct statvfs disk;

	p->disk_bytes = p->disk_free_bytes = NAN;
	if (folder == NULL || statvfs(folder, &disk) != 0)
		return;
	p->disk_bytes = (double)disk.f_blocks * (double)disk.f_frsize;
	p->disk_free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
}

bool
top_picture_take(struct top_source *source, long limit_ms, int watch_fd, struct top_picture *ret)
{
	struct top_picture p = {
		.at_us = clock_now_us(), .real_us = clock_real_us(), .at_ms = clock_monotonic_ms()
	};

	look_at_disk(&p);
	if (!ask_services(source, limit_ms, watch_fd, &p)
	    || !ask_record(source, limit_ms, watch_fd, &p)) {
		top_picture_finish(&p);
		return false;
	}
	*ret = p;
	return true;
}

void
top_picture_finish(struct top_picture *p)
{
	for (size_t i = 0; i < REACH_SERVICES; i++) {
		json_decref(p->services[i].readyz);
		samples_destroy(p->services[i].samples);
	}
	json_decref(p->record);
}
