/* masa client: who may connect, with which rights; and the key files they are given. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acl.h"
#include "clock.h"
#include "failpoint.h"
#include "istanbul.h"
#include "keys.h"
#include "masa.h"

static enum exit_code client_add(struct masa *m, int argc, char **argv);
static enum exit_code client_list(struct masa *m, int argc, char **argv);
static enum exit_code client_revoke(struct masa *m, int argc, char **argv);

const struct command client_commands[] = {
	{ "client", "add",
	    "NAME [--out DIR] [--http] [--verbs V,..] [--sources S,..] [--types T,..] "
	    "[--departments D,..]"
	    " [--personal none|masked|full] [--max-events N] [--expires YYYY-MM-DD]",
	    "admit a client: --out writes a folder of bus keys, --http makes an API key, shown "
	    "once",
	    client_add },
	{ "client", "list", "", "every client with its rights", client_list },
	{ "client", "revoke", "NAME", "end its sessions and let it in no more", client_revoke },
	{ 0 },
};

enum { API_KEY_BYTES = 24, API_KEY_SIZE = 40 };

struct new_client {
	const char *name, *out;
	bool http;
	const char *verbs, *sources, *types, *departments, *personal, *max_events, *expires;
	struct key_pair keys;
	char api_key[API_KEY_SIZE];
	char expires_us[24];
	bool made; /* the folder is ours */
	size_t written; /* so many of its files are */
};

/* In the order they are written. */
enum folder_file { PUBLISH_PUBLIC, STREAM_PUBLIC, CLIENT_PUBLIC, ENDPOINTS, CLIENT_SECRET, FILES };
static const char *const folder_files[FILES] = { "publish.public", "stream.public", "client.public",
	"endpoints", "client.secret" };

static enum exit_code check_rights(struct new_client *c);
static enum exit_code write_folder(struct new_client *c);
static void remove_folder(const struct new_client *c);
static enum exit_code insert_client(struct masa *m, const struct new_client *c);
MUST_CHECK static bool array_literal(const char *list, char *out, size_t size);

static enum exit_code
client_add(struct masa *m, int argc, char **argv)
{
	struct new_client c = { .verbs = "",
		.sources = "",
		.types = "",
		.departments = "",
		.personal = "none",
		.max_events = "1024" };
	const struct option_spec specs[] = { { "out", &c.out, NULL }, { "http", NULL, &c.http },
		{ "verbs", &c.verbs, NULL }, { "sources", &c.sources, NULL },
		{ "types", &c.types, NULL }, { "departments", &c.departments, NULL },
		{ "personal", &c.personal, NULL }, { "max-events", &c.max_events, NULL },
		{ "expires", &c.expires, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	c.name = argv[0];
	if (c.out == NULL && !c.http)
		return masa_fail(
		    MASA_USAGE, "--out DIR for bus keys, --http for an API key, or both");
	if (c.http && c.out == NULL && c.verbs[0] == '\0') {
		c.verbs = "publish";
		c.sources = "http";
		c.types = "ticket.request";
	}
	code = check_rights(&c);
	if (code != MASA_OK)
		return code;
	if (c.out != NULL && !keys_generate(&c.keys))
		return masa_fail(MASA_FAILED, "no key could be made: libzmq has no CURVE");
	if (c.http) {
		uint8_t random[API_KEY_BYTES];
		randombytes_buf(random, sizeof(random));
		memcpy(c.api_key, "trn_", 4);
		sodium_bin2base64(c.api_key + 4, sizeof(c.api_key) - 4, random, sizeof(random),
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	}
	/* The row is committed only when its keys are on disk: a client nobody can be is no use.
	 * The log's lock comes last: nobody waits for our disk. */
	bool writes = c.out != NULL && !m->dry_run;
	code = insert_client(m, &c);
	if (code == MASA_OK && writes)
		code = write_folder(&c);
	if (code == MASA_OK)
		code = masa_log_act(m, "client.granted", c.name, 0);
	if (code != MASA_OK && writes)
		remove_folder(&c);
	if (code == MASA_OK)
		code = masa_query(m, m->dry_run ? "ROLLBACK" : "COMMIT", 0, NULL, NULL);
	if (code == MASA_OK) {
		json_t *said = json_pack("{s:s,s:b}", "name", c.name, "dry_run", m->dry_run);
		if (c.out != NULL) {
			json_object_set_new(said, "public_key", json_string(c.keys.public_key));
			json_object_set_new(said, "folder", json_string(c.out));
		}
		if (c.http && !m->dry_run)
			json_object_set_new(said, "api_key", json_string(c.api_key));
		masa_print(m, said);
	}
	keys_wipe(&c.keys);
	sodium_memzero(c.api_key, sizeof(c.api_key));
	return code;
}

/* Everything the table or the services would refuse later is refused here, in words. */
static enum exit_code
check_rights(struct new_client *c)
{
	enum acl_personal personal;
	char verbs[256], *rest = verbs, *verb;
	size_t max_len = strlen(c->max_events);

	if (strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(c->name)
	    || strlen(c->name) == 0 || strlen(c->name) > ACL_NAME_BYTES
	    || strchr("._-", c->name[0]))
		return masa_fail(MASA_USAGE,
		    "%s: a name is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit",
		    c->name);
	if (snprintf(verbs, sizeof(verbs), "%s", c->verbs) >= (int)sizeof(verbs))
		return masa_fail(MASA_USAGE, "--verbs is too long");
	while ((verb = strsep(&rest, ",")) != NULL)
		if (verb[0] != '\0' && acl_verb_parse(verb) == 0)
			return masa_fail(MASA_USAGE,
			    "%s is no verb (publish, subscribe, snapshot, command, internal, "
			    "board)",
			    verb);
	if (strspn(c->verbs, ",") == strlen(c->verbs))
		return masa_fail(MASA_USAGE, "--verbs says what the client may do");
	if (!acl_personal_parse(c->personal, &personal))
		return masa_fail(MASA_USAGE, "--personal is none, masked or full");
	if (max_len == 0 || max_len > 5 || strspn(c->max_events, "0123456789") != max_len
	    || atoi(c->max_events) < 1 || atoi(c->max_events) > 65536)
		return masa_fail(MASA_USAGE, "--max-events is a number from 1 to 65536");
	if (c->expires != NULL) {
		int year, month, day, used = 0;
		int64_t end_us;
		if (sscanf(c->expires, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3
		    || c->expires[used] != '\0' || !civil_valid(year, month, day))
			return masa_fail(MASA_USAGE, "--expires is a day like 2027-12-31");
		end_us = istanbul_day_start_us(civil_day(year, month, day) + 1);
		if (end_us <= clock_now_us())
			return masa_fail(MASA_USAGE, "--expires %s has passed", c->expires);
		snprintf(c->expires_us, sizeof(c->expires_us), "%lld", (long long)end_us);
	}
	return MASA_OK;
}

static enum exit_code
insert_client(struct masa *m, const struct new_client *c)
{
	char lists[4][2048], now_text[24], personal_text[4];
	struct digest api_digest;
	enum acl_personal personal = ACL_PERSONAL_NONE;
	const char *list_sources[] = { c->verbs, c->sources, c->types, c->departments };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (!array_literal(list_sources[i], lists[i], sizeof(lists[i])))
			return masa_fail(MASA_USAGE, "%.40s…: this list is too long, 2,000 bytes",
			    list_sources[i]);
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	if (!acl_personal_parse(c->personal, &personal))
		return masa_fail(MASA_USAGE, "--personal is none, masked or full");
	snprintf(personal_text, sizeof(personal_text), "%d", (int)personal);
	if (c->http)
		acl_api_key_digest(c->api_key, strlen(c->api_key), &api_digest);
	const char *values[] = { c->name, c->out != NULL ? c->keys.public_key : NULL,
		c->http ? (const char *)api_digest.bytes : NULL, lists[0], lists[1], lists[2],
		lists[3], personal_text, c->max_events, c->expires != NULL ? c->expires_us : NULL,
		now_text };
	const int lengths[] = { 0, 0, DIGEST_BYTES, 0, 0, 0, 0, 0, 0, 0, 0 };
	const int formats[] = { 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };

	PGresult *known;
	enum exit_code code = masa_query(
	    m, "SELECT FROM turunc.client_grant WHERE name = $1", 1, values, &known);
	if (code != MASA_OK)
		return code;
	bool taken = PQntuples(known) > 0;
	PQclear(known);
	if (taken)
		return masa_fail(MASA_CONFLICT,
		    "there is a client %s already; names are not used twice", c->name);
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query_binary(m,
		    "INSERT INTO turunc.client_grant (name, public_key, api_key_digest, verbs, "
		    "sources, types,"
		    " departments, personal, max_events, expires_us, created_us) VALUES ($1, $2, "
		    "$3::bytea,"
		    " $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint, $9::integer, "
		    "$10::bigint,"
		    " $11::bigint)",
		    (int)ARRAY_LEN(values), values, lengths, formats, NULL);
	return code;
}

/* "a,b" -> {"a","b"}, with quotes and backslashes of an item escaped.  False: not all of it fits,
 * and half a list would be other rights than those meant. */
static bool
array_literal(const char *list, char *out, size_t size)
{
	size_t used = 0;
	bool first = true;

	out[used++] = '{';
	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		if (used + 2 * len + 5 > size)
			return false;
		if (len > 0) {
			if (!first)
				out[used++] = ',';
			out[used++] = '"';
			for (size_t i = 0; i < len; i++) {
				if (list[i] == '"' || list[i] == '\\')
					out[used++] = '\\';
				out[used++] = list[i];
			}
			out[used++] = '"';
			first = false;
		}
		list += len + (list[len] == ',');
	}
	out[used++] = '}';
	out[used] = '\0';
	return true;
}

/* Writes the next file; an existing one is refused. */
static enum exit_code
write_file(struct new_client *c, enum folder_file file, const char *text, mode_t mode)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", c->out, folder_files[file]) >= (int)sizeof(path))
		return masa_fail(MASA_USAGE, "%s: the path is too long", c->out);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1)
		return masa_fail(
		    errno == EEXIST ? MASA_CONFLICT : MASA_FAILED, "%s: %s", path, strerror(errno));
	c->written = (size_t)file + 1;
	bool written = !failpoint(FAILPOINT_MASA_CLIENT_FILE, FAILPOINT_BEFORE)
		       && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0
		       && !failpoint(FAILPOINT_MASA_CLIENT_FILE, FAILPOINT_AFTER);
	return close(fd) == 0 && written ? MASA_OK
					 : masa_fail(MASA_FAILED, "%s: not written", path);
}

/* The public key of a door, as deploy/up left it beside the secret one. */
static enum exit_code
read_public_key(const char *service, char ret_key[KEYS_TEXT_SIZE])
{
	char path[4096];

	snprintf(path, sizeof(path), "%.4000s/%s.pub", masa_env("TURUNC_KEYS_DIR", ".run/keys"),
	    service);
	enum keys_result result = keys_read_public(path, ret_key);
	if (result != KEYS_OK)
		return masa_fail(MASA_CONFIG, "%s: %s", path, keys_result_text(result));
	return MASA_OK;
}

/* What a client library loads: its own pair, the doors' public keys and where they are. */
static enum exit_code
write_folder(struct new_client *c)
{
	static const char *const doors[] = {
		[PUBLISH_PUBLIC] = "intake", [STREAM_PUBLIC] = "router"
	};
	char key[KEYS_TEXT_SIZE], text[1024];
	enum exit_code code = MASA_OK;

	c->made = mkdir(c->out, 0700) == 0;
	if (!c->made && errno != EEXIST)
		return masa_fail(MASA_FAILED, "%s: %s", c->out, strerror(errno));
	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(doors); i++) {
		code = read_public_key(doors[i], key);
		if (code != MASA_OK)
			return code;
		snprintf(text, sizeof(text), "%s\n", key);
		code = write_file(c, (enum folder_file)i, text, 0644);
	}
	if (code == MASA_OK) {
		snprintf(text, sizeof(text), "%s\n", c->keys.public_key);
		code = write_file(c, CLIENT_PUBLIC, text, 0644);
	}
	if (code == MASA_OK) {
		snprintf(text, sizeof(text), "publish=%s\nstream=%s\n",
		    masa_env("TURUNC_BUS_PUBLISH", "tcp://127.0.0.1:5601"),
		    masa_env("TURUNC_BUS_STREAM", "tcp://127.0.0.1:5602"));
		code = write_file(c, ENDPOINTS, text, 0644);
	}
	if (code == MASA_OK) {
		snprintf(text, sizeof(text), "%s\n", c->keys.secret_key);
		code = write_file(c, CLIENT_SECRET, text, 0600);
		sodium_memzero(text, sizeof(text));
	}
	return code;
}

/* No row speaks of what was written: it must not stand in the way of the next attempt. */
static void
remove_folder(const struct new_client *c)
{
	char path[4096];

	for (size_t i = 0; i < c->written; i++) {
		(void)snprintf(path, sizeof(path), "%.4000s/%s", c->out, folder_files[i]);
		(void)unlink(path);
	}
	if (c->made)
		(void)rmdir(c->out);
}

static enum exit_code
client_list(struct masa *m, int argc, char **argv)
{
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_show(m,
		    "SELECT name, public_key IS NOT NULL AS bus, api_key_digest IS NOT NULL AS "
		    "http,"
		    " array_to_string(verbs, ',') AS verbs, array_to_string(sources, ',') AS "
		    "sources,"
		    " array_to_string(types, ',') AS types, array_to_string(departments, ',') AS "
		    "departments,"
		    " (ARRAY['none','masked','full'])[personal + 1] AS personal, max_events, "
		    "created_us,"
		    " expires_us, revoked_us FROM turunc.client_grant ORDER BY name",
		    0, NULL);
	return code;
}

static enum exit_code
client_revoke(struct masa *m, int argc, char **argv)
{
	int positional;
	char now_text[24];
	PGresult *result;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { argv[0], now_text };
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "UPDATE turunc.client_grant SET revoked_us = coalesce(revoked_us, $2::bigint)"
		    " WHERE name = $1 RETURNING name, revoked_us",
		    2, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	if (json_array_size(rows) == 0) {
		json_decref(rows);
		return masa_fail(MASA_NOT_FOUND, "there is no client %s", argv[0]);
	}
	code = masa_log_act(m, "client.revoked", argv[0], 0);
	return masa_finish_change(m, code, rows);
}
