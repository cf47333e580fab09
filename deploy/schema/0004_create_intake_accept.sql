-- intake's one transaction: identities, then what is new, then the log.
--
-- Every array has one entry an item.  ids[i] is NULL when the sender gave no identity.  An item is
-- a repeat when its (client, source, id) is known already, from an earlier transaction or from an
-- earlier place in this batch; a repeat writes nothing.
-- Returns one row a repeat: its place (from 1), the first item's ticket and whether the content was
-- the same; and one row with place 0 whose ticket_id is the last seq written (0 = none).
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
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  repeats  integer[] := '{}';
  last_seq bigint := 0;
BEGIN
  -- (1) identities, in an order that two batches share, so that they cannot deadlock
  IF EXISTS (SELECT FROM unnest(ids) AS u(id) WHERE u.id IS NOT NULL) THEN
    INSERT INTO turunc.inbound_item AS i (client, source, id, digest, item_id, ticket_id, received_us)
    SELECT u.client, u.source, u.id, u.digest, u.item_id, u.ticket_id, at_us
    FROM unnest(clients, sources, ids, digests, item_ids, ticket_ids)
         WITH ORDINALITY AS u(client, source, id, digest, item_id, ticket_id, n)
    WHERE u.id IS NOT NULL
    ORDER BY u.client, u.source, u.id, u.n
    ON CONFLICT (client, source, id) DO NOTHING;

    -- (2) a new statement, hence a new snapshot: the first answers of the losers
    RETURN QUERY
    SELECT u.n::integer, i.ticket_id, i.digest = u.digest
    FROM unnest(clients, sources, ids, digests, item_ids)
         WITH ORDINALITY AS u(client, source, id, digest, item_id, n)
    JOIN turunc.inbound_item i ON i.client = u.client AND i.source = u.source AND i.id = u.id
    WHERE u.id IS NOT NULL AND i.item_id <> u.item_id;
    SELECT coalesce(array_agg(u.n::integer), '{}') INTO repeats
    FROM unnest(clients, sources, ids, item_ids) WITH ORDINALITY AS u(client, source, id, item_id, n)
    JOIN turunc.inbound_item i ON i.client = u.client AND i.source = u.source AND i.id = u.id
    WHERE u.id IS NOT NULL AND i.item_id <> u.item_id;
  END IF;

  -- (3) rows of the survivors
  INSERT INTO turunc.citizen AS c (citizen_id, contact_key, created_us)
  SELECT DISTINCT ON (u.contact_key) u.citizen_id, u.contact_key, at_us
  FROM unnest(citizen_ids, contact_keys) WITH ORDINALITY AS u(citizen_id, contact_key, n)
  WHERE u.contact_key IS NOT NULL AND u.n <> ALL (repeats)
  ORDER BY u.contact_key, u.n
  ON CONFLICT (contact_key) DO NOTHING;

  INSERT INTO turunc.contact AS c (contact_id, ticket_id, citizen_id, kind, channel, arrived_us, recorded_us,
    language, information_version, name, phone, email, description, address, latitude, longitude,
    media_url, answers, account_id, device_id, salt)
  SELECT u.item_id, u.ticket_id, p.citizen_id, u.kind, u.channel, u.arrived_us, at_us,
    u.language, u.information_version, u.name, u.phone, u.email, u.description, u.address, u.latitude, u.longitude,
    u.media_url, u.answers, u.account_id, u.device_id, u.salt
  FROM unnest(item_ids, ticket_ids, kinds, channels, arrived, languages, information_versions, contact_keys,
         names, phones, emails, descriptions, addresses, latitudes, longitudes, media_urls, answer_sets,
         account_ids, device_ids, salts)
       WITH ORDINALITY AS u(item_id, ticket_id, kind, channel, arrived_us, language, information_version, contact_key,
         name, phone, email, description, address, latitude, longitude, media_url, answers,
         account_id, device_id, salt, n)
  LEFT JOIN turunc.citizen p ON p.contact_key = u.contact_key
  WHERE u.kind IS NOT NULL AND u.n <> ALL (repeats);

  INSERT INTO turunc.ticket AS t (ticket_id, contact_id, channel, subject_code, neighbourhood, legal_basis,
    public, arrived_us, recorded_us, client)
  SELECT u.ticket_id, u.item_id, u.channel, u.subject_code, u.neighbourhood, u.legal_basis,
    u.public, u.arrived_us, at_us, u.client
  FROM unnest(ticket_ids, item_ids, channels, subject_codes, neighbourhoods, legal_bases, publics, arrived, clients, opens)
       WITH ORDINALITY AS u(ticket_id, item_id, channel, subject_code, neighbourhood, legal_basis, public, arrived_us, client, opens, n)
  WHERE u.opens AND u.n <> ALL (repeats);

  INSERT INTO turunc.published_body AS b (item_id, client, source, type, content_type, body, salt, received_us)
  SELECT u.item_id, u.client, u.source, u.type, u.content_type, u.body, u.salt, at_us
  FROM unnest(item_ids, clients, sources, types, content_types, bodies, salts)
       WITH ORDINALITY AS u(item_id, client, source, type, content_type, body, salt, n)
  WHERE u.body IS NOT NULL AND u.n <> ALL (repeats);

  -- (4) the log, last
  IF cardinality(repeats) < cardinality(types) THEN
    SELECT turunc.log_append(at_us, array_agg(u.type ORDER BY u.n), array_agg(u.ticket_id ORDER BY u.n),
             array_agg(NULL::text), array_agg(NULL::text), array_agg(u.actor ORDER BY u.n), array_agg(u.event ORDER BY u.n))
      INTO last_seq
    FROM unnest(types, ticket_ids, actors, events) WITH ORDINALITY AS u(type, ticket_id, actor, event, n)
    WHERE u.n <> ALL (repeats);
  END IF;

  RETURN QUERY SELECT 0, coalesce(last_seq, 0), true;
END $$;
REVOKE ALL ON FUNCTION turunc.accept_items FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.accept_items TO turunc_intake;
REVOKE ALL ON FUNCTION turunc.lease_numbers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.lease_numbers TO turunc_intake;
RESET ROLE;
