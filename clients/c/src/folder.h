/*
 * folder - the keys and endpoints a client is given: four small files or strings in memory.
 */
#ifndef TURUNC_CLIENT_FOLDER_H
#define TURUNC_CLIENT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "turunc/client.h"

enum { TC_KEY_SIZE = 41, TC_ENDPOINT_SIZE = 1024 };

struct tc_folder {
	char client_secret[TC_KEY_SIZE];
	char client_public[TC_KEY_SIZE];
	char server_public[TC_KEY_SIZE];
	char endpoint[TC_ENDPOINT_SIZE]; /* one or more, comma separated */
};

/* From the options' strings, else from their folder.  False: why says what is missing or wrong;
 * a secret readable by everybody is refused. */
TURUNC_MUST_CHECK bool tc_folder_load(
    struct tc_folder *folder, const struct turunc_options *options, char *why, size_t why_size);
void tc_folder_forget(struct tc_folder *folder);

#endif
