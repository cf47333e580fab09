-- Rights that nobody needs, and that whoever has taken over a service could have used: two functions of triggers
-- could be set up by anybody on a temporary table of their own, to write answers to surveys and to delete the words
-- by which contacts are found; and metrics could read who called.
SET ROLE turunc_owner;

REVOKE ALL ON FUNCTION turunc.forget_search(), turunc.take_survey_answer() FROM PUBLIC;
REVOKE SELECT ON turunc.call FROM turunc_metrics;
RESET ROLE;
