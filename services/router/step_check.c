/* May this step be taken, and does it bring what it needs? */
#include <stdio.h>
#include <string.h>

#include "istanbul.h"
#include "step.h"
#include "utf8.h"

/* Words for the log are codes: no personal data hides in them. */
static bool
is_code(const char *text, size_t max)
{
	size_t len = strlen(text);

	return len >= 1 && len <= max
	       && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
		      == len;
}

/* References of institutions have slashes and dots too. */
static bool
is_reference(const char *text)
{
	size_t len = strlen(text);

	return len <= STEP_REFERENCE_BYTES
	       && strspn(
		      text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:# ")
		      == len;
}

/* list is "*" or words with ';'. */
static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	if (strcmp(list, "*") == 0)
		return true;
	for (const char *at = list; *at != '\0';) {
		size_t part = strcspn(at, ";");
		if (part == len && memcmp(at, word, len) == 0)
			return true;
		at += part + (at[part] == ';');
	}
	return false;
}

static const char *
check_department(const struct step_world *world, const struct ticket *t, const struct step *step)
{
	const struct catalogue_department *department = catalogue_department(
	    world->cat, step->department);

	if (department == NULL)
		return "department: there is none of that code";
	if (!department->active)
		return "department: it is not active";
	if (step->verb == VERB_TRANSFER && strcmp(step->department, t->department) == 0)
		return "department: the ticket is there already";
	return NULL;
}

static const char *
check_closure(const struct step_world *world, const struct step *step, ticket_status next)
{
	const struct catalogue_reason *reason = catalogue_closure_reason(world->cat, step->reason);

	if (reason == NULL)
		return "reason_code: not one of the closure reasons";
	if (!list_has(reason->applies_to, status_name(next)))
		return "reason_code: this reason does not explain such an ending";
	return NULL;
}

static const char *
check_primary(const struct ticket *t, const struct step *step)
{
	if (!step->names_primary || step->primary == NULL)
		return "primary: there is no such ticket";
	if (step->primary->ticket_id == t->ticket_id)
		return "primary: a ticket cannot be joined to itself";
	if (step->primary->status == TURUNC__V1__STATUS__STATUS_DUPLICATE)
		return "primary: it is itself joined to another";
	if (t->has_joined)
		return "primary: other tickets are joined to this one";
	return NULL;
}

/* What the row of the table asks for. */
static const char *
check_needs(const struct step_world *world, const struct ticket *t, const struct step *step,
    ticket_status next)
{
	unsigned needs = status_rule(step->verb)->needs;
	const char *why = NULL;

	if (needs & NEED_DEPARTMENT)
		why = check_department(world, t, step);
	if (why == NULL && (needs & NEED_REASON) && step->reason[0] == '\0')
		why = "reason_code: it is needed";
	if (why == NULL && (needs & NEED_CLOSURE_REASON))
		why = check_closure(world, step, next);
	if (why == NULL && (needs & NEED_WAIT_REASON)
	    && catalogue_wait_reason(world->cat, step->reason) == NULL)
		why = "reason_code: not one of the reasons to wait";
	if (why == NULL && (needs & NEED_INSTITUTION)
	    && catalogue_institution(world->cat, step->institution) == NULL)
		why = "institution: there is none of that code";
	if (why == NULL && (needs & NEED_PRIMARY))
		why = check_primary(t, step);
	if (why == NULL && (needs & NEED_TEXT) && step->text[0] == '\0')
		why = "text: it is needed";
	return why;
}

/* What every field must be, whoever brings it. */
static const char *
check_shape(const struct step_world *world, const struct step *step)
{
	size_t text_len = strlen(step->text);

	if (step->reason[0] != '\0' && !is_code(step->reason, STEP_REASON_BYTES))
		return "reason_code: not a code";
	if (text_len > STEP_TEXT_BYTES)
		return "text: longer than 8,000 bytes";
	if (!utf8_valid(step->text, text_len))
		return "text: not valid UTF-8";
	if (utf8_has_control(step->text, /* lines= */ true))
		return "text: holds a control character";
	if (step->photo_count > 0 && !step_takes_photos(step->verb))
		return "photo: only with resolve and note";
	if (!is_reference(step->reference))
		return "reference: only letters, digits, space and - _ . / : #, at most 64";
	if (step->until_us != 0
	    && (step->until_us <= world->now_us
		|| step->until_us > world->now_us + 3660 * US_PER_DAY))
		return "until_us: not within the next ten years";
	if (step->subject[0] != '\0' && catalogue_subject(world->cat, step->subject) == NULL)
		return "subject_code: there is none of that code";
	if (step->priority > PRIORITY_URGENT)
		return "priority: 1 to 4";
	return NULL;
}

/* What concerns single verbs beyond the table. */
static const char *
check_verb(const struct step_world *world, const struct ticket *t, const struct step *step)
{
	int64_t window_us = world->cat->municipality.reopen_window_days * US_PER_DAY;

	switch (step->verb) {
	case VERB_EXTEND:
		if (t->legal.basis != TURUNC__V1__LEGAL_BASIS__LEGAL_BASIS_INFORMATION_4982
		    || t->legal.state != CLOCK_RUNNING)
			return "verb: only a running period of law 4982 can be extended";
		return t->extended ? "verb: it was extended once already" : NULL;
	case VERB_REOPEN:
		if ((step->actors & ACTOR_OPERATOR) == 0 && world->now_us > t->ended_us + window_us)
			return "verb: the time to reopen has passed";
		return NULL;
	case VERB_AMEND:
		if (step->subject[0] == '\0' && step->priority == 0)
			return "subject_code: nothing to amend";
		return NULL;
	default:
		return NULL;
	}
}

enum step_result
step_check(const struct step_world *world, const struct ticket *t, const struct step *step,
    char why[CHANGES_WHY_BYTES])
{
	ticket_status next;

	switch (status_step(t->status, step->verb, step->actors, &next)) {
	case STATUS_NOT_FROM_HERE:
		(void)snprintf(why, CHANGES_WHY_BYTES, "no %s from %s",
		    status_rule(step->verb)->verb, status_name(t->status));
		return STEP_NOT_NOW;
	case STATUS_NOT_BY_YOU:
		(void)snprintf(why, CHANGES_WHY_BYTES, "%s is for others to do",
		    status_rule(step->verb)->verb);
		return STEP_NOT_YOU;
	case STATUS_ALLOWED:
		break;
	}
	const char *bad = check_shape(world, step);
	if (bad == NULL)
		bad = check_needs(world, t, step, next);
	if (bad == NULL)
		bad = check_verb(world, t, step);
	if (bad == NULL)
		return STEP_TAKEN;
	(void)snprintf(why, CHANGES_WHY_BYTES, "%s", bad);
	return STEP_BAD_FIELD;
}
