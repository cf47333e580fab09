/* Settings are taken whole or not at all, and every complaint names its variable. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "check.h"
#include "settings.h"

struct config {
	char *text;
	int64_t number;
	bool flag;
	int64_t wait_ms;
	int64_t room_bytes;
	int64_t colour;
	struct setting_address listen;
	struct setting_address peer;
	char *endpoint;
	char *secret;
};

static const char *const colours[] = { "orange", "green", NULL };

#define ROW(member_name, env, kind, ...)                                                   \
	{                                                                                  \
		.name = env, .type = kind, .offset = offsetof(struct config, member_name), \
		.help = "of the test", __VA_ARGS__                                         \
	}

static const struct setting table[] = {
	ROW(text, "TURUNC_SAMPLE_TEXT", SETTING_TEXT, .standard = "Muratpaşa", .max = 20),
	ROW(number, "TURUNC_SAMPLE_NUMBER", SETTING_INT, .standard = "7", .min = -3, .max = 9000),
	ROW(flag, "TURUNC_SAMPLE_FLAG", SETTING_BOOL, .standard = "no"),
	ROW(wait_ms, "TURUNC_SAMPLE_WAIT", SETTING_DURATION, .standard = "90s", .max = 86400000),
	ROW(room_bytes, "TURUNC_SAMPLE_ROOM", SETTING_BYTES, .standard = "64KiB"),
	ROW(colour, "TURUNC_SAMPLE_COLOUR", SETTING_CHOICE, .standard = "green",
	    .choices = colours),
	ROW(listen, "TURUNC_SAMPLE_LISTEN", SETTING_LISTEN, .standard = "127.0.0.1:8080"),
	ROW(peer, "TURUNC_SAMPLE_PEER", SETTING_PEER, .standard = "redis:6379"),
	ROW(endpoint, "TURUNC_SAMPLE_ENDPOINT", SETTING_ENDPOINT, .standard = ""),
	ROW(secret, "TURUNC_SAMPLE_SECRET", SETTING_SECRET, .standard = "", .max = 40),
};

/* What load says, in a buffer; the complaints are empty after success. */
static bool
load(struct config *c, char *complaints, size_t size)
{
	FILE *f = fmemopen(complaints, size, "w");

	memset(c, 0, sizeof(*c));
	memset(complaints, 0, size);
	bool good = settings_load(c, table, ARRAY_LEN(table), "sample", f);
	fclose(f);
	return good;
}

static void
printed(const struct config *c, char *text, size_t size)
{
	FILE *f = fmemopen(text, size, "w");

	memset(text, 0, size);
	settings_print(c, table, ARRAY_LEN(table), f);
	fclose(f);
}

TEST(test_settings_defaults)
{
	struct config c;
	char complaints[1000], text[2000];

	if (!CHECK(load(&c, complaints, sizeof(complaints))))
		return;
	CHECK_STR("complaints", complaints, "");
	CHECK_STR("text", c.text, "Muratpaşa");
	CHECK_I64("number", c.number, 7);
	CHECK_FALSE("flag", c.flag);
	CHECK_I64("wait", c.wait_ms, 90000);
	CHECK_I64("room", c.room_bytes, 65536);
	CHECK_I64("colour", c.colour, 1);
	CHECK_STR("listen host", c.listen.host, "127.0.0.1");
	CHECK_U64("listen port", c.listen.port, 8080);
	CHECK_STR("peer host", c.peer.host, "redis");
	CHECK_STR("endpoint", c.endpoint, "");
	CHECK_STR("secret", c.secret, "");
	printed(&c, text, sizeof(text));
	CHECK_STR("printed", text,
	    "TURUNC_SAMPLE_TEXT=Muratpaşa  # default\n"
	    "TURUNC_SAMPLE_NUMBER=7  # default\n"
	    "TURUNC_SAMPLE_FLAG=no  # default\n"
	    "TURUNC_SAMPLE_WAIT=90s  # default\n"
	    "TURUNC_SAMPLE_ROOM=64KiB  # default\n"
	    "TURUNC_SAMPLE_COLOUR=green  # default\n"
	    "TURUNC_SAMPLE_LISTEN=127.0.0.1:8080  # default\n"
	    "TURUNC_SAMPLE_PEER=redis:6379  # default\n"
	    "TURUNC_SAMPLE_ENDPOINT=  # default\n"
	    "TURUNC_SAMPLE_SECRET=  # default\n");
	settings_free(&c, table, ARRAY_LEN(table));
	CHECK_TRUE("freed", c.text == NULL && c.endpoint == NULL && c.secret == NULL);
	settings_free(&c, table, ARRAY_LEN(table));
}

/* The value as printed afterwards; NULL: refused, with one complaint that names the variable. */
static const struct {
	const char *name;
	const char *value;
	const char *want;
} values[] = {
	{ "TURUNC_SAMPLE_TEXT", "", "" },
	{ "TURUNC_SAMPLE_TEXT", "exactly twenty bytes", "exactly twenty bytes" },
	{ "TURUNC_SAMPLE_TEXT", "exactly twenty-one by", NULL },
	{ "TURUNC_SAMPLE_TEXT", "a\nb", NULL },
	{ "TURUNC_SAMPLE_TEXT", "\xff", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "-3", "-3" },
	{ "TURUNC_SAMPLE_NUMBER", "9000", "9000" },
	{ "TURUNC_SAMPLE_NUMBER", "007", "7" },
	{ "TURUNC_SAMPLE_NUMBER", "-0", "0" },
	{ "TURUNC_SAMPLE_NUMBER", "-4", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "9001", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "-", NULL },
	{ "TURUNC_SAMPLE_NUMBER", " 7", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "7 ", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "+7", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "7.0", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "0x7", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "1e3", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "7\n", NULL },
	{ "TURUNC_SAMPLE_NUMBER", "18446744073709551623", NULL },
	{ "TURUNC_SAMPLE_FLAG", "yes", "yes" },
	{ "TURUNC_SAMPLE_FLAG", "on", "yes" },
	{ "TURUNC_SAMPLE_FLAG", "true", "yes" },
	{ "TURUNC_SAMPLE_FLAG", "1", "yes" },
	{ "TURUNC_SAMPLE_FLAG", "off", "no" },
	{ "TURUNC_SAMPLE_FLAG", "0", "no" },
	{ "TURUNC_SAMPLE_FLAG", "YES", NULL },
	{ "TURUNC_SAMPLE_FLAG", "", NULL },
	{ "TURUNC_SAMPLE_FLAG", "2", NULL },
	{ "TURUNC_SAMPLE_WAIT", "0", "0" },
	{ "TURUNC_SAMPLE_WAIT", "250ms", "250ms" },
	{ "TURUNC_SAMPLE_WAIT", "120s", "2m" },
	{ "TURUNC_SAMPLE_WAIT", "1d", "1d" },
	{ "TURUNC_SAMPLE_WAIT", "25h", NULL },
	{ "TURUNC_SAMPLE_WAIT", "250", NULL },
	{ "TURUNC_SAMPLE_WAIT", "250 ms", NULL },
	{ "TURUNC_SAMPLE_WAIT", "5S", NULL },
	{ "TURUNC_SAMPLE_WAIT", "-5s", NULL },
	{ "TURUNC_SAMPLE_WAIT", "ms", NULL },
	{ "TURUNC_SAMPLE_WAIT", "1h30m", NULL },
	{ "TURUNC_SAMPLE_WAIT", "9223372036854775807d", NULL },
	{ "TURUNC_SAMPLE_ROOM", "1", "1" },
	{ "TURUNC_SAMPLE_ROOM", "1048576", "1MiB" },
	{ "TURUNC_SAMPLE_ROOM", "3GiB", "3GiB" },
	{ "TURUNC_SAMPLE_ROOM", "3GB", NULL },
	{ "TURUNC_SAMPLE_ROOM", "3k", NULL },
	{ "TURUNC_SAMPLE_ROOM", "-1", NULL },
	{ "TURUNC_SAMPLE_ROOM", "9999999999GiB", NULL },
	{ "TURUNC_SAMPLE_COLOUR", "orange", "orange" },
	{ "TURUNC_SAMPLE_COLOUR", "Orange", NULL },
	{ "TURUNC_SAMPLE_COLOUR", "", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "0.0.0.0:0", "0.0.0.0:0" },
	{ "TURUNC_SAMPLE_LISTEN", "[::1]:65535", "[::1]:65535" },
	{ "TURUNC_SAMPLE_LISTEN", "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80" },
	{ "TURUNC_SAMPLE_LISTEN", "::1:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "[127.0.0.1]:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "localhost:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "127.0.0.1", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "127.0.0.1:", NULL },
	{ "TURUNC_SAMPLE_LISTEN", ":80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "127.0.0.1:65536", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "127.0.0.1:+80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "127.1:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "]:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "[]:80", NULL },
	{ "TURUNC_SAMPLE_LISTEN", "[:80", NULL },
	{ "TURUNC_SAMPLE_PEER", "db-1.example:5432", "db-1.example:5432" },
	{ "TURUNC_SAMPLE_PEER", "turunc_redis_1:6379", "turunc_redis_1:6379" },
	{ "TURUNC_SAMPLE_PEER", "10.0.0.1:5432", "10.0.0.1:5432" },
	{ "TURUNC_SAMPLE_PEER", "[fe80::1]:5432", "[fe80::1]:5432" },
	{ "TURUNC_SAMPLE_PEER", "10.0.0.256:5432", NULL },
	{ "TURUNC_SAMPLE_PEER", "db:0", NULL },
	{ "TURUNC_SAMPLE_PEER", "db..example:1", NULL },
	{ "TURUNC_SAMPLE_PEER", "d b:1", NULL },
	{ "TURUNC_SAMPLE_PEER", "-db:1", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://127.0.0.1:5601", "tcp://127.0.0.1:5601" },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://router:5603", "tcp://router:5603" },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://*:5601", "tcp://*:5601" },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://*:*", "tcp://*:*" },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://[::]:5601", "tcp://[::]:5601" },
	{ "TURUNC_SAMPLE_ENDPOINT", "ipc:///run/turunc/door", "ipc:///run/turunc/door" },
	{ "TURUNC_SAMPLE_ENDPOINT", "inproc://zap", "inproc://zap" },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://host", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "tcp://*:99999", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "udp://host:1", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "ipc://", NULL },
	{ "TURUNC_SAMPLE_ENDPOINT", "127.0.0.1:5601", NULL },
	{ "TURUNC_SAMPLE_SECRETS", "x", NULL },
	{ "TURUNC_SAMPLE_TEXT_FILE", "x", NULL },
	{ "TURUNC_SAMPLE_", "x", NULL },
	{ "TURUNC_SAMPLE_SECRET", "in the environment", NULL },
};

TEST(test_settings_values)
{
	struct config c;
	char complaints[1000], text[4000], want[200], shown[200];

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		snprintf(shown, sizeof(shown), "%s=%s", values[i].name, values[i].value);
		setenv(values[i].name, values[i].value, 1);
		bool good = load(&c, complaints, sizeof(complaints));
		CHECK_TRUE(shown, good == (values[i].want != NULL));
		if (good) {
			snprintf(
			    want, sizeof(want), "%s=%s  # set\n", values[i].name, values[i].want);
			printed(&c, text, sizeof(text));
			CHECK_TRUE(shown, strstr(text, want) != NULL);
		} else {
			size_t name_len = strlen(values[i].name);
			CHECK_TRUE(shown, strncmp(complaints, values[i].name, name_len) == 0);
			CHECK_TRUE(shown, strchr(complaints, '\n') == strrchr(complaints, '\n'));
		}
		settings_free(&c, table, ARRAY_LEN(table));
		unsetenv(values[i].name);
	}
}

TEST(test_settings_all_complaints_at_once)
{
	struct config c;
	char complaints[2000];

	setenv("TURUNC_SAMPLE_NUMBER", "many", 1);
	setenv("TURUNC_SAMPLE_WAIT", "5", 1);
	setenv("TURUNC_SAMPLE_COLOUR", "b\x1b[31mlue", 1);
	setenv("TURUNC_SAMPLE_TYPO", "secret?", 1);
	setenv("TURUNC_OTHER_SERVICE", "is not ours", 1);
	setenv("TURUNC_SAMPLETEXT", "neither", 1);
	CHECK_FALSE("is refused", load(&c, complaints, sizeof(complaints)));
	CHECK_STR("each with what it should have been", complaints,
	    "TURUNC_SAMPLE_NUMBER: \"many\": want whole number, -3 to 9000\n"
	    "TURUNC_SAMPLE_WAIT: \"5\": want duration like 250ms, 5s, 2m, 1h, 7d, 0 to 1d\n"
	    "TURUNC_SAMPLE_COLOUR: \"b\\x1b[31mlue\": want one of orange, green\n"
	    "TURUNC_SAMPLE_TYPO: there is no such setting\n");
	settings_free(&c, table, ARRAY_LEN(table));
}

TEST(test_settings_must_be_given)
{
	static const struct setting needed[] = {
		ROW(text, "TURUNC_SAMPLE_TEXT", SETTING_TEXT, .standard = NULL),
		ROW(secret, "TURUNC_SAMPLE_SECRET", SETTING_SECRET, .standard = NULL),
	};
	struct config c = { 0 };
	char complaints[1000] = "";
	FILE *f = fmemopen(complaints, sizeof(complaints), "w");

	CHECK_FALSE("is refused", settings_load(&c, needed, ARRAY_LEN(needed), "sample", f));
	fclose(f);
	CHECK_STR("both are asked for", complaints,
	    "TURUNC_SAMPLE_TEXT: must be given (of the test)\n"
	    "TURUNC_SAMPLE_SECRET_FILE: must be given (of the test)\n");
	settings_free(&c, needed, ARRAY_LEN(needed));
}

static const struct {
	const char *name;
	const char *content;
	size_t len;
	mode_t mode;
	const char *want; /* the secret, or NULL: refused */
	const char *complaint; /* part of it */
} secrets[] = {
	{ "plain", "hush", 4, 0600, "hush", "" },
	{ "less its line end", "hush\n", 5, 0600, "hush", "" },
	{ "also one of Windows", "hush\r\n", 6, 0600, "hush", "" },
	{ "one only", "hush\n\n", 6, 0600, "hush\n", "" },
	{ "of several lines", "hush\nnow", 8, 0400, "hush\nnow", "" },
	{ "forty bytes", "0123456789012345678901234567890123456789\n", 41, 0600,
	    "0123456789012345678901234567890123456789", "" },
	{ "forty-one", "01234567890123456789012345678901234567890\n", 42, 0600, NULL, "not as it" },
	{ "far too long", "0123456789012345678901234567890123456789012345", 46, 0600, NULL,
	    "too long" },
	{ "empty", "", 0, 0600, NULL, "is empty" },
	{ "only a line end", "\n", 1, 0600, NULL, "is empty" },
	{ "NUL", "hu\0sh", 5, 0600, NULL, "NUL" },
	{ "others may write", "hush", 4, 0602, NULL, "everybody may write" },
};

TEST(test_settings_secrets)
{
	const char *path = check_path("secret");
	struct config c;
	char complaints[1000], text[4000];

	setenv("TURUNC_SAMPLE_SECRET_FILE", path, 1);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		remove(path);
		FILE *f = fopen(path, "w");
		if (!CHECK(f != NULL))
			return;
		fwrite(secrets[i].content, 1, secrets[i].len, f);
		fclose(f);
		chmod(path, secrets[i].mode);
		bool good = load(&c, complaints, sizeof(complaints));
		CHECK_TRUE(secrets[i].name, good == (secrets[i].want != NULL));
		CHECK_TRUE(secrets[i].name, strstr(complaints, secrets[i].complaint) != NULL);
		CHECK_TRUE("never shown", strstr(complaints, "hush") == NULL);
		if (good) {
			CHECK_STR(secrets[i].name, c.secret, secrets[i].want);
			printed(&c, text, sizeof(text));
			CHECK_TRUE("printed", strstr(text, "SECRET=***  # set\n") != NULL);
			CHECK_TRUE("never printed", strstr(text, "hush") == NULL);
		}
		settings_free(&c, table, ARRAY_LEN(table));
	}

	static const struct {
		const char *path;
		const char *complaint;
	} places[] = { { "/nowhere/secret", "No such file" }, { "/dev/null", "not a file" },
		{ "/tmp", "not a file" }, { "", "No such file" } };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		setenv("TURUNC_SAMPLE_SECRET_FILE", places[i].path, 1);
		CHECK_FALSE(places[i].path, load(&c, complaints, sizeof(complaints)));
		CHECK_TRUE(places[i].path, strstr(complaints, places[i].complaint) != NULL);
		settings_free(&c, table, ARRAY_LEN(table));
	}
}

TEST(test_settings_describe_names_all)
{
	char text[8000] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	settings_describe(table, ARRAY_LEN(table), f);
	fclose(f);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		CHECK_TRUE(table[i].name, strstr(text, table[i].name) != NULL);
	CHECK_TRUE("range", strstr(text, "whole number, -3 to 9000; default 7\n") != NULL);
	CHECK_TRUE("a secret by its file", strstr(text, "TURUNC_SAMPLE_SECRET_FILE\n") != NULL);
}
