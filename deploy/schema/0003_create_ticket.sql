-- Tickets.  What a person said or is stands in citizen, contact, ticket_text and published_body,
-- which can be erased; everything else holds codes, times and states.
-- intake writes each ticket once (ticket); router writes what becomes of it (ticket_state and below).
SET ROLE turunc_owner;

-- One person as far as a phone number or an e-mail address tells.  Links contacts, never changes them.
CREATE TABLE turunc.citizen (
  citizen_id  uuid   PRIMARY KEY,
  contact_key text   UNIQUE,        -- 'tel:+905321234567' or 'mailto:...'; NULL once erased
  created_us  bigint NOT NULL,
  erased_us   bigint
);

-- What somebody told us, once, as they told it.
CREATE TABLE turunc.contact (
  contact_id   uuid     PRIMARY KEY,
  ticket_id    bigint,
  citizen_id   uuid,
  kind         text     NOT NULL,   -- report, follow_up, withdraw, not_solved, sms
  channel      smallint NOT NULL,   -- turunc.v1.Channel
  arrived_us   bigint   NOT NULL,
  recorded_us  bigint   NOT NULL,
  language     text     NOT NULL,
  information_version text,         -- of the data-protection text that was shown
  name         text,
  phone        text,                -- E.164
  email        text,
  description  text,
  address      text,
  latitude     double precision,
  longitude    double precision,
  media_url    text,
  answers      text,                -- JSON: {"CODE": ["value", ...]}
  account_id   text,
  device_id    text,
  salt         bytea    NOT NULL    -- of the digest in the log; goes with the row
);
CREATE INDEX contact_ticket ON turunc.contact (ticket_id);
CREATE INDEX contact_citizen ON turunc.contact (citizen_id) WHERE citizen_id IS NOT NULL;

CREATE TABLE turunc.ticket (
  ticket_id     bigint   PRIMARY KEY,  -- the printed number without dashes and check digit
  contact_id    uuid     NOT NULL,     -- the contact that opened it
  channel       smallint NOT NULL,
  subject_code  text     NOT NULL,     -- as given; '' when none
  neighbourhood text     NOT NULL,     -- code; '' when unknown
  legal_basis   smallint NOT NULL,
  public        boolean  NOT NULL,     -- may anonymous readers see that it exists
  arrived_us    bigint   NOT NULL,     -- the item's own date
  recorded_us   bigint   NOT NULL,
  client        text     NOT NULL      -- API key or bus client that brought it; '' = the public form
);
CREATE INDEX ticket_recorded ON turunc.ticket (recorded_us);

-- A number handed out under the spool that turned out a repeat of another ticket.
CREATE TABLE turunc.ticket_alias (
  alias_id  bigint PRIMARY KEY,
  ticket_id bigint NOT NULL
);

CREATE TABLE turunc.ticket_state (
  ticket_id    bigint   PRIMARY KEY,
  status       smallint NOT NULL,      -- turunc.v1.Status
  version      integer  NOT NULL,      -- 1 = opened; +1 each step
  department   text     NOT NULL,      -- '' in triage before any department had it
  subject_code text     NOT NULL,
  priority     smallint NOT NULL,
  reason_code  text     NOT NULL DEFAULT '',
  until_us     bigint,
  primary_id   bigint,                 -- duplicate: the ticket it was joined to
  legal_due_us   bigint,
  service_due_us bigint,
  answered_us  bigint,                 -- first answered, resolved, rejected or forwarded
  extended     boolean  NOT NULL DEFAULT false,
  ended_us     bigint,
  updated_us   bigint   NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ticket_state_live ON turunc.ticket_state (department, ticket_id) WHERE status <= 6;
CREATE INDEX ticket_state_ended ON turunc.ticket_state (ended_us) WHERE status BETWEEN 7 AND 11;
CREATE INDEX ticket_state_updated ON turunc.ticket_state (updated_us);
CREATE INDEX ticket_state_primary ON turunc.ticket_state (primary_id) WHERE primary_id IS NOT NULL;

CREATE TABLE turunc.ticket_clock (
  ticket_id     bigint   NOT NULL,
  clock         smallint NOT NULL,     -- turunc.v1.Clock
  basis         smallint NOT NULL,     -- legal: turunc.v1.LegalBasis
  calendar      text     NOT NULL,     -- service: whose working time
  calendar_version text  NOT NULL,     -- of the configuration it was reckoned with
  state         smallint NOT NULL,     -- 1 running, 2 paused, 3 stopped
  started_us    bigint   NOT NULL,
  due_us        bigint   NOT NULL,
  promise_ms    bigint   NOT NULL,     -- service: working time promised
  elapsed_ms    bigint   NOT NULL,     -- service: working time used before running_since_us
  running_since_us bigint NOT NULL,
  next_alarm    smallint NOT NULL,     -- 1 due soon, 2 overdue, 3 none left
  next_alarm_us bigint,                -- NULL unless running
  PRIMARY KEY (ticket_id, clock)
) WITH (fillfactor = 80);
CREATE INDEX ticket_clock_alarm ON turunc.ticket_clock (next_alarm_us) WHERE next_alarm_us IS NOT NULL;

CREATE TABLE turunc.ticket_hop (
  ticket_id       bigint  NOT NULL,
  version         integer NOT NULL,
  from_department text    NOT NULL,
  to_department   text    NOT NULL,
  reason_code     text    NOT NULL,
  actor           text    NOT NULL,
  at_us           bigint  NOT NULL,
  PRIMARY KEY (ticket_id, version)
);

-- Answers, notes and closing words: erasable.
CREATE TABLE turunc.ticket_text (
  text_id    uuid    PRIMARY KEY,
  ticket_id  bigint  NOT NULL,
  version    integer NOT NULL,
  kind       text    NOT NULL,         -- answer, note, closing, reason
  actor      text    NOT NULL,
  body       text    NOT NULL,
  salt       bytea   NOT NULL,
  created_us bigint  NOT NULL
);
CREATE INDEX ticket_text_ticket ON turunc.ticket_text (ticket_id, version);

-- The first answer to each command, for its repeats.
CREATE TABLE turunc.command_result (
  client     text     NOT NULL,
  command_id uuid     NOT NULL,
  digest     bytea    NOT NULL,
  ticket_id  bigint,
  refusal    smallint NOT NULL,        -- 0 = done, else turunc.v1.RefusalCode
  text       text     NOT NULL,
  version    integer  NOT NULL,
  status     smallint NOT NULL,
  decided_us bigint   NOT NULL,
  PRIMARY KEY (client, command_id)
);

-- Identities of inbound items.  digest is keyed with the installation's secret.
CREATE TABLE turunc.inbound_item (
  client      text   NOT NULL,
  source      text   NOT NULL,
  id          text   NOT NULL,
  digest      bytea  NOT NULL,
  item_id     uuid   NOT NULL,
  ticket_id   bigint,
  received_us bigint NOT NULL,
  PRIMARY KEY (client, source, id)
);

-- Bodies of published events, as they came: erasable.
CREATE TABLE turunc.published_body (
  item_id      uuid   PRIMARY KEY,
  client       text   NOT NULL,
  source       text   NOT NULL,
  type         text   NOT NULL,
  content_type text   NOT NULL,
  body         bytea  NOT NULL,
  salt         bytea  NOT NULL,
  received_us  bigint NOT NULL
);

-- Blocks of ticket numbers are leased per Istanbul year.
CREATE TABLE turunc.number_block (
  year    integer PRIMARY KEY,
  next_no bigint  NOT NULL
);
CREATE FUNCTION turunc.lease_numbers(of_year integer, how_many integer, not_below bigint) RETURNS bigint
LANGUAGE sql AS $$
  INSERT INTO turunc.number_block AS b (year, next_no)
  VALUES (of_year, greatest(not_below, 1) + how_many)
  ON CONFLICT (year) DO UPDATE SET next_no = greatest(b.next_no, not_below) + how_many
  RETURNING next_no - how_many
$$;

GRANT SELECT, INSERT ON turunc.citizen, turunc.contact, turunc.ticket, turunc.ticket_alias,
  turunc.inbound_item, turunc.published_body TO turunc_intake;
GRANT SELECT, INSERT, UPDATE ON turunc.number_block TO turunc_intake;
GRANT SELECT ON turunc.ticket_state, turunc.ticket_text TO turunc_intake;

GRANT SELECT ON turunc.ticket, turunc.contact, turunc.ticket_alias, turunc.number_block TO turunc_router;
GRANT SELECT, INSERT, UPDATE ON turunc.ticket_state, turunc.ticket_clock TO turunc_router;
GRANT SELECT, INSERT ON turunc.ticket_hop, turunc.ticket_text, turunc.command_result TO turunc_router;

GRANT SELECT ON turunc.ticket, turunc.contact, turunc.ticket_alias, turunc.ticket_state, turunc.ticket_text TO turunc_notifier;

GRANT SELECT ON turunc.ticket, turunc.ticket_state, turunc.ticket_clock TO turunc_metrics;

GRANT SELECT ON ALL TABLES IN SCHEMA turunc TO turunc_admin;
RESET ROLE;
