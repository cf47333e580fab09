/* Each statement of metrics that writes has its failpoints. */
#include "check.h"
#include "durable.h"
#include "store.h"

TEST_WITHIN(test_every_statement_that_writes_has_its_points, 120)
{
	const struct durable_table tables[] = {
		{ store_statements, STORE_STATEMENTS },
		{ NULL, 0 },
	};

	durable_check("metrics", tables);
}
