-- PostgreSQL may commit the taking of a session whose router was killed, or lost its connection, after
-- the subscription was taken by the next one: that one was told that another session holds it, which
-- is final to a client, and a position to begin at could pass over what had not been read.  So whoever
-- takes says which epoch it saw; a taking that comes too late sees another.  Not which came first by
-- the clock: clocks are set back.
SET ROLE turunc_owner;

-- As in 0007, and beside: expected_epoch is that of the row when it was looked at, 0 when there was
-- none; NULL: whatever it is, as the router of the version before asks.  outcome 5: it is another by now.
DROP FUNCTION turunc.take_subscription;
CREATE FUNCTION turunc.take_subscription(
  for_client text, wanted text, wanted_types text[], wanted_departments text[], wanted_view smallint,
  by_instance uuid, start smallint, start_seq bigint, start_us bigint, known_log uuid, may_replace boolean,
  at_us bigint, expected_epoch bigint DEFAULT NULL,
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
  IF coalesce(old.epoch, 0) <> expected_epoch THEN
    outcome := 5;
    RETURN;
  END IF;
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

  -- A row that nobody could lock yet may stand there by now.
  INSERT INTO consumer_cursor AS c (client, name, log_id, seq, epoch, types, departments, view, instance, updated_at_us)
  VALUES (for_client, wanted, log, held_seq, 1, wanted_types, wanted_departments, wanted_view, by_instance, at_us)
  ON CONFLICT (client, name) DO UPDATE SET
    log_id = excluded.log_id, seq = excluded.seq, epoch = c.epoch + 1, types = excluded.types,
    departments = excluded.departments, view = excluded.view, instance = excluded.instance,
    frozen_reason = NULL, updated_at_us = excluded.updated_at_us
    WHERE expected_epoch IS NULL OR c.epoch = expected_epoch
  RETURNING c.epoch INTO held_epoch;
  outcome := CASE WHEN FOUND THEN 0 ELSE 5 END;
  held_epoch := coalesce(held_epoch, 0);
END $$;
RESET ROLE;
