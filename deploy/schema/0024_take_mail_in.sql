-- E-mail in.  The raw mail is a file like a photo's (attachment.type 4, without width and height),
-- and goes with its contact's row when that is erased.
SET ROLE turunc_owner;

COMMENT ON COLUMN turunc.attachment.type IS '1 JPEG, 2 PNG, 3 WebP; 4 the raw mail that a contact came by';

-- Reports that a message of ours did not arrive, one row a report (RFC 3464), written by intake for
-- the envelope addresses that notifier signed.  Notifier settles the message and sets handled_us.
CREATE TABLE turunc.bounce (
  bounce_id       uuid    PRIMARY KEY,
  identity        bytea   NOT NULL UNIQUE,  -- keyed digest of the report: one that comes twice is one
  notification_id uuid    NOT NULL,
  permanent       boolean NOT NULL,         -- no later attempt will do; else it may yet arrive
  status          text    NOT NULL,         -- RFC 3463, '5.1.1'; '' when the report does not say
  at_us           bigint  NOT NULL,
  handled_us      bigint                    -- NULL: notifier has not looked at it yet
);
CREATE INDEX bounce_open ON turunc.bounce (at_us) WHERE handled_us IS NULL;
CREATE INDEX bounce_notification ON turunc.bounce (notification_id);
GRANT SELECT, INSERT ON turunc.bounce TO turunc_intake;
GRANT SELECT, UPDATE (handled_us) ON turunc.bounce TO turunc_notifier;
GRANT SELECT ON turunc.bounce TO turunc_admin;

-- The ticket a mail belongs to: the one asked for (0: none; an alias leads on), or else that of the
-- messages it answers, when they went to the address it comes from.  No row: to none.
CREATE FUNCTION turunc.mail_target(asked bigint, answered uuid[], sender text)
RETURNS TABLE (ticket_id bigint, status smallint, linked boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
  SELECT t.ticket_id, coalesce(s.status, 1::smallint),
    EXISTS (SELECT FROM ticket_link l WHERE l.earlier_id = t.ticket_id)
  FROM (SELECT coalesce((SELECT a.ticket_id FROM ticket_alias a WHERE a.alias_id = asked), asked) AS ticket_id, 1 AS place
        WHERE asked <> 0
        UNION ALL
        SELECT n.ticket_id, 2 FROM notification n
        WHERE n.notification_id = ANY (answered) AND n.channel = 'email' AND lower(n.recipient) = lower(sender)) w
  JOIN ticket t ON t.ticket_id = w.ticket_id
  LEFT JOIN ticket_state s ON s.ticket_id = t.ticket_id
  ORDER BY w.place, t.ticket_id DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION turunc.mail_target FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turunc.mail_target TO turunc_intake;
RESET ROLE;
