/* What masa doctor finds in the settings of a local run: each service is asked whether it takes its
 * own, as they will be at its next start. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"

enum { VARIABLES_MAX = 200, SAID_SIZE = 400 };

/* "NAME=first line of the file", as chpst -e reads it; NULL: it cannot be read. */
static char *
read_variable(const char *folder, const char *name)
{
	char path[PATH_MAX], value[4200] = "";
	char *variable = NULL;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return NULL;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	if (fgets(value, sizeof(value), file) != NULL)
		value[strcspn(value, "\n")] = '\0';
	fclose(file);
	return asprintf(&variable, "%s=%s", name, value) < 0 ? NULL : variable;
}

/* The environment of a service; NULL with errno. */
static char **
read_environment(const char *folder)
{
	char **all = calloc(VARIABLES_MAX + 1, sizeof(*all));
	size_t count = 0;
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (all == NULL || dir == NULL) {
		free(all);
		return NULL;
	}
	while ((entry = readdir(dir)) != NULL && count < VARIABLES_MAX)
		if (entry->d_name[0] != '.'
		    && (all[count] = read_variable(folder, entry->d_name)) != NULL)
			count++;
	closedir(dir);
	return all;
}

static void
free_environment(char **all)
{
	for (size_t i = 0; all != NULL && all[i] != NULL; i++)
		free(all[i]);
	free(all);
}

/* Runs `program --check-config`; its exit status, and the first of what it complained of. */
static int
check(const char *program, char **environment, char said[SAID_SIZE])
{
	int ends[2], status = -1;
	size_t used = 0;
	ssize_t len;

	said[0] = '\0';
	if (pipe(ends) != 0)
		return -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		char word[] = "--check-config", name[PATH_MAX];
		snprintf(name, sizeof(name), "%s", program);
		char *argv[] = { name, word, NULL };
		if (freopen("/dev/null", "we", stdout) != NULL && dup2(ends[1], STDERR_FILENO) >= 0)
			execve(program, argv, environment);
		_exit(127);
	}
	close(ends[1]);
	while (used + 1 < SAID_SIZE && (len = read(ends[0], said + used, SAID_SIZE - used - 1)) > 0)
		used += (size_t)len;
	said[used] = '\0';
	close(ends[0]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	said[strcspn(said, "\n")] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* False: it cannot be asked from here. */
static bool
look_at_service(struct doctor *d, const char *system, const char *name)
{
	char program[PATH_MAX], folder[PATH_MAX], said[SAID_SIZE];

	if (snprintf(program, sizeof(program), "%s/bin/turunc-%s", system, name)
		>= (int)sizeof(program)
	    || snprintf(folder, sizeof(folder), "%s/service/%s/env", system, name)
		   >= (int)sizeof(folder)
	    || access(program, X_OK) != 0)
		return false;
	char **environment = read_environment(folder);
	if (environment == NULL)
		return false;
	int status = check(program, environment, said);
	if (status != 0)
		doctor_find(d, DOCTOR_BAD, "settings",
		    "correct it in .run/settings and deploy/up; turunc-NAME --check-config lists "
		    "all",
		    "%s would not start again: %s", name, said[0] != '\0' ? said : "no word");
	free_environment(environment);
	return true;
}

/* Lines of the operator's own that came after the last deploy/up. */
static void
look_at_age(struct doctor *d, const char *system)
{
	char settings[PATH_MAX], written[PATH_MAX];
	struct stat ours, theirs;

	if (snprintf(settings, sizeof(settings), "%s/settings", system) >= (int)sizeof(settings)
	    || snprintf(written, sizeof(written), "%s/env", system) >= (int)sizeof(written)
	    || stat(settings, &ours) != 0 || stat(written, &theirs) != 0)
		return;
	if (ours.st_mtime > theirs.st_mtime)
		doctor_find(d, DOCTOR_NOTE, "settings", "deploy/up",
		    "%s was changed and is not in force yet", settings);
}

void
doctor_settings(struct doctor *d)
{
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	bool any = false;

	for (size_t i = 0; system != NULL && i < REACH_SERVICES; i++)
		any = look_at_service(d, system, reach_service_name(i)) || any;
	if (!any) {
		doctor_skip(d, "settings",
		    masa_env("TURUNC_VAULT_DIR", NULL) != NULL
			? "each container has its own and judges them at its start: docker-compose "
			  "ps"
			: "the services' settings are not on this machine, or not for us to read");
		return;
	}
	look_at_age(d, system);
	doctor_looked(d, "settings");
}
