/*
 * board_tables - the board as a page of tables: what the live page shows and draws, for whoever has
 * no scripts, would rather read, or wants to print.  Written from memory; nothing is asked for it.
 */
#ifndef METRICS_BOARD_TABLES_H
#define METRICS_BOARD_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "history.h"

struct alarm_row;
struct alarm_watch;
struct html;
struct picture;

/* All are lent; catalogue NULL: there is none yet. */
struct board_tables {
	const struct catalogue *catalogue;
	const struct picture *picture;
	const struct alarm_watch *alarms;
	const struct history *history;
	enum history_span span;
	int64_t now_us;
	int64_t age_ms; /* -1: there are no figures */
	bool fresh;
};

/* Begins the page; html_reply() ends it. */
void board_tables_write(
    struct html *h, enum catalogue_language language, const struct board_tables *t);

#endif
