-- A record committed by a clock that is far off no longer moves the calendar of the months' figures by itself,
-- and a calendar that was led too far ahead goes back (services/metrics/month_clock.h).
SET ROLE turunc_owner;

ALTER TABLE turunc.month_state
  ADD COLUMN doubted_us    bigint  NOT NULL DEFAULT 0,  -- since when records come from far; 0: the last did not
  ADD COLUMN leapt_from_us bigint  NOT NULL DEFAULT 0,  -- how far back the calendar may go; 0: it may not
  ADD COLUMN leapt_day     integer NOT NULL DEFAULT 0;

-- As 0041 has them, but of the state there is more.
CREATE OR REPLACE FUNCTION turunc.month_take(
  history uuid, from_seq bigint, to_seq bigint, now_us bigint, state bigint[], keys bytea[], facts bytea[],
  months integer[], names text[], numbers bigint[], watched boolean[])
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  PERFORM turunc.advance_cursor('figures', history, from_seq, to_seq, now_us);
  UPDATE turunc.month_state s SET seq = to_seq, at_us = state[1], day = state[2], first = state[3], rolled = state[4],
    published = state[5], ladder_published = state[6], config_version = state[7], doubted_us = state[8],
    leapt_from_us = state[9], leapt_day = state[10]
  WHERE s.seq = from_seq;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'figures are not at %', from_seq USING ERRCODE = 'TU001';
  END IF;
  INSERT INTO turunc.month_fact AS f (key, fact)
  SELECT u.key, u.fact FROM unnest(keys, facts) AS u(key, fact)
  ON CONFLICT (key) DO UPDATE SET fact = excluded.fact;
  INSERT INTO turunc.month_touched AS t (month, name, was)
  SELECT u.month, u.name, coalesce(c.n, 0)
  FROM unnest(months, names, watched) AS u(month, name, watched)
  LEFT JOIN turunc.month_cell c ON c.month = u.month AND c.name = u.name
  WHERE u.watched
  ON CONFLICT (month, name) DO NOTHING;
  PERFORM turunc.month_add(months, names, numbers);
END $$;

-- When the day is an earlier one, months that are not over after all have no open tickets, and those that are not
-- due no revisions.
CREATE OR REPLACE FUNCTION turunc.month_turn(
  of_seq bigint, of_day integer, state bigint[], months integer[], names text[], numbers bigint[],
  revised integer[], revised_seqs bigint[], revised_at bigint[],
  changed integer[], changed_names text[], changed_was bigint[], changed_now bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE turunc.month_state s SET at_us = state[1], day = state[2], first = state[3], rolled = state[4],
    published = state[5], ladder_published = state[6], config_version = state[7], doubted_us = state[8],
    leapt_from_us = state[9], leapt_day = state[10]
  WHERE s.seq = of_seq AND s.day = of_day;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'figures are not at % of day %', of_seq, of_day USING ERRCODE = 'TU001';
  END IF;
  IF state[2] < of_day THEN
    DELETE FROM turunc.month_cell c WHERE c.month > state[4] AND c.name ~ '^(d\.[^.]*\.)?open(\..*)?$';
    DELETE FROM turunc.month_change c WHERE c.month > state[5];
    DELETE FROM turunc.month_revision r WHERE r.month > state[5];
  END IF;
  PERFORM turunc.month_add(months, names, numbers);
  INSERT INTO turunc.month_revision (month, number, seq, at_us)
  SELECT u.month, coalesce((SELECT max(r.number) FROM turunc.month_revision r WHERE r.month = u.month), 0) + 1, u.seq, u.at_us
  FROM unnest(revised, revised_seqs, revised_at) AS u(month, seq, at_us);
  INSERT INTO turunc.month_change (month, number, name, was, now)
  SELECT revised[u.place], (SELECT max(r.number) FROM turunc.month_revision r WHERE r.month = revised[u.place]),
    u.name, u.was, u.now
  FROM unnest(changed, changed_names, changed_was, changed_now) AS u(place, name, was, now);
  DELETE FROM turunc.month_touched;
  DELETE FROM turunc.month_cell c WHERE c.month = 0 AND c.n = 0;
END $$;
RESET ROLE;
