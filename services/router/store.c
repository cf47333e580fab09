/* The SQL of the router. */
#include "store.h"

const struct db_statement store_statements[STORE_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
};
