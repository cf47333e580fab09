/* turunc-intake: settings, open, run until drained, close. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "log.h"
#include "mail_reader.h"
#include "workbook_reader.h"

int
main(int argc, char **argv)
{
	struct intake in = { 0 };
	const struct daemon_program program = {
		.service = "intake",
		.about = "takes in what citizens and other systems say and makes it durable",
		.settings = intake_settings,
		.settings_count = intake_settings_count,
		.common_offset = offsetof(struct intake_config, daemon),
	};
	int status;

	if (argc == 3 && strcmp(argv[1], "--read-mail") == 0)
		return mail_reader_main(argv[2]);
	if (argc == 6 && strcmp(argv[1], "--read-workbook") == 0)
		return workbook_reader_main(argv + 2);
	if (!daemon_command_line(&program, argc, argv, &in.config, &status))
		return status;
	bool clean = false;
	if (intake_open(&in)) {
		log_info("ready http_port=%u publish=%s lmtp_port=%u", http_port(in.http),
		    bus_door_endpoint(in.door), lmtp_port(in.lmtp));
		clean = daemon_run(in.daemon);
		log_info("stopped clean=%s", clean ? "yes" : "no");
	}
	intake_close(&in);
	settings_free(&in.config, intake_settings, intake_settings_count);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
