-- Messages to citizens.  The row is committed before anything is sent; its unique key makes each
-- change be told once a ticket and channel (a change of one ticket also concerns those joined to it).
-- recipient, subject and body are erasable.
SET ROLE turunc_owner;

CREATE TABLE turunc.notification (
  notification_id uuid     PRIMARY KEY,
  ticket_id       bigint   NOT NULL,
  about_seq       bigint   NOT NULL,
  about_type      text     NOT NULL,
  channel         text     NOT NULL,       -- email, sms
  language        text     NOT NULL,
  recipient       text,
  subject         text,
  body            text,
  state           smallint NOT NULL,       -- 1 queued, 2 sending, 3 sent, 4 unknown, 5 dead, 6 delivered, 7 discarded
  attempts        integer  NOT NULL DEFAULT 0,
  next_attempt_us bigint,
  last_error      text     NOT NULL DEFAULT '',
  gateway         text     NOT NULL DEFAULT '',
  gateway_reference text   NOT NULL DEFAULT '',
  created_us      bigint   NOT NULL,
  updated_us      bigint   NOT NULL,
  UNIQUE (about_seq, ticket_id, channel)
) WITH (fillfactor = 70);
-- Claimed by channel in the order they are due; those being sent are looked for at start-up.
CREATE INDEX notification_due ON turunc.notification (channel, next_attempt_us, about_seq) WHERE state = 1;
CREATE INDEX notification_sending ON turunc.notification (notification_id) WHERE state = 2;
CREATE INDEX notification_unknown ON turunc.notification (updated_us) WHERE state = 4;
CREATE INDEX notification_ticket ON turunc.notification (ticket_id);
CREATE INDEX notification_dead ON turunc.notification (updated_us) WHERE state = 5;

CREATE TABLE turunc.notification_attempt (
  notification_id uuid    NOT NULL,
  attempt         integer NOT NULL,
  started_us      bigint  NOT NULL,
  ended_us        bigint,
  outcome         text    NOT NULL DEFAULT '',  -- accepted, refused, deferred, unreachable, unknown
  detail          text    NOT NULL DEFAULT '',
  PRIMARY KEY (notification_id, attempt)
);

GRANT SELECT, INSERT, UPDATE ON turunc.notification, turunc.notification_attempt TO turunc_notifier;
GRANT SELECT ON turunc.notification, turunc.notification_attempt TO turunc_admin;
-- A person decides over those that no machine may: masa message.
GRANT UPDATE (state, next_attempt_us, last_error, updated_us) ON turunc.notification TO turunc_admin;
RESET ROLE;
