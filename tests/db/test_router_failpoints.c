/* Each statement of router that writes has its failpoints. */
#include "check.h"
#include "desk_store.h"
#include "durable.h"
#include "people_store.h"
#include "search_store.h"
#include "store.h"

TEST_WITHIN(test_every_statement_that_writes_has_its_points, 120)
{
	const struct durable_table tables[] = {
		{ store_statements, STORE_STATEMENTS },
		{ desk_statements, DESK_STATEMENTS },
		{ search_statements, SEARCH_STATEMENTS },
		{ people_statements, PEOPLE_STATEMENTS },
		{ NULL, 0 },
	};

	durable_check("router", tables);
}
