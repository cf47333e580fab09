/* masa doctor: looks for trouble; each finding comes with its fix. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "masa.h"
#include "reach.h"

static enum exit_code doctor_run(struct masa *m, int argc, char **argv);

const struct command doctor_commands[] = {
	{ "doctor", "", "", "look for trouble: each finding with its fix", doctor_run },
	{ 0 },
};

/* Each query returns a row a finding: what is wrong.  No row: all is well. */
static const struct check {
	const char *name;
	const char *sql;
	const char *fix;
} checks[] = {
	{ "durability",
	    "SELECT name || ' is ' || setting FROM pg_settings WHERE name IN ('fsync', "
	    "'full_page_writes')"
	    " AND setting <> 'on' UNION ALL SELECT 'synchronous_commit is ' || setting FROM "
	    "pg_settings"
	    " WHERE name = 'synchronous_commit' AND setting NOT IN ('on', 'remote_apply')",
	    "set it to on in postgresql.conf: without it an answered ticket can be lost" },
	{ "server version",
	    "SELECT 'PostgreSQL ' || current_setting('server_version') WHERE"
	    " current_setting('server_version_num')::integer NOT BETWEEN 150000 AND 159999",
	    "Turunç is proved on PostgreSQL 15" },
	{ "log partitions",
	    "SELECT 'the log has room for ' || (room - head) || ' more records' FROM (SELECT"
	    " count(*) * 10000000 - 1 AS room FROM pg_inherits WHERE inhparent = "
	    "'turunc.event_log'::regclass) p,"
	    " (SELECT coalesce(max(last_seq), 0) AS head FROM turunc.log_batch) b WHERE room - "
	    "head < 2000000",
	    "the router makes partitions ahead: see why it does not (masa status, its log)" },
	{ "migrations",
	    "SELECT 'no migration was ever applied' WHERE NOT EXISTS (SELECT FROM "
	    "public.turunc_migration)",
	    "masa db migrate" },
	{ "configuration",
	    "SELECT 'none is in force' WHERE NOT EXISTS (SELECT FROM turunc.config_active)",
	    "masa config apply deploy/config/muratpasa (or your own folder)" },
	{ "reader lag",
	    "SELECT c.client || '/' || c.name || ' is ' || (h.head - c.seq) || ' records behind'"
	    " FROM turunc.consumer_cursor c, (SELECT coalesce(max(last_seq), 0) AS head FROM "
	    "turunc.log_batch) h"
	    " WHERE h.head - c.seq > 10000",
	    "is that reader running?  masa subs list; masa subs delete CLIENT NAME if it is gone "
	    "for good" },
	{ "frozen readers",
	    "SELECT client || '/' || name || ': ' || frozen_reason FROM turunc.consumer_cursor"
	    " WHERE frozen_reason IS NOT NULL",
	    "its rights no longer cover its filter: restore them, or let it subscribe anew" },
	{ "dead letters",
	    "SELECT consumer || ' set aside ' || count(*) || ' records, ' || string_agg(DISTINCT "
	    "reason, ', ') FROM turunc.dead_letter WHERE state = 1 GROUP BY consumer",
	    "masa dlq list says which; mend the cause, then masa dlq requeue, or discard" },
	{ "dead messages",
	    "SELECT count(*) || ' messages to citizens could not be sent' FROM turunc.notification"
	    " WHERE state = 5 HAVING count(*) > 0",
	    "masa message list --state dead says why; then masa message retry or discard" },
	{ "messages in doubt",
	    "SELECT count(*) || ' messages may or may not have reached citizens' FROM "
	    "turunc.notification WHERE state = 4 HAVING count(*) > 0",
	    "masa message list --state unknown; look for its id at the mail server or gateway, "
	    "then "
	    "masa message retry or discard" },
	{ "long transactions",
	    "SELECT 'process ' || pid || ' of ' || coalesce(usename, '?') || ' holds a snapshot "
	    "for ' ||"
	    " extract(epoch FROM clock_timestamp() - xact_start)::integer || ' s' FROM "
	    "pg_stat_activity"
	    " WHERE xact_start < clock_timestamp() - interval '10 minutes' AND backend_type = "
	    "'client backend'",
	    "end it: old snapshots make hot tables grow" },
	{ "log lock",
	    "SELECT 'process ' || pid || ' has held the lock of the log for over a second' FROM "
	    "pg_locks l"
	    " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.objid = 7301 "
	    "AND l.granted"
	    " AND a.query_start < clock_timestamp() - interval '1 second'",
	    "its waiters end it by themselves; if not, pg_terminate_backend(pid)" },
};

static void add_finding(json_t *findings, const char *check, const char *what, const char *fix);
static enum exit_code doctor_record(struct masa *m, json_t *findings);
static void doctor_clients(struct masa *m, json_t *findings);
static void doctor_clock(struct masa *m, json_t *findings);
static void doctor_redis(json_t *findings);
static void doctor_secrets(json_t *findings);

static enum exit_code
doctor_run(struct masa *m, int argc, char **argv)
{
	int positional;
	char detail[2048];
	json_t *findings = json_array();

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code != MASA_OK) {
		json_decref(findings);
		return code;
	}
	for (size_t i = 0; i < REACH_SERVICES; i++) {
		const char *state = reach_service(i, detail, sizeof(detail));
		if (state[0] != '\0' && strcmp(state, "ready") != 0) {
			char what[256];
			snprintf(what, sizeof(what), "%s: %s %.180s", reach_service_name(i), state,
			    detail);
			add_finding(findings, "services", what,
			    "its log says why: tail .run/log/NAME/current; deploy/up starts what "
			    "is missing");
		}
	}
	code = doctor_record(m, findings);
	if (code == MASA_OK) {
		doctor_clients(m, findings);
		doctor_clock(m, findings);
		doctor_configuration(m, findings);
	}
	doctor_redis(findings);
	doctor_secrets(findings);
	bool healthy = json_array_size(findings) == 0;
	masa_print(m, json_pack("{s:b,s:o}", "healthy", healthy, "findings", findings));
	return code != MASA_OK ? code : healthy ? MASA_OK : MASA_FAILED;
}

static void
add_finding(json_t *findings, const char *check, const char *what, const char *fix)
{
	json_array_append_new(
	    findings, json_pack("{s:s,s:s,s:s}", "check", check, "finding", what, "fix", fix));
}

static enum exit_code
doctor_record(struct masa *m, json_t *findings)
{
	enum exit_code code = masa_connect(m);

	if (code != MASA_OK) {
		add_finding(findings, "record", "PostgreSQL cannot be reached",
		    "start it (deploy/up), or correct TURUNC_DATABASE");
		return code;
	}
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		PGresult *result;
		code = masa_query(m, checks[i].sql, 0, NULL, &result);
		if (code != MASA_OK) {
			add_finding(
			    findings, checks[i].name, "could not be looked at", checks[i].fix);
			continue;
		}
		for (int row = 0; row < PQntuples(result); row++)
			add_finding(
			    findings, checks[i].name, PQgetvalue(result, row, 0), checks[i].fix);
		PQclear(result);
	}
	return MASA_OK;
}

static void
doctor_clients(struct masa *m, json_t *findings)
{
	char soon[24];
	const int64_t month_us = INT64_C(30) * 86400 * 1000000;
	PGresult *result;

	snprintf(soon, sizeof(soon), "%lld", (long long)(clock_now_us() + month_us));
	const char *values[] = { soon };
	if (masa_query(m,
		"SELECT name || ' expires within 30 days or has expired' FROM turunc.client_grant"
		" WHERE expires_us < $1::bigint AND revoked_us IS NULL",
		1, values, &result)
	    != MASA_OK)
		return;
	for (int row = 0; row < PQntuples(result); row++)
		add_finding(findings, "keys", PQgetvalue(result, row, 0),
		    "masa client add a new one and hand it over before then");
	PQclear(result);
}

static void
doctor_clock(struct masa *m, json_t *findings)
{
	PGresult *result;
	char what[128];

	if (masa_query(m, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", 0,
		NULL, &result)
	    != MASA_OK)
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	long long server_us = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	long long off_ms = (server_us - ((long long)now.tv_sec * 1000000 + now.tv_nsec / 1000))
			   / 1000;
	PQclear(result);
	if (off_ms > 1000 || off_ms < -1000) {
		snprintf(what, sizeof(what),
		    "the database server's clock is %lld ms from this machine's", off_ms);
		add_finding(
		    findings, "clock", what, "keep both on NTP: deadlines are reckoned from them");
	}
}

static void
doctor_redis(json_t *findings)
{
	const char *address = masa_env("TURUNC_REDIS", NULL);
	const char *password_file = masa_env("TURUNC_REDIS_PASSWORD_FILE", NULL);
	const struct timeval limit = { .tv_sec = 2 };
	char password[256] = "", host[256];
	redisContext *redis;

	if (address == NULL)
		return;
	const char *colon = strrchr(address, ':');
	if (address[0] == '/' || strncmp(address, "unix:", 5) == 0) {
		redis = redisConnectUnixWithTimeout(
		    address[0] == '/' ? address : address + 5, limit);
	} else {
		snprintf(host, sizeof(host), "%.*s", (int)(colon != NULL ? colon - address : 0),
		    address);
		redis = redisConnectWithTimeout(
		    host, colon != NULL ? atoi(colon + 1) : 6379, limit);
	}
	if (redis == NULL || redis->err != 0) {
		add_finding(findings, "redis", "cannot be reached",
		    "start it (deploy/up); the board is rebuilt by itself, no ticket depends on "
		    "it");
		redisFree(redis);
		return;
	}
	redisSetTimeout(redis, limit);
	FILE *file = password_file != NULL ? fopen(password_file, "re") : NULL;
	if (file != NULL) {
		if (fgets(password, sizeof(password), file) != NULL)
			password[strcspn(password, "\n")] = '\0';
		fclose(file);
		freeReplyObject(redisCommand(redis, "AUTH %s", password));
	}
	redisReply *reply = redisCommand(redis, "CONFIG GET maxmemory-policy");
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
	    || strcmp(reply->element[1]->str, "noeviction") != 0)
		add_finding(findings, "redis",
		    "maxmemory-policy is not noeviction, or may not be asked",
		    "set it in redis.conf: eviction would make the board show less than there is");
	freeReplyObject(reply);
	redisFree(redis);
}

static void
doctor_secrets(json_t *findings)
{
	static const char *const names[] = { "intake.key", "router.key" };
	const char *folder = masa_env("TURUNC_KEYS_DIR", NULL);
	struct stat st;
	char path[4096];

	for (size_t i = 0; folder != NULL && i < ARRAY_LEN(names); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) >= (int)sizeof(path))
			return;
		if (stat(path, &st) == -1)
			add_finding(findings, "keys", "the key file of a bus door is missing",
			    "restore it from your safe copy: clients know the door by it");
		else if ((st.st_mode & 077) != 0)
			add_finding(findings, "keys",
			    "the key file of a bus door can be read by others",
			    "chmod 600, and make a new key if others had access");
	}
}
