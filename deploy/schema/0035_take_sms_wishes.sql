-- A wish to hear no more, or again, counts once: what a gateway says twice does not undo what was wished since.
SET ROLE turunc_owner;

CREATE TABLE turunc.sms_wish (
  wish_id text   PRIMARY KEY,  -- of the text that said it
  phone   text   NOT NULL,
  at_us   bigint NOT NULL
);
CREATE INDEX sms_wish_phone ON turunc.sms_wish (phone);
GRANT SELECT ON turunc.sms_wish TO turunc_admin;

-- 1: it is done; 2: it was done before; 3: nobody gave us that number, so nothing is sent to it and nothing kept.
-- A text whose gateway gives no ids is known by its words alone: it counts anew after again_us.
CREATE FUNCTION turunc.take_sms_wish(said text, sender text, stops boolean, again_us bigint, now_us bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  kept_us constant bigint := 2592000000000;  -- 30 days: no gateway comes again after that
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
  RETURN 1;
END $$;
REVOKE ALL ON FUNCTION turunc.take_sms_wish FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.take_sms_wish TO turunc_notifier;
REVOKE INSERT, DELETE ON turunc.sms_opt_out FROM turunc_notifier;

-- As in 0032, and the ids of wishes go along.
CREATE OR REPLACE FUNCTION turunc.forget_opt_out() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM contact c WHERE c.citizen_id = OLD.citizen_id AND c.phone = OLD.phone AND c.contact_id <> OLD.contact_id) THEN
    DELETE FROM sms_opt_out o WHERE o.phone = OLD.phone;
    DELETE FROM sms_wish w WHERE w.phone = OLD.phone;
  END IF;
  RETURN NULL;
END $$;
RESET ROLE;
