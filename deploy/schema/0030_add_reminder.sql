-- Digests for departments of what is due soon and overdue.  One row a department, kind and window (a time of
-- a day at which its digests leave), whether or not there was anything to say: so nobody is reminded twice,
-- whatever dies when.  Numbers, codes and names of subjects; nothing of a person.
SET ROLE turunc_owner;

CREATE TABLE turunc.reminder (
  reminder_id     uuid     PRIMARY KEY,
  department      text     NOT NULL,
  kind            smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),  -- 1 the department's, 2 escalated, 3 CİMER
  window_us       bigint   NOT NULL,
  tickets         integer  NOT NULL,
  recipient       text,                       -- an office's; with subject and body gone when it was sent
  subject         text,
  body            text,
  state           smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
                                              -- 1 queued, 2 sending, 3 sent, 4 unknown, 5 given up, 6 nothing to say
  attempts        integer  NOT NULL DEFAULT 0,
  next_attempt_us bigint,
  detail          text     NOT NULL DEFAULT '',
  created_us      bigint   NOT NULL,
  updated_us      bigint   NOT NULL,
  UNIQUE (department, kind, window_us)
);
CREATE INDEX reminder_due ON turunc.reminder (next_attempt_us) WHERE state = 1;
CREATE INDEX reminder_sending ON turunc.reminder (updated_us) WHERE state = 2;
GRANT SELECT, INSERT, UPDATE ON turunc.reminder TO turunc_notifier;
GRANT SELECT ON turunc.ticket_clock TO turunc_notifier;
GRANT SELECT ON turunc.reminder TO turunc_admin;
RESET ROLE;
