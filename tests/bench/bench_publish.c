/* Publishes ticket requests on the bus and prints how many were durably acknowledged a second. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turunc/client.h"

struct run {
	uint64_t wanted, sent, accepted, other;
	int64_t first_us;
};

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
on_result(void *arg, const struct turunc_result *result)
{
	struct run *run = arg;

	if (result->status == TURUNC__V1__PUBLISH_STATUS__PUBLISH_ACCEPTED)
		run->accepted++;
	else
		run->other++;
}

static bool
publish_one(struct turunc_client *client, uint64_t n)
{
	char id[TURUNC_UUID_SIZE], phone[24], address[80], source[] = "bench",
							   type[] = "ticket.request";
	char subject[] = "cadde-supurme", name[] = "Deneme Kisi", neighbourhood[] = "fener";
	char description[] = "Sokakta birikmis copler var, alinmasini rica ederim.";
	struct timespec wall;

	turunc_uuid(id);
	clock_gettime(CLOCK_REALTIME, &wall);
	snprintf(phone, sizeof(phone), "+90532%07d", rand() % 10000000);
	snprintf(address, sizeof(address), "Tekelioglu Caddesi No %d", (int)(n % 300) + 1);
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	request.subject_code = subject;
	request.description = description;
	request.address = address;
	request.neighbourhood = neighbourhood;
	request.name = name;
	request.phone = phone;
	request.channel = TURUNC__V1__CHANNEL__CHANNEL_CALL;
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	event.id = id;
	event.source = source;
	event.type = type;
	event.time_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
	event.body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	event.ticket_request = &request;
	return turunc_publish(client, &event, NULL) == TURUNC_TAKEN;
}

/* Usage: bench_publish ENDPOINT SERVER_PUBLIC CLIENT_PUBLIC CLIENT_SECRET EVENTS */
int
main(int argc, char **argv)
{
	char why[256];
	struct run run = { 0 };

	if (argc != 6)
		return 2;
	run.wanted = strtoull(argv[5], NULL, 10);
	srand((unsigned)time(NULL));
	struct turunc_options options = { .door = TURUNC_DOOR_PUBLISH,
		.endpoint = argv[1],
		.server_public = argv[2],
		.client_public = argv[3],
		.client_secret = argv[4],
		.events_max = 8192,
		.memory_bytes_max = 64 << 20,
		.handlers = { .on_result = on_result },
		.arg = &run };
	struct turunc_client *client = turunc_client_create(&options, why, sizeof(why));
	if (client == NULL) {
		fprintf(stderr, "bench_publish: %s\n", why);
		return 1;
	}
	while (turunc_client_state(client) != TURUNC_READY)
		turunc_client_run_until(client, NULL, NULL, 10);
	run.first_us = now_us();
	int64_t limit_us = run.first_us + INT64_C(120) * 1000000;
	while (run.accepted + run.other < run.wanted && now_us() < limit_us) {
		while (run.sent < run.wanted && run.sent - run.accepted - run.other < 4096
		       && publish_one(client, run.sent))
			run.sent++;
		while (turunc_client_step(client))
			;
		turunc_client_run_until(client, NULL, NULL, 1);
	}
	double seconds = (double)(now_us() - run.first_us) / 1e6;
	printf("RESULT events=%" PRIu64 " seconds=%.3f rejected=%" PRIu64 "\n", run.accepted,
	    seconds, run.other);
	turunc_client_destroy(client);
	return run.accepted == run.wanted ? 0 : 1;
}
