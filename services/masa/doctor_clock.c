/* What masa doctor finds of the clocks: this machine's, the record's, a demonstration's. */
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

#include "clock.h"
#include "doctor.h"

enum { APART_MS = 1000 };

/* Of this machine's and the record's server: how far that is ahead, between the two moments at
 * which it was asked. */
static void
compare(struct doctor *d)
{
	PGresult *result;
	int64_t before_us = clock_real_us();

	if (masa_query(d->m, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", 0,
		NULL, &result)
	    != MASA_OK)
		return;
	int64_t after_us = clock_real_us();
	int64_t server_us = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	int64_t off_ms = 0;
	if (server_us < before_us)
		off_ms = (server_us - before_us) / 1000;
	else if (server_us > after_us)
		off_ms = (server_us - after_us) / 1000;
	if (off_ms > APART_MS || off_ms < -APART_MS)
		doctor_find(d, DOCTOR_BAD, "clock",
		    "keep both on NTP: deadlines are reckoned from them",
		    "the database server's clock is %lld ms from this machine's",
		    (long long)off_ms);
}

void
doctor_clock(struct doctor *d)
{
	struct timex kernel = { .modes = 0 };

	doctor_looked(d, "clock");
	if (d->m->db != NULL)
		compare(d);
	/* Virtual machines may be set by their host, which the kernel does not know. */
	if (adjtimex(&kernel) == TIME_ERROR || (kernel.status & STA_UNSYNC) != 0)
		doctor_find(d, DOCTOR_NOTE, "clock",
		    "apt-get install systemd-timesyncd (or chrony), unless the host of this "
		    "machine sets "
		    "its clock",
		    "this machine's kernel knows of nobody who keeps its clock right");
	if (clock_is_simulated() && !d->is_demo && d->picture.record != NULL)
		doctor_find(d, DOCTOR_BAD, "clock",
		    "take TURUNC_CLOCK_FILE away and start the services anew",
		    "a simulated clock is set for a record that is no demonstration's");
}
