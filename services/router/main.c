/* turunc-router: settings, open, run until drained, close. */
#include <stddef.h>
#include <stdlib.h>

#include "log.h"
#include "router.h"

int
main(int argc, char **argv)
{
	struct router r = { 0 };
	const struct daemon_program program = {
		.service = "router",
		.about = "routes tickets, takes the departments' steps and streams the log",
		.settings = router_settings,
		.settings_count = router_settings_count,
		.common_offset = offsetof(struct router_config, daemon),
	};
	int status;

	if (!daemon_command_line(&program, argc, argv, &r.config, &status))
		return status;
	bool clean = false;
	if (router_open(&r)) {
		log_info(
		    "ready http_port=%u stream=%s", http_port(r.http), bus_door_endpoint(r.door));
		clean = daemon_run(r.daemon);
		log_info("stopped clean=%s", clean ? "yes" : "no");
	}
	router_close(&r);
	settings_free(&r.config, router_settings, router_settings_count);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
