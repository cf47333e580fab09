-- What is noted of wrong passwords is bounded.  Some twenty a second can be looked at (services/common/
-- passwords.h), which in two years of an attack would be a billion rows: those of a user are kept for
-- thirty days, those of nobody for two.  Locks, sign-ins and changes stay for two years.
SET ROLE turunc_owner;

CREATE INDEX person_act_refused_user ON turunc.person_act (at_us) WHERE kind = 'refused' AND name IS NOT NULL;
CREATE INDEX person_act_refused_nobody ON turunc.person_act (at_us) WHERE kind = 'refused' AND name IS NULL;

-- From time to time: when sessions were last used, and the end of what has had its time.  Two services
-- do this side by side, so rows the other has hold of are left to it.
CREATE OR REPLACE FUNCTION turunc.person_keep(digests bytea[], seen bigint[], now_us bigint, idle_us bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  day     constant bigint := 86400000000;
  at_once constant integer := 1000;
BEGIN
  PERFORM FROM person_session s WHERE s.token_digest = ANY (digests) ORDER BY s.token_digest FOR UPDATE;
  UPDATE person_session s SET seen_us = seen[n]
  FROM generate_series(1, cardinality(digests)) AS n
  WHERE s.token_digest = digests[n] AND s.seen_us < seen[n];
  DELETE FROM person_session s WHERE s.token_digest IN (SELECT o.token_digest FROM person_session o
    WHERE o.until_us <= now_us OR o.seen_us <= now_us - idle_us LIMIT at_once FOR UPDATE SKIP LOCKED);
  DELETE FROM person_attempt a WHERE (a.kind, a.key) IN (SELECT o.kind, o.key FROM person_attempt o
    WHERE o.since_us < now_us - day AND o.locked_until_us <= now_us LIMIT at_once FOR UPDATE SKIP LOCKED);
  DELETE FROM person_place l WHERE (l.name, l.address) IN (SELECT o.name, o.address FROM person_place o
    WHERE o.last_us < now_us - 90 * day LIMIT at_once FOR UPDATE SKIP LOCKED);
  DELETE FROM person_act a WHERE a.act_no IN (SELECT o.act_no FROM person_act o
    WHERE o.at_us < now_us - 730 * day LIMIT at_once FOR UPDATE SKIP LOCKED);
  DELETE FROM person_act a WHERE a.act_no IN (SELECT o.act_no FROM person_act o
    WHERE o.kind = 'refused' AND o.name IS NOT NULL AND o.at_us < now_us - 30 * day LIMIT at_once FOR UPDATE SKIP LOCKED);
  DELETE FROM person_act a WHERE a.act_no IN (SELECT o.act_no FROM person_act o
    WHERE o.kind = 'refused' AND o.name IS NULL AND o.at_us < now_us - 2 * day LIMIT at_once FOR UPDATE SKIP LOCKED);
END $$;
RESET ROLE;
