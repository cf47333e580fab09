/* turunc-notifier: settings, open, run until drained, close. */
#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>

#include "log.h"
#include "notifier.h"

int
main(int argc, char **argv)
{
	struct notifier n = { 0 };
	const struct daemon_program program = {
		.service = "notifier",
		.about = "tells citizens by e-mail and SMS what became of their tickets",
		.settings = notifier_settings,
		.settings_count = notifier_settings_count,
		.common_offset = offsetof(struct notifier_config, daemon),
	};
	int status;

	if (!daemon_command_line(&program, argc, argv, &n.config, &status))
		return status;
	bool clean = false;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && notifier_open(&n)) {
		log_info("ready http_port=%u mail=%s sms=%s", http_port(n.http),
		    n.config.smtp_url[0] != '\0' ? "yes" : "no",
		    n.gateways[0].url != NULL ? "yes" : "no");
		clean = daemon_run(n.daemon);
		log_info("stopped clean=%s", clean ? "yes" : "no");
	}
	notifier_close(&n);
	settings_free(&n.config, notifier_settings, notifier_settings_count);
	curl_global_cleanup();
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
