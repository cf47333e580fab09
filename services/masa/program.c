/* Runs other programs: to their end, or beside us. */
#include "program.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

/* keyword='value', with what would end the value escaped. */
static bool
add_option(char *out, size_t *used, const char *keyword, const char *value)
{
	int len = snprintf(
	    out + *used, PROGRAM_CONNINFO_SIZE - *used, "%s%s='", *used > 0 ? " " : "", keyword);

	if (len < 0 || (size_t)len >= PROGRAM_CONNINFO_SIZE - *used)
		return false;
	*used += (size_t)len;
	for (; *value != '\0'; value++) {
		if (*used + sizeof("\\x'") > PROGRAM_CONNINFO_SIZE)
			return false;
		if (*value == '\'' || *value == '\\')
			out[(*used)++] = '\\';
		out[(*used)++] = *value;
	}
	if (*used + sizeof("'") > PROGRAM_CONNINFO_SIZE)
		return false;
	memcpy(out + *used, "'", sizeof("'"));
	*used += 1;
	return true;
}

bool
program_conninfo(const char *conninfo, char out[PROGRAM_CONNINFO_SIZE])
{
	char *complaint = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &complaint);
	size_t used = 0;
	bool fits = options != NULL;

	out[0] = '\0';
	for (const PQconninfoOption *o = options; fits && o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		fits = strcmp(o->keyword, "password") == 0
			   ? setenv("PGPASSWORD", o->val, 1) == 0
			   : add_option(out, &used, o->keyword, o->val);
	}
	if (!fits)
		(void)masa_fail(MASA_CONFIG, "TURUNC_OWNER_DATABASE: %s",
		    complaint != NULL ? complaint : "too long");
	PQfreemem(complaint);
	PQconninfoFree(options);
	return fits;
}

void
program_postgres(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", masa_env("TURUNC_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"),
	    name);
}

bool
program_cluster_user(uid_t *ret_user, gid_t *ret_group)
{
	*ret_user = geteuid();
	*ret_group = getegid();
	if (*ret_user != 0)
		return true;
	const struct passwd *cluster = getpwnam(masa_env("TURUNC_POSTGRES_USER", "postgres"));
	if (cluster == NULL)
		return false;
	*ret_user = cluster->pw_uid;
	*ret_group = cluster->pw_gid;
	return true;
}

/* In the child.  Never returns. */
static void
become(const char *const argv[], uid_t user, gid_t group)
{
	int nothing = open("/dev/null", O_RDONLY);
	char *lent[64];
	size_t count = 0;

	/* What it is given is absolute, and where we stand it may not be allowed to. */
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0
	    || chdir("/") != 0)
		_exit(NOT_STARTED);
	if (user != geteuid()
	    && (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(user) != 0))
		_exit(NOT_STARTED);
	setenv("LC_ALL", "C.UTF-8", 1);
	for (; argv[count] != NULL && count + 1 < ARRAY_LEN(lent); count++)
		memcpy(&lent[count], &argv[count], sizeof(lent[count]));
	assert(count > 0);
	lent[count] = NULL;
	execvp(lent[0], lent);
	fprintf(stderr, "masa: %s: %s\n", lent[0], strerror(errno));
	_exit(NOT_STARTED);
}

pid_t
program_start(const char *const argv[], enum program_user as)
{
	uid_t user = geteuid();
	gid_t group = getegid();

	if (as == PROGRAM_AS_CLUSTER && !program_cluster_user(&user, &group)) {
		(void)masa_fail(MASA_FAILED, "there is no user %s to run PostgreSQL as",
		    masa_env("TURUNC_POSTGRES_USER", "postgres"));
		return -1;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		become(argv, user, group);
	if (pid < 0)
		(void)masa_fail(MASA_FAILED, "%s: %s", argv[0], strerror(errno));
	return pid;
}

static int
status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
program_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return NOT_STARTED;
	return status_of(status);
}

bool
program_ended(pid_t pid, int *ret_status)
{
	int status = 0;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	*ret_status = status_of(status);
	return true;
}

enum exit_code
program_run(const char *const argv[], enum program_user as)
{
	pid_t pid = program_start(argv, as);

	if (pid < 0)
		return MASA_FAILED;
	int status = program_wait(pid);
	const char *name = strrchr(argv[0], '/');
	return status == 0 ? MASA_OK
			   : masa_fail(MASA_FAILED, "%s failed (%d)",
			       name != NULL ? name + 1 : argv[0], status);
}
