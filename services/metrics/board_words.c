/* The board's words, and how it writes numbers. */
#include "board_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

struct word {
	const char *in[CATALOGUE_LANGUAGES];
};

static const struct word alarms[ALARM_KINDS] = {
	[ALARM_WAIT] = { { "Bekleyen çağrı", "A call waits" } },
	[ALARM_LEVEL] = { { "Hizmet düzeyi düşük", "Service level is low" } },
	[ALARM_CIMER] = { { "CİMER yasal süresi geçti", "Legal deadline of CİMER passed" } },
	[ALARM_OVERDUE] = { { "Geciken iş çok", "Too much is late" } },
	[ALARM_TRIAGE] = { { "Birime verilmemiş başvuru", "A ticket without a department" } },
	[ALARM_SURGE] = { { "Yoğunlaşan bildirim", "Surge of reports" } },
};
static const struct word targets[] = {
	[TARGET_MET] = { { "hedefte", "on target" } },
	[TARGET_NEAR] = { { "sınırda", "close to the limit" } },
	[TARGET_MISSED] = { { "hedef dışı", "off target" } },
};
static const struct word values[HISTORY_VALUES] = {
	[HISTORY_OPEN] = { { "Açık", "Open" } },
	[HISTORY_OVERDUE] = { { "Süresi geçen", "Overdue" } },
	[HISTORY_OPENED] = { { "Gelen (saatte)", "Opened (an hour)" } },
	[HISTORY_ENDED] = { { "Sonuçlanan (saatte)", "Ended (an hour)" } },
	[HISTORY_OFFERED] = { { "Çağrı (saatte)", "Calls (an hour)" } },
	[HISTORY_ANSWERED] = { { "Yanıtlanan (saatte)", "Answered (an hour)" } },
	[HISTORY_ABANDONED] = { { "Kaçan (saatte)", "Abandoned (an hour)" } },
	[HISTORY_WAITING] = { { "Bekleyen çağrı", "Calls waiting" } },
	[HISTORY_LEVEL] = { { "Hizmet düzeyi", "Service level" } },
};
static const struct word spans[HISTORY_SPANS] = {
	[HISTORY_DAY] = { { "Gün", "Day" } },
	[HISTORY_WEEK] = { { "Hafta", "Week" } },
	[HISTORY_MONTH] = { { "Ay", "Month" } },
};
static const struct {
	const char *name;
	struct word word;
} names[] = {
	{ "opened", { { "Alındı", "Received" } } },
	{ "triage", { { "Triyaj", "Triage" } } },
	{ "routed", { { "Yönlendirildi", "Routed" } } },
	{ "accepted", { { "İnceleniyor", "Examined" } } },
	{ "in_progress", { { "İşlemde", "In progress" } } },
	{ "waiting", { { "Beklemede", "Waiting" } } },
	{ "resolved", { { "Çözüldü", "Resolved" } } },
	{ "rejected", { { "Reddedildi", "Rejected" } } },
	{ "forwarded", { { "Kurum dışı", "Forwarded" } } },
	{ "duplicate", { { "Mükerrer", "Duplicate" } } },
	{ "withdrawn", { { "Vazgeçildi", "Withdrawn" } } },
	{ "call", { { "Telefon", "Phone" } } },
	{ "web", { { "Web", "Web" } } },
	{ "open311", { { "Open311", "Open311" } } },
	{ "email", { { "E-posta", "E-mail" } } },
	{ "cimer", { { "CİMER", "CİMER" } } },
	{ "desk", { { "Masa", "Desk" } } },
	{ "bus", { { "Sistemler", "Systems" } } },
	{ "sms", { { "SMS", "SMS" } } },
	{ "other", { { "Diğer", "Other" } } },
};

const char *
board_alarm_word(enum alarm_kind kind, enum catalogue_language language)
{
	return alarms[kind].in[language];
}

const char *
board_target_word(enum target_state state, enum catalogue_language language)
{
	return targets[state].in[language];
}

const char *
board_value_word(enum history_value value, enum catalogue_language language)
{
	return values[value].in[language];
}

const char *
board_span_word(enum history_span span, enum catalogue_language language)
{
	return spans[span].in[language];
}

const char *
board_name_word(const char *name, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].word.in[language];
	return name;
}

void
board_number(int64_t n, enum catalogue_language language, char out[BOARD_TEXT_BYTES])
{
	char digits[24];
	size_t len, to = 0;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, n < 0 ? -n : n);
	len = strlen(digits);
	if (n < 0)
		out[to++] = '-';
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[to++] = language == CATALOGUE_EN ? ',' : '.';
		out[to++] = digits[i];
	}
	out[to] = '\0';
}

void
board_percent(int64_t tenths, enum catalogue_language language, char out[BOARD_TEXT_BYTES])
{
	if (language == CATALOGUE_EN)
		(void)snprintf(
		    out, BOARD_TEXT_BYTES, "%" PRId64 ".%" PRId64 "%%", tenths / 10, tenths % 10);
	else
		(void)snprintf(
		    out, BOARD_TEXT_BYTES, "%%%" PRId64 ",%" PRId64, tenths / 10, tenths % 10);
}

void
board_span(int64_t seconds, enum catalogue_language language, char out[BOARD_TEXT_BYTES])
{
	static const struct {
		int64_t seconds;
		struct word word;
	} units[] = { { 86400, { { "g", "d" } } }, { 3600, { { "sa", "h" } } },
		{ 60, { { "dk", "min" } } }, { 1, { { "sn", "s" } } } };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && seconds < units[i].seconds)
		i++;
	int len = snprintf(out, BOARD_TEXT_BYTES, "%" PRId64 " %s", seconds / units[i].seconds,
	    units[i].word.in[language]);
	if (i + 1 < ARRAY_LEN(units) && len > 0 && len < BOARD_TEXT_BYTES)
		(void)snprintf(out + len, BOARD_TEXT_BYTES - (size_t)len, " %" PRId64 " %s",
		    seconds % units[i].seconds / units[i + 1].seconds,
		    units[i + 1].word.in[language]);
}

bool
board_place(const struct catalogue *catalogue, const char *about, enum catalogue_language language,
    char out[BOARD_PLACE_BYTES])
{
	char code[FIGURE_NAME_SIZE];
	const char *slash = strchr(about, '/');

	if (slash == NULL)
		return false;
	(void)snprintf(code, sizeof(code), "%.*s", (int)(slash - about), about);
	const struct catalogue_neighbourhood *n = catalogue == NULL
						      ? NULL
						      : catalogue_neighbourhood(catalogue, code);
	const struct catalogue_subject *s = catalogue == NULL
						? NULL
						: catalogue_subject(catalogue, slash + 1);
	(void)snprintf(out, BOARD_PLACE_BYTES, "%s: %s", n == NULL ? code : n->name,
	    s == NULL ? slash + 1 : s->name.in[language]);
	return true;
}

void
board_alarm_value(enum alarm_kind kind, int64_t value, enum catalogue_language language,
    char out[BOARD_TEXT_BYTES])
{
	if (kind == ALARM_WAIT)
		board_span(value, language, out);
	else if (kind == ALARM_TRIAGE)
		board_span(value * 60, language, out);
	else if (kind == ALARM_LEVEL || kind == ALARM_OVERDUE)
		board_percent(value, language, out);
	else
		board_number(value, language, out);
}
