/* Records as metrics counts them: a letter and its words, each op an argument of its own. */
#include "ops.h"
#include "frame.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame *frame = NULL;
	struct ops ops = { 0 };

	if (frame_unpack(&turunc__v1__record__descriptor, data, size, &frame, NULL) != FRAME_OK)
		return 0;
	const Turunc__V1__Record *record = (const Turunc__V1__Record *)(const void *)frame_message(
	    frame);
	if (ops_add_record(&ops, record))
		for (size_t i = 0; i < ops.count; i++)
			HOLDS(strlen(ops_at(&ops, i)) > 2 && ops_at(&ops, i)[1] == ' ');
	HOLDS(!ops.failed);
	ops_finish(&ops);
	frame_destroy(frame);
	return 0;
}
