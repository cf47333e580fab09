/* A worker thread with a queue in and a queue out; an eventfd wakes the loop. */
#include "passwords.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "utf8.h"

struct job {
	struct job *next;
	password_done_fn *on_done;
	void *arg;
	bool has_hash, makes;
	bool done, matches;
	char hash[PASSWORD_HASH_SIZE];
	char password[PASSWORD_MAX + 1];
	char new_password[PASSWORD_MAX + 1];
	char made[PASSWORD_HASH_SIZE];
};

struct queue {
	struct job *first, **last;
};

struct passwords {
	size_t most;
	size_t waiting; /* in the queue or under way; the loop's */
	char nobody[PASSWORD_HASH_SIZE]; /* of a password that nobody knows */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards the queues and closing */
	pthread_cond_t wanted;
	struct queue ahead, in, out;
	bool closing;
	int wake_fd;
	struct event *readable;
};

bool
password_hash(const char *password, char ret_hash[PASSWORD_HASH_SIZE])
{
	return crypto_pwhash_str(ret_hash, password, strlen(password),
		   crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE)
	       == 0;
}

enum password_fault
password_judge(const char *name, const char *password)
{
	size_t len = strlen(password), same = 1;

	if (!utf8_valid(password, len) || utf8_has_control(password, false))
		return PASSWORD_NO_TEXT;
	if (utf8_count(password) < PASSWORD_MIN)
		return PASSWORD_SHORT;
	if (len > PASSWORD_MAX)
		return PASSWORD_LONG;
	/* What is left beside the name must be worth something by itself. */
	if (strcasestr(password, name) != NULL && len < strlen(name) + 8)
		return PASSWORD_LIKE_NAME;
	while (password[same] == password[0])
		same++;
	return password[same] == '\0' ? PASSWORD_ONE_LETTER : PASSWORD_FINE;
}

void
password_make(char ret_password[PASSWORD_MADE_SIZE])
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789A";
	_Static_assert(sizeof(letters) == 33, "five bits each");
	size_t at = 0;

	for (unsigned i = 0; i < 20; i++) {
		if (i > 0 && i % 4 == 0)
			ret_password[at++] = '-';
		ret_password[at++] = letters[randombytes_uniform(32)];
	}
	ret_password[at] = '\0';
	assert(at + 1 == PASSWORD_MADE_SIZE);
}

/* --- the thread --------------------------------------------------------------------------------
 */

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void
queue_put(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct job *
queue_take(struct queue *q)
{
	struct job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->last = &q->first;
	return job;
}

/* A mismatch leaves EINVAL; anything else is no memory, and says nothing of the password. */
static void
work_on(const struct passwords *p, struct job *job)
{
	const char *against = job->has_hash ? job->hash : p->nobody;

	errno = 0;
	bool fits = crypto_pwhash_str_verify(against, job->password, strlen(job->password)) == 0;
	job->done = fits || errno == EINVAL;
	job->matches = fits && job->has_hash;
	if (job->matches && job->makes)
		job->done = password_hash(job->new_password, job->made);
	sodium_memzero(job->password, sizeof(job->password));
	sodium_memzero(job->new_password, sizeof(job->new_password));
}

static void *
work(void *arg)
{
	struct passwords *p = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *job = NULL;
		while (!p->closing && (job = queue_take(&p->ahead)) == NULL
		       && (job = queue_take(&p->in)) == NULL)
			pthread_cond_wait(&p->wanted, &p->lock);
		if (p->closing)
			break;
		pthread_mutex_unlock(&p->lock);
		work_on(p, job);
		pthread_mutex_lock(&p->lock);
		queue_put(&p->out, job);
		if (write(p->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
			assert(errno == EAGAIN); /* its counter is full: the loop is awake anyway */
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
finish(struct passwords *p, struct job *job)
{
	const struct password_result result = { job->done, job->matches, job->made };

	p->waiting--;
	job->on_done(job->arg, &result);
	sodium_memzero(job, sizeof(*job));
	free(job);
}

static struct job *
take_out(struct passwords *p)
{
	pthread_mutex_lock(&p->lock);
	struct job *job = queue_take(&p->out);
	pthread_mutex_unlock(&p->lock);
	return job;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct passwords *p = arg;
	struct job *job;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) == -1 && errno != EAGAIN && errno != EINTR)
		return;
	while ((job = take_out(p)) != NULL)
		finish(p, job);
}

static bool
start(struct passwords *p)
{
	sigset_t all, before;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	p->started = pthread_create(&p->thread, NULL, work, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->started;
}

struct passwords *
passwords_open(struct event_base *loop, size_t queue)
{
	char unknown[PASSWORD_MADE_SIZE];
	struct passwords *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->most = queue;
	queue_init(&p->ahead);
	queue_init(&p->in);
	queue_init(&p->out);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wanted, NULL);
	p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	password_make(unknown);
	bool made = password_hash(unknown, p->nobody);
	sodium_memzero(unknown, sizeof(unknown));
	if (p->wake_fd != -1)
		p->readable = event_new(loop, p->wake_fd, EV_READ | EV_PERSIST, on_readable, p);
	if (!made || p->readable == NULL || event_add(p->readable, NULL) == -1 || !start(p)) {
		passwords_close(p);
		return NULL;
	}
	return p;
}

void
passwords_close(struct passwords *p)
{
	struct job *job;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_signal(&p->wanted);
	pthread_mutex_unlock(&p->lock);
	if (p->started)
		pthread_join(p->thread, NULL);
	while ((job = queue_take(&p->out)) != NULL || (job = queue_take(&p->ahead)) != NULL
	       || (job = queue_take(&p->in)) != NULL)
		finish(p, job);
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->wake_fd != -1)
		close(p->wake_fd);
	pthread_cond_destroy(&p->wanted);
	pthread_mutex_destroy(&p->lock);
	sodium_memzero(p, sizeof(*p));
	free(p);
}

size_t
passwords_waiting(const struct passwords *p)
{
	return p->waiting;
}

bool
passwords_check(struct passwords *p, const char *hash, const char *password,
    const char *new_password, bool ahead, password_done_fn *done, void *arg)
{
	if (p->waiting >= (ahead ? p->most : p->most / 2) || strlen(password) > PASSWORD_MAX
	    || (new_password != NULL && strlen(new_password) > PASSWORD_MAX))
		return false;
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return false;
	job->on_done = done;
	job->arg = arg;
	job->has_hash = hash != NULL && strlen(hash) < sizeof(job->hash);
	job->makes = new_password != NULL;
	if (job->has_hash)
		memcpy(job->hash, hash, strlen(hash) + 1);
	memcpy(job->password, password, strlen(password) + 1);
	if (new_password != NULL)
		memcpy(job->new_password, new_password, strlen(new_password) + 1);
	p->waiting++;
	pthread_mutex_lock(&p->lock);
	queue_put(ahead ? &p->ahead : &p->in, job);
	pthread_cond_signal(&p->wanted);
	pthread_mutex_unlock(&p->lock);
	return true;
}
