/* The command line for people who run Turunç: finds the command by its words and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "masa.h"

static const struct command *const groups[] = { status_commands, top_commands, doctor_commands,
	ticket_commands, message_commands, template_commands, address_commands, mail_commands,
	dlq_commands, cimer_commands, citizen_commands, audit_commands, log_commands, subs_commands,
	client_commands, user_commands, config_commands, report_commands, db_commands,
	backup_commands, restore_commands, drill_commands, demo_commands };

/* Those of one noun, or all of them; how many there are. */
static size_t
print_commands(FILE *to, const char *noun)
{
	size_t count = 0;

	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		for (const struct command *c = groups[g]; c->noun != NULL; c++) {
			if (noun != NULL && strcmp(c->noun, noun) != 0)
				continue;
			fprintf(to, "  masa %s%s%s%s%s\n      %s\n", c->noun, c->verb[0] ? " " : "",
			    c->verb, c->arguments[0] ? " " : "", c->arguments, c->help);
			count++;
		}
	}
	return count;
}

static void
print_help(FILE *to)
{
	fprintf(to,
	    "masa %s - run it from the project's root and it finds the local system by itself\n\n",
	    TURUNC_VERSION);
	(void)print_commands(to, NULL);
	fprintf(to, "\n--json everywhere; --dry-run on whatever changes something.\n"
		    "Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 denied, 5 conflict, "
		    "6 unreachable, 78 configuration.\n");
}

int
main(int argc, char **argv)
{
	struct masa m = { 0 };
	const char *who = getlogin();

	log_open("masa");
	log_set_level(LOG_LEVEL_WARN);
	snprintf(m.actor, sizeof(m.actor), "user:%.70s", who != NULL ? who : "administrator");
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		puts("masa " TURUNC_VERSION " (" TURUNC_COMMIT ")");
		return MASA_OK;
	}
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return MASA_OK;
	}
	/* Behind a command it asks for that one: masa drill --help. */
	if (argc >= 3 && strcmp(argv[argc - 1], "--help") == 0
	    && print_commands(stdout, argv[1]) > 0)
		return MASA_OK;
	masa_find_system();
	/* A demonstration's people live in its time, too. */
	const char *clock_file = masa_env("TURUNC_CLOCK_FILE", "");
	if (clock_file[0] != '\0' && !clock_open(clock_file))
		return (int)masa_fail(
		    MASA_CONFIG, "TURUNC_CLOCK_FILE %s: %s", clock_file, strerror(errno));
	for (size_t g = 0; argc >= 2 && g < ARRAY_LEN(groups); g++) {
		for (const struct command *c = groups[g]; c->noun != NULL; c++) {
			int words = c->verb[0] != '\0' ? 2 : 1;
			if (argc < 1 + words || strcmp(argv[1], c->noun) != 0)
				continue;
			if (words == 2 && strcmp(argv[2], c->verb) != 0)
				continue;
			enum exit_code code = c->run(&m, argc - 1 - words, argv + 1 + words);
			PQfinish(m.db);
			return fflush(stdout) == 0 ? (int)code : MASA_FAILED;
		}
	}
	print_help(stderr);
	return MASA_USAGE;
}
