-- Photos that staff put to a ticket: with a note (origin 2, for staff alone), or when it is resolved
-- (origin 3, evidence: the citizen sees it too).  owner_id is the text's id, or one of its own when the
-- step has no text; actor is who the log names for the step, "" for a citizen's photo.  Router writes
-- them by the right that 0020 gave it; erasing and exporting find them by their ticket.
SET ROLE turunc_owner;

ALTER TABLE turunc.attachment ADD COLUMN actor text NOT NULL DEFAULT '';
ALTER TABLE turunc.attachment ADD CONSTRAINT attachment_by CHECK ((origin = 1 AND actor = '')
                                                               OR (origin IN (2, 3) AND actor <> ''));

-- Who may put what: intake the citizens', router what staff adds.
REVOKE INSERT ON turunc.attachment FROM turunc_intake, turunc_router;
GRANT INSERT (owner_id, place, ticket_id, origin, digest, salt, type, bytes, width, height, created_us)
  ON turunc.attachment TO turunc_intake;
GRANT INSERT (owner_id, place, ticket_id, origin, actor, digest, salt, type, bytes, width, height, created_us)
  ON turunc.attachment TO turunc_router;
RESET ROLE;
