-- As 0006 has them, but nothing is looked for to be updated when all rows were new: a batch of tickets
-- just opened, which is nearly every batch of routing, is two statements shorter.
SET ROLE turunc_owner;

-- from_versions[i] is the version read, 0 when there was no row.
CREATE OR REPLACE FUNCTION turunc.put_ticket_states(
  at_us bigint, ids bigint[], from_versions integer[], statuses smallint[], versions integer[],
  departments text[], subjects text[], priorities smallint[], reasons text[], untils bigint[],
  primaries bigint[], legal_dues bigint[], service_dues bigint[], answered bigint[],
  extensions boolean[], endings bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  inserted bigint := 0;
  updated  bigint := 0;
  primary_row record;
BEGIN
  IF 0 = ANY (from_versions) THEN
    INSERT INTO turunc.ticket_state (ticket_id, status, version, department, subject_code, priority,
      reason_code, until_us, primary_id, legal_due_us, service_due_us, answered_us, extended, ended_us, updated_us)
    SELECT u.id, u.status, u.version, u.department, u.subject, u.priority, u.reason, u.until_us, u.primary_id,
      u.legal_due, u.service_due, u.answered_us, u.extended, u.ended_us, at_us
    FROM unnest(ids, from_versions, statuses, versions, departments, subjects, priorities, reasons, untils, primaries,
           legal_dues, service_dues, answered, extensions, endings)
         AS u(id, from_version, status, version, department, subject, priority, reason, until_us, primary_id,
           legal_due, service_due, answered_us, extended, ended_us)
    WHERE u.from_version = 0
    ON CONFLICT (ticket_id) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;
  END IF;
  IF inserted < cardinality(ids) THEN
    UPDATE turunc.ticket_state s
    SET status = u.status, version = u.version, department = u.department, subject_code = u.subject,
      priority = u.priority, reason_code = u.reason, until_us = u.until_us, primary_id = u.primary_id,
      legal_due_us = u.legal_due, service_due_us = u.service_due, answered_us = u.answered_us,
      extended = u.extended, ended_us = u.ended_us, updated_us = at_us
    FROM unnest(ids, from_versions, statuses, versions, departments, subjects, priorities, reasons, untils, primaries,
           legal_dues, service_dues, answered, extensions, endings)
         AS u(id, from_version, status, version, department, subject, priority, reason, until_us, primary_id,
           legal_due, service_due, answered_us, extended, ended_us)
    WHERE s.ticket_id = u.id AND s.version = u.from_version AND u.from_version <> 0;
    GET DIAGNOSTICS updated = ROW_COUNT;
  END IF;
  IF inserted + updated <> cardinality(ids) THEN
    RAISE EXCEPTION 'a ticket was changed by somebody else' USING ERRCODE = 'TU002';
  END IF;

  -- Joins stay one deep whoever else joins at this moment: a primary is no duplicate, and a
  -- duplicate is nobody's primary.  Each check is a statement after the lock it depends on.
  IF 10 = ANY (statuses) THEN
    FOR primary_row IN
      SELECT s.status FROM turunc.ticket_state s
      WHERE s.ticket_id IN (SELECT u.primary_id FROM unnest(statuses, primaries) AS u(status, primary_id) WHERE u.status = 10)
      ORDER BY s.ticket_id FOR SHARE
    LOOP
      IF primary_row.status = 10 THEN
        RAISE EXCEPTION 'a primary was joined itself' USING ERRCODE = 'TU002';
      END IF;
    END LOOP;
    IF EXISTS (
      SELECT FROM unnest(ids, statuses) AS u(id, status)
      JOIN turunc.ticket_state j ON j.primary_id = u.id AND j.status = 10 WHERE u.status = 10) THEN
      RAISE EXCEPTION 'a joined ticket has tickets joined to it' USING ERRCODE = 'TU002';
    END IF;
  END IF;
END $$;

-- A clock is known by its next alarm: from_alarms[i] is the one read, 0 when there was no row.
CREATE OR REPLACE FUNCTION turunc.put_ticket_clocks(
  ids bigint[], clocks smallint[], from_alarms smallint[], from_alarm_times bigint[], bases smallint[],
  calendars text[], calendar_versions text[], states smallint[], started bigint[], dues bigint[],
  promises bigint[], elapsed bigint[], running_since bigint[], next_alarms smallint[], next_alarm_times bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  inserted bigint := 0;
  updated  bigint := 0;
BEGIN
  IF 0 = ANY (from_alarms) THEN
    INSERT INTO turunc.ticket_clock (ticket_id, clock, basis, calendar, calendar_version, state, started_us,
      due_us, promise_ms, elapsed_ms, running_since_us, next_alarm, next_alarm_us)
    SELECT u.id, u.clock, u.basis, u.calendar, u.calendar_version, u.state, u.started_us, u.due_us, u.promise_ms,
      u.elapsed_ms, u.running_since_us, u.next_alarm, u.next_alarm_us
    FROM unnest(ids, clocks, from_alarms, bases, calendars, calendar_versions, states, started, dues, promises,
           elapsed, running_since, next_alarms, next_alarm_times)
         AS u(id, clock, from_alarm, basis, calendar, calendar_version, state, started_us, due_us, promise_ms,
           elapsed_ms, running_since_us, next_alarm, next_alarm_us)
    WHERE u.from_alarm = 0
    ON CONFLICT (ticket_id, clock) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;
  END IF;
  IF inserted < cardinality(ids) THEN
    UPDATE turunc.ticket_clock c
    SET basis = u.basis, calendar = u.calendar, calendar_version = u.calendar_version, state = u.state,
      started_us = u.started_us, due_us = u.due_us, promise_ms = u.promise_ms, elapsed_ms = u.elapsed_ms,
      running_since_us = u.running_since_us, next_alarm = u.next_alarm, next_alarm_us = u.next_alarm_us
    FROM unnest(ids, clocks, from_alarms, from_alarm_times, bases, calendars, calendar_versions, states, started, dues,
           promises, elapsed, running_since, next_alarms, next_alarm_times)
         AS u(id, clock, from_alarm, from_alarm_us, basis, calendar, calendar_version, state, started_us, due_us,
           promise_ms, elapsed_ms, running_since_us, next_alarm, next_alarm_us)
    WHERE c.ticket_id = u.id AND c.clock = u.clock AND u.from_alarm <> 0 AND c.next_alarm = u.from_alarm
      AND c.next_alarm_us IS NOT DISTINCT FROM u.from_alarm_us;
    GET DIAGNOSTICS updated = ROW_COUNT;
  END IF;
  IF inserted + updated <> cardinality(ids) THEN
    RAISE EXCEPTION 'a clock was changed by somebody else' USING ERRCODE = 'TU002';
  END IF;
END $$;
RESET ROLE;
