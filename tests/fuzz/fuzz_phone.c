/* Phone numbers as people write them; what was understood is understood again as the same. */
#include "fuzz.h"
#include "phone.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = copy_text(data, size);
	struct phone phone, again;
	char masked[PHONE_SIZE];

	enum phone_status status = phone_parse(text, &phone);
	HOLDS(status < PHONE_STATUSES);
	HOLDS((status == PHONE_OK) == (phone_status_reason(status)[0] == '\0'));
	phone_mask(text, masked);
	HOLDS(memchr(masked, 0, sizeof(masked)) != NULL);
	if (status == PHONE_OK) {
		const char *digits = phone.number + (phone.number[0] == '+');
		HOLDS(strlen(digits) >= 7 && strspn(digits, "0123456789") == strlen(digits));
		HOLDS(phone_parse(phone.number, &again) == PHONE_OK);
		HOLDS(strcmp(again.number, phone.number) == 0 && again.mobile == phone.mobile);
		phone_mask(phone.number, masked);
		HOLDS(phone.is_short || strchr(masked, '*') != NULL);
	}
	HOLDS(!tckn_valid(text) || size >= 11);
	free(text);
	return 0;
}
