/* Which statuses of reports say that there is no such mailbox. */
#include "base.h"
#include "bouncing.h"
#include "check.h"

static const struct {
	const char *status;
	bool marks;
} statuses[] = {
	{ "5.1.1", true },
	{ "5.1.2", true },
	{ "5.1.3", true },
	{ "5.1.6", true },
	{ "5.1.10", true },
	{ "5.2.1", true },
	{ "", false }, /* nothing was said */
	{ "5.1.0", false },
	{ "5.1.7", false }, /* the sender's address */
	{ "5.1.8", false },
	{ "5.1.100", false },
	{ "5.2.2", false }, /* full */
	{ "5.4.1", false },
	{ "5.4.4", false }, /* no route: of a relay on a bad evening */
	{ "5.4.6", false }, /* a loop */
	{ "5.4.7", false },
	{ "5.7.1", false },
	{ "4.1.1", false },
	{ BOUNCING_HELD, false },
};

TEST(test_bouncing_marks_for_a_mailbox_that_is_none)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		CHECK_U64(
		    statuses[i].status, bouncing_marks(statuses[i].status), statuses[i].marks);
}
