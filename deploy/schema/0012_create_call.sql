-- Calls, one row each, merged from what the exchange and the call-taker say of them in any order; and
-- whoever is told of a ticket besides the one who opened it.
--
-- A contact, a call and a ticket are three things: nearly half of all calls need no ticket, and a ticket
-- may be asked for in several calls.
SET ROLE turunc_owner;

-- What was said later, by its own time, stands; of each moment the earliest.  So the row is the same
-- whatever order its events arrive in.  caller is personal data.
CREATE TABLE turunc.call (
  call_key      uuid   PRIMARY KEY,            -- the item of the event that came first
  client        text   NOT NULL,               -- whose exchange it is; '' = told at our own page
  call_id       text   NOT NULL,               -- the exchange's
  first_us      bigint NOT NULL,               -- the earliest moment that was told of it
  queue         text   NOT NULL DEFAULT '',
  queue_us      bigint NOT NULL DEFAULT 0,     -- when that was so; likewise below
  agent         text   NOT NULL DEFAULT '',    -- whose phone rang last, or who answered
  agent_us      bigint NOT NULL DEFAULT 0,
  caller        text,                          -- E.164 or short, or as the exchange saw it; NULL: withheld or erased
  caller_us     bigint NOT NULL DEFAULT 0,
  offered_us    bigint,
  answered_us   bigint,
  abandoned_us  bigint,
  ended_us      bigint,                        -- hung up, or the disposition given
  disposition   text   NOT NULL DEFAULT '',    -- ticket, information, joined, transferred, nuisance; '' = owed
  disposition_us bigint NOT NULL DEFAULT 0,
  ticket_id     bigint,                        -- opened in it, or joined to
  erased        boolean NOT NULL DEFAULT false,
  UNIQUE (client, call_id)
);
CREATE INDEX call_agent ON turunc.call (agent, first_us) WHERE disposition = '' AND abandoned_us IS NULL;
CREATE INDEX call_waiting ON turunc.call (first_us) WHERE disposition = '' AND abandoned_us IS NULL AND answered_us IS NULL;
CREATE INDEX call_caller ON turunc.call (caller, first_us) WHERE caller IS NOT NULL;
CREATE INDEX call_first ON turunc.call (first_us);

-- The events of a call are kept as they came; this finds them.
ALTER TABLE turunc.published_body ADD COLUMN call_id text;
CREATE INDEX published_body_call ON turunc.published_body (client, call_id) WHERE call_id IS NOT NULL;

-- The later of two sayings about one thing; of two at one moment the greater, so that order is nothing.
CREATE FUNCTION turunc.call_say(
  at_us bigint, item uuid, of_client text, of_call text, step text, said_queue text, said_agent text,
  said_caller text, said_disposition text, said_ticket bigint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO turunc.call AS c (call_key, client, call_id, first_us, queue, queue_us, agent, agent_us, caller, caller_us,
    offered_us, answered_us, abandoned_us, ended_us, disposition, disposition_us, ticket_id)
  VALUES (item, of_client, of_call, at_us,
    said_queue, CASE WHEN said_queue <> '' THEN at_us ELSE 0 END,
    said_agent, CASE WHEN said_agent <> '' THEN at_us ELSE 0 END,
    nullif(said_caller, ''), CASE WHEN said_caller <> '' THEN at_us ELSE 0 END,
    CASE WHEN step = 'call.offered' THEN at_us END, CASE WHEN step = 'call.answered' THEN at_us END,
    CASE WHEN step = 'call.abandoned' THEN at_us END, CASE WHEN step = 'call.ended' THEN at_us END,
    said_disposition, CASE WHEN said_disposition <> '' THEN at_us ELSE 0 END,
    CASE WHEN said_disposition <> '' THEN said_ticket END)
  ON CONFLICT (client, call_id) DO UPDATE SET
    first_us = least(c.first_us, excluded.first_us),
    queue = CASE WHEN (excluded.queue_us, excluded.queue) > (c.queue_us, c.queue) THEN excluded.queue ELSE c.queue END,
    queue_us = greatest(c.queue_us, excluded.queue_us),
    agent = CASE WHEN (excluded.agent_us, excluded.agent) > (c.agent_us, c.agent) THEN excluded.agent ELSE c.agent END,
    agent_us = greatest(c.agent_us, excluded.agent_us),
    caller = CASE WHEN c.erased THEN NULL
      WHEN (excluded.caller_us, coalesce(excluded.caller, '')) > (c.caller_us, coalesce(c.caller, '')) THEN excluded.caller
      ELSE c.caller END,
    caller_us = greatest(c.caller_us, excluded.caller_us),
    offered_us = least(c.offered_us, excluded.offered_us),
    answered_us = least(c.answered_us, excluded.answered_us),
    abandoned_us = least(c.abandoned_us, excluded.abandoned_us),
    ended_us = least(c.ended_us, excluded.ended_us),
    ticket_id = CASE WHEN (excluded.disposition_us, excluded.disposition, coalesce(excluded.ticket_id, 0))
                        > (c.disposition_us, c.disposition, coalesce(c.ticket_id, 0)) THEN excluded.ticket_id ELSE c.ticket_id END,
    disposition = CASE WHEN (excluded.disposition_us, excluded.disposition) > (c.disposition_us, c.disposition)
                  THEN excluded.disposition ELSE c.disposition END,
    disposition_us = greatest(c.disposition_us, excluded.disposition_us)
$$;
REVOKE ALL ON FUNCTION turunc.call_say FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.call_say TO turunc_intake;

-- As in 0004, and beside: calls has seven texts for each item that tells of a call: its place in the
-- batch, whose exchange, call, queue, agent, caller, disposition.
DROP FUNCTION turunc.accept_items;
CREATE FUNCTION turunc.accept_items(
  at_us bigint,
  clients text[], sources text[], ids text[], digests bytea[], item_ids uuid[], ticket_ids bigint[],
  kinds text[], channels smallint[], arrived bigint[], languages text[], information_versions text[],
  citizen_ids uuid[], contact_keys text[], names text[], phones text[], emails text[],
  descriptions text[], addresses text[], latitudes double precision[], longitudes double precision[],
  media_urls text[], answer_sets text[], account_ids text[], device_ids text[], salts bytea[],
  opens boolean[], subject_codes text[], neighbourhoods text[], legal_bases smallint[], publics boolean[],
  content_types text[], bodies bytea[],
  types text[], actors text[], events bytea[],
  calls text[] DEFAULT '{}')
RETURNS TABLE (place integer, ticket_id bigint, same boolean)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  count    constant integer := cardinality(types);
  repeats  integer[] := '{}';
  last_seq bigint := 0;
BEGIN
  -- (1) identities, in an order that two batches share, so that they cannot deadlock
  IF cardinality(array_remove(ids, NULL)) > 0 THEN
    INSERT INTO turunc.inbound_item AS i (client, source, id, digest, item_id, ticket_id, received_us)
    SELECT clients[n], sources[n], ids[n], digests[n], item_ids[n], ticket_ids[n], at_us
    FROM generate_series(1, count) AS n
    WHERE ids[n] IS NOT NULL
    ORDER BY 1, 2, 3, n
    ON CONFLICT (client, source, id) DO NOTHING;

    -- (2) a new statement, hence a new snapshot: the first answers of the losers
    SELECT coalesce(array_agg(n), '{}') INTO repeats
    FROM generate_series(1, count) AS n
    JOIN turunc.inbound_item i ON i.client = clients[n] AND i.source = sources[n] AND i.id = ids[n]
    WHERE ids[n] IS NOT NULL AND i.item_id <> item_ids[n];
    IF cardinality(repeats) > 0 THEN
      RETURN QUERY
      SELECT n, i.ticket_id, i.digest = digests[n]
      FROM unnest(repeats) AS n
      JOIN turunc.inbound_item i ON i.client = clients[n] AND i.source = sources[n] AND i.id = ids[n];
    END IF;
  END IF;

  -- (3) rows of the survivors
  INSERT INTO turunc.citizen AS c (citizen_id, contact_key, created_us)
  SELECT DISTINCT ON (contact_keys[n]) citizen_ids[n], contact_keys[n], at_us
  FROM generate_series(1, count) AS n
  WHERE contact_keys[n] IS NOT NULL AND n <> ALL (repeats)
  ORDER BY contact_keys[n], n
  ON CONFLICT (contact_key) DO NOTHING;

  INSERT INTO turunc.contact AS c (contact_id, ticket_id, citizen_id, kind, channel, arrived_us, recorded_us,
    language, information_version, name, phone, email, description, address, latitude, longitude,
    media_url, answers, account_id, device_id, salt)
  SELECT item_ids[n], ticket_ids[n],
    (SELECT p.citizen_id FROM turunc.citizen p WHERE p.contact_key = contact_keys[n]),
    kinds[n], channels[n], arrived[n], at_us,
    languages[n], information_versions[n], names[n], phones[n], emails[n], descriptions[n], addresses[n],
    latitudes[n], longitudes[n], media_urls[n], answer_sets[n], account_ids[n], device_ids[n], salts[n]
  FROM generate_series(1, count) AS n
  WHERE kinds[n] IS NOT NULL AND n <> ALL (repeats);

  INSERT INTO turunc.ticket AS t (ticket_id, contact_id, channel, subject_code, neighbourhood, legal_basis,
    public, arrived_us, recorded_us, client)
  SELECT ticket_ids[n], item_ids[n], channels[n], subject_codes[n], neighbourhoods[n], legal_bases[n],
    publics[n], arrived[n], at_us, clients[n]
  FROM generate_series(1, count) AS n
  WHERE opens[n] AND n <> ALL (repeats);

  IF cardinality(array_remove(content_types, NULL)) > 0 THEN
    INSERT INTO turunc.published_body AS b (item_id, client, source, type, content_type, body, salt, received_us)
    SELECT item_ids[n], clients[n], sources[n], types[n], content_types[n], bodies[n], salts[n], at_us
    FROM generate_series(1, count) AS n
    WHERE bodies[n] IS NOT NULL AND n <> ALL (repeats);
  END IF;

  -- in an order that two batches share; a batch may tell of one call several times
  IF cardinality(calls) > 0 THEN
    PERFORM turunc.call_say(arrived[w.n], item_ids[w.n], w.client, w.call, types[w.n], w.queue, w.agent, w.caller,
                            w.disposition, ticket_ids[w.n])
    FROM (SELECT calls[k]::integer AS n, calls[k + 1] AS client, calls[k + 2] AS call, calls[k + 3] AS queue,
            calls[k + 4] AS agent, calls[k + 5] AS caller, calls[k + 6] AS disposition
          FROM generate_series(1, cardinality(calls), 7) AS k ORDER BY 2, 3, 1) w
    WHERE w.n <> ALL (repeats);
    -- what comes late does not bring an erased caller back
    UPDATE turunc.published_body b SET call_id = c.call_id, body = CASE WHEN c.erased THEN '' ELSE b.body END,
      salt = CASE WHEN c.erased THEN '' ELSE b.salt END
    FROM generate_series(1, cardinality(calls), 7) AS k, turunc.call c
    WHERE b.item_id = item_ids[calls[k]::integer] AND calls[k]::integer <> ALL (repeats)
      AND c.client = calls[k + 1] AND c.call_id = calls[k + 2];
  END IF;

  -- (4) the log, last
  IF repeats = '{}' THEN
    last_seq := turunc.log_append(at_us, types, ticket_ids, array_fill(NULL::text, ARRAY[count]),
                                  array_fill(NULL::text, ARRAY[count]), actors, events);
  ELSIF cardinality(repeats) < count THEN
    SELECT turunc.log_append(at_us, array_agg(types[n] ORDER BY n), array_agg(ticket_ids[n] ORDER BY n),
             array_agg(NULL::text), array_agg(NULL::text), array_agg(actors[n] ORDER BY n), array_agg(events[n] ORDER BY n))
      INTO last_seq
    FROM generate_series(1, count) AS n
    WHERE n <> ALL (repeats);
  END IF;

  RETURN QUERY SELECT 0, coalesce(last_seq, 0), true;
END $$;
REVOKE ALL ON FUNCTION turunc.accept_items FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.accept_items TO turunc_intake;

-- What a call-taker has typed and not sent: a few for each, so that it outlives the browser and the
-- service.  All of it may be personal data; it goes when the ticket is registered, and after three days.
CREATE TABLE turunc.call_draft (
  agent    text   NOT NULL,                    -- the user's name
  form_id  text   NOT NULL,
  saved_us bigint NOT NULL,
  caller   text   NOT NULL DEFAULT '',         -- E.164 or short
  fields   text   NOT NULL CHECK (octet_length(fields) <= 32768),
  PRIMARY KEY (agent, form_id)
);
CREATE INDEX call_draft_saved ON turunc.call_draft (saved_us);
CREATE INDEX call_draft_caller ON turunc.call_draft (caller);

-- NULL fields: it is done with.
CREATE FUNCTION turunc.save_draft(of_agent text, form text, at_us bigint, of_caller text, said text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  most    constant integer := 8;
  kept_us constant bigint := 259200000000;
BEGIN
  IF said IS NULL THEN
    DELETE FROM turunc.call_draft d WHERE d.agent = of_agent AND d.form_id = form;
  ELSE
    INSERT INTO turunc.call_draft AS d (agent, form_id, saved_us, caller, fields)
    VALUES (of_agent, form, at_us, of_caller, said)
    ON CONFLICT (agent, form_id) DO UPDATE SET saved_us = excluded.saved_us, caller = excluded.caller, fields = excluded.fields
    WHERE d.saved_us <= excluded.saved_us;
  END IF;
  DELETE FROM turunc.call_draft d WHERE d.saved_us < at_us - kept_us;
  DELETE FROM turunc.call_draft d WHERE d.agent = of_agent AND d.form_id IN (
    SELECT o.form_id FROM turunc.call_draft o WHERE o.agent = of_agent ORDER BY o.saved_us DESC, o.form_id OFFSET most);
END $$;
REVOKE ALL ON FUNCTION turunc.save_draft FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.save_draft TO turunc_intake;

GRANT SELECT, INSERT, UPDATE ON turunc.call TO turunc_intake;
GRANT UPDATE (call_id, body, salt) ON turunc.published_body TO turunc_intake;
GRANT SELECT, INSERT, UPDATE, DELETE ON turunc.call_draft TO turunc_intake;
GRANT SELECT ON turunc.call, turunc.call_draft TO turunc_admin;
GRANT SELECT ON turunc.call TO turunc_metrics;

-- Callers who were joined to a ticket (contact.kind 'joined') hear of its end as well: a message is for
-- one contact, nil for the one that opened the ticket.
ALTER TABLE turunc.notification ADD COLUMN contact_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE turunc.notification DROP CONSTRAINT notification_about_seq_ticket_id_channel_key;
ALTER TABLE turunc.notification ADD CONSTRAINT notification_once UNIQUE (about_seq, ticket_id, channel, contact_id);
CREATE INDEX notification_contact ON turunc.notification (contact_id)
  WHERE contact_id <> '00000000-0000-0000-0000-000000000000';

-- --- erasing ---
ALTER TABLE turunc.destruction ADD COLUMN calls integer NOT NULL DEFAULT 0, ADD COLUMN drafts integer NOT NULL DEFAULT 0;

-- As in 0009, but for whose messages go: those of the ticket's opener when the opener goes, those of a
-- caller who was joined when they do.
-- Blanks every erasable row of these contacts in place; what a figure is made of (tickets, states,
-- clocks, counts of rows, the log) stays as it is.  The salts go too, so the digests in the log can
-- no longer be tried against a guess.  Texts and messages go with the contact that opened their ticket;
-- one that only added to somebody else's ticket takes along what it said itself.
-- Returns a row for each ticket concerned (or one without a ticket), for the records of the log.
-- TU003: a message to them is being sent at this moment.
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

-- Blanks the caller of these calls and what the exchange said of them as it came; drafts with one of
-- these numbers go.  Follows erase_contacts() in its transaction, whose row it completes.
CREATE FUNCTION turunc.erase_calls(wanted uuid[], numbers text[], destruction uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  blanked integer;
  gone    integer;
BEGIN
  PERFORM FROM call c WHERE c.call_key = ANY (wanted) ORDER BY c.client, c.call_id FOR UPDATE;
  UPDATE published_body b SET body = '', salt = '' FROM call c
  WHERE c.call_key = ANY (wanted) AND b.client = c.client AND b.call_id = c.call_id AND b.salt <> '';
  UPDATE call c SET caller = NULL, erased = true WHERE c.call_key = ANY (wanted);
  GET DIAGNOSTICS blanked = ROW_COUNT;
  DELETE FROM call_draft d WHERE d.caller = ANY (numbers) AND d.caller <> '';
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE destruction d SET calls = blanked, drafts = gone WHERE d.destruction_id = erase_calls.destruction;
END $$;
REVOKE ALL ON FUNCTION turunc.erase_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.erase_calls TO turunc_admin;
RESET ROLE;
