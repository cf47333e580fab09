-- What came by mail from machines or by SMS and needs no ticket leaves the list of what has none; people may take it back.
SET ROLE turunc_owner;

ALTER TABLE turunc.contact
  ADD COLUMN dismissed_us bigint,   -- when somebody said that no ticket is to be made of it
  ADD COLUMN dismissed_by text,     -- the user's name
  ADD COLUMN dismissed_as text;     -- spam, no_request, dealt_with, repeated: no words of anybody

DROP INDEX turunc.contact_unassigned;
CREATE INDEX contact_unassigned ON turunc.contact (recorded_us, contact_id)
  WHERE ticket_id IS NULL AND kind IN ('machine', 'sms') AND salt <> '' AND dismissed_us IS NULL;
CREATE INDEX contact_dismissed ON turunc.contact (recorded_us, contact_id)
  WHERE ticket_id IS NULL AND dismissed_us IS NOT NULL AND salt <> '';

-- False: there is no such contact, it was erased, or a ticket was made of it.  Who says it again changes nothing: the
-- first one said it.
CREATE FUNCTION turunc.dismiss_contact(which uuid, why text, who text, now_us bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  IF why NOT IN ('', 'spam', 'no_request', 'dealt_with', 'repeated') THEN
    RAISE EXCEPTION 'no such reason' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM FROM contact c WHERE c.contact_id = which AND c.ticket_id IS NULL AND c.kind IN ('machine', 'sms')
    AND c.salt <> '' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE contact c SET dismissed_us = CASE WHEN why <> '' THEN now_us END,
    dismissed_by = CASE WHEN why <> '' THEN who END, dismissed_as = nullif(why, '')
  WHERE c.contact_id = which AND (c.dismissed_us IS NULL) <> (why = '');
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION turunc.dismiss_contact FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.dismiss_contact TO turunc_intake;
RESET ROLE;
