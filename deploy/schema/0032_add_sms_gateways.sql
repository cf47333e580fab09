-- Text messages by two providers, their receipts, and those who want none.
SET ROLE turunc_owner;

-- Which provider takes a message: 0 the first, 1 the second; those that have said no for good, by bit.
-- gateway and gateway_reference are of the one that may have it.  ask_us: when it is asked what became of
-- it, NULL: not (any more).
ALTER TABLE turunc.notification
  ADD COLUMN route smallint NOT NULL DEFAULT 0,
  ADD COLUMN refused_by smallint NOT NULL DEFAULT 0,
  ADD COLUMN ask_us bigint,
  ADD COLUMN asks integer NOT NULL DEFAULT 0;
ALTER TABLE turunc.notification_attempt ADD COLUMN gateway text NOT NULL DEFAULT '';
CREATE INDEX notification_ask ON turunc.notification (gateway, ask_us) WHERE ask_us IS NOT NULL;
CREATE INDEX notification_reference ON turunc.notification (gateway, gateway_reference) WHERE gateway_reference <> '';
-- What somebody who writes to us was told last; and how many were sent to a number about a time.
CREATE INDEX notification_texted ON turunc.notification (recipient, created_us) WHERE channel = 'sms';

-- Numbers that asked for no more text messages.  Forgotten when nobody who gave that number is left.
CREATE TABLE turunc.sms_opt_out (
  phone    text   PRIMARY KEY,
  since_us bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON turunc.sms_opt_out TO turunc_notifier;
GRANT SELECT ON turunc.sms_opt_out TO turunc_admin;

-- Erasing blanks the phone of a contact: with the last one the wish goes too.
CREATE FUNCTION turunc.forget_opt_out() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM sms_opt_out o WHERE o.phone = OLD.phone
    AND NOT EXISTS (SELECT FROM contact c WHERE c.citizen_id = OLD.citizen_id AND c.phone = OLD.phone AND c.contact_id <> OLD.contact_id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION turunc.forget_opt_out FROM PUBLIC;
CREATE TRIGGER contact_forgets AFTER UPDATE OF phone ON turunc.contact FOR EACH ROW
  WHEN (OLD.phone IS NOT NULL AND NEW.phone IS NULL) EXECUTE FUNCTION turunc.forget_opt_out();
RESET ROLE;
