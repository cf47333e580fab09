/* The doors that are not the bus: pages, the mail server's side of LMTP, and CİMER's folder. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "demo.h"

enum {
	URL_BYTES = 600,
	BODY_MAX = 8 * 1024 * 1024,
	PATIENCE_MS = 60000,
	FILE_LOOK_MS = 20,
	FILE_PATIENCE_MS = 60000
};

struct demo_doors {
	CURL *curl;
	char *body;
	size_t len, room;
	int lmtp; /* -1: not connected */
	char heard[1024];
	size_t heard_len;
};

enum exit_code
demo_doors_open(struct demo *d)
{
	d->doors = calloc(1, sizeof(*d->doors));
	if (d->doors == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	d->doors->lmtp = -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK
	    || (d->doors->curl = curl_easy_init()) == NULL || !demo_errands_open(d))
		return masa_fail(MASA_FAILED, "libcurl cannot be used");
	return MASA_OK;
}

void
demo_doors_close(struct demo *d)
{
	demo_errands_close(d);
	if (d->doors == NULL)
		return;
	curl_easy_cleanup(d->doors->curl);
	if (d->doors->lmtp != -1)
		close(d->doors->lmtp);
	free(d->doors->body);
	free(d->doors);
	d->doors = NULL;
}

/* --- pages -------------------------------------------------------------------------------------
 */

static size_t
hear(char *data, size_t one, size_t count, void *arg)
{
	struct demo_doors *doors = arg;
	size_t len = one * count;

	if (doors->len + len + 1 > BODY_MAX)
		return 0;
	if (doors->len + len + 1 > doors->room) {
		size_t room = (doors->len + len + 1) * 2;
		char *body = realloc(doors->body, room);
		if (body == NULL)
			return 0;
		doors->body = body;
		doors->room = room;
	}
	memcpy(doors->body + doors->len, data, len);
	doors->len += len;
	doors->body[doors->len] = '\0';
	return len;
}

long
demo_doors_get(struct demo *d, const char *base, const char *path)
{
	struct demo_doors *doors = d->doors;
	char url[URL_BYTES];
	long status = 0;

	doors->len = 0;
	if (doors->body != NULL)
		doors->body[0] = '\0';
	if (snprintf(url, sizeof(url), "%s%s", base, path) >= (int)sizeof(url))
		return 0;
	curl_easy_reset(doors->curl); /* options go, the connection stays */
	curl_easy_setopt(doors->curl, CURLOPT_URL, url);
	curl_easy_setopt(doors->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(doors->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(doors->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(doors->curl, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
	curl_easy_setopt(doors->curl, CURLOPT_WRITEFUNCTION, hear);
	curl_easy_setopt(doors->curl, CURLOPT_WRITEDATA, doors);
	CURLcode code = curl_easy_perform(doors->curl);
	curl_easy_getinfo(doors->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		demo_trouble(d, "%s: %s", path, curl_easy_strerror(code));
		return 0;
	}
	return status;
}

const char *
demo_doors_body(const struct demo *d)
{
	return d->doors->body != NULL ? d->doors->body : "";
}

void
demo_form_add(struct demo_form *f, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF",
			  plain[] =
			      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.[]";

	if (f->len + strlen(name) + 3 * strlen(value) + 3 > sizeof(f->text))
		return;
	f->len += (size_t)sprintf(f->text + f->len, "%s%s=", f->len == 0 ? "" : "&", name);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;
		if (strchr(plain, c) != NULL) {
			f->text[f->len++] = (char)c;
		} else {
			f->text[f->len++] = '%';
			f->text[f->len++] = hex[c >> 4];
			f->text[f->len++] = hex[c & 15];
		}
	}
	f->text[f->len] = '\0';
}

/* --- LMTP --------------------------------------------------------------------------------------
 */

static int
connected(const char *address)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int fd = -1;

	if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -1;
	for (struct addrinfo *at = found; at != NULL && fd == -1; at = at->ai_next) {
		const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (fd == -1)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (connect(fd, at->ai_addr, at->ai_addrlen) == -1) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* The code of the next reply, 0: none; its last line is in line. */
static int
reply_of(struct demo_doors *doors, char *line, size_t size)
{
	for (;;) {
		char *end = memchr(doors->heard, '\n', doors->heard_len);
		if (end != NULL) {
			size_t len = (size_t)(end - doors->heard) + 1;
			bool last = len > 3 && doors->heard[3] != '-';
			snprintf(line, size, "%.*s", (int)(len - 1), doors->heard);
			doors->heard_len -= len;
			memmove(doors->heard, end + 1, doors->heard_len);
			if (last)
				return atoi(line);
			continue;
		}
		if (doors->heard_len == sizeof(doors->heard))
			return 0;
		ssize_t got = recv(doors->lmtp, doors->heard + doors->heard_len,
		    sizeof(doors->heard) - doors->heard_len, 0);
		if (got <= 0)
			return 0;
		doors->heard_len += (size_t)got;
	}
}

static bool
say(struct demo_doors *doors, const char *words, int wanted, char *line, size_t size)
{
	size_t len = strlen(words);

	line[0] = '\0';
	while (len > 0) {
		ssize_t sent = send(doors->lmtp, words, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		words += sent;
		len -= (size_t)sent;
	}
	return reply_of(doors, line, size) == wanted;
}

bool
demo_doors_mail(struct demo *d, const char *from, const char *to, const char *mail)
{
	struct demo_doors *doors = d->doors;
	char words[400], line[300] = "";

	if (doors->lmtp == -1) {
		doors->heard_len = 0;
		doors->lmtp = connected(d->options.lmtp);
		if (doors->lmtp == -1 || reply_of(doors, line, sizeof(line)) != 220
		    || !say(doors, "LHLO demo.example\r\n", 250, line, sizeof(line))) {
			demo_trouble(d, "LMTP at %s: %s", d->options.lmtp, line);
			if (doors->lmtp != -1)
				close(doors->lmtp);
			doors->lmtp = -1;
			return false;
		}
	}
	snprintf(words, sizeof(words), "MAIL FROM:<%s>\r\n", from);
	bool taken = say(doors, words, 250, line, sizeof(line));
	snprintf(words, sizeof(words), "RCPT TO:<%s>\r\n", to);
	taken = taken && say(doors, words, 250, line, sizeof(line))
		&& say(doors, "DATA\r\n", 354, line, sizeof(line))
		&& say(doors, mail, 250, line, sizeof(line));
	if (!taken) {
		demo_trouble(d, "a mail was not taken: %s", line);
		close(doors->lmtp);
		doors->lmtp = -1;
	}
	return taken;
}

/* --- CİMER's folder ----------------------------------------------------------------------------
 */

static bool
is_there(const char *folder, const char *place, const char *name)
{
	char path[URL_BYTES];
	struct stat st;

	return snprintf(path, sizeof(path), "%s/%s%s", folder, place, name) < (int)sizeof(path)
	       && stat(path, &st) == 0;
}

static bool
put(const char *folder, const char *name, const char *text)
{
	char draft[URL_BYTES], path[URL_BYTES];
	size_t len = strlen(text);

	if (snprintf(draft, sizeof(draft), "%s/.%s", folder, name) >= (int)sizeof(draft)
	    || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0664);
	if (fd == -1)
		return false;
	/* The mask of whoever plays must not keep intake from reading it. */
	bool written = fchmod(fd, 0664) == 0 && write(fd, text, len) == (ssize_t)len;
	return close(fd) == 0 && written && rename(draft, path) == 0;
}

bool
demo_doors_file(struct demo *d, const char *name, const char *text)
{
	const char *folder = d->options.cimer_dir;
	uint64_t until_ms = clock_monotonic_ms() + FILE_PATIENCE_MS;

	if (!put(folder, name, text)) {
		demo_trouble(d, "%s/%s: %s", folder, name, strerror(errno));
		return false;
	}
	while (!is_there(folder, "done/", name)) {
		if (is_there(folder, "rejected/", name) || clock_monotonic_ms() > until_ms) {
			demo_trouble(d, "%s/%s was not taken", folder, name);
			return false;
		}
		demo_bus_pump(d, FILE_LOOK_MS);
	}
	return true;
}
