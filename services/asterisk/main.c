/* turunc-asterisk: settings, open, run until drained, close. */
#include <stddef.h>
#include <stdlib.h>

#include "asterisk.h"
#include "log.h"

int
main(int argc, char **argv)
{
	static struct asterisk a; /* the table of agents is large */
	const struct daemon_program program = {
		.service = "asterisk",
		.about = "publishes the calls of an Asterisk's queues",
		.settings = asterisk_settings,
		.settings_count = asterisk_settings_count,
		.common_offset = offsetof(struct asterisk_config, daemon),
	};
	int status;

	if (!daemon_command_line(&program, argc, argv, &a.config, &status))
		return status;
	bool clean = false;
	if (asterisk_open(&a)) {
		log_info("ready agents=%zu", a.agents.count);
		clean = daemon_run(a.daemon) && !a.store_failed;
		log_info("stopped clean=%s", clean ? "yes" : "no");
	}
	asterisk_close(&a);
	settings_free(&a.config, asterisk_settings, asterisk_settings_count);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
