/*
 * numbers - ticket numbers out of leased blocks, one kind a year, so that nobody waits for one.
 *
 * Each year holds a block in use and a spare; when the spare has to be opened the next one is
 * leased.  The first blocks are small, so that a restart skips few numbers; a year that empties a
 * block faster than FAST_MS gets one twice as large next time.  The present year is kept
 * filled, the next one too in its last day; other years get a small block when first asked for.
 */
#ifndef INTAKE_NUMBERS_H
#define INTAKE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { NUMBERS_BLOCK_MIN = 2048, NUMBERS_BLOCK_MAX = 65536, NUMBERS_YEARS = 4 };

/* Begins to lease how_many serials of the year; the answer comes by numbers_leased() or
 * numbers_lease_failed(), never from within this call.  False: it could not begin. */
typedef bool numbers_lease_fn(void *arg, int year, int32_t how_many);

/* Asked at once, when no number is at hand, for up to how_many that were set aside for such a time;
 * false: there are none. */
typedef bool numbers_aside_fn(
    void *arg, int year, int32_t how_many, int64_t *ret_first, int32_t *ret_count);

struct numbers;

/* NULL: out of memory.  aside may be NULL.  Destroy takes NULL; a lease under way must not be told
 * afterwards. */
struct numbers *numbers_create(numbers_lease_fn *lease, numbers_aside_fn *aside, void *arg);
void numbers_destroy(struct numbers *n);

/* False: none at hand (a lease is under way), or no such year; the caller answers "busy".  year
 * is number_year()'s. */
MUST_CHECK bool numbers_take(struct numbers *n, int year, int64_t *ret_ticket_id);

void numbers_leased(struct numbers *n, int year, int64_t first_serial, int32_t how_many);
void numbers_lease_failed(struct numbers *n, int year);

/* Asks for what is missing; call every second and after a lease failed.  now_us: the wall clock. */
void numbers_tick(struct numbers *n, int64_t now_us, uint64_t now_ms);

/* Numbers left for that year, for metrics. */
int64_t numbers_left(const struct numbers *n, int year);

#endif
