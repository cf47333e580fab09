-- Who administers sees who holds a lock or an old snapshot: without this right PostgreSQL hides from
-- turunc_admin what other roles do, and what masa looks for among them it never found.
GRANT pg_read_all_stats TO turunc_admin;
