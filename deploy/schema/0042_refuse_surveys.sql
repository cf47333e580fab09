-- Addresses that want no more mails that ask whether one is satisfied.  What became of somebody's own application is
-- said to them all the same.
SET ROLE turunc_owner;

CREATE TABLE turunc.survey_refusal (
  address  text   PRIMARY KEY,  -- in small letters; goes with the person, see below
  since_us bigint NOT NULL
);
GRANT SELECT ON turunc.survey_refusal TO turunc_notifier, turunc_admin;

-- Of the address that an invitation went to: 1: it may be asked, 2: it refuses, 0: there is no such mail (any more).
CREATE FUNCTION turunc.survey_refusal_of(message uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
  SELECT coalesce((SELECT CASE WHEN r.address IS NULL THEN 1 ELSE 2 END FROM notification n
    LEFT JOIN survey_refusal r ON r.address = lower(n.recipient COLLATE "C")
    WHERE n.notification_id = message AND n.channel = 'email' AND n.about_type LIKE 'survey.%' AND n.recipient IS NOT NULL), 0)
$$;

-- The same, afterwards.
CREATE FUNCTION turunc.refuse_surveys(message uuid, refuses boolean, now_us bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  IF survey_refusal_of(message) = 0 THEN
    RETURN 0;
  END IF;
  IF refuses THEN
    INSERT INTO survey_refusal (address, since_us)
    SELECT lower(n.recipient COLLATE "C"), now_us FROM notification n WHERE n.notification_id = message
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM survey_refusal r USING notification n
    WHERE n.notification_id = message AND r.address = lower(n.recipient COLLATE "C");
  END IF;
  RETURN CASE WHEN refuses THEN 2 ELSE 1 END;
END $$;
REVOKE ALL ON FUNCTION turunc.survey_refusal_of, turunc.refuse_surveys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.survey_refusal_of, turunc.refuse_surveys TO turunc_intake;

-- With the last contact of a person that has it, an address that is erased is none that refuses.
CREATE FUNCTION turunc.forget_survey_refusal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM survey_refusal r WHERE r.address = lower(OLD.email COLLATE "C")
    AND NOT EXISTS (SELECT FROM contact c WHERE c.citizen_id = OLD.citizen_id
      AND lower(c.email COLLATE "C") = lower(OLD.email COLLATE "C") AND c.contact_id <> OLD.contact_id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION turunc.forget_survey_refusal FROM PUBLIC;
CREATE TRIGGER contact_forget_survey_refusal AFTER UPDATE OF email ON turunc.contact
  FOR EACH ROW WHEN (OLD.email IS NOT NULL AND NEW.email IS NULL) EXECUTE FUNCTION turunc.forget_survey_refusal();

COMMENT ON COLUMN turunc.survey.reason IS '4: reopened, disabled, no_address, unreachable (their address is marked, and '
  'there is no number), opted_out (a number that wants no SMS), refused (an address that wants no such mail), erased, late';
RESET ROLE;
