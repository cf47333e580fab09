/* An example publisher: call events and ticket requests, kept on disk until the door has them.
 *
 *	example_publisher --keys DIR [--endpoint tcp://...] [--store DIR] [--source NAME]
 *	                  [--count N] [--rate N] [--prefix P]
 *
 * Without --count each line of standard input is the description of a ticket request; with it, N
 * calls are played: offered, answered, a ticket request, ended.  --rate limits calls a second.
 * Each result is one line on standard output; the exit status is 0 when nothing was refused.
 */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <turunc/client.h>

enum { EVENTS_PER_CALL = 4, CALLS_AT_ONCE = 64, LINE_SIZE = 8192 };

struct publisher {
	struct turunc_client *client;
	char *source;
	char *prefix; /* of the ids, which are used once: another event needs another id */
	unsigned long count, rate;
	unsigned long made; /* events */
	unsigned long refused;
	uint64_t start_ms;
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t
time_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
on_result(void *arg, const struct turunc_result *result)
{
	static const char *const words[] = { "?", "accepted", "spooled", "duplicate", "rejected" };
	struct publisher *p = arg;

	printf("%s %s %s%s%s\n", result->id, words[result->status], result->ticket,
	    result->error[0] != '\0' ? " " : "", result->error);
	fflush(stdout);
	p->refused += result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_REJECTED;
}

static void
on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	(void)arg;
	fprintf(stderr, "trouble: %s\n", trouble->text);
}

/* Gives the events that were not taken yet; false: not now, the client is full. */
static bool
publish(struct publisher *p, Turunc__V1__InboundEvent *const *events, size_t count)
{
	const Turunc__V1__InboundEvent *list[EVENTS_PER_CALL];
	size_t taken;

	for (size_t i = 0; i < count; i++)
		list[i] = events[i];
	enum turunc_outcome outcome = turunc_publish_many(p->client, list, count, NULL, &taken);
	p->made += taken;
	if (taken == count)
		return true;
	if (outcome == TURUNC_FULL)
		return false;
	fprintf(stderr, "%s: %s %s\n", list[taken]->id, turunc_outcome_name(outcome),
	    turunc_client_store_why(p->client));
	p->made++; /* it will not be taken tomorrow either */
	p->refused++;
	return taken + 1 == count || publish(p, events + taken + 1, count - taken - 1);
}

static void
envelope(struct publisher *p, Turunc__V1__InboundEvent *event, char *id, char *type)
{
	turunc__v1__inbound_event__init(event);
	event->id = id;
	event->source = p->source;
	event->type = type;
	event->time_us = time_us();
}

static bool
publish_line(struct publisher *p, char *id, char *line)
{
	Turunc__V1__InboundEvent event, *list[] = { &event };
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	char type[] = "ticket.request";

	envelope(p, &event, id, type);
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	event.ticket_request = &request;
	request.description = line;
	return publish(p, list, 1);
}

/* What an exchange and an agent's screen say about one call, from its made-th event on: with a
 * store that is one write to the disk for all of it. */
static bool
publish_call(struct publisher *p)
{
	char types[EVENTS_PER_CALL][24] = { "call.offered", "call.answered", "ticket.request",
		"call.ended" };
	char call_id[80], ids[EVENTS_PER_CALL][192], text[160], queue[] = "444", ended[] = "ticket";
	Turunc__V1__InboundEvent events[EVENTS_PER_CALL], *list[EVENTS_PER_CALL];
	Turunc__V1__Call calls[EVENTS_PER_CALL];
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	size_t first = p->made % EVENTS_PER_CALL;

	snprintf(call_id, sizeof(call_id), "%.40s-%lu", p->prefix, p->made / EVENTS_PER_CALL);
	snprintf(text, sizeof(text), "%s: kaldırımda çukur var", call_id);
	for (size_t i = 0; i < EVENTS_PER_CALL; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%s/%s", call_id, types[i]);
		envelope(p, &events[i], ids[i], types[i]);
		turunc__v1__call__init(&calls[i]);
		calls[i].call_id = call_id;
		calls[i].queue = queue;
		events[i].body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
		events[i].call = &calls[i];
		list[i] = &events[i];
	}
	events[2].body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	events[2].ticket_request = &request;
	request.description = text;
	request.call_id = call_id;
	request.channel = TURUNC__V1__CHANNEL__CHANNEL_CALL;
	calls[3].disposition = ended;
	return publish(p, list + first, EVENTS_PER_CALL - first);
}

/* Everything is made, by the clock if a rate was asked for; a few calls at a time, so that what
 * was made travels meanwhile. */
static bool
played(void *arg)
{
	struct publisher *p = arg;
	unsigned long due = p->count;

	if (p->rate > 0) {
		unsigned long elapsed = (unsigned long)((now_ms() - p->start_ms) * p->rate / 1000);
		due = elapsed + 1 < p->count ? elapsed + 1 : p->count;
	}
	for (int i = 0; i < CALLS_AT_ONCE && p->made < due * EVENTS_PER_CALL; i++)
		if (!publish_call(p))
			return false;
	return p->made == p->count * EVENTS_PER_CALL;
}

static void
play(struct publisher *p)
{
	p->start_ms = now_ms();
	while (!turunc_client_run_until(p->client, played, p, 20))
		;
}

static bool
has_room(void *arg)
{
	struct publisher *p = arg;

	return turunc_client_pending(p->client) < 1000;
}

/* Lines from standard input, while the client lives: poll both descriptors. */
static void
read_lines(struct publisher *p)
{
	static char line[LINE_SIZE];
	char id[100];
	struct pollfd watched[] = { { .fd = 0, .events = POLLIN },
		{ .fd = turunc_client_fd(p->client), .events = POLLIN } };

	setvbuf(stdin, NULL, _IONBF, 0); /* or poll would not see what stdio has read ahead */
	for (;;) {
		(void)poll(watched, 2, turunc_client_timeout_ms(p->client));
		turunc_client_step(p->client);
		if ((watched[0].revents & (POLLIN | POLLHUP)) == 0)
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			return;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0')
			continue;
		snprintf(id, sizeof(id), "%.40s-%lu", p->prefix, p->made);
		while (!publish_line(p, id, line))
			(void)turunc_client_run_until(p->client, has_room, p, -1);
	}
}

static int
usage(void)
{
	fprintf(stderr, "usage: example_publisher --keys DIR [--endpoint E] [--store DIR] "
			"[--source S] [--count N] [--rate N] [--prefix P]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "keys", 1, NULL, 'k' },
		{ "endpoint", 1, NULL, 'e' }, { "store", 1, NULL, 's' }, { "source", 1, NULL, 'f' },
		{ "count", 1, NULL, 'n' }, { "rate", 1, NULL, 'r' }, { "prefix", 1, NULL, 'p' },
		{ NULL, 0, NULL, 0 } };
	char source[] = "example", prefix[TURUNC_UUID_SIZE], why[256];
	struct publisher p = { .source = source, .prefix = prefix };
	struct turunc_options options = { .door = TURUNC_DOOR_PUBLISH,
		.software = "example-publisher/1",
		.handlers = { .on_result = on_result, .on_trouble = on_trouble },
		.arg = &p };
	int option;

	turunc_uuid(prefix);
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'k':
			options.key_dir = optarg;
			break;
		case 'e':
			options.endpoint = optarg;
			break;
		case 's':
			options.store_dir = optarg;
			break;
		case 'f':
			p.source = optarg;
			break;
		case 'n':
			p.count = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			p.rate = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			p.prefix = optarg;
			break;
		default:
			return usage();
		}
	}
	if (options.key_dir == NULL)
		return usage();
	p.client = turunc_client_create(&options, why, sizeof(why));
	if (p.client == NULL) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (p.count > 0)
		play(&p);
	else
		read_lines(&p);
	(void)turunc_client_run_until(p.client, NULL, NULL, -1);
	turunc_client_destroy(p.client);
	return p.refused == 0 ? 0 : 1;
}
