-- What was keyed into CİMER is known by the record that answered or ended the ticket, not by a version: an end has
-- no words at times, it may come twice, and versions of two tickets that were joined cannot be compared.
SET ROLE turunc_owner;

ALTER TABLE turunc.cimer_application ADD COLUMN keyed_seq bigint;  -- the last record whose answer is in the portal
GRANT UPDATE (keyed_seq) ON turunc.cimer_application TO turunc_admin;

-- How each application stands, of the ticket it was joined to if it was; for masa and notifier.
CREATE VIEW turunc.cimer_answer AS
SELECT a.ticket_id, a.reference, a.kind, a.unit, t.arrived_us, t.neighbourhood, own.legal_due_us,
  s.ticket_id AS answer_ticket_id, s.department, s.subject_code, s.status,
  e.seq AS answer_seq,                        -- NULL: neither answered nor ended
  e.committed_at_us AS answered_us, a.keyed_seq, a.keyed_us,
  e.seq IS NULL OR a.keyed_seq IS DISTINCT FROM e.seq AS waits
FROM turunc.cimer_application a
JOIN turunc.ticket t ON t.ticket_id = a.ticket_id
JOIN turunc.ticket_state own ON own.ticket_id = a.ticket_id
JOIN turunc.ticket_state s ON s.ticket_id = coalesce(own.primary_id, own.ticket_id)
LEFT JOIN LATERAL (
  SELECT l.seq, l.committed_at_us FROM turunc.event_log l WHERE l.ticket_id = s.ticket_id
  AND l.type IN ('ticket.answered', 'ticket.resolved', 'ticket.rejected', 'ticket.forwarded', 'ticket.withdrawn')
  ORDER BY l.seq DESC LIMIT 1) e ON true;
GRANT SELECT ON turunc.cimer_answer TO turunc_notifier, turunc_admin;

-- What was keyed before stood in the portal at that time.
UPDATE turunc.cimer_application a SET keyed_seq = (
  SELECT max(l.seq) FROM turunc.event_log l, turunc.cimer_answer v WHERE v.ticket_id = a.ticket_id
  AND l.ticket_id = v.answer_ticket_id AND l.committed_at_us <= a.keyed_us
  AND l.type IN ('ticket.answered', 'ticket.resolved', 'ticket.rejected', 'ticket.forwarded', 'ticket.withdrawn'))
WHERE a.keyed_us IS NOT NULL;
ALTER TABLE turunc.cimer_application DROP COLUMN keyed_version;
RESET ROLE;
