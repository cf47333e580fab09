-- Addresses that mail does not reach: a report said so for good (turunc.bounce), or the server we
-- hand mail to did.  Whoever gave one is told by SMS, when there is a number, and else not at all.
SET ROLE turunc_owner;

CREATE TABLE turunc.mail_mark (
  address         text   PRIMARY KEY,  -- in small letters; goes with the person, see below
  notification_id uuid   NOT NULL,     -- the message that did not arrive
  status          text   NOT NULL,     -- RFC 3463, '5.1.1'
  at_us           bigint NOT NULL
);
GRANT SELECT, INSERT ON turunc.mail_mark TO turunc_notifier;
GRANT SELECT, DELETE ON turunc.mail_mark TO turunc_admin;
-- A refusal in the dialogue with the server is a report as well.
GRANT INSERT ON turunc.bounce TO turunc_notifier;

-- An erased address leaves no mark.  Should somebody else have given it too, their next mail makes a new one.
CREATE FUNCTION turunc.forget_mail_mark() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  DELETE FROM mail_mark k WHERE k.address = lower(OLD.email COLLATE "C");
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION turunc.forget_mail_mark FROM PUBLIC;
CREATE TRIGGER contact_forget_mail_mark AFTER UPDATE OF email ON turunc.contact
  FOR EACH ROW WHEN (OLD.email IS NOT NULL AND NEW.email IS NULL) EXECUTE FUNCTION turunc.forget_mail_mark();
RESET ROLE;
