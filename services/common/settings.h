/*
 * settings - what a daemon is told by its environment: one table row per setting.
 *
 *	static const struct setting intake_settings[] = {
 *		DAEMON_SETTINGS(struct intake_config, daemon),
 *		{ .name = "TURUNC_INTAKE_LISTEN", .type = SETTING_LISTEN,
 *		  .offset = offsetof(struct intake_config, listen),
 *		  .standard = "127.0.0.1:8080", .help = "where HTTP is answered" },
 *		...
 *	};
 *
 * Values are taken strictly: all of the text, in the row's unit and range.  Every complaint is
 * made before giving up, each naming the variable and what it should have been.  A variable that
 * begins like this service's own (TURUNC_INTAKE_) and is in no row is a typing error and a
 * complaint.  Secrets come from files only, by NAME_FILE, and are never printed.
 */
#ifndef TURUNC_SETTINGS_H
#define TURUNC_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base.h"

enum { SETTING_HOST_SIZE = 254, SETTING_TEXT_MAX = 4096 };

/* Each type with the member it fills. */
enum setting_type {
	SETTING_TEXT, /* char *: UTF-8 without control characters; min..max bytes */
	SETTING_INT, /* int64_t: min..max */
	SETTING_BOOL, /* bool: yes, no, true, false, on, off, 1, 0 */
	SETTING_DURATION, /* int64_t ms, min..max: 250ms, 5s, 2m, 1h, 7d, 0 */
	SETTING_BYTES, /* int64_t, min..max: 4096, 64KiB, 8MiB, 2GiB */
	SETTING_CHOICE, /* int64_t: index into choices */
	SETTING_LISTEN, /* struct setting_address: a numeric host; port 0 = any free one */
	SETTING_PEER, /* struct setting_address: a name or numeric host, port 1..65535 */
	SETTING_ENDPOINT, /* char *: ZeroMQ tcp://host:port, ipc://path, inproc://name */
	SETTING_SECRET, /* char *: what is in the file NAME_FILE, less the last newline */
	SETTING_TYPES
};

struct setting_address {
	char host[SETTING_HOST_SIZE]; /* without brackets */
	uint16_t port;
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* of the member in the daemon's config struct */
	const char *standard; /* used when the variable is absent; NULL: it must be given */
	int64_t min; /* both zero: any value the type holds, but none below zero */
	int64_t max;
	const char *const *choices; /* SETTING_CHOICE only; ends with NULL */
	const char *help; /* what it is for, with the unit where the type has none */
};

/* Fills config (zeroed by the caller) from the environment and the defaults.  service is the
 * daemon's name, "intake".  False: something was wrong, complaints has a line for each.  Strings
 * are config's either way, never NULL after success, and go by settings_free(). */
MUST_CHECK bool settings_load(
    void *config, const struct setting *table, size_t count, const char *service, FILE *complaints);

/* The effective table: NAME=value and where it is from; secrets as ***. */
void settings_print(const void *config, const struct setting *table, size_t count, FILE *out);

/* What can be set, with type, default, range and purpose. */
void settings_describe(const struct setting *table, size_t count, FILE *out);

/* Frees the strings and zeroes secrets; takes a half-loaded config, and one freed before. */
void settings_free(void *config, const struct setting *table, size_t count);

#endif
