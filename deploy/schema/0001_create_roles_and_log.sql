-- Who may do what, and the log: one dense history in commit order.
--
-- Roles are made without passwords and cannot sign in until the administrator gives them one
-- (deploy/up and the compose one-shot do).  Everything belongs to turunc_owner; a service holds
-- only the rights granted below and in the later migrations.

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['turunc_owner', 'turunc_intake', 'turunc_router', 'turunc_notifier',
                              'turunc_metrics', 'turunc_admin'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
END $$;

GRANT pg_signal_backend, pg_read_all_stats TO turunc_owner;
CREATE SCHEMA IF NOT EXISTS turunc AUTHORIZATION turunc_owner;
SET ROLE turunc_owner;
GRANT USAGE ON SCHEMA turunc TO turunc_intake, turunc_router, turunc_notifier, turunc_metrics, turunc_admin;

-- log_id names this history.  A restore, or a promotion that may have lost commits, adds a row:
-- everything after base_seq may differ from what the former history said.
CREATE TABLE turunc.log_history (
  history_no    integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  log_id        uuid    NOT NULL UNIQUE,
  base_seq      bigint  NOT NULL,
  started_at_us bigint  NOT NULL,
  demo          boolean NOT NULL DEFAULT false
);

-- Append only; no foreign keys; ids, codes, times and states only, never personal data.
CREATE TABLE turunc.event_log (
  seq                 bigint NOT NULL,
  committed_at_us     bigint NOT NULL,
  type                text   NOT NULL,
  ticket_id           bigint,
  department          text,
  previous_department text,
  actor               text   NOT NULL,
  event               bytea  NOT NULL,
  PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
CREATE INDEX event_log_ticket ON turunc.event_log (ticket_id, seq) WHERE ticket_id IS NOT NULL;

-- One row a committed batch: hash = sha256(hash of the batch before || sha256 of each record in order).
CREATE TABLE turunc.log_batch (
  last_seq  bigint PRIMARY KEY,
  first_seq bigint NOT NULL,
  hash      bytea  NOT NULL
);

-- Partitions of ten million records, made ahead of the head by migrate and by the router's sweep.
CREATE FUNCTION turunc.create_log_partitions(through_seq bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  width   constant bigint := 10000000;
  part    bigint;
  created integer := 0;
BEGIN
  FOR part IN 0 .. through_seq / width LOOP
    IF to_regclass(format('turunc.event_log_%s', part)) IS NULL THEN
      EXECUTE format('CREATE TABLE turunc.event_log_%s PARTITION OF turunc.event_log FOR VALUES FROM (%s) TO (%s)',
                     part, part * width, (part + 1) * width);
      created := created + 1;
    END IF;
  END LOOP;
  RETURN created;
END $$;
SELECT turunc.create_log_partitions(15000000);

-- What the hash of a record covers, so that anybody can recompute it.  Of immutable functions
-- alone, so that it is inlined instead of run as a query for every record: a text becomes its bytes
-- by the cast, whose one escape, the backslash, is doubled first.
CREATE FUNCTION turunc.record_hash(seq bigint, committed_at_us bigint, type text, ticket_id bigint,
                                   department text, previous_department text, actor text, event bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(int8send(seq) || int8send(committed_at_us) || int8send(coalesce(ticket_id, 0))
    || replace(type || E'\x1f' || coalesce(department, '') || E'\x1f' || coalesce(previous_department, '')
               || E'\x1f' || actor, E'\\', E'\\\\')::bytea
    || '\x1e'::bytea || event)
$$;

-- Appends n records and returns the last seq.  It is the last statement of a transaction: the
-- lock is taken here and held through COMMIT, so numbers are dense and commit order is seq order.
-- By the time the lock is asked for, all parameters have arrived.  Each statement of a VOLATILE
-- function has its own snapshot, so the head is read after the lock was granted.
-- The lock's key, 7301, is the log's and nobody else's.
-- Elements are taken by their place: unnest() of arrays side by side fills a store for each.  A
-- generic plan is asked for, or the planner would plan anew at every call with a single record.
CREATE FUNCTION turunc.log_append(committed_at_us bigint, types text[], ticket_ids bigint[], departments text[],
                                  previous_departments text[], actors text[], events bytea[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = turunc, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  head     bigint;
  head_hash bytea;
  batch_hash bytea;
BEGIN
  IF cardinality(types) = 0 THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(7301);
  SELECT b.last_seq, b.hash INTO head, head_hash FROM log_batch b ORDER BY b.last_seq DESC LIMIT 1;
  head := coalesce(head, 0);
  WITH record AS (
    INSERT INTO event_log (seq, committed_at_us, type, ticket_id, department, previous_department, actor, event)
    SELECT head + n, $1, types[n], ticket_ids[n], departments[n], previous_departments[n], actors[n], events[n]
    FROM generate_series(1, cardinality(types)) AS n
    RETURNING seq, record_hash(seq, event_log.committed_at_us, type, ticket_id, department, previous_department, actor, event) AS hash)
  SELECT sha256(coalesce(head_hash, ''::bytea) || string_agg(record.hash, ''::bytea ORDER BY record.seq))
    INTO batch_hash FROM record;
  INSERT INTO log_batch (last_seq, first_seq, hash)
  VALUES (head + cardinality(types), head + 1, batch_hash);
  RETURN head + cardinality(types);
END $$;
REVOKE ALL ON FUNCTION turunc.log_append(bigint, text[], bigint[], text[], text[], text[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.log_append(bigint, text[], bigint[], text[], text[], text[], bytea[])
  TO turunc_intake, turunc_router, turunc_notifier, turunc_admin;

-- A writer stopped while it holds the log's lock would stop all others, and PostgreSQL's own
-- timeouts do not fire while it waits for its client.  A waiter blocked over a second calls this;
-- it ends a holder that waits for its client, never one that works.  Returns how many it ended.
CREATE FUNCTION turunc.release_stuck_log_lock() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(l.pid))::integer
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = 7301 AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND a.wait_event = 'ClientRead'
$$;
REVOKE ALL ON FUNCTION turunc.release_stuck_log_lock(), turunc.create_log_partitions(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.release_stuck_log_lock()
  TO turunc_intake, turunc_router, turunc_notifier, turunc_admin;
GRANT EXECUTE ON FUNCTION turunc.create_log_partitions(bigint) TO turunc_router, turunc_admin;

-- Where each consumer stands.  Internal consumers own one row each (client ''); outside
-- subscribers have one a (client, name) with the filter stored at creation.
CREATE TABLE turunc.consumer_cursor (
  client        text   NOT NULL,
  name          text   NOT NULL,
  log_id        uuid   NOT NULL,
  seq           bigint NOT NULL,
  epoch         bigint NOT NULL DEFAULT 0,
  types         text[] NOT NULL DEFAULT '{}',
  departments   text[] NOT NULL DEFAULT '{}',
  view          smallint NOT NULL DEFAULT 0,
  instance      uuid,
  frozen_reason text,
  updated_at_us bigint NOT NULL,
  PRIMARY KEY (client, name)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Moves an internal cursor in the transaction of its effects; a lost compare-and-set raises,
-- because zero rows would be no error and the statements after it would commit.
CREATE FUNCTION turunc.advance_cursor(consumer text, history uuid, from_seq bigint, to_seq bigint, at_us bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE turunc.consumer_cursor SET seq = to_seq, updated_at_us = at_us
  WHERE client = '' AND name = consumer AND log_id = history AND seq = from_seq;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'cursor of % is not at %', consumer, from_seq USING ERRCODE = 'TU001';
  END IF;
END $$;

GRANT SELECT ON turunc.log_history, turunc.event_log, turunc.log_batch TO turunc_intake, turunc_router, turunc_notifier, turunc_metrics, turunc_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON turunc.consumer_cursor TO turunc_router, turunc_admin;
GRANT SELECT, INSERT, UPDATE ON turunc.consumer_cursor TO turunc_notifier, turunc_metrics;

RESET ROLE;

-- Services read and write by key; a plan made while a table was empty must not choose to scan it.
ALTER ROLE turunc_intake SET enable_seqscan = off;
ALTER ROLE turunc_router SET enable_seqscan = off;
ALTER ROLE turunc_notifier SET enable_seqscan = off;
ALTER ROLE turunc_intake SET enable_hashjoin = off;
ALTER ROLE turunc_router SET enable_hashjoin = off;
ALTER ROLE turunc_intake SET enable_mergejoin = off;
ALTER ROLE turunc_router SET enable_mergejoin = off;
ALTER ROLE turunc_intake SET jit = off;
ALTER ROLE turunc_router SET jit = off;
ALTER ROLE turunc_notifier SET jit = off;
ALTER ROLE turunc_metrics SET jit = off;
-- metrics rebuilds its projection by several statements that must see one moment of the record.
ALTER ROLE turunc_metrics SET default_transaction_isolation = 'repeatable read';
