-- What a service that was taken over could do by the functions of 0013 and 0019: the end of rows follows
-- the server's own clock, not the caller's, and what was paid back leaves no row behind.
SET ROLE turunc_owner;

CREATE OR REPLACE FUNCTION turunc.person_pay_back(of_name text, of_address text, at_home boolean)
RETURNS void LANGUAGE plpgsql SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF at_home THEN
    DELETE FROM person_attempt a WHERE a.kind = 3 AND a.key = of_name || ' ' || of_address;
    RETURN;
  END IF;
  DELETE FROM person_attempt a WHERE a.kind = 1 AND a.key = of_address AND a.count <= 1;
  DELETE FROM person_attempt a WHERE a.kind = 2 AND a.key = of_name AND a.count <= 1;
  UPDATE person_attempt a SET count = a.count - 1, locked_until_us = 0 WHERE a.kind = 1 AND a.key = of_address;
  UPDATE person_attempt a SET count = a.count - 1, locked_until_us = 0 WHERE a.kind = 2 AND a.key = of_name;
END $$;

ALTER FUNCTION turunc.person_keep(bytea[], bigint[], bigint, bigint) RENAME TO person_keep_until;
REVOKE ALL ON FUNCTION turunc.person_keep_until(bytea[], bigint[], bigint, bigint) FROM PUBLIC, turunc_intake, turunc_router;
-- idle_us is at least a second, as the setting is.
CREATE FUNCTION turunc.person_keep(digests bytea[], seen bigint[], now_us bigint, idle_us bigint)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
  SELECT person_keep_until(digests, seen,
    least(now_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), greatest(idle_us, 1000000))
$$;
REVOKE ALL ON FUNCTION turunc.person_keep(bytea[], bigint[], bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.person_keep(bytea[], bigint[], bigint, bigint) TO turunc_intake, turunc_router;
RESET ROLE;
