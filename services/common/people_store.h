/* people_store - the SQL of people; the functions are in deploy/schema. */
#ifndef TURUNC_PEOPLE_STORE_H
#define TURUNC_PEOPLE_STORE_H

#include "db.h"

enum people_statement {
	PEOPLE_LOOK,
	PEOPLE_TRY,
	PEOPLE_SETTLE,
	PEOPLE_END,
	PEOPLE_CHANGE,
	PEOPLE_KEEP,
	PEOPLE_LIVE,
	PEOPLE_STATEMENTS
};
extern const struct db_statement people_statements[PEOPLE_STATEMENTS];

/* Columns of their results. */
enum { LOOK_NAME, LOOK_SHOWN, LOOK_ROLES, LOOK_DEPARTMENTS, LOOK_SEEN, LOOK_UNTIL };
enum { LIVE_DIGEST, LIVE_ROLES, LIVE_DEPARTMENTS };
enum { TRY_LOCKED, TRY_AT_HOME, TRY_LOCKS, TRY_HASH };

#endif
