/*
 * clocks - a ticket's two clocks.
 *
 * Legal: set once by basis and arrival, never pauses, never moves but for one extension of 4982.
 * Service: the subject's promise in the working time of the department that has the ticket.  It
 * starts when the ticket is first routed, pauses in waiting, stops at an ending and continues
 * without the ended time.  At a transfer what was used stays used, counted in the former
 * department's working time, and the rest of the promise runs in the new one's.
 *
 * A deadline that has passed stays what it was.  An alarm falls once; a deadline moved so far that
 * "due soon" lies ahead again is armed anew.
 *
 * Pure: now_us is passed in.  cat lends calendars and the alarm settings.
 */
#ifndef ROUTER_CLOCKS_H
#define ROUTER_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "ticket.h"

/* Leaves the clock absent when the basis sets no deadline. */
void clocks_legal_start(struct ticket_clock *c, const struct catalogue *cat, enum legal_basis basis,
    int64_t arrived_us, int64_t now_us);
/* The longer period of 4982, from the same arrival. */
void clocks_legal_extend(
    struct ticket_clock *c, const struct catalogue *cat, int64_t arrived_us, int64_t now_us);
void clocks_legal_stop(struct ticket_clock *c);
/* After a stop that was no answer: the same deadline again. */
void clocks_legal_continue(struct ticket_clock *c, const struct catalogue *cat, int64_t now_us);

/* Leaves the clock absent when nothing is promised or the calendar never gets there. */
void clocks_service_start(struct ticket_clock *c, const struct catalogue *cat,
    const struct calendar *cal, int64_t promise_ms, int64_t now_us);
/* From now on in this working time: resume, transfer, reopen. */
void clocks_service_run(struct ticket_clock *c, const struct catalogue *cat,
    const struct calendar *cal, int64_t now_us);
/* What was used is counted; the clock stands.  state: PAUSED or STOPPED. */
void clocks_service_stand(struct ticket_clock *c, const struct catalogue *cat,
    enum ticket_clock_state state, int64_t now_us);
/* Another promise, what was used stays used; the clock goes on as it was. */
void clocks_service_promise(
    struct ticket_clock *c, const struct catalogue *cat, int64_t promise_ms, int64_t now_us);

/* The alarm whose time has come falls: which one it is (DUE_SOON or OVERDUE); the clock then waits
 * for the next.  A "due soon" that comes when the deadline has passed is "overdue" at once. */
enum ticket_alarm clocks_fall(struct ticket_clock *c, int64_t now_us);

#endif
