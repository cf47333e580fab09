/*
 * top_figures - what two pictures of the system say: states, rates between them, troubles.
 *
 * Pure: no clock, no I/O.  A number that is not known is NAN; it is shown as "-" and is null in
 * JSON, and is never taken for 0.
 */
#ifndef MASA_TOP_FIGURES_H
#define MASA_TOP_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "top_picture.h"

/* The four services, then the record, Redis and the edge. */
enum { TOP_RECORD = REACH_SERVICES, TOP_REDIS, TOP_EDGE, TOP_PARTS };

enum top_state { TOP_UNKNOWN, TOP_WELL, TOP_IMPAIRED, TOP_DOWN };

struct top_part {
	const char *name;
	enum top_state state;
	const char *word; /* the state in a word or two */
	char why[200]; /* what is wrong, "" when nothing is */
	double up_s, cpu_percent, memory_bytes, files;
	double requests; /* HTTP, a second */
	double connections;
	double reply_p95_s; /* INFINITY: beyond the largest bound */
};

/* The rows of the tables below, in the order they are shown. */
enum top_group { TOP_FLOW, TOP_STAGES, TOP_QUEUES, TOP_LEGAL, TOP_GROUPS };

struct top_number {
	enum top_group group;
	const char *key; /* in JSON */
	const char *word; /* on the screen */
	double value; /* a second, in seconds, or a count */
	unsigned is;
	double from; /* has a place on the screen from here on; 0: always */
};
enum { TOP_IS_SECONDS = 1, TOP_IS_BYTES = 2 };
enum { TOP_NUMBERS_MAX = 48 };

struct top_reader {
	char name[72]; /* "client/name", or the service's own */
	double seq, behind;
	double rate; /* records a second */
	bool frozen;
	char why[120];
};
enum { TOP_READERS_MAX = 200 };

struct top_way { /* where messages leave; the second provider of SMS takes over from the first */
	const char *channel;
	double waiting; /* NAN for the second provider, whose messages wait as SMS */
	bool away; /* nobody answers there */
};
enum { TOP_WAYS = 3, TOP_TICKET_STATES = 6 };

struct top_trouble {
	bool bad; /* somebody must act; else it is worth knowing */
	char text[240];
};
enum { TOP_TROUBLES_MAX = 24 };

struct top_figures {
	int64_t at_us;
	double seconds; /* between the pictures; NAN: there is one only, and no rates */
	struct top_part parts[TOP_PARTS];
	struct top_number numbers[TOP_NUMBERS_MAX];
	size_t number_count;
	struct top_reader readers[TOP_READERS_MAX];
	size_t reader_count;
	struct top_way ways[TOP_WAYS];
	char log_id[40];
	bool demo;
	double head_seq, head_rate;
	double config;
	char record_version[32];
	double record_bytes, commits, connections, connections_max, active, oldest_transaction_s;
	char lock_holder[64];
	double lock_waiting, lock_longest_wait_s, other_waits;
	double
	    tickets[TOP_TICKET_STATES]; /* opened, triage, routed, accepted, in progress, waiting */
	double disk_bytes, disk_free_bytes;
	struct top_trouble troubles[TOP_TROUBLES_MAX];
	size_t trouble_count;
};

/* before NULL: none.  Large: keep it on the heap. */
void top_figures_make(
    struct top_figures *ret, const struct top_picture *now, const struct top_picture *before);
/* By its key; NULL: there is none. */
const struct top_number *top_figures_number(const struct top_figures *f, const char *key);
/* What of a /readyz is not up, the needed first: "record: refused; desk: starting"; "" when all is.
 */
void top_say_dependencies(const json_t *readyz, char *why, size_t size);
/* Takes off what a cut has left of a character at the end. */
void top_whole_characters(char *text);
/* What of it is wrong, the worst first; called by top_figures_make(). */
void top_judge(struct top_figures *f);
bool top_is_well(const struct top_figures *f); /* no trouble is bad */
extern const char *const top_ticket_words[TOP_TICKET_STATES];

/* All of it.  NULL: no memory. */
json_t *top_figures_json(const struct top_figures *f);

#endif
