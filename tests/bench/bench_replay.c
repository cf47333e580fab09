/* Reads the whole log from its first record through a subscription of its own, and says how fast.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "turunc/client.h"

struct run {
	struct turunc_client *client;
	uint64_t records, through_seq, head_seq;
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
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct run *run = arg;

	run->records += deliver->n_records;
	run->through_seq = deliver->through_seq;
	turunc_ack(run->client, deliver->through_seq);
}

static bool
at_head(void *arg)
{
	const struct run *run = arg;

	return run->head_seq != 0 && run->through_seq >= run->head_seq;
}

/* Usage: bench_replay ENDPOINT SERVER_PUBLIC CLIENT_PUBLIC CLIENT_SECRET */
int
main(int argc, char **argv)
{
	struct run run = { 0 };
	char why[256], name[TURUNC_UUID_SIZE];

	if (argc != 5)
		return 2;
	struct turunc_options options = { .door = TURUNC_DOOR_STREAM,
		.endpoint = argv[1],
		.server_public = argv[2],
		.client_public = argv[3],
		.client_secret = argv[4],
		.handlers = { .on_deliver = on_deliver },
		.arg = &run };
	run.client = turunc_client_create(&options, why, sizeof(why));
	if (run.client == NULL) {
		fprintf(stderr, "bench_replay: %s\n", why);
		return 1;
	}
	while (turunc_client_state(run.client) != TURUNC_READY)
		turunc_client_run_until(run.client, NULL, NULL, 10);
	run.head_seq = turunc_client_head_seq(run.client);
	turunc_uuid(name);
	struct turunc_subscription wanted = { .name = name,
		.from = TURUNC__V1__FROM__FROM_EARLIEST,
		.view = TURUNC__V1__VIEW__VIEW_NONE,
		.window = 8192 };
	run.first_us = now_us();
	bool all = turunc_subscribe(run.client, &wanted) == TURUNC_TAKEN
		   && turunc_client_run_until(run.client, at_head, &run, 100000);
	printf("RESULT records=%" PRIu64 " seconds=%.3f\n", run.records,
	    (double)(now_us() - run.first_us) / 1e6);
	turunc_client_destroy(run.client);
	return all ? 0 : 1;
}
