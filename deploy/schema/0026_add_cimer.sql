-- Applications that came from the presidency's portal (CİMER) by file: what the portal calls them, so
-- that the answer can be keyed back there, and up to which answer that was done.  Codes and times
-- alone; what the person said is in contact.
SET ROLE turunc_owner;

CREATE TABLE turunc.cimer_application (
  ticket_id     bigint  PRIMARY KEY,
  reference     text    NOT NULL UNIQUE,     -- the portal's, opaque
  kind          text    NOT NULL,            -- as the file had it
  unit          text    NOT NULL,            -- DETSİS code, '' when none was given
  received_us   bigint  NOT NULL,            -- when the file was taken
  keyed_version integer NOT NULL DEFAULT 0,  -- of the ticket: answers up to it are in the portal
  keyed_us      bigint,
  keyed_by      text
);
GRANT SELECT, INSERT ON turunc.cimer_application TO turunc_intake;
GRANT SELECT ON turunc.cimer_application TO turunc_notifier, turunc_admin;
GRANT UPDATE (keyed_version, keyed_us, keyed_by) ON turunc.cimer_application TO turunc_admin;
RESET ROLE;
