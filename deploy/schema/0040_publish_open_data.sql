-- What metrics reads to publish a month: positions, but nothing else that a contact says; and a small
-- index, for tickets stand in the order of their dates, or nearly.
SET ROLE turunc_owner;
CREATE INDEX ticket_arrived ON turunc.ticket USING brin (arrived_us) WITH (pages_per_range = 32);
GRANT SELECT (contact_id, latitude, longitude) ON turunc.contact TO turunc_metrics;
RESET ROLE;
