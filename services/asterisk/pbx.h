/*
 * pbx - what the queue and agent events of an Asterisk say of a call, as events of ours.
 *
 *	QueueCallerJoin		call.offered, with queue and caller
 *	AgentCalled		call.offered once more, with whose phone rings
 *	AgentConnect		call.answered
 *	QueueCallerAbandon	call.abandoned
 *	AgentComplete		call.ended; "transferred" when the agent transferred it
 *	Hangup			call.ended or call.abandoned, when none of the above said so
 *
 * A call is known by its Uniqueid.  Calls that no queue had, and everything else a manager says,
 * are nothing to us.  What was seen of the calls under way is remembered within a fixed table, the
 * oldest forgotten first.  Pure: times come in.
 */
#ifndef ASTERISK_PBX_H
#define ASTERISK_PBX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ami.h"
#include "base.h"
#include "people.h"

enum { PBX_CALLS_MAX = 1024, PBX_TEXT_SIZE = 129, PBX_AGENTS_MAX = 1000 };
enum { PBX_AGENT_SIZE = PEOPLE_NAME_BYTES + 1 };

/* Which phone is whose: the interface or the name of the queue's member, and the user. */
struct pbx_agent {
	char interface[PBX_TEXT_SIZE];
	char user[PBX_AGENT_SIZE];
};

struct pbx_agents {
	size_t count;
	struct pbx_agent of[PBX_AGENTS_MAX];
};

/* Lines "interface,user" of CSV with that header.  False: why says what is wrong, with the line. */
MUST_CHECK bool pbx_agents_parse(
    struct pbx_agents *agents, const void *data, size_t size, char *why, size_t why_size);

struct pbx;

/* agents are lent.  NULL: out of memory.  Destroy takes NULL. */
struct pbx *pbx_create(const struct pbx_agents *agents);
void pbx_destroy(struct pbx *p);

/* One event of ours; texts are "" when not known. */
struct pbx_event {
	const char *type; /* "call.offered" */
	char call_id[PBX_TEXT_SIZE];
	char queue[PBX_TEXT_SIZE], agent[PBX_AGENT_SIZE], caller[PBX_TEXT_SIZE];
	const char *disposition;
	int64_t time_us;
	bool unknown_agent; /* a phone answered or rang that is nobody's */
};

/* False: it says nothing of a call of a queue.  The event's own time is believed within a minute
 * of now. */
MUST_CHECK bool pbx_take(
    struct pbx *p, const struct ami_message *message, int64_t now_us, struct pbx_event *ret_event);

size_t pbx_calls(const struct pbx *p);

#endif
