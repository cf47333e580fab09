/* What masa doctor finds in the record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "doctor.h"
#include "istanbul.h"

/* What works with the record day by day, as SQL; none of them owns it. */
#define SERVICE_ROLES \
	"'turunc_intake', 'turunc_router', 'turunc_notifier', 'turunc_metrics', 'turunc_admin'"

enum { KEY_DAYS = 30, BACKUP_HOURS = 26 };

/* Each query returns a row a finding: what is wrong.  No row: all is well. */
static const struct check {
	const char *name;
	enum doctor_level level;
	const char *sql;
	const char *fix;
} checks[] = {
	{ "durability", DOCTOR_BAD,
	    "SELECT name || ' is ' || setting FROM pg_settings WHERE name IN ('fsync', "
	    "'full_page_writes')"
	    " AND setting <> 'on' UNION ALL SELECT 'synchronous_commit is ' || setting FROM "
	    "pg_settings"
	    " WHERE name = 'synchronous_commit' AND setting NOT IN ('on', 'remote_apply')",
	    "set it to on in postgresql.conf: without it an answered ticket can be lost" },
	{ "server version", DOCTOR_BAD,
	    "SELECT 'PostgreSQL ' || current_setting('server_version') WHERE"
	    " current_setting('server_version_num')::integer NOT BETWEEN 150000 AND 159999",
	    "Turunç is proved on PostgreSQL 15" },
	{ "log partitions", DOCTOR_BAD,
	    "SELECT 'the log has room for ' || (room - head) || ' more records' FROM (SELECT"
	    " count(*) * 10000000 - 1 AS room FROM pg_inherits WHERE inhparent = "
	    "'turunc.event_log'::regclass) p,"
	    " (SELECT coalesce(max(last_seq), 0) AS head FROM turunc.log_batch) b WHERE room - "
	    "head < 2000000",
	    "the router makes partitions ahead: see why it does not (masa status, its log)" },
	{ "migrations", DOCTOR_BAD,
	    "SELECT 'no migration was ever applied' WHERE NOT EXISTS (SELECT FROM "
	    "public.turunc_migration)",
	    "masa db migrate" },
	{ "configuration", DOCTOR_BAD,
	    "SELECT 'none is in force' WHERE NOT EXISTS (SELECT FROM turunc.config_active)",
	    "masa config apply deploy/config/muratpasa (or your own folder)" },
	{ "reader lag", DOCTOR_BAD,
	    "SELECT c.client || '/' || c.name || ' is ' || (h.head - c.seq) || ' records behind'"
	    " FROM turunc.consumer_cursor c, (SELECT coalesce(max(last_seq), 0) AS head FROM "
	    "turunc.log_batch) h"
	    " WHERE h.head - c.seq > 10000",
	    "is that reader running?  masa subs list; masa subs delete CLIENT NAME if it is gone "
	    "for good" },
	{ "frozen readers", DOCTOR_BAD,
	    "SELECT client || '/' || name || ': ' || frozen_reason FROM turunc.consumer_cursor"
	    " WHERE frozen_reason IS NOT NULL",
	    "its rights no longer cover its filter: restore them, or let it subscribe anew" },
	{ "dead letters", DOCTOR_BAD,
	    "SELECT consumer || ' set aside ' || count(*) || ' records, ' || string_agg(DISTINCT "
	    "reason, ', ') FROM turunc.dead_letter WHERE state = 1 GROUP BY consumer",
	    "masa dlq list says which; mend the cause, then masa dlq requeue, or discard" },
	{ "dead messages", DOCTOR_BAD,
	    "SELECT count(*) || ' messages to citizens could not be sent' FROM turunc.notification"
	    " WHERE state = 5 HAVING count(*) > 0",
	    "masa message list --state dead says why; then masa message retry or discard" },
	{ "messages in doubt", DOCTOR_BAD,
	    "SELECT count(*) || ' messages may or may not have reached citizens' FROM "
	    "turunc.notification WHERE state = 4 HAVING count(*) > 0",
	    "masa message list --state unknown; look for its id at the mail server or gateway, "
	    "then "
	    "masa message retry or discard" },
	{ "long transactions", DOCTOR_BAD,
	    "SELECT 'process ' || pid || ' of ' || coalesce(usename, '?') || ' holds a snapshot "
	    "for ' ||"
	    " extract(epoch FROM clock_timestamp() - xact_start)::integer || ' s' FROM "
	    "pg_stat_activity"
	    " WHERE xact_start < clock_timestamp() - interval '10 minutes' AND backend_type = "
	    "'client backend'",
	    "end it: old snapshots make hot tables grow" },
	{ "log lock", DOCTOR_BAD,
	    "SELECT 'process ' || pid || ' has held the lock of the log for over a second' FROM "
	    "pg_locks l"
	    " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.classid = 0 "
	    "AND l.objid = 7301 AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE "
	    "datname = current_database())"
	    " AND a.query_start < clock_timestamp() - interval '1 second'",
	    "its waiters end it by themselves; if not, pg_terminate_backend(pid)" },
	{ "durability", DOCTOR_BAD,
	    "SELECT 'slot ' || slot_name || ' keeps WAL for nobody' FROM pg_replication_slots "
	    "WHERE NOT active",
	    "let its reader come back, or SELECT pg_drop_replication_slot(name): the disk fills "
	    "up" },
	{ "durability", DOCTOR_NOTE,
	    "SELECT 'pages carry no checksums' WHERE current_setting('data_checksums') <> 'on'",
	    "pg_checksums --enable while it stands still: a failing disk is noticed then" },
	{ "durability", DOCTOR_BAD,
	    "SELECT 'autovacuum is off' WHERE current_setting('autovacuum') <> 'on'",
	    "set it to on in postgresql.conf: hot tables would grow without end" },
	{ "durability", DOCTOR_BAD,
	    "SELECT 'transaction numbers run out: ' || age(datfrozenxid) || ' of 2,147,483,648 are "
	    "used' FROM"
	    " pg_database WHERE datname = current_database() AND age(datfrozenxid) > 1200000000",
	    "VACUUM (FREEZE) the database; end what keeps an old snapshot" },
	{ "connections", DOCTOR_BAD,
	    "SELECT count(*) || ' of ' || current_setting('max_connections') || ' connections are "
	    "taken' FROM"
	    " pg_stat_activity WHERE backend_type = 'client backend' HAVING count(*) * 10 >"
	    " current_setting('max_connections')::integer * 9",
	    "raise max_connections, or find who holds them: SELECT usename, count(*) FROM "
	    "pg_stat_activity GROUP BY 1" },
	{ "roles", DOCTOR_BAD,
	    "SELECT rolname || ' may do more than its work: ' || concat_ws(', ', CASE WHEN "
	    "rolsuper THEN"
	    " 'superuser' END, CASE WHEN rolcreaterole THEN 'create roles' END, CASE WHEN "
	    "rolcreatedb THEN"
	    " 'create databases' END, CASE WHEN rolreplication THEN 'replication' END, CASE WHEN "
	    "rolbypassrls THEN"
	    " 'pass by row security' END) FROM pg_roles WHERE rolname IN (" SERVICE_ROLES
	    ") AND (rolsuper OR rolcreaterole OR rolcreatedb OR"
	    " rolreplication OR rolbypassrls)",
	    "ALTER ROLE name NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS" },
	{ "roles", DOCTOR_BAD,
	    "SELECT m.rolname || ' is a member of ' || r.rolname FROM pg_auth_members a JOIN "
	    "pg_roles r ON r.oid ="
	    " a.roleid JOIN pg_roles m ON m.oid = a.member WHERE r.rolname LIKE 'turunc\\_%' AND "
	    "NOT m.rolsuper AND (r.rolname <> 'turunc_owner' OR m.rolname IN (" SERVICE_ROLES "))",
	    "REVOKE it: whoever is a member may do all that the role may" },
	{ "roles", DOCTOR_NOTE,
	    "SELECT m.rolname || ' is a member of turunc_owner' FROM pg_auth_members a JOIN "
	    "pg_roles r ON r.oid ="
	    " a.roleid JOIN pg_roles m ON m.oid = a.member WHERE r.rolname = 'turunc_owner' AND "
	    "NOT m.rolsuper AND m.rolname NOT IN (" SERVICE_ROLES ")",
	    "right for whoever migrates without being a superuser (SET ROLE turunc_owner); REVOKE "
	    "it from anybody else" },
	{ "roles", DOCTOR_BAD,
	    "SELECT DISTINCT coalesce(g.rolname, 'everybody') || ' may change ' || c.oid::regclass "
	    "FROM pg_class c"
	    " CROSS JOIN aclexplode(c.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE "
	    "c.oid IN"
	    " ('turunc.event_log'::regclass, 'turunc.log_batch'::regclass) AND x.grantee <> "
	    "c.relowner AND"
	    " x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')",
	    "REVOKE it: the log is written by turunc.log_append() alone" },
	{ "roles", DOCTOR_BAD,
	    "SELECT name || ' is missing' FROM unnest(ARRAY['turunc_intake', 'turunc_router', "
	    "'turunc_notifier',"
	    " 'turunc_metrics']) name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)",
	    "masa db migrate makes the roles; deploy/up gives them their passwords" },
	{ "people", DOCTOR_NOTE,
	    "SELECT 'nobody can sign in as an administrator' WHERE NOT EXISTS (SELECT FROM "
	    "turunc.person WHERE"
	    " disabled_us IS NULL AND roles & 16 <> 0)",
	    "masa user add NAME --shown-as 'Name Surname' --roles administrator" },
};

static void
look_at_clients(struct doctor *d)
{
	char now[24], soon[24];
	const char *values[] = { now, soon };
	PGresult *result;

	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	snprintf(soon, sizeof(soon), "%lld", (long long)(clock_now_us() + KEY_DAYS * US_PER_DAY));
	if (masa_query(d->m,
		"SELECT name || CASE WHEN expires_us < $1::bigint THEN ' has expired' ELSE ' "
		"expires in '"
		" || (expires_us - $1::bigint) / 86400000000 || ' days' END FROM "
		"turunc.client_grant"
		" WHERE expires_us < $2::bigint AND revoked_us IS NULL ORDER BY expires_us",
		2, values, &result)
	    != MASA_OK)
		return;
	for (int row = 0; row < PQntuples(result); row++)
		doctor_find(d, DOCTOR_BAD, "keys",
		    "masa client add a new one and hand it over before then; masa client revoke "
		    "the old "
		    "one",
		    "%s", PQgetvalue(result, row, 0));
	PQclear(result);
	doctor_looked(d, "keys");
}

/* A record that matters and is older than a backup may be. */
static void
look_at_backups(struct doctor *d)
{
	char old[24];
	const char *values[] = { old };
	PGresult *result;
	static const char fix[] =
	    "masa backup FOLDER each day, or once with --follow; and practise "
	    "the way back (masa drill)";

	if (d->is_demo) {
		doctor_skip(d, "backups", "nobody misses a demonstration");
		return;
	}
	snprintf(
	    old, sizeof(old), "%lld", (long long)(clock_now_us() - BACKUP_HOURS * 60 * US_PER_MIN));
	if (masa_query(d->m,
		"SELECT (max(good_until_us) >= $1::bigint) IS TRUE, max(good_until_us), (SELECT "
		"min(started_at_us) < $1::bigint FROM turunc.log_history) FROM turunc.backup_made",
		1, values, &result)
	    != MASA_OK)
		return;
	doctor_looked(d, "backups");
	if (PQgetvalue(result, 0, 0)[0] == 't' || PQgetvalue(result, 0, 2)[0] != 't') {
		PQclear(result);
		return;
	}
	if (PQgetisnull(result, 0, 1)) {
		doctor_find(d, DOCTOR_BAD, "backups", fix, "there is no backup of this record");
	} else {
		struct istanbul_time t = istanbul_split(
		    strtoll(PQgetvalue(result, 0, 1), NULL, 10));
		doctor_find(d, DOCTOR_BAD, "backups", fix,
		    "the newest backup reaches to %04d-%02d-%02d %02d:%02d", t.year, t.month, t.day,
		    t.hour, t.minute);
	}
	PQclear(result);
}

void
doctor_record(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		PGresult *result;
		if (masa_query(d->m, checks[i].sql, 0, NULL, &result) != MASA_OK) {
			doctor_find(d, DOCTOR_BAD, checks[i].name,
			    "what PostgreSQL said stands above; masa db migrate, when something is "
			    "missing",
			    "could not be looked at");
			continue;
		}
		for (int row = 0; row < PQntuples(result); row++)
			doctor_find(d, checks[i].level, checks[i].name, checks[i].fix, "%s",
			    PQgetvalue(result, row, 0));
		PQclear(result);
		doctor_looked(d, checks[i].name);
	}
	look_at_clients(d);
	look_at_backups(d);
}
