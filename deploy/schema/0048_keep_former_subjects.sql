-- What a ticket's subject was before it was changed, so that open data stay as they were when their month was
-- published.  Codes alone; nothing of a person.
SET ROLE turunc_owner;

CREATE TABLE turunc.ticket_former_subject (
  ticket_id    bigint  NOT NULL,
  version      integer NOT NULL,               -- of the ticket, the last one with that subject
  changed_us   bigint  NOT NULL,
  subject_code text    NOT NULL,
  PRIMARY KEY (ticket_id, version)
);

-- A trigger and no part of put_ticket_states(): few tickets are corrected, and no writer can forget it.
CREATE FUNCTION turunc.keep_former_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO turunc.ticket_former_subject (ticket_id, version, changed_us, subject_code)
  VALUES (OLD.ticket_id, OLD.version, NEW.updated_us, OLD.subject_code);
  RETURN NULL;
END $$;
CREATE TRIGGER keep_former_subject AFTER UPDATE OF subject_code ON turunc.ticket_state
  FOR EACH ROW WHEN (OLD.subject_code IS DISTINCT FROM NEW.subject_code)
  EXECUTE FUNCTION turunc.keep_former_subject();

REVOKE ALL ON FUNCTION turunc.keep_former_subject FROM PUBLIC;
GRANT INSERT ON turunc.ticket_former_subject TO turunc_router;
GRANT SELECT ON turunc.ticket_former_subject TO turunc_metrics;
RESET ROLE;
