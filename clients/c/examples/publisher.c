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

enum { EVENTS_PER_CALL = 4, LINE_SIZE = 8192 };

struct publisher {
	struct turunc_client *client;
	char *source;
	char *prefix; /* of the ids: the same prefix again is the same events again */
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

/* False: not now, the client is full; ask again after a step. */
static bool
publish(struct publisher *p, Turunc__V1__InboundEvent *event)
{
	enum turunc_outcome outcome = turunc_publish(p->client, event, NULL);

	if (outcome == TURUNC_TAKEN || outcome == TURUNC_STORED) {
		p->made++;
		return true;
	}
	if (outcome == TURUNC_FULL)
		return false;
	fprintf(stderr, "%s: %s %s\n", event->id, turunc_outcome_name(outcome),
	    turunc_client_store_why(p->client));
	p->refused++;
	p->made++;
	return true;
}

static bool
publish_request(struct publisher *p, char *id, char *description, char *call_id)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	char type[] = "ticket.request";

	request.description = description;
	request.call_id = call_id;
	request.channel = call_id[0] != '\0' ? TURUNC__V1__CHANNEL__CHANNEL_CALL
					     : TURUNC__V1__CHANNEL__CHANNEL_BUS;
	event.id = id;
	event.source = p->source;
	event.type = type;
	event.time_us = time_us();
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	event.ticket_request = &request;
	return publish(p, &event);
}

static bool
publish_call(struct publisher *p, char *id, char *type, char *call_id)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__Call call = TURUNC__V1__CALL__INIT;
	char queue[] = "444", disposition[] = "ticket";

	call.call_id = call_id;
	call.queue = queue;
	if (strcmp(type, "call.ended") == 0)
		call.disposition = disposition;
	event.id = id;
	event.source = p->source;
	event.type = type;
	event.time_us = time_us();
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
	event.call = &call;
	return publish(p, &event);
}

/* The next of the four events of a call; false when the client is full. */
static bool
play_next(struct publisher *p)
{
	static const char *const types[EVENTS_PER_CALL] = { "call.offered", "call.answered",
		"ticket.request", "call.ended" };
	const char *step = types[p->made % EVENTS_PER_CALL];
	char call_id[80], id[120], type[24], text[160];

	snprintf(call_id, sizeof(call_id), "%.40s-%lu", p->prefix, p->made / EVENTS_PER_CALL);
	snprintf(id, sizeof(id), "%s/%s", call_id, step);
	snprintf(type, sizeof(type), "%s", step);
	if (strcmp(step, "ticket.request") != 0)
		return publish_call(p, id, type, call_id);
	snprintf(text, sizeof(text), "%s: kaldırımda çukur var", call_id);
	return publish_request(p, id, text, call_id);
}

/* Everything is made, by the clock if a rate was asked for. */
static bool
played(void *arg)
{
	struct publisher *p = arg;
	unsigned long due = p->count;

	if (p->rate > 0) {
		unsigned long elapsed = (unsigned long)((now_ms() - p->start_ms) * p->rate / 1000);
		due = elapsed + 1 < p->count ? elapsed + 1 : p->count;
	}
	while (p->made < due * EVENTS_PER_CALL)
		if (!play_next(p))
			return false;
	return p->made == p->count * EVENTS_PER_CALL;
}

static void
play(struct publisher *p)
{
	p->start_ms = now_ms();
	while (!turunc_client_run_until(p->client, played, p, p->rate > 0 ? 20 : 1000))
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
		char no_call[] = "";
		while (!publish_request(p, id, line, no_call))
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
