/* Writes one ticket as a row. */
#include "desk_row.h"

#include <stdio.h>
#include <string.h>

#include "db_result.h"
#include "desk_store.h"
#include "desk_visit.h"
#include "istanbul.h"
#include "number.h"
#include "status_words.h"
#include "turunc/v1/ticket.pb-c.h"
#include "utf8.h"

enum { SNIPPET_BYTES = 220, ADDRESS_BYTES = 120, SOON_HOURS = 24 };
#define US_PER_HOUR (60 * US_PER_MIN)

void
desk_snippet(struct html *h, const char *text, size_t bytes)
{
	char cut[SNIPPET_BYTES * 4];
	size_t len = strlen(text), keep = utf8_prefix_len(text, len, bytes);

	if (keep >= sizeof(cut))
		keep = utf8_prefix_len(text, len, sizeof(cut) - 1);
	memcpy(cut, text, keep);
	cut[keep] = '\0';
	html_text(h, cut);
	if (keep < len)
		html_raw(h, "…");
}

void
desk_ticket_link(struct html *h, int64_t ticket_id)
{
	char number[NUMBER_SIZE], path[NUMBER_SIZE + 16];

	if (!number_format(ticket_id, number))
		return;
	(void)snprintf(path, sizeof(path), "ticket/%s", number);
	page_link(h, "no", path, number);
}

static void
number_words(struct html *h, int64_t n, const char *turkish, const char *english)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "%lld %s", (long long)n, html_say(h, turkish, english));
	html_raw(h, text);
}

/* How long ago, or how soon, in the largest unit that says enough. */
static void
distance(struct html *h, int64_t us)
{
	if (us >= US_PER_DAY)
		number_words(h, us / US_PER_DAY, "gün", us / US_PER_DAY == 1 ? "day" : "days");
	else if (us >= US_PER_HOUR)
		number_words(h, us / US_PER_HOUR, "sa", "h");
	else
		number_words(h, us / US_PER_MIN, "dk", "min");
}

void
desk_due_write(struct html *h, int64_t due_us, int64_t now_us, bool legal)
{
	if (due_us == INT64_MAX) {
		html_raw(h, "—");
		return;
	}
	html_raw(h, "<b>");
	if (due_us <= now_us) {
		distance(h, now_us - due_us);
		html_raw(h, html_say(h, " gecikti", " late"));
	} else {
		distance(h, due_us - now_us);
		html_raw(h, html_say(h, " kaldı", " left"));
	}
	html_raw(h, "</b> <span class=\"second\">");
	html_time(h, legal ? due_us - 1 : due_us, !legal);
	if (legal)
		html_raw(h, html_say(h, " yasal", " by law"));
	html_raw(h, "</span>");
}

static int64_t
number_or(const struct pg_result *rows, int row, int column, int64_t otherwise)
{
	return db_is_null(rows, row, column) ? otherwise : db_get_int(rows, row, column);
}

static void
cell_choose(struct html *h, const char *number, int64_t version)
{
	char value[NUMBER_SIZE + 16];

	(void)snprintf(value, sizeof(value), "%s:%lld", number, (long long)version);
	html_raw(h, "<td class=\"pick\"><input type=\"checkbox\" name=\"t\" value=\"");
	html_text(h, value);
	html_raw(h, "\" aria-label=\"");
	html_text(h, html_say(h, "Seç: ", "Choose "));
	html_text(h, number);
	html_raw(h, "\"></td>");
}

static void
cell_what(struct html *h, const struct catalogue *cat, const struct pg_result *rows, int row,
    bool special)
{
	const char *subject = db_get_text(rows, row, ROW_SUBJECT);
	const char *said = db_get_text_or_null(rows, row, ROW_DESCRIPTION);
	int64_t priority = db_get_int(rows, row, ROW_PRIORITY);

	html_raw(h, "<td class=\"what\"><b>");
	html_text(h, subject[0] == '\0' ? html_say(h, "Konusu yok", "No subject")
					: desk_subject(cat, subject, h->language));
	html_raw(h, "</b>");
	if (priority >= PRIORITY_HIGH) {
		html_raw(h, " <span class=\"mark\">");
		html_text(h, desk_priority((int)priority, h->language));
		html_raw(h, "</span>");
	}
	if (special) {
		html_raw(h, " <span class=\"mark\">");
		html_text(h, html_say(h, "Özel nitelikli", "Special category"));
		html_raw(h, "</span>");
	} else if (said != NULL && said[0] != '\0') {
		html_raw(h, "<span class=\"said\">");
		desk_snippet(h, said, SNIPPET_BYTES);
		html_raw(h, "</span>");
	}
	html_raw(h, "</td>");
}

static void
cell_where(struct html *h, const struct catalogue *cat, const struct pg_result *rows, int row,
    bool special)
{
	const char *address = db_get_text_or_null(rows, row, ROW_ADDRESS);

	html_raw(h, "<td class=\"where\">");
	html_text(h, desk_neighbourhood(cat, db_get_text(rows, row, ROW_NEIGHBOURHOOD)));
	if (!special && address != NULL && address[0] != '\0') {
		html_raw(h, "<span class=\"said\">");
		desk_snippet(h, address, ADDRESS_BYTES);
		html_raw(h, "</span>");
	}
	html_raw(h, "</td>");
}

static const char *
urgency(int64_t due_us, int64_t now_us)
{
	if (due_us <= now_us)
		return "late";
	return due_us - now_us < SOON_HOURS * US_PER_HOUR ? "soon" : "calm";
}

void
desk_row_write(struct html *h, const struct catalogue *cat, const struct pg_result *rows, int row,
    int64_t now_us, bool choosable)
{
	const char *subject = db_get_text(rows, row, ROW_SUBJECT);
	bool special = catalogue_is_special(cat, subject);
	/* What has ended is not late any more. */
	bool live = db_get_int(rows, row, ROW_STATUS) <= TURUNC__V1__STATUS__STATUS_WAITING;
	int64_t due_us = live ? db_get_int(rows, row, ROW_DUE) : INT64_MAX;
	int64_t version = db_get_int(rows, row, ROW_VERSION);
	char number[NUMBER_SIZE], version_text[24];

	if (!number_format(db_get_int(rows, row, ROW_TICKET), number))
		return;
	(void)snprintf(version_text, sizeof(version_text), "%lld", (long long)version);
	html_raw(h, "<tr id=\"t-");
	html_raw(h, number);
	html_raw(h, "\" data-v=\"");
	html_raw(h, version_text);
	html_raw(h, "\" class=\"");
	html_raw(h, urgency(due_us, now_us));
	html_raw(h, "\">");
	if (choosable)
		cell_choose(h, number, version);
	html_raw(h, "<td class=\"which\">");
	desk_ticket_link(h, db_get_int(rows, row, ROW_TICKET));
	html_raw(h, "<span class=\"status\">");
	html_text(h, status_word(db_get_int(rows, row, ROW_STATUS), h->language));
	html_raw(h, "</span></td>");
	cell_what(h, cat, rows, row, special);
	cell_where(h, cat, rows, row, special);
	html_raw(h, "<td class=\"due\">");
	desk_due_write(h, due_us, now_us, due_us == number_or(rows, row, ROW_LEGAL_DUE, INT64_MIN));
	html_raw(h, "</td></tr>\n");
}
