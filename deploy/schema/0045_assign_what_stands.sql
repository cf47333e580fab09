-- A ticket is made of what was read before: when it was erased meanwhile, or belongs to a ticket by now, nothing is written.
-- Else the ticket would bring back what the erasure took.
SET ROLE turunc_owner;

CREATE OR REPLACE FUNCTION turunc.assign_contact() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  -- Waits for an erasure under way, and then sees what it left.
  UPDATE contact c SET ticket_id = NEW.ticket_id
  WHERE c.contact_id = NEW.id::uuid AND c.ticket_id IS NULL AND c.kind IN ('machine', 'sms') AND c.salt <> '';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such contact to make a ticket of'
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'inbound_assigns_contact';
  END IF;
  UPDATE attachment f SET ticket_id = NEW.ticket_id WHERE f.owner_id = NEW.id::uuid AND f.ticket_id IS NULL;
  RETURN NULL;
END $$;
RESET ROLE;
