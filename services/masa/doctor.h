/*
 * doctor - what masa doctor looks at, and what it found.
 *
 * Each look says what it looked at; what could not be looked at from here is told with the reason,
 * so that "nothing was found" is never "nothing was seen".  A finding that is bad makes the exit
 * code 1; a note does not.
 */
#ifndef MASA_DOCTOR_H
#define MASA_DOCTOR_H

#include <jansson.h>

#include "base.h"
#include "masa.h"
#include "top_picture.h"

struct doctor {
	struct masa *m;
	struct top_picture picture; /* the parts, as they said a moment ago */
	json_t *findings, *looked_at, *not_looked_at;
	bool bad, is_demo;
};

enum doctor_level { DOCTOR_NOTE, DOCTOR_BAD };

/* fix is a whole sentence for who must act; the rest says what is wrong. */
PRINTF(5, 6)
void doctor_find(struct doctor *d, enum doctor_level level, const char *check, const char *fix,
    const char *format, ...);
void doctor_looked(struct doctor *d, const char *check);
void doctor_skip(struct doctor *d, const char *check, const char *why);

/* The looks, in the order they are taken.  The record is there (masa_connect()) for those that say
 * so. */
void doctor_parts(struct doctor *d); /* services, their version, Redis */
void doctor_ports(struct doctor *d); /* who listens where, and speaks what it should */
void doctor_edge(struct doctor *d); /* the origin: streams, certificate */
void doctor_record(struct doctor *d); /* the record is there */
void doctor_schema(struct doctor *d); /* the record is there */
void doctor_configuration(struct doctor *d); /* the record is there */
void doctor_files(struct doctor *d); /* rights of files, room on disks */
void doctor_settings(struct doctor *d);
void doctor_clock(struct doctor *d); /* alone, and against the record when that is there */

/* Is that share of a disk or of its files little enough to say so? */
bool doctor_disk_is_full(double free_bytes, double bytes);

#endif
