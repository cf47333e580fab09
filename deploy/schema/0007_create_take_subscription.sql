-- Subscriptions of outside readers: taking one, and where a moment lies in the log.
SET ROLE turunc_owner;

-- The last seq that both histories share; NULL when it is the present one.  A history nobody knows
-- shares nothing.
CREATE FUNCTION turunc.last_common_seq(known uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = turunc, pg_temp AS $$
  SELECT CASE
    WHEN known = (SELECT log_id FROM log_history ORDER BY history_no DESC LIMIT 1) THEN NULL
    ELSE coalesce((SELECT min(later.base_seq) FROM log_history later
                   WHERE later.history_no > (SELECT h.history_no FROM log_history h WHERE h.log_id = known)), 0)
  END
$$;

-- The last record before the first one committed at or after a moment.  Writers read their clocks
-- before they are given their place in the log, so times rise only nearly: the search by halves
-- aims ten seconds early, and the rest is looked at one by one.
CREATE FUNCTION turunc.seq_before(moment_us bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  slack_us constant bigint := 10000000;
  low    bigint;
  high   bigint;
  middle bigint;
  found_us bigint;
BEGIN
  SELECT coalesce(min(first_seq), 1) INTO low FROM (SELECT seq AS first_seq FROM event_log ORDER BY seq LIMIT 1) f;
  SELECT coalesce(max(last_seq), 0) + 1 INTO high FROM (SELECT last_seq FROM log_batch ORDER BY last_seq DESC LIMIT 1) l;
  WHILE low < high LOOP
    middle := (low + high) / 2;
    SELECT committed_at_us INTO found_us FROM event_log WHERE seq = middle;
    IF found_us < moment_us - slack_us THEN
      low := middle + 1;
    ELSE
      high := middle;
    END IF;
  END LOOP;
  RETURN coalesce((SELECT seq FROM event_log WHERE seq >= low AND committed_at_us >= moment_us ORDER BY seq LIMIT 1),
                  (SELECT last_seq + 1 FROM log_batch ORDER BY last_seq DESC LIMIT 1), 1) - 1;
END $$;

-- Takes a subscription for a session, making it when there is none: a new epoch, by which alone
-- its records may be acknowledged from now on.  start: turunc.v1.From.  outcome: 0 taken, 1 another
-- filter is stored, 2 the log has another history (common_seq), 3 the position lies beyond the
-- log's end, 4 the client has too many.  Only 0 changes anything.
CREATE FUNCTION turunc.take_subscription(
  for_client text, wanted text, wanted_types text[], wanted_departments text[], wanted_view smallint,
  by_instance uuid, start smallint, start_seq bigint, start_us bigint, known_log uuid, may_replace boolean,
  at_us bigint,
  OUT outcome smallint, OUT held_epoch bigint, OUT held_seq bigint, OUT common_seq bigint, OUT log uuid)
LANGUAGE plpgsql SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  most constant integer := 64;
  old  consumer_cursor%ROWTYPE;
  head bigint;
BEGIN
  held_epoch := 0;
  held_seq := 0;
  common_seq := 0;
  SELECT h.log_id INTO STRICT log FROM log_history h ORDER BY h.history_no DESC LIMIT 1;
  IF known_log IS DISTINCT FROM log AND known_log IS NOT NULL THEN
    outcome := 2;
    common_seq := last_common_seq(known_log);
    RETURN;
  END IF;

  SELECT * INTO old FROM consumer_cursor c WHERE c.client = for_client AND c.name = wanted FOR UPDATE;
  IF old.client IS NULL AND (SELECT count(*) FROM consumer_cursor c WHERE c.client = for_client) >= most THEN
    outcome := 4;
    RETURN;
  END IF;
  IF old.client IS NOT NULL AND (old.types, old.departments) IS DISTINCT FROM (wanted_types, wanted_departments)
     AND (NOT may_replace OR start = 0) THEN
    outcome := 1;
    RETURN;
  END IF;
  SELECT coalesce(max(b.last_seq), 0) INTO head
    FROM (SELECT last_seq FROM log_batch ORDER BY last_seq DESC LIMIT 1) b;
  IF start = 0 AND old.client IS NOT NULL THEN
    held_seq := old.seq;
    IF old.log_id <> log AND old.seq > last_common_seq(old.log_id) THEN
      outcome := 2;
      common_seq := last_common_seq(old.log_id);
      RETURN;
    END IF;
  ELSIF start = 1 THEN
    SELECT coalesce(min(e.seq), head + 1) - 1 INTO held_seq
      FROM (SELECT seq FROM event_log ORDER BY seq LIMIT 1) e;
  ELSIF start = 3 THEN
    held_seq := start_seq;
  ELSIF start = 4 THEN
    held_seq := seq_before(start_us);
  ELSE
    held_seq := head;
  END IF;
  IF held_seq > head THEN
    outcome := 3;
    RETURN;
  END IF;

  INSERT INTO consumer_cursor AS c (client, name, log_id, seq, epoch, types, departments, view, instance, updated_at_us)
  VALUES (for_client, wanted, log, held_seq, 1, wanted_types, wanted_departments, wanted_view, by_instance, at_us)
  ON CONFLICT (client, name) DO UPDATE SET
    log_id = excluded.log_id, seq = excluded.seq, epoch = c.epoch + 1, types = excluded.types,
    departments = excluded.departments, view = excluded.view, instance = excluded.instance,
    frozen_reason = NULL, updated_at_us = excluded.updated_at_us
  RETURNING c.epoch INTO held_epoch;
  outcome := 0;
END $$;
RESET ROLE;
