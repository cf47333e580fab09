/* What a mail server says: an enhanced status is taken out of it only where there is one. */
#include <ctype.h>

#include "bouncing.h"
#include "channel.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	long reply = (long)(take_number(&in) % 1000);
	char *line = take_text(&in);
	char status[JOB_STATUS_SIZE];

	memset(status, 'x', sizeof(status));
	channel_smtp_status(line, reply, status);
	HOLDS(memchr(status, '\0', sizeof(status)) != NULL);
	if (status[0] != '\0') {
		size_t dots = 0;
		HOLDS(strstr(line, status) == line + 4 && line[0] == status[0]);
		for (const char *c = status; *c != '\0'; c++) {
			HOLDS(isdigit((unsigned char)*c) || *c == '.');
			dots += *c == '.';
		}
		HOLDS(dots == 2);
	}
	HOLDS(!bouncing_marks(line) || line[0] == '5');
	free(line);
	return 0;
}
