-- Records of the log that a consumer could not act on: set aside with the reason, so that one bad
-- record stops neither its batch nor the consumer, and taken up again when a person says so (masa
-- dlq).  Codes, numbers and times only: what PostgreSQL says of a row is never kept, it may quote it.
SET ROLE turunc_owner;

CREATE TABLE turunc.dead_letter (
  consumer   text     NOT NULL,        -- router, notifier, metrics
  seq        bigint   NOT NULL,        -- of the record in event_log
  type       text     NOT NULL,        -- the record's
  ticket_id  bigint,                   -- the record's
  reason     text     NOT NULL CHECK (reason IN ('undecodable', 'misfit', 'no_ticket', 'refused')),
  detail     text     NOT NULL DEFAULT '',  -- refused: SQLSTATE and constraint
  first_us   bigint   NOT NULL,
  last_us    bigint   NOT NULL,        -- of the last attempt
  attempts   integer  NOT NULL DEFAULT 1,
  in_row     integer  NOT NULL,        -- how many it was in a row when it was written
  state      smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
                                       -- 1 open, 2 requeued, 3 processed, 4 discarded
  who        text,                     -- who requeued or discarded it
  why        text,                     -- said when it was discarded
  decided_us bigint,
  PRIMARY KEY (consumer, seq)
);
CREATE INDEX dead_letter_waiting ON turunc.dead_letter (consumer, state, seq) WHERE state <= 2;

-- A service sees and writes its own letters, whatever it asks for.
ALTER TABLE turunc.dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_letters ON turunc.dead_letter TO turunc_router, turunc_notifier, turunc_metrics
  USING (consumer = substr(current_user::text, length('turunc_') + 1))
  WITH CHECK (consumer = substr(current_user::text, length('turunc_') + 1));
CREATE POLICY every_letter ON turunc.dead_letter TO turunc_admin USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON turunc.dead_letter TO turunc_router, turunc_notifier, turunc_metrics;
GRANT SELECT, UPDATE (state, who, why, decided_us) ON turunc.dead_letter TO turunc_admin;

-- Written in the transaction that moves the consumer past the record.  A record that is met again
-- (a cursor was put back) keeps its one letter, and a decision about it stands.
CREATE FUNCTION turunc.put_dead_letters(for_consumer text, seqs bigint[], reasons text[], details text[],
                                        rows_in integer[], at_us bigint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO turunc.dead_letter AS d (consumer, seq, type, ticket_id, reason, detail, first_us, last_us, in_row)
  SELECT for_consumer, u.seq, coalesce(e.type, ''), e.ticket_id, u.reason, u.detail, at_us, at_us, u.in_row
  FROM unnest(seqs, reasons, details, rows_in) AS u(seq, reason, detail, in_row)
  LEFT JOIN turunc.event_log e ON e.seq = u.seq
  ORDER BY u.seq
  ON CONFLICT (consumer, seq) DO UPDATE SET attempts = d.attempts + 1, last_us = excluded.last_us,
    reason = excluded.reason, detail = excluded.detail, in_row = excluded.in_row
  WHERE d.state = 1
$$;

-- Ends an attempt at a requeued letter: processed, in the transaction of the effect, or open again.
-- Raises when the letter is not requeued any more, so the effect is had once.
CREATE FUNCTION turunc.end_dead_letter(for_consumer text, for_seq bigint, processed boolean, because text,
                                       with_detail text, at_us bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE turunc.dead_letter
  SET state = CASE WHEN processed THEN 3 ELSE 1 END, attempts = attempts + 1, last_us = at_us,
    reason = CASE WHEN processed THEN reason ELSE because END,
    detail = CASE WHEN processed THEN detail ELSE with_detail END
  WHERE consumer = for_consumer AND seq = for_seq AND state = 2;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the letter of % about % is not requeued', for_consumer, for_seq USING ERRCODE = 'TU004';
  END IF;
END $$;
REVOKE ALL ON FUNCTION turunc.put_dead_letters, turunc.end_dead_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.put_dead_letters, turunc.end_dead_letter
  TO turunc_router, turunc_notifier, turunc_metrics;
RESET ROLE;
