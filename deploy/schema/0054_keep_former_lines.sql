-- Beside the subject, what open data told of a ticket when its subject was changed: the line stays as it was, so nothing
-- in it says which of those that were changed became one of a special category.  Codes and times alone.
SET ROLE turunc_owner;

-- NULL: kept before this migration, and not known.
ALTER TABLE turunc.ticket_former_subject
  ADD COLUMN status      smallint,
  ADD COLUMN department  text,
  ADD COLUMN reason_code text,
  ADD COLUMN ended_us    bigint,
  ADD COLUMN updated_us  bigint;

CREATE OR REPLACE FUNCTION turunc.keep_former_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO turunc.ticket_former_subject (ticket_id, version, changed_us, subject_code, status, department,
    reason_code, ended_us, updated_us)
  VALUES (OLD.ticket_id, OLD.version, NEW.updated_us, OLD.subject_code, OLD.status, OLD.department,
    OLD.reason_code, OLD.ended_us, OLD.updated_us);
  RETURN NULL;
END $$;
RESET ROLE;
