/* Hashes on a worker's thread. */
#include "passwords.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "worker.h"

struct job {
	struct worker_job job; /* first */
	struct passwords *passwords;
	password_done_fn *on_done;
	void *arg;
	bool has_hash, makes;
	bool done, matches;
	char hash[PASSWORD_HASH_SIZE];
	char password[PASSWORD_MAX + 1];
	char new_password[PASSWORD_MAX + 1];
	char made[PASSWORD_HASH_SIZE];
};

struct passwords {
	size_t most;
	size_t waiting; /* in the queue or under way; the loop's */
	char nobody[PASSWORD_HASH_SIZE]; /* of a password that nobody knows */
	struct worker *worker;
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

/* A mismatch leaves EINVAL; anything else is no memory, and says nothing of the password. */
static void
work(struct worker_job *work)
{
	struct job *job = (struct job *)work;
	const char *against = job->has_hash ? job->hash : job->passwords->nobody;

	errno = 0;
	bool fits = crypto_pwhash_str_verify(against, job->password, strlen(job->password)) == 0;
	job->done = fits || errno == EINVAL;
	job->matches = fits && job->has_hash;
	if (job->matches && job->makes)
		job->done = password_hash(job->new_password, job->made);
	sodium_memzero(job->password, sizeof(job->password));
	sodium_memzero(job->new_password, sizeof(job->new_password));
}

static void
finish(struct worker_job *work, bool worked)
{
	struct job *job = (struct job *)work;
	const struct password_result result = { job->done, job->matches, job->made };

	(void)worked; /* closed before: nothing is done */
	job->passwords->waiting--;
	job->on_done(job->arg, &result);
	sodium_memzero(job, sizeof(*job));
	free(job);
}

struct passwords *
passwords_open(struct event_base *loop, size_t queue)
{
	char unknown[PASSWORD_MADE_SIZE];
	struct passwords *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->most = queue;
	password_make(unknown);
	bool made = password_hash(unknown, p->nobody);
	sodium_memzero(unknown, sizeof(unknown));
	p->worker = made ? worker_open(loop) : NULL;
	if (p->worker == NULL) {
		passwords_close(p);
		return NULL;
	}
	return p;
}

void
passwords_close(struct passwords *p)
{
	if (p == NULL)
		return;
	worker_close(p->worker);
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
	job->job = (struct worker_job){ .work = work, .done = finish };
	job->passwords = p;
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
	if (ahead)
		worker_give_ahead(p->worker, &job->job);
	else
		worker_give(p->worker, &job->job);
	return true;
}
