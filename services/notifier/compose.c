/* Decides what is told, by which channel, and writes the words. */
#include "compose.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "istanbul.h"
#include "mail.h"
#include "number.h"
#include "phone.h"
#include "template.h"

/* The records that citizens hear of, and what the templates call them. */
static const struct told {
	const char *type;
	Turunc__V1__Event__BodyCase body;
	const char *event;
	struct catalogue_text status;
	bool ends;
} tellings[] = {
	{ "ticket.opened", TURUNC__V1__EVENT__BODY_OPENED, "received", { { "Alındı", "Received" } },
	    false },
	{ "ticket.routed", TURUNC__V1__EVENT__BODY_STEP, "routed",
	    { { "Yönlendirildi", "Passed on" } }, false },
	{ "ticket.resolved", TURUNC__V1__EVENT__BODY_STEP, "resolved",
	    { { "Çözüldü", "Resolved" } }, true },
	{ "ticket.rejected", TURUNC__V1__EVENT__BODY_STEP, "rejected",
	    { { "Reddedildi", "Rejected" } }, true },
	{ "ticket.forwarded", TURUNC__V1__EVENT__BODY_STEP, "forwarded",
	    { { "Kurum dışı iletildi", "Forwarded" } }, true },
};

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
choose_channel(const struct person *person, struct message *m)
{
	struct phone phone;

	if (person->email[0] != '\0' && mail_address_valid(person->email)) {
		snprintf(m->recipient, sizeof(m->recipient), "%s", person->email);
		return "email";
	}
	if (phone_parse(person->phone, &phone) == PHONE_OK && phone.mobile) {
		snprintf(m->recipient, sizeof(m->recipient), "%s", phone.number);
		return "sms";
	}
	return NULL;
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

/* Health and social-aid subjects are not named where a screen or a mailbox may be shared. */
static const char *
subject_text(const struct catalogue_subject *subject, enum catalogue_language language)
{
	static const struct catalogue_text discreet = { { "Başvuru", "Your request" } };

	if (subject == NULL || subject->special_category)
		return catalogue_say(&discreet, language);
	return catalogue_say(&subject->name, language);
}

static const char *
or_code(const struct catalogue_text *name, enum catalogue_language language, const char *code)
{
	return name != NULL ? catalogue_say(name, language) : code;
}

enum compose_result
compose(const struct catalogue *catalogue, const struct news *news, const struct person *person,
    const char *answer, struct message *m)
{
	static const struct catalogue_text somebody = { { "Yurttaşımız", "Citizen" } };
	/* A department's name can tell as much as the subject's. */
	static const struct catalogue_text in_charge = { { "ilgili birim", "unit in charge" } };
	enum catalogue_language language = catalogue->municipality.default_language;
	char number[NUMBER_SIZE], today[16], due[16], link[600];
	struct template_values values = { 0 };

	m->channel = choose_channel(person, m);
	if (m->channel == NULL)
		return COMPOSE_NOBODY;
	if (!catalogue_language_parse(person->language, &language))
		language = catalogue->municipality.default_language;
	m->language = catalogue_language_name(language);
	m->subject[0] = m->body[0] = '\0';
	const struct catalogue_template *template = catalogue_template(
	    catalogue, news->event, m->channel, language);
	if (template == NULL)
		return COMPOSE_NO_TEMPLATE;
	if (!number_format(person->ticket_id, number))
		return COMPOSE_NOBODY;

	const struct catalogue_subject *subject = catalogue_subject(
	    catalogue, person->subject_code);
	const struct catalogue_department *department = catalogue_department(
	    catalogue, news->department);
	const struct catalogue_reason *reason = catalogue_closure_reason(
	    catalogue, news->reason_code);
	const struct catalogue_institution *institution = catalogue_institution(
	    catalogue, news->institution);
	day_text(person->recorded_us, today, sizeof(today));
	day_text(news->due_us, due, sizeof(due));
	if (snprintf(link, sizeof(link), "%s/?no=%s", catalogue->municipality.base_url, number)
	    >= (int)sizeof(link))
		return COMPOSE_TOO_LONG;
	values.of[FIELD_NUMBER] = number;
	values.of[FIELD_STATUS] = catalogue_say(&told_of(news->type)->status, language);
	values.of[FIELD_SUBJECT] = subject_text(subject, language);
	values.of[FIELD_LINK] = link;
	values.of[FIELD_MUNICIPALITY] = catalogue->municipality.name;
	values.of[FIELD_PHONE] = catalogue->municipality.phone;
	values.of[FIELD_DATE] = today;
	values.of[FIELD_DEPARTMENT] = subject != NULL && subject->special_category
					  ? catalogue_say(&in_charge, language)
					  : or_code(department != NULL ? &department->name : NULL,
					      language, news->department);
	values.of[FIELD_DUE_DATE] = due[0] != '\0' ? due : "–";
	values.of[FIELD_CLOSURE_REASON] = or_code(
	    reason != NULL ? &reason->name : NULL, language, news->reason_code);
	values.of[FIELD_INSTITUTION] = or_code(
	    institution != NULL ? &institution->name : NULL, language, news->institution);
	values.of[FIELD_NAME] = person->name[0] != '\0' ? person->name
							: catalogue_say(&somebody, language);
	/* What was written to one caller is not for those joined to them. */
	values.of[FIELD_ANSWER] = person->ticket_id == news->ticket_id && !person->joined ? answer
											  : "";
	values.of[FIELD_REFERENCE] = news->reference;
	bool sms = strcmp(m->channel, "sms") == 0;
	bool fits = template_fill(
	    template->body, &values, sms ? TEMPLATE_LINE : TEMPLATE_TEXT, m->body, sizeof(m->body));
	if (!sms)
		fits = template_fill(template->subject, &values, TEMPLATE_LINE, m->subject,
			   sizeof(m->subject))
		       && fits;
	return fits ? COMPOSED : COMPOSE_TOO_LONG;
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
