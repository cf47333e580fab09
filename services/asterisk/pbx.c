/* Reads calls out of a manager's events. */
#include "pbx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "csv.h"
#include "utf8.h"

enum { SECOND_US = 1000000, BELIEVED_US = 60 * SECOND_US };

struct pbx_call {
	TAILQ_ENTRY(pbx_call) link;
	char id[PBX_TEXT_SIZE]; /* "": unused */
	bool answered, over;
};
TAILQ_HEAD(pbx_call_list, pbx_call);

struct pbx {
	const struct pbx_agents *agents;
	size_t count;
	struct pbx_call_list list; /* the longest unheard first */
	struct pbx_call calls[PBX_CALLS_MAX];
};

/* --- whose phone ---------------------------------------------------------------------------------
 */

static bool
take_agent(struct pbx_agents *agents, const struct csv_reader *csv, char *why, size_t why_size)
{
	if (csv->field_count != 2 || csv->fields[0][0] == '\0'
	    || strlen(csv->fields[0]) >= PBX_TEXT_SIZE || !people_name_valid(csv->fields[1])) {
		(void)snprintf(why, why_size,
		    "line %d: must be an interface (PJSIP/201) and a user's name", csv->line);
		return false;
	}
	for (size_t i = 0; i < agents->count; i++)
		if (strcmp(agents->of[i].interface, csv->fields[0]) == 0) {
			(void)snprintf(
			    why, why_size, "line %d: that interface was named before", csv->line);
			return false;
		}
	if (agents->count == PBX_AGENTS_MAX) {
		(void)snprintf(why, why_size, "more than %d lines", PBX_AGENTS_MAX);
		return false;
	}
	struct pbx_agent *a = &agents->of[agents->count++];
	(void)snprintf(a->interface, sizeof(a->interface), "%s", csv->fields[0]);
	(void)snprintf(a->user, sizeof(a->user), "%s", csv->fields[1]);
	return true;
}

bool
pbx_agents_parse(
    struct pbx_agents *agents, const void *data, size_t size, char *why, size_t why_size)
{
	struct csv_reader csv;
	bool header = false;

	agents->count = 0;
	csv_open(&csv, data, size);
	for (;;) {
		enum csv_result result = csv_read(&csv);
		if (result == CSV_END)
			break;
		if (result == CSV_ERROR) {
			(void)snprintf(why, why_size, "line %d: %s", csv.line, csv.error);
			return false;
		}
		if (header && !take_agent(agents, &csv, why, why_size))
			return false;
		if (!header
		    && (csv.field_count != 2 || strcmp(csv.fields[0], "interface") != 0
			|| strcmp(csv.fields[1], "user") != 0)) {
			(void)snprintf(why, why_size, "needs the header interface,user");
			return false;
		}
		header = true;
	}
	if (!header)
		(void)snprintf(why, why_size, "needs the header interface,user");
	return header;
}

/* "" when it is nobody's. */
static const char *
user_of(const struct pbx_agents *agents, const char *interface)
{
	for (size_t i = 0; interface[0] != '\0' && i < agents->count; i++)
		if (strcmp(agents->of[i].interface, interface) == 0)
			return agents->of[i].user;
	return "";
}

/* --- calls under way
 * ------------------------------------------------------------------------------ */

struct pbx *
pbx_create(const struct pbx_agents *agents)
{
	struct pbx *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->agents = agents;
	TAILQ_INIT(&p->list);
	for (size_t i = 0; i < PBX_CALLS_MAX; i++)
		TAILQ_INSERT_TAIL(&p->list, &p->calls[i], link);
	return p;
}

void
pbx_destroy(struct pbx *p)
{
	free(p);
}

size_t
pbx_calls(const struct pbx *p)
{
	return p->count;
}

static struct pbx_call *
find(struct pbx *p, const char *id)
{
	struct pbx_call *call;

	TAILQ_FOREACH_REVERSE(call, &p->list, pbx_call_list, link)
	{
		if (call->id[0] == '\0')
			return NULL; /* the unused stand in front of the used */
		if (strcmp(call->id, id) == 0)
			return call;
	}
	return NULL;
}

/* Known from now on, and heard of last. */
static struct pbx_call *
remember(struct pbx *p, const char *id)
{
	struct pbx_call *call = find(p, id);

	if (call == NULL) {
		call = TAILQ_FIRST(&p->list);
		p->count += call->id[0] == '\0';
		memcpy(call->id, id, strlen(id) + 1);
		call->answered = call->over = false;
	}
	TAILQ_REMOVE(&p->list, call, link);
	TAILQ_INSERT_TAIL(&p->list, call, link);
	return call;
}

static void
forget(struct pbx *p, struct pbx_call *call)
{
	call->id[0] = '\0';
	p->count--;
	TAILQ_REMOVE(&p->list, call, link);
	TAILQ_INSERT_HEAD(&p->list, call, link);
}

/* --- events
 * --------------------------------------------------------------------------------------- */

/* A value that is no text of ours is as if it were not there. */
static void
copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);
	bool fit = len < size && utf8_valid(from, len);

	for (size_t i = 0; fit && i < len; i++)
		fit = (unsigned char)from[i] >= ' ' && from[i] != 0x7f;
	memcpy(to, fit ? from : "", fit ? len + 1 : 1);
}

/* With timestampevents=yes in manager.conf events carry their own: "1732900000.123456". */
static int64_t
time_of(const struct ami_message *m, int64_t now_us)
{
	const char *text = ami_value(m, "Timestamp");
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 20)
		return now_us;
	int64_t seconds = strtoll(text, &end, 10), micro = 0, unit = SECOND_US / 10;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
			micro += (*end - '0') * unit;
	if (*end != '\0' || seconds > now_us / SECOND_US + BELIEVED_US / SECOND_US)
		return now_us;
	int64_t at_us = seconds * SECOND_US + micro;
	bool near = at_us <= now_us + BELIEVED_US && at_us >= now_us - BELIEVED_US;
	return near ? at_us : now_us;
}

static void
read_agent(const struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	const char *user = user_of(p->agents, ami_value(m, "Interface"));

	if (user[0] == '\0')
		user = user_of(p->agents, ami_value(m, "MemberName"));
	copy(e->agent, sizeof(e->agent), user);
	e->unknown_agent = user[0] == '\0';
}

static void
read_caller(const struct ami_message *m, struct pbx_event *e)
{
	copy(e->caller, sizeof(e->caller), ami_value(m, "CallerIDNum"));
	if (strcmp(e->caller, "<unknown>") == 0)
		e->caller[0] = '\0';
}

static bool
on_join(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	(void)remember(p, e->call_id);
	read_caller(m, e);
	e->type = "call.offered";
	return true;
}

static bool
on_called(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	(void)remember(p, e->call_id);
	read_caller(m, e);
	read_agent(p, m, e);
	e->type = "call.offered";
	return !e->unknown_agent;
}

static bool
on_connect(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	remember(p, e->call_id)->answered = true;
	read_caller(m, e);
	read_agent(p, m, e);
	e->type = "call.answered";
	return true;
}

static bool
on_abandon(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	(void)m;
	remember(p, e->call_id)->over = true;
	e->type = "call.abandoned";
	return true;
}

static bool
on_complete(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	struct pbx_call *call = remember(p, e->call_id);

	call->answered = call->over = true;
	read_agent(p, m, e);
	e->type = "call.ended";
	if (strcmp(ami_value(m, "Reason"), "transfer") == 0)
		e->disposition = "transferred";
	return true;
}

static bool
on_hangup(struct pbx *p, const struct ami_message *m, struct pbx_event *e)
{
	struct pbx_call *call = find(p, e->call_id);

	(void)m;
	if (call == NULL)
		return false;
	bool over = call->over;
	e->type = call->answered ? "call.ended" : "call.abandoned";
	forget(p, call);
	return !over;
}

bool
pbx_take(struct pbx *p, const struct ami_message *m, int64_t now_us, struct pbx_event *ret_event)
{
	static const struct {
		const char *event;
		bool (*take)(struct pbx *p, const struct ami_message *m, struct pbx_event *e);
	} events[] = { { "QueueCallerJoin", on_join }, { "AgentCalled", on_called },
		{ "AgentConnect", on_connect }, { "QueueCallerAbandon", on_abandon },
		{ "AgentComplete", on_complete }, { "Hangup", on_hangup } };
	const char *event = ami_value(m, "Event");

	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		struct pbx_event e = { .disposition = "" };
		if (strcmp(events[i].event, event) != 0)
			continue;
		copy(e.call_id, sizeof(e.call_id), ami_value(m, "Uniqueid"));
		copy(e.queue, sizeof(e.queue), ami_value(m, "Queue"));
		e.time_us = time_of(m, now_us);
		if (e.call_id[0] == '\0' || !events[i].take(p, m, &e))
			return false;
		*ret_event = e;
		return true;
	}
	return false;
}
