/* What every daemon's command line says, and that the common settings take effect. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "daemon.h"

struct config {
	struct daemon_settings daemon;
	struct setting_address listen;
};

static const struct setting settings[] = {
	DAEMON_SETTINGS(struct config, daemon),
	{ .name = "TURUNC_SAMPLE_LISTEN",
	    .type = SETTING_LISTEN,
	    .offset = offsetof(struct config, listen),
	    .standard = "127.0.0.1:8080",
	    .help = "where HTTP is answered" },
};

static const struct daemon_program program = {
	.service = "sample",
	.about = "shows how",
	.settings = settings,
	.settings_count = ARRAY_LEN(settings),
	.common_offset = offsetof(struct config, daemon),
};

static const struct {
	const char *name;
	const char *option;
	const char *environment[2];
	bool want_start;
	int want_status;
	const char *want_text; /* somewhere in what it said */
} commands[] = {
	{ "no argument starts", NULL, { NULL }, true, 0, "" },
	{ "help", "--help", { NULL }, false, 0, "TURUNC_SAMPLE_LISTEN\n" },
	{ "help has the common ones", "--help", { NULL }, false, 0, "TURUNC_LOG_LEVEL\n" },
	{ "version", "--version", { NULL }, false, 0, "turunc-sample " TURUNC_VERSION "\n" },
	{ "check", "--check-config", { "TURUNC_DRAIN", "90s" }, false, 0,
	    "TURUNC_DRAIN=90s  # set\n" },
	{ "check complains", "--check-config", { "TURUNC_DRAIN", "90" }, false, EXIT_CONFIG,
	    "TURUNC_DRAIN: \"90\": want duration" },
	{ "unknown option", "--chek-config", { NULL }, false, 2, "takes --help" },
	{ "empty option", "", { NULL }, false, 2, "takes --help" },
	{ "wrong setting", NULL, { "TURUNC_SAMPLE_LISTEN", "here" }, false, EXIT_CONFIG,
	    "TURUNC_SAMPLE_LISTEN: \"here\"" },
	{ "typing error", NULL, { "TURUNC_SAMPLE_LISTN", "127.0.0.1:1" }, false, EXIT_CONFIG,
	    "TURUNC_SAMPLE_LISTN: there is no such setting" },
	{ "missing clock", NULL, { "TURUNC_CLOCK_FILE", "/nowhere/clock" }, false, EXIT_CONFIG,
	    "clock_file=\"/nowhere/clock\" why=\"No such file or directory\"" },
};

/* Runs the command line with both outputs in one file. */
static bool
run_command(const char *option, struct config *config, int *ret_status, char *text, size_t size)
{
	char name[] = "turunc-sample", argument[40] = "";
	char *argv[] = { name, argument, NULL };
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	int fd = open(check_path("said"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	snprintf(argument, sizeof(argument), "%s", option == NULL ? "" : option);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	bool start = daemon_command_line(
	    &program, option == NULL ? 1 : 2, argv, config, ret_status);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	ssize_t len = pread(fd, text, size - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	close(fd);
	close(out);
	close(err);
	return start;
}

TEST(test_daemon_command_line)
{
	char text[8000];

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct config config = { 0 };
		int status = -1;
		const char *variable = commands[i].environment[0];
		if (variable != NULL)
			setenv(variable, commands[i].environment[1], 1);
		bool start = run_command(commands[i].option, &config, &status, text, sizeof(text));
		CHECK_TRUE(commands[i].name, start == commands[i].want_start);
		CHECK_I64(commands[i].name, status, commands[i].want_status);
		if (strstr(text, commands[i].want_text) == NULL)
			CHECK_STR(commands[i].name, text, commands[i].want_text);
		if (!start)
			CHECK_TRUE("nothing is left to free", config.daemon.clock_file == NULL);
		settings_free(&config, settings, ARRAY_LEN(settings));
		if (variable != NULL)
			unsetenv(variable);
	}
}

TEST(test_daemon_common_settings_apply)
{
	struct config config = { 0 };
	char text[1000];
	int status;

	CHECK(clock_simulation_create(check_path("clock"), 7, (struct clock_speed){ 0, 1 }));
	setenv("TURUNC_CLOCK_FILE", check_path("clock"), 1);
	setenv("TURUNC_LOG_LEVEL", "debug", 1);
	CHECK(run_command(NULL, &config, &status, text, sizeof(text)));
	CHECK_I64("clock", clock_now_us(), 7);
	CHECK_TRUE("level", log_enabled(LOG_LEVEL_DEBUG));
	CHECK_I64("drain", config.daemon.drain_ms, 10000);

	int ends[2];
	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	CHECK_I64("SIGPIPE does not end us", write(ends[1], "x", 1), -1);
	settings_free(&config, settings, ARRAY_LEN(settings));
}
