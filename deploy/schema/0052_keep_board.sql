-- What the live board remembers: its figures every five minutes, for its charts and for what was a day ago; and
-- its alarms.  Derived, but from moments that are past: backups hold them, a rebuild does not make them anew.
-- Numbers and codes; of a person only the name of the user who acknowledged an alarm.
SET ROLE turunc_owner;

CREATE TABLE turunc.board_sample (
  at_us          bigint PRIMARY KEY,   -- where its five minutes begin
  open           bigint NOT NULL,
  overdue        bigint NOT NULL,
  today          bigint NOT NULL,      -- tickets since midnight in Istanbul
  hour_opened    bigint NOT NULL,      -- in the hour before it; likewise below
  hour_ended     bigint NOT NULL,
  hour_offered   bigint NOT NULL,
  hour_answered  bigint NOT NULL,
  hour_abandoned bigint NOT NULL,
  calls_offered  bigint NOT NULL,      -- since midnight
  calls_waiting  bigint NOT NULL,
  calls_level    bigint                -- tenths of a percent; NULL: no call yet that day
);

CREATE TABLE turunc.board_alarm (
  alarm_id        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  kind            text   NOT NULL,     -- services/metrics/alarm_rules.h
  about           text   NOT NULL,     -- surge: neighbourhood/subject; '' for the others
  value           bigint NOT NULL,     -- as it was last seen
  bound           bigint NOT NULL,     -- what it was held against
  raised_us       bigint NOT NULL,
  seen_us         bigint NOT NULL,
  ended_us        bigint,
  acknowledged_us bigint,
  acknowledged_by text                 -- the user's name
);
CREATE UNIQUE INDEX board_alarm_open ON turunc.board_alarm (kind, about) WHERE ended_us IS NULL;
CREATE INDEX board_alarm_ended ON turunc.board_alarm (ended_us) WHERE ended_us IS NOT NULL;

-- What is so at this moment: raises what is new, and ends what has not been so for hold_us, or was last seen by
-- a clock that stood ahead.
CREATE FUNCTION turunc.alarm_keep(
  now_us bigint, hold_us bigint, kept_us bigint, kinds text[], abouts text[], numbers bigint[], bounds bigint[])
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO turunc.board_alarm AS a (kind, about, value, bound, raised_us, seen_us)
  SELECT u.kind, u.about, u.value, u.bound, now_us, now_us FROM unnest(kinds, abouts, numbers, bounds) AS u(kind, about, value, bound)
  ORDER BY u.kind, u.about
  ON CONFLICT (kind, about) WHERE ended_us IS NULL
  DO UPDATE SET value = excluded.value, bound = excluded.bound, seen_us = excluded.seen_us;
  UPDATE turunc.board_alarm a SET ended_us = now_us
  WHERE a.ended_us IS NULL AND (a.seen_us < now_us - hold_us OR a.seen_us > now_us + hold_us);
  DELETE FROM turunc.board_alarm a WHERE a.ended_us < now_us - kept_us;
END $$;

-- False: somebody was there before, or there is no such alarm.
CREATE FUNCTION turunc.alarm_acknowledge(of_alarm bigint, by_user text, at_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  UPDATE board_alarm a SET acknowledged_us = at_us, acknowledged_by = by_user
  WHERE a.alarm_id = of_alarm AND a.acknowledged_us IS NULL;
  RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION turunc.alarm_keep, turunc.alarm_acknowledge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.alarm_keep TO turunc_metrics;
GRANT EXECUTE ON FUNCTION turunc.alarm_acknowledge TO turunc_router;
GRANT SELECT, INSERT, DELETE ON turunc.board_sample TO turunc_metrics;
GRANT SELECT, INSERT, DELETE ON turunc.board_alarm TO turunc_metrics;
GRANT UPDATE (value, bound, seen_us, ended_us) ON turunc.board_alarm TO turunc_metrics;
GRANT SELECT ON turunc.board_alarm TO turunc_router;
GRANT SELECT ON turunc.board_sample, turunc.board_alarm TO turunc_admin;
RESET ROLE;
