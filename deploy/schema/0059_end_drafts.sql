-- A draft that an intake was saving when it was killed may be committed after the next one has taken the
-- form and removed what it saw of its draft: the finished call's words were back for three days.
SET ROLE turunc_owner;

-- As in 0012, but of a form that is done with (NULL fields) an empty row stays, against which no earlier
-- draft comes back; writing it waits for whoever is writing the draft.  It goes after three days as the
-- others do, and is none of the few that each may have.
CREATE OR REPLACE FUNCTION turunc.save_draft(of_agent text, form text, at_us bigint, of_caller text, said text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  most    constant integer := 8;
  kept_us constant bigint := 259200000000;
BEGIN
  INSERT INTO turunc.call_draft AS d (agent, form_id, saved_us, caller, fields)
  VALUES (of_agent, form, at_us, CASE WHEN said IS NULL THEN '' ELSE of_caller END, coalesce(said, ''))
  ON CONFLICT (agent, form_id) DO UPDATE SET saved_us = greatest(d.saved_us, excluded.saved_us), caller = excluded.caller,
    fields = excluded.fields
  WHERE said IS NULL OR d.saved_us <= excluded.saved_us;
  DELETE FROM turunc.call_draft d WHERE d.saved_us < at_us - kept_us;
  DELETE FROM turunc.call_draft d WHERE d.agent = of_agent AND d.form_id IN (
    SELECT o.form_id FROM turunc.call_draft o WHERE o.agent = of_agent AND o.fields <> ''
    ORDER BY o.saved_us DESC, o.form_id OFFSET most);
END $$;
REVOKE ALL ON FUNCTION turunc.save_draft FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.save_draft TO turunc_intake;
RESET ROLE;
