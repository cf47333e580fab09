/* Each statement of intake that writes has its failpoints. */
#include "check.h"
#include "durable.h"
#include "people_store.h"
#include "store.h"

TEST_WITHIN(test_every_statement_that_writes_has_its_points, 120)
{
	const struct durable_table tables[] = {
		{ store_write_statements, STORE_WRITE_STATEMENTS },
		{ store_read_statements, STORE_READ_STATEMENTS },
		{ people_statements, PEOPLE_STATEMENTS },
		{ NULL, 0 },
	};

	durable_check("intake", tables);
}
