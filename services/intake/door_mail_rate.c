/* How often one address may write. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "door_mail_internal.h"

enum { ADDRESS_SIZE = LMTP_PATH_SIZE + MAIL_LETTER_ADDRESS_BYTES };

void
mail_lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* By which its rate is kept. */
static size_t
rate_key(const char *address, char ret_key[ADDRESS_SIZE])
{
	(void)snprintf(ret_key, ADDRESS_SIZE, "%s", address);
	mail_lower(ret_key);
	return strlen(ret_key);
}

bool
mail_within_rate(struct intake *in, const char *address)
{
	char key[ADDRESS_SIZE];
	uint64_t wait_ms;

	if (in->mail_per_address == NULL || address[0] == '\0')
		return true;
	size_t len = rate_key(address, key);
	return ratelimit_take(in->mail_per_address, key, len, clock_monotonic_ms(), &wait_ms);
}

void
mail_give_back(struct intake *in, const char *address)
{
	char key[ADDRESS_SIZE];

	if (in->mail_per_address == NULL || address[0] == '\0')
		return;
	size_t len = rate_key(address, key);
	ratelimit_give_back(in->mail_per_address, key, len);
}
