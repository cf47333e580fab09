/*
 * top_picture - how the system is at one moment, as its parts say it themselves.
 *
 * The services are asked for /readyz and /metrics, the edge whether it refuses what it must, the
 * record one question.  All of it within the time given; what did not answer is known as such.
 */
#ifndef MASA_TOP_PICTURE_H
#define MASA_TOP_PICTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "reach.h"
#include "samples.h"

struct top_picture {
	int64_t at_us; /* as the system's clock shows it */
	int64_t real_us; /* as the machine's shows it */
	uint64_t at_ms; /* monotonic */
	struct {
		bool asked; /* its address is known */
		long status; /* of /readyz; 0: no answer */
		json_t *readyz; /* NULL: nothing that can be read */
		struct samples *samples; /* NULL: none */
	} services[REACH_SERVICES];
	bool edge_asked;
	long edge_status; /* 404 is right: /readyz is not for the street */
	bool record_asked;
	json_t *record; /* the answer, an object; NULL: away */
	char record_why[256];
	double disk_bytes, disk_free_bytes; /* of the system's folder; NAN: not known */
};

struct top_source;
/* Where everything is comes from the environment (masa_find_system()).  NULL: no memory. */
struct top_source *top_source_open(void);
void top_source_close(struct top_source *source); /* takes NULL */

/* False: watch_fd became readable first, or memory ran out; *ret is as it was. */
MUST_CHECK bool top_picture_take(
    struct top_source *source, long limit_ms, int watch_fd, struct top_picture *ret);
void top_picture_finish(struct top_picture *picture);

#endif
