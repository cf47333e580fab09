/* Writes on until nothing is left. */
#include "write_all.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

bool
write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t put = write(fd, at, len);
		if (put == -1 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		len -= (size_t)put;
	}
	return true;
}
