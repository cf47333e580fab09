/* Reads a client's key folder as `masa client add` writes it, and checks what it read. */
#include "folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { KEY_CHARS = TC_KEY_SIZE - 1, PATH_SIZE = 4096, LINE_SIZE = TC_ENDPOINT_SIZE + 32 };

/* The first line of a small file without its end.  secret: refuse one that others can read. */
static bool
read_line(const char *dir, const char *name, bool secret, char *ret, size_t size, char *why,
    size_t why_size)
{
	char path[PATH_SIZE];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		snprintf(why, why_size, "%s: path too long", name);
		return false;
	}
	FILE *file = fopen(path, "re");
	if (file == NULL || fstat(fileno(file), &st) == -1) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return false;
	}
	bool exposed = secret && (st.st_mode & S_IROTH) != 0;
	bool got = !exposed && fgets(ret, (int)size, file) != NULL;
	fclose(file);
	if (got) {
		ret[strcspn(ret, "\r\n")] = '\0';
		return true;
	}
	snprintf(why, why_size, "%s: %s", path,
	    exposed ? "everybody can read this secret; chmod 600" : "empty");
	return false;
}

static bool
key_valid(const char *key)
{
	uint8_t raw[32];
	bool valid = strlen(key) == KEY_CHARS && zmq_z85_decode(raw, key) != NULL;

	explicit_bzero(raw, sizeof(raw));
	return valid;
}

static bool
take_key(char ret[TC_KEY_SIZE], const char *given, const char *dir, const char *name, bool secret,
    char *why, size_t why_size)
{
	char line[128];

	if (given == NULL) {
		if (dir == NULL) {
			snprintf(why, why_size, "no key folder and no %s", name);
			return false;
		}
		if (!read_line(dir, name, secret, line, sizeof(line), why, why_size))
			return false;
		given = line;
	}
	bool valid = key_valid(given);
	if (valid)
		memcpy(ret, given, TC_KEY_SIZE);
	else
		snprintf(why, why_size, "%s: not a z85 key of %d characters", name, KEY_CHARS);
	explicit_bzero(line, sizeof(line));
	return valid;
}

/* endpoints: key=value lines; unknown keys are for others. */
static bool
read_endpoint(
    const char *dir, enum turunc_door door, char ret[TC_ENDPOINT_SIZE], char *why, size_t why_size)
{
	const char *key = door == TURUNC_DOOR_PUBLISH ? "publish=" : "stream=";
	char path[PATH_SIZE], line[LINE_SIZE];
	bool found = false;

	if (snprintf(path, sizeof(path), "%s/endpoints", dir) >= (int)sizeof(path)) {
		snprintf(why, why_size, "endpoints: path too long");
		return false;
	}
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return false;
	}
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		const char *value = line + strlen(key);
		if (strncmp(line, key, strlen(key)) != 0 || strlen(value) >= TC_ENDPOINT_SIZE)
			continue;
		memcpy(ret, value, strlen(value) + 1);
		found = true;
	}
	fclose(file);
	if (!found)
		snprintf(why, why_size, "%s: no line \"%s...\"", path, key);
	return found;
}

static bool
endpoint_valid(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 || strncmp(endpoint, "ipc://", 6) == 0;
}

/* The door's own key when the folder has one, else the key of both doors. */
static bool
take_server_key(
    struct tc_folder *folder, const struct turunc_options *options, char *why, size_t why_size)
{
	const char *own = options->door == TURUNC_DOOR_PUBLISH ? "publish.public" : "stream.public";
	char path[PATH_SIZE];
	bool has_own = options->key_dir != NULL
		       && snprintf(path, sizeof(path), "%s/%s", options->key_dir, own)
			      < (int)sizeof(path)
		       && access(path, F_OK) == 0;

	return take_key(folder->server_public, options->server_public, options->key_dir,
	    has_own ? own : "server.public", false, why, why_size);
}

bool
tc_folder_load(
    struct tc_folder *folder, const struct turunc_options *options, char *why, size_t why_size)
{
	const char *dir = options->key_dir;
	struct tc_folder loaded = { .endpoint = "" };
	bool ok = take_key(loaded.client_secret, options->client_secret, dir, "client.secret", true,
		      why, why_size)
		  && take_key(loaded.client_public, options->client_public, dir, "client.public",
		      false, why, why_size)
		  && take_server_key(&loaded, options, why, why_size);

	if (ok && options->endpoint != NULL) {
		ok = snprintf(loaded.endpoint, sizeof(loaded.endpoint), "%s", options->endpoint)
		     < (int)sizeof(loaded.endpoint);
		if (!ok)
			snprintf(why, why_size, "endpoint too long");
	} else if (ok && dir != NULL) {
		ok = read_endpoint(dir, options->door, loaded.endpoint, why, why_size);
	} else if (ok) {
		ok = false;
		snprintf(why, why_size, "no endpoint");
	}
	if (ok && !endpoint_valid(loaded.endpoint)) {
		ok = false;
		snprintf(why, why_size, "endpoint \"%s\" is not tcp://host:port", loaded.endpoint);
	}
	if (ok)
		*folder = loaded;
	explicit_bzero(&loaded, sizeof(loaded));
	return ok;
}

void
tc_folder_forget(struct tc_folder *folder)
{
	explicit_bzero(folder, sizeof(*folder));
}
