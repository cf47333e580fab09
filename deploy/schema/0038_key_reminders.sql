-- One digest a recipient and window, whatever it tells and of how many departments: who is above twenty of
-- them gets one mail and not twenty.
SET ROLE turunc_owner;

-- Of a window that was made already one row stays, one that waits before one that does not; what another would
-- have told is told in the next window.
DELETE FROM turunc.reminder WHERE recipient IS NULL;
DELETE FROM turunc.reminder r USING turunc.reminder o
  WHERE lower(o.recipient COLLATE "C") = lower(r.recipient COLLATE "C") AND o.window_us = r.window_us
  AND (o.state, o.reminder_id) < (r.state, r.reminder_id);
ALTER TABLE turunc.reminder DROP COLUMN department, DROP COLUMN kind, ALTER COLUMN recipient SET NOT NULL;
CREATE UNIQUE INDEX reminder_once ON turunc.reminder (lower(recipient COLLATE "C"), window_us);
RESET ROLE;
