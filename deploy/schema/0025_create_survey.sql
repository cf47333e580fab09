-- Was the citizen satisfied?  One row for each time that a ticket has ended as resolved, rejected or
-- forwarded: an invitation, or the reason why there is none.  The rows are notifier's; what came back is
-- in survey_answer, written when intake records a contact of kind 'survey', whose words are erasable as
-- every contact's.  No row here holds personal data, so erasing a person changes no figure.
SET ROLE turunc_owner;

CREATE TABLE turunc.survey (
  survey_id    uuid     PRIMARY KEY,
  ticket_id    bigint   NOT NULL,
  ended_seq    bigint   NOT NULL,             -- the record that ended it
  ended_us     bigint   NOT NULL,
  month        integer  NOT NULL,             -- of its end in Istanbul: 202611
  state        smallint NOT NULL DEFAULT 1,   -- 1 waiting, 2 invited, 3 invited and nothing more to do, 4 nobody to ask
  reason       text     NOT NULL DEFAULT '',  -- 4: reopened, disabled, no_address, erased, late
  due_us       bigint,                        -- 1: when to invite, 2: when to remind
  invited_us   bigint,
  invited_seq  bigint,                        -- the record that says so, whose number its message bears
  reminded_us  bigint,
  reminded_seq bigint,
  expires_us   bigint,                        -- later answers are not taken
  UNIQUE (ticket_id, ended_seq)
) WITH (fillfactor = 70);
CREATE INDEX survey_due ON turunc.survey (due_us) WHERE state IN (1, 2);
CREATE INDEX survey_month ON turunc.survey (month);

CREATE TABLE turunc.survey_answer (
  survey_id   uuid     PRIMARY KEY,
  score       smallint CHECK (score BETWEEN 1 AND 5),  -- NULL: none was given
  solved      boolean,                                 -- NULL: nothing was said of it
  channel     smallint NOT NULL,                       -- turunc.v1.Channel
  answered_us bigint   NOT NULL,
  denied_us   bigint                                   -- said later: it is not solved after all
);

-- The first answer is the one that counts; a later one can only take back that it is solved.
CREATE FUNCTION turunc.take_survey_answer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = turunc, pg_temp AS $$
DECLARE
  said constant jsonb := NEW.answers::jsonb;
BEGIN
  INSERT INTO survey_answer AS a (survey_id, score, solved, channel, answered_us)
  VALUES ((said->'survey'->>0)::uuid, nullif((said->'score'->>0)::smallint, 0), (said->'solved'->>0)::boolean,
          NEW.channel, NEW.recorded_us)
  ON CONFLICT (survey_id) DO UPDATE SET denied_us = excluded.answered_us
  WHERE excluded.solved = false AND a.solved IS DISTINCT FROM false AND a.denied_us IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER contact_answers_survey AFTER INSERT ON turunc.contact FOR EACH ROW
  WHEN (NEW.kind = 'survey' AND NEW.answers IS NOT NULL) EXECUTE FUNCTION turunc.take_survey_answer();

GRANT SELECT, INSERT, UPDATE ON turunc.survey TO turunc_notifier;
GRANT SELECT ON turunc.survey_answer TO turunc_notifier;
GRANT SELECT ON turunc.survey, turunc.survey_answer TO turunc_intake, turunc_metrics, turunc_admin;
-- Whether an invitation was delivered: not to whom, nor the words.
GRANT SELECT (notification_id, ticket_id, contact_id, about_seq, about_type, channel, state) ON turunc.notification
  TO turunc_metrics;
RESET ROLE;
