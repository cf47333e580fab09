-- Erasing what is held of a person, and the log of destructions that the law asks to keep for at
-- least three years (KVKK; the by-law on erasure, destruction and anonymisation, art. 7): nothing
-- deletes from it.
SET ROLE turunc_owner;

CREATE TABLE turunc.destruction (
  destruction_id uuid    PRIMARY KEY,
  at_us          bigint  NOT NULL,
  actor          text    NOT NULL,
  reason         text    NOT NULL,       -- names nobody: masa refuses one that holds what it erases
  method         text    NOT NULL,
  citizen_ids    uuid[]  NOT NULL,       -- rows that are left without any key to a person
  ticket_ids     bigint[] NOT NULL,
  contacts       integer NOT NULL,
  texts          integer NOT NULL,
  bodies         integer NOT NULL,
  messages       integer NOT NULL
);
CREATE INDEX destruction_at ON turunc.destruction (at_us);
GRANT SELECT ON turunc.destruction TO turunc_admin;

-- Blanks every erasable row of these contacts in place; what a figure is made of (tickets, states,
-- clocks, counts of rows, the log) stays as it is.  The salts go too, so the digests in the log can
-- no longer be tried against a guess.  Texts and messages go with the contact that opened their ticket;
-- one that only added to somebody else's ticket takes along what it said itself.
-- Returns a row for each ticket concerned (or one without a ticket), for the records of the log.
-- TU003: a message to them is being sent at this moment.
CREATE FUNCTION turunc.erase_contacts(wanted uuid[], destruction uuid, now_us bigint, by_actor text, why text)
RETURNS TABLE (ticket_id bigint, department text, citizen_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
#variable_conflict use_column
DECLARE
  sending_us constant bigint := 600000000;  -- longer than any message is on its way
  opened   bigint[];
  known    uuid[];
  texts    integer;
  bodies   integer;
  messages integer;
  contacts integer;
BEGIN
  PERFORM FROM contact c WHERE c.contact_id = ANY (wanted) ORDER BY c.contact_id FOR UPDATE;
  SELECT coalesce(array_agg(t.ticket_id ORDER BY t.ticket_id), '{}') INTO opened
  FROM contact c JOIN ticket t ON t.ticket_id = c.ticket_id AND t.contact_id = c.contact_id
  WHERE c.contact_id = ANY (wanted);
  SELECT coalesce(array_agg(DISTINCT c.citizen_id), '{}') INTO known
  FROM contact c WHERE c.contact_id = ANY (wanted) AND c.citizen_id IS NOT NULL;

  PERFORM FROM notification n WHERE n.ticket_id = ANY (opened) ORDER BY n.notification_id FOR UPDATE;
  IF EXISTS (SELECT FROM notification n WHERE n.ticket_id = ANY (opened) AND n.state = 2
             AND n.updated_us > now_us - sending_us) THEN
    RAISE EXCEPTION 'a message to them is being sent at this moment' USING ERRCODE = 'TU003';
  END IF;
  UPDATE notification_attempt a SET detail = ''
  FROM notification n WHERE n.ticket_id = ANY (opened) AND a.notification_id = n.notification_id AND a.detail <> '';
  -- What waits will not leave; what ended keeps its state, which is counted.
  UPDATE notification n SET recipient = NULL, subject = NULL, body = NULL, gateway_reference = '', last_error = 'erased',
    state = CASE WHEN n.state IN (1, 2) THEN 7 ELSE n.state END, next_attempt_us = NULL
  WHERE n.ticket_id = ANY (opened)
    AND (n.recipient IS NOT NULL OR n.subject IS NOT NULL OR n.body IS NOT NULL OR n.state IN (1, 2));
  GET DIAGNOSTICS messages = ROW_COUNT;

  UPDATE ticket_text x SET body = '', salt = '' WHERE x.ticket_id = ANY (opened) AND x.salt <> '';
  GET DIAGNOSTICS texts = ROW_COUNT;
  UPDATE published_body b SET body = '', salt = '' WHERE b.item_id = ANY (wanted) AND b.salt <> '';
  GET DIAGNOSTICS bodies = ROW_COUNT;
  UPDATE contact c SET name = NULL, phone = NULL, email = NULL, description = NULL, address = NULL, latitude = NULL,
    longitude = NULL, media_url = NULL, answers = NULL, account_id = NULL, device_id = NULL, salt = ''
  WHERE c.contact_id = ANY (wanted);
  GET DIAGNOSTICS contacts = ROW_COUNT;
  -- A phone shared with contacts that stay keeps its key.
  UPDATE citizen p SET contact_key = NULL, erased_us = now_us
  WHERE p.citizen_id = ANY (known) AND p.erased_us IS NULL
    AND NOT EXISTS (SELECT FROM contact c WHERE c.citizen_id = p.citizen_id AND c.salt <> '');

  INSERT INTO destruction VALUES (destruction, now_us, by_actor, why,
    'rows blanked in place; salts of digests destroyed', known, opened, contacts, texts, bodies, messages);
  RETURN QUERY
  SELECT DISTINCT ON (c.ticket_id) c.ticket_id, s.department, c.citizen_id
  FROM contact c LEFT JOIN ticket_state s ON s.ticket_id = c.ticket_id
  WHERE c.contact_id = ANY (wanted) ORDER BY c.ticket_id, c.citizen_id;
END $$;
REVOKE ALL ON FUNCTION turunc.erase_contacts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.erase_contacts TO turunc_admin;
RESET ROLE;
