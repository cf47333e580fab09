-- Messages are claimed by channel in the order they are due; those being sent are looked for at
-- start-up.  An operator decides over those that no machine may: masa message.
SET ROLE turunc_owner;

DROP INDEX turunc.notification_due;
CREATE INDEX notification_due ON turunc.notification (channel, next_attempt_us, about_seq) WHERE state = 1;
CREATE INDEX notification_sending ON turunc.notification (notification_id) WHERE state = 2;
CREATE INDEX notification_unknown ON turunc.notification (updated_us) WHERE state = 4;

GRANT UPDATE (state, next_attempt_us, last_error, updated_us) ON turunc.notification TO turunc_admin;

RESET ROLE;
