/* Reads files of tests/data, wherever the test runs. */
#include "fixture.h"

#include <stdio.h>

#include "check.h"

size_t
fixture_read(const char *name, uint8_t *ret, size_t size)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/tests/data/%s", TURUNC_SOURCE, name);
	FILE *file = fopen(path, "rb");
	if (!CHECK_TRUE(name, file != NULL))
		return 0;
	size_t len = fread(ret, 1, size, file);
	fclose(file);
	return len;
}
