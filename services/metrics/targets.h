/*
 * targets - how the figures stand against what the municipality wants of them.
 *
 * Each is a figure of its own, "state.<target>" with a value of enum target_state; one that cannot
 * be told is absent.  Pure.
 */
#ifndef METRICS_TARGETS_H
#define METRICS_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct calendar;
struct catalogue_municipality;
struct figures;

enum target_state {
	TARGET_MET,
	TARGET_NEAR, /* met, but not by much; or something is to be done soon */
	TARGET_MISSED
};

/* state.level (calls answered in time), state.wait (the call that waits longest), state.overdue
 * (its share of what is open), state.cimer (the law's clock of CİMER), state.triage (the oldest
 * ticket without a department).  office may be NULL.  False: no memory. */
MUST_CHECK bool targets_set(struct figures *f, const struct catalogue_municipality *m,
    const struct calendar *office, int64_t now_us);

/* Seconds since a moment that figure names, 0 when it lies ahead; -1: not known. */
int64_t targets_seconds_since(const struct figures *f, const char *figure, int64_t now_us);
/* Minutes of the office's working time since the oldest ticket without a department came: at night
 * nobody assigns one; -1: there is none. */
int64_t targets_triage_min(const struct figures *f, const struct calendar *office, int64_t now_us);
/* Tenths of a percent of what is open; -1: nothing is. */
int64_t targets_overdue_share(const struct figures *f);

#endif
