-- A month's figures, kept along as the log grows.  All of it follows from the log and can be counted anew:
-- metrics does so when it counts differently than before, and masa report whenever it is asked.
--
-- A fact is what must be remembered of a call or a ticket to count it (services/metrics/month_fact.h packs
-- it): codes and moments, nothing personal.  A cell is a figure; those of month 0 are what is open now.
SET ROLE turunc_owner;

CREATE TABLE turunc.month_state (
  singleton        boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  fold_version     integer NOT NULL,           -- of the program that counted
  seq              bigint  NOT NULL,           -- the last record counted
  at_us            bigint  NOT NULL,           -- the latest commit so far
  day              integer NOT NULL,           -- of that in Istanbul, from 1970; 0: nothing was counted
  first            integer NOT NULL,           -- 202603, the month in which the log begins
  rolled           integer NOT NULL,           -- the last month that is over
  published        integer NOT NULL,           -- the last one that has a revision
  ladder_published integer NOT NULL,           -- the last one for which nobody can answer any more
  config_version   bigint  NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE turunc.month_fact (
  key  bytea PRIMARY KEY,                      -- 't' and the ticket's id, or 'c' and the call's
  fact bytea NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE turunc.month_cell (
  month integer NOT NULL,
  name  text    COLLATE "C" NOT NULL,
  n     bigint  NOT NULL,
  PRIMARY KEY (month, name)
) WITH (fillfactor = 50);

-- Published figures that may have changed since the last midnight of the log, as they were then.
CREATE TABLE turunc.month_touched (
  month integer NOT NULL,
  name  text    COLLATE "C" NOT NULL,
  was   bigint  NOT NULL,
  PRIMARY KEY (month, name)
);

CREATE TABLE turunc.month_revision (
  month  integer NOT NULL,
  number integer NOT NULL,
  seq    bigint  NOT NULL,                     -- the last record that it counts
  at_us  bigint  NOT NULL,
  PRIMARY KEY (month, number)
);
CREATE TABLE turunc.month_change (
  month  integer NOT NULL,
  number integer NOT NULL,
  name   text    COLLATE "C" NOT NULL,
  was    bigint  NOT NULL,
  now    bigint  NOT NULL,
  PRIMARY KEY (month, number, name)
);

-- Nothing is counted yet, or all is counted anew.
CREATE FUNCTION turunc.month_begin(version integer, history uuid, now_us bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE turunc.month_state, turunc.month_fact, turunc.month_cell, turunc.month_touched, turunc.month_revision,
    turunc.month_change;
  INSERT INTO turunc.month_state (fold_version, seq, at_us, day, first, rolled, published, ladder_published, config_version)
  VALUES (version, 0, 0, 0, 0, 0, 0, 0, 0);
  INSERT INTO turunc.consumer_cursor AS c (client, name, log_id, seq, updated_at_us)
  VALUES ('', 'figures', history, 0, now_us)
  ON CONFLICT (client, name) DO UPDATE SET log_id = excluded.log_id, seq = 0, updated_at_us = excluded.updated_at_us;
END $$;

-- Adds to cells; both functions below may add to the same ones.
CREATE FUNCTION turunc.month_add(months integer[], names text[], numbers bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO turunc.month_cell AS c (month, name, n)
  SELECT u.month, u.name, u.n FROM unnest(months, names, numbers) AS u(month, name, n)
  ON CONFLICT (month, name) DO UPDATE SET n = c.n + excluded.n
$$;

-- Records were counted, from_seq (exclusive) to to_seq.  state: at_us, day, first, rolled, published,
-- ladder_published, config_version, as they are from now on.
CREATE FUNCTION turunc.month_take(
  history uuid, from_seq bigint, to_seq bigint, now_us bigint, state bigint[], keys bytea[], facts bytea[],
  months integer[], names text[], numbers bigint[], watched boolean[])
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  PERFORM turunc.advance_cursor('figures', history, from_seq, to_seq, now_us);
  UPDATE turunc.month_state s SET seq = to_seq, at_us = state[1], day = state[2], first = state[3], rolled = state[4],
    published = state[5], ladder_published = state[6], config_version = state[7]
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

-- The log's day has changed.  state as above; of each revision its month, seq and moment, and of each
-- change the place of its revision among these, from 1.
CREATE FUNCTION turunc.month_turn(
  of_seq bigint, of_day integer, state bigint[], months integer[], names text[], numbers bigint[],
  revised integer[], revised_seqs bigint[], revised_at bigint[],
  changed integer[], changed_names text[], changed_was bigint[], changed_now bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE turunc.month_state s SET at_us = state[1], day = state[2], first = state[3], rolled = state[4],
    published = state[5], ladder_published = state[6], config_version = state[7]
  WHERE s.seq = of_seq AND s.day = of_day;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'figures are not at % of day %', of_seq, of_day USING ERRCODE = 'TU001';
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

REVOKE ALL ON FUNCTION turunc.month_begin, turunc.month_add, turunc.month_take, turunc.month_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.month_begin, turunc.month_add, turunc.month_take, turunc.month_turn TO turunc_metrics;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON turunc.month_state, turunc.month_fact, turunc.month_cell,
  turunc.month_touched, turunc.month_revision, turunc.month_change TO turunc_metrics;
GRANT SELECT ON turunc.month_state, turunc.month_cell, turunc.month_touched, turunc.month_revision, turunc.month_change
  TO turunc_admin;
RESET ROLE;
