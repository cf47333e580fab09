-- As in 0024, and an answer to a closed ticket that another follows belongs to the last of those: words
-- are heard there, or the next one follows it.
SET ROLE turunc_owner;

CREATE OR REPLACE FUNCTION turunc.mail_target(asked bigint, answered uuid[], sender text)
RETURNS TABLE (ticket_id bigint, status smallint, linked boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
  WITH RECURSIVE first AS (
    SELECT t.ticket_id
    FROM (SELECT coalesce((SELECT a.ticket_id FROM ticket_alias a WHERE a.alias_id = asked), asked) AS ticket_id, 1 AS place
          WHERE asked <> 0
          UNION ALL
          SELECT n.ticket_id, 2 FROM notification n
          WHERE n.notification_id = ANY (answered) AND n.channel = 'email' AND lower(n.recipient) = lower(sender)) w
    JOIN ticket t ON t.ticket_id = w.ticket_id
    ORDER BY w.place, t.ticket_id DESC LIMIT 1),
  chain AS (
    SELECT f.ticket_id, 0 AS place FROM first f
    UNION ALL
    SELECT l.ticket_id, c.place + 1
    FROM chain c JOIN ticket_state s ON s.ticket_id = c.ticket_id AND s.status = 12
    JOIN ticket_link l ON l.earlier_id = c.ticket_id
    WHERE c.place < 100)
  SELECT c.ticket_id, coalesce(s.status, 1::smallint),
    EXISTS (SELECT FROM ticket_link l WHERE l.earlier_id = c.ticket_id)
  FROM chain c LEFT JOIN ticket_state s ON s.ticket_id = c.ticket_id
  ORDER BY c.place DESC LIMIT 1
$$;
RESET ROLE;
