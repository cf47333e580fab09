/* Knows the placeholders of citizens' texts, and the longest values they can take. */
#include "catalogue_placeholder.h"

#include <stdio.h>
#include <string.h>

#include "extension.h"
#include "gsm.h"
#include "status_words.h"
#include "survey_link.h"
#include "turunc/v1/ticket.pb-c.h"

const struct template_event_word template_events[EVENTS] = {
	[RECEIVED] = { "received", .required = true },
	[ROUTED] = { "routed", .required = true },
	[ANSWERED] = { "answered", .required = false },
	[EXTENDED] = { "extended", .required = false },
	[RESOLVED] = { "resolved", .required = true },
	[REJECTED] = { "rejected", .required = true },
	[FORWARDED] = { "forwarded", .required = true },
	[REOPENED] = { "reopened", .required = false },
	[SURVEY] = { "survey", .says_nothing = true, .replies = true },
	[SURVEY_REMINDER] = { "survey_reminder", .says_nothing = true, .replies = true },
	[SMS_STOPPED] = { "sms_stopped", .sms_only = true, .says_nothing = true, .replies = true },
	[SMS_STARTED] = { "sms_started", .sms_only = true, .says_nothing = true, .replies = true },
};

const char *const template_channels[CHANNELS] = { "sms", "email" };

enum {
	ANY = (1 << EVENTS) - 1,
	SURVEYS = 1 << SURVEY | 1 << SURVEY_REMINDER,
	WISHES = 1 << SMS_STOPPED | 1 << SMS_STARTED, /* of no ticket */
	TICKETS = ANY & ~WISHES,
	STEPS = TICKETS & ~SURVEYS,
	ENDS = 1 << RESOLVED | 1 << REJECTED | 1 << FORWARDED
};

const struct placeholder placeholders[PLACEHOLDERS] = {
	{ "number", TICKETS, TICKETS, true, false },
	{ "status", STEPS, STEPS, true, false },
	{ "subject", STEPS, 0, true, true },
	{ "department", STEPS & ~BIT(RECEIVED), BIT(ROUTED), true, true },
	{ "closure_reason", ENDS, BIT(REJECTED), true, true },
	{ "institution", BIT(FORWARDED), BIT(FORWARDED), true, true },
	{ "link", TICKETS, 0, true, false },
	{ "municipality", ANY, 0, true, false },
	{ "phone", ANY, 0, true, false },
	{ "date", TICKETS, 0, true, false },
	{ "due_date", BIT(RECEIVED) | BIT(ROUTED) | BIT(EXTENDED) | BIT(REOPENED), BIT(EXTENDED),
	    true, false },
	{ "name", TICKETS, 0, false, false },
	{ "answer", ENDS | BIT(ANSWERED), 0, false, true },
	{ "reference", BIT(FORWARDED), 0, false, true },
	{ "survey_link", SURVEYS, SURVEYS, true, false },
	{ "sms_reply_to", SURVEYS | WISHES, 0, true, false },
	{ "sms_keyword", SURVEYS | WISHES, 0, true, false },
	/* Gateways drop a message that repeats an earlier one. */
	{ "moment", WISHES, WISHES, true, false },
	{ "survey_stop_link", SURVEYS, 0, false, false },
	/* Law 4982, art. 11: who asked is told why.  Its words are general ones. */
	{ "reason", BIT(EXTENDED), BIT(EXTENDED), true, false },
};

/* --- the longest values ----------------------------------------------------------------------- */

static struct sms_size
size_of(const char *text)
{
	struct sms_size size = { 0 };

	if (text != NULL)
		sms_measure(text, strlen(text), SMS_AUTO, GSM_OF_GATEWAY, &size);
	return size;
}

/* A value that this placeholder may have. */
static void
offer(struct placeholder_values *v, const char *word, const char *value)
{
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		if (strcmp(placeholders[i].word, word) != 0)
			continue;
		const struct sms_size size = size_of(value);
		const char **best = size.coding == GSM_UCS2 ? &v->dearest[i] : &v->longest[i];
		if (*best == NULL || size.units > size_of(*best).units)
			*best = value;
	}
}

/* Numbers and days are made up of their widest digits; the longest status has a letter of the
 * Turkish tables as well. */
void
placeholder_longest(
    const struct catalogue *cat, enum catalogue_language language, struct placeholder_values *v)
{
	static const char number[] = "26-000000000-0", day[] = "24.11.2026";
	static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123"; /* survey_link.h's */

	memset(v, 0, sizeof(*v));
	for (size_t i = 0; i < cat->subject_count; i++) {
		/* Those of a special category are never named. */
		if (!cat->subjects[i].special_category)
			offer(v, "subject", catalogue_say(&cat->subjects[i].name, language));
	}
	for (size_t i = 0; i < cat->department_count; i++)
		offer(v, "department", catalogue_say(&cat->departments[i].name, language));
	for (size_t i = 0; i < cat->institution_count; i++)
		offer(v, "institution", catalogue_say(&cat->institutions[i].name, language));
	for (size_t i = 0; i < cat->closure_reason_count; i++)
		offer(v, "closure_reason", catalogue_say(&cat->closure_reasons[i].name, language));
	for (size_t i = 0; extension_reason_at(i) != NULL; i++)
		offer(v, "reason", catalogue_say(&extension_reason_at(i)->name, language));
	for (int status = 1; status <= TURUNC__V1__STATUS__STATUS_CLOSED; status++)
		offer(v, "status", status_word(status, language));
	offer(v, "municipality", cat->municipality.name);
	offer(v, "phone", cat->municipality.phone);
	snprintf(v->link, sizeof(v->link), "%s/?no=%s", cat->municipality.base_url, number);
	offer(v, "link", v->link);
	snprintf(v->survey_link, sizeof(v->survey_link), "%s" SURVEY_LINK_PATH "%s",
	    cat->municipality.base_url, token);
	offer(v, "survey_link", v->survey_link);
	offer(v, "sms_reply_to", cat->municipality.sms_reply_to);
	offer(v, "sms_keyword", cat->municipality.sms_keyword);
	offer(v, "moment", "24.11.2026 10:24");
	offer(v, "number", number);
	offer(v, "date", day);
	offer(v, "due_date", day);
}
