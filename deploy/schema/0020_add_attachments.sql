-- Photos, and tickets that follow a closed one.
--
-- A photo's file is named by its digest (services/common/attachment.h) and lies in the attachments'
-- folder; here stands whose it is.  origin 1: sent by a citizen with a contact (owner_id is the
-- contact); 2: put to a ticket at the desk (owner_id is the text or step it belongs to).  An erased
-- photo keeps its row, which is counted, without digest and salt.
SET ROLE turunc_owner;

CREATE TABLE turunc.attachment (
  owner_id   uuid     NOT NULL,
  place      smallint NOT NULL,     -- 1, 2, 3: in the order sent
  ticket_id  bigint,
  origin     smallint NOT NULL,
  digest     bytea    UNIQUE,       -- SHA-256 of salt and content; NULL once erased
  salt       bytea    NOT NULL,
  type       smallint NOT NULL,     -- 1 JPEG, 2 PNG, 3 WebP
  bytes      bigint   NOT NULL,
  width      integer  NOT NULL,
  height     integer  NOT NULL,
  created_us bigint   NOT NULL,
  PRIMARY KEY (owner_id, place)
);
CREATE INDEX attachment_ticket ON turunc.attachment (ticket_id);

-- Names of files whose row was erased; intake, which has the folder, removes each file and takes its
-- name off.
CREATE TABLE turunc.erased_file (
  digest    bytea  PRIMARY KEY,
  erased_us bigint NOT NULL
);

-- "Not solved" after a ticket was closed opens another, which follows it; one follows, and when that
-- one is closed unsolved, the next follows it.
CREATE TABLE turunc.ticket_link (
  ticket_id  bigint PRIMARY KEY,
  earlier_id bigint NOT NULL
);
CREATE UNIQUE INDEX ticket_link_earlier ON turunc.ticket_link (earlier_id);

GRANT SELECT, INSERT ON turunc.attachment TO turunc_intake, turunc_router;
GRANT SELECT, DELETE ON turunc.erased_file TO turunc_intake;
GRANT SELECT, INSERT ON turunc.ticket_link TO turunc_intake;
GRANT SELECT ON turunc.ticket_link TO turunc_router;
GRANT SELECT ON turunc.attachment, turunc.erased_file, turunc.ticket_link TO turunc_admin;
-- What was sent to the citizen, for the citizen's own page: not to whom, nor the words.
GRANT SELECT (notification_id, ticket_id, contact_id, about_type, channel, state, created_us, updated_us) ON turunc.notification
  TO turunc_intake;

ALTER TABLE turunc.destruction ADD COLUMN files integer NOT NULL DEFAULT 0;

-- Blanks the photos of these contacts, and all of the tickets they opened; their files' names are left
-- for intake.  Follows erase_contacts() in its transaction, whose row it completes.
CREATE FUNCTION turunc.erase_files(wanted uuid[], destruction uuid, now_us bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  opened  bigint[];
  blanked integer;
BEGIN
  SELECT d.ticket_ids INTO STRICT opened FROM destruction d WHERE d.destruction_id = erase_files.destruction;
  WITH gone AS (
    UPDATE attachment f SET digest = NULL, salt = ''
    FROM attachment was
    WHERE was.owner_id = f.owner_id AND was.place = f.place AND f.digest IS NOT NULL
      AND (f.owner_id = ANY (wanted) OR f.ticket_id = ANY (opened))
    RETURNING was.digest)
  INSERT INTO erased_file (digest, erased_us) SELECT g.digest, now_us FROM gone g;
  GET DIAGNOSTICS blanked = ROW_COUNT;
  UPDATE destruction d SET files = blanked WHERE d.destruction_id = erase_files.destruction;
END $$;
REVOKE ALL ON FUNCTION turunc.erase_files FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.erase_files TO turunc_admin;

-- As in 0012, and beside: besides has three texts for each item with photos or that follows a closed
-- ticket: its place in the batch, the photos as a JSON array, the ticket it follows ('0': none).
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
  calls text[] DEFAULT '{}', besides text[] DEFAULT '{}')
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

  IF cardinality(besides) > 0 THEN
    INSERT INTO turunc.attachment AS f (owner_id, place, ticket_id, origin, digest, salt, type, bytes, width, height,
      created_us)
    SELECT item_ids[w.n], p.ordinality, ticket_ids[w.n], 1, decode(p.value->>'digest', 'hex'), decode(p.value->>'salt', 'hex'),
      (p.value->>'type')::smallint, (p.value->>'bytes')::bigint, (p.value->>'width')::integer,
      (p.value->>'height')::integer, at_us
    FROM (SELECT besides[k]::integer AS n, besides[k + 1] AS photos FROM generate_series(1, cardinality(besides), 3) AS k) w,
      jsonb_array_elements(w.photos::jsonb) WITH ORDINALITY AS p
    WHERE w.n <> ALL (repeats);

    INSERT INTO turunc.ticket_link AS l (ticket_id, earlier_id)
    SELECT ticket_ids[w.n], w.earlier
    FROM (SELECT besides[k]::integer AS n, besides[k + 2]::bigint AS earlier
          FROM generate_series(1, cardinality(besides), 3) AS k) w
    WHERE w.earlier <> 0 AND opens[w.n] AND w.n <> ALL (repeats);
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
RESET ROLE;
