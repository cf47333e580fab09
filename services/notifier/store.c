/* The notifier's SQL, all of it. */
#include "store.h"

#define SETTLED \
	"unnest($1::uuid[], $2::integer[], $3::smallint[], $4::bigint[], $5::text[], $6::text[])"

const struct db_statement store_statements[STORE_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
	[STORE_CURSOR_MAKE] = { "cursor_make",
	    "INSERT INTO turunc.consumer_cursor (client, name, log_id, seq, updated_at_us) "
	    "VALUES ('', 'notifier', $1::uuid, 0, $2::bigint) ON CONFLICT DO NOTHING",
	    2 },
	[STORE_CURSOR] = { "cursor",
	    "SELECT seq FROM turunc.consumer_cursor "
	    "WHERE client = '' AND name = 'notifier' AND log_id = $1::uuid",
	    1 },
	[STORE_CURSOR_ADVANCE] = { "cursor_advance",
	    "SELECT turunc.advance_cursor('notifier', $1::uuid, $2::bigint, $3::bigint, "
	    "$4::bigint)",
	    4 },
	[STORE_PEOPLE] = { "people",
	    "SELECT q.id, t.ticket_id, c.name, c.phone, c.email, c.language, "
	    "coalesce(s.subject_code, t.subject_code), t.recorded_us "
	    "FROM unnest($1::bigint[]) AS q(id) JOIN turunc.ticket t ON t.ticket_id = q.id "
	    "JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "UNION ALL "
	    "SELECT s.primary_id, t.ticket_id, c.name, c.phone, c.email, c.language, "
	    "s.subject_code, "
	    "t.recorded_us FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = "
	    "s.ticket_id "
	    "JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "WHERE s.primary_id = ANY ($2::bigint[]) AND s.status = 10",
	    2 },
	[STORE_TEXTS] = { "texts",
	    "SELECT text_id, body FROM turunc.ticket_text WHERE text_id = ANY ($1::uuid[])", 1 },
	[STORE_QUEUE] = { "queue",
	    "INSERT INTO turunc.notification (notification_id, ticket_id, about_seq, about_type, "
	    "channel, "
	    "language, recipient, subject, body, state, next_attempt_us, last_error, created_us, "
	    "updated_us) "
	    "SELECT u.id, u.ticket_id, u.about_seq, u.about_type, u.channel, u.language, "
	    "u.recipient, "
	    "u.subject, u.body, u.state, CASE WHEN u.state = 1 THEN $11::bigint END, u.error, "
	    "$11::bigint, $11::bigint "
	    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], "
	    "$6::text[], "
	    "$7::text[], $8::text[], $9::text[], $10::smallint[], $12::text[]) "
	    "AS u(id, ticket_id, about_seq, about_type, channel, language, recipient, subject, "
	    "body, "
	    "state, error) ON CONFLICT (about_seq, ticket_id, channel) DO NOTHING",
	    12 },
	[STORE_INTERRUPTED] = { "interrupted",
	    "WITH cut AS (UPDATE turunc.notification SET state = 4, updated_us = $1::bigint, "
	    "last_error = 'the notifier ended while it was being sent' WHERE state = 2 "
	    "RETURNING notification_id, attempts), "
	    "told AS (UPDATE turunc.notification_attempt a SET ended_us = $1::bigint, outcome = "
	    "'unknown', "
	    "detail = 'the notifier ended' FROM cut WHERE a.notification_id = cut.notification_id "
	    "AND a.attempt = cut.attempts) SELECT count(*) FROM cut",
	    1 },
	[STORE_CLAIM] = { "claim",
	    "WITH due AS (SELECT notification_id FROM turunc.notification WHERE state = 1 "
	    "AND next_attempt_us <= $2::bigint AND channel = $1::text "
	    "ORDER BY next_attempt_us LIMIT $3::integer FOR UPDATE SKIP LOCKED), "
	    "claimed AS (UPDATE turunc.notification n SET state = 2, attempts = n.attempts + 1, "
	    "next_attempt_us = NULL, updated_us = $2::bigint FROM due "
	    "WHERE n.notification_id = due.notification_id RETURNING n.*), "
	    "begun AS (INSERT INTO turunc.notification_attempt (notification_id, attempt, "
	    "started_us) "
	    "SELECT notification_id, attempts, $2::bigint FROM claimed) "
	    "SELECT notification_id, ticket_id, about_seq, about_type, language, recipient, "
	    "subject, body, "
	    "attempts FROM claimed",
	    3 },
	[STORE_SETTLE] = { "settle",
	    "UPDATE turunc.notification n SET state = u.state, next_attempt_us = u.next_us, "
	    "last_error = u.error, gateway_reference = u.reference, updated_us = $7::bigint "
	    "FROM " SETTLED " AS u(id, attempt, state, next_us, error, reference) "
	    "WHERE n.notification_id = u.id AND n.attempts = u.attempt AND n.state = 2",
	    7 },
	[STORE_SETTLE_ATTEMPTS] = { "settle_attempts",
	    "UPDATE turunc.notification_attempt a SET ended_us = $5::bigint, outcome = u.outcome, "
	    "detail = u.detail FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[]) "
	    "AS u(id, attempt, outcome, detail) WHERE a.notification_id = u.id AND a.attempt = "
	    "u.attempt",
	    5 },
	[STORE_APPEND] = { "append",
	    "SELECT turunc.log_append($1::bigint, $2::text[], $3::bigint[], $4::text[], "
	    "$5::text[], "
	    "$6::text[], $7::bytea[])",
	    7 },
	[STORE_NEXT_DUE] = { "next_due",
	    "SELECT coalesce(min(next_attempt_us), 0), count(*) FILTER (WHERE state = 4), count(*) "
	    "FROM turunc.notification WHERE state IN (1, 4)",
	    0 },
};
