-- intake's one transaction: identities, then what is new, then the log.
--
-- Every array has one entry an item.  ids[i] is NULL when the sender gave no identity.  An item is
-- a repeat when its (client, source, id) is known already, from an earlier transaction or from an
-- earlier place in this batch; a repeat writes nothing.
-- Returns one row a repeat: its place (from 1), the first item's ticket and whether the content was
-- the same; and one row with place 0 whose ticket_id is the last seq written (0 = none).
-- Elements are taken by their place and plans are generic, as in log_append(): unnest() of some
-- eighty arrays a call, or planning each statement anew, costs three times as much.
SET ROLE turunc_owner;

CREATE FUNCTION turunc.accept_items(
  at_us bigint,
  -- identity
  clients text[], sources text[], ids text[], digests bytea[], item_ids uuid[], ticket_ids bigint[],
  -- contact (NULL kind = the item is no contact)
  kinds text[], channels smallint[], arrived bigint[], languages text[], information_versions text[],
  citizen_ids uuid[], contact_keys text[], names text[], phones text[], emails text[],
  descriptions text[], addresses text[], latitudes double precision[], longitudes double precision[],
  media_urls text[], answer_sets text[], account_ids text[], device_ids text[], salts bytea[],
  -- ticket (NULL opens = the item opens none)
  opens boolean[], subject_codes text[], neighbourhoods text[], legal_bases smallint[], publics boolean[],
  -- published body (NULL = none kept)
  content_types text[], bodies bytea[],
  -- record of the log
  types text[], actors text[], events bytea[])
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
REVOKE ALL ON FUNCTION turunc.lease_numbers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.lease_numbers TO turunc_intake;
RESET ROLE;
