/* The alarms of the live board: whoever acknowledges one does it here, by name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_form.h"
#include "desk_visit.h"
#include "istanbul.h"
#include "log.h"
#include "store.h"

#define OPERATORS ((unsigned)PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR)
#define SHOWN_US (7 * US_PER_DAY) /* those that have ended since */
enum { ALARM_ROWS = 200, ID_DIGITS = 18, VALUE_BYTES = 48, CODE_BYTES = 104 };

/* What metrics raises, and how its value is written; a kind of the future is told by its name. */
enum form { COUNT, SECONDS, MINUTES, TENTHS };
static const struct {
	const char *kind;
	const char *in[CATALOGUE_LANGUAGES];
	enum form form;
} kinds[] = {
	{ "wait", { "Bekleyen çağrı", "A call waits" }, SECONDS },
	{ "level", { "Hizmet düzeyi düşük", "Service level is low" }, TENTHS },
	{ "cimer", { "CİMER yasal süresi geçti", "Legal deadline of CİMER passed" }, COUNT },
	{ "overdue", { "Geciken iş çok", "Too much is late" }, TENTHS },
	{ "triage", { "Birime verilmemiş başvuru", "A ticket without a department" }, MINUTES },
	{ "surge", { "Yoğunlaşan bildirim", "Surge of reports" }, COUNT },
};

static size_t
kind_of(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && strcmp(kinds[i].kind, name) != 0)
		i++;
	return i;
}

/* --- the list --------------------------------------------------------------------------------- */

static void
write_value(struct html *h, size_t kind, int64_t value)
{
	bool english = h->language == CATALOGUE_EN;
	char text[VALUE_BYTES];

	switch (kind == ARRAY_LEN(kinds) ? COUNT : kinds[kind].form) {
	case SECONDS:
		(void)snprintf(text, sizeof(text), "%" PRId64 " %s", value, english ? "s" : "sn");
		break;
	case MINUTES:
		(void)snprintf(text, sizeof(text), "%" PRId64 " %s", value, english ? "min" : "dk");
		break;
	case TENTHS:
		(void)snprintf(text, sizeof(text),
		    english ? "%" PRId64 ".%" PRId64 "%%" : "%%%" PRId64 ",%" PRId64, value / 10,
		    value % 10);
		break;
	case COUNT:
	default:
		(void)snprintf(text, sizeof(text), "%" PRId64, value);
	}
	html_text(h, text);
}

/* "neighbourhood/subject" in words, as far as the catalogue has them. */
static void
write_place(struct html *h, const struct visit *v, const char *about)
{
	const struct catalogue *catalogue = visit_catalogue(v);
	const char *slash = strchr(about, '/');
	char code[CODE_BYTES];

	if (slash == NULL)
		return;
	(void)snprintf(code, sizeof(code), "%.*s", (int)(slash - about), about);
	const struct catalogue_neighbourhood *n = catalogue == NULL
						      ? NULL
						      : catalogue_neighbourhood(catalogue, code);
	const struct catalogue_subject *s = catalogue == NULL
						? NULL
						: catalogue_subject(catalogue, slash + 1);
	html_text(h, n == NULL ? code : n->name);
	html_raw(h, ": ");
	html_text(h, s == NULL ? slash + 1 : s->name.in[h->language]);
	html_raw(h, " ");
}

static void
write_acknowledging(struct html *h, const struct visit *v, const struct pg_result *rows, int i)
{
	char id[ID_DIGITS + 2];

	if (!db_is_null(rows, i, ALARM_ACKNOWLEDGED)) {
		html_raw(h, "<p class=\"second\">");
		html_text(h, html_say(h, "Üstlenen: ", "Acknowledged by "));
		html_text(h, db_get_text(rows, i, ALARM_BY));
		html_raw(h, ", ");
		html_time(h, db_get_int(rows, i, ALARM_ACKNOWLEDGED), true);
		html_raw(h, "</p>");
		return;
	}
	(void)snprintf(id, sizeof(id), "%" PRId64, db_get_int(rows, i, ALARM_ID));
	form_begin(h, v, "alarms", "group");
	html_hidden(h, "alarm", id);
	html_raw(h, "<button>");
	html_text(h, html_say(h, "Üstlen", "Acknowledge"));
	html_raw(h, "</button></form>");
}

static void
write_alarm(struct html *h, const struct visit *v, const struct pg_result *rows, int i)
{
	size_t kind = kind_of(db_get_text(rows, i, ALARM_KIND));

	html_raw(h, "<li><p><b>");
	html_text(h, kind == ARRAY_LEN(kinds) ? db_get_text(rows, i, ALARM_KIND)
					      : kinds[kind].in[h->language]);
	html_raw(h, "</b> ");
	write_place(h, v, db_get_text(rows, i, ALARM_ABOUT));
	html_raw(h, "<span class=\"mark\">");
	write_value(h, kind, db_get_int(rows, i, ALARM_VALUE));
	html_raw(h, "</span> <span class=\"second\">");
	html_time(h, db_get_int(rows, i, ALARM_RAISED), true);
	if (!db_is_null(rows, i, ALARM_ENDED)) {
		html_raw(h, " – ");
		html_time(h, db_get_int(rows, i, ALARM_ENDED), true);
	}
	html_raw(h, "</span></p>\n");
	write_acknowledging(h, v, rows, i);
	html_raw(h, "</li>\n");
}

static void
on_list(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	struct html h;

	if (reply->outcome != DB_COMMITTED) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	page_open(&h, v, v->language == CATALOGUE_EN ? "Alarms" : "Alarmlar");
	if (http_query(v->req, "done", NULL) != NULL) {
		html_raw(&h, "<p class=\"notice\" role=\"status\">");
		html_text(
		    &h, html_say(&h, "Alarmı üstlendiniz.", "You have acknowledged the alarm."));
		html_raw(&h, "</p>\n");
	}
	html_raw(&h, "<p class=\"second\">");
	html_text(
	    &h, html_say(&h, "Canlı panonun alarmları: açık olanlar ve son yedi günde bitenler.",
		    "Alarms of the live board: those that are open, and those that have ended in "
		    "the last seven days."));
	html_raw(&h, "</p>\n");
	if (db_rows(rows) == 0)
		html_element(&h, "p", "empty", html_say(&h, "Yok.", "None."));
	html_raw(&h, "<ul class=\"triage\">\n");
	for (int i = 0; i < db_rows(rows); i++)
		write_alarm(&h, v, rows, i);
	html_raw(&h, "</ul>\n");
	page_reply(&h, v, 200);
}

static void
known_list(void *arg, struct http_request *req, const struct person *who)
{
	struct visit *v = visit_begin(arg, req, who, PAGE_OPERATOR, sizeof(*v), NULL);

	if (v == NULL)
		return;
	struct db *db = v->desk->world.reader;
	struct db_unit *unit = db_unit_create(db);
	db_unit_add(unit, DESK_ALARMS);
	db_add_int8(unit, clock_now_us() - SHOWN_US);
	db_add_int8(unit, ALARM_ROWS);
	if (db_submit(db, unit, on_list, v))
		return;
	db_unit_destroy(unit);
	page_say(v, 503, WORD_AWAY);
}

void
desk_get_alarms(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, OPERATORS, known_list, arg);
}

/* --- acknowledging ---------------------------------------------------------------------------- */

static void
on_acknowledged(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	char path[DESK_PATH_BYTES];

	if (reply->outcome != DB_COMMITTED) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	if (!db_get_bool(reply->results[0], 0, 0)) {
		page_say(v, 409, WORD_DECIDED_ALREADY);
		return;
	}
	log_info("alarm acknowledged user=%s alarm=%s", v->who.name,
	    log_quoted(http_form(v->req, "alarm", NULL)));
	(void)snprintf(path, sizeof(path), "/desk/alarms?lang=%s&done=1",
	    catalogue_language_name(v->language));
	page_go(v, path);
}

static void
known_acknowledging(void *arg, struct http_request *req, const struct person *who)
{
	struct visit *v = visit_begin(arg, req, who, PAGE_OPERATOR, sizeof(*v), NULL);
	const char *alarm = http_form(req, "alarm", NULL);

	if (v == NULL)
		return;
	if (alarm == NULL || alarm[0] == '\0' || strlen(alarm) > ID_DIGITS
	    || alarm[strspn(alarm, "0123456789")] != '\0') {
		page_say(v, 422, WORD_NO_ALARM);
		return;
	}
	struct db *db = v->desk->world.writer;
	struct db_unit *unit = db_unit_create(db);
	db_unit_add(unit, STORE_ACKNOWLEDGE);
	db_add_int8(unit, strtoll(alarm, NULL, 10));
	db_add_text(unit, v->who.name);
	db_add_int8(unit, clock_now_us());
	if (db_submit(db, unit, on_acknowledged, v))
		return;
	db_unit_destroy(unit);
	page_say(v, 503, WORD_AWAY);
}

void
desk_post_alarms(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, OPERATORS, known_acknowledging, arg);
}
