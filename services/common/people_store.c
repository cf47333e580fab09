/* The SQL of people: functions only, for a service has no rights to the tables. */
#include "people_store.h"

const struct db_statement people_statements[PEOPLE_STATEMENTS] = {
	[PEOPLE_LOOK] = { "people_look",
	    "SELECT name, shown_as, roles, departments, seen_us, until_us "
	    "FROM turunc.person_look($1::bytea, $2::bigint, $3::bigint)",
	    3 },
	[PEOPLE_TRY] = { "people_try",
	    "SELECT locked_us, at_home, locks, password_hash FROM turunc.person_try($1::text, "
	    "$2::text, $3::bigint, $4::integer, $5::integer, $6::bigint, $7::bigint)",
	    7 },
	[PEOPLE_SETTLE] = { "people_settle",
	    "SELECT turunc.person_settle($1::text, $2::text, $3::bigint, $4::boolean, $5::text, "
	    "$6::boolean, $7::text, $8::bytea, $9::bytea, $10::bigint)",
	    10 },
	[PEOPLE_END] = { "people_end", "SELECT turunc.person_end($1::bytea, $2::bigint, $3::text)",
	    3 },
	[PEOPLE_CHANGE] = { "people_change",
	    "SELECT turunc.person_change($1::bytea, $2::text, $3::bigint, $4::boolean, $5::text, "
	    "$6::text)",
	    6 },
	[PEOPLE_KEEP] = { "people_keep",
	    "SELECT turunc.person_keep($1::bytea[], $2::bigint[], $3::bigint, $4::bigint)", 4 },
	[PEOPLE_LIVE] = { "people_live",
	    "SELECT token_digest, roles, departments FROM turunc.person_live($1::bytea[], "
	    "$2::bigint, $3::bigint)",
	    3 },
};
