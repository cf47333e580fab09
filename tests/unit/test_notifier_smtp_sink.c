/* One mail to Postfix's own smtp-sink in each of its moods: what does its ending mean? */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "channel.h"
#include "check.h"

enum { READY_TRIES = 500, READY_NS = 20 * 1000 * 1000, TIMEOUT_MS = 1000 };
#define SINK "/usr/sbin/smtp-sink"

extern char **environ;

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static int
free_port(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* Until it answers; a connection is enough, whatever it then says. */
static void
wait_ready(int port)
{
	const struct sockaddr_in at = loopback(port);
	bool ready = false;

	for (int i = 0; i < READY_TRIES && !ready; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ready = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
		close(fd);
		if (!ready)
			nanosleep(&(struct timespec){ .tv_nsec = READY_NS }, NULL);
	}
	CHECK_TRUE("smtp-sink listens", ready);
}

static pid_t
start_sink(int port, const char *option, const char *value, const char *more)
{
	char where[40];
	const char *argv[10];
	int count = 0;
	pid_t pid = 0;

	snprintf(where, sizeof(where), "127.0.0.1:%d", port);
	argv[count++] = SINK;
	if (geteuid() == 0) {
		argv[count++] = "-u";
		argv[count++] = "nobody";
	}
	if (option != NULL)
		argv[count++] = option;
	if (value != NULL)
		argv[count++] = value;
	if (more != NULL)
		argv[count++] = more;
	argv[count++] = where;
	argv[count++] = "16";
	argv[count] = NULL;
	CHECK_TRUE(SINK " of Debian's postfix",
	    posix_spawn(&pid, SINK, NULL, NULL, (char *const *)(uintptr_t)argv, environ) == 0);
	wait_ready(port);
	return pid;
}

static void
stop_sink(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static struct job
mail_job(void)
{
	static char sender[] = "masa+b.x@bel.example", recipient[] = "ayse@ornek.example";
	static char payload[] = "Subject: x\r\n\r\nMerhaba\r\n";

	return (struct job){ .sender = sender,
		.recipient = recipient,
		.payload = payload,
		.payload_size = sizeof(payload) - 1,
		.outcome = OUTCOMES };
}

/* More than fits into the sockets between: it cannot have been handed over in one go. */
static struct job
large_job(void)
{
	struct job job = mail_job();

	job.payload_size = 16 * 1024 * 1024;
	job.payload = malloc(job.payload_size + 1);
	for (size_t i = 0; i < job.payload_size; i += 64)
		memcpy(job.payload + i,
		    "0123456789012345678901234567890123456789012345678901234567890\r\n", 64);
	job.payload[job.payload_size] = '\0';
	return job;
}

static const struct {
	const char *name, *option, *value;
	enum outcome outcome;
} moods[] = {
	{ "it takes everything", NULL, NULL, OUTCOME_ACCEPTED },
	{ "no ESMTP", "-e", NULL, OUTCOME_ACCEPTED },
	{ "a firewall's greeting", "-P", NULL, OUTCOME_ACCEPTED },
	{ "another name", "-h", "posta.bel.example", OUTCOME_ACCEPTED },
	{ "no to everybody", "-f", "CONNECT", OUTCOME_UNREACHABLE },
	{ "no to us", "-f", "EHLO,HELO", OUTCOME_UNREACHABLE },
	{ "no to our sender", "-f", "MAIL", OUTCOME_REFUSED },
	{ "no such mailbox", "-f", "RCPT", OUTCOME_REFUSED },
	{ "no text wanted", "-f", "DATA", OUTCOME_REFUSED },
	{ "no to the text", "-f", ".", OUTCOME_REFUSED },
	{ "not now, everybody", "-r", "CONNECT", OUTCOME_UNREACHABLE },
	{ "not now, us", "-r", "EHLO,HELO", OUTCOME_UNREACHABLE },
	{ "not now, our sender", "-r", "MAIL", OUTCOME_DEFERRED },
	{ "not now, this mailbox", "-r", "RCPT", OUTCOME_DEFERRED },
	{ "not now, no text", "-r", "DATA", OUTCOME_DEFERRED },
	{ "not now, this text", "-r", ".", OUTCOME_DEFERRED },
	{ "gone at once", "-q", "CONNECT", OUTCOME_UNREACHABLE },
	{ "gone at our name", "-q", "EHLO", OUTCOME_UNREACHABLE },
	{ "gone at the sender", "-q", "MAIL", OUTCOME_DEFERRED },
	{ "gone at the recipient", "-q", "RCPT", OUTCOME_DEFERRED },
	{ "gone before the text", "-q", "DATA", OUTCOME_DEFERRED },
	{ "gone after the text: who knows", "-q", ".", OUTCOME_UNKNOWN },
	{ "421 at the sender", "-Q", "MAIL", OUTCOME_DEFERRED },
	{ "421 at the text's end", "-Q", ".", OUTCOME_DEFERRED },
	{ "slow to take the text: who knows", "-W", ".:9", OUTCOME_UNKNOWN },
	{ "slow to let us begin", "-W", "DATA:9", OUTCOME_DEFERRED },
	{ "slow to greet", "-W", "EHLO:9", OUTCOME_UNREACHABLE },
};

TEST(test_smtp_sink_in_every_mood)
{
	CURL *curl = curl_easy_init();

	for (size_t i = 0; i < ARRAY_LEN(moods); i++) {
		char url[64];
		int port = free_port();
		pid_t sink = start_sink(port, moods[i].option, moods[i].value, NULL);
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", port);
		const struct smtp_config config = { .url = url,
			.user = "",
			.password = "",
			.tls = SMTP_TLS_OFFERED,
			.ca_file = "",
			.timeout_ms = TIMEOUT_MS };
		struct job job = mail_job();
		curl_easy_reset(curl);
		channel_smtp_work(&config, curl, &job);
		if (!CHECK_U64(moods[i].name, job.outcome, moods[i].outcome))
			printf(
			    "[%s] %s: %s\n", moods[i].name, outcome_name(job.outcome), job.detail);
		stop_sink(sink);
	}
	curl_easy_cleanup(curl);
}

/* It says no while we are still talking; and it stops reading. */
TEST(test_smtp_sink_in_the_middle)
{
	static const struct {
		const char *name, *option, *value;
		enum outcome outcome;
	} ways[] = {
		/* libcurl writes on and does not read it: tried again, which doubles nothing. */
		{ "550 in the middle", "-A", "0", OUTCOME_DEFERRED },
		{ "it stops reading", "-H", "9", OUTCOME_DEFERRED },
	};
	CURL *curl = curl_easy_init();

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		char url[64];
		int port = free_port();
		pid_t sink = start_sink(port, ways[i].option, ways[i].value, NULL);
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", port);
		const struct smtp_config config = { .url = url,
			.user = "",
			.password = "",
			.tls = SMTP_TLS_NEVER,
			.ca_file = "",
			.timeout_ms = TIMEOUT_MS };
		struct job job = large_job();
		curl_easy_reset(curl);
		channel_smtp_work(&config, curl, &job);
		if (!CHECK_U64(ways[i].name, job.outcome, ways[i].outcome))
			printf(
			    "[%s] %s: %s\n", ways[i].name, outcome_name(job.outcome), job.detail);
		free(job.payload);
		stop_sink(sink);
	}
	curl_easy_cleanup(curl);
}

/* smtp-sink has no STARTTLS: where it is required nothing is said in the clear. */
TEST(test_smtp_status_of_a_line)
{
	static const struct {
		const char *line;
		long reply;
		const char *status;
	} lines[] = {
		{ "550 5.1.1 no such mailbox", 550, "5.1.1" },
		{ "550-5.1.10 more", 550, "5.1.10" },
		{ "550 5.1.1", 550, "5.1.1" },
		{ "550 no such mailbox", 550, "" },
		{ "250 2.1.5 ok", 550, "" },
		{ "550 4.1.1 of another class", 550, "" },
		{ "550 5.1 half", 550, "" },
		{ "550 5.1.1.1 more", 550, "" },
		{ "550 5.1.1x", 550, "" },
		{ "550 5.123456789.12345678 long", 550, "" },
		{ "550", 550, "" },
		{ "", 550, "" },
		{ "", 0, "" },
		{ "0", 0, "" },
	};
	char status[JOB_STATUS_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		channel_smtp_status(lines[i].line, lines[i].reply, status);
		CHECK_STR(lines[i].line, status, lines[i].status);
	}
}

/* A user's address that nobody has is told apart from a text that nobody wants. */
TEST(test_smtp_sink_says_whose_fault)
{
	static const struct {
		const char *words, *status;
	} says[] = { { "550 5.1.1 no such mailbox", "5.1.1" }, { "550 5.7.1 policy", "" },
		{ "550 5.2.2 full", "" }, { "553 5.1.8 bad sender", "" }, { "550 no", "" } };
	CURL *curl = curl_easy_init();

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		char url[64];
		int port = free_port();
		pid_t sink = start_sink(port, "-fRCPT", "-B", says[i].words);
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", port);
		const struct smtp_config config = { .url = url,
			.user = "",
			.password = "",
			.ca_file = "",
			.timeout_ms = TIMEOUT_MS };
		struct job job = mail_job();
		curl_easy_reset(curl);
		channel_smtp_work(&config, curl, &job);
		CHECK_U64(says[i].words, job.outcome, OUTCOME_REFUSED);
		CHECK_STR(says[i].words, job.address_status, says[i].status);
		stop_sink(sink);
	}
	curl_easy_cleanup(curl);
}

TEST(test_smtp_sink_without_tls)
{
	CURL *curl = curl_easy_init();
	char url[64];
	int port = free_port();
	pid_t sink = start_sink(port, NULL, NULL, NULL);

	snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", port);
	for (int with_user = 0; with_user < 2; with_user++) {
		const struct smtp_config config = { .url = url,
			.user = with_user ? "masa" : "",
			.password = "s3cret",
			.tls = with_user ? SMTP_TLS_OFFERED : SMTP_TLS_REQUIRED,
			.ca_file = "",
			.timeout_ms = TIMEOUT_MS };
		struct job job = mail_job();
		curl_easy_reset(curl);
		channel_smtp_work(&config, curl, &job);
		CHECK_U64(job.detail, job.outcome, OUTCOME_UNREACHABLE);
	}
	stop_sink(sink);
	curl_easy_cleanup(curl);
}
