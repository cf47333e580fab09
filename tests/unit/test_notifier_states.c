/* The life of a message, and what each ending of an attempt means for it. */
#include <curl/curl.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "check.h"
#include "message_state.h"

/* Row: now; column: next; from MESSAGE_QUEUED on. */
static const char *const follows[] = {
	[MESSAGE_QUEUED] = ".x....x",
	[MESSAGE_SENDING] = "x.xxx.x",
	[MESSAGE_SENT] = "....xx.",
	[MESSAGE_UNKNOWN] = "x.x.xxx",
	[MESSAGE_DEAD] = "x.....x",
	[MESSAGE_DELIVERED] = ".......",
	[MESSAGE_DISCARDED] = ".......",
};
_Static_assert(ARRAY_LEN(follows) == MESSAGE_STATES, "a row for each state");

TEST(test_states_that_may_follow)
{
	for (int now = MESSAGE_QUEUED; now < MESSAGE_STATES; now++)
		for (int next = MESSAGE_QUEUED; next < MESSAGE_STATES; next++)
			CHECK_U64(follows[now],
			    message_may_follow((enum message_state)now, (enum message_state)next),
			    follows[now][next - 1] == 'x');
}

static const struct {
	const char *name;
	enum outcome outcome;
	uint32_t deferrals;
	enum message_state want;
} afters[] = {
	{ "taken", OUTCOME_ACCEPTED, 0, MESSAGE_SENT },
	{ "taken at last", OUTCOME_ACCEPTED, 99, MESSAGE_SENT },
	{ "refused", OUTCOME_REFUSED, 0, MESSAGE_DEAD },
	{ "put off", OUTCOME_DEFERRED, 0, MESSAGE_QUEUED },
	{ "put off, one attempt left", OUTCOME_DEFERRED, 1, MESSAGE_QUEUED },
	{ "put off for the last time", OUTCOME_DEFERRED, 2, MESSAGE_DEAD },
	{ "put off after that", OUTCOME_DEFERRED, 9, MESSAGE_DEAD },
	{ "nobody there", OUTCOME_UNREACHABLE, 0, MESSAGE_QUEUED },
	{ "nobody there for days", OUTCOME_UNREACHABLE, 5000, MESSAGE_QUEUED },
	{ "nobody knows", OUTCOME_UNKNOWN, 0, MESSAGE_UNKNOWN },
	{ "had before", OUTCOME_DUPLICATE, 0, MESSAGE_DEAD },
	{ "not wanted", OUTCOME_UNWANTED, 0, MESSAGE_DISCARDED },
	{ "no outcome at all", OUTCOMES, 0, MESSAGE_DEAD },
};

TEST(test_states_after_an_attempt)
{
	for (size_t i = 0; i < ARRAY_LEN(afters); i++) {
		enum message_state got = message_after(afters[i].outcome, afters[i].deferrals, 3);
		CHECK_U64(afters[i].name, got, afters[i].want);
		CHECK_TRUE(afters[i].name, message_may_follow(MESSAGE_SENDING, got));
	}
}

static const struct {
	const char *name;
	CURLcode code;
	long reply;
	bool handed_over;
	enum outcome want;
} mails[] = {
	{ "250", CURLE_OK, 250, true, OUTCOME_ACCEPTED },
	{ "no such host", CURLE_COULDNT_RESOLVE_HOST, 0, false, OUTCOME_UNREACHABLE },
	{ "refused connection", CURLE_COULDNT_CONNECT, 0, false, OUTCOME_UNREACHABLE },
	{ "no greeting in time", CURLE_OPERATION_TIMEDOUT, 0, false, OUTCOME_UNREACHABLE },
	{ "closed before a word", CURLE_RECV_ERROR, 0, false, OUTCOME_UNREACHABLE },
	{ "554 as greeting", CURLE_WEIRD_SERVER_REPLY, 554, false, OUTCOME_UNREACHABLE },
	{ "wrong password", CURLE_LOGIN_DENIED, 535, false, OUTCOME_UNREACHABLE },
	{ "EHLO refused", CURLE_REMOTE_ACCESS_DENIED, 550, false, OUTCOME_UNREACHABLE },
	{ "no TLS", CURLE_USE_SSL_FAILED, 250, false, OUTCOME_UNREACHABLE },
	{ "foreign certificate", CURLE_PEER_FAILED_VERIFICATION, 220, false, OUTCOME_UNREACHABLE },
	{ "450 at RCPT", CURLE_SEND_ERROR, 450, false, OUTCOME_DEFERRED },
	{ "550 at RCPT", CURLE_SEND_ERROR, 550, false, OUTCOME_REFUSED },
	{ "lost after RCPT", CURLE_RECV_ERROR, 250, false, OUTCOME_DEFERRED },
	{ "lost within the text", CURLE_SEND_ERROR, 354, false, OUTCOME_DEFERRED },
	{ "lost after the text", CURLE_RECV_ERROR, 354, true, OUTCOME_UNKNOWN },
	{ "no answer to the text in time", CURLE_OPERATION_TIMEDOUT, 354, true, OUTCOME_UNKNOWN },
	{ "451 to the text", CURLE_RECV_ERROR, 451, true, OUTCOME_DEFERRED },
	{ "554 to the text", CURLE_RECV_ERROR, 554, true, OUTCOME_REFUSED },
	{ "554, as libcurl may also say it", CURLE_WEIRD_SERVER_REPLY, 554, true, OUTCOME_REFUSED },
	{ "nonsense after the text", CURLE_WEIRD_SERVER_REPLY, 0, true, OUTCOME_UNKNOWN },
};

TEST(test_outcomes_of_mail)
{
	for (size_t i = 0; i < ARRAY_LEN(mails); i++)
		CHECK_STR(mails[i].name,
		    outcome_name(channel_smtp_judge(
			(int)mails[i].code, mails[i].reply, mails[i].handed_over)),
		    outcome_name(mails[i].want));
}

static const struct {
	const char *name;
	CURLcode code;
	long sent_bytes;
	enum outcome want;
} texts[] = {
	{ "refused connection", CURLE_COULDNT_CONNECT, 0, OUTCOME_UNREACHABLE },
	{ "no such host", CURLE_COULDNT_RESOLVE_HOST, 0, OUTCOME_UNREACHABLE },
	{ "no answer in time", CURLE_OPERATION_TIMEDOUT, 300, OUTCOME_UNKNOWN },
	{ "closed without a word", CURLE_GOT_NOTHING, 300, OUTCOME_UNKNOWN },
	{ "no HTTP", CURLE_UNSUPPORTED_PROTOCOL, 300, OUTCOME_UNKNOWN },
};

TEST(test_outcomes_of_sms_without_an_answer)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_STR(texts[i].name,
		    outcome_name(channel_sms_judge((int)texts[i].code, texts[i].sent_bytes)),
		    outcome_name(texts[i].want));
}

TEST(test_details_are_plain)
{
	struct job job = { 0 };
	char long_text[400];

	job_say(&job, "smtp %d: %s", 550,
	    "ge\xc3\xa7"
	    "ersiz\r\nX: y\x80");
	CHECK_STR("what is no printable ASCII", job.detail, "smtp 550: ge??ersiz??X: y?");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	job_say(&job, "%s", long_text);
	CHECK_U64("cut", strlen(job.detail), sizeof(job.detail) - 1);
}
