/* The SQL of the desk. */
#include "desk_store.h"

/* What a row is sorted by: whichever clock ends first.  An answered ticket's legal clock stands. */
#define LEGAL(s) "CASE WHEN " s ".answered_us IS NULL THEN " s ".legal_due_us END"
#define DUE(s) "coalesce(least(" LEGAL(s) ", " s ".service_due_us), 9223372036854775807)"

#define ROW_OF(s, t, key)                                                                     \
	s ".ticket_id, " s ".status, " s ".version, " s ".department, " s ".subject_code, " s \
	  ".priority, " LEGAL(s) " AS legal_due_us, " s ".service_due_us, " s ".until_us, " t \
				 ".neighbourhood, " t ".channel, " t ".arrived_us, " s        \
				 ".reason_code, " DUE(s) " AS due, " key " AS key"
/* With the contact that opened it, when the rows are few. */
#define WITH_CONTACT(rows, order)                                                             \
	"SELECT p.ticket_id, p.status, p.version, p.department, p.subject_code, p.priority, " \
	"p.legal_due_us, p.service_due_us, p.until_us, p.neighbourhood, p.channel, "          \
	"p.arrived_us, p.reason_code, p.due, p.key, left(c.description, 2000), c.address "    \
	"FROM (" rows                                                                         \
	") p LEFT JOIN turunc.contact c ON c.contact_id = p.contact_id ORDER BY " order

/* Of a list: which tickets, and which of them come after the last row of the former page. */
#define QUEUED                                               \
	"s.status <= 6 AND s.department = ANY ($1::text[]) " \
	"AND ($2::text = '' OR s.subject_code = $2::text) "  \
	"AND CASE WHEN $4::smallint = 0 THEN s.status <> 2 ELSE s.status = $4::smallint END"
#define AFTER                                                                             \
	"(q.key, q.due, q.ticket_id) > ($6::text COLLATE \"C\", $7::bigint, $8::bigint) " \
	"ORDER BY q.key, q.due, q.ticket_id LIMIT $9::bigint"

/* Tickets that are not what they were before these records. */
#define CHANGES                                                                           \
	"SELECT DISTINCT e.ticket_id FROM turunc.event_log e WHERE e.seq > $1::bigint "   \
	"AND e.seq <= $2::bigint AND e.ticket_id IS NOT NULL AND e.type LIKE 'ticket.%' " \
	"AND e.type <> 'ticket.viewed'"

/* Each state has an index of its own. */
#define FAILED_OF(state)                                                                 \
	"(SELECT notification_id, ticket_id, about_type, state, last_error, updated_us " \
	"FROM turunc.notification WHERE state = " state " ORDER BY updated_us DESC LIMIT 100)"

const struct db_statement desk_statements[DESK_STATEMENTS] = {
	/* The open tickets of these departments are found by one index and sorted: some
	 * milliseconds for thousands of them, where an index in the order of the list would cost
	 * every step of every ticket.  Tickets in triage wait for an operator, so they come only
	 * when asked for.  The parameters are those of DESK_QUEUE_PLACES. */
	[DESK_QUEUE] = { "desk_queue",
	    "SELECT p.ticket_id, p.status, p.version, p.department, p.subject_code, p.priority, "
	    "p.legal_due_us, p.service_due_us, p.until_us, t.neighbourhood, t.channel, "
	    "t.arrived_us, p.reason_code, p.due, p.key, left(c.description, 2000), c.address "
	    "FROM (SELECT q.* FROM (SELECT s.ticket_id, s.status, s.version, s.department, "
	    "s.subject_code, s.priority, " LEGAL(
		"s") " AS legal_due_us, s.service_due_us, "
		     "s.until_us, s.reason_code, " DUE(
			 "s") " AS due, "
			      "CASE $5::smallint WHEN 3 THEN s.subject_code ELSE '' END COLLATE "
			      "\"C\" AS key "
			      "FROM turunc.ticket_state s WHERE $3::text = '' AND " QUEUED
			      ") q WHERE " AFTER
			      ") p JOIN turunc.ticket t ON t.ticket_id = p.ticket_id "
			      "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "
			      "ORDER BY p.key, p.due, p.ticket_id",
	    9 },
	/* Where it lies is known by the ticket alone, so each is looked up. */
	[DESK_QUEUE_PLACES] = { "desk_queue_places",
	    WITH_CONTACT(
		"SELECT q.* FROM (SELECT " ROW_OF("s", "t",
		    "CASE $5::smallint WHEN 2 THEN t.neighbourhood WHEN 3 THEN s.subject_code "
		    "ELSE '' END COLLATE \"C\"") ", t.contact_id "
						 "FROM turunc.ticket_state s JOIN turunc.ticket t "
						 "ON t.ticket_id = s.ticket_id "
						 "WHERE ($3::text = '' OR t.neighbourhood = "
						 "$3::text) AND " QUEUED ") q WHERE " AFTER,
		"p.key, p.due, p.ticket_id"),
	    9 },
	[DESK_COUNTS] = { "desk_counts",
	    "SELECT s.status, count(*), count(*) FILTER (WHERE " DUE(
		"s") " < $2::bigint) "
		     "FROM turunc.ticket_state s WHERE s.status <= 6 AND s.department = ANY "
		     "($1::text[]) "
		     "GROUP BY s.status ORDER BY s.status",
	    2 },
	[DESK_TRIAGE] = { "desk_triage",
	    WITH_CONTACT(
		"SELECT " ROW_OF("s", "t",
		    "''") ", t.contact_id "
			  "FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = "
			  "s.ticket_id WHERE s.status = 2 AND s.ticket_id > $1::bigint "
			  "ORDER BY s.ticket_id LIMIT $2::bigint",
		"p.ticket_id"),
	    2 },
	[DESK_ROWS] = { "desk_rows",
	    WITH_CONTACT(
		"SELECT " ROW_OF("s", "t",
		    "''") ", t.contact_id "
			  "FROM unnest($1::bigint[]) AS u(id) JOIN turunc.ticket_state s "
			  "ON s.ticket_id = u.id JOIN turunc.ticket t ON t.ticket_id = u.id",
		"p.ticket_id"),
	    1 },
	[DESK_TICKET] = { "desk_ticket",
	    "SELECT t.ticket_id, coalesce(s.status, 1::smallint), coalesce(s.version, 1), "
	    "coalesce(s.department, ''), coalesce(s.subject_code, t.subject_code), "
	    "coalesce(s.priority, 2::smallint), coalesce(s.reason_code, ''), s.until_us, "
	    "s.primary_id, s.answered_us, coalesce(s.extended, false), s.ended_us, "
	    "t.neighbourhood, t.channel, t.arrived_us, t.recorded_us, t.client, "
	    "l.state, l.basis, l.started_us, l.due_us, v.state, v.calendar, v.started_us, "
	    "v.due_us, v.promise_ms, v.elapsed_ms, p.reference, p.kind "
	    "FROM (SELECT coalesce((SELECT a.ticket_id FROM turunc.ticket_alias a "
	    "WHERE a.alias_id = $1::bigint), $1::bigint) AS id) u "
	    "JOIN turunc.ticket t ON t.ticket_id = u.id "
	    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = u.id "
	    "LEFT JOIN turunc.ticket_clock l ON l.ticket_id = u.id AND l.clock = 1 "
	    "LEFT JOIN turunc.ticket_clock v ON v.ticket_id = u.id AND v.clock = 2 "
	    "LEFT JOIN turunc.cimer_application p ON p.ticket_id = u.id",
	    1 },
	/* The newest, in the order they happened. */
	[DESK_HISTORY] = { "desk_history",
	    "SELECT h.seq, h.committed_at_us, h.type, h.actor, h.event FROM ("
	    "SELECT seq, committed_at_us, type, actor, event FROM turunc.event_log "
	    "WHERE ticket_id = $1::bigint ORDER BY seq DESC LIMIT $2::bigint) h ORDER BY h.seq",
	    2 },
	[DESK_TEXTS] = { "desk_texts",
	    "SELECT version, kind, actor, body, created_us FROM turunc.ticket_text "
	    "WHERE ticket_id = $1::bigint ORDER BY version, created_us",
	    1 },
	[DESK_HOPS] = { "desk_hops",
	    "SELECT from_department, to_department, reason_code, actor, at_us "
	    "FROM turunc.ticket_hop WHERE ticket_id = $1::bigint ORDER BY version",
	    1 },
	[DESK_CONTACTS] = { "desk_contacts",
	    "SELECT kind, channel, arrived_us, name, phone, email, description, address, latitude, "
	    "longitude, media_url, answers, salt = '' FROM turunc.contact "
	    "WHERE ticket_id = $1::bigint ORDER BY arrived_us, contact_id LIMIT 200",
	    1 },
	/* Where the same department has the same subject in the same neighbourhood; from the newest
	 * down the index of its open tickets, so that a few are found after a few. */
	[DESK_NEAR] = { "desk_near",
	    WITH_CONTACT(
		"SELECT " ROW_OF("s", "t",
		    "''") ", t.contact_id "
			  "FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = "
			  "s.ticket_id "
			  "WHERE s.status <= 6 AND s.department = (SELECT m.department "
			  "FROM turunc.ticket_state m WHERE m.ticket_id = $1::bigint) "
			  "AND s.subject_code = (SELECT m.subject_code FROM turunc.ticket_state m "
			  "WHERE m.ticket_id = $1::bigint AND m.subject_code <> '') "
			  "AND t.neighbourhood = (SELECT m.neighbourhood FROM turunc.ticket m "
			  "WHERE m.ticket_id = $1::bigint AND m.neighbourhood <> '') "
			  "AND s.ticket_id <> $1::bigint ORDER BY s.ticket_id DESC LIMIT 10",
		"p.ticket_id DESC"),
	    1 },
	[DESK_JOINED] = { "desk_joined",
	    WITH_CONTACT(
		"SELECT " ROW_OF("s", "t",
		    "''") ", t.contact_id "
			  "FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = "
			  "s.ticket_id WHERE s.primary_id = $1::bigint AND s.status = 10 "
			  "ORDER BY s.ticket_id LIMIT 50",
		"p.ticket_id"),
	    1 },
	[DESK_MESSAGES] = { "desk_messages",
	    "SELECT about_type, channel, state, updated_us FROM turunc.notification "
	    "WHERE ticket_id = $1::bigint ORDER BY created_us LIMIT 100",
	    1 },
	[DESK_PHOTOS] = { "desk_photos",
	    "SELECT digest, width, height, created_us, origin, actor FROM turunc.attachment "
	    "WHERE ticket_id = $1::bigint AND digest IS NOT NULL "
	    "ORDER BY created_us, owner_id, place LIMIT 100",
	    1 },
	[DESK_LINKS] = { "desk_links",
	    "SELECT ticket_id, earlier_id FROM turunc.ticket_link "
	    "WHERE ticket_id = $1::bigint OR earlier_id = $1::bigint ORDER BY ticket_id",
	    1 },
	[DESK_BACK] = { "desk_back",
	    "SELECT s.ticket_id, s.version, s.status, s.department, coalesce(h.from_department, "
	    "'') "
	    "FROM unnest($1::bigint[]) AS u(id) JOIN turunc.ticket_state s ON s.ticket_id = u.id "
	    "LEFT JOIN turunc.ticket_hop h ON h.ticket_id = s.ticket_id AND h.version = s.version "
	    "ORDER BY s.ticket_id",
	    1 },
	[DESK_CHANGED] = { "desk_changed",
	    WITH_CONTACT("SELECT " ROW_OF("s", "t",
			     "''") ", t.contact_id FROM (" CHANGES
				   ") u JOIN turunc.ticket_state s ON s.ticket_id = u.ticket_id "
				   "JOIN turunc.ticket t ON t.ticket_id = u.ticket_id",
		"p.ticket_id"),
	    2 },
	[DESK_LEFT] = { "desk_left",
	    "SELECT DISTINCT ticket_id, previous_department FROM turunc.event_log "
	    "WHERE seq > $1::bigint AND seq <= $2::bigint AND previous_department IS NOT NULL "
	    "AND ticket_id IS NOT NULL ORDER BY 1, 2",
	    2 },
	[DESK_ALARMS] = { "desk_alarms",
	    "SELECT alarm_id, kind, about, value, raised_us, ended_us, acknowledged_us, "
	    "acknowledged_by FROM turunc.board_alarm WHERE ended_us IS NULL OR ended_us >= "
	    "$1::bigint "
	    "ORDER BY (ended_us IS NOT NULL), (acknowledged_us IS NOT NULL), raised_us DESC "
	    "LIMIT $2::bigint",
	    2 },
	[DESK_FAILED] = { "desk_failed",
	    FAILED_OF("5") " UNION ALL " FAILED_OF("4") " ORDER BY updated_us DESC", 0 },
	[DESK_LETTERS] = { "desk_letters",
	    "SELECT consumer, seq, type, ticket_id, reason, detail, last_us, state "
	    "FROM turunc.waiting_letters(100)",
	    0 },
};
