/* The connection to the manager: made, signed in over, pinged, and made again. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <event2/util.h>

#include "asterisk.h"
#include "backoff.h"
#include "clock.h"
#include "log.h"

enum { READ_BYTES_MAX = 256 * 1024, CONNECT_MS = 5000, ANSWER_MS = 10000, REFUSED_MS = 30000 };

static const struct backoff again = { .first_ms = 500, .cap_ms = 15000, .spread_percent = 25 };

static void
wake(struct asterisk *a)
{
	daemon_wake_now(a->daemon);
}

/* The link goes at the next turn: it may be in its own callback. */
static void
lose(struct asterisk *a, const char *why, uint64_t at_least_ms)
{
	uint64_t wait_ms = backoff_delay_ms(&again, a->failures, randombytes_random());

	if (a->lost)
		return;
	if (wait_ms < at_least_ms)
		wait_ms = at_least_ms;
	log_warn("manager lost, tried again wait_ms=%" PRIu64 " why=%s", wait_ms, log_quoted(why));
	a->failures++;
	a->lost = true;
	a->retry_ms = clock_monotonic_ms() + wait_ms;
	wake(a);
}

static void
say(struct asterisk *a, const char *action, const char *fields)
{
	struct evbuffer *out = bufferevent_get_output(a->link);

	if (evbuffer_add_printf(out, "Action: %s\r\nActionID: turunc-%" PRIu64 "\r\n%s\r\n", action,
		++a->action, fields)
	    < 0)
		lose(a, "out of memory", 0);
	a->said_ms = clock_monotonic_ms();
}

static void
sign_in(struct asterisk *a)
{
	char fields[512];
	int len = snprintf(fields, sizeof(fields),
	    "Username: %s\r\nSecret: %s\r\nEvents: call,agent\r\n", a->config.user,
	    a->config.secret);

	a->state = ASTERISK_SIGNING_IN;
	if (len > 0 && (size_t)len < sizeof(fields))
		say(a, "Login", fields);
	sodium_memzero(fields, sizeof(fields));
}

/* --- what it says
 * --------------------------------------------------------------------------------- */

static void
on_response(struct asterisk *a, const struct ami_message *m)
{
	bool success = strcasecmp(ami_value(m, "Response"), "Success") == 0;

	if (a->state != ASTERISK_SIGNING_IN)
		return; /* Pong, and what nobody asked for */
	if (!success) {
		log_error("the manager refuses user and secret user=%s says=%s",
		    log_quoted(a->config.user), log_quoted(ami_value(m, "Message")));
		lose(a, "refused", REFUSED_MS);
		return;
	}
	a->state = ASTERISK_LISTENING;
	a->failures = 0;
	log_info("manager reached, listening");
}

static void
on_message(void *arg, const struct ami_message *m)
{
	struct asterisk *a = arg;

	if (ami_value(m, "Response")[0] != '\0')
		on_response(a, m);
	else if (a->state == ASTERISK_LISTENING && ami_value(m, "Event")[0] != '\0')
		asterisk_on_event(a, m);
}

static void
on_read(struct bufferevent *link, void *arg)
{
	struct asterisk *a = arg;
	struct evbuffer *in = bufferevent_get_input(link);
	uint64_t too_long = a->reader.too_long;
	char part[8192];
	int got;

	a->heard_ms = clock_monotonic_ms();
	while (!a->lost && (got = evbuffer_remove(in, part, sizeof(part))) > 0)
		ami_feed(&a->reader, part, (size_t)got);
	if (a->reader.too_long != too_long)
		log_warn("a message of the manager was too long and passed over total=%" PRIu64,
		    a->reader.too_long);
}

static void
on_link(struct bufferevent *link, short what, void *arg)
{
	struct asterisk *a = arg;

	(void)link;
	if (what & BEV_EVENT_CONNECTED) {
		a->heard_ms = clock_monotonic_ms();
		sign_in(a);
	} else if (what & BEV_EVENT_EOF) {
		lose(a, "it closed the connection", 0);
	} else {
		lose(a, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()), 0);
	}
}

/* --- connecting
 * ----------------------------------------------------------------------------------- */

static bool
connect_to(struct asterisk *a, const char *numeric)
{
	struct sockaddr_storage to;
	int len = sizeof(to);
	char text[ADDRESS_SIZE + 16];
	bool six = strchr(numeric, ':') != NULL;

	(void)snprintf(text, sizeof(text), six ? "[%s]:%u" : "%s:%u", numeric,
	    (unsigned)a->config.manager.port);
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&to, &len) != 0)
		return false;
	a->link = bufferevent_socket_new(
	    daemon_loop(a->daemon), -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (a->link == NULL)
		return false;
	bufferevent_setcb(a->link, on_read, NULL, on_link, a);
	bufferevent_setwatermark(a->link, EV_READ, 0, READ_BYTES_MAX);
	return bufferevent_enable(a->link, EV_READ | EV_WRITE) == 0
	       && bufferevent_socket_connect(a->link, (struct sockaddr *)&to, len) == 0;
}

static void
begin(struct asterisk *a, uint64_t now_ms)
{
	const char *numeric = a->addresses.numeric[a->next_address++ % a->addresses.count];

	a->state = ASTERISK_CONNECTING;
	a->lost = false;
	a->heard_ms = a->said_ms = now_ms;
	a->reader.on_message = on_message;
	a->reader.arg = a;
	ami_begin(&a->reader);
	if (!connect_to(a, numeric))
		lose(a, strerror(errno), 0);
}

void
manager_close(struct asterisk *a)
{
	if (a->link != NULL)
		bufferevent_free(a->link);
	a->link = NULL;
	a->state = ASTERISK_WAITING;
	a->lost = false;
}

/* What came while this process stood still, and is not read yet: Asterisk would not say it again
 * on another connection. */
static bool
has_said_more(const struct asterisk *a)
{
	struct pollfd fd = { .fd = bufferevent_getfd(a->link), .events = POLLIN };

	return evbuffer_get_length(bufferevent_get_input(a->link)) > 0 || poll(&fd, 1, 0) > 0;
}

int64_t
manager_tick(struct asterisk *a, uint64_t now_ms)
{
	static const int64_t look_ms = 100;

	if (a->lost)
		manager_close(a);
	if (a->state == ASTERISK_WAITING) {
		if (now_ms < a->retry_ms)
			return (int64_t)(a->retry_ms - now_ms);
		begin(a, now_ms);
		return look_ms;
	}
	if (has_said_more(a))
		return look_ms;
	uint64_t silent_ms = now_ms - a->heard_ms;
	if (a->state == ASTERISK_CONNECTING && silent_ms >= CONNECT_MS)
		lose(a, "no connection in time", 0);
	else if (a->state == ASTERISK_SIGNING_IN && silent_ms >= ANSWER_MS)
		lose(a, "no answer to the login", 0);
	else if (a->state == ASTERISK_LISTENING && silent_ms >= (uint64_t)a->config.silence_ms)
		lose(a, "it is silent", 0);
	else if (a->state == ASTERISK_LISTENING
		 && now_ms - a->said_ms >= (uint64_t)a->config.ping_ms)
		say(a, "Ping", "");
	return look_ms;
}
