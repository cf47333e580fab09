/* Strict parsing and printing of every type of setting, one table row per type. */
#include "setting_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct unit {
	const char *name;
	int64_t size;
};

/* Largest first: printing takes the first that divides. */
static const struct unit duration_units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit byte_units[] = { { "GiB", INT64_C(1) << 30 }, { "MiB", 1 << 20 },
	{ "KiB", 1 << 10 }, { "", 1 }, { NULL, 0 } };
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };

static const char *const bool_names[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

static bool parse_text(const struct setting *s, const char *text, void *at);
static bool parse_number(const struct setting *s, const char *text, void *at);
static bool parse_bool(const struct setting *s, const char *text, void *at);
static bool parse_choice(const struct setting *s, const char *text, void *at);
static bool parse_address(const struct setting *s, const char *text, void *at);
static bool parse_endpoint(const struct setting *s, const char *text, void *at);

static void format_text(const struct setting *s, const void *at, char *to, size_t size);
static void format_number(const struct setting *s, const void *at, char *to, size_t size);
static void format_bool(const struct setting *s, const void *at, char *to, size_t size);
static void format_choice(const struct setting *s, const void *at, char *to, size_t size);
static void format_address(const struct setting *s, const void *at, char *to, size_t size);
static void format_secret(const struct setting *s, const void *at, char *to, size_t size);

static const struct type {
	const char *what;
	bool (*parse)(const struct setting *s, const char *text, void *at);
	void (*format)(const struct setting *s, const void *at, char *to, size_t size);
	const struct unit *units;
	bool is_string;
} types[] = {
	[SETTING_TEXT] = { "text", parse_text, format_text, NULL, true },
	[SETTING_INT] = { "whole number", parse_number, format_number, plain_units, false },
	[SETTING_BOOL] = { "yes or no", parse_bool, format_bool, NULL, false },
	[SETTING_DURATION] = { "duration like 250ms, 5s, 2m, 1h, 7d", parse_number, format_number,
	    duration_units, false },
	[SETTING_BYTES] = { "size like 4096, 64KiB, 8MiB", parse_number, format_number, byte_units,
	    false },
	[SETTING_CHOICE] = { "one of", parse_choice, format_choice, NULL, false },
	[SETTING_LISTEN] = { "numeric address and port like 127.0.0.1:8080 or [::1]:8080",
	    parse_address, format_address, NULL, false },
	[SETTING_PEER] = { "host and port like db.example:5432", parse_address, format_address,
	    NULL, false },
	[SETTING_ENDPOINT] = { "endpoint like tcp://host:5601, ipc:///path or inproc://name",
	    parse_endpoint, format_text, NULL, true },
	[SETTING_SECRET] = { "secret in a file", parse_text, format_secret, NULL, true },
};
_Static_assert(ARRAY_LEN(types) == SETTING_TYPES, "describe every type");

bool
setting_is_string(const struct setting *s)
{
	return types[s->type].is_string;
}

bool
setting_parse(const struct setting *s, const char *text, void *at, char why[SETTING_WHY_SIZE])
{
	if (types[s->type].parse(s, text, at))
		return true;
	setting_expected(s, why, SETTING_WHY_SIZE);
	return false;
}

void
setting_format(const struct setting *s, const void *at, char shown[SETTING_SHOWN_SIZE])
{
	types[s->type].format(s, at, shown, SETTING_SHOWN_SIZE);
}

static int64_t
max_of(const struct setting *s)
{
	if (s->min != 0 || s->max != 0)
		return s->max;
	return setting_is_string(s) ? SETTING_TEXT_MAX : INT64_MAX;
}

static void
format_in_units(int64_t value, const struct unit *units, char *to, size_t size)
{
	const struct unit *u = units;

	while (u->size > 1 && (value == 0 || value % u->size != 0))
		u++;
	/* 0 needs no unit, and reads better without. */
	snprintf(to, size, "%" PRId64 "%s", value / u->size, value == 0 ? "" : u->name);
}

void
setting_expected(const struct setting *s, char *to, size_t size)
{
	const struct unit *units = types[s->type].units;
	size_t used = (size_t)snprintf(to, size, "%s", types[s->type].what);

	if (s->type == SETTING_CHOICE) {
		for (size_t i = 0; s->choices[i] != NULL && used < size; i++)
			used += (size_t)snprintf(
			    to + used, size - used, "%s %s", i == 0 ? "" : ",", s->choices[i]);
	} else if ((s->min != 0 || s->max != 0) && units != NULL) {
		char low[32], high[32];
		format_in_units(s->min, units, low, sizeof(low));
		format_in_units(s->max, units, high, sizeof(high));
		snprintf(to + used, size - used, ", %s to %s", low, high);
	} else if (setting_is_string(s) && s->type != SETTING_ENDPOINT) {
		snprintf(to + used, size - used, " of %" PRId64 " to %" PRId64 " bytes", s->min,
		    max_of(s));
	}
}

/* Replaces what was there, so that a setting may be read again. */
static bool
keep_string(const char *text, void *at)
{
	char **member = at;
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	free(*member);
	*member = copy;
	return true;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* A secret may be of several lines; an empty one is none, however long one has to be. */
static bool
parse_text(const struct setting *s, const char *text, void *at)
{
	size_t len = strlen(text);
	bool none = s->type == SETTING_SECRET && len == 0;

	if (!none && ((int64_t)len < s->min || (int64_t)len > max_of(s)))
		return false;
	if (s->type != SETTING_SECRET && (has_control(text) || !utf8_valid(text, len)))
		return false;
	return keep_string(text, at);
}

/* Digits with a sign in front at most, then exactly one unit of the type. */
static bool
parse_number(const struct setting *s, const char *text, void *at)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;

	if (digits[0] < '0' || digits[0] > '9')
		return false;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno != 0)
		return false;

	const struct unit *u = types[s->type].units;
	while (u->name != NULL && strcmp(u->name, end) != 0)
		u++;
	bool bare_zero = number == 0 && *end == '\0';
	int64_t value = 0;
	if (!bare_zero
	    && (u->name == NULL || __builtin_mul_overflow((int64_t)number, u->size, &value)))
		return false;
	if (value < s->min || value > max_of(s))
		return false;
	*(int64_t *)at = value;
	return true;
}

static bool
parse_bool(const struct setting *s, const char *text, void *at)
{
	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(bool_names); i++)
		if (strcmp(text, bool_names[i]) == 0) {
			*(bool *)at = i % 2 == 1;
			return true;
		}
	return false;
}

static bool
parse_choice(const struct setting *s, const char *text, void *at)
{
	for (int64_t i = 0; s->choices[i] != NULL; i++)
		if (strcmp(text, s->choices[i]) == 0) {
			*(int64_t *)at = i;
			return true;
		}
	return false;
}

static bool
parse_port(const char *text, long lowest, uint16_t *ret_port)
{
	long port = 0;
	size_t len = strlen(text);

	if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
		return false;
	port = strtol(text, NULL, 10);
	if (port < lowest || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool
host_numeric(const char *host, bool bracketed)
{
	struct in6_addr address;

	return inet_pton(bracketed ? AF_INET6 : AF_INET, host, &address) == 1;
}

/* A name as DNS allows it; the underscore occurs in names given by container networks.  What has
 * only digits and dots is an address or nothing. */
static bool
host_name(const char *host)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(host);

	return len > 0 && strspn(host, allowed) == len && strspn(host, "0123456789.") != len
	       && host[0] != '.' && host[0] != '-' && strstr(host, "..") == NULL;
}

/* host:port or [v6]:port, the port at the last colon. */
static bool
split_address(const char *text, bool names, long lowest_port, struct setting_address *ret_address)
{
	struct setting_address a = { .port = 0 };
	const char *colon = strrchr(text, ':');

	if (colon == NULL || !parse_port(colon + 1, lowest_port, &a.port))
		return false;
	bool bracketed = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
	const char *host = bracketed ? text + 1 : text;
	size_t host_len = (size_t)(colon - host) - (bracketed ? 1 : 0);
	if (host_len == 0 || host_len >= sizeof(a.host))
		return false;
	memcpy(a.host, host, host_len);
	if (!host_numeric(a.host, bracketed) && !(names && !bracketed && host_name(a.host)))
		return false;
	*ret_address = a;
	return true;
}

static bool
parse_address(const struct setting *s, const char *text, void *at)
{
	bool peer = s->type == SETTING_PEER;

	return split_address(text, peer, peer ? 1 : 0, at);
}

/* ZeroMQ itself checks little: a wrong endpoint would show only as silence. */
static bool
endpoint_valid(const char *text)
{
	static const char tcp[] = "tcp://", ipc[] = "ipc://", inproc[] = "inproc://";
	enum { IPC_PATH_MAX = 107, INPROC_NAME_MAX = 255 };
	struct setting_address address;

	if (has_control(text) || !utf8_valid(text, strlen(text)))
		return false;
	if (strncmp(text, ipc, strlen(ipc)) == 0)
		return text[strlen(ipc)] != '\0' && strlen(text + strlen(ipc)) <= IPC_PATH_MAX;
	if (strncmp(text, inproc, strlen(inproc)) == 0)
		return text[strlen(inproc)] != '\0'
		       && strlen(text + strlen(inproc)) <= INPROC_NAME_MAX;
	if (strncmp(text, tcp, strlen(tcp)) != 0)
		return false;
	text += strlen(tcp);
	uint16_t port;
	if (strncmp(text, "*:", 2) == 0)
		return strcmp(text + 2, "*") == 0 || parse_port(text + 2, 0, &port);
	return split_address(text, true, 0, &address);
}

static bool
parse_endpoint(const struct setting *s, const char *text, void *at)
{
	bool absent_allowed = s->standard != NULL && s->standard[0] == '\0';

	if (!(text[0] == '\0' && absent_allowed) && !endpoint_valid(text))
		return false;
	return keep_string(text, at);
}

static void
format_text(const struct setting *s, const void *at, char *to, size_t size)
{
	const char *text = *(char *const *)at;

	(void)s;
	snprintf(to, size, "%s", text == NULL ? "" : text);
}

static void
format_number(const struct setting *s, const void *at, char *to, size_t size)
{
	format_in_units(*(const int64_t *)at, types[s->type].units, to, size);
}

static void
format_bool(const struct setting *s, const void *at, char *to, size_t size)
{
	(void)s;
	snprintf(to, size, "%s", bool_names[*(const bool *)at ? 1 : 0]);
}

static void
format_choice(const struct setting *s, const void *at, char *to, size_t size)
{
	snprintf(to, size, "%s", s->choices[*(const int64_t *)at]);
}

static void
format_address(const struct setting *s, const void *at, char *to, size_t size)
{
	const struct setting_address *a = at;
	bool bracketed = strchr(a->host, ':') != NULL;

	(void)s;
	snprintf(to, size, "%s%s%s:%u", bracketed ? "[" : "", a->host, bracketed ? "]" : "",
	    (unsigned)a->port);
}

static void
format_secret(const struct setting *s, const void *at, char *to, size_t size)
{
	const char *text = *(char *const *)at;

	(void)s;
	snprintf(to, size, "%s", text == NULL || text[0] == '\0' ? "" : "***");
}
