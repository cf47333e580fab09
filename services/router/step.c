/* Takes a step: the ticket, its clocks, its record. */
#include "step.h"

#include <stdio.h>
#include <string.h>

#include "clocks.h"
#include "frame.h"

struct step
step_none(enum status_verb verb, unsigned actors, const char *actor)
{
	return (struct step){
		.verb = verb,
		.actors = actors,
		.actor = actor,
		.department = "",
		.reason = "",
		.text = "",
		.institution = "",
		.reference = "",
		.subject = "",
		.command_id = "",
		.traceparent = "",
	};
}

bool
step_takes_photos(enum status_verb verb)
{
	return verb == VERB_RESOLVE || verb == VERB_NOTE;
}

/* --- what becomes of the ticket --------------------------------------------------------------- */

/* A ticket whose department is gone or never was goes back to where a person decides. */
static ticket_status
place_again(const struct step_world *world, const struct ticket *t)
{
	const struct catalogue_department *department = catalogue_department(
	    world->cat, t->department);

	return department != NULL && department->active ? TURUNC__V1__STATUS__STATUS_ROUTED
							: TURUNC__V1__STATUS__STATUS_TRIAGE;
}

static void
set_subject(const struct step_world *world, struct ticket *t, const struct step *step)
{
	const struct catalogue_subject *subject = catalogue_subject(world->cat, step->subject);

	if (subject == NULL)
		return;
	ticket_copy_code(t->subject, subject->code);
	clocks_service_promise(&t->service, world->cat, subject->service_ms, world->now_us);
	if (t->legal.state == CLOCK_ABSENT && t->answered_us == 0)
		clocks_legal_start(
		    &t->legal, world->cat, subject->legal_basis, t->arrived_us, world->now_us);
}

/* The service clock begins with the first department and moves with the ticket. */
static void
move_service(const struct step_world *world, struct ticket *t)
{
	const struct catalogue_department *department = catalogue_department(
	    world->cat, t->department);
	const struct catalogue_subject *subject = catalogue_subject(world->cat, t->subject);

	if (department == NULL)
		return;
	if (t->service.state != CLOCK_ABSENT)
		clocks_service_run(&t->service, world->cat, department->calendar, world->now_us);
	else if (subject != NULL)
		clocks_service_start(&t->service, world->cat, department->calendar,
		    subject->service_ms, world->now_us);
}

/* In the working time it had; for a ticket that goes on where it was. */
static void
continue_service(const struct step_world *world, struct ticket *t)
{
	const struct calendar *cal = catalogue_calendar(world->cat, t->service.calendar);

	clocks_service_run(
	    &t->service, world->cat, cal != NULL ? cal : world->cat->office, world->now_us);
}

static void
end(const struct step_world *world, struct ticket *t)
{
	t->ended_us = world->now_us;
	clocks_service_stand(&t->service, world->cat, CLOCK_STOPPED, world->now_us);
	clocks_legal_stop(&t->legal);
}

static void
begin_again(const struct step_world *world, struct ticket *t)
{
	t->ended_us = 0;
	t->primary_id = 0;
	if (t->status == TURUNC__V1__STATUS__STATUS_ROUTED)
		move_service(world, t);
	else
		continue_service(world, t);
	if (t->answered_us == 0)
		clocks_legal_continue(&t->legal, world->cat, world->now_us);
}

/* Clocks and marks that the verb changes, the status being the new one already. */
static void
apply_verb(const struct step_world *world, struct ticket *t, const struct step *step)
{
	switch (step->verb) {
	case VERB_ROUTE:
	case VERB_TRANSFER:
		ticket_copy_code(t->department, step->department);
		move_service(world, t);
		break;
	case VERB_WAIT:
		clocks_service_stand(&t->service, world->cat, CLOCK_PAUSED, world->now_us);
		break;
	case VERB_RESUME:
		move_service(world, t);
		break;
	case VERB_EXTEND:
		t->extended = true;
		clocks_legal_extend(&t->legal, world->cat, t->arrived_us, world->now_us);
		break;
	case VERB_JOIN:
		t->primary_id = step->primary->ticket_id;
		step->primary->has_joined = true;
		break;
	case VERB_SEPARATE:
	case VERB_REOPEN:
		begin_again(world, t);
		break;
	default:
		break;
	}
	/* Leaving waiting by another way than resume ends the pause as well. */
	if (t->service.state == CLOCK_PAUSED && status_is_live(t->status)
	    && t->status != TURUNC__V1__STATUS__STATUS_WAITING)
		continue_service(world, t);
}

static void
apply(const struct step_world *world, struct ticket *t, const struct step *step, ticket_status next)
{
	bool was_live = status_is_live(t->status);

	if (t->read_version == 0 && t->version == 1 && t->legal.state == CLOCK_ABSENT) {
		const struct catalogue_subject *subject = catalogue_subject(world->cat, t->subject);
		enum legal_basis basis = t->given_basis != 0 || subject == NULL
					     ? (enum legal_basis)t->given_basis
					     : subject->legal_basis;
		clocks_legal_start(&t->legal, world->cat, basis, t->arrived_us, world->now_us);
	}
	t->status = next;
	t->version++;
	t->changed = true;
	/* Notes and answers explain nothing about where the ticket stands. */
	if (status_rule(step->verb)->to != TURUNC__V1__STATUS__STATUS_UNSPECIFIED)
		ticket_copy_code(t->reason, step->reason);
	t->until_us = step->verb == VERB_WAIT                      ? step->until_us
		      : next == TURUNC__V1__STATUS__STATUS_WAITING ? t->until_us
								   : 0;
	if (step->subject[0] != '\0')
		set_subject(world, t, step);
	if (step->priority != 0)
		t->priority = (int)step->priority;
	apply_verb(world, t, step);
	if (status_verb_answers(step->verb) && t->answered_us == 0) {
		t->answered_us = world->now_us;
		clocks_legal_stop(&t->legal);
	}
	if (was_live && status_is_ended(next))
		end(world, t);
	t->legal_due_us = t->legal.state == CLOCK_ABSENT ? 0 : t->legal.due_us;
	t->service_due_us = t->service.state == CLOCK_ABSENT || t->service.state == CLOCK_PAUSED
				? 0
				: t->service.due_us;
}

/* --- its record ------------------------------------------------------------------------------- */

static const char *
text_kind(enum status_verb verb)
{
	switch (verb) {
	case VERB_ANSWER:
		return "answer";
	case VERB_NOTE:
		return "note";
	case VERB_RESOLVE:
	case VERB_REJECT:
	case VERB_FORWARD:
		return "closing";
	default:
		return "reason";
	}
}

static void
write_record(const struct step_world *world, struct ticket *t, const struct step *step,
    const char *previous_department)
{
	Turunc__V1__TicketStep body = TURUNC__V1__TICKET_STEP__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	char text_id[UUID_TEXT_SIZE];
	struct digest digest;
	struct uuid id;
	bool joins = step->verb == VERB_JOIN;

	body.status = t->status;
	body.version = (uint32_t)t->version;
	body.department = t->department;
	body.previous_department = frame_lend(previous_department);
	body.subject_code = t->subject;
	body.priority = (uint32_t)t->priority;
	body.reason_code = frame_lend(step->reason);
	body.until_us = step->verb == VERB_WAIT ? t->until_us : 0;
	body.institution = frame_lend(step->verb == VERB_FORWARD ? step->institution : "");
	body.reference = frame_lend(step->verb == VERB_FORWARD ? step->reference : "");
	body.related = frame_lend(joins ? step->primary->number : "");
	body.legal_due_us = t->legal_due_us;
	body.service_due_us = t->service_due_us;
	body.calendar_version = t->service.state != CLOCK_ABSENT ? t->service.calendar_version
								 : t->legal.calendar_version;
	body.rule = step->rule;
	body.command_id = frame_lend(step->command_id);
	if (step->text[0] != '\0') {
		changes_text(world->changes, t, text_kind(step->verb), step->actor, step->text,
		    world->ids, world->now_us, &id, &digest);
		uuid_format(&id, text_id);
		body.text_id = text_id;
		body.text_digest = (ProtobufCBinaryData){ sizeof(digest.bytes), digest.bytes };
	} else if (step->photo_count > 0) {
		uuid_next(world->ids, world->now_us, &id);
	}
	if (step->photo_count > 0)
		changes_photos(world->changes, t,
		    step->verb == VERB_NOTE ? CHANGES_PHOTO_NOTE : CHANGES_PHOTO_EVIDENCE, &id,
		    step->actor, step->photos, step->photo_count, world->now_us);
	event.type = frame_lend(status_rule(step->verb)->record);
	event.actor = frame_lend(step->actor);
	event.traceparent = frame_lend(step->traceparent);
	event.body_case = TURUNC__V1__EVENT__BODY_STEP;
	event.step = &body;
	changes_record(world->changes, t, &event, previous_department, world->ids, world->now_us);
}

enum step_result
step_take(const struct step_world *world, struct ticket *t, const struct step *step,
    char why[CHANGES_WHY_BYTES])
{
	char before[TICKET_CODE_BYTES];
	ticket_status next;
	enum step_result result = step_check(world, t, step, why);

	if (result != STEP_TAKEN)
		return result;
	if (status_step(t->status, step->verb, step->actors, &next) != STATUS_ALLOWED)
		return STEP_NOT_NOW;
	if (step->verb == VERB_REOPEN)
		next = place_again(world, t);
	ticket_copy_code(before, t->department);
	apply(world, t, step, next);
	bool moved = strcmp(before, t->department) != 0;
	if (moved || step->verb == VERB_ROUTE)
		changes_hop(world->changes, t, before, step->reason, step->actor, world->now_us);
	write_record(world, t, step, moved ? before : "");
	return STEP_TAKEN;
}

/* --- rules ------------------------------------------------------------------------------------ */

void
step_route_by_rules(const struct step_world *world, struct ticket *t, const char *addressed_to,
    const char *traceparent)
{
	const struct catalogue_subject *subject = catalogue_subject(world->cat, t->subject);
	const struct catalogue_rule *rule = subject == NULL ? NULL
							    : catalogue_route(world->cat,
								subject->code, t->neighbourhood,
								catalogue_channel_name(t->channel));
	const struct catalogue_department *addressed = catalogue_department(
	    world->cat, addressed_to);
	char actor[CHANGES_ACTOR_BYTES] = "system", why[CHANGES_WHY_BYTES];
	struct step step = step_none(VERB_TRIAGE, ACTOR_RULE, actor);

	step.traceparent = traceparent;
	if (subject != NULL)
		step.priority = (uint32_t)subject->priority;
	if (subject != NULL && addressed != NULL && addressed->active) {
		step.verb = VERB_ROUTE;
		step.department = addressed->code;
	} else if (subject == NULL) {
		step.reason = t->subject[0] == '\0' ? "no_subject" : "unknown_subject";
	} else if (rule == NULL) {
		step.reason = "no_rule";
	} else if (!rule->department->active) {
		step.reason = "inactive_department";
	} else {
		(void)snprintf(actor, sizeof(actor), "rule:%d", rule->order);
		step.verb = VERB_ROUTE;
		step.department = rule->department->code;
		step.rule = (uint32_t)rule->order;
		if (rule->has_priority)
			step.priority = (uint32_t)rule->priority;
	}
	(void)!step_take(world, t, &step, why);
}
