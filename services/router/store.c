/* The SQL of the router. */
#include "store.h"

#define CLOCK_SELECT(c)                                                                       \
	c ".state, " c ".basis, " c ".calendar, " c ".calendar_version, " c ".started_us, " c \
	  ".due_us, " c ".promise_ms, " c ".elapsed_ms, " c ".running_since_us, " c           \
	  ".next_alarm, " c ".next_alarm_us"

/* A ticket with its state and clocks; t is the ticket, what was asked for comes first. */
#define TICKET_SELECT(asked)                                                                      \
	"SELECT " asked ", t.ticket_id, t.channel, t.subject_code, t.neighbourhood, "             \
	"t.legal_basis, t.arrived_us, t.recorded_us, "                                            \
	"EXISTS (SELECT FROM turunc.ticket_state j WHERE j.primary_id = t.ticket_id "             \
	"AND j.status = 10), "                                                                    \
	"s.status, s.version, s.department, s.subject_code, s.priority, s.reason_code, "          \
	"s.until_us, s.primary_id, s.legal_due_us, s.service_due_us, s.answered_us, s.extended, " \
	"s.ended_us, " CLOCK_SELECT("l") ", " CLOCK_SELECT("v") " "

#define TICKET_JOINS                                                                    \
	"LEFT JOIN turunc.ticket_clock l ON l.ticket_id = t.ticket_id AND l.clock = 1 " \
	"LEFT JOIN turunc.ticket_clock v ON v.ticket_id = t.ticket_id AND v.clock = 2 "

/* What view.h reads of a ticket t with its state s and the contact c that opened it.  Nobody has
 * decided anything about a ticket without a state yet. */
#define VIEW_SELECT                                                                           \
	"SELECT t.ticket_id, coalesce(s.status, 1::smallint), coalesce(s.version, 1), "       \
	"coalesce(s.department, ''), t.channel, coalesce(s.subject_code, t.subject_code), "   \
	"coalesce(s.priority, 0::smallint), t.neighbourhood, c.description, c.address, "      \
	"c.latitude, c.longitude, t.arrived_us, t.recorded_us, coalesce(s.legal_due_us, 0), " \
	"coalesce(s.service_due_us, 0), c.media_url, c.answers, c.name, c.phone, c.email, "   \
	"coalesce(s.primary_id, 0) "
/* The views of u's tickets, by ticket. */
#define VIEWS_OF(u)                                                                 \
	VIEW_SELECT "FROM " u " JOIN turunc.ticket t ON t.ticket_id = u.ticket_id " \
		    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = u.ticket_id " \
		    "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "    \
		    "ORDER BY t.ticket_id"
#define VIEW_BYTES                                                                           \
	"coalesce(octet_length(c.description), 0) + coalesce(octet_length(c.address), 0) + " \
	"coalesce(octet_length(c.answers), 0) + 256"
/* A page of open tickets of which some come first ("where"), cut at $3 rows and $4 bytes. */
#define OPEN_PAGE(where, order)                                                                  \
	VIEW_SELECT "FROM (SELECT p.ticket_id, p.department, sum(" VIEW_BYTES ") "               \
		    "OVER (ORDER BY " order " ROWS UNBOUNDED PRECEDING) AS bytes, "              \
		    "row_number() OVER (ORDER BY " order ") AS place FROM (SELECT o.ticket_id, " \
		    "o.department FROM turunc.ticket_state o WHERE o.status <= 6 AND " where     \
		    " ORDER BY o.department, o.ticket_id LIMIT $3::bigint) p "                   \
		    "JOIN turunc.ticket pt ON pt.ticket_id = p.ticket_id "                       \
		    "LEFT JOIN turunc.contact c ON c.contact_id = pt.contact_id) q "             \
		    "JOIN turunc.ticket_state s ON s.ticket_id = q.ticket_id "                   \
		    "JOIN turunc.ticket t ON t.ticket_id = q.ticket_id "                         \
		    "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "                 \
		    "WHERE q.place = 1 OR q.bytes <= $4::bigint ORDER BY q.place"

const struct db_statement store_statements[STORE_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
	LETTERS_SQL(STORE_LETTERS, "router"),
	[STORE_CURSOR_MAKE] = { "cursor_make",
	    "INSERT INTO turunc.consumer_cursor (client, name, log_id, seq, updated_at_us) "
	    "VALUES ('', 'router', $1::uuid, 0, $2::bigint) ON CONFLICT (client, name) DO NOTHING",
	    2 },
	/* What the record says of tickets and of this cursor was restored together, so the place
	 * stays right in the new history. */
	[STORE_CURSOR_ADOPT] = { "cursor_adopt",
	    "UPDATE turunc.consumer_cursor SET log_id = $1::uuid "
	    "WHERE client = '' AND name = 'router' AND log_id <> $1::uuid AND $1::uuid = (SELECT "
	    "h.log_id FROM turunc.log_history h ORDER BY h.history_no DESC LIMIT 1)",
	    1 },
	[STORE_CURSOR] = { "cursor",
	    "SELECT c.seq, c.ctid::text, c.log_id, (SELECT coalesce(max(b.last_seq), 0) FROM "
	    "turunc.log_batch b) FROM turunc.consumer_cursor c WHERE c.client = '' AND c.name = "
	    "'router'",
	    0 },
	[STORE_CURSOR_ADVANCE] = { "cursor_advance",
	    "SELECT turunc.advance_cursor('router', $1::text::tid, $2::uuid, $3::bigint, "
	    "$4::bigint, $5::bigint)::text",
	    5 },
	[STORE_RECORDS] = { "records",
	    TICKET_SELECT("r.ticket_id") ", r.seq, r.type, r.event, r.committed_at_us FROM ("
					 "SELECT seq, type, ticket_id, event, committed_at_us FROM "
					 "turunc.event_log "
					 "WHERE seq > $1::bigint AND seq <= $2::bigint "
					 "AND type IN ('ticket.opened', 'contact.recorded', "
					 "'survey.answered') AND ticket_id IS NOT NULL "
					 "ORDER BY seq LIMIT $3::bigint) r "
					 "LEFT JOIN turunc.ticket t ON t.ticket_id = r.ticket_id "
					 "LEFT JOIN turunc.ticket_state s ON s.ticket_id = "
					 "t.ticket_id " TICKET_JOINS "ORDER BY r.seq",
	    3 },
	[STORE_TICKETS] = { "tickets",
	    TICKET_SELECT(
		"u.asked") "FROM (SELECT DISTINCT a.asked FROM unnest($1::bigint[]) "
			   "AS a(asked)) u "
			   "LEFT JOIN turunc.ticket_alias a ON a.alias_id = u.asked "
			   "JOIN turunc.ticket t ON t.ticket_id = coalesce(a.ticket_id, u.asked) "
			   "LEFT JOIN turunc.ticket_state s ON s.ticket_id = "
			   "t.ticket_id " TICKET_JOINS "ORDER BY t.ticket_id",
	    1 },
	[STORE_PUT_STATES] = { "put_states",
	    "SELECT turunc.put_ticket_states($1::bigint, $2::bigint[], $3::integer[], "
	    "$4::smallint[], $5::integer[], $6::text[], $7::text[], $8::smallint[], $9::text[], "
	    "$10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], "
	    "$15::boolean[], $16::bigint[])",
	    16 },
	[STORE_PUT_CLOCKS] = { "put_clocks",
	    "SELECT turunc.put_ticket_clocks($1::bigint[], $2::smallint[], $3::smallint[], "
	    "$4::bigint[], $5::smallint[], $6::text[], $7::text[], $8::smallint[], $9::bigint[], "
	    "$10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::smallint[], "
	    "$15::bigint[])",
	    15 },
	[STORE_ADD_HOPS] = { "add_hops",
	    "INSERT INTO turunc.ticket_hop (ticket_id, version, from_department, to_department, "
	    "reason_code, actor, at_us) SELECT * FROM unnest($1::bigint[], $2::integer[], "
	    "$3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])",
	    7 },
	[STORE_ADD_TEXTS] = { "add_texts",
	    "INSERT INTO turunc.ticket_text (text_id, ticket_id, version, kind, actor, body, salt, "
	    "created_us) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], "
	    "$4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[])",
	    8 },
	[STORE_ADD_PHOTOS] = { "add_photos",
	    "INSERT INTO turunc.attachment (owner_id, place, ticket_id, origin, actor, digest, "
	    "salt, "
	    "type, bytes, width, height, created_us) SELECT * FROM unnest($1::uuid[], "
	    "$2::smallint[], $3::bigint[], $4::smallint[], $5::text[], $6::bytea[], $7::bytea[], "
	    "$8::smallint[], $9::bigint[], $10::integer[], $11::integer[], $12::bigint[])",
	    12 },
	[STORE_ANSWERS] = { "answers",
	    "SELECT r.client, r.command_id, r.digest, r.refusal, r.text, r.version, r.status "
	    "FROM unnest($1::text[], $2::uuid[]) AS u(client, id) JOIN turunc.command_result r "
	    "ON r.client = u.client AND r.command_id = u.id",
	    2 },
	[STORE_PUT_ANSWERS] = { "put_answers",
	    "SELECT turunc.put_command_results($1::bigint, $2::text[], $3::uuid[], $4::bytea[], "
	    "$5::bigint[], $6::smallint[], $7::text[], $8::integer[], $9::smallint[])",
	    9 },
	[STORE_ACKNOWLEDGE] = { "acknowledge",
	    "SELECT turunc.alarm_acknowledge($1::bigint, $2::text, $3::bigint)", 3 },
	[STORE_DECIDE_LETTER] = { "decide_letter",
	    "SELECT turunc.decide_letter($1::text, $2::bigint, $3::boolean, $4::text, $5::text, "
	    "$6::bigint)",
	    6 },
	[STORE_DECIDE_MESSAGE] = { "decide_message",
	    "SELECT turunc.decide_message($1::uuid, $2::boolean, $3::text, $4::text, $5::bigint)",
	    5 },
	[STORE_ASKERS] = { "askers",
	    "SELECT name, roles, departments FROM turunc.person_rights($1::text[])", 1 },
	[STORE_APPEND] = { "append",
	    "SELECT turunc.log_append($1::bigint, $2::text[], $3::bigint[], $4::text[], "
	    "$5::text[], $6::text[], $7::bytea[])",
	    7 },
	[STORE_DUE] = { "due",
	    TICKET_SELECT("t.ticket_id") "FROM (SELECT DISTINCT c.ticket_id FROM ("
					 "SELECT ticket_id FROM turunc.ticket_clock WHERE "
					 "next_alarm_us <= $1::bigint "
					 "AND ticket_id <> ALL ($3::bigint[]) "
					 "ORDER BY next_alarm_us LIMIT $2::bigint) c) u "
					 "JOIN turunc.ticket t ON t.ticket_id = u.ticket_id "
					 "JOIN turunc.ticket_state s ON s.ticket_id = "
					 "t.ticket_id " TICKET_JOINS "ORDER BY t.ticket_id",
	    3 },
	[STORE_CLOSABLE] = { "closable",
	    TICKET_SELECT("t.ticket_id") "FROM (SELECT ticket_id FROM turunc.ticket_state "
					 "WHERE status BETWEEN 7 AND 11 AND ended_us <= $1::bigint "
					 "AND ticket_id <> ALL ($3::bigint[]) "
					 "ORDER BY ended_us LIMIT $2::bigint) u "
					 "JOIN turunc.ticket t ON t.ticket_id = u.ticket_id "
					 "JOIN turunc.ticket_state s ON s.ticket_id = "
					 "t.ticket_id " TICKET_JOINS "ORDER BY t.ticket_id",
	    3 },
	[STORE_STREAM_COMMON] = { "stream_common", "SELECT turunc.last_common_seq($1::uuid)", 1 },
	[STORE_STREAM_ROWS] = { "stream_rows",
	    "SELECT q.seq, q.committed_at_us, q.type, coalesce(q.ticket_id, 0), "
	    "coalesce(q.department, ''), coalesce(q.previous_department, ''), q.event, h.log_id "
	    "FROM (SELECT log_id FROM turunc.log_history ORDER BY history_no DESC LIMIT 1) h "
	    "LEFT JOIN ("
	    "SELECT p.*, sum(octet_length(p.event)) OVER (ORDER BY p.seq ROWS UNBOUNDED "
	    "PRECEDING) - octet_length(p.event) AS bytes_before FROM ("
	    "SELECT seq, committed_at_us, type, ticket_id, department, previous_department, event "
	    "FROM turunc.event_log WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint) p) q "
	    "ON q.bytes_before < $3::bigint ORDER BY q.seq",
	    3 },
	[STORE_STREAM_VIEWS] = { "stream_views", VIEWS_OF("unnest($1::bigint[]) AS u(ticket_id)"),
	    1 },
	[STORE_STREAM_ROW_VIEWS] = { "stream_row_views",
	    VIEWS_OF("(SELECT DISTINCT e.ticket_id FROM (SELECT ticket_id FROM turunc.event_log "
		     "WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint) e) u"),
	    2 },
	[STORE_STREAM_TAKE] = { "stream_take",
	    "SELECT outcome, held_epoch, held_seq, common_seq, log FROM turunc.take_subscription("
	    "$1::text, $2::text, $3::text[], $4::text[], $5::smallint, $6::uuid, $7::smallint, "
	    "$8::bigint, $9::bigint, $10::uuid, $11::boolean, $12::bigint, $13::bigint)",
	    13 },
	[STORE_STREAM_ACK] = { "stream_ack",
	    "UPDATE turunc.consumer_cursor c SET seq = u.seq, updated_at_us = $5::bigint FROM ("
	    "SELECT a.client, a.name, a.epoch, max(a.seq) AS seq FROM unnest($1::text[], "
	    "$2::text[], $3::bigint[], $4::bigint[]) AS a(client, name, epoch, seq) "
	    "GROUP BY a.client, a.name, a.epoch ORDER BY a.client, a.name) u "
	    "WHERE c.client = u.client AND c.name = u.name AND c.epoch = u.epoch "
	    "AND c.seq < u.seq",
	    5 },
	[STORE_STREAM_EPOCHS] = { "stream_epochs",
	    "SELECT c.epoch, c.instance FROM unnest($1::text[], $2::text[]) "
	    "WITH ORDINALITY AS u(client, name, n) LEFT JOIN turunc.consumer_cursor c "
	    "ON c.client = u.client AND c.name = u.name ORDER BY u.n",
	    2 },
	[STORE_STREAM_FREEZE] = { "stream_freeze",
	    "UPDATE turunc.consumer_cursor SET frozen_reason = $3::text, epoch = epoch + 1, "
	    "updated_at_us = $6::bigint WHERE client = $1::text AND name = $2::text "
	    "AND frozen_reason IS NULL AND types = $4::text[] AND departments = $5::text[]",
	    6 },
	[STORE_STREAM_HEAD] = { "stream_head",
	    "SELECT h.log_id, coalesce((SELECT last_seq FROM turunc.log_batch "
	    "ORDER BY last_seq DESC LIMIT 1), 0) FROM turunc.log_history h "
	    "ORDER BY h.history_no DESC LIMIT 1",
	    0 },
	[STORE_STREAM_OPEN] = { "stream_open",
	    OPEN_PAGE("o.department = $1::text AND o.ticket_id > $2::bigint", "p.ticket_id"), 4 },
	[STORE_STREAM_NOTE] = { "stream_note",
	    "SELECT turunc.note_views($1::bigint, $2::text, $3::bigint[], $4::text[], $5::bytea[])",
	    5 },
	[STORE_STREAM_OPEN_ALL] = { "stream_open_all",
	    OPEN_PAGE("(o.department, o.ticket_id) > ($1::text, $2::bigint)",
		"p.department, p.ticket_id"),
	    4 },
	/* clock 1 is the legal one, state 1 is running: the index of 0051 has just these. */
	[STORE_WATCH] = { "watch",
	    "SELECT l.next, l.near, l.past, coalesce((SELECT max(good_until_us) FROM "
	    "turunc.backup_made), "
	    "0), "
	    "(SELECT count(*) FROM turunc.client_grant WHERE revoked_us IS NULL "
	    "AND expires_us > $1::bigint AND expires_us <= $4::bigint), "
	    "(SELECT count(*) * 10000000 - 1 FROM pg_inherits "
	    "WHERE inhparent = 'turunc.event_log'::regclass) - coalesce((SELECT last_seq "
	    "FROM turunc.log_batch ORDER BY last_seq DESC LIMIT 1), 0) FROM ("
	    "SELECT count(*) FILTER (WHERE due_us > $1::bigint AND due_us <= $2::bigint) AS next, "
	    "count(*) FILTER (WHERE due_us > $1::bigint) AS near, "
	    "count(*) FILTER (WHERE due_us <= $1::bigint) AS past FROM turunc.ticket_clock "
	    "WHERE clock = 1 AND state = 1 AND due_us <= $3::bigint) l",
	    4 },
	/* A client that was revoked cannot read: nobody is to be called about its lag. */
	[STORE_WATCH_READERS] = { "watch_readers",
	    "SELECT CASE WHEN c.client = '' THEN c.name ELSE c.client || '/' || c.name END, "
	    "greatest(h.head - c.seq, 0), CASE WHEN h.head > c.seq THEN greatest($1::bigint - ("
	    "SELECT l.committed_at_us FROM turunc.event_log l WHERE l.seq = c.seq + 1), 0) ELSE 0 "
	    "END, c.frozen_reason IS NOT NULL FROM turunc.consumer_cursor c CROSS JOIN ("
	    "SELECT coalesce((SELECT last_seq FROM turunc.log_batch ORDER BY last_seq DESC "
	    "LIMIT 1), 0) AS head) h WHERE NOT EXISTS (SELECT FROM turunc.client_grant g "
	    "WHERE g.name = c.client AND g.revoked_us IS NOT NULL) ORDER BY 2 DESC, 1 LIMIT 100",
	    1 },
	[STORE_PARTITIONS] = { "partitions", "SELECT turunc.create_log_partitions($1::bigint)", 1 },
};
