/* Writes the forms of the steps that a person may take with a ticket as it stands. */
#include <stdio.h>
#include <string.h>

#include "db_result.h"
#include "desk_form.h"
#include "desk_ticket.h"
#include "http.h"
#include "number.h"
#include "step.h"
#include "ticket.h"
#include "turunc/v1/ticket.pb-c.h"

/* In the order in which they are offered; key is the letter that opens it. */
static const struct {
	enum status_verb verb;
	const char *key;
	bool text, until, quick;
} offers[] = {
	{ VERB_ACCEPT, "a", false, false, true },
	{ VERB_RELEASE, "z", false, false, true },
	{ VERB_START, "b", false, false, true },
	{ VERB_RESUME, "b", false, false, true },
	{ VERB_SEPARATE, "m", false, false, true },
	{ VERB_RESOLVE, "c", true, false, false },
	{ VERB_WAIT, "w", true, true, false },
	{ VERB_ANSWER, "y", true, false, false },
	{ VERB_NOTE, "n", true, false, false },
	{ VERB_ROUTE, "r", true, false, false },
	{ VERB_TRANSFER, "t", true, false, false },
	{ VERB_TRIAGE, "g", true, false, false },
	{ VERB_FORWARD, "f", true, false, false },
	{ VERB_REJECT, "x", true, false, false },
	{ VERB_JOIN, "m", false, false, false },
	{ VERB_AMEND, "d", false, false, false },
	{ VERB_EXTEND, "e", true, false, false },
	{ VERB_REOPEN, "o", true, false, false },
	{ VERB_WITHDRAW, "v", true, false, false },
};

/* What was typed into this verb's form before it was refused. */
static const char *
typed(const struct ticket_visit *t, enum status_verb verb, const char *name)
{
	const char *value = t->attempt.made && t->attempt.verb == verb
				? http_form(t->v.req, name, NULL)
				: NULL;
	return value == NULL ? "" : value;
}

static bool
fits(const struct pg_result *ticket, enum status_verb verb)
{
	if (verb != VERB_EXTEND)
		return true;
	return !db_is_null(ticket, 0, ONE_LEGAL_STATE)
	       && db_get_int(ticket, 0, ONE_LEGAL_STATE) == CLOCK_RUNNING
	       && db_get_int(ticket, 0, ONE_LEGAL_BASIS)
		      == TURUNC__V1__LEGAL_BASIS__LEGAL_BASIS_INFORMATION_4982
	       && !db_get_bool(ticket, 0, ONE_EXTENDED);
}

/* Where they can be kept. */
static bool
takes_photos(const struct ticket_visit *t, enum status_verb verb)
{
	return step_takes_photos(verb) && t->v.desk->world.attachments != NULL;
}

static void
begin(struct html *h, const struct ticket_visit *t, const struct pg_result *ticket,
    enum status_verb verb, const char *class)
{
	char number[NUMBER_SIZE], path[NUMBER_SIZE + 16];

	if (!number_format(db_get_int(ticket, 0, ONE_TICKET), number))
		number[0] = '\0';
	(void)snprintf(path, sizeof(path), "ticket/%s", number);
	if (takes_photos(t, verb))
		form_begin_files(h, &t->v, path, class);
	else
		form_begin(h, &t->v, path, class);
	form_id(h, &t->v);
	form_version(h, db_get_int(ticket, 0, ONE_VERSION));
	html_hidden(h, "verb", status_rule(verb)->verb);
}

static void
button(struct html *h, const char *class, const char *key, const char *text)
{
	html_raw(h, "<button");
	if (class != NULL) {
		html_raw(h, " class=\"");
		html_raw(h, class);
		html_raw(h, "\"");
	}
	if (key != NULL) {
		html_raw(h, " data-key=\"");
		html_raw(h, key);
		html_raw(h, "\"");
	}
	html_raw(h, ">");
	html_text(h, text);
	html_raw(h, "</button>");
}

static const char *
text_label(const struct html *h, enum status_verb verb)
{
	switch (verb) {
	case VERB_ANSWER:
		return html_say(h, "Yanıt (başvurana gider)", "Answer (the citizen receives it)");
	case VERB_RESOLVE:
	case VERB_REJECT:
	case VERB_FORWARD:
		return html_say(h, "Başvurana yazılacak açıklama", "Explanation for the citizen");
	case VERB_NOTE:
		return html_say(h, "Not (yalnız çalışanlar görür)", "Note (staff only)");
	default:
		return html_say(h, "Açıklama (isterseniz)", "Explanation (if you like)");
	}
}

static void
fields(struct html *h, const struct ticket_visit *t, const struct pg_result *ticket, size_t i)
{
	const struct catalogue *cat = visit_catalogue(&t->v);
	enum status_verb verb = offers[i].verb;
	unsigned needs = status_rule(verb)->needs;
	const char *subject = typed(t, verb, "subject");

	if (needs & NEED_DEPARTMENT)
		form_departments(h, cat,
		    verb == VERB_TRANSFER ? db_get_text(ticket, 0, ONE_DEPARTMENT) : "",
		    typed(t, verb, "department"));
	if (needs & NEED_INSTITUTION)
		form_institutions(h, cat, typed(t, verb, "institution"));
	if (needs & (NEED_REASON | NEED_CLOSURE_REASON | NEED_WAIT_REASON))
		form_reasons(h, cat, verb, typed(t, verb, "reason"));
	if (verb == VERB_FORWARD)
		form_input(h, "reference", "text",
		    html_say(h, "Evrak numarası (isterseniz)", "Their reference (if any)"),
		    typed(t, verb, "reference"), false);
	if (offers[i].until)
		form_input(h, "until", "date",
		    html_say(h, "Ne zamana kadar (isterseniz)", "Until (if known)"),
		    typed(t, verb, "until"), false);
	if (needs & NEED_PRIMARY)
		form_input(h, "primary", "text",
		    html_say(h, "Asıl başvurunun numarası", "Number of the primary ticket"),
		    typed(t, verb, "primary"), true);
	if (verb == VERB_ROUTE || verb == VERB_AMEND) {
		form_subjects(h, cat, "subject", subject, html_say(h, "Olduğu gibi", "As it is"));
		form_priorities(h, typed(t, verb, "priority"));
	}
	if (offers[i].text)
		form_text(h, text_label(h, verb), typed(t, verb, "text"), (needs & NEED_TEXT) != 0);
	if (takes_photos(t, verb))
		form_photos(h,
		    verb == VERB_RESOLVE
			? html_say(h, "Kanıt fotoğrafı (isterseniz; başvuran da görür)",
			    "Evidence photos (if you like; the citizen sees them)")
			: html_say(h, "Fotoğraf (isterseniz)", "Photos (if you like)"),
		    t->v.desk->world.photo_limits.each_bytes);
}

static void
offer(struct html *h, const struct ticket_visit *t, const struct pg_result *ticket, size_t i)
{
	enum status_verb verb = offers[i].verb;
	bool opened = t->attempt.made && t->attempt.verb == verb;

	html_raw(h, "<details name=\"step\" data-key=\"");
	html_raw(h, offers[i].key);
	html_raw(h, opened ? "\" open><summary>" : "\"><summary>");
	html_text(h, desk_verb(verb, h->language));
	html_raw(h, "</summary>\n");
	begin(h, t, ticket, verb, "step");
	fields(h, t, ticket, i);
	button(h, NULL, NULL, desk_verb(verb, h->language));
	html_raw(h, "</form></details>\n");
}

void
ticket_steps_write(struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows)
{
	const struct pg_result *ticket = rows->ticket;
	unsigned actors = asker_actors(&t->v.who, db_get_text(ticket, 0, ONE_DEPARTMENT));
	ticket_status now = (ticket_status)db_get_int(ticket, 0, ONE_STATUS), next;
	bool any = false;

	html_element(h, "h2", NULL, html_say(h, "Ne yapılabilir?", "What can be done"));
	html_raw(h, "<div class=\"quick\">");
	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		enum status_verb verb = offers[i].verb;
		if (!offers[i].quick || status_step(now, verb, actors, &next) != STATUS_ALLOWED)
			continue;
		any = true;
		begin(h, t, ticket, verb, "one");
		button(h, NULL, offers[i].key, desk_verb(verb, h->language));
		html_raw(h, "</form>\n");
	}
	html_raw(h, "</div>\n");
	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		enum status_verb verb = offers[i].verb;
		if (offers[i].quick || status_step(now, verb, actors, &next) != STATUS_ALLOWED
		    || !fits(ticket, verb))
			continue;
		any = true;
		offer(h, t, ticket, i);
	}
	if (!any)
		html_element(h, "p", "second",
		    html_say(h, "Bu başvuruda sizin yapabileceğiniz bir işlem yok.",
			"There is nothing for you to do with this ticket."));
}
