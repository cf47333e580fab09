/*
 * daemon - what every daemon does the same way: command line, loop, signals, drain, readiness.
 *
 *	static const struct daemon_program program = {
 *		.service = "intake",
 *		.about = "takes in what citizens say and makes it durable",
 *		.settings = intake_settings, .settings_count = ARRAY_LEN(intake_settings),
 *		.common_offset = offsetof(struct intake_config, daemon),
 *	};
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		struct intake in = { 0 };
 *		int status;
 *
 *		if (!daemon_command_line(&program, argc, argv, &in.config, &status))
 *			return status;
 *		if (!intake_open(&in)) { ... }    (begins with daemon_create())
 *		bool clean = daemon_run(in.daemon);
 *		intake_close(&in);
 *		settings_free(&in.config, intake_settings, ARRAY_LEN(intake_settings));
 *		return clean ? EXIT_SUCCESS : EXIT_FAILURE;
 *	}
 *
 * The first SIGTERM or SIGINT drains: every registered part stops taking new work, and the loop
 * runs on until none is busy or the drain time is over.  A second signal ends the loop at once.
 * One thread; every function here is for the loop's thread, callbacks included.
 */
#ifndef TURUNC_DAEMON_H
#define TURUNC_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "log.h"
#include "settings.h"

struct daemon;
struct evbuffer;
struct event_base;

/* Settings of every daemon; the member of its config that DAEMON_SETTINGS fills. */
struct daemon_settings {
	int64_t log_level; /* enum log_level */
	char *clock_file; /* empty: the real clock */
	int64_t drain_ms;
};

#define DAEMON_SETTINGS(config_type, member)                                                   \
	{ .name = "TURUNC_LOG_LEVEL",                                                          \
		.type = SETTING_CHOICE,                                                        \
		.choices = log_level_names,                                                    \
		.offset = offsetof(config_type, member.log_level),                             \
		.standard = "info",                                                            \
		.help = "how much is logged" },                                                \
	    { .name = "TURUNC_CLOCK_FILE",                                                     \
		    .type = SETTING_TEXT,                                                      \
		    .offset = offsetof(config_type, member.clock_file),                        \
		    .standard = "",                                                            \
		    .help = "simulated clock shared by a demo system" },                       \
	{                                                                                      \
		.name = "TURUNC_DRAIN", .type = SETTING_DURATION,                              \
		.offset = offsetof(config_type, member.drain_ms), .standard = "10s", .min = 0, \
		.max = 600000, .help = "how long work in hand may take after SIGTERM"          \
	}

struct daemon_program {
	const char *service; /* "intake": the log's, the settings' and the binary's name */
	const char *about; /* one line for --help */
	const struct setting *settings;
	size_t settings_count;
	size_t common_offset; /* of the struct daemon_settings in the config */
};

/* Opens the log, answers --help, --version and --check-config, loads the settings into config and
 * applies the common ones (log level, clock), readies libsodium and ignores SIGPIPE.  True: start.
 * False: exit with *ret_status (0, 2 for wrong usage, 78 for settings); config is freed. */
MUST_CHECK bool daemon_command_line(
    const struct daemon_program *program, int argc, char **argv, void *config, int *ret_status);

/* settings are lent.  NULL, logged at debug: no loop.  Destroy takes NULL; the parts registered
 * are not its own, so close them first (their events need the loop). */
struct daemon *daemon_create(const char *service, const struct daemon_settings *settings);
void daemon_destroy(struct daemon *d);
struct event_base *daemon_loop(struct daemon *d);
const char *daemon_service(const struct daemon *d);

/* Runs until drained.  True: every part had finished its work.  Once per daemon. */
MUST_CHECK bool daemon_run(struct daemon *d);
/* Does what a signal does; for a daemon that decides to stop (fsync failed, taken over). */
void daemon_stop(struct daemon *d);
bool daemon_draining(const struct daemon *d);

/* --- drain --- */

/* A part of the daemon: stop() is called once when draining begins, in the order of registration
 * (register doors first); busy() is asked until it says false.  Either may be NULL.  name is lent
 * and is what the log calls the part that did not finish.  Asserts at most 32 parts. */
struct daemon_part {
	const char *name;
	void (*stop)(void *arg);
	bool (*busy)(void *arg);
	void *arg;
};
void daemon_add_part(struct daemon *d, struct daemon_part part);

/* --- ticks: one timer drives every x_tick(now_ms) --- */

/* Returns ms until it wants to be called again, -1: not by itself (see daemon_wake).  now_ms is
 * monotonic.  Called first when the loop starts.  0 means "at the next turn".  At most 32. */
typedef int64_t daemon_tick_fn(void *arg, uint64_t now_ms);
void daemon_add_tick(struct daemon *d, daemon_tick_fn *tick, void *arg);

/* A deadline was set for at_ms (monotonic), maybe earlier than any known: look at it in time. */
void daemon_wake(struct daemon *d, uint64_t at_ms);
/* Look at the next turn of the loop, after what is already ready. */
void daemon_wake_now(struct daemon *d);

/* --- readiness --- */

/* Each thing the daemon stands on, with its state and since when.  A daemon is ready when it is
 * not draining and everything needed is up.  What is not needed is shown only. */
enum dependency_state { DEPENDENCY_STARTING, DEPENDENCY_UP, DEPENDENCY_DOWN, DEPENDENCY_STATES };

/* Returns the handle for daemon_set_dependency(); name is lent.  At most 32. */
unsigned daemon_add_dependency(struct daemon *d, const char *name, bool needed);
/* detail (copied, cut at 120 bytes) says why; NULL: none.  No personal data, no secrets. */
void daemon_set_dependency(
    struct daemon *d, unsigned dependency, enum dependency_state state, const char *detail);
bool daemon_ready(const struct daemon *d);

/* The body of /readyz, and its status: 200 ready, 503 not.  False: out of memory.
 * {"service","ready","draining","dependencies":[{"name","state","needed","since","for_ms","detail"}]}
 */
MUST_CHECK bool daemon_readyz(const struct daemon *d, struct evbuffer *out, int *ret_http_status);

/* Appends the same as Prometheus text: turunc_ready, turunc_dependency_up, and what of it is
 * needed. */
MUST_CHECK bool daemon_write_stats(const struct daemon *d, struct evbuffer *out);

#endif
