/*
 * samples - what a service's /metrics says (Prometheus text 0.0.4), read once and asked by name.
 *
 * The text is taken as it comes: a line that is no sample is passed over, so that half an answer
 * is half the samples and never a wrong one.
 */
#ifndef MASA_SAMPLES_H
#define MASA_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

struct samples;

/* The text is copied.  A last line without its end is left out, for it may have been cut; beyond
 * SAMPLES_MAX lines nothing is kept.  NULL: no memory.  Destroy takes NULL. */
enum { SAMPLES_MAX = 20000 };
struct samples *samples_parse(const char *text, size_t len);
void samples_destroy(struct samples *s);
size_t samples_count(const struct samples *s);

/* The sum of those of that name that have the label, given as it is written: outcome="accepted";
 * NULL: whatever their labels.  False (s NULL, or none of that name): *ret_sum is as it was. */
MUST_CHECK bool samples_sum(
    const struct samples *s, const char *name, const char *label, double *ret_sum);

/*
 * The quantile (0 to 1) of what a histogram (its name without _bucket) observed between two
 * readings, over those that have the label (as above): the upper bound of the bucket it lies in.
 * earlier NULL: since the process began.  False: nothing was observed, or the process is another
 * one; *ret_value is as it was.
 */
bool samples_quantile(const struct samples *later, const struct samples *earlier, const char *name,
    const char *label, double quantile, double *ret_value);

#endif
