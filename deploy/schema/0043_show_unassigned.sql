-- What came by mail from machines and by SMS, and belongs to no ticket: people look at it, and make a ticket of what needs
-- one.  The raw mail is kept with it for a time.
SET ROLE turunc_owner;

CREATE INDEX contact_unassigned ON turunc.contact (recorded_us, contact_id)
  WHERE ticket_id IS NULL AND kind IN ('machine', 'sms') AND salt <> '';
CREATE INDEX attachment_unassigned ON turunc.attachment (created_us)
  WHERE ticket_id IS NULL AND digest IS NOT NULL;

-- Whoever makes a ticket of one gives its id as the item's: so it is one ticket, however often that is asked.  What came
-- first belongs to the ticket then, files and all, in the same transaction.
CREATE FUNCTION turunc.assign_contact() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  UPDATE contact c SET ticket_id = NEW.ticket_id
  WHERE c.contact_id = NEW.id::uuid AND c.ticket_id IS NULL AND c.kind IN ('machine', 'sms');
  UPDATE attachment f SET ticket_id = NEW.ticket_id WHERE f.owner_id = NEW.id::uuid AND f.ticket_id IS NULL;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION turunc.assign_contact FROM PUBLIC;
CREATE TRIGGER inbound_assigns_contact AFTER INSERT ON turunc.inbound_item
  FOR EACH ROW WHEN (NEW.client = '' AND NEW.source = 'unassigned')
  EXECUTE FUNCTION turunc.assign_contact();

-- The raw mails of machines from before that time, that no ticket was made of: the next at_most of them; how many.
CREATE FUNCTION turunc.expire_machine_mail(before_us bigint, now_us bigint, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  expired integer;
BEGIN
  WITH old AS (
    SELECT f.owner_id, f.place, f.digest FROM attachment f
    WHERE f.ticket_id IS NULL AND f.digest IS NOT NULL AND f.created_us < before_us
      AND EXISTS (SELECT FROM contact c WHERE c.contact_id = f.owner_id AND c.kind = 'machine')
    ORDER BY f.created_us LIMIT at_most FOR UPDATE),
  gone AS (
    UPDATE attachment f SET digest = NULL, salt = ''
    FROM old o WHERE f.owner_id = o.owner_id AND f.place = o.place)
  INSERT INTO erased_file (digest, erased_us) SELECT o.digest, now_us FROM old o;
  GET DIAGNOSTICS expired = ROW_COUNT;
  RETURN expired;
END $$;
REVOKE ALL ON FUNCTION turunc.expire_machine_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.expire_machine_mail TO turunc_intake;

COMMENT ON COLUMN turunc.contact.kind IS
  'report, joined, follow_up, withdraw, not_solved, survey, sms; machine: a mail that no person wrote, nothing is sent there';
RESET ROLE;
