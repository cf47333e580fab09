-- A refusal is the address's: who is erased lifts it only when nobody else has given that address, whichever person they are.
SET ROLE turunc_owner;

CREATE INDEX contact_email ON turunc.contact (lower(email COLLATE "C")) WHERE email IS NOT NULL;

CREATE OR REPLACE FUNCTION turunc.forget_survey_refusal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM survey_refusal r WHERE r.address = lower(OLD.email COLLATE "C")
    AND NOT EXISTS (SELECT FROM contact c WHERE lower(c.email COLLATE "C") = r.address AND c.email IS NOT NULL);
  RETURN NULL;
END $$;
RESET ROLE;
