-- The desk shows what the portal calls an application, and of what kind it is there.
SET ROLE turunc_owner;
GRANT SELECT (ticket_id, reference, kind) ON turunc.cimer_application TO turunc_router;
RESET ROLE;
