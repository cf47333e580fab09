-- A mark lasts thirty days (a wrong one does no more harm than that, and a mailbox that is made anew
-- is found again), and goes at once when a person writes from the address.
SET ROLE turunc_owner;

CREATE FUNCTION turunc.mail_mark_from_us(now_us bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT now_us - 30 * 86400 * 1000000::bigint $$;

-- The address, or NULL when mail does not reach it.
CREATE FUNCTION turunc.mail_reaches(email text, now_us bigint) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT email WHERE NOT EXISTS (SELECT FROM turunc.mail_mark k WHERE k.address = lower(email COLLATE "C")
                                 AND k.at_us > turunc.mail_mark_from_us(now_us))
$$;
GRANT DELETE ON turunc.mail_mark TO turunc_notifier; -- those that are over

-- What a machine answers does not say that anybody reads there.
CREATE FUNCTION turunc.lift_mail_mark() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  DELETE FROM mail_mark k WHERE k.address = lower(NEW.email COLLATE "C");
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION turunc.lift_mail_mark FROM PUBLIC;
CREATE TRIGGER contact_lift_mail_mark AFTER INSERT ON turunc.contact
  FOR EACH ROW WHEN (NEW.channel = 4 AND NEW.email IS NOT NULL AND NEW.kind <> 'machine')
  EXECUTE FUNCTION turunc.lift_mail_mark();

-- A report that cannot be settled stands in nobody's way.
ALTER TABLE turunc.bounce ADD COLUMN set_aside boolean NOT NULL DEFAULT false;
GRANT UPDATE (set_aside) ON turunc.bounce TO turunc_notifier;

COMMENT ON COLUMN turunc.survey.reason IS
  '4: reopened, disabled, no_address, unreachable (their address is marked, and there is no number), erased, late';
RESET ROLE;
