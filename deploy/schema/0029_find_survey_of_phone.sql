-- An SMS that answers an invitation is found by the phone it came from: intake sees which message asked.
SET ROLE turunc_owner;
GRANT SELECT (about_seq) ON turunc.notification TO turunc_intake;
RESET ROLE;
