/* Passes every point.  Programs for tests link tests/fault/failpoint_armed.c in its place. */
#include "failpoint.h"

bool
failpoint(enum failpoint_step step, enum failpoint_side side)
{
	(void)step;
	(void)side;
	return false;
}

bool
failpoint_statement(const char *name, enum failpoint_side side)
{
	(void)name;
	(void)side;
	return false;
}
