/* Turns a conninfo into the list of servers to try, each with a numeric address. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "db_internal.h"
#include "log.h"

enum { SOURCES_MAX = 16, KEYWORDS_MAX = 64 };

/* One entry of the conninfo's lists.  libpq would look its name up again at every attempt, and
 * block; so it gets hostaddr. */
struct source {
	char *host; /* a name (also for certificates), a socket's directory, or NULL */
	char *hostaddr; /* as given; NULL: none */
	char *port; /* NULL: the default */
	bool named; /* found holds the addresses of host */
	struct addresses found;
};

struct db_address {
	/* Every keyword but those of the target; the last value of a keyword counts. */
	char *keywords[KEYWORDS_MAX];
	char *values[KEYWORDS_MAX];
	size_t keyword_count;
	struct source sources[SOURCES_MAX];
	size_t source_count;
	struct address_lookup *lookup; /* of the name of sources[looking_up] */
	size_t looking_up;
	struct event_base *loop;
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

/* The program's come behind the standards, the conninfo's own behind those, so they win. */
static bool
add_options(struct db_address *a, const char *standard, const char *programs, const char *own)
{
	char joined[1024];

	int len = snprintf(joined, sizeof(joined), "%s %s %s", standard,
	    programs == NULL ? "" : programs, own == NULL ? "" : own);
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
				 ? add_options(a, standards[i].value, settings->options, own)
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

/* --- sources --- */

/* False: no memory.  More than sixteen are not needed to find one that answers. */
static bool
add_source(struct db_address *a, const char *host, const char *hostaddr, const char *port)
{
	if (a->source_count == SOURCES_MAX)
		return true;
	struct source *s = &a->sources[a->source_count++];
	if (host[0] != '\0')
		s->host = strdup(host);
	if (hostaddr[0] != '\0')
		s->hostaddr = strdup(hostaddr);
	if (port[0] != '\0')
		s->port = strdup(port);
	s->named = hostaddr[0] == '\0' && host[0] != '\0' && host[0] != '/' && host[0] != '@';
	return (host[0] == '\0' || s->host != NULL) && (hostaddr[0] == '\0' || s->hostaddr != NULL)
	       && (port[0] == '\0' || s->port != NULL);
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
add_sources(
    struct db_address *a, const PQconninfoOption *options, char *complaint, size_t complaint_size)
{
	const char *hosts = option_value(options, "host");
	const char *hostaddrs = option_value(options, "hostaddr");
	const char *ports = option_value(options, "port");
	bool one_port = ports == NULL || strchr(ports, ',') == NULL;
	char host[ADDRESS_HOST_SIZE], hostaddr[ADDRESS_HOST_SIZE], port[16];

	if (hosts == NULL && hostaddrs == NULL)
		hosts = getenv("PGHOST");
	do {
		next_item(&hosts, host, sizeof(host));
		next_item(&hostaddrs, hostaddr, sizeof(hostaddr));
		if (one_port)
			snprintf(port, sizeof(port), "%s", ports == NULL ? "" : ports);
		else
			next_item(&ports, port, sizeof(port));
		if (!add_source(a, host, hostaddr, port)) {
			snprintf(complaint, complaint_size, "out of memory");
			return false;
		}
	} while (hosts != NULL || hostaddrs != NULL);
	return true;
}

/* One of several names that does not resolve is an outage, not a mistake. */
static bool
resolve_all(struct db_address *a, char *complaint, size_t complaint_size)
{
	for (size_t i = 0; i < a->source_count; i++) {
		struct source *s = &a->sources[i];
		if (s->named && !address_resolve(s->host, &s->found, complaint, complaint_size))
			log_debug("db host=%s unresolved", s->host);
	}
	return db_address_count(a) > 0;
}

struct db_address *
db_address_open(struct event_base *loop, const struct db_settings *settings, char *complaint,
    size_t complaint_size)
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
	if (a != NULL)
		a->loop = loop;
	if (a == NULL || !add_keywords(a, options, settings)) {
		snprintf(complaint, complaint_size, "out of memory or too many options");
		goto fail;
	}
	if (!add_sources(a, options, complaint, complaint_size)
	    || !resolve_all(a, complaint, complaint_size))
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
	for (size_t i = 0; i < a->source_count; i++) {
		free(a->sources[i].host);
		free(a->sources[i].hostaddr);
		free(a->sources[i].port);
	}
	address_lookup_cancel(a->lookup);
	free(a);
}

/* --- names that have moved --- */

static void look_up_from(struct db_address *a, size_t i);

static void
on_found(void *arg, const struct addresses *found)
{
	struct db_address *a = arg;

	a->lookup = NULL;
	if (found != NULL)
		a->sources[a->looking_up].found = *found;
	look_up_from(a, a->looking_up + 1);
}

/* Begins with the next name, if there is one. */
static void
look_up_from(struct db_address *a, size_t i)
{
	while (i < a->source_count && !a->sources[i].named)
		i++;
	if (i == a->source_count)
		return;
	a->looking_up = i;
	a->lookup = address_lookup_start(a->loop, a->sources[i].host, on_found, a);
}

void
db_address_refresh(struct db_address *a)
{
	if (a->lookup == NULL)
		look_up_from(a, 0);
}

/* --- targets: every address of every source --- */

static size_t
targets_of(const struct source *s)
{
	return s->named ? s->found.count : 1;
}

size_t
db_address_count(const struct db_address *a)
{
	size_t count = 0;

	for (size_t i = 0; i < a->source_count; i++)
		count += targets_of(&a->sources[i]);
	return count;
}

PGconn *
db_address_connect(const struct db_address *a, size_t target)
{
	const char *keywords[KEYWORDS_MAX + 4], *values[KEYWORDS_MAX + 4];
	const struct source *s = a->sources;
	size_t count = db_address_count(a);
	size_t n = 0;

	assert(count > 0);
	for (target %= count; target >= targets_of(s); s++)
		target -= targets_of(s);
	const char *const own[][2] = {
		{ "host", s->host },
		{ "hostaddr", s->named ? s->found.numeric[target] : s->hostaddr },
		{ "port", s->port },
	};

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
