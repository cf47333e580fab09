/* masa template: what a citizen reads, before they do. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "compose.h"
#include "extension.h"
#include "frame.h"
#include "gsm.h"
#include "message_html.h"
#include "masa.h"
#include "number.h"
#include "survey_link.h"
#include "viewed.h"

static enum exit_code template_show(struct masa *m, int argc, char **argv);

const struct command template_commands[] = {
	{ "template", "show", "EVENT --ticket N [--channel C] [--language L] [--html]",
	    "the message about that ticket; EVENT: received, routed, answered, extended, resolved, "
	    "rejected, forwarded, reopened, survey, survey_reminder",
	    template_show },
	{ 0 },
};

enum { EVENT_BYTES_MAX = 64 * 1024 };

/* The person, where the ticket stands, and the last record that the event tells of. */
static const char ticket_sql[] =
    "SELECT t.ticket_id, c.name, c.phone, c.email, c.language, "
    "coalesce(s.subject_code, t.subject_code), t.recorded_us, coalesce(s.status, 1), "
    "coalesce(s.department, ''), coalesce(s.legal_due_us, 0), coalesce(s.service_due_us, 0), "
    "e.seq, encode(e.event, 'hex') FROM turunc.ticket t "
    "LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "
    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
    "LEFT JOIN LATERAL (SELECT l.seq, l.event FROM turunc.event_log l "
    "WHERE l.ticket_id = t.ticket_id AND l.type = $2 ORDER BY l.seq DESC LIMIT 1) e ON true "
    "WHERE t.ticket_id = coalesce((SELECT a.ticket_id FROM turunc.ticket_alias a "
    "WHERE a.alias_id = $1), $1)";

enum column {
	C_TICKET,
	C_NAME,
	C_PHONE,
	C_EMAIL,
	C_LANGUAGE,
	C_SUBJECT,
	C_RECORDED,
	C_STATUS,
	C_DEPARTMENT,
	C_LEGAL_DUE,
	C_SERVICE_DUE,
	C_SEQ,
	C_EVENT
};

struct showing {
	const char *event, *type, *channel, *language;
	bool html;
	char ticket[24]; /* ticket_id */
	struct catalogue *catalogue;
	PGresult *rows;
	struct news news;
	bool from_record; /* it happened; else the news are made up of where the ticket stands */
	char *answer; /* may be NULL */
	struct message message; /* large */
};

static int64_t
number_at(const struct showing *s, enum column column)
{
	return strtoll(PQgetvalue(s->rows, 0, (int)column), NULL, 10);
}

/* --- what it needs ---------------------------------------------------------------------------- */

static enum exit_code
load_catalogue(struct masa *m, struct showing *s)
{
	struct catalogue_report *report = calloc(1, sizeof(*report));
	struct bundle bundle;
	char version[24];

	bundle_init(&bundle);
	enum exit_code code = report == NULL
				  ? masa_fail(MASA_FAILED, "out of memory")
				  : masa_load_active(m, &bundle, version, sizeof(version));
	if (code == MASA_OK && version[0] == '\0')
		code = masa_fail(MASA_CONFIG, "no configuration is in force (masa config apply)");
	if (code == MASA_OK && (s->catalogue = catalogue_parse(&bundle, report)) == NULL)
		code = masa_fail(MASA_CONFIG, "the configuration in force is not valid");
	bundle_finish(&bundle);
	free(report);
	return code;
}

static enum exit_code
load_ticket(struct masa *m, struct showing *s, const char *number)
{
	const char *values[] = { s->ticket, s->type };

	enum exit_code code = masa_query(m, ticket_sql, 2, values, &s->rows);
	if (code == MASA_OK && PQntuples(s->rows) == 0)
		code = masa_fail(MASA_NOT_FOUND, "there is no ticket %s", number);
	if (code != MASA_OK)
		return code;
	/* The number asked for may be another name of it. */
	snprintf(s->ticket, sizeof(s->ticket), "%.20s", PQgetvalue(s->rows, 0, C_TICKET));
	char array[32];
	snprintf(array, sizeof(array), "{%s}", s->ticket);
	return viewed_note(m, array, "template show");
}

static enum exit_code
read_record(struct showing *s)
{
	const char *hex = PQgetvalue(s->rows, 0, C_EVENT);
	unsigned char *data = malloc(EVENT_BYTES_MAX);
	struct frame *frame = NULL;
	enum news_kind kind = NEWS_NO_MEMORY;
	size_t len = 0;

	if (data != NULL
	    && sodium_hex2bin(data, EVENT_BYTES_MAX, hex, strlen(hex), NULL, &len, NULL) == 0
	    && frame_unpack(&turunc__v1__event__descriptor, data, len, &frame, NULL) == FRAME_OK)
		kind = news_of((const Turunc__V1__Event *)frame_message(frame),
		    (uint64_t)number_at(s, C_SEQ), &s->news);
	frame_destroy(frame);
	free(data);
	s->from_record = kind == NEWS_TOLD;
	return s->from_record ? MASA_OK
			      : masa_fail(MASA_FAILED, "its record %s cannot be read",
				  PQgetvalue(s->rows, 0, C_SEQ));
}

/* It has not happened to this ticket: as if it did now, with the first reason and institution. */
static enum exit_code
make_news(struct showing *s)
{
	const struct catalogue *cat = s->catalogue;
	int64_t legal = number_at(s, C_LEGAL_DUE), service = number_at(s, C_SERVICE_DUE);
	const char *reason = cat->closure_reason_count > 0 ? cat->closure_reasons[0].code : "";
	if (strcmp(s->event, "extended") == 0)
		reason = extension_reason_at(0)->code;
	const char *institution = cat->institution_count > 0 ? cat->institutions[0].code : "";

	s->news = (struct news){ .ticket_id = number_at(s, C_TICKET),
		.event = s->event,
		.type = s->type,
		.department = strdup(PQgetvalue(s->rows, 0, C_DEPARTMENT)),
		.reason_code = strdup(reason),
		.institution = strdup(institution),
		.reference = strdup(""),
		.due_us = legal != 0 && (service == 0 || legal < service) ? legal - 1 : service,
		.status = (int)number_at(s, C_STATUS) };
	return s->news.department != NULL && s->news.reason_code != NULL
		       && s->news.institution != NULL && s->news.reference != NULL
		   ? MASA_OK
		   : masa_fail(MASA_FAILED, "out of memory");
}

static enum exit_code
load_answer(struct masa *m, struct showing *s)
{
	char id[UUID_TEXT_SIZE];
	PGresult *rows;

	if (uuid_is_nil(&s->news.text_id))
		return MASA_OK;
	uuid_format(&s->news.text_id, id);
	const char *values[] = { id };
	enum exit_code code = masa_query(m,
	    "SELECT body FROM turunc.ticket_text WHERE text_id = $1::uuid "
	    "AND kind IN ('answer', 'closing')",
	    1, values, &rows);
	if (code != MASA_OK)
		return code;
	if (PQntuples(rows) == 1)
		s->answer = strdup(PQgetvalue(rows, 0, 0));
	PQclear(rows);
	return MASA_OK;
}

/* --- the words -------------------------------------------------------------------------------- */

/* Who has the link can answer in the citizen's place: as long as a true one, so that an SMS takes
 * as many parts. */
static const char hidden_token[] = "********************************";
_Static_assert(sizeof(hidden_token) == SURVEY_LINK_SIZE, "as long as a token");

static enum exit_code
write_message(struct showing *s)
{
	const struct person person = { .ticket_id = number_at(s, C_TICKET),
		.name = PQgetvalue(s->rows, 0, C_NAME),
		.phone = PQgetvalue(s->rows, 0, C_PHONE),
		.email = PQgetvalue(s->rows, 0, C_EMAIL),
		.language = s->language != NULL ? s->language : PQgetvalue(s->rows, 0, C_LANGUAGE),
		.subject_code = PQgetvalue(s->rows, 0, C_SUBJECT),
		.recorded_us = number_at(s, C_RECORDED),
		.survey_token = hidden_token,
		.stop_token = hidden_token };
	const char *answer = s->answer != NULL ? s->answer : "";

	enum compose_result result =
	    s->channel != NULL
		? compose_words(s->catalogue, &s->news, &person, answer, s->channel, &s->message)
		: compose(s->catalogue, &s->news, &person, answer, &s->message);
	switch (result) {
	case COMPOSED:
		return MASA_OK;
	case COMPOSE_NOBODY:
		return masa_fail(MASA_NOT_FOUND,
		    "nobody is told: no e-mail address and no mobile number (see --channel)");
	case COMPOSE_NO_TEMPLATE:
		return masa_fail(
		    MASA_NOT_FOUND, "nobody is told: there is no template of %s", s->event);
	case COMPOSE_TOO_LONG:
	default:
		return masa_fail(MASA_FAILED, "the text does not fit");
	}
}

static json_t *
describe(const struct showing *s)
{
	const struct message *msg = &s->message;
	char number[NUMBER_SIZE] = "";

	if (!number_format(number_at(s, C_TICKET), number))
		number[0] = '\0';
	json_t *all = json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "event", s->event, "ticket", number,
	    "channel", msg->channel, "language", msg->language, "discreet",
	    catalogue_is_special(s->catalogue, PQgetvalue(s->rows, 0, C_SUBJECT)), "happened",
	    s->from_record);
	if (strcmp(msg->channel, "sms") == 0) {
		struct sms_size size;
		sms_measure(msg->body, strlen(msg->body), SMS_AUTO, GSM_OF_GATEWAY, &size);
		json_object_set_new(all, "coding", json_string(gsm_coding_name(size.coding)));
		json_object_set_new(all, "units", json_integer((json_int_t)size.units));
		json_object_set_new(all, "parts", json_integer((json_int_t)size.parts));
	} else {
		json_object_set_new(all, "subject", json_string(msg->subject));
	}
	json_object_set_new(all, "text", json_string(msg->body));
	return all;
}

static enum exit_code
print_html(struct masa *m, const struct showing *s)
{
	const struct message_html mail = { .language = s->message.language,
		.title = s->message.subject,
		.sender = s->catalogue->municipality.name,
		.body = s->message.body,
		.base_url = s->catalogue->municipality.base_url };
	size_t size = 0;

	if (strcmp(s->message.channel, "email") != 0)
		return masa_fail(MASA_USAGE, "--html is of an e-mail (see --channel)");
	char *html = message_html_make(&mail, &size);
	if (html == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	if (m->json) {
		json_t *all = describe(s);
		json_object_set_new(all, "html", json_stringn(html, size));
		masa_print(m, all);
	} else {
		fputs(html, stdout);
	}
	free(html);
	return MASA_OK;
}

static enum exit_code
show(struct masa *m, struct showing *s, const char *number)
{
	enum exit_code code = load_catalogue(m, s);

	if (code == MASA_OK)
		code = load_ticket(m, s, number);
	if (code == MASA_OK)
		code = PQgetisnull(s->rows, 0, C_EVENT) ? make_news(s) : read_record(s);
	if (code == MASA_OK)
		code = load_answer(m, s);
	if (code == MASA_OK)
		code = write_message(s);
	if (code != MASA_OK)
		return code;
	if (s->html)
		return print_html(m, s);
	if (m->json) {
		masa_print(m, describe(s));
		return MASA_OK;
	}
	/* As it is read: the text is not to be indented. */
	json_t *head = describe(s);
	json_object_del(head, "text");
	masa_print(m, head);
	printf("\n%s\n", s->message.body);
	return MASA_OK;
}

static enum exit_code
template_show(struct masa *m, int argc, char **argv)
{
	static const char *const channels[] = { "email", "sms" };
	const char *ticket = NULL, *channel = NULL, *language = NULL;
	bool html = false;
	const struct option_spec specs[] = { { "ticket", &ticket, NULL },
		{ "channel", &channel, NULL }, { "language", &language, NULL },
		{ "html", NULL, &html } };
	enum catalogue_language known;
	int64_t ticket_id;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (ticket == NULL || number_parse_typed(ticket, &ticket_id) != NUMBER_OK)
		return masa_fail(MASA_USAGE, "--ticket takes a ticket number (like 26-0012345-4)");
	if (news_type_of(argv[0]) == NULL)
		return masa_fail(
		    MASA_USAGE, "%s is no event that is told (see masa --help)", argv[0]);
	if (channel != NULL && !masa_word_is_among(channel, channels, ARRAY_LEN(channels)))
		return masa_fail(MASA_USAGE, "--channel is email or sms");
	if (language != NULL && !catalogue_language_parse(language, &known))
		return masa_fail(MASA_USAGE, "--language is tr or en");
	struct showing *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	s->event = argv[0];
	s->type = news_type_of(argv[0]);
	s->channel = channel == NULL ? NULL : channels[strcmp(channel, "sms") == 0];
	s->language = language;
	s->html = html;
	snprintf(s->ticket, sizeof(s->ticket), "%" PRId64, ticket_id);
	code = show(m, s, ticket);
	PQclear(s->rows);
	news_finish(&s->news);
	catalogue_destroy(s->catalogue);
	free(s->answer);
	free(s);
	return code;
}
