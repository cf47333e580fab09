/* The notifier's SQL, all of it. */
#include "store.h"

/* Addresses in other letters are the same mailbox, as the unique index has it. */
#define MAILBOX(address) "lower(" address " COLLATE \"C\")"
#define REMINDER_IS(recipient_, window_) \
	MAILBOX("recipient")             \
	" = " MAILBOX(recipient_ "::text") " AND window_us = " window_ "::bigint"

/* What is taken for a machine's gets no mail, also when a person has made a ticket of it. */
#define MAIL_OF_CONTACT(now) \
	"CASE WHEN c.kind <> 'machine' THEN turunc.mail_reaches(c.email, " now "::bigint) END"

/* The identity of what a server said of the message notification_id in its dialogue with us. */
#define SAID_TO_US "sha256(convert_to('smtp ' || notification_id, 'UTF8'))"

/* The record that a message tells of, whose trace goes on. */
#define TOLD_OF(message) \
	"(SELECT l.event FROM turunc.event_log l WHERE l.seq = " message ".about_seq)"

const struct db_statement store_statements[STORE_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
	LETTERS_SQL(STORE_LETTERS, "notifier"),
	[STORE_RECORD] = { "record", "SELECT event FROM turunc.event_log WHERE seq = $1::bigint",
	    1 },
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
	    "SELECT q.id, t.ticket_id, c.name, c.phone, " MAIL_OF_CONTACT(
		"$3") ", "
		      "coalesce(c.language, ''), coalesce(s.subject_code, t.subject_code), "
		      "t.recorded_us, "
		      "NULL::uuid, coalesce(c.channel = 4, false) "
		      "FROM unnest($1::bigint[]) AS q(id) JOIN turunc.ticket t ON t.ticket_id = "
		      "q.id "
		      "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "
		      "LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id UNION ALL "
		      "SELECT s.primary_id, t.ticket_id, c.name, c.phone, " MAIL_OF_CONTACT(
			  "$3") ", c.language, s.subject_code, t.recorded_us, "
				"NULL, c.channel = 4 FROM turunc.ticket_state s "
				"JOIN turunc.ticket t ON t.ticket_id = s.ticket_id "
				"JOIN turunc.contact c ON c.contact_id = t.contact_id "
				"WHERE s.primary_id = ANY ($2::bigint[]) AND s.status = 10 UNION "
				"ALL "
				"SELECT e.about, c.ticket_id, c.name, c.phone, "
				"turunc.mail_reaches(c.email, $3::bigint), c.language, "
				"coalesce(s.subject_code, t.subject_code), t.recorded_us, "
				"c.contact_id, c.channel = 4 "
				"FROM (SELECT q.id AS about, q.id FROM unnest($2::bigint[]) AS "
				"q(id) UNION ALL "
				"SELECT d.primary_id, d.ticket_id FROM turunc.ticket_state d "
				"WHERE d.primary_id = ANY ($2::bigint[]) AND d.status = 10) e "
				"JOIN turunc.contact c ON c.ticket_id = e.id AND c.kind = 'joined' "
				"JOIN turunc.ticket t ON t.ticket_id = e.id "
				"LEFT JOIN turunc.ticket_state s ON s.ticket_id = e.id "
				"WHERE NOT EXISTS (SELECT FROM turunc.contact o WHERE o.ticket_id "
				"= c.ticket_id "
				"AND o.contact_id < c.contact_id AND o.phone = c.phone "
				"AND o.kind IN ('report', 'joined'))",
	    3 },
	[STORE_TEXTS] = { "texts",
	    "SELECT text_id, body FROM turunc.ticket_text WHERE text_id = ANY ($1::uuid[]) "
	    "AND kind IN ('answer', 'closing')",
	    1 },
	/* Only one routing is told, the first that could be; a message without a body is refused
	 * when it is claimed.
	 */
	[STORE_QUEUE] = { "queue",
	    "INSERT INTO turunc.notification (notification_id, ticket_id, about_seq, about_type, "
	    "channel, language, recipient, subject, body, state, next_attempt_us, last_error, "
	    "created_us, updated_us, contact_id, first_mail) "
	    "SELECT u.id, u.ticket_id, u.about_seq, u.about_type, u.channel, u.language, "
	    "u.recipient, u.subject, u.body, 1, $12::bigint, u.error, $12::bigint, $12::bigint, "
	    "coalesce(u.contact_id, '00000000-0000-0000-0000-000000000000'), "
	    "turunc.is_first_mail(u.channel, u.recipient) "
	    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], "
	    "$6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[]) "
	    "AS u(id, ticket_id, about_seq, about_type, channel, language, recipient, subject, "
	    "body, error, contact_id) "
	    "WHERE u.about_type <> 'ticket.routed' OR (SELECT 1 FROM turunc.notification p "
	    "WHERE p.ticket_id = u.ticket_id AND p.about_type = 'ticket.routed' "
	    "AND p.about_seq <> u.about_seq LIMIT 1) IS NULL "
	    "ON CONFLICT (about_seq, ticket_id, channel, contact_id) DO NOTHING",
	    12 },
	[STORE_SENDING] = { "sending",
	    "SELECT notification_id FROM turunc.notification WHERE state = 2 "
	    "AND NOT updated_us BETWEEN $1::bigint AND $2::bigint "
	    "ORDER BY notification_id LIMIT 1024",
	    2 },
	[STORE_LEFT] = { "left",
	    "SELECT n.notification_id, n.ticket_id, n.about_seq, n.about_type, n.language, "
	    "n.attempts, n.channel, coalesce(a.detail = $1::text, false), n.gateway, n.route, "
	    "n.refused_by, " TOLD_OF(
		"n") " "
		     "FROM turunc.notification n LEFT JOIN turunc.notification_attempt a "
		     "ON a.notification_id = n.notification_id AND a.attempt = n.attempts "
		     "WHERE n.state = 2 LIMIT 64",
	    1 },
	/* A message waits behind an earlier one of its ticket; it steps back meanwhile, so that it
	 * is not looked at again and again.  What confirms a wish (about sms.received) answers
	 * somebody who has just written: whatever they wished, at any hour, and it waits for no
	 * message but a confirmation that is leaving, which must not arrive after it. */
	[STORE_CLAIM] = { "claim",
	    "WITH due AS (SELECT n.notification_id, n.ticket_id, n.about_seq, n.recipient, "
	    "n.about_type = 'sms.received' AS confirms "
	    "FROM turunc.notification n WHERE n.state = 1 AND n.channel = $1::text "
	    "AND n.next_attempt_us <= $2::bigint AND n.route = ANY ($6::smallint[]) "
	    "AND ($9::boolean OR NOT n.first_mail) "
	    "AND (NOT $8::boolean OR n.about_type = 'sms.received' OR EXISTS (SELECT FROM "
	    "turunc.ticket_state s "
	    "WHERE s.ticket_id = n.ticket_id AND s.priority >= 4)) "
	    "ORDER BY n.next_attempt_us, n.about_seq "
	    "LIMIT $4::integer FOR UPDATE OF n SKIP LOCKED), "
	    "behind AS (SELECT d.notification_id, d.about_seq, CASE WHEN d.confirms THEN "
	    "(SELECT 0 FROM turunc.notification p WHERE p.recipient = d.recipient "
	    "AND p.channel = 'sms' AND p.about_type = 'sms.received' AND p.state = 2 "
	    "LIMIT 1) ELSE (SELECT coalesce("
	    "p.next_attempt_us, 0) FROM turunc.notification p WHERE p.ticket_id = d.ticket_id "
	    "AND p.channel = $1::text AND p.about_seq < d.about_seq AND p.state IN (1, 2) "
	    "AND p.about_type <> 'sms.received' "
	    "ORDER BY p.about_seq LIMIT 1) END AS first_us FROM due d), "
	    "held AS (UPDATE turunc.notification n SET next_attempt_us = "
	    "greatest(b.first_us, $2::bigint) + 500000 FROM behind b "
	    "WHERE n.notification_id = b.notification_id AND b.first_us IS NOT NULL), "
	    "claimed AS (UPDATE turunc.notification n SET state = 2, attempts = n.attempts + 1, "
	    "next_attempt_us = NULL, updated_us = $2::bigint, gateway = $7::text, ask_us = NULL "
	    "FROM (SELECT notification_id "
	    "FROM behind WHERE first_us IS NULL ORDER BY about_seq LIMIT $3::integer) b "
	    "WHERE n.notification_id = b.notification_id RETURNING n.*), "
	    "begun AS (INSERT INTO turunc.notification_attempt (notification_id, attempt, "
	    "started_us, detail, gateway) SELECT notification_id, attempts, $2::bigint, "
	    "$5::text, $7::text FROM claimed) "
	    "SELECT notification_id, ticket_id, about_seq, about_type, language, recipient, "
	    "subject, body, attempts, last_error, (SELECT count(*) FROM "
	    "turunc.notification_attempt "
	    "a WHERE a.notification_id = claimed.notification_id AND a.outcome = 'deferred'), "
	    "channel = 'email' AND turunc.mail_reaches(recipient, $2::bigint) IS NULL, "
	    "refused_by, EXISTS (SELECT FROM turunc.notification_attempt a "
	    "WHERE a.notification_id = claimed.notification_id AND a.gateway = $7::text "
	    "AND a.attempt < claimed.attempts), superseded OR channel = 'sms' AND "
	    "about_type <> 'sms.received' AND EXISTS (SELECT FROM "
	    "turunc.sms_opt_out o WHERE o.phone = claimed.recipient) "
	    "OR channel = 'email' AND about_type LIKE 'survey.%' AND EXISTS (SELECT FROM "
	    "turunc.survey_refusal r WHERE r.address = lower(claimed.recipient COLLATE \"C\")), "
	    "first_mail, created_us, (SELECT count(*) FROM due), " TOLD_OF(
		"claimed") " FROM claimed ORDER BY about_seq",
	    9 },
	/* Moves what is being sent, and what was thought to be lost with its process; says in the
	 * log what it has moved; so saying it twice changes nothing. */
	[STORE_SETTLE] = { "settle",
	    "WITH u AS (SELECT * FROM unnest($1::uuid[], $2::integer[], $3::smallint[], "
	    "$4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], "
	    "$10::bytea[], $12::smallint[], $13::smallint[], $14::bigint[]) WITH ORDINALITY AS "
	    "u(id, attempt, state, next_us, error, reference, "
	    "outcome, type, ticket_id, event, route, refused_by, ask_us, n)), "
	    "moved AS (UPDATE turunc.notification m SET state = u.state, "
	    "next_attempt_us = u.next_us, last_error = u.error, "
	    "gateway_reference = u.reference, updated_us = $11::bigint, route = u.route, "
	    "refused_by = u.refused_by, ask_us = u.ask_us, asks = 0 FROM u "
	    "WHERE m.notification_id = u.id AND m.attempts = u.attempt "
	    "AND (m.state = 2 OR (m.state = 4 AND u.state <> 4)) RETURNING m.notification_id), "
	    "ended AS (UPDATE turunc.notification_attempt a SET ended_us = $11::bigint, "
	    "outcome = u.outcome, detail = u.error FROM u JOIN moved "
	    "ON moved.notification_id = u.id WHERE a.notification_id = u.id "
	    "AND a.attempt = u.attempt RETURNING a.attempt), "
	    "said AS (SELECT array_agg(u.type ORDER BY u.n) AS types, "
	    "array_agg(u.ticket_id ORDER BY u.n) AS tickets, "
	    "array_agg(NULL::text) AS nobody, array_agg('system'::text) AS actors, "
	    "array_agg(u.event ORDER BY u.n) AS events FROM u JOIN moved "
	    "ON moved.notification_id = u.id CROSS JOIN (SELECT count(*) FROM ended) e "
	    "WHERE u.type IS NOT NULL) "
	    "SELECT CASE WHEN said.types IS NOT NULL THEN turunc.log_append($11::bigint, "
	    "said.types, said.tickets, said.nobody, said.nobody, said.actors, said.events) END "
	    "FROM said",
	    14 },
	/* A report may be quicker than the server's own answer: it waits until that was written
	 * down. What is told again is the last that was to be told of the ticket (or of the
	 * question whether one is satisfied): a report may come days later. */
	[STORE_BOUNCE_NEXT] = { "bounce_next",
	    "SELECT b.bounce_id, b.notification_id, b.permanent, b.status, n.ticket_id, "
	    "n.about_seq, n.about_type, n.language, n.attempts, n.recipient, w.seq, l.event "
	    "FROM turunc.bounce b LEFT JOIN turunc.notification n "
	    "ON n.notification_id = b.notification_id AND n.channel = 'email' "
	    "LEFT JOIN LATERAL (SELECT max(m.about_seq) AS seq FROM turunc.notification m "
	    "WHERE m.ticket_id = n.ticket_id AND m.contact_id = n.contact_id "
	    "AND (m.about_type LIKE 'survey.%') = (n.about_type LIKE 'survey.%')) w ON true "
	    "LEFT JOIN turunc.event_log l ON l.seq = w.seq "
	    "WHERE b.handled_us IS NULL AND n.state IS DISTINCT FROM 2 "
	    "ORDER BY b.at_us, b.bounce_id LIMIT 1",
	    0 },
	[STORE_MARKS_FORGET] = { "marks_forget",
	    "DELETE FROM turunc.mail_mark WHERE at_us <= turunc.mail_mark_from_us($1::bigint)", 1 },
	[STORE_BOUNCE_MARK] = { "bounce_mark",
	    "INSERT INTO turunc.mail_mark (address, notification_id, status, at_us) "
	    "SELECT lower(n.recipient COLLATE \"C\"), n.notification_id, $2::text, $3::bigint "
	    "FROM turunc.notification n WHERE n.notification_id = $1::uuid "
	    "AND n.recipient IS NOT NULL ON CONFLICT (address) DO NOTHING",
	    3 },
	/* What the server refused at once is failed already, and was said so; what a person did
	 * with it since stands.  A person may have taken one for arrived, and so discarded it. */
	[STORE_BOUNCE_SETTLE] = { "bounce_settle",
	    "WITH handled AS (UPDATE turunc.bounce SET handled_us = $4::bigint "
	    "WHERE bounce_id = $1::uuid AND handled_us IS NULL RETURNING identity), "
	    "moved AS (UPDATE turunc.notification n SET state = 5, next_attempt_us = NULL, "
	    "last_error = $5::text, updated_us = $4::bigint FROM handled h "
	    "WHERE $3::boolean AND n.notification_id = $2::uuid AND n.state IN (3, 4, 6, 7) "
	    "AND h.identity <> " SAID_TO_US " RETURNING n.notification_id), "
	    "said AS (SELECT count(*) AS moved FROM moved) "
	    "SELECT said.moved, CASE WHEN said.moved > 0 THEN turunc.log_append($4::bigint, "
	    "ARRAY[$6::text], ARRAY[$7::bigint], ARRAY[NULL::text], ARRAY[NULL::text], "
	    "ARRAY['system'::text], ARRAY[$8::bytea]) END FROM said",
	    8 },
	[STORE_BOUNCE_ASIDE] = { "bounce_aside",
	    "UPDATE turunc.bounce SET handled_us = $2::bigint, set_aside = true "
	    "WHERE bounce_id = $1::uuid AND handled_us IS NULL",
	    2 },
	/* Said by the server in its dialogue with us. */
	[STORE_BOUNCE_ADD] = { "bounce_add",
	    "INSERT INTO turunc.bounce (bounce_id, identity, notification_id, permanent, status, "
	    "at_us) SELECT u.id, " SAID_TO_US ", u.notification_id, true, u.status, $4::bigint "
	    "FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u(id, notification_id, status) "
	    "ON CONFLICT (identity) DO NOTHING",
	    4 },
	[STORE_ASK] = { "ask",
	    "SELECT n.notification_id, n.ticket_id, n.about_seq, n.about_type, n.channel, "
	    "n.language, n.attempts, n.state, n.asks, " TOLD_OF(
		"n") ", n.gateway_reference, "
		     "coalesce(n.recipient, ''), (SELECT a.started_us FROM "
		     "turunc.notification_attempt a "
		     "WHERE a.notification_id = n.notification_id AND a.attempt = n.attempts), "
		     "(SELECT count(*) FROM turunc.notification o WHERE o.channel = 'sms' "
		     "AND o.recipient = n.recipient AND o.notification_id <> n.notification_id "
		     "AND o.attempts > 0 AND abs(o.updated_us - n.updated_us) < 3600000000) "
		     "FROM turunc.notification n WHERE n.gateway = $1::text AND n.ask_us <= "
		     "$2::bigint "
		     "AND n.state IN (3, 4) ORDER BY n.ask_us LIMIT $3::integer",
	    3 },
	[STORE_BEING_SENT] = { "being_sent",
	    "SELECT min(updated_us), max(updated_us) FROM turunc.notification "
	    "WHERE state = 2 AND gateway = $1::text",
	    1 },
	[STORE_KNOWN] = { "known",
	    "SELECT u.n, n.notification_id, n.ticket_id, n.about_seq, n.about_type, n.channel, "
	    "n.language, n.attempts, n.state, n.asks, " TOLD_OF(
		"n") " FROM "
		     "unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS u(id, reference, n) "
		     "CROSS JOIN LATERAL (SELECT * FROM turunc.notification i "
		     "WHERE i.notification_id = u.id AND i.gateway = $3::text UNION ALL "
		     "SELECT * FROM turunc.notification r WHERE u.id IS NULL AND u.reference <> '' "
		     "AND r.gateway = $3::text AND r.gateway_reference = u.reference LIMIT 1) n "
		     "WHERE n.channel = 'sms' ORDER BY u.n",
	    3 },
	/* State 0: nothing new, it is asked about again.  What has moved on meanwhile stays. */
	[STORE_RECEIPTS] = { "receipts",
	    "WITH u AS (SELECT * FROM unnest($1::uuid[], $2::integer[], $3::smallint[], "
	    "$4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::bigint[]) "
	    "WITH ORDINALITY AS u(id, attempt, state, error, reference, type, ticket_id, event, "
	    "ask_us, n)), "
	    "moved AS (UPDATE turunc.notification m SET "
	    "state = CASE WHEN u.state = 0 THEN m.state ELSE u.state END, "
	    "last_error = CASE WHEN u.state = 0 THEN m.last_error ELSE u.error END, "
	    "gateway_reference = CASE WHEN u.reference <> '' AND m.recipient IS NOT NULL "
	    "THEN u.reference ELSE m.gateway_reference END, "
	    "next_attempt_us = CASE WHEN u.state = 1 THEN $10::bigint END, "
	    "ask_us = u.ask_us, asks = m.asks + 1, "
	    "updated_us = CASE WHEN u.state = 0 THEN m.updated_us ELSE $10::bigint END "
	    "FROM u WHERE m.notification_id = u.id AND m.attempts = u.attempt "
	    "AND (u.state IN (0, 5, 6) AND m.state IN (3, 4) OR u.state IN (1, 3) "
	    "AND m.state = 4) RETURNING u.n), "
	    "said AS (SELECT array_agg(u.type ORDER BY u.n) AS types, "
	    "array_agg(u.ticket_id ORDER BY u.n) AS tickets, array_agg(NULL::text) AS nobody, "
	    "array_agg('system'::text) AS actors, array_agg(u.event ORDER BY u.n) AS events "
	    "FROM u JOIN moved ON moved.n = u.n WHERE u.type IS NOT NULL) "
	    "SELECT (SELECT count(*) FROM moved), CASE WHEN said.types IS NOT NULL THEN "
	    "turunc.log_append($10::bigint, said.types, said.tickets, said.nobody, said.nobody, "
	    "said.actors, said.events) END FROM said",
	    10 },
	/* Only the opener's: who was joined to a ticket is told how it ends, and says nothing in
	   it.  They may answer before it is written down that their message was taken. */
	[STORE_ANSWERS] = { "answers",
	    "SELECT ticket_id FROM ((SELECT t.ticket_id, 0 AS rank FROM turunc.ticket t "
	    "JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "WHERE t.ticket_id = ANY ($2::bigint[]) AND c.phone = $1::text LIMIT 1) UNION ALL "
	    "(SELECT n.ticket_id, 1 FROM turunc.notification n JOIN turunc.ticket t "
	    "ON t.ticket_id = n.ticket_id JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "AND c.phone = n.recipient WHERE n.channel = 'sms' AND n.recipient = $1::text "
	    "AND n.contact_id = '00000000-0000-0000-0000-000000000000' "
	    "AND n.created_us > $3::bigint AND n.state IN (2, 3, 4, 6) "
	    "ORDER BY n.created_us DESC LIMIT 1)) w ORDER BY rank LIMIT 1",
	    3 },
	[STORE_WISH] = { "sms_wish",
	    "SELECT turunc.take_sms_wish($1::text, $2::text, $3::boolean, $4::bigint, "
	    "$5::bigint, $6::uuid, $7::text[], $8::text[])",
	    8 },
	[STORE_HASTEN] = { "hasten",
	    "WITH moved AS (UPDATE turunc.notification SET next_attempt_us = $1::bigint "
	    "WHERE state = 1 AND next_attempt_us > $2::bigint RETURNING 1) "
	    "SELECT count(*) FROM moved",
	    2 },
	/* The month is that of the end; one row for each end, however often it is read. */
	[STORE_SURVEY_END] = { "survey_end",
	    "INSERT INTO turunc.survey (survey_id, ticket_id, ended_seq, ended_us, month, due_us) "
	    "SELECT u.id, u.ticket_id, u.seq, e.committed_at_us, "
	    "to_char(to_timestamp(e.committed_at_us / 1000000) AT TIME ZONE 'Europe/Istanbul', "
	    "'YYYYMM')::integer, e.committed_at_us + $4::bigint "
	    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS u(id, ticket_id, seq) "
	    "JOIN turunc.event_log e ON e.seq = u.seq "
	    "ON CONFLICT (ticket_id, ended_seq) DO NOTHING",
	    4 },
	[STORE_SURVEY_SEQ] = { "survey_seq",
	    "UPDATE turunc.survey s SET "
	    "invited_seq = CASE WHEN u.reminder THEN s.invited_seq ELSE u.seq END, "
	    "reminded_seq = CASE WHEN u.reminder THEN u.seq ELSE s.reminded_seq END "
	    "FROM unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS u(id, seq, reminder) "
	    "WHERE s.survey_id = u.id",
	    3 },
	[STORE_SURVEY_DUE] = { "survey_due",
	    "SELECT s.survey_id, s.ticket_id, s.ended_seq, s.state, s.due_us, "
	    "coalesce(s.expires_us, 0), EXISTS (SELECT FROM turunc.event_log r "
	    "WHERE r.ticket_id = s.ticket_id AND r.seq > s.ended_seq "
	    "AND r.type = 'ticket.reopened'), c.salt = '', EXISTS (SELECT FROM "
	    "turunc.survey_answer a WHERE a.survey_id = s.survey_id), " MAIL_OF_CONTACT(
		"$1") ", c.phone, c.language, "
		      "c.email IS NOT NULL, EXISTS (SELECT FROM turunc.sms_opt_out o "
		      "WHERE o.phone = c.phone), EXISTS (SELECT FROM turunc.survey_refusal r "
		      "WHERE r.address = lower(c.email COLLATE \"C\")) FROM turunc.survey s JOIN "
		      "turunc.ticket t ON t.ticket_id = "
		      "s.ticket_id "
		      "JOIN turunc.contact c ON c.contact_id = t.contact_id "
		      "WHERE s.state IN (1, 2) AND s.due_us <= $1::bigint "
		      "ORDER BY s.due_us LIMIT $2::integer",
	    2 },
	/* Moves a row from where it was seen to be; says in the log what it has moved. */
	[STORE_SURVEY_MOVE] = { "survey_move",
	    "WITH u AS (SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], "
	    "$4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bytea[]) "
	    "WITH ORDINALITY AS u(id, was, state, reason, due_us, expires_us, type, ticket_id, "
	    "event, n)), "
	    "moved AS (UPDATE turunc.survey s SET state = u.state, reason = u.reason, "
	    "due_us = nullif(u.due_us, 0), expires_us = coalesce(nullif(u.expires_us, 0), "
	    "s.expires_us), invited_us = CASE WHEN u.type = 'survey.invited' THEN $10::bigint "
	    "ELSE s.invited_us END, reminded_us = CASE WHEN u.type = 'survey.reminded' "
	    "THEN $10::bigint ELSE s.reminded_us END FROM u "
	    "WHERE s.survey_id = u.id AND s.state = u.was RETURNING s.survey_id), "
	    "said AS (SELECT array_agg(u.type ORDER BY u.n) AS types, "
	    "array_agg(u.ticket_id ORDER BY u.n) AS tickets, "
	    "array_agg(NULL::text) AS nobody, array_agg('system'::text) AS actors, "
	    "array_agg(u.event ORDER BY u.n) AS events FROM u JOIN moved "
	    "ON moved.survey_id = u.id WHERE u.type IS NOT NULL) "
	    "SELECT CASE WHEN said.types IS NOT NULL THEN turunc.log_append($10::bigint, "
	    "said.types, said.tickets, said.nobody, said.nobody, said.actors, said.events) END "
	    "FROM said",
	    10 },
	[STORE_REMINDED] = { "reminded",
	    "SELECT EXISTS (SELECT FROM turunc.reminder WHERE " REMINDER_IS("$1", "$2") ")", 2 },
	/* What runs and whose alarm "due soon" has gone off; what was given back is the operators'.
	 */
	[STORE_REMIND_DUE] = { "remind_due",
	    /* From the tickets that live to their clocks, whatever the planner knows of the tables:
	     * those of all tickets there ever were are hundreds of times as many. */
	    "WITH live AS MATERIALIZED (SELECT s.ticket_id, s.department, s.subject_code "
	    "FROM turunc.ticket_state s WHERE s.department = ANY ($5::text[]) AND s.status <= 6 "
	    "AND s.status <> 2), "
	    "due AS MATERIALIZED (SELECT l.*, k.clock, k.due_us FROM live l, LATERAL (SELECT "
	    "k.clock, k.due_us FROM turunc.ticket_clock k WHERE k.ticket_id = l.ticket_id "
	    "AND k.state = 1 AND k.next_alarm >= 2 AND k.due_us < $4::bigint OFFSET 0) k "
	    "WHERE NOT EXISTS (SELECT FROM turunc.reminder WHERE " REMINDER_IS(
		"$2", "$3") ") ORDER BY k.due_us, l.ticket_id LIMIT $1::integer) "
			    "SELECT d.ticket_id, d.department, d.subject_code, t.neighbourhood, "
			    "d.clock = 1, d.due_us, coalesce(a.reference, ''), false, t.arrived_us "
			    "FROM due d JOIN turunc.ticket t ON t.ticket_id = d.ticket_id "
			    "LEFT JOIN turunc.cimer_application a ON a.ticket_id = d.ticket_id "
			    "ORDER BY d.due_us, d.ticket_id",
	    5 },
	[STORE_REMIND_TRIAGE] = { "remind_triage",
	    "SELECT s.ticket_id, s.department, s.subject_code, t.neighbourhood, true, "
	    "coalesce(s.legal_due_us, 0), coalesce(a.reference, ''), false, t.arrived_us "
	    "FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = s.ticket_id "
	    "LEFT JOIN turunc.cimer_application a ON a.ticket_id = s.ticket_id "
	    "WHERE s.status = 2 AND NOT EXISTS (SELECT FROM "
	    "turunc.reminder WHERE " REMINDER_IS(
		"$2", "$3") ") "
			    "ORDER BY s.ticket_id LIMIT $1::integer",
	    3 },
	/* As masa cimer list has them. */
	[STORE_REMIND_CIMER] = { "remind_cimer",
	    "SELECT ticket_id, department, subject_code, neighbourhood, true, legal_due_us, "
	    "reference, answer_seq IS NOT NULL, 0::bigint FROM turunc.cimer_answer "
	    "WHERE waits AND legal_due_us < $4::bigint AND NOT EXISTS (SELECT FROM "
	    "turunc.reminder WHERE " REMINDER_IS(
		"$2", "$3") ") "
			    "ORDER BY legal_due_us, ticket_id LIMIT $1::integer",
	    4 },
	/* The recipient's old rows, which nobody asks for any more, go with it. */
	[STORE_REMIND_PUT] = { "remind_put",
	    "WITH old AS (DELETE FROM turunc.reminder WHERE " MAILBOX("recipient") " = " MAILBOX(
		"$1::text") " AND window_us < $2::bigint - 400 * 86400000000) "
			    "INSERT INTO turunc.reminder (reminder_id, window_us, tickets, "
			    "recipient, subject, body, state, next_attempt_us, created_us, "
			    "updated_us) "
			    "VALUES ($4::uuid, $2::bigint, $5::integer, $1::text, $6::text, "
			    "$7::text, "
			    "CASE WHEN $5::integer = 0 THEN 6 ELSE 1 END, "
			    "CASE WHEN $5::integer > 0 THEN $3::bigint END, $3::bigint, "
			    "$3::bigint) "
			    "ON CONFLICT (" MAILBOX("recipient") ", window_us) DO NOTHING",
	    7 },
	/* One that a former process did not see end may have been taken: it is not sent again; nor
	 * is one whose window is over.  One that this process claimed and never heard of is queued
	 * again; by earlier claims only, for a claim whose connection was lost may come after one
	 * that is being sent. */
	[STORE_REMIND_CLAIM] = { "remind_claim",
	    "WITH lost AS (UPDATE turunc.reminder SET state = 4, updated_us = $1::bigint, "
	    "detail = 'interrupted' WHERE state = 2 AND updated_us < $2::bigint "
	    "AND NOT starts_with(detail, $4::text)), "
	    "again AS (UPDATE turunc.reminder SET state = 1, updated_us = $1::bigint, "
	    "detail = '' WHERE state = 2 AND starts_with(detail, $4::text) "
	    "AND detail COLLATE \"C\" < $5::text RETURNING reminder_id), "
	    "late AS (UPDATE turunc.reminder SET state = 5, updated_us = $1::bigint, "
	    "detail = 'late' WHERE state = 1 AND window_us <= $3::bigint), "
	    "next AS (SELECT r.reminder_id FROM turunc.reminder r WHERE r.state = 1 "
	    "AND r.window_us > $3::bigint AND r.next_attempt_us <= $1::bigint ORDER BY "
	    "r.next_attempt_us LIMIT 1 "
	    "FOR UPDATE SKIP LOCKED), "
	    "claimed AS (UPDATE turunc.reminder r SET state = 2, attempts = r.attempts + 1, "
	    "updated_us = $1::bigint, detail = $5::text FROM next "
	    "WHERE r.reminder_id = next.reminder_id "
	    "RETURNING r.reminder_id, r.recipient, r.subject, r.body, r.attempts) "
	    "SELECT c.*, a.again FROM (SELECT count(*) AS again FROM again) a "
	    "LEFT JOIN claimed c ON true",
	    5 },
	[STORE_REMIND_SETTLE] = { "remind_settle",
	    "UPDATE turunc.reminder SET state = $3::smallint, next_attempt_us = $4::bigint, "
	    "detail = $5::text, updated_us = $6::bigint, "
	    "subject = CASE WHEN $3::smallint = 3 THEN NULL ELSE subject END, "
	    "body = CASE WHEN $3::smallint = 3 THEN NULL ELSE body END "
	    "WHERE reminder_id = $1::uuid AND attempts = $2::integer AND state IN (2, 4)",
	    6 },
	[STORE_BACKLOG] = { "backlog",
	    "SELECT (SELECT count(*) FROM turunc.notification WHERE state = 1), "
	    "(SELECT count(*) FROM turunc.notification WHERE state = 4), "
	    "(SELECT count(*) FROM turunc.notification WHERE state = 5), "
	    "(SELECT coalesce(min(created_us), 0) FROM turunc.notification WHERE state = 1), "
	    "(SELECT count(*) FROM turunc.mail_mark "
	    "WHERE at_us > turunc.mail_mark_from_us($1::bigint)), "
	    "(SELECT count(*) FROM turunc.notification WHERE state = 1 AND first_mail)",
	    1 },
};
