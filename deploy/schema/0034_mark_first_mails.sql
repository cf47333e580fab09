-- Mails to addresses that have not had one: notifier sends so many an hour (TURUNC_NOTIFIER_FIRST_MAILS),
-- since anybody can give somebody else's address.
SET ROLE turunc_owner;

ALTER TABLE turunc.notification ADD COLUMN first_mail boolean NOT NULL DEFAULT false; -- when it was written
CREATE INDEX notification_mail ON turunc.notification (lower(recipient COLLATE "C")) WHERE channel = 'email';

CREATE FUNCTION turunc.is_first_mail(channel text, recipient text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT channel = 'email' AND (SELECT 1 FROM turunc.notification n WHERE n.channel = 'email'
    AND lower(n.recipient COLLATE "C") = lower(is_first_mail.recipient COLLATE "C") AND n.state IN (3, 6) LIMIT 1) IS NULL
$$;
RESET ROLE;
