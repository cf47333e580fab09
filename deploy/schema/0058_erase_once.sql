-- An erasure whose masa lost its connection may be committed while the next one waits for its rows; that
-- one counted the same contacts and calls again then, in a second row of the log of destructions and in
-- second records of the log.
SET ROLE turunc_owner;

-- As in 0012, but what was erased meanwhile is left out.
-- Blanks every erasable row of these contacts in place; what a figure is made of (tickets, states,
-- clocks, counts of rows, the log) stays as it is.  The salts go too, so the digests in the log can
-- no longer be tried against a guess.  Texts and messages go with the contact that opened their ticket;
-- one that only added to somebody else's ticket takes along what it said itself.
-- Returns a row for each ticket concerned (or one without a ticket), for the records of the log.
-- TU003: a message to them is being sent at this moment.  TU005: all of them were erased meanwhile.
CREATE OR REPLACE FUNCTION turunc.erase_contacts(wanted uuid[], destruction uuid, now_us bigint, by_actor text, why text)
RETURNS TABLE (ticket_id bigint, department text, citizen_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
#variable_conflict use_column
DECLARE
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  sending_us constant bigint := 600000000;  -- longer than any message is on its way
  opened   bigint[];
  known    uuid[];
  texts    integer;
  bodies   integer;
  messages integer;
  contacts integer;
BEGIN
  PERFORM FROM contact c WHERE c.contact_id = ANY (wanted) ORDER BY c.contact_id FOR UPDATE;
  -- A new statement: whoever held them may have erased them.  Without contacts there may be calls.
  IF wanted <> '{}' THEN
    SELECT coalesce(array_agg(c.contact_id), '{}') INTO wanted
    FROM contact c WHERE c.contact_id = ANY (wanted) AND c.salt <> '';
    IF wanted = '{}' THEN
      RAISE EXCEPTION 'erased already, by another command at this moment' USING ERRCODE = 'TU005';
    END IF;
  END IF;
  SELECT coalesce(array_agg(t.ticket_id ORDER BY t.ticket_id), '{}') INTO opened
  FROM contact c JOIN ticket t ON t.ticket_id = c.ticket_id AND t.contact_id = c.contact_id
  WHERE c.contact_id = ANY (wanted);
  SELECT coalesce(array_agg(DISTINCT c.citizen_id), '{}') INTO known
  FROM contact c WHERE c.contact_id = ANY (wanted) AND c.citizen_id IS NOT NULL;

  PERFORM FROM notification n WHERE (n.ticket_id = ANY (opened) AND n.contact_id = nobody OR n.contact_id = ANY (wanted)) ORDER BY n.notification_id FOR UPDATE;
  IF EXISTS (SELECT FROM notification n WHERE (n.ticket_id = ANY (opened) AND n.contact_id = nobody OR n.contact_id = ANY (wanted)) AND n.state = 2
             AND n.updated_us > now_us - sending_us) THEN
    RAISE EXCEPTION 'a message to them is being sent at this moment' USING ERRCODE = 'TU003';
  END IF;
  UPDATE notification_attempt a SET detail = ''
  FROM notification n WHERE (n.ticket_id = ANY (opened) AND n.contact_id = nobody OR n.contact_id = ANY (wanted)) AND a.notification_id = n.notification_id AND a.detail <> '';
  -- What waits will not leave; what ended keeps its state, which is counted.
  UPDATE notification n SET recipient = NULL, subject = NULL, body = NULL, gateway_reference = '', last_error = 'erased',
    state = CASE WHEN n.state IN (1, 2) THEN 7 ELSE n.state END, next_attempt_us = NULL
  WHERE (n.ticket_id = ANY (opened) AND n.contact_id = nobody OR n.contact_id = ANY (wanted))
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

-- As in 0012, but what was erased meanwhile is left out.
-- Blanks the caller of these calls and what the exchange said of them as it came; drafts with one of
-- these numbers go.  Follows erase_contacts() in its transaction, whose row it completes.
-- TU005: nobody's contacts were erased there, and nothing is left to erase here.
CREATE OR REPLACE FUNCTION turunc.erase_calls(wanted uuid[], numbers text[], destruction uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  blanked integer;
  gone    integer;
BEGIN
  PERFORM FROM call c WHERE c.call_key = ANY (wanted) ORDER BY c.client, c.call_id FOR UPDATE;
  UPDATE published_body b SET body = '', salt = '' FROM call c
  WHERE c.call_key = ANY (wanted) AND b.client = c.client AND b.call_id = c.call_id AND b.salt <> '';
  UPDATE call c SET caller = NULL, erased = true WHERE c.call_key = ANY (wanted) AND NOT c.erased;
  GET DIAGNOSTICS blanked = ROW_COUNT;
  DELETE FROM call_draft d WHERE d.caller = ANY (numbers) AND d.caller <> '';
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE destruction d SET calls = blanked, drafts = gone WHERE d.destruction_id = erase_calls.destruction
    AND (d.contacts > 0 OR blanked > 0 OR gone > 0);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'erased already, by another command at this moment' USING ERRCODE = 'TU005';
  END IF;
END $$;
REVOKE ALL ON FUNCTION turunc.erase_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.erase_calls TO turunc_admin;
RESET ROLE;
