/* Starts, bounds and ends processes that read what strangers made. */
#include "reader_process.h"

#include <errno.h>
#include <event2/util.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader_sandbox.h"

/* The process has the file, the pipe and nothing else of ours: no file, no environment. */
static int
spawn(pid_t *pid, char **argv, int in, int out)
{
	char *environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	int why = posix_spawn_file_actions_init(&actions);

	if (why != 0)
		return why;
	if ((why = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO)) == 0
	    && (why = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) == 0
	    && (why = posix_spawn_file_actions_addopen(
		    &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0))
		   == 0
	    && (why = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)) == 0)
		why = posix_spawn(pid, argv[0], &actions, NULL, argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return why;
}

bool
reader_process_start(struct reader_process *p, char **argv, int in_fd)
{
	int pipes[2], why;

	*p = (struct reader_process){ .out_fd = -1 };
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		why = errno;
		close(in_fd);
		errno = why;
		return false;
	}
	why = evutil_make_socket_nonblocking(pipes[0]) != 0 ? errno
							    : spawn(&p->pid, argv, in_fd, pipes[1]);
	close(pipes[1]);
	close(in_fd);
	if (why == 0) {
		p->out_fd = pipes[0];
		return true;
	}
	close(pipes[0]);
	p->pid = 0;
	errno = why;
	return false;
}

enum reader_end
reader_process_end(struct reader_process *p)
{
	int status = 0;

	if (p->pid > 0) {
		/* One that has crashed stays crashed. */
		(void)kill(p->pid, SIGKILL);
		while (waitpid(p->pid, &status, 0) == -1 && errno == EINTR)
			continue;
	}
	if (p->out_fd != -1)
		close(p->out_fd);
	*p = (struct reader_process){ .out_fd = -1 };
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL ? READER_CRASHED : READER_ENDED;
}

/* --- in the process ----------------------------------------------------------------------------
 */

/* When memory is short on this machine, a reader goes and not the service. */
static void
go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

static void
bound_memory(rlim_t bytes)
{
#if !defined(__has_feature)
#define __has_feature(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) \
    && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
	const struct rlimit memory = { bytes, bytes };
	(void)setrlimit(RLIMIT_AS, &memory);
#else
	(void)bytes; /* a sanitizer reserves terabytes */
#endif
}

void
reader_process_bound(unsigned cpu_s, uint64_t memory_bytes)
{
	/* The signal at the first can be told from our own. */
	const struct rlimit cpu = { cpu_s, cpu_s + 1 }, none = { 0, 0 };

	go_first();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_FSIZE, &none);
	bound_memory((rlim_t)memory_bytes);
}

bool
reader_process_begin(FILE *out)
{
	return reader_sandbox_enter() && putc(READER_BEGUN, out) != EOF && fflush(out) == 0;
}
