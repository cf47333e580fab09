/* The SQL of metrics. */
#include "store.h"

/* Where the log ends; no row: it is empty. */
#define STORE_END                                                                               \
	"SELECT e.seq, e.committed_at_us AS at_us FROM (SELECT last_seq FROM turunc.log_batch " \
	"ORDER BY last_seq DESC LIMIT 1) b JOIN turunc.event_log e ON e.seq = b.last_seq"

/* The figures start from what was committed: hence by committed_at_us, found through
 * seq_before(), which halves its way through the log instead of reading it. */
const struct db_statement store_statements[STORE_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
	LETTERS_SQL(STORE_LETTERS, "metrics"),
	[STORE_RECORD] = { "record",
	    "SELECT committed_at_us, event FROM turunc.event_log WHERE seq = $1::bigint", 1 },
	[STORE_HEAD] = { "head",
	    "SELECT h.log_id, coalesce(b.last_seq, 0), coalesce(e.committed_at_us, 0), "
	    "current_setting('transaction_isolation') "
	    "FROM (SELECT log_id FROM turunc.log_history ORDER BY history_no DESC LIMIT 1) h "
	    "LEFT JOIN LATERAL (SELECT last_seq FROM turunc.log_batch "
	    "ORDER BY last_seq DESC LIMIT 1) b ON true "
	    "LEFT JOIN turunc.event_log e ON e.seq = b.last_seq",
	    0 },
	[STORE_TICKETS] = { "tickets",
	    "SELECT t.ticket_id, coalesce(s.status, 1::smallint), coalesce(s.department, ''), "
	    "t.recorded_us, t.channel, s.answered_us IS NOT NULL, "
	    "coalesce(s.legal_due_us, 0), coalesce(s.service_due_us, 0) "
	    "FROM turunc.ticket t LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "WHERE s.status IS NULL OR s.status <= 11",
	    0 },
	[STORE_TODAY] = { "today",
	    "SELECT t.channel, e.committed_at_us >= $2::bigint, count(*) "
	    "FROM turunc.event_log e JOIN turunc.ticket t ON t.ticket_id = e.ticket_id "
	    "WHERE e.seq > turunc.seq_before($1::bigint) AND e.committed_at_us >= $1::bigint "
	    "AND e.type = 'ticket.opened' GROUP BY 1, 2",
	    2 },
	[STORE_HOUR] = { "hour",
	    "SELECT e.committed_at_us / 60000000, e.type, coalesce(e.department, ''), count(*) "
	    "FROM turunc.event_log e "
	    "WHERE e.seq > turunc.seq_before($1::bigint) AND e.committed_at_us >= $1::bigint "
	    "AND e.type LIKE 'ticket.%' GROUP BY 1, 2, 3",
	    1 },
	[STORE_CALLS] = { "calls",
	    "SELECT e.type, e.event, e.committed_at_us FROM turunc.event_log e "
	    "WHERE e.seq > turunc.seq_before($1::bigint) AND e.type IN "
	    "('call.offered', 'call.answered', 'call.abandoned', 'call.ended')",
	    1 },
	/* Istanbul has been three hours ahead of UTC since long before any of these days. */
	[STORE_PLACES] = { "places",
	    "SELECT (recorded_us + 10800000000) / 86400000000, neighbourhood, subject_code, "
	    "count(*) "
	    "FROM turunc.ticket WHERE recorded_us >= $1::bigint "
	    "AND neighbourhood <> '' AND subject_code <> '' GROUP BY 1, 2, 3",
	    1 },
	[STORE_PLACES_HOUR] = { "places_hour",
	    "SELECT recorded_us / 60000000, neighbourhood, subject_code, count(*) "
	    "FROM turunc.ticket WHERE recorded_us >= $1::bigint "
	    "AND neighbourhood <> '' AND subject_code <> '' GROUP BY 1, 2, 3",
	    1 },
	[STORE_SAMPLE_PUT] = { "sample_put",
	    "WITH old AS (DELETE FROM turunc.board_sample WHERE at_us < $2::bigint) "
	    "INSERT INTO turunc.board_sample (at_us, open, overdue, today, hour_opened, "
	    "hour_ended, hour_offered, hour_answered, hour_abandoned, calls_offered, "
	    "calls_waiting, calls_level) VALUES ($1::bigint, $3::bigint, $4::bigint, $5::bigint, "
	    "$6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint, $11::bigint, "
	    "$12::bigint, $13::bigint) ON CONFLICT (at_us) DO NOTHING",
	    13 },
	[STORE_SAMPLES] = { "samples",
	    "SELECT (at_us + $4::bigint) / $3::bigint * $3::bigint - $4::bigint, "
	    "round(avg(open))::bigint, round(avg(overdue))::bigint, "
	    "round(avg(hour_opened))::bigint, round(avg(hour_ended))::bigint, "
	    "round(avg(hour_offered))::bigint, round(avg(hour_answered))::bigint, "
	    "round(avg(hour_abandoned))::bigint, round(avg(calls_waiting))::bigint, "
	    "round(avg(calls_level))::bigint FROM turunc.board_sample "
	    "WHERE at_us > $1::bigint AND at_us <= $2::bigint GROUP BY 1 ORDER BY 1",
	    4 },
	[STORE_SAMPLE_THEN] = { "sample_then",
	    "SELECT open, overdue, today, calls_offered, calls_level FROM turunc.board_sample "
	    "WHERE at_us BETWEEN $1::bigint - $2::bigint AND $1::bigint + $2::bigint "
	    "ORDER BY abs(at_us - $1::bigint) LIMIT 1",
	    2 },
	[STORE_ALARM_KEEP] = { "alarm_keep",
	    "SELECT turunc.alarm_keep($1::bigint, $2::bigint, $3::bigint, $4::text[], "
	    "$5::text[], $6::bigint[], $7::bigint[])",
	    7 },
	[STORE_ALARMS] = { "alarms",
	    "SELECT alarm_id, kind, about, value, bound, raised_us, seen_us, acknowledged_us "
	    "FROM turunc.board_alarm WHERE ended_us IS NULL "
	    "ORDER BY (acknowledged_us IS NOT NULL), raised_us DESC, alarm_id DESC LIMIT "
	    "$1::bigint",
	    1 },
	/* 'ladder/' is what follows everything that begins with 'ladder.'. */
	[STORE_LADDER] = { "ladder",
	    "SELECT c.month, c.name, c.n, s.at_us, s.seq >= coalesce(b.last_seq, 0) "
	    "FROM turunc.month_state s LEFT JOIN LATERAL (SELECT last_seq FROM turunc.log_batch "
	    "ORDER BY last_seq DESC LIMIT 1) b ON true LEFT JOIN turunc.month_cell c "
	    "ON c.month >= $1::integer AND c.name >= 'ladder.' AND c.name < 'ladder/' AND c.n <> 0 "
	    "ORDER BY c.month DESC",
	    1 },
	/* Of a dense index; that of one with an older date of its own is not looked for. */
	[STORE_OPEN_DATA_FIRST] = { "open_data_first", "SELECT min(recorded_us) FROM turunc.ticket",
	    0 },
	/* Whose subject was changed after its month was published: as it was then, whatever it is
	 * now, so none of these lines says which of them is of a special category.  What was kept
	 * before schema 0054 has its subject alone, and then nothing is told that would say so. */
	[STORE_OPEN_DATA] = { "open_data",
	    "SELECT t.ticket_id, l.status, l.reason_code, k.subject_code, l.department, "
	    "t.neighbourhood, t.channel, t.arrived_us, l.updated_us, l.ended_us, "
	    "CASE WHEN n.told THEN c.latitude END, CASE WHEN n.told THEN c.longitude END "
	    "FROM turunc.ticket t LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "LEFT JOIN LATERAL (SELECT * FROM turunc.ticket_former_subject o "
	    "WHERE o.ticket_id = t.ticket_id AND o.changed_us >= $4::bigint "
	    "ORDER BY o.version LIMIT 1) f ON true, "
	    "LATERAL (SELECT coalesce(f.subject_code, s.subject_code, t.subject_code) "
	    "AS subject_code) k, "
	    "LATERAL (SELECT f.status IS NOT NULL "
	    "OR coalesce(s.subject_code, t.subject_code) = ANY ($1::text[]) AS told) n, "
	    "LATERAL (SELECT f.status, f.reason_code, f.department, f.updated_us, "
	    "coalesce(f.ended_us, 0) AS ended_us WHERE f.status IS NOT NULL "
	    "UNION ALL SELECT coalesce(s.status, 1::smallint), "
	    "CASE WHEN n.told THEN coalesce(s.reason_code, '') ELSE '' END, "
	    "CASE WHEN n.told THEN coalesce(s.department, '') ELSE '' END, "
	    "coalesce(s.updated_us, t.recorded_us), coalesce(s.ended_us, 0) "
	    "WHERE f.status IS NULL) l "
	    "WHERE t.public AND k.subject_code = ANY ($1::text[]) "
	    "AND t.arrived_us >= $2::bigint AND t.arrived_us < $3::bigint "
	    "AND t.recorded_us < $4::bigint LIMIT $5::bigint",
	    5 },
	[STORE_MONTH_STATE] = { "month_state",
	    "SELECT h.log_id, s.fold_version, coalesce(c.log_id = h.log_id AND c.seq = s.seq, "
	    "false), coalesce(b.last_seq, 0), " STORE_MONTH_STATE_COLUMNS(
		"s") " FROM (SELECT log_id FROM turunc.log_history ORDER BY history_no DESC LIMIT "
		     "1) h "
		     "LEFT JOIN turunc.month_state s ON true "
		     "LEFT JOIN turunc.consumer_cursor c ON c.client = '' AND c.name = 'figures' "
		     "LEFT JOIN LATERAL (SELECT last_seq FROM turunc.log_batch "
		     "ORDER BY last_seq DESC LIMIT 1) b ON true",
	    0 },
	[STORE_MONTH_BEGIN] = { "month_begin",
	    "SELECT turunc.month_begin($1::integer, $2::uuid, $3::bigint)", 3 },
	[STORE_MONTH_RECORDS] = { "month_records",
	    "SELECT e.seq, e.committed_at_us, e.event, (SELECT last_seq FROM turunc.log_batch "
	    "ORDER BY last_seq DESC LIMIT 1) FROM turunc.event_log e WHERE e.seq > $1::bigint "
	    "ORDER BY e.seq LIMIT $2::integer",
	    2 },
	[STORE_MONTH_FACTS] = { "month_facts",
	    "SELECT key, fact FROM turunc.month_fact WHERE key = ANY ($1::bytea[])", 1 },
	[STORE_MONTH_TAKE] = { "month_take",
	    "SELECT turunc.month_take($1::uuid, $2::bigint, $3::bigint, $4::bigint, "
	    "$5::bigint[], $6::bytea[], $7::bytea[], $8::integer[], $9::text[], $10::bigint[], "
	    "$11::boolean[])",
	    11 },
	[STORE_MONTH_TOUCHED] = { "month_touched",
	    "SELECT t.month, t.name, t.was, coalesce(c.n, 0) FROM turunc.month_touched t "
	    "LEFT JOIN turunc.month_cell c ON c.month = t.month AND c.name = t.name",
	    0 },
	[STORE_MONTH_OPEN] = { "month_open",
	    "SELECT name, n FROM turunc.month_cell WHERE month = 0 AND n <> 0", 0 },
	[STORE_MONTH_TURN] = { "month_turn",
	    "SELECT turunc.month_turn($1::bigint, $2::integer, $3::bigint[], $4::integer[], "
	    "$5::text[], $6::bigint[], $7::integer[], $8::bigint[], $9::bigint[], "
	    "$10::integer[], $11::text[], $12::bigint[], $13::bigint[])",
	    13 },
	/* One statement, for one moment: kind, place, name, two numbers, hash. */
	[STORE_REPORT] = { "report",
	    "WITH s AS (SELECT * FROM turunc.month_state) "
	    "SELECT 0, 0, v.name, v.n, 0::bigint, ''::bytea FROM s, LATERAL (VALUES "
	    "('seq', s.seq), ('at_us', s.at_us), ('day', s.day::bigint), "
	    "('first', s.first::bigint), ('rolled', s.rolled::bigint), "
	    "('published', s.published::bigint), "
	    "('ladder_published', s.ladder_published::bigint), "
	    "('config_version', s.config_version), "
	    "('fold_version', s.fold_version::bigint)) AS v(name, n) "
	    "UNION ALL SELECT 1, c.month, c.name, c.n, 0, ''::bytea FROM turunc.month_cell c "
	    "WHERE c.month IN (0, $1::integer, $2::integer, $3::integer) "
	    "UNION ALL SELECT 2, r.number, '', r.seq, r.at_us, ''::bytea "
	    "FROM turunc.month_revision r WHERE r.month = $1::integer "
	    "UNION ALL SELECT 3, h.number, h.name, h.was, h.now, ''::bytea "
	    "FROM turunc.month_change h WHERE h.month = $1::integer "
	    "UNION ALL SELECT 4, 0, (SELECT log_id::text FROM turunc.log_history "
	    "WHERE base_seq < greatest(s.seq, 1) ORDER BY history_no DESC LIMIT 1), b.last_seq, "
	    "0, b.hash FROM s, LATERAL ("
	    "SELECT last_seq, hash FROM turunc.log_batch WHERE last_seq >= s.seq "
	    "ORDER BY last_seq LIMIT 1) b "
	    "UNION ALL SELECT 5, 0, '', e.seq, e.at_us, ''::bytea FROM (" STORE_END ") e "
	    "ORDER BY 1, 2, 3",
	    3 },
	/* Versions never change, so this may see another moment than the one before. */
	[STORE_REPORT_CONFIG] = { "report_config",
	    "SELECT f.version, f.name, f.content FROM turunc.month_state s "
	    "JOIN turunc.config_file f ON f.version = s.config_version "
	    "WHERE s.config_version <> $1::bigint ORDER BY f.name",
	    1 },
	[STORE_REPORT_MONTHS] = { "report_months",
	    "SELECT coalesce(s.first, 0), coalesce(s.at_us, 0), r.month, max(r.number), "
	    "coalesce(s.seq, 0), coalesce(s.fold_version, 0), e.seq, e.at_us "
	    "FROM (SELECT max(seq) AS seq, max(at_us) AS at_us FROM (" STORE_END ") l) e "
	    "LEFT JOIN turunc.month_state s ON true LEFT JOIN turunc.month_revision r ON true "
	    "GROUP BY 1, 2, 3, 5, 6, 7, 8 ORDER BY 3",
	    0 },
	[STORE_CURSOR] = { "cursor",
	    "INSERT INTO turunc.consumer_cursor AS c (client, name, log_id, seq, updated_at_us) "
	    "VALUES ('', 'metrics', $1::uuid, $2::bigint, $3::bigint) "
	    "ON CONFLICT (client, name) DO UPDATE SET log_id = excluded.log_id, "
	    "seq = excluded.seq, updated_at_us = excluded.updated_at_us "
	    "WHERE (c.log_id, c.seq) IS DISTINCT FROM (excluded.log_id, excluded.seq)",
	    3 },
};

struct month_state
store_month_state(const struct pg_result *r, int row, int column)
{
	return (struct month_state){
		.seq = (uint64_t)db_get_int(r, row, column),
		.at_us = db_get_int(r, row, column + 1),
		.day = (int32_t)db_get_int(r, row, column + 2),
		.calendar = { .first = (int32_t)db_get_int(r, row, column + 3),
		    .rolled = (int32_t)db_get_int(r, row, column + 4) },
		.published = (int32_t)db_get_int(r, row, column + 5),
		.ladder_published = (int32_t)db_get_int(r, row, column + 6),
		.config_version = (uint64_t)db_get_int(r, row, column + 7),
		.doubted_us = db_get_int(r, row, column + 8),
		.leapt_from_us = db_get_int(r, row, column + 9),
		.leapt_day = (int32_t)db_get_int(r, row, column + 10),
	};
}
