-- Rows of windows long over are removed when a department's next are written.
SET ROLE turunc_owner;
GRANT DELETE ON turunc.reminder TO turunc_notifier;
RESET ROLE;
