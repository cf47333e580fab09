/* What intake keeps on its own disk for the time when the record is away. */
#include <stdio.h>

#include "clock.h"
#include "door.h"
#include "intake.h"
#include "log.h"
#include "number.h"
#include "survey_stops.h"

enum { PATH_BYTES = 1200, WHY_BYTES = 200 };

static bool
open_spool(struct intake *in)
{
	char path[PATH_BYTES], why[WHY_BYTES];

	if (in->config.spool_bytes == 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s/spool", in->config.state_dir);
	in->spool = spool_open(path, (uint64_t)in->config.spool_bytes, why, sizeof(why));
	if (in->spool == NULL) {
		log_error("cannot start what=%s why=%s", log_quoted(path), log_quoted(why));
		return false;
	}
	in->drain = drain_create(in);
	if (in->drain == NULL)
		log_error("cannot start why=\"out of memory\"");
	if (in->drain != NULL && spool_count(in->spool) > 0)
		log_info(
		    "items wait in the spool for the record items=%zu", spool_count(in->spool));
	return in->drain != NULL;
}

static bool
open_number_file(struct intake *in)
{
	char path[PATH_BYTES], why[WHY_BYTES];

	(void)snprintf(path, sizeof(path), "%s/numbers", in->config.state_dir);
	in->number_file = number_file_open(path, why, sizeof(why));
	if (in->number_file == NULL)
		log_error("cannot start what=%s why=%s", log_quoted(path), log_quoted(why));
	return in->number_file != NULL;
}

/* It stops no report: without it who clicks is told to come again, and somebody looks at the file.
 */
static void
open_stops(struct intake *in)
{
	char path[PATH_BYTES], why[WHY_BYTES];

	if (in->config.spool_bytes == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/survey-stops", in->config.state_dir);
	in->stops = survey_stops_open(path, why, sizeof(why));
	if (in->stops == NULL)
		log_error("refusals of surveys are not kept while the record is away what=%s "
			  "why=%s",
		    log_quoted(path), log_quoted(why));
}

bool
standby_open(struct intake *in)
{
	open_stops(in);
	return open_number_file(in) && open_spool(in);
}

void
standby_close(struct intake *in)
{
	spool_close(in->spool);
	number_file_close(in->number_file);
	survey_stops_close(in->stops);
}

/* Down when what comes now could be kept nowhere. */
static void
tell_spool(struct intake *in)
{
	char detail[WHY_BYTES];
	size_t items = spool_count(in->spool);
	bool takes = spool_takes(in->spool);

	stats_set(in->stats, INTAKE_STAT_SPOOL_ITEMS, (int64_t)items);
	stats_set(in->stats, INTAKE_STAT_SPOOL_ASIDE, (int64_t)spool_set_aside_count(in->spool));
	stats_set(in->stats, INTAKE_STAT_SPOOL_BYTES, (int64_t)spool_bytes(in->spool));
	stats_set(in->stats, INTAKE_STAT_SPOOL_DAMAGED, (int64_t)spool_damaged(in->spool));
	(void)snprintf(detail, sizeof(detail), "%zu items wait%s%s", items,
	    takes ? "" : "; takes nothing: ",
	    takes                             ? ""
	    : spool_why(in->spool)[0] == '\0' ? "full"
					      : spool_why(in->spool));
	daemon_set_dependency(in->daemon, in->spool_state,
	    takes || db_state_now(in->writer) == DB_READY ? DEPENDENCY_UP : DEPENDENCY_DOWN,
	    takes && items == 0 ? NULL : detail);
}

void
standby_tick(struct intake *in)
{
	stats_set(in->stats, INTAKE_STAT_NUMBERS_ASIDE,
	    number_file_left(in->number_file, number_year(clock_now_us())));
	if (in->config.numbers_aside > 0)
		intake_set_numbers_aside(in);
	door_survey_stop_bring(in);
	if (in->spool == NULL)
		return;
	spool_recover(in->spool);
	tell_spool(in);
}
