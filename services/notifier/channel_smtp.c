/* One mail over SMTP by libcurl, and what its ending means. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bouncing.h"
#include "channel.h"
#include "failpoint.h"

const char *const smtp_tls_words[] = { "never", "offered", "required", NULL };

enum { SMTP_GREETING = 220 };

struct upload {
	const char *at;
	size_t left;
};

static size_t
give(char *to, size_t one, size_t count, void *arg)
{
	struct upload *u = arg;
	size_t room = one * count, len = u->left < room ? u->left : room;

	memcpy(to, u->at, len);
	u->at += len;
	u->left -= len;
	return len;
}

/*
 * The server's last word decides.  Without one it matters whether the whole text had been handed
 * over: then the mail may have been taken although nobody heard the answer (RFC 5321, 4.5.3.2.6).
 */
enum outcome
channel_smtp_judge(int curl_code, long reply, bool handed_over)
{
	switch (curl_code) {
	case CURLE_OK:
		return OUTCOME_ACCEPTED;
	/* The server takes mail from nobody like us, now: no word about this mail. */
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_LOGIN_DENIED:
	case CURLE_REMOTE_ACCESS_DENIED:
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return OUTCOME_UNREACHABLE;
	case CURLE_WEIRD_SERVER_REPLY: /* a greeting that is none, or a final answer */
		if (!handed_over)
			return OUTCOME_UNREACHABLE;
		break;
	default:
		break;
	}
	if (reply >= 500 && reply <= 599)
		return OUTCOME_REFUSED;
	if (reply >= 400 && reply <= 499)
		return OUTCOME_DEFERRED;
	if (handed_over)
		return OUTCOME_UNKNOWN;
	/* A greeting alone says nothing of this mail. */
	return reply == 0 || reply == SMTP_GREETING ? OUTCOME_UNREACHABLE : OUTCOME_DEFERRED;
}

/* A password goes to nobody but a server that has shown who it is. */
static void
use_tls(CURL *curl, const struct smtp_config *c)
{
	static const long ways[] = { [SMTP_TLS_NEVER] = CURLUSESSL_NONE,
		[SMTP_TLS_OFFERED] = CURLUSESSL_TRY,
		[SMTP_TLS_REQUIRED] = CURLUSESSL_ALL };
	enum smtp_tls tls = (enum smtp_tls)c->tls;

	if (c->user[0] != '\0' && tls == SMTP_TLS_OFFERED)
		tls = SMTP_TLS_REQUIRED;
	bool implicit = strncmp(c->url, "smtps:", strlen("smtps:")) == 0;
	bool looked_at = implicit || tls == SMTP_TLS_REQUIRED;
	curl_easy_setopt(curl, CURLOPT_USE_SSL, ways[tls]);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, looked_at ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, looked_at ? 2L : 0L);
	if (c->ca_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
}

/* The last line in which the server refused something, without its end; libcurl says QUIT behind
 * it, to which there is an answer as well. */
struct said {
	char line[JOB_DETAIL_SIZE];
};

static size_t
hear(char *line, size_t one, size_t count, void *arg)
{
	struct said *said = arg;
	size_t len = one * count, kept = len < sizeof(said->line) ? len : sizeof(said->line) - 1;

	if (len == 0 || (line[0] != '4' && line[0] != '5'))
		return len;
	memcpy(said->line, line, kept);
	said->line[kept] = '\0';
	said->line[strcspn(said->line, "\r\n")] = '\0';
	return len;
}

/* The enhanced status (RFC 2034) of "550 5.1.1 no such mailbox"; "" when there is none, or it is of
 * another reply. */
void
channel_smtp_status(const char *line, long reply, char ret_status[JOB_STATUS_SIZE])
{
	char code[8];
	size_t len = 0, dots = 0;

	ret_status[0] = '\0';
	snprintf(code, sizeof(code), "%ld", reply);
	if (reply < 400 || reply > 599 || strncmp(line, code, 3) != 0
	    || (line[3] != ' ' && line[3] != '-') || line[4] != code[0])
		return;
	const char *at = line + 4;
	for (; at[len] == '.' || (at[len] >= '0' && at[len] <= '9'); len++)
		dots += at[len] == '.';
	if (dots != 2 || len >= JOB_STATUS_SIZE || (at[len] != ' ' && at[len] != '\0'))
		return;
	memcpy(ret_status, at, len);
	ret_status[len] = '\0';
}

/* When nobody has this address, no later mail will do: that is kept apart from the refusal. */
static void
judge_address(struct job *job, const char *line, long reply)
{
	channel_smtp_status(line, reply, job->address_status);
	if (job->outcome != OUTCOME_REFUSED || job->address_status[0] == '\0'
	    || !bouncing_marks(job->address_status))
		job->address_status[0] = '\0';
}

/* What is shut is not used again, and nothing is waited for on it. */
static void
shut(CURL *curl, int how)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK
	    && fd != CURL_SOCKET_BAD)
		(void)shutdown(fd, how);
}

void
channel_smtp_finish(void *curl)
{
	shut(curl, SHUT_RD);
	curl_easy_cleanup(curl);
}

void
channel_smtp_work(const void *config, void *curl, struct job *job)
{
	const struct smtp_config *c = config;
	struct upload upload = { job->payload, job->payload_size };
	char sender[300], recipient[300], why[CURL_ERROR_SIZE] = "";
	struct said said = { .line = "" };
	long reply = 0;

	snprintf(sender, sizeof(sender), "<%s>", job->sender);
	snprintf(recipient, sizeof(recipient), "<%s>", job->recipient);
	struct curl_slist *to = curl_slist_append(NULL, recipient);
	if (to == NULL) {
		job->outcome = OUTCOME_DEFERRED;
		job_say(job, "out of memory");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, c->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	use_tls(curl, c);
	if (c->user[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_USERNAME, c->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, c->password);
	}
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, hear);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &said);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	CURLcode code = CURLE_COULDNT_CONNECT;
	if (!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_BEFORE))
		code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
	if (code == CURLE_OK && failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER)) {
		code = CURLE_RECV_ERROR; /* the last answer did not come */
		reply = 0;
	}
	curl_slist_free_all(to);
	/* libcurl keeps the connection even if the answer to the whole text did not come in time;
	 * the next mail would take it for its own. */
	if (code != CURLE_OK)
		shut(curl, SHUT_RDWR);
	job->outcome = channel_smtp_judge((int)code, reply, upload.left == 0);
	judge_address(job, said.line, reply);
	if (code != CURLE_OK)
		job_say(job, "smtp %ld: %.120s", reply,
		    why[0] != '\0' ? why : curl_easy_strerror(code));
}
