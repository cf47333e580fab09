-- What failed and waits for a person: messages that could not be sent, records that a service could
-- not act on.  An operator at the desk decides over them as an administrator does with masa.
SET ROLE turunc_owner;

-- Router sees its own letters alone (row security); the desk shows everybody's to operators.
CREATE FUNCTION turunc.waiting_letters(most integer)
RETURNS TABLE (consumer text, seq bigint, type text, ticket_id bigint, reason text, detail text, last_us bigint,
               attempts integer, state smallint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
  SELECT d.consumer, d.seq, d.type, d.ticket_id, d.reason, d.detail, d.last_us, d.attempts, d.state
  FROM dead_letter d WHERE d.consumer IN ('router', 'notifier', 'metrics') AND d.state <= 2
  ORDER BY d.seq, d.consumer LIMIT most
$$;

-- requeue: open or discarded ones; else discarded: open or requeued ones.  False: it is not in such a
-- state (any more), or there is none.
CREATE FUNCTION turunc.decide_letter(of_consumer text, of_seq bigint, again boolean, by_actor text, because text, at_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  UPDATE dead_letter d SET state = CASE WHEN again THEN 2 ELSE 4 END, who = by_actor,
    why = CASE WHEN again THEN NULL ELSE because END, decided_us = at_us
  WHERE d.consumer = of_consumer AND d.seq = of_seq AND d.state = ANY (CASE WHEN again THEN '{1,4}' ELSE '{1,2}' END::smallint[]);
  RETURN FOUND;
END $$;

-- again: those that are dead, or of which nobody knows whether they arrived; else discarded: those
-- that are queued, too.
CREATE FUNCTION turunc.decide_message(of_id uuid, again boolean, by_actor text, because text, at_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  UPDATE notification n SET state = CASE WHEN again THEN 1 ELSE 7 END,
    next_attempt_us = CASE WHEN again THEN at_us END,
    last_error = CASE WHEN again THEN n.last_error ELSE by_actor || ': ' || because END, updated_us = at_us
  WHERE n.notification_id = of_id AND n.recipient IS NOT NULL
    AND n.state = ANY (CASE WHEN again THEN '{4,5}' ELSE '{1,4,5}' END::smallint[]);
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION turunc.waiting_letters, turunc.decide_letter, turunc.decide_message FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.waiting_letters, turunc.decide_letter, turunc.decide_message TO turunc_router;
RESET ROLE;
