-- Of somebody's wishes about text messages only the last is confirmed: what has not left when another comes would say what is
-- no longer so.
SET ROLE turunc_owner;

ALTER TABLE turunc.notification ADD COLUMN superseded boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN turunc.notification.superseded IS
  'confirms a wish that was followed by another: discarded instead of sent, unless it has left already';

-- 1: it is done; 2: it was done before; 3: nobody gave us that number, so nothing is sent to it and nothing kept;
-- 4: it is done, and a message that says so is queued.
-- A text whose gateway gives no ids is known by its words alone: it counts anew after again_us.
-- languages: the default one first.  Who changes their mind without end, or a machine that does, hears of it four
-- times a day.
CREATE OR REPLACE FUNCTION turunc.take_sms_wish(said text, sender text, stops boolean, again_us bigint, now_us bigint,
  confirmation uuid, languages text[], bodies text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  kept_us constant bigint := 2592000000000;  -- 30 days: no gateway comes again after that
  day_us constant bigint := 86400000000;
  giver record;
  changed boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM citizen p JOIN contact c ON c.citizen_id = p.citizen_id
                 WHERE p.contact_key = 'tel:' || sender AND c.phone = sender AND c.kind <> 'sms') THEN
    RETURN 3;
  END IF;
  DELETE FROM sms_wish w WHERE w.phone = sender AND w.at_us < now_us - kept_us;
  INSERT INTO sms_wish AS w (wish_id, phone, at_us) VALUES (said, sender, now_us)
  ON CONFLICT (wish_id) DO UPDATE SET at_us = EXCLUDED.at_us WHERE w.at_us <= now_us - again_us;
  IF NOT FOUND THEN
    RETURN 2;
  END IF;
  IF stops THEN
    INSERT INTO sms_opt_out (phone, since_us) VALUES (sender, now_us) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM sms_opt_out o WHERE o.phone = sender;
  END IF;
  changed := FOUND;
  IF changed THEN
    UPDATE notification n SET superseded = true
    WHERE n.channel = 'sms' AND n.recipient = sender AND n.about_type = 'sms.received' AND n.state IN (1, 2, 4);
  END IF;
  IF NOT changed OR cardinality(bodies) = 0
     OR (SELECT count(*) FROM sms_wish w WHERE w.phone = sender AND w.at_us > now_us - day_us) > 4 THEN
    RETURN 1;
  END IF;
  SELECT c.contact_id, c.ticket_id, coalesce(array_position(languages, c.language), 1) AS place INTO giver
  FROM citizen p JOIN contact c ON c.citizen_id = p.citizen_id
  WHERE p.contact_key = 'tel:' || sender AND c.phone = sender AND c.kind IN ('report', 'joined') AND c.ticket_id IS NOT NULL
  ORDER BY c.arrived_us DESC, c.contact_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN 1;
  END IF;
  INSERT INTO notification (notification_id, ticket_id, about_seq, about_type, channel, language, recipient, body, state,
    next_attempt_us, created_us, updated_us, contact_id)
  SELECT confirmation, giver.ticket_id, least(-now_us, min(n.about_seq) - 1), 'sms.received', 'sms', languages[giver.place],
    sender, bodies[giver.place], 1, now_us, now_us, now_us, giver.contact_id
  FROM notification n WHERE n.contact_id = giver.contact_id;
  RETURN 4;
END $$;
RESET ROLE;
