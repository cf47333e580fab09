/* store - all SQL of the router, as the table that db.h prepares on each of its connections. */
#ifndef ROUTER_STORE_H
#define ROUTER_STORE_H

#include "base.h"
#include "db.h"
#include "registry.h"

enum store_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	STORE_STATEMENTS
};
extern const struct db_statement store_statements[STORE_STATEMENTS];

#endif
