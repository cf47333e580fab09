/* What every daemon's command line understands, and what it does before it starts. */
#include "daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { EXIT_USAGE = 2 };

static void
print_help(const struct daemon_program *p)
{
	printf("turunc-%s: %s\n\n"
	       "  turunc-%s                  runs in the foreground until SIGTERM\n"
	       "  turunc-%s --check-config   checks the settings and prints them\n"
	       "  turunc-%s --version\n"
	       "  turunc-%s --help\n\n"
	       "Settings, from the environment:\n\n",
	    p->service, p->about, p->service, p->service, p->service, p->service);
	settings_describe(p->settings, p->settings_count, stdout);
	printf("\nExit status: 0 stopped after finishing its work, 1 failed or left work behind,\n"
	       "2 wrong usage, 78 wrong settings.\n");
}

/* libevent's own complaints belong in the same log. */
static void
on_libevent(int severity, const char *message)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent says=%s", log_quoted(message));
	else
		log_debug("libevent says=%s", log_quoted(message));
}

static bool
apply_common(const struct daemon_settings *common)
{
	log_set_level((enum log_level)common->log_level);
	event_set_log_callback(on_libevent);
	if (sodium_init() == -1) {
		log_error("cannot start why=\"libsodium is not usable\"");
		return false;
	}
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		log_error("cannot start why=%s", log_quoted(strerror(errno)));
		return false;
	}
	if (common->clock_file[0] != '\0' && !clock_open(common->clock_file)) {
		log_error("cannot start clock_file=%s why=%s", log_quoted(common->clock_file),
		    log_quoted(strerror(errno)));
		return false;
	}
	return true;
}

bool
daemon_command_line(
    const struct daemon_program *p, int argc, char **argv, void *config, int *ret_status)
{
	const char *option = argc == 2 ? argv[1] : "";
	const struct daemon_settings *common = (const void *)((const char *)config
							      + p->common_offset);

	log_open(p->service);
	*ret_status = EXIT_SUCCESS;
	if (strcmp(option, "--help") == 0) {
		print_help(p);
		return false;
	}
	if (strcmp(option, "--version") == 0) {
		printf("turunc-%s %s\n", p->service, TURUNC_VERSION);
		return false;
	}
	bool check_only = strcmp(option, "--check-config") == 0;
	if (argc > 1 && !check_only) {
		fprintf(
		    stderr, "turunc-%s: takes --help, --version or --check-config\n", p->service);
		*ret_status = EXIT_USAGE;
		return false;
	}

	bool start = settings_load(config, p->settings, p->settings_count, p->service, stderr);
	if (start && check_only)
		settings_print(config, p->settings, p->settings_count, stdout);
	else if (!start || !apply_common(common))
		*ret_status = EXIT_CONFIG;
	start = start && !check_only && *ret_status == EXIT_SUCCESS;
	if (!start)
		settings_free(config, p->settings, p->settings_count);
	return start;
}
