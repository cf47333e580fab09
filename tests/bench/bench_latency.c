/* An open loop of Open311 reports at a fixed rate, and a subscriber: how long from the moment a
 * report was due to be sent until its record is delivered, and until its 201. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "number.h"
#include "turunc/client.h"

enum { CONNECTIONS = 64, SLOTS = 1 << 20 };

struct run;
struct connection {
	struct run *run;
	struct bufferevent *stream;
	int64_t due_us; /* of the report on its way; 0: idle */
};

/* By ticket number; whichever of 201 and Deliver comes first waits here for the other. */
struct slot {
	int64_t ticket_id;
	int64_t due_us, delivered_us;
};

struct run {
	struct event_base *loop;
	struct turunc_client *client;
	struct connection connections[CONNECTIONS];
	size_t turn;
	struct slot *slots;
	struct event *pace, *client_ready;
	struct sockaddr_in address;
	char key[80];
	int64_t first_us;
	uint64_t rate, wanted, due, sent, answered, delivered, failed;
	int64_t *answer_us, *deliver_us;
};

static void send_due(struct run *run);

static struct slot *
slot_of(struct run *run, int64_t ticket_id)
{
	size_t at = (size_t)((uint64_t)ticket_id * UINT64_C(0x9E3779B97F4A7C15) >> 44);

	while (run->slots[at].ticket_id != 0 && run->slots[at].ticket_id != ticket_id)
		at = (at + 1) % SLOTS;
	run->slots[at].ticket_id = ticket_id;
	return &run->slots[at];
}

static void
settle(struct run *run, struct slot *slot)
{
	if (slot->due_us == 0 || slot->delivered_us == 0)
		return;
	run->deliver_us[run->delivered++] = slot->delivered_us - slot->due_us;
	if (run->delivered == run->wanted)
		event_base_loopbreak(run->loop);
}

static void
on_readable(struct bufferevent *stream, void *arg)
{
	struct connection *c = arg;
	struct run *run = c->run;
	struct evbuffer *in = bufferevent_get_input(stream);
	char text[4096];
	ssize_t len = evbuffer_copyout(in, text, sizeof(text) - 1);
	int64_t ticket_id;

	if (len <= 0)
		return;
	text[len] = '\0';
	char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
	if (body == NULL || length == NULL || c->due_us == 0)
		return;
	size_t whole = (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10);
	if ((size_t)len < whole)
		return;
	evbuffer_drain(in, whole);
	char *id = strstr(body, "service_request_id\":");
	id = id != NULL ? strchr(id + 20, '"') : NULL;
	char *end = id != NULL ? strchr(id + 1, '"') : NULL;
	if (strncmp(text + 9, "201", 3) != 0 || end == NULL) {
		run->failed++;
	} else {
		*end = '\0';
		if (number_parse(id + 1, &ticket_id) == NUMBER_OK) {
			struct slot *slot = slot_of(run, ticket_id);
			slot->due_us = c->due_us;
			run->answer_us[run->answered++] = clock_monotonic_us() - c->due_us;
			settle(run, slot);
		}
	}
	c->due_us = 0;
	send_due(run);
}

static void
on_closed(struct bufferevent *stream, short what, void *arg)
{
	struct connection *c = arg;

	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		fprintf(stderr, "bench_latency: a connection was closed\n");
		c->run->failed++;
		event_base_loopbreak(c->run->loop);
	}
}

static void
send_report(struct run *run, struct connection *c)
{
	char body[600];
	int len = snprintf(body, sizeof(body),
	    "api_key=%s&service_code=cadde-supurme&lat=36.8532&long=30.7575&address_string=Fener%%"
	    "20No%%20%d"
	    "&first_name=Deneme&last_name=Kisi&phone=%%2B90532%07d&description=Birikmis%%20copler",
	    run->key, rand() % 300, rand() % 10000000);

	c->due_us = run->first_us + (int64_t)(run->sent * 1000000 / run->rate);
	run->sent++;
	evbuffer_add_printf(bufferevent_get_output(c->stream),
	    "POST /open311/v2/requests.json HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
	    len, body);
}

/* What is due and finds no idle connection goes out late, and its lateness counts.  All are used in
 * turn: one on which nothing comes would be closed. */
static void
send_due(struct run *run)
{
	for (size_t i = 0; i < CONNECTIONS && run->sent < run->due; i++) {
		struct connection *c = &run->connections[run->turn++ % CONNECTIONS];
		if (c->due_us == 0)
			send_report(run, c);
	}
}

static void
on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;
	uint64_t due = (uint64_t)(clock_monotonic_us() - run->first_us) * run->rate / 1000000 + 1;

	(void)fd;
	(void)what;
	run->due = due < run->wanted ? due : run->wanted;
	send_due(run);
}

static void
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct run *run = arg;
	int64_t now_us = clock_monotonic_us(), ticket_id;

	for (size_t i = 0; i < deliver->n_records; i++) {
		if (number_parse(deliver->records[i]->event->subject, &ticket_id) != NUMBER_OK)
			continue;
		struct slot *slot = slot_of(run, ticket_id);
		slot->delivered_us = now_us;
		settle(run, slot);
	}
	turunc_ack(run->client, deliver->through_seq);
}

static void
on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	(void)arg;
	fprintf(stderr, "bench_latency: %s\n", trouble->text);
}

static void
on_subscribed(void *arg, uint64_t from_seq)
{
	struct run *run = arg;

	(void)from_seq;
	if (run->first_us != 0)
		return;
	run->first_us = clock_monotonic_us();
	event_add(run->pace, &(struct timeval){ .tv_usec = 500 });
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	turunc_client_step(run->client);
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_ms(int64_t *values, uint64_t count, double share)
{
	if (count == 0)
		return -1;
	qsort(values, count, sizeof(*values), by_value);
	return (double)values[(uint64_t)((double)(count - 1) * share)] / 1000;
}

static bool
open_connections(struct run *run)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &run->connections[i];
		c->run = run;
		c->stream = bufferevent_socket_new(run->loop, -1, BEV_OPT_CLOSE_ON_FREE);
		if (c->stream == NULL)
			return false;
		bufferevent_setcb(c->stream, on_readable, NULL, on_closed, c);
		bufferevent_enable(c->stream, EV_READ | EV_WRITE);
		if (bufferevent_socket_connect(
			c->stream, (struct sockaddr *)&run->address, sizeof(run->address))
		    == -1)
			return false;
	}
	return true;
}

/* Usage: bench_latency HTTP_PORT API_KEY STREAM SERVER_PUBLIC CLIENT_PUBLIC CLIENT_SECRET RATE
 * SECONDS */
int
main(int argc, char **argv)
{
	static struct run run;
	char why[256], name[TURUNC_UUID_SIZE];
	const char *types[] = { "ticket.routed", "ticket.triaged" };

	if (argc != 9)
		return 2;
	run.rate = strtoull(argv[7], NULL, 10);
	run.wanted = run.rate * strtoull(argv[8], NULL, 10);
	run.slots = calloc(SLOTS, sizeof(*run.slots));
	run.answer_us = calloc(run.wanted, sizeof(int64_t));
	run.deliver_us = calloc(run.wanted, sizeof(int64_t));
	struct event_config *precise = event_config_new();
	event_config_set_flag(precise, EVENT_BASE_FLAG_PRECISE_TIMER);
	run.loop = event_base_new_with_config(precise);
	event_config_free(precise);
	snprintf(run.key, sizeof(run.key), "%s", argv[2]);
	run.address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct turunc_options options = { .door = TURUNC_DOOR_STREAM,
		.endpoint = argv[3],
		.server_public = argv[4],
		.client_public = argv[5],
		.client_secret = argv[6],
		.handlers = { .on_deliver = on_deliver,
		    .on_subscribed = on_subscribed,
		    .on_trouble = on_trouble },
		.arg = &run };
	run.client = turunc_client_create(&options, why, sizeof(why));
	if (run.slots == NULL || run.answer_us == NULL || run.deliver_us == NULL
	    || run.client == NULL || !open_connections(&run)) {
		fprintf(stderr, "bench_latency: cannot start\n");
		return 1;
	}
	turunc_uuid(name);
	struct turunc_subscription wanted = { .name = name,
		.types = types,
		.type_count = ARRAY_LEN(types),
		.from = TURUNC__V1__FROM__FROM_LATEST,
		.window = 4096 };
	run.pace = event_new(run.loop, -1, EV_PERSIST, on_pace, &run);
	run.client_ready = event_new(
	    run.loop, turunc_client_fd(run.client), EV_READ | EV_PERSIST, on_client, &run);
	event_add(run.client_ready, NULL);
	if (turunc_subscribe(run.client, &wanted) != TURUNC_TAKEN)
		return 1;
	turunc_client_step(run.client);
	event_base_loopexit(
	    run.loop, &(struct timeval){ .tv_sec = 30 + (time_t)(run.wanted / run.rate) });
	event_base_dispatch(run.loop);
	printf("RESULT sent=%" PRIu64 " answered=%" PRIu64 " delivered=%" PRIu64 " failed=%" PRIu64
	       " answer_p50_ms=%.2f answer_p99_ms=%.2f deliver_p50_ms=%.2f deliver_p99_ms=%.2f\n",
	    run.sent, run.answered, run.delivered, run.failed,
	    percentile_ms(run.answer_us, run.answered, 0.5),
	    percentile_ms(run.answer_us, run.answered, 0.99),
	    percentile_ms(run.deliver_us, run.delivered, 0.5),
	    percentile_ms(run.deliver_us, run.delivered, 0.99));
	turunc_client_destroy(run.client);
	return run.delivered == run.wanted ? 0 : 1;
}
