/* masa mail: what machines wrote, which no desk shows. */
#include <stdio.h>

#include "masa.h"

static enum exit_code mail_machine(struct masa *m, int argc, char **argv);

const struct command mail_commands[] = {
	{ "mail", "machine", "[--limit N]",
	    "mails that were taken for a machine's and made no ticket, the newest first: when, "
	    "from "
	    "which domain, how many characters; of is how many there are",
	    mail_machine },
	{ 0 },
};

/* Neither who nor what: that is a contact's, and masa citizen shows it to whom may see it. */
static enum exit_code
mail_machine(struct masa *m, int argc, char **argv)
{
	const char *limit = "20";
	const struct option_spec specs[] = { { "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	const char *values[] = { limit };
	return masa_show(m,
	    "SELECT c.contact_id::text AS contact, c.recorded_us, "
	    "coalesce(substring(c.email FROM '@(.*)$'), '') AS domain, "
	    "length(coalesce(c.description, '')) AS characters, count(*) OVER () AS of "
	    "FROM turunc.contact c WHERE c.kind = 'machine' AND c.ticket_id IS NULL "
	    "ORDER BY c.recorded_us DESC, c.contact_id LIMIT $1::integer",
	    1, values);
}
