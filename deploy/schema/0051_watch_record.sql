-- What its operators' tools are told of the record: deadlines of the law that are near or past, without reading every clock,
-- and when the last whole backup was made.
SET ROLE turunc_owner;

CREATE INDEX ticket_clock_running_legal ON turunc.ticket_clock (due_us) WHERE clock = 1 AND state = 1;

-- A row a backup that is whole, written by `masa backup`; one that goes on moves good_until_us along.
CREATE TABLE turunc.backup_made (
  began_us      bigint PRIMARY KEY,
  good_until_us bigint NOT NULL,          -- what was committed until then is in it
  at_least_seq  bigint NOT NULL,
  follows       boolean NOT NULL,
  CHECK (good_until_us >= began_us)
);
GRANT SELECT, INSERT, UPDATE ON turunc.backup_made TO turunc_admin;
GRANT SELECT ON turunc.backup_made TO turunc_router;
RESET ROLE;
