-- Acknowledging an alarm twice, by a second click or after an answer that was lost, is what the same user did before.
SET ROLE turunc_owner;

-- False: somebody else was there before, or there is no such alarm.
CREATE OR REPLACE FUNCTION turunc.alarm_acknowledge(of_alarm bigint, by_user text, at_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  UPDATE board_alarm a SET acknowledged_us = at_us, acknowledged_by = by_user
  WHERE a.alarm_id = of_alarm AND a.acknowledged_us IS NULL;
  IF FOUND THEN
    RETURN true;
  END IF;
  RETURN EXISTS (SELECT FROM board_alarm a WHERE a.alarm_id = of_alarm AND a.acknowledged_by = by_user);
END $$;

RESET ROLE;
