/* masa address: mailboxes that mail does not reach, and what becomes of that. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "masa.h"
#include "viewed.h"

static enum exit_code address_list(struct masa *m, int argc, char **argv);
static enum exit_code address_unmark(struct masa *m, int argc, char **argv);

const struct command address_commands[] = {
	{ "address", "list", "[--personal] [--limit N]",
	    "e-mail addresses that get no mail for thirty days, since one did not arrive; the "
	    "newest "
	    "first; "
	    "--personal shows them",
	    address_list },
	{ "address", "unmark", "ADDRESS", "send mail to it again, from the next message on",
	    address_unmark },
	{ 0 },
};

/* Who they belong to may be a ticket's secret: the looks are noted before they are shown. */
static enum exit_code
note_looks(struct masa *m, const char *limit)
{
	const char *values[] = { limit };
	PGresult *result;

	enum exit_code code = masa_query(m,
	    "SELECT coalesce(array_agg(DISTINCT n.ticket_id), '{}')::text FROM "
	    "(SELECT notification_id FROM turunc.mail_mark ORDER BY at_us DESC, address "
	    "LIMIT $1::integer) k JOIN turunc.notification n USING (notification_id)",
	    1, values, &result);
	if (code != MASA_OK)
		return code;
	code = viewed_note(m, PQgetvalue(result, 0, 0), "address list");
	PQclear(result);
	return code;
}

static enum exit_code
address_list(struct masa *m, int argc, char **argv)
{
	bool personal = false;
	const char *limit = "20";
	const struct option_spec specs[] = { { "personal", NULL, &personal },
		{ "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_check_limit(limit);
	if (code == MASA_OK && personal)
		code = note_looks(m, limit);
	if (code != MASA_OK)
		return code;
	char now_us[24];
	snprintf(now_us, sizeof(now_us), "%" PRId64, clock_now_us());
	const char *values[] = { limit, personal ? "yes" : "", now_us };
	return masa_show(m,
	    "SELECT CASE WHEN $2 <> '' THEN k.address END AS address, n.ticket_id, "
	    "k.notification_id::text AS message, k.status, k.at_us FROM turunc.mail_mark k "
	    "LEFT JOIN turunc.notification n USING (notification_id) "
	    "WHERE k.at_us > turunc.mail_mark_from_us($3::bigint) "
	    "ORDER BY k.at_us DESC, k.address LIMIT $1::integer",
	    3, values);
}

static enum exit_code
address_unmark(struct masa *m, int argc, char **argv)
{
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code == MASA_OK)
		code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code != MASA_OK)
		return code;
	const char *values[] = { argv[0] };
	code = masa_query(m,
	    "DELETE FROM turunc.mail_mark WHERE address = lower($1 COLLATE \"C\") "
	    "RETURNING notification_id::text AS message, status, at_us",
	    1, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0) {
		PQclear(result);
		return masa_fail(MASA_NOT_FOUND, "mail to that address is not held back");
	}
	json_t *changed = masa_rows(result);
	PQclear(result);
	return masa_finish_change(m, code, changed);
}
