-- The call-taker's page finds tickets by the same words as the desk.
SET ROLE turunc_owner;
GRANT SELECT ON turunc.contact_search TO turunc_intake;
RESET ROLE;
