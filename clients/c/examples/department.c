/* An example department: takes the open tickets, follows the log, and works each ticket through
 * accept, start and resolve.
 *
 *	example_department --keys DIR --department CODE [--endpoint tcp://...] [--name NAME]
 *	                   [--delay MS] [--reason CODE] [--count N]
 *
 * Snapshot first, then Subscribe from the seq of the snapshot: nothing falls between.  A record is
 * acknowledged once its ticket is noted here; a real department would have committed it to its own
 * database.  After a restart the snapshot shows what is still to be done, so nothing is kept.  Each
 * step is one line on standard output; with --count it leaves after so many resolved tickets.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <turunc/client.h>

enum { NUMBER_SIZE = 32, TICKETS_MAX = 100000 };

/* A ticket that is on its way through this department. */
struct ticket {
	char number[NUMBER_SIZE];
	uint32_t version;
	Turunc__V1__Status status;
	uint64_t due_ms;
	bool asked; /* a command is under way */
	TAILQ_ENTRY(ticket) link;
};
TAILQ_HEAD(tickets, ticket);

struct department {
	struct turunc_client *client;
	struct turunc_subscription subscription;
	const char *code;
	char *reason;
	struct tickets tickets;
	size_t ticket_count;
	uint64_t delay_ms;
	unsigned long count, resolved;
	bool over; /* the subscription ended for good */
};

static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
	(void)number;
	stop = 1;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct ticket *
find(struct department *d, const char *number)
{
	struct ticket *t;

	TAILQ_FOREACH (t, &d->tickets, link)
		if (strcmp(t->number, number) == 0)
			return t;
	return NULL;
}

static void
forget(struct department *d, struct ticket *t)
{
	TAILQ_REMOVE(&d->tickets, t, link);
	d->ticket_count--;
	free(t);
}

/* All but those whose command is under way: its answer will look for them. */
static void
forget_idle(struct department *d)
{
	struct ticket *next;

	for (struct ticket *t = TAILQ_FIRST(&d->tickets); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (!t->asked)
			forget(d, t);
	}
}

static bool
ours_to_do(const struct department *d, const Turunc__V1__TicketView *view)
{
	return strcmp(view->department, d->code) == 0
	       && (view->status == TURUNC__V1__STATUS__STATUS_ROUTED
		   || view->status == TURUNC__V1__STATUS__STATUS_ACCEPTED
		   || view->status == TURUNC__V1__STATUS__STATUS_IN_PROGRESS);
}

/* What a view says now replaces what was known, unless it is older. */
static void
note(struct department *d, const Turunc__V1__TicketView *view)
{
	struct ticket *t = find(d, view->number);

	if (t != NULL && (t->asked || view->version < t->version))
		return;
	if (!ours_to_do(d, view)) {
		if (t != NULL)
			forget(d, t);
		return;
	}
	if (t == NULL) {
		if (d->ticket_count == TICKETS_MAX || strlen(view->number) >= NUMBER_SIZE)
			return;
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return;
		snprintf(t->number, sizeof(t->number), "%s", view->number);
		TAILQ_INSERT_TAIL(&d->tickets, t, link);
		d->ticket_count++;
	}
	t->version = view->version;
	t->status = view->status;
	t->due_ms = now_ms() + d->delay_ms;
}

static void
on_page(void *arg, void *tag, const Turunc__V1__SnapshotPage *page, bool restarted)
{
	struct department *d = arg;

	(void)tag;
	if (restarted)
		forget_idle(d);
	for (size_t i = 0; i < page->n_tickets; i++)
		note(d, page->tickets[i]);
	if (!page->last)
		return;
	printf("snapshot %zu tickets as of %" PRIu64 "\n", d->ticket_count, page->as_of_seq);
	d->subscription.from = TURUNC__V1__FROM__FROM_SEQ;
	d->subscription.from_seq = page->as_of_seq;
	d->subscription.log_id = page->log_id;
	d->subscription.replace = true;
	if (turunc_subscribe(d->client, &d->subscription) != TURUNC_TAKEN)
		d->over = true;
	d->subscription.log_id = NULL; /* lent for the call */
}

static void
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct department *d = arg;

	for (size_t i = 0; i < deliver->n_records; i++)
		if (deliver->records[i]->view != NULL)
			note(d, deliver->records[i]->view);
	(void)turunc_ack(d->client, deliver->through_seq);
}

static const char *
next_verb(Turunc__V1__Status status)
{
	switch (status) {
	case TURUNC__V1__STATUS__STATUS_ROUTED:
		return "accept";
	case TURUNC__V1__STATUS__STATUS_ACCEPTED:
		return "start";
	default:
		return "resolve";
	}
}

static void
on_answer(void *arg, const struct turunc_answer *answer)
{
	struct department *d = arg;
	struct ticket *t = answer->tag;

	t->asked = false;
	if (!answer->done)
		printf("%s refused %d %s\n", t->number, (int)answer->refusal, answer->text);
	/* A stale version: somebody was faster; the step is judged again from what is now. */
	if (!answer->done && answer->refusal != TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION) {
		forget(d, t);
		return;
	}
	t->version = answer->version;
	t->status = answer->status;
	t->due_ms = now_ms() + d->delay_ms;
	if (answer->done)
		printf("%s %s version %" PRIu32 "\n", t->number,
		    protobuf_c_enum_descriptor_get_value(
			&turunc__v1__status__descriptor, (int)answer->status)
			->name,
		    answer->version);
	fflush(stdout);
	d->resolved += answer->done && t->status == TURUNC__V1__STATUS__STATUS_RESOLVED;
	if (t->status > TURUNC__V1__STATUS__STATUS_IN_PROGRESS
	    || t->status < TURUNC__V1__STATUS__STATUS_ROUTED)
		forget(d, t);
}

static void
on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct department *d = arg;

	fprintf(stderr, "trouble: %s%s\n", trouble->text, trouble->final ? " (final)" : "");
	if (!trouble->final)
		return;
	/* Another history, or a cursor that was moved: what is known here may be wrong, so begin
	 * with a snapshot again.  Anything else final is for a human. */
	if (trouble->gap || trouble->code == TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED) {
		if (turunc_snapshot(d->client, &d->code, 1, NULL) == TURUNC_TAKEN)
			return;
	}
	d->over = true;
}

/* Gives the command of every ticket whose time has come; the list is in order of time. */
static void
work(struct department *d)
{
	Turunc__V1__Command command = TURUNC__V1__COMMAND__INIT;
	struct ticket *t;
	char verb[16];

	TAILQ_FOREACH (t, &d->tickets, link) {
		if (t->asked || t->due_ms > now_ms())
			continue;
		snprintf(verb, sizeof(verb), "%s", next_verb(t->status));
		command.ticket = t->number;
		command.verb = verb;
		command.expected_version = t->version;
		if (strcmp(verb, "resolve") == 0)
			command.reason_code = d->reason;
		if (turunc_command(d->client, &command, 0, t, NULL) != TURUNC_TAKEN)
			return; /* full: answers make room */
		t->asked = true;
	}
}

static bool
finished(void *arg)
{
	struct department *d = arg;

	work(d);
	return stop || d->over || (d->count > 0 && d->resolved >= d->count);
}

static int
usage(void)
{
	fprintf(stderr, "usage: example_department --keys DIR --department CODE [--endpoint E] "
			"[--name N] [--delay MS] [--reason CODE] [--count N]\n");
	return 2;
}

static int
run(struct department *d, const struct turunc_options *options)
{
	char why[256];

	d->client = turunc_client_create(options, why, sizeof(why));
	if (d->client == NULL || turunc_snapshot(d->client, &d->code, 1, NULL) != TURUNC_TAKEN) {
		fprintf(stderr, "%s\n", d->client == NULL ? why : "no snapshot");
		turunc_client_destroy(d->client);
		return 1;
	}
	/* Short turns: a ticket's delay may pass while nothing arrives. */
	while (!turunc_client_run_until(d->client, finished, d, 50))
		;
	/* What was acknowledged should be known to be durable before leaving. */
	(void)turunc_client_run_until(d->client, NULL, NULL, 2000);
	turunc_client_destroy(d->client);
	while (!TAILQ_EMPTY(&d->tickets))
		forget(d, TAILQ_FIRST(&d->tickets));
	return d->over ? 1 : 0;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "keys", 1, NULL, 'k' },
		{ "department", 1, NULL, 'd' }, { "endpoint", 1, NULL, 'e' },
		{ "name", 1, NULL, 'n' }, { "delay", 1, NULL, 'w' }, { "reason", 1, NULL, 'r' },
		{ "count", 1, NULL, 'c' }, { NULL, 0, NULL, 0 } };
	char reason[] = "yapildi";
	struct department d = { .reason = reason };
	struct turunc_options options = { .door = TURUNC_DOOR_STREAM,
		.software = "example-department/1",
		.handlers = { .on_trouble = on_trouble,
		    .on_page = on_page,
		    .on_deliver = on_deliver,
		    .on_answer = on_answer },
		.arg = &d };
	int option;

	TAILQ_INIT(&d.tickets);
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'k':
			options.key_dir = optarg;
			break;
		case 'd':
			d.code = optarg;
			break;
		case 'e':
			options.endpoint = optarg;
			break;
		case 'n':
			d.subscription.name = optarg;
			break;
		case 'w':
			d.delay_ms = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			d.reason = optarg;
			break;
		case 'c':
			d.count = strtoul(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	if (options.key_dir == NULL || d.code == NULL)
		return usage();
	if (d.subscription.name == NULL)
		d.subscription.name = d.code;
	d.subscription.departments = &d.code;
	d.subscription.department_count = 1;
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	return run(&d, &options);
}
