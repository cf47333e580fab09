-- What people at the desk search by: the folded words of each contact, kept by the router behind the
-- log, on a connection of its own, so that neither intake nor routing waits for an index.
-- Derived and erasable: emptied (and search_position set to 0) it is filled again from the record.
SET ROLE turunc_owner;

-- words: every folded word of name, phone, address and description, the ticket's number, and
-- 'd=DEPARTMENT' of its department, which narrows a clerk's search; who may see what is decided by
-- ticket_state when the result is shown.
CREATE TABLE turunc.contact_search (
  contact_id uuid     PRIMARY KEY,
  ticket_id  bigint   NOT NULL,
  words      tsvector NOT NULL
);
CREATE INDEX contact_search_words ON turunc.contact_search USING gin (words);
CREATE INDEX contact_search_ticket ON turunc.contact_search (ticket_id);

-- Up to which record of the log it is filled.  It is backed up and restored with the log.
CREATE TABLE turunc.search_position (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  seq       bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO turunc.search_position (seq) VALUES (0);

-- texts: words with single spaces.  A contact that was erased meanwhile is left out: the rows are
-- locked first, and looked at in a new statement.  TU001: somebody else has filled it further.
CREATE FUNCTION turunc.put_search(from_seq bigint, to_seq bigint, contacts uuid[], tickets bigint[], texts text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  UPDATE search_position p SET seq = to_seq WHERE p.seq = from_seq;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the search is not at %', from_seq USING ERRCODE = 'TU001';
  END IF;
  PERFORM FROM contact c WHERE c.contact_id = ANY (contacts) ORDER BY c.contact_id FOR SHARE;
  INSERT INTO contact_search AS s (contact_id, ticket_id, words)
  SELECT c.contact_id, tickets[n], array_to_tsvector(string_to_array(texts[n], ' '))
  FROM generate_series(1, cardinality(contacts)) AS n JOIN contact c ON c.contact_id = contacts[n]
  WHERE c.salt <> '' AND texts[n] <> ''
  ORDER BY c.contact_id
  ON CONFLICT (contact_id) DO UPDATE SET words = excluded.words WHERE s.words <> excluded.words;
END $$;
REVOKE ALL ON FUNCTION turunc.put_search FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.put_search TO turunc_router;
GRANT SELECT ON turunc.contact_search, turunc.search_position TO turunc_router;

-- Whoever erases a contact (its salt goes) takes its words along, in the same transaction.
CREATE FUNCTION turunc.forget_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
BEGIN
  DELETE FROM contact_search s WHERE s.contact_id = NEW.contact_id;
  RETURN NULL;
END $$;
CREATE TRIGGER contact_erased AFTER UPDATE OF salt ON turunc.contact FOR EACH ROW
  WHEN (NEW.salt = '') EXECUTE FUNCTION turunc.forget_search();
GRANT SELECT ON turunc.contact_search, turunc.search_position TO turunc_admin;
RESET ROLE;
