/* turunc-metrics: settings, open, run until drained, close. */
#include <stddef.h>
#include <stdlib.h>

#include "log.h"
#include "metrics.h"

int
main(int argc, char **argv)
{
	struct metrics m = { 0 };
	const struct daemon_program program = {
		.service = "metrics",
		.about = "keeps the live figures and shows them",
		.settings = metrics_settings,
		.settings_count = metrics_settings_count,
		.common_offset = offsetof(struct metrics_config, daemon),
	};
	int status;

	if (!daemon_command_line(&program, argc, argv, &m.config, &status))
		return status;
	bool clean = false;
	if (metrics_open(&m)) {
		log_info("ready http_port=%u", http_port(m.http));
		clean = daemon_run(m.daemon);
		log_info("stopped clean=%s", clean ? "yes" : "no");
	}
	metrics_close(&m);
	settings_free(&m.config, metrics_settings, metrics_settings_count);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
