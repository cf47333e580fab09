/* The exchange, the call-takers and the desk of the town hall: what they publish on the bus. */
#include <stdio.h>
#include <string.h>

#include "catalogue.h"
#include "demo.h"
#include "istanbul.h"

static char source[] = "demo.calls", nothing[] = "";
static char call_offered[] = "call.offered", call_abandoned[] = "call.abandoned",
	    call_answered[] = "call.answered", call_ended[] = "call.ended",
	    ticket_request[] = "ticket.request", sms_received[] = "sms.received";

enum { ASKED_BEFORE_END_MS = 15000, ID_BYTES = 64, AGENTS = 12, LATER_MIN = 30 };

static const char *const dispositions[] = {
	[DEMO_CALL_RECORDED] = "ticket",
	[DEMO_CALL_JOINED] = "joined",
	[DEMO_CALL_INFORMATION] = "information",
	[DEMO_CALL_TRANSFERRED] = "transferred",
	[DEMO_CALL_NUISANCE] = "nuisance",
};

static const struct demo_arrival *
arrival_of(const struct demo *d, uint32_t contact)
{
	return &d->plan.arrivals[contact];
}

static void
name_call(uint32_t contact, char call_id[ID_BYTES])
{
	snprintf(call_id, ID_BYTES, "demo-call-%u", contact);
}

static void
publish_call(struct demo *d, char *type, enum demo_said said, uint32_t contact, int64_t at_us,
    const char *disposition, const char *ticket)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__Call call = TURUNC__V1__CALL__INIT;
	char call_id[ID_BYTES], id[ID_BYTES * 2], agent[ID_BYTES], how[ID_BYTES],
	    number[DEMO_NUMBER_SIZE], queue[] = "444";

	name_call(contact, call_id);
	snprintf(id, sizeof(id), "%s/%s", call_id, type);
	snprintf(agent, sizeof(agent), "masa-%u", contact % AGENTS + 1);
	snprintf(how, sizeof(how), "%s", disposition);
	snprintf(number, sizeof(number), "%s", ticket);
	call.call_id = call_id;
	call.queue = queue;
	call.agent = said == SAID_OFFERED || said == SAID_ABANDONED ? nothing : agent;
	call.caller = d->people.at[contact].phone;
	call.disposition = how;
	call.ticket = number;
	event.id = id;
	event.source = source;
	event.type = type;
	event.time_us = at_us;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
	event.call = &call;
	demo_bus_publish(d, &event, said, contact);
}

/* What the caller or visitor wants, keyed in. */
static void
publish_request(struct demo *d, uint32_t contact, enum demo_said said, int64_t at_us)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	struct demo_person *p = &d->people.at[contact];
	struct demo_random r = demo_random_of(d->options.seed, UINT64_C(0x200000000) + contact);
	char call_id[ID_BYTES], id[ID_BYTES * 2], text[1024], address[256], subject[128],
	    neighbourhood[128];

	name_call(contact, call_id);
	snprintf(id, sizeof(id), "%s/ticket", call_id);
	demo_text(p, contact, &r, text, sizeof(text));
	demo_address(p, &r, address, sizeof(address));
	snprintf(subject, sizeof(subject), "%s", p->subject->code);
	snprintf(neighbourhood, sizeof(neighbourhood), "%s", p->neighbourhood->code);
	request.subject_code = subject;
	request.description = text;
	request.address = address;
	request.neighbourhood = neighbourhood;
	request.name = p->name;
	request.phone = p->phone;
	request.email = p->email;
	request.channel = said == SAID_DESK ? TURUNC__V1__CHANNEL__CHANNEL_DESK
					    : TURUNC__V1__CHANNEL__CHANNEL_CALL;
	request.call_id = said == SAID_DESK ? nothing : call_id;
	request.arrived_us = at_us;
	event.id = id;
	event.source = source;
	event.type = ticket_request;
	event.time_us = at_us;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	event.ticket_request = &request;
	demo_bus_publish(d, &event, said, contact);
}

void
demo_calls_desk(struct demo *d, uint32_t contact)
{
	publish_request(d, contact, SAID_DESK, arrival_of(d, contact)->at_us);
}

void
demo_calls_sms(struct demo *d, uint32_t ticket, const char *phone, const char *text)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__SmsReceived sms = TURUNC__V1__SMS_RECEIVED__INIT;
	const struct demo_ticket *t = demo_work_at(d, ticket);
	char id[ID_BYTES], sender[32], words[64], gateway[] = "demo";

	snprintf(id, sizeof(id), "demo-sms-%s-%u", t->number, t->invitations);
	snprintf(sender, sizeof(sender), "%s", phone);
	snprintf(words, sizeof(words), "%s", text);
	sms.sender = sender;
	sms.text = words;
	sms.gateway = gateway;
	event.id = id;
	event.source = source;
	event.type = sms_received;
	event.time_us = d->now_us;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_SMS;
	event.sms = &sms;
	demo_bus_publish(d, &event, SAID_SMS, ticket);
}

/* --- a call ------------------------------------------------------------------------------------
 */

static int64_t
answered_us(const struct demo_arrival *a)
{
	return a->at_us + a->wait_ms * INT64_C(1000);
}

static int64_t
ended_us(const struct demo_arrival *a)
{
	return answered_us(a) + a->talk_ms * INT64_C(1000);
}

static int64_t
asked_us(const struct demo_arrival *a)
{
	return ended_us(a) - ASKED_BEFORE_END_MS * INT64_C(1000);
}

static void
count_call(struct demo *d, uint32_t contact, enum demo_said said)
{
	const struct demo_arrival *a = arrival_of(d, contact);
	struct istanbul_time t = istanbul_split(a->at_us);
	const char *what = said == SAID_OFFERED ? "offered" : "answered";

	if (said == SAID_ABANDONED) {
		demo_count(&d->counts, 1, "calls.abandoned");
		return;
	}
	if (said == SAID_ENDED) {
		bool recorded = a->kind == DEMO_CALL_RECORDED;
		demo_count(
		    &d->counts, 1, "calls.%s", recorded ? "recorded" : dispositions[a->kind]);
		if (!recorded && a->kind != DEMO_CALL_JOINED)
			demo_count(&d->counts, 1, "contacts.without_ticket.call");
		return;
	}
	demo_count(&d->counts, 1, "calls.%s", what);
	demo_count(&d->counts, 1, "calls.%s.w%d.h%d", what, t.weekday + 1, t.hour);
	if (said == SAID_ANSWERED) {
		demo_count(&d->counts, a->wait_ms, "calls.wait_ms");
		demo_count(&d->counts, 1, "contacts.call");
	}
}

/* The call that is counted and never told: whoever counts right misses it. */
static bool
is_left_out(struct demo *d, uint32_t contact)
{
	if (arrival_of(d, contact)->kind != DEMO_CALL_INFORMATION
	    || ++d->informations != d->options.leave_out)
		return false;
	count_call(d, contact, SAID_OFFERED);
	count_call(d, contact, SAID_ANSWERED);
	count_call(d, contact, SAID_ENDED);
	return true;
}

static void
offer(struct demo *d, uint32_t contact)
{
	const struct demo_arrival *a = arrival_of(d, contact);

	if (is_left_out(d, contact))
		return;
	publish_call(d, call_offered, SAID_OFFERED, contact, a->at_us, "", "");
	demo_plan_act(d, answered_us(a),
	    a->kind == DEMO_CALL_ABANDONED ? ACT_ABANDONED : ACT_ANSWERED, contact, 0);
}

static void
end(struct demo *d, uint32_t contact, const char *number, int64_t at_us)
{
	publish_call(d, call_ended, SAID_ENDED, contact, at_us,
	    dispositions[arrival_of(d, contact)->kind], number);
}

void
demo_calls_act(struct demo *d, const struct demo_entry *entry)
{
	uint32_t contact = entry->about;
	const struct demo_arrival *a = arrival_of(d, contact);

	switch (entry->act) {
	case ACT_OFFERED:
		offer(d, contact);
		break;
	case ACT_ABANDONED:
		publish_call(d, call_abandoned, SAID_ABANDONED, contact, answered_us(a), "", "");
		break;
	case ACT_ANSWERED:
		publish_call(d, call_answered, SAID_ANSWERED, contact, answered_us(a), "", "");
		if (a->kind == DEMO_CALL_RECORDED)
			demo_plan_act(d, asked_us(a), ACT_ASKED, contact, 0);
		else
			demo_plan_act(d, ended_us(a), ACT_ENDED, contact, 0);
		break;
	case ACT_ASKED:
		publish_request(d, contact, SAID_ASKED, asked_us(a));
		break;
	default:
		if (a->kind == DEMO_CALL_JOINED && d->last_number[0] == '\0') {
			/* Nobody has called of anything yet that this one could mean. */
			demo_plan_act(
			    d, entry->at_us + LATER_MIN * US_PER_MIN, ACT_ENDED, contact, 0);
			break;
		}
		end(d, contact, a->kind == DEMO_CALL_JOINED ? d->last_number : "", ended_us(a));
		break;
	}
}

void
demo_calls_taken(struct demo *d, enum demo_said said, uint32_t about, const char *ticket)
{
	switch (said) {
	case SAID_ASKED:
		demo_work_opened(d, about, asked_us(arrival_of(d, about)), ticket, "call");
		end(d, about, ticket, ended_us(arrival_of(d, about)));
		break;
	case SAID_DESK:
		demo_work_opened(d, about, arrival_of(d, about)->at_us, ticket, "desk");
		break;
	case SAID_SMS:
		demo_citizens_answered(d, demo_work_at(d, about));
		break;
	case SAID_OFFERED:
	case SAID_ABANDONED:
	case SAID_ANSWERED:
	case SAID_ENDED:
		count_call(d, about, said);
		break;
	}
}
