/* A server that answers for a mail when nobody waits for it any more, and one that says no goodbye.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "check.h"

enum { TIMEOUT_MS = 2000, LINE_BYTES = 4096 };

/* What it has heard; the mails were taken one by one. */
struct server {
	int listener, port;
	pthread_t thread;
	bool late; /* it answers for the first mail only when more is said, or somebody comes */
	bool polite; /* it answers a QUIT */
	unsigned mails, connections;
};

static void
say(int fd, const char *line)
{
	(void)send(fd, line, strlen(line), MSG_NOSIGNAL);
}

/* False: closed.  Reads a byte at a time, so that nothing of the next line is taken. */
static bool
read_line(int fd, char line[LINE_BYTES])
{
	size_t len = 0;

	while (len < LINE_BYTES - 1 && recv(fd, line + len, 1, 0) == 1)
		if (line[len++] == '\n')
			break;
	line[len] = '\0';
	return len > 0;
}

/* The text is there; the next that happens is heard before it is answered. */
static void
take_mail(struct server *s, int fd)
{
	struct pollfd heard[] = { { fd, POLLIN, 0 }, { s->listener, POLLIN, 0 } };

	if (s->mails++ == 0 && s->late) {
		(void)poll(heard, ARRAY_LEN(heard), 60000);
		say(fd, "554 5.7.1 late\r\n");
	} else {
		say(fd, "250 2.0.0 taken\r\n");
	}
}

static void
talk(struct server *s, int fd)
{
	char line[LINE_BYTES];
	bool text = false;

	say(fd, "220 late.example\r\n");
	while (read_line(fd, line)) {
		if (text && strcmp(line, ".\r\n") == 0) {
			text = false;
			take_mail(s, fd);
		} else if (text) {
			continue;
		} else if (strncmp(line, "DATA", 4) == 0) {
			text = true;
			say(fd, "354 go on\r\n");
		} else if (strncmp(line, "QUIT", 4) != 0 || s->polite) {
			say(fd, "250 fine\r\n");
		}
	}
	close(fd);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		s->connections++;
		talk(s, fd);
	}
	return NULL;
}

static void
open_server(struct server *s, char url[64])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(s->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(listen(s->listener, 8) == 0);
	CHECK(getsockname(s->listener, (struct sockaddr *)&at, &len) == 0);
	CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
	(void)snprintf(url, 64, "smtp://127.0.0.1:%d", ntohs(at.sin_port));
}

static void
close_server(struct server *s)
{
	(void)shutdown(s->listener, SHUT_RDWR);
	CHECK(pthread_join(s->thread, NULL) == 0);
	close(s->listener);
}

static enum outcome
send_one(CURL *curl, const char *url)
{
	static char sender[] = "masa@bel.example", recipient[] = "ayse@ornek.example",
		    payload[] = "Subject: x\r\n\r\nMerhaba\r\n";
	const struct smtp_config config = { .url = url,
		.user = "",
		.password = "",
		.tls = SMTP_TLS_NEVER,
		.ca_file = "",
		.timeout_ms = TIMEOUT_MS };
	struct job job = { .sender = sender,
		.recipient = recipient,
		.payload = payload,
		.payload_size = sizeof(payload) - 1,
		.outcome = OUTCOMES };

	curl_easy_reset(curl);
	channel_smtp_work(&config, curl, &job);
	return job.outcome;
}

TEST(test_smtp_late_answer_is_not_the_next_mails)
{
	struct server server = { .late = true, .polite = true };
	char url[64];
	CURL *curl = curl_easy_init();

	open_server(&server, url);
	CHECK_U64("nobody knows", send_one(curl, url), OUTCOME_UNKNOWN);
	CHECK_U64("the next is taken", send_one(curl, url), OUTCOME_ACCEPTED);
	CHECK_U64(
	    "and goes by the same way as the one behind it", send_one(curl, url), OUTCOME_ACCEPTED);
	channel_smtp_finish(curl);
	close_server(&server);
	CHECK_U64("all were handed over", server.mails, 3);
	CHECK_U64("the second way was kept", server.connections, 2);
}

TEST(test_smtp_goodbye_is_said_and_not_waited_for)
{
	struct server server = { 0 };
	char url[64];
	CURL *curl = curl_easy_init();

	open_server(&server, url);
	CHECK_U64("taken", send_one(curl, url), OUTCOME_ACCEPTED);
	uint64_t began_ms = check_now_ms();
	channel_smtp_finish(curl);
	CHECK(check_now_ms() - began_ms < 20000);
	close_server(&server);
}
