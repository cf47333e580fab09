/* Short messages of any bytes: what is measured is what is encoded, and folding never grows. */
#include "gsm.h"

#include <string.h>

#include "fuzz.h"
#include "utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gsm_part parts[GSM_PARTS_MAX];
	static char folded[4096];
	struct input in = { data, size };
	enum sms_policy policy = (enum sms_policy)(take_byte(&in) % SMS_POLICIES);
	unsigned codings = take_byte(&in);
	const char *text = (const char *)in.at;
	struct sms_size cost;
	size_t len = in.left < sizeof(folded) ? in.left : sizeof(folded) - 1, units, count;

	size_t lost = sms_fold(policy, text, len, folded);
	HOLDS(strlen(folded) <= len);
	HOLDS(utf8_valid(folded, strlen(folded)));
	sms_measure(text, len, policy, codings, &cost);
	HOLDS(cost.lost == lost);
	HOLDS(gsm_measure(folded, strlen(folded), cost.coding, &units, &count));
	HOLDS(units == cost.units && count == cost.parts);
	size_t encoded = gsm_encode(folded, strlen(folded), cost.coding, 1, parts);
	HOLDS(encoded == (count <= GSM_PARTS_MAX ? count : 0));
	for (size_t i = 0; i < encoded; i++)
		HOLDS(parts[i].octet_count > 0 && parts[i].octet_count <= GSM_OCTETS_MAX);
	return 0;
}
