/* What a manager says, cut into messages whatever the pieces it comes in, and what calls it tells
 * of. */
#include <stdio.h>
#include <string.h>

#include "ami.h"
#include "base.h"
#include "check.h"
#include "pbx.h"

enum { NOW_S = 1732900000 };
static const int64_t now_us = (int64_t)NOW_S * 1000000;

static const char said[] =
    "Asterisk Call Manager/5.0.2\r\n"
    "Response: Success\r\nActionID: turunc-1\r\nMessage: Authentication accepted\r\n\r\n"
    "Event: QueueCallerJoin\r\nUniqueid: 1732900000.1\r\nQueue: masa\r\nCallerIDNum: "
    "05321234567\r\n"
    "CallerIDName:\r\nPosition: 1\r\n\r\n"
    "\r\n"
    "a line that is no field\r\nEvent:Odd\r\nevent: second\r\n\r\n";

struct heard {
	size_t count;
	char text[2000];
};

static void
on_message(void *arg, const struct ami_message *m)
{
	struct heard *h = arg;
	size_t used = strlen(h->text);

	h->count++;
	(void)snprintf(h->text + used, sizeof(h->text) - used, "[%s|%s|%s|%s|%zu]",
	    ami_value(m, "response"), ami_value(m, "EVENT"), ami_value(m, "CallerIDNum"),
	    ami_value(m, "CallerIDName"), m->count);
}

static const char heard_of_said[] = "[Success||||3][|QueueCallerJoin|05321234567||6][|Odd|||2]";

TEST(test_messages_in_any_pieces)
{
	static struct ami_reader r = { .on_message = on_message };

	for (size_t piece = 1; piece < sizeof(said); piece++) {
		struct heard h = { 0 };
		r.arg = &h;
		ami_begin(&r);
		for (size_t at = 0; at + 1 < sizeof(said); at += piece) {
			size_t left = sizeof(said) - 1 - at;
			ami_feed(&r, said + at, left < piece ? left : piece);
		}
		CHECK_STR("pieces", h.text, heard_of_said);
	}
	CHECK_U64("nothing was too long", r.too_long, 0);
}

static void
feed_text(struct ami_reader *r, const char *text)
{
	ami_feed(r, text, strlen(text));
}

TEST(test_what_is_too_long_is_passed_over)
{
	static struct ami_reader r = { .on_message = on_message };
	struct heard h = { 0 };

	r.arg = &h;
	ami_begin(&r);
	feed_text(&r, "Event: Long\r\nX: ");
	for (int i = 0; i < AMI_LINE_BYTES; i++)
		feed_text(&r, "x");
	feed_text(&r, "\r\n\r\nEvent: After\r\n\r\n");
	CHECK_STR("a line", h.text, "[|After|||1]");
	feed_text(&r, "Event: Many\r\n");
	for (int i = 0; i < AMI_FIELDS_MAX; i++)
		feed_text(&r, "A: b\r\n");
	feed_text(&r, "\r\nEvent: After\r\n\r\n");
	CHECK_STR("fields", h.text, "[|After|||1][|After|||1]");
	for (int i = 0; i < 6; i++) {
		feed_text(&r, "B: ");
		for (int k = 0; k < AMI_LINE_BYTES - 10; k++)
			feed_text(&r, "y");
		feed_text(&r, "\r\n");
	}
	feed_text(&r, "\r\nEvent: After\r\n\r\n");
	CHECK_STR("a message", h.text, "[|After|||1][|After|||1][|After|||1]");
	CHECK_U64("counted", r.too_long, 3);
	ami_feed(&r, "Event: a\0b\r\nEvent: c\r\n\r\n", 24);
	CHECK_U64("a NUL is no text", h.count, 4);
}

/* --- calls --- */

static const char agents_csv[] =
    "interface,user\nPJSIP/201,ayse\n\"Local/202@agents\",veli\nCan Er,can\n";

/* Each event and what comes of it: type, agent, caller, disposition; NULL: nothing. */
static const struct {
	const char *name, *message, *becomes;
} steps[] = {
	{ "a caller joins",
	    "Event: QueueCallerJoin\nUniqueid: 1.1\nQueue: masa\nCallerIDNum: 0532\n",
	    "call.offered masa - 0532 -" },
	{ "a phone rings",
	    "Event: AgentCalled\nUniqueid: 1.1\nQueue: masa\nInterface: PJSIP/201\nCallerIDNum: "
	    "0532\n",
	    "call.offered masa ayse 0532 -" },
	{ "a phone that is nobody's", "Event: AgentCalled\nUniqueid: 1.1\nInterface: PJSIP/999\n",
	    NULL },
	{ "by the member's name",
	    "Event: AgentCalled\nUniqueid: 1.1\nQueue: masa\nInterface: PJSIP/9\nMemberName: Can "
	    "Er\n",
	    "call.offered masa can - -" },
	{ "answered",
	    "Event: AgentConnect\nUniqueid: 1.1\nQueue: masa\nInterface: Local/202@agents\n",
	    "call.answered masa veli - -" },
	{ "done",
	    "Event: AgentComplete\nUniqueid: 1.1\nQueue: masa\nInterface: PJSIP/201\nReason: "
	    "caller\n",
	    "call.ended masa ayse - -" },
	{ "hung up, which was told", "Event: Hangup\nUniqueid: 1.1\n", NULL },
	{ "hung up again", "Event: Hangup\nUniqueid: 1.1\n", NULL },
	{ "another joins",
	    "Event: QueueCallerJoin\nUniqueid: 1.2\nQueue: masa\nCallerIDNum: <unknown>\n",
	    "call.offered masa - - -" },
	{ "gives up", "Event: QueueCallerAbandon\nUniqueid: 1.2\nQueue: masa\n",
	    "call.abandoned masa - - -" },
	{ "and hangs up", "Event: Hangup\nUniqueid: 1.2\n", NULL },
	{ "a third", "Event: QueueCallerJoin\nUniqueid: 1.3\nQueue: masa\n",
	    "call.offered masa - - -" },
	{ "lost before anybody answered", "Event: Hangup\nUniqueid: 1.3\n",
	    "call.abandoned - - - -" },
	{ "answered by whom nobody knows", "Event: AgentConnect\nUniqueid: 1.4\nInterface: X\n",
	    "call.answered - - - -" },
	{ "lost while talking", "Event: Hangup\nUniqueid: 1.4\n", "call.ended - - - -" },
	{ "transferred",
	    "Event: AgentComplete\nUniqueid: 1.5\nInterface: PJSIP/201\nReason: transfer\n",
	    "call.ended - ayse - transferred" },
	{ "a call of no queue", "Event: Hangup\nUniqueid: 9.9\n", NULL },
	{ "no call", "Event: QueueCallerJoin\nQueue: masa\n", NULL },
	{ "another event", "Event: Newchannel\nUniqueid: 1.6\n", NULL },
	{ "words that are none",
	    "Event: QueueCallerJoin\nUniqueid: 1.7\nQueue: ma\x01sa\nCallerIDNum: \xff\n",
	    "call.offered - - - -" },
};

static struct pbx_event last;
static bool taken;
static struct pbx *pbx;

static void
on_event(void *arg, const struct ami_message *m)
{
	(void)arg;
	taken = pbx_take(pbx, m, now_us, &last);
}

static const char *
or_dash(const char *text)
{
	return text[0] == '\0' ? "-" : text;
}

static void
feed(struct ami_reader *r, const char *message)
{
	taken = false;
	feed_text(r, message);
	feed_text(r, "\n");
}

TEST(test_calls_of_events)
{
	static struct ami_reader r = { .on_message = on_event };
	static struct pbx_agents agents;
	char why[200] = "", line[600];

	CHECK_TRUE(
	    why, pbx_agents_parse(&agents, agents_csv, strlen(agents_csv), why, sizeof(why)));
	pbx = pbx_create(&agents);
	ami_begin(&r);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		feed(&r, steps[i].message);
		if (!CHECK_TRUE(steps[i].name, taken == (steps[i].becomes != NULL)) || !taken)
			continue;
		(void)snprintf(line, sizeof(line), "%s %s %s %s %s", last.type, or_dash(last.queue),
		    or_dash(last.agent), or_dash(last.caller), or_dash(last.disposition));
		CHECK_STR(steps[i].name, line, steps[i].becomes);
	}
	CHECK_U64("those under way", pbx_calls(pbx), 2);
	for (int i = 0; i < 3 * PBX_CALLS_MAX; i++) {
		(void)snprintf(line, sizeof(line), "Event: QueueCallerJoin\nUniqueid: 2.%d\n", i);
		feed(&r, line);
	}
	CHECK_U64("no more than fit", pbx_calls(pbx), PBX_CALLS_MAX);
	feed(&r, "Event: Hangup\nUniqueid: 2.0\n");
	CHECK_TRUE("the oldest are forgotten", !taken);
	(void)snprintf(
	    line, sizeof(line), "Event: Hangup\nUniqueid: 2.%d\n", 3 * PBX_CALLS_MAX - 1);
	feed(&r, line);
	CHECK_TRUE("the newest are not", taken);
	pbx_destroy(pbx);
}

static const struct {
	const char *name, *stamp;
	int64_t us;
} stamps[] = {
	{ "its own time", "1732899990.250000", 1732899990250000 },
	{ "without a fraction", "1732899999", 1732899999000000 },
	{ "an hour ago is not believed", "1732896400.1", 1732900000000000 },
	{ "nor tomorrow", "1732990000.1", 1732900000000000 },
	{ "nor nonsense", "12abc", 1732900000000000 },
	{ "nor what is too long", "99999999999999999999999999", 1732900000000000 },
	{ "nor what overflows", "9223372036854775807", 1732900000000000 },
	{ "nor nothing", "", 1732900000000000 },
};

TEST(test_times_of_events)
{
	static struct ami_reader r = { .on_message = on_event };
	static const struct pbx_agents none;
	char line[200];

	pbx = pbx_create(&none);
	ami_begin(&r);
	for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
		(void)snprintf(line, sizeof(line),
		    "Event: QueueCallerJoin\nUniqueid: 1.1\nTimestamp: %s\n", stamps[i].stamp);
		feed(&r, line);
		CHECK_I64(stamps[i].name, last.time_us, stamps[i].us);
	}
	pbx_destroy(pbx);
}

static const struct {
	const char *name, *csv, *why;
} wrong_agents[] = {
	{ "nothing", "", "header" },
	{ "another header", "phone,user\n", "header" },
	{ "no user", "interface,user\nPJSIP/1,\n", "line 2" },
	{ "no interface", "interface,user\n,ayse\n", "line 2" },
	{ "a name with spaces", "interface,user\nPJSIP/1,Ayse Y\n", "line 2" },
	{ "three fields", "interface,user\nPJSIP/1,ayse,x\n", "line 2" },
	{ "twice", "interface,user\nPJSIP/1,ayse\nPJSIP/1,veli\n", "line 3" },
	{ "a quote without end", "interface,user\n\"PJSIP/1,ayse\n", "line 2" },
};

TEST(test_tables_of_agents_that_are_wrong)
{
	static struct pbx_agents agents;

	for (size_t i = 0; i < ARRAY_LEN(wrong_agents); i++) {
		char why[200] = "";
		CHECK_TRUE(
		    wrong_agents[i].name, !pbx_agents_parse(&agents, wrong_agents[i].csv,
					      strlen(wrong_agents[i].csv), why, sizeof(why)));
		CHECK_TRUE(why, strstr(why, wrong_agents[i].why) != NULL);
	}
}
