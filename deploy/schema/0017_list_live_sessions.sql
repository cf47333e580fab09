-- Which of these sessions there are still, and with which rights: a service asks from time to time about
-- those it has seen, so that while the record is away it lets in nobody who was shut out before.
SET ROLE turunc_owner;

CREATE FUNCTION turunc.person_live(digests bytea[], now_us bigint, idle_us bigint)
RETURNS TABLE (token_digest bytea, roles smallint, departments text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
  SELECT s.token_digest, p.roles, p.departments
  FROM person_session s JOIN person p ON p.name = s.name
  WHERE s.token_digest = ANY ($1) AND s.until_us > $2 AND s.seen_us + $3 > $2 AND p.disabled_us IS NULL
$$;
REVOKE ALL ON FUNCTION turunc.person_live FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.person_live TO turunc_intake, turunc_router;
RESET ROLE;
