/* Turns a conninfo into the list of servers to try, each with a numeric address. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "db_internal.h"

enum { TARGETS_MAX = 32, KEYWORDS_MAX = 64 };

/* libpq would look names up again at every attempt, and block; so it gets hostaddr. */
struct target {
	char *host; /* a name (for certificates), a socket's directory, or NULL */
	char *hostaddr; /* NULL for a socket's directory */
	char *port; /* NULL: the default */
};

struct db_address {
	/* Every keyword but those of the target; the last value of a keyword counts. */
	char *keywords[KEYWORDS_MAX];
	char *values[KEYWORDS_MAX];
	size_t keyword_count;
	struct target targets[TARGETS_MAX];
	size_t target_count;
};

/* What holds unless the conninfo says otherwise.  A dead peer is noticed within half a minute. */
static const struct {
	const char *keyword;
	const char *value;
} standards[] = {
	{ "client_encoding", "UTF8" },
	{ "target_session_attrs", "read-write" },
	{ "gssencmode", "disable" },
	{ "keepalives", "1" },
	{ "keepalives_idle", "15" },
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "15000" },
	{ "options", "-c synchronous_commit=on -c client_min_messages=warning" },
};

static bool
add_keyword(struct db_address *a, const char *keyword, const char *value)
{
	if (a->keyword_count + 1 >= KEYWORDS_MAX)
		return false;
	size_t i = a->keyword_count++;
	a->keywords[i] = strdup(keyword);
	a->values[i] = strdup(value);
	return a->keywords[i] != NULL && a->values[i] != NULL;
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/* The conninfo's own options come behind ours, so they win. */
static bool
add_options(struct db_address *a, const char *standard, const char *own)
{
	char joined[1024];

	if (own == NULL)
		return add_keyword(a, "options", standard);
	int len = snprintf(joined, sizeof(joined), "%s %s", standard, own);
	return len >= 0 && (size_t)len < sizeof(joined) && add_keyword(a, "options", joined);
}

static bool
is_target_keyword(const char *keyword)
{
	return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0
	       || strcmp(keyword, "port") == 0;
}

static bool
add_keywords(
    struct db_address *a, const PQconninfoOption *options, const struct db_settings *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(standards); i++) {
		const char *keyword = standards[i].keyword;
		const char *own = option_value(options, keyword);
		bool added = strcmp(keyword, "options") == 0
				 ? add_options(a, standards[i].value, own)
				 : own != NULL || add_keyword(a, keyword, standards[i].value);
		if (!added)
			return false;
	}
	for (; options->keyword != NULL; options++) {
		if (options->val == NULL || is_target_keyword(options->keyword)
		    || strcmp(options->keyword, "options") == 0)
			continue;
		if (!add_keyword(a, options->keyword, options->val))
			return false;
	}
	return (settings->password == NULL || add_keyword(a, "password", settings->password))
	       && add_keyword(a, "application_name",
		   settings->application_name != NULL ? settings->application_name : "turunc");
}

/* --- targets --- */

static bool
add_target(struct db_address *a, const char *host, const char *hostaddr, const char *port)
{
	if (a->target_count == TARGETS_MAX)
		return true; /* thirty-two are enough to find one that answers */
	struct target *t = &a->targets[a->target_count++];
	if (host != NULL && host[0] != '\0')
		t->host = strdup(host);
	if (hostaddr != NULL && hostaddr[0] != '\0')
		t->hostaddr = strdup(hostaddr);
	if (port != NULL && port[0] != '\0')
		t->port = strdup(port);
	return true;
}

/* Every address of the name; false with a complaint when it has none. */
static bool
add_name(struct db_address *a, const char *name, const char *port, char *complaint,
    size_t complaint_size)
{
	struct addresses found;

	if (!address_resolve(name, &found, complaint, complaint_size))
		return false;
	for (size_t i = 0; i < found.count; i++)
		add_target(a, name, found.numeric[i], port);
	return true;
}

/* Takes the next item off a list with commas; "" when there is no more. */
static void
next_item(const char **list, char *item, size_t size)
{
	size_t len = *list == NULL ? 0 : strcspn(*list, ",");

	snprintf(item, size, "%.*s", (int)len, *list == NULL ? "" : *list);
	if (*list != NULL)
		*list = (*list)[len] == ',' ? *list + len + 1 : NULL;
}

static bool
add_targets(
    struct db_address *a, const PQconninfoOption *options, char *complaint, size_t complaint_size)
{
	const char *hosts = option_value(options, "host");
	const char *hostaddrs = option_value(options, "hostaddr");
	const char *ports = option_value(options, "port");
	bool one_port = ports == NULL || strchr(ports, ',') == NULL;
	char host[ADDRESS_HOST_SIZE], hostaddr[ADDRESS_HOST_SIZE], port[16];
	bool unresolved = false;

	if (hosts == NULL && hostaddrs == NULL)
		hosts = getenv("PGHOST");
	do {
		next_item(&hosts, host, sizeof(host));
		next_item(&hostaddrs, hostaddr, sizeof(hostaddr));
		if (one_port)
			snprintf(port, sizeof(port), "%s", ports == NULL ? "" : ports);
		else
			next_item(&ports, port, sizeof(port));
		if (hostaddr[0] != '\0' || host[0] == '\0' || host[0] == '/' || host[0] == '@')
			add_target(a, host, hostaddr, port);
		else if (!add_name(a, host, port, complaint, complaint_size))
			unresolved = true;
	} while (hosts != NULL || hostaddrs != NULL);

	/* One of several names that does not resolve is an outage, not a mistake. */
	return a->target_count > 0 || !unresolved;
}

struct db_address *
db_address_open(const struct db_settings *settings, char *complaint, size_t complaint_size)
{
	char *error = NULL;
	struct db_address *a = NULL;
	PQconninfoOption *options = PQconninfoParse(settings->conninfo, &error);

	if (options == NULL) {
		snprintf(complaint, complaint_size, "%.*s",
		    error == NULL ? 0 : (int)strcspn(error, "\n"), error == NULL ? "" : error);
		goto out;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL || !add_keywords(a, options, settings)) {
		snprintf(complaint, complaint_size, "out of memory or too many options");
		goto fail;
	}
	if (!add_targets(a, options, complaint, complaint_size))
		goto fail;
	goto out;
fail:
	db_address_close(a);
	a = NULL;
out:
	PQconninfoFree(options);
	PQfreemem(error);
	return a;
}

void
db_address_close(struct db_address *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->keyword_count; i++) {
		free(a->keywords[i]);
		if (a->values[i] != NULL)
			explicit_bzero(a->values[i], strlen(a->values[i]));
		free(a->values[i]);
	}
	for (size_t i = 0; i < a->target_count; i++) {
		free(a->targets[i].host);
		free(a->targets[i].hostaddr);
		free(a->targets[i].port);
	}
	free(a);
}

size_t
db_address_count(const struct db_address *a)
{
	return a->target_count;
}

PGconn *
db_address_connect(const struct db_address *a, size_t target)
{
	const char *keywords[KEYWORDS_MAX + 4], *values[KEYWORDS_MAX + 4];
	const struct target *t = &a->targets[target % a->target_count];
	const char *const own[][2] = {
		{ "host", t->host },
		{ "hostaddr", t->hostaddr },
		{ "port", t->port },
	};
	size_t n = 0;

	for (size_t i = 0; i < a->keyword_count; i++, n++) {
		keywords[n] = a->keywords[i];
		values[n] = a->values[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (own[i][1] == NULL)
			continue;
		keywords[n] = own[i][0];
		values[n++] = own[i][1];
	}
	keywords[n] = NULL;
	return PQconnectStartParams(keywords, values, 0);
}
