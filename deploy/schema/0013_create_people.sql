-- The people who work with the system: who they are, what they may do, where they are signed in.
--
-- A service touches these tables by the functions below alone: it can look up a session it was shown
-- the token of, let somebody in whose password it has checked, count a wrong one, and end a session.
-- It cannot list people, read a session's token (only its digest is kept) nor give anybody a role.
-- Times are the machine's own, not a demonstration's clock: those who sit there are real.
SET ROLE turunc_owner;

CREATE TABLE turunc.person (
  name          text     PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  shown_as      text     NOT NULL CHECK (octet_length(shown_as) BETWEEN 1 AND 120),
  roles         smallint NOT NULL CHECK (roles BETWEEN 1 AND 31),  -- bits of enum people_role
  departments   text[]   NOT NULL DEFAULT '{}' CHECK (cardinality(departments) <= 64),
  password_hash text     NOT NULL,                                 -- argon2id, as libsodium writes it
  password_us   bigint   NOT NULL,
  created_us    bigint   NOT NULL,
  disabled_us   bigint
);

CREATE TABLE turunc.person_session (
  token_digest bytea  PRIMARY KEY CHECK (octet_length(token_digest) = 32),
  name         text   NOT NULL REFERENCES turunc.person ON DELETE CASCADE,
  created_us   bigint NOT NULL,
  seen_us      bigint NOT NULL,
  until_us     bigint NOT NULL
);
CREATE INDEX person_session_name ON turunc.person_session (name, created_us);
CREATE INDEX person_session_until ON turunc.person_session (until_us);
CREATE INDEX person_session_seen ON turunc.person_session (seen_us);

-- Where people have signed in from: somebody else's guesses do not keep them out there.
CREATE TABLE turunc.person_place (
  name    text   NOT NULL REFERENCES turunc.person ON DELETE CASCADE,
  address text   NOT NULL,
  last_us bigint NOT NULL,
  PRIMARY KEY (name, address)
);
CREATE INDEX person_place_last ON turunc.person_place (last_us);

-- Attempts to sign in since a moment, by whom they concern: 1 an address, 2 a name (whether or not
-- there is such a person), 3 a person at a place they have signed in from before.
CREATE TABLE turunc.person_attempt (
  kind            smallint NOT NULL,
  key             text     NOT NULL,
  count           integer  NOT NULL,
  since_us        bigint   NOT NULL,
  locked_until_us bigint   NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key)
);
CREATE INDEX person_attempt_since ON turunc.person_attempt (since_us);

-- What was done by and to whom.  The name is NULL when what was typed is nobody's: it may well have
-- been a password.  The address is kept for two years, as the row is.
CREATE TABLE turunc.person_act (
  act_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at_us   bigint NOT NULL,
  kind    text   NOT NULL,
  name    text,
  actor   text   NOT NULL,   -- "user:NAME" by oneself or an administrator, "nobody" before sign-in
  address text,
  detail  text   NOT NULL DEFAULT ''
);
CREATE INDEX person_act_at ON turunc.person_act (at_us);
CREATE INDEX person_act_name ON turunc.person_act (name, act_no);

GRANT SELECT, INSERT, UPDATE ON turunc.person TO turunc_admin;
GRANT SELECT, DELETE ON turunc.person_session TO turunc_admin;
GRANT SELECT, DELETE ON turunc.person_attempt, turunc.person_place TO turunc_admin;
GRANT SELECT, INSERT ON turunc.person_act TO turunc_admin;

-- Who a session is, if it is one still.
CREATE FUNCTION turunc.person_look(digest bytea, now_us bigint, idle_us bigint)
RETURNS TABLE (name text, shown_as text, roles smallint, departments text[], seen_us bigint, until_us bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
  SELECT p.name, p.shown_as, p.roles, p.departments, s.seen_us, s.until_us
  FROM person_session s JOIN person p ON p.name = s.name
  WHERE s.token_digest = $1 AND s.until_us > $2 AND s.seen_us + $3 > $2 AND p.disabled_us IS NULL
$$;

-- One attempt more of this kind.  locked_us: not before then, nothing was counted; locks: it was the
-- last there is before the lock.
CREATE FUNCTION turunc.person_count_attempt(of_kind smallint, of_key text, most integer, now_us bigint,
                                            window_us bigint, lock_us bigint, OUT locked_us bigint, OUT locks boolean)
LANGUAGE plpgsql SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  was person_attempt;
BEGIN
  locked_us := 0;
  locks := false;
  INSERT INTO person_attempt (kind, key, count, since_us) VALUES (of_kind, of_key, 0, now_us)
  ON CONFLICT (kind, key) DO NOTHING;
  SELECT a.* INTO was FROM person_attempt a WHERE a.kind = of_kind AND a.key = of_key FOR UPDATE;
  IF was.locked_until_us > now_us THEN
    locked_us := was.locked_until_us;
    RETURN;
  END IF;
  IF was.locked_until_us > 0 OR was.since_us + window_us <= now_us THEN
    was.count := 0;
    was.since_us := now_us;
  END IF;
  locks := was.count + 1 >= most;
  UPDATE person_attempt a SET count = was.count + 1, since_us = was.since_us,
    locked_until_us = CASE WHEN locks THEN now_us + lock_us ELSE 0 END
  WHERE a.kind = of_kind AND a.key = of_key;
END $$;

-- Before a password is looked at: the attempt is counted, and paid back by person_settle() when it
-- was right, so that many at once are no way around the count.  A person at a place of theirs has a
-- count of their own there; everybody else has the address's and the name's.
CREATE FUNCTION turunc.person_try(of_name text, of_address text, now_us bigint, name_most integer,
                                  address_most integer, window_us bigint, lock_us bigint,
                                  OUT locked_us bigint, OUT at_home boolean, OUT locks text, OUT password_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  one record;
BEGIN
  locks := '';
  at_home := EXISTS (SELECT FROM person_place l WHERE l.name = of_name AND l.address = of_address);
  IF at_home THEN
    SELECT * INTO one FROM person_count_attempt(3::smallint, of_name || ' ' || of_address, name_most, now_us,
                                                window_us, lock_us);
    locked_us := one.locked_us;
    IF one.locks THEN locks := 'place'; END IF;
  ELSE
    SELECT * INTO one FROM person_count_attempt(1::smallint, of_address, address_most, now_us, window_us, lock_us);
    locked_us := one.locked_us;
    IF one.locks THEN locks := 'address'; END IF;
    IF locked_us = 0 THEN
      SELECT * INTO one FROM person_count_attempt(2::smallint, of_name, name_most, now_us, window_us, lock_us);
      locked_us := one.locked_us;
      IF one.locks THEN locks := trim(locks || ' user'); END IF;
    END IF;
  END IF;
  IF locked_us = 0 THEN
    SELECT p.password_hash INTO password_hash FROM person p WHERE p.name = of_name AND p.disabled_us IS NULL;
  END IF;
END $$;

-- An attempt that should not have counted.
CREATE FUNCTION turunc.person_pay_back(of_name text, of_address text, at_home boolean)
RETURNS void LANGUAGE plpgsql SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF at_home THEN
    DELETE FROM person_attempt a WHERE a.kind = 3 AND a.key = of_name || ' ' || of_address;
  ELSE
    UPDATE person_attempt a SET count = greatest(a.count - 1, 0), locked_until_us = 0
    WHERE a.kind = 1 AND a.key = of_address;
    UPDATE person_attempt a SET count = greatest(a.count - 1, 0), locked_until_us = 0
    WHERE a.kind = 2 AND a.key = of_name;
  END IF;
END $$;

-- What became of an attempt.  matched NULL: nothing, it was given up before the password was looked
-- at.  matched true: a session begins and the former one of that browser ends, unless the person was
-- disabled or their password changed meanwhile; returns whether it began.
CREATE FUNCTION turunc.person_settle(of_name text, of_address text, now_us bigint, at_home boolean, locks text,
                                     matched boolean, checked_hash text, digest bytea, former bytea, until bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  sessions_max constant integer := 20;
  places_max   constant integer := 20;
  is_known     boolean;
BEGIN
  IF matched IS NULL THEN
    PERFORM person_pay_back(of_name, of_address, at_home);
    RETURN false;
  END IF;
  IF matched THEN
    PERFORM FROM person p WHERE p.name = of_name AND p.disabled_us IS NULL AND p.password_hash = checked_hash FOR UPDATE;
    matched := FOUND;
  END IF;
  IF matched THEN
    PERFORM person_pay_back(of_name, of_address, at_home);
    DELETE FROM person_session s WHERE s.token_digest = former;
    DELETE FROM person_session s WHERE s.token_digest IN (SELECT o.token_digest FROM person_session o
      WHERE o.name = of_name ORDER BY o.created_us DESC, o.token_digest OFFSET sessions_max - 1);
    INSERT INTO person_session VALUES (digest, of_name, now_us, now_us, until);
    INSERT INTO person_place VALUES (of_name, of_address, now_us)
    ON CONFLICT (name, address) DO UPDATE SET last_us = excluded.last_us;
    DELETE FROM person_place l WHERE l.name = of_name AND l.address IN (SELECT o.address FROM person_place o
      WHERE o.name = of_name ORDER BY o.last_us DESC, o.address OFFSET places_max);
    INSERT INTO person_act (at_us, kind, name, actor, address)
    VALUES (now_us, 'signed-in', of_name, 'user:' || of_name, of_address);
    RETURN true;
  END IF;
  is_known := EXISTS (SELECT FROM person p WHERE p.name = of_name);
  INSERT INTO person_act (at_us, kind, name, actor, address, detail)
  SELECT now_us, kind, CASE WHEN is_known THEN of_name END, 'nobody', of_address, detail
  FROM (VALUES ('refused', ''), ('locked', locks)) AS acts (kind, detail)
  WHERE kind = 'refused' OR locks <> '';
  RETURN false;
END $$;

CREATE FUNCTION turunc.person_end(digest bytea, now_us bigint, of_address text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  whose text;
BEGIN
  DELETE FROM person_session s WHERE s.token_digest = digest RETURNING s.name INTO whose;
  IF whose IS NULL THEN
    RETURN false;
  END IF;
  INSERT INTO person_act (at_us, kind, name, actor, address) VALUES (now_us, 'signed-out', whose, 'user:' || whose, of_address);
  RETURN true;
END $$;

-- A person's own new password: their other sessions end.  The attempt that checked the old one is
-- paid back.  False: the session or the old password are not what they were.
CREATE FUNCTION turunc.person_change(digest bytea, of_address text, now_us bigint, at_home boolean,
                                     checked_hash text, new_hash text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
DECLARE
  whose text;
BEGIN
  SELECT s.name INTO whose FROM person_session s WHERE s.token_digest = digest AND s.until_us > now_us;
  UPDATE person p SET password_hash = new_hash, password_us = now_us
  WHERE p.name = whose AND p.disabled_us IS NULL AND p.password_hash = checked_hash;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM person_pay_back(whose, of_address, at_home);
  DELETE FROM person_session s WHERE s.name = whose AND s.token_digest <> digest;
  INSERT INTO person_act (at_us, kind, name, actor, address)
  VALUES (now_us, 'password-changed', whose, 'user:' || whose, of_address);
  RETURN true;
END $$;

-- From time to time: when sessions were last used, and the end of what has had its time.  Two services
-- do this side by side, so rows the other has hold of are left to it.
CREATE FUNCTION turunc.person_keep(digests bytea[], seen bigint[], now_us bigint, idle_us bigint)
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
END $$;

REVOKE ALL ON FUNCTION turunc.person_look, turunc.person_count_attempt, turunc.person_try, turunc.person_pay_back,
  turunc.person_settle, turunc.person_end, turunc.person_change, turunc.person_keep FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.person_look, turunc.person_try, turunc.person_settle, turunc.person_end,
  turunc.person_change, turunc.person_keep TO turunc_intake, turunc_router;
RESET ROLE;
