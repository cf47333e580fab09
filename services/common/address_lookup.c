/* Looks a name up in a thread of its own and brings the answer back to the loop. */
#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "address.h"

/* Two hold it, the loop and the thread; the last one to let go frees it. */
struct address_lookup {
	atomic_int holders;
	char host[ADDRESS_HOST_SIZE];
	struct addresses found; /* the thread's until it is ready */
	atomic_bool ready; /* done_fd wakes the loop, this orders the memory */
	int done_fd;
	struct event *done;
	address_found_fn *on_found;
	void *arg;
};

static void
let_go(struct address_lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->holders, 1) > 1)
		return;
	close(lookup->done_fd);
	free(lookup);
}

static void *
look_up(void *arg)
{
	struct address_lookup *lookup = arg;
	char complaint[ADDRESS_HOST_SIZE + 64];
	const uint64_t one = 1;

	/* What is not found leaves the list empty, which says it. */
	(void)!address_resolve(lookup->host, &lookup->found, complaint, sizeof(complaint));
	atomic_store(&lookup->ready, true);
	(void)!write(lookup->done_fd, &one, sizeof(one));
	let_go(lookup);
	return NULL;
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct address_lookup *lookup = arg;
	bool ready = atomic_load(&lookup->ready);

	assert(ready);
	const struct addresses found = lookup->found;
	address_found_fn *on_found = lookup->on_found;
	void *on_found_arg = lookup->arg;

	(void)fd;
	(void)what;
	address_lookup_cancel(lookup);
	on_found(on_found_arg, found.count > 0 ? &found : NULL);
}

/* Signals are the loop's business. */
static bool
start_thread(struct address_lookup *lookup)
{
	pthread_attr_t detached;
	pthread_t thread;
	sigset_t all, before;

	if (pthread_attr_init(&detached) != 0)
		return false;
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&thread, &detached, look_up, lookup) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	return started;
}

struct address_lookup *
address_lookup_start(
    struct event_base *loop, const char *host, address_found_fn *on_found, void *arg)
{
	struct address_lookup *lookup = calloc(1, sizeof(*lookup));
	size_t len = strlen(host);

	if (lookup == NULL || len >= sizeof(lookup->host)) {
		free(lookup);
		return NULL;
	}
	memcpy(lookup->host, host, len + 1);
	lookup->on_found = on_found;
	lookup->arg = arg;
	atomic_init(&lookup->holders, 2);
	atomic_init(&lookup->ready, false);
	lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->done_fd != -1)
		lookup->done = event_new(loop, lookup->done_fd, EV_READ, on_done, lookup);
	if (lookup->done != NULL && event_add(lookup->done, NULL) == 0 && start_thread(lookup))
		return lookup;

	if (lookup->done != NULL)
		event_free(lookup->done);
	if (lookup->done_fd != -1)
		close(lookup->done_fd);
	free(lookup);
	return NULL;
}

void
address_lookup_cancel(struct address_lookup *lookup)
{
	if (lookup == NULL)
		return;
	event_free(lookup->done);
	let_go(lookup);
}
