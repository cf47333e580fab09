/* How often one address may send the citizens' forms. */
#include <string.h>

#include "clock.h"
#include "door.h"

static bool
take(struct intake *in, struct http_request *req, struct ratelimit *limit, size_t by)
{
	const char *address = http_client_network(req);
	uint64_t wait_ms;

	if (limit == NULL
	    || ratelimit_take(limit, address, strlen(address), clock_monotonic_ms(), &wait_ms))
		return true;
	stats_add_at(in->stats, INTAKE_STAT_LIMITED, by, 1);
	return false;
}

bool
door_within_rate(struct intake *in, struct http_request *req)
{
	return take(in, req, in->per_address, LIMITED_ADDRESS);
}

bool
door_photos_within_rate(struct intake *in, struct http_request *req)
{
	return !photos_sent(req) || take(in, req, in->photos_per_address, LIMITED_PHOTOS);
}
