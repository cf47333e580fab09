-- Which systems were shown what a person said of a special category: the first time of each leaves a
-- record in the log, before anything is sent.
SET ROLE turunc_owner;

CREATE TABLE turunc.ticket_viewer (
  ticket_id bigint NOT NULL,
  client    text   NOT NULL,
  first_us  bigint NOT NULL,
  PRIMARY KEY (ticket_id, client)
);
GRANT SELECT, INSERT ON turunc.ticket_viewer TO turunc_router;
GRANT SELECT ON turunc.ticket_viewer TO turunc_admin;

-- The tickets come sorted, each once.
CREATE FUNCTION turunc.note_views(at_us bigint, viewer text, tickets bigint[], departments text[], events bytea[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  fresh integer[];
BEGIN
  WITH put AS (
    INSERT INTO turunc.ticket_viewer AS v (ticket_id, client, first_us)
    SELECT tickets[n], viewer, at_us FROM generate_series(1, cardinality(tickets)) AS n ORDER BY n
    ON CONFLICT (ticket_id, client) DO NOTHING
    RETURNING v.ticket_id)
  SELECT array_agg(n ORDER BY n) INTO fresh
  FROM generate_series(1, cardinality(tickets)) AS n JOIN put ON put.ticket_id = tickets[n];
  IF fresh IS NULL THEN
    RETURN;
  END IF;
  PERFORM turunc.log_append(at_us, array_fill('ticket.viewed'::text, ARRAY[cardinality(fresh)]),
    (SELECT array_agg(tickets[n] ORDER BY n) FROM unnest(fresh) AS n),
    (SELECT array_agg(nullif(departments[n], '') ORDER BY n) FROM unnest(fresh) AS n),
    array_fill(NULL::text, ARRAY[cardinality(fresh)]),
    array_fill('client:' || viewer, ARRAY[cardinality(fresh)]),
    (SELECT array_agg(events[n] ORDER BY n) FROM unnest(fresh) AS n));
END $$;
REVOKE ALL ON FUNCTION turunc.note_views FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.note_views TO turunc_router;
RESET ROLE;
