/* The SQL of the search. */
#include "search_store.h"

const struct db_statement search_statements[SEARCH_STATEMENTS] = {
	[SEARCH_POSITION] = { "search_position",
	    "SELECT seq, (SELECT coalesce(max(b.last_seq), 0) FROM turunc.log_batch b) FROM "
	    "turunc.search_position",
	    0 },
	[SEARCH_CONTACTS] = { "search_contacts",
	    "SELECT c.contact_id, c.ticket_id, coalesce(s.department, ''), c.name, c.phone, "
	    "c.email, c.address, c.description FROM (SELECT DISTINCT e.ticket_id "
	    "FROM turunc.event_log e WHERE e.seq > $1::bigint AND e.seq <= $2::bigint "
	    "AND e.ticket_id IS NOT NULL AND (e.type IN ('ticket.opened', 'contact.recorded', "
	    "'ticket.routed') OR e.previous_department IS NOT NULL)) u "
	    "JOIN turunc.contact c ON c.ticket_id = u.ticket_id AND c.salt <> '' "
	    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = u.ticket_id ORDER BY c.contact_id",
	    2 },
	[SEARCH_PUT] = { "search_put",
	    "SELECT turunc.put_search($1::bigint, $2::bigint, $3::uuid[], $4::bigint[], "
	    "$5::text[])",
	    5 },
	/* A word that many have is found among the newest; the index would fetch all of them. */
	[SEARCH_NEWEST] = { "search_newest",
	    "SELECT DISTINCT w.ticket_id FROM (SELECT ticket_id, words FROM turunc.contact_search "
	    "ORDER BY ticket_id DESC LIMIT $2::bigint) w WHERE w.words @@ $1::text::tsquery "
	    "ORDER BY w.ticket_id DESC LIMIT $3::bigint",
	    3 },
	/* Materialized, or the planner would walk through all tickets in their order. */
	[SEARCH_ALL] = { "search_all",
	    "WITH found AS MATERIALIZED (SELECT w.ticket_id FROM turunc.contact_search w "
	    "WHERE w.words @@ $1::text::tsquery) SELECT DISTINCT f.ticket_id FROM found f "
	    "ORDER BY f.ticket_id DESC LIMIT $2::bigint",
	    2 },
};
