-- While somebody holds an old snapshot, no former version of a cursor's row can be removed: after ten
-- minutes a hundred thousand stand before the last one, and each step by the key passed all of them
-- (docs/performance.md).  Who moved the cursor last knows where its row lies; the key is asked only
-- when it is not there any more, as after another router's step or a table written anew.
SET ROLE turunc_owner;

CREATE FUNCTION turunc.advance_cursor(
  consumer text, place tid, history uuid, from_seq bigint, to_seq bigint, at_us bigint)
RETURNS tid LANGUAGE plpgsql AS $$
DECLARE
  new_place tid;
BEGIN
  UPDATE turunc.consumer_cursor SET seq = to_seq, updated_at_us = at_us
  WHERE ctid = place AND client = '' AND name = consumer AND log_id = history AND seq = from_seq
  RETURNING ctid INTO new_place;
  IF NOT FOUND THEN
    UPDATE turunc.consumer_cursor SET seq = to_seq, updated_at_us = at_us
    WHERE client = '' AND name = consumer AND log_id = history AND seq = from_seq
    RETURNING ctid INTO new_place;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'cursor of % is not at %', consumer, from_seq USING ERRCODE = 'TU001';
  END IF;
  RETURN new_place;
END $$;

RESET ROLE;
