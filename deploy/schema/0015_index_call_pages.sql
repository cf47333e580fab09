-- What the call-taker's page asks for: tickets of one subject that live or ended lately (closed ones,
-- 12, have left the window in which a caller may mean them).
SET ROLE turunc_owner;
CREATE INDEX ticket_state_subject ON turunc.ticket_state (subject_code, ticket_id) WHERE status < 12;
RESET ROLE;
