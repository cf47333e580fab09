/* Decides what is told, by which channel, and writes the words. */
#include "compose.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension.h"
#include "istanbul.h"
#include "mail_address.h"
#include "number.h"
#include "phone.h"
#include "salutation.h"
#include "status_words.h"
#include "survey_link.h"
#include "template.h"

/* The records that citizens hear of, and what the templates call them. */
static const struct told {
	const char *type;
	Turunc__V1__Event__BodyCase body;
	const char *event;
	struct catalogue_text status; /* "": the ticket goes on as it was, in the step's own word */
	bool ends;
} tellings[] = {
	{ "ticket.opened", TURUNC__V1__EVENT__BODY_OPENED, "received", { { "Alındı", "Received" } },
	    false },
	{ "ticket.routed", TURUNC__V1__EVENT__BODY_STEP, "routed",
	    { { "Yönlendirildi", "Passed on" } }, false },
	{ "ticket.answered", TURUNC__V1__EVENT__BODY_STEP, "answered", { { "", "" } }, false },
	{ "ticket.extended", TURUNC__V1__EVENT__BODY_STEP, "extended", { { "", "" } }, false },
	{ "ticket.resolved", TURUNC__V1__EVENT__BODY_STEP, "resolved",
	    { { "Çözüldü", "Resolved" } }, true },
	{ "ticket.rejected", TURUNC__V1__EVENT__BODY_STEP, "rejected",
	    { { "Reddedildi", "Rejected" } }, true },
	{ "ticket.forwarded", TURUNC__V1__EVENT__BODY_STEP, "forwarded",
	    { { "Kurum dışı iletildi", "Forwarded" } }, true },
	{ "ticket.reopened", TURUNC__V1__EVENT__BODY_STEP, "reopened",
	    { { "Yeniden açıldı", "Reopened" } }, false },
	{ NEWS_SURVEY_INVITED, TURUNC__V1__EVENT__BODY_SURVEY, "survey", { { "", "" } }, false },
	{ NEWS_SURVEY_REMINDED, TURUNC__V1__EVENT__BODY_SURVEY, "survey_reminder", { { "", "" } },
	    false },
};

size_t
news_types(const char **ret_types, size_t max)
{
	for (size_t i = 0; i < ARRAY_LEN(tellings) && i < max; i++)
		ret_types[i] = tellings[i].type;
	return ARRAY_LEN(tellings);
}

const char *
news_type_of(const char *event)
{
	for (size_t i = 0; i < ARRAY_LEN(tellings); i++)
		if (strcmp(tellings[i].event, event) == 0)
			return tellings[i].type;
	return NULL;
}

static const struct told *
told_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(tellings); i++)
		if (strcmp(tellings[i].type, type) == 0)
			return &tellings[i];
	return NULL;
}

/* When people may expect it.  A legal period ends at the midnight that ends its last day, and
 * people call it by that day. */
static int64_t
earlier_due(const Turunc__V1__TicketStep *step)
{
	bool legal = step->legal_due_us != 0
		     && (step->service_due_us == 0 || step->legal_due_us < step->service_due_us);

	return legal ? step->legal_due_us - 1 : step->service_due_us;
}

enum news_kind
news_of(const Turunc__V1__Event *event, uint64_t seq, struct news *ret_news)
{
	const struct told *telling = told_of(event->type);
	struct news n = { .seq = seq };

	if (telling == NULL)
		return NEWS_NONE;
	if (number_parse(event->subject, &n.ticket_id) != NUMBER_OK
	    || event->body_case != telling->body)
		return NEWS_MISFIT;
	if (event->body_case == TURUNC__V1__EVENT__BODY_SURVEY
	    && !uuid_parse(
		event->survey->survey_id, strlen(event->survey->survey_id), &n.survey_id))
		return NEWS_MISFIT;
	n.event = telling->event;
	n.type = telling->type;
	const Turunc__V1__TicketStep *step = event->body_case == TURUNC__V1__EVENT__BODY_STEP
						 ? event->step
						 : NULL;
	n.department = strdup(step != NULL ? step->department : "");
	n.reason_code = strdup(step != NULL ? step->reason_code : "");
	n.institution = strdup(step != NULL ? step->institution : "");
	n.reference = strdup(step != NULL ? step->reference : "");
	if (step != NULL) {
		n.due_us = earlier_due(step);
		n.status = (int)step->status;
		if (step->text_id[0] != '\0'
		    && !uuid_parse(step->text_id, strlen(step->text_id), &n.text_id))
			memset(&n.text_id, 0, sizeof(n.text_id));
	}
	if (n.department == NULL || n.reason_code == NULL || n.institution == NULL
	    || n.reference == NULL) {
		news_finish(&n);
		return NEWS_NO_MEMORY;
	}
	*ret_news = n;
	return NEWS_TOLD;
}

void
news_finish(struct news *n)
{
	free(n->department);
	free(n->reason_code);
	free(n->institution);
	free(n->reference);
	memset(n, 0, sizeof(*n));
}

bool
news_ends(const struct news *n)
{
	const struct told *told = told_of(n->type);

	assert(told != NULL); /* else it would be no news */
	return told->ends;
}

static const char *
choose_channel(const struct person *person, char ret_recipient[COMPOSE_RECIPIENT_SIZE])
{
	struct phone phone;

	if (person->email[0] != '\0' && mail_address_valid(person->email)) {
		snprintf(ret_recipient, COMPOSE_RECIPIENT_SIZE, "%s", person->email);
		return "email";
	}
	if (phone_parse(person->phone, &phone) == PHONE_OK && phone.mobile) {
		snprintf(ret_recipient, COMPOSE_RECIPIENT_SIZE, "%s", phone.number);
		return "sms";
	}
	return NULL;
}

const char *
compose_channel(const struct person *person)
{
	char recipient[COMPOSE_RECIPIENT_SIZE];

	return choose_channel(person, recipient);
}

static void
day_text(int64_t at_us, char *out, size_t size)
{
	struct istanbul_time t;

	out[0] = '\0';
	if (at_us == 0)
		return;
	t = istanbul_split(at_us);
	snprintf(out, size, "%02d.%02d.%04d", t.day, t.month, t.year);
}

/* Where nothing is known, or nothing may be told. */
enum general {
	GENERAL_SUBJECT,
	GENERAL_DEPARTMENT,
	GENERAL_REASON,
	GENERAL_INSTITUTION,
	GENERAL_NAME
};

static const char *
general_word(enum general which, enum catalogue_language language)
{
	static const struct catalogue_text words[] = {
		[GENERAL_SUBJECT] = { { "Başvuru", "Your request" } },
		[GENERAL_DEPARTMENT] = { { "ilgili birim", "unit in charge" } },
		[GENERAL_REASON] = { { "kaydımızda belirtilmiştir", "stated in our records" } },
		[GENERAL_INSTITUTION] = { { "ilgili kurum", "institution in charge" } },
		[GENERAL_NAME] = { { "Yurttaşımız", "Citizen" } },
	};

	return catalogue_say(&words[which], language);
}

static const char *
or_code(const struct catalogue_text *name, enum catalogue_language language, const char *code)
{
	return name != NULL ? catalogue_say(name, language) : code;
}

/* Words of our own tables alone, which say nothing of the matter: a system on the bus may have
 * written another code. */
static const char *
extension_words(const char *code, enum catalogue_language language)
{
	const struct catalogue_reason *reason = extension_reason(code);

	return reason != NULL ? catalogue_say(&reason->name, language)
			      : general_word(GENERAL_REASON, language);
}

static const char *
status_of(const struct news *news, enum catalogue_language language)
{
	const char *word = catalogue_say(&told_of(news->type)->status, language);

	return word[0] != '\0' ? word : status_word(news->status, language);
}

/* What the matter is, for whom: of health and social aid nothing, where a screen or a mailbox may
 * be shared.  A department's, an institution's or a reason's name can tell as much as the
 * subject's. */
static void
tell_matter(const struct catalogue *cat, const struct news *news, const struct person *person,
    const char *answer, enum catalogue_language language, struct template_values *values)
{
	const struct catalogue_subject *subject = catalogue_subject(cat, person->subject_code);
	const struct catalogue_department *department = catalogue_department(cat, news->department);
	const struct catalogue_reason *reason = catalogue_closure_reason(cat, news->reason_code);
	const struct catalogue_institution *institution = catalogue_institution(
	    cat, news->institution);

	values->of[FIELD_SUBJECT] = subject != NULL ? catalogue_say(&subject->name, language)
						    : general_word(GENERAL_SUBJECT, language);
	values->of[FIELD_DEPARTMENT] = or_code(
	    department != NULL ? &department->name : NULL, language, news->department);
	values->of[FIELD_CLOSURE_REASON] = or_code(
	    reason != NULL ? &reason->name : NULL, language, news->reason_code);
	values->of[FIELD_INSTITUTION] = or_code(
	    institution != NULL ? &institution->name : NULL, language, news->institution);
	/* What was written to one caller is not for those joined to them. */
	values->of[FIELD_ANSWER] = person->ticket_id == news->ticket_id && !person->joined ? answer
											   : "";
	values->of[FIELD_REFERENCE] = news->reference;
}

static void
tell_generally(enum catalogue_language language, struct template_values *values)
{
	values->of[FIELD_SUBJECT] = general_word(GENERAL_SUBJECT, language);
	values->of[FIELD_DEPARTMENT] = general_word(GENERAL_DEPARTMENT, language);
	values->of[FIELD_CLOSURE_REASON] = general_word(GENERAL_REASON, language);
	values->of[FIELD_INSTITUTION] = general_word(GENERAL_INSTITUTION, language);
}

static bool
fill(const struct catalogue_template *template, const struct template_values *values,
    struct message *m)
{
	if (strcmp(m->channel, "sms") == 0) {
		char text[COMPOSE_SMS_SIZE];
		if (!template_fill(template->body, values, TEMPLATE_LINE, text, sizeof(text)))
			return false;
		sms_fold(template->sms_policy, text, strlen(text), m->body);
		return true;
	}
	bool fits = template_fill(template->body, values, TEMPLATE_TEXT, m->body, sizeof(m->body));
	return template_fill(
		   template->subject, values, TEMPLATE_LINE, m->subject, sizeof(m->subject))
	       && fits;
}

static enum compose_result
write_words(const struct catalogue *catalogue, const struct news *news, const struct person *person,
    const char *answer, enum catalogue_language language, struct message *m)
{
	const struct catalogue_municipality *municipality = &catalogue->municipality;
	char number[NUMBER_SIZE], today[16], due[16], link[600], survey_link[600], stop_link[600];
	struct template_values values = { 0 };
	bool special = catalogue_is_special(catalogue, person->subject_code);
	const struct catalogue_template *template = catalogue_template(
	    catalogue, news->event, m->channel, language, special);

	if (template == NULL)
		return COMPOSE_NO_TEMPLATE;
	if (!number_format(person->ticket_id, number))
		return COMPOSE_TOO_LONG;
	day_text(person->recorded_us, today, sizeof(today));
	day_text(news->due_us, due, sizeof(due));
	if (snprintf(link, sizeof(link), "%s/?no=%s", municipality->base_url, number)
		>= (int)sizeof(link)
	    || snprintf(survey_link, sizeof(survey_link), "%s" SURVEY_LINK_PATH "%s",
		   municipality->base_url, person->survey_token != NULL ? person->survey_token : "")
		   >= (int)sizeof(survey_link)
	    || snprintf(stop_link, sizeof(stop_link), "%s" SURVEY_STOP_PATH "%s",
		   municipality->base_url, person->stop_token != NULL ? person->stop_token : "")
		   >= (int)sizeof(stop_link))
		return COMPOSE_TOO_LONG;
	values.of[FIELD_SURVEY_LINK] = survey_link;
	values.of[FIELD_SURVEY_STOP_LINK] = stop_link;
	values.of[FIELD_SMS_REPLY_TO] = municipality->sms_reply_to;
	values.of[FIELD_SMS_KEYWORD] = municipality->sms_keyword;
	values.of[FIELD_NUMBER] = number;
	values.of[FIELD_STATUS] = status_of(news, language);
	values.of[FIELD_LINK] = link;
	values.of[FIELD_MUNICIPALITY] = municipality->name;
	values.of[FIELD_PHONE] = municipality->phone;
	values.of[FIELD_DATE] = today;
	values.of[FIELD_DUE_DATE] = due[0] != '\0' ? due : "–";
	values.of[FIELD_NAME] = !person->unproven && salutation_is_name(person->name)
				    ? person->name
				    : general_word(GENERAL_NAME, language);
	values.of[FIELD_REASON] = extension_words(news->reason_code, language);
	if (special)
		tell_generally(language, &values);
	else
		tell_matter(catalogue, news, person, answer, language, &values);
	return fill(template, &values, m) ? COMPOSED : COMPOSE_TOO_LONG;
}

enum compose_result
compose_words(const struct catalogue *catalogue, const struct news *news,
    const struct person *person, const char *answer, const char *channel, struct message *m)
{
	enum catalogue_language language;

	if (!catalogue_language_parse(person->language, &language))
		language = catalogue->municipality.default_language;
	m->channel = channel;
	m->language = catalogue_language_name(language);
	m->recipient[0] = m->subject[0] = m->body[0] = '\0';
	return write_words(catalogue, news, person, answer, language, m);
}

enum compose_result
compose(const struct catalogue *catalogue, const struct news *news, const struct person *person,
    const char *answer, struct message *m)
{
	char recipient[COMPOSE_RECIPIENT_SIZE];
	const char *channel = choose_channel(person, recipient);

	if (channel == NULL)
		return COMPOSE_NOBODY;
	enum compose_result result = compose_words(catalogue, news, person, answer, channel, m);
	strcpy(m->recipient, recipient);
	return result;
}

bool
compose_sms_hours(const struct catalogue_municipality *m, int64_t now_us, int64_t *ret_until_us)
{
	struct istanbul_time now = istanbul_split(now_us);
	int minute = now.hour * 60 + now.minute;
	int32_t day = now.day_number;
	bool over_midnight = m->quiet_from_min > m->quiet_to_min;
	bool quiet = over_midnight ? minute >= m->quiet_from_min || minute < m->quiet_to_min
				   : minute >= m->quiet_from_min && minute < m->quiet_to_min;

	if (!quiet)
		return true;
	if (over_midnight && minute >= m->quiet_from_min)
		day++;
	*ret_until_us = istanbul_moment_us(day, m->quiet_to_min);
	return false;
}
