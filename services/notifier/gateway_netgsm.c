/* Netgsm, REST v2: Basic authentication, codes in the answer, reports asked for. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "gsm.h"
#include "istanbul.h"

enum { WINDOW_BEFORE_US = 120 * 1000000, WINDOW_AFTER_US = 600 * 1000000, MINUTE_SIZE = 64 };

/* Ten digits for a mobile of Türkiye, the international prefix for others. */
static void
number_for(const char *e164, char *out, size_t size)
{
	if (strncmp(e164, "+90", 3) == 0)
		snprintf(out, size, "%s", e164 + 3);
	else
		snprintf(out, size, "00%s", e164 + 1);
}

static bool
same_number(const char *a, const char *b)
{
	size_t left = strlen(a), right = strlen(b);

	return left >= 10 && right >= 10 && strcmp(a + left - 10, b + right - 10) == 0;
}

static const char *
encoding_of(const char *text)
{
	size_t units, parts;

	if (gsm_measure(text, strlen(text), GSM_DEFAULT, &units, &parts))
		return "";
	return gsm_measure(text, strlen(text), GSM_SINGLE, &units, &parts) ? "TR" : "UCS2";
}

static bool
request(const struct gateway *g, const struct gateway_text *text, struct gateway_request *ret)
{
	char number[40];

	number_for(text->to, number, sizeof(number));
	/* iysfilter 0: about the citizen's own application, not commercial. */
	json_t *document = json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s}]}", "msgheader", text->from,
	    "encoding", encoding_of(text->text), "iysfilter", "0", "appname", "turunc", "messages",
	    "msg", text->text, "no", number);
	return gateway_fill(ret, gateway_url(g, "/sms/rest/v2/send"), document)
	       && (ret->authorization = gateway_basic(g->user, g->password)) != NULL;
}

/* Codes of Netgsm's answer to a message. */
static const struct {
	const char *code;
	enum outcome outcome;
} codes[] = {
	{ "13", OUTCOME_DUPLICATE }, { "20", OUTCOME_REFUSED }, /* the text, or its length */
	{ "30", OUTCOME_UNREACHABLE }, /* user, password, or our address is not allowed */
	{ "40", OUTCOME_UNREACHABLE }, /* the sender's title is not registered */
	{ "50", OUTCOME_UNREACHABLE }, /* our subscription's IYS settings */
	{ "51", OUTCOME_UNREACHABLE }, { "70", OUTCOME_REFUSED }, /* a parameter */
	{ "80", OUTCOME_DEFERRED }, /* too much in too little time */
	{ "85", OUTCOME_DEFERRED }, /* twenty to one number within a minute */
};

static void
answered(long status, const char *body, size_t len, struct gateway_answer *ret)
{
	json_t *said = json_loadb(body, len, 0, NULL);

	gateway_text_of(json_object_get(said, "code"), ret->code, sizeof(ret->code));
	gateway_text_of(json_object_get(said, "jobid"), ret->reference, sizeof(ret->reference));
	json_decref(said);
	if (ret->code[0] == '\0') {
		ret->outcome = gateway_status_outcome(status);
		return;
	}
	ret->outcome = OUTCOME_UNKNOWN; /* 100 and 101: its own fault, at whatever point */
	if (strcmp(ret->code, "00") == 0 && ret->reference[0] != '\0')
		ret->outcome = OUTCOME_ACCEPTED;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(ret->code, codes[i].code) == 0)
			ret->outcome = codes[i].outcome;
}

static void
minute_text(int64_t at_us, char out[MINUTE_SIZE])
{
	struct istanbul_time t = istanbul_split(at_us);

	snprintf(
	    out, MINUTE_SIZE, "%02d%02d%04d%02d%02d", t.day, t.month, t.year, t.hour, t.minute);
}

/* Without its job there is only the time to ask by. */
static bool
ask(const struct gateway *g, const struct gateway_question *q, struct gateway_request *ret)
{
	char from[MINUTE_SIZE], to[MINUTE_SIZE];
	json_t *document;

	if (q->reference[0] != '\0') {
		document = json_pack("{s:[s],s:s}", "jobids", q->reference, "appname", "turunc");
	} else {
		minute_text(q->begun_us - WINDOW_BEFORE_US, from);
		minute_text(q->begun_us + WINDOW_AFTER_US, to);
		document = json_pack(
		    "{s:s,s:s,s:s}", "startdate", from, "stopdate", to, "appname", "turunc");
	}
	return gateway_fill(ret, gateway_url(g, "/sms/rest/v2/report"), document)
	       && (ret->authorization = gateway_basic(g->user, g->password)) != NULL;
}

static enum gateway_status
status_of(const char *code)
{
	if (strcmp(code, "0") == 0)
		return GATEWAY_WAITING;
	if (strcmp(code, "1") == 0)
		return GATEWAY_DELIVERED;
	if (strcmp(code, "13") == 0)
		return GATEWAY_DUPLICATE;
	for (const char *const *c =
		 (const char *const[]){ "2", "3", "4", "11", "12", "14", "15", "16", "17", NULL };
	     *c != NULL; c++)
		if (strcmp(code, *c) == 0)
			return GATEWAY_UNDELIVERED;
	return GATEWAY_SAYS_NOTHING;
}

static void
read_job(const json_t *job, struct gateway_report *r)
{
	gateway_text_of(json_object_get(job, "jobid"), r->reference, sizeof(r->reference));
	gateway_text_of(json_object_get(job, "status"), r->code, sizeof(r->code));
	r->status = status_of(r->code);
}

static void
told(long status, const char *body, size_t len, const struct gateway_question *q,
    struct gateway_report *ret)
{
	json_t *said = json_loadb(body, len, 0, NULL);
	const json_t *jobs = json_object_get(said, "jobs");
	char code[8], number[40];
	size_t found = 0;

	(void)status;
	gateway_text_of(json_object_get(said, "code"), code, sizeof(code));
	for (size_t i = 0; strcmp(code, "00") == 0 && i < json_array_size(jobs); i++) {
		const json_t *job = json_array_get(jobs, i);
		struct gateway_report report = { 0 };
		read_job(job, &report);
		gateway_text_of(json_object_get(job, "telno"), number, sizeof(number));
		if (number[0] == '\0')
			gateway_text_of(json_object_get(job, "number"), number, sizeof(number));
		if (q->reference[0] != '\0' ? strcmp(report.reference, q->reference) != 0
					    : !same_number(number, q->to))
			continue;
		*ret = report;
		found++;
	}
	/* Two to that number about that time: which of them is ours, it cannot say. */
	if (q->reference[0] == '\0' && (found > 1 || (found == 1 && q->others > 0)))
		ret->status = GATEWAY_SAYS_NOTHING;
	if (found == 0 && q->reference[0] == '\0'
	    && (strcmp(code, "60") == 0 || (strcmp(code, "00") == 0 && json_is_array(jobs))))
		ret->status = GATEWAY_NOT_TAKEN;
	json_decref(said);
}

/* A job's report, or a row of the inbox. */
static bool
read_callback(const json_t *element, struct gateway_news *n)
{
	n->text = json_string_value(json_object_get(element, "msg"));
	if (n->text != NULL) {
		n->incoming = true;
		gateway_text_of(json_object_get(element, "no"), n->sender, sizeof(n->sender));
		gateway_key_of(json_object_get(element, "id"), n->key);
		return n->sender[0] != '\0';
	}
	read_job(element, &n->report);
	return n->report.reference[0] != '\0' && n->report.status != GATEWAY_SAYS_NOTHING;
}

const struct gateway_profile gateway_netgsm = {
	.name = "netgsm",
	.per_minute = 600,
	.asks_per_minute = 10,
	.request = request,
	.answered = answered,
	.ask = ask,
	.told = told,
	.read = read_callback,
	.elements = "jobs",
};
