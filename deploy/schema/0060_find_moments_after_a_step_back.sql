-- After a clock was set back by more than ten seconds, what had been recorded before that was passed over when the
-- place of a moment was looked for: the board's figures of today and of the hour, made anew, lacked those
-- records, and so did a subscription that begins at a moment.
SET ROLE turunc_owner;

-- As in 0007, but it aims ten minutes early: that is as many records more to look at, and a clock may have been
-- set back by as much.
CREATE OR REPLACE FUNCTION turunc.seq_before(moment_us bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  slack_us constant bigint := 600000000;
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
RESET ROLE;
