-- What the desk reads and writes down for people, as for systems.
SET ROLE turunc_owner;

-- A system is noted the first time it is shown a ticket of a special category; a person every time.
-- viewer: a client's name, or 'user:NAME' (no client's name holds a colon).
CREATE OR REPLACE FUNCTION turunc.note_views(at_us bigint, viewer text, tickets bigint[], departments text[], events bytea[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  person constant boolean := starts_with(viewer, 'user:');
  shown  integer[];
BEGIN
  WITH put AS (
    INSERT INTO turunc.ticket_viewer AS v (ticket_id, client, first_us)
    SELECT tickets[n], viewer, at_us FROM generate_series(1, cardinality(tickets)) AS n ORDER BY n
    ON CONFLICT (ticket_id, client) DO NOTHING
    RETURNING v.ticket_id)
  SELECT array_agg(n ORDER BY n) INTO shown
  FROM generate_series(1, cardinality(tickets)) AS n LEFT JOIN put ON put.ticket_id = tickets[n]
  WHERE person OR put.ticket_id IS NOT NULL;
  IF shown IS NULL THEN
    RETURN;
  END IF;
  PERFORM turunc.log_append(at_us, array_fill('ticket.viewed'::text, ARRAY[cardinality(shown)]),
    (SELECT array_agg(tickets[n] ORDER BY n) FROM unnest(shown) AS n),
    (SELECT array_agg(nullif(departments[n], '') ORDER BY n) FROM unnest(shown) AS n),
    array_fill(NULL::text, ARRAY[cardinality(shown)]),
    array_fill(CASE WHEN person THEN viewer ELSE 'client:' || viewer END, ARRAY[cardinality(shown)]),
    (SELECT array_agg(events[n] ORDER BY n) FROM unnest(shown) AS n));
END $$;

-- What these people may do now: rights are looked at when a step is decided, not when it was asked.
CREATE FUNCTION turunc.person_rights(names text[])
RETURNS TABLE (name text, roles smallint, departments text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
  SELECT p.name, p.roles, p.departments FROM person p WHERE p.name = ANY (names) AND p.disabled_us IS NULL
$$;
REVOKE ALL ON FUNCTION turunc.person_rights FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.person_rights TO turunc_router;

-- What waits for an operator, wherever it came from.
CREATE INDEX ticket_state_triage ON turunc.ticket_state (ticket_id) WHERE status = 2;

GRANT SELECT (notification_id, ticket_id, about_type, channel, state, attempts, last_error, created_us, updated_us)
  ON turunc.notification TO turunc_router;
RESET ROLE;
