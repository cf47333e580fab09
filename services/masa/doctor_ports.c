/* What masa doctor finds at the ports: who listens, for whom, and whether they speak CURVE. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "doctor.h"

/* The ports of a local run (.run/ports) that somebody must listen on. */
static const struct {
	const char *name;
	bool street; /* meant for other machines, when the operator says so */
} expected[] = {
	{ "edge", true },
	{ "publish", true },
	{ "stream", true },
	{ "lmtp", true },
	{ "doorbell", false },
	{ "intake_http", false },
	{ "router_http", false },
	{ "notifier_http", false },
	{ "metrics_http", false },
	{ "postgres", false },
};

enum { PORTS_MAX = 65536, LISTENS = 1, LISTENS_WIDELY = 2 };

/* Of the kernel's list: local addresses are hexadecimal, words of the machine's own order. */
static bool
is_loopback(const char *address)
{
	static const char v6[] = "00000000000000000000000001000000";
	static const char mapped[] = "0000000000000000FFFF0000";
	size_t len = strlen(address);

	if (len == 32 && strncmp(address, mapped, 24) == 0)
		address += 24;
	else if (len == 32)
		return strcmp(address, v6) == 0;
	return strcmp(address + 6, "7F") == 0;
}

static void
read_listeners(const char *path, unsigned char listeners[PORTS_MAX])
{
	FILE *file = fopen(path, "re");
	char line[512], address[40];
	unsigned port, state;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, " %*d: %39[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &port, &state)
			!= 3
		    || state != 0x0a || port >= PORTS_MAX || strlen(address) < 8)
			continue;
		listeners[port] |= LISTENS;
		if (!is_loopback(address))
			listeners[port] |= LISTENS_WIDELY;
	}
	if (file != NULL)
		fclose(file);
}

static void
look_at_port(struct doctor *d, const char *name, bool street, unsigned port, unsigned char how)
{
	if ((how & LISTENS) == 0)
		doctor_find(d, DOCTOR_BAD, "ports",
		    "its log says why it is not open (.run/log); deploy/up starts what is missing",
		    "nobody listens on %u, the port of %s", port, name);
	else if ((how & LISTENS_WIDELY) != 0 && !street)
		doctor_find(d, DOCTOR_BAD, "ports",
		    "it is for this machine alone: bind it to 127.0.0.1, or shut it by a firewall",
		    "port %u of %s is open to other machines", port, name);
}

static void
look_at_listeners(struct doctor *d, FILE *ports)
{
	static unsigned char listeners[PORTS_MAX];
	char line[80];

	read_listeners("/proc/net/tcp", listeners);
	read_listeners("/proc/net/tcp6", listeners);
	while (fgets(line, sizeof(line), ports) != NULL) {
		char *equals = strchr(line, '=');
		unsigned long port = equals != NULL ? strtoul(equals + 1, NULL, 10) : 0;
		if (port == 0 || port >= PORTS_MAX)
			continue;
		*equals = '\0';
		for (size_t i = 0; i < ARRAY_LEN(expected); i++)
			if (strcmp(expected[i].name, line) == 0)
				look_at_port(
				    d, line, expected[i].street, (unsigned)port, listeners[port]);
	}
}

/* --- the doors of the bus ----------------------------------------------------------------------
 */

enum { GREETING = 64, MECHANISM = 12, MECHANISM_SIZE = 20, SAID = 12 };

/* A socket that waits for nothing longer than two seconds; -1: nobody there. */
static int
connect_to(const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	const struct timeval limit = { .tv_sec = 2 };
	const struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *to = NULL;
	char host[256];

	if (strncmp(endpoint, "tcp://", 6) != 0 || colon == NULL || colon < endpoint + 6)
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - endpoint - 6), endpoint + 6);
	if (getaddrinfo(host, colon + 1, &wanted, &to) != 0)
		return -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0
	    && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0
		|| setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0
		|| connect(fd, to->ai_addr, to->ai_addrlen) != 0)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(to);
	return fd;
}

/* The first 64 bytes of ZMTP 3: signature, version, mechanism.  We say the first two, and no
 * mechanism that the other side could refuse before it told its own.  NULL, or what is wrong. */
static const char *
judge_greeting(int fd)
{
	unsigned char greeting[GREETING] = { 0xff, [9] = 0x7f, 3, 0 };
	size_t got = 0;

	if (send(fd, greeting, SAID, MSG_NOSIGNAL) != SAID)
		return "does not answer as a bus";
	while (got < sizeof(greeting)) {
		ssize_t len = recv(fd, greeting + got, sizeof(greeting) - got, 0);
		if (len <= 0)
			return "does not answer as a bus";
		got += (size_t)len;
	}
	if (greeting[0] != 0xff || greeting[9] != 0x7f)
		return "is no bus";
	return strncmp((const char *)greeting + MECHANISM, "CURVE", MECHANISM_SIZE) == 0
		   ? NULL
		   : "speaks without encryption";
}

static void
look_at_door(struct doctor *d, const char *name, const char *endpoint)
{
	if (endpoint == NULL)
		return;
	int fd = connect_to(endpoint);
	const char *wrong = fd < 0 ? "cannot be reached" : judge_greeting(fd);
	if (fd >= 0)
		close(fd);
	if (wrong != NULL)
		doctor_find(d, DOCTOR_BAD, "bus",
		    "masa status says whether its service runs; another program may hold the port",
		    "the %s door %s %s", name, endpoint, wrong);
}

/* Where the doors are from here; what goes into clients' keys is how the world outside sees them.
 */
static void
look_at_doors(struct doctor *d, bool is_local)
{
	const char *publish = masa_env(
	    "TURUNC_DOOR_PUBLISH", is_local ? masa_env("TURUNC_BUS_PUBLISH", NULL) : NULL);
	const char *stream = masa_env(
	    "TURUNC_DOOR_STREAM", is_local ? masa_env("TURUNC_BUS_STREAM", NULL) : NULL);

	if (publish == NULL && stream == NULL) {
		doctor_skip(d, "bus",
		    "where its doors are from here is not said (TURUNC_DOOR_PUBLISH, _STREAM)");
		return;
	}
	look_at_door(d, "publish", publish);
	look_at_door(d, "stream", stream);
	doctor_looked(d, "bus");
}

void
doctor_ports(struct doctor *d)
{
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	char path[4096];

	look_at_doors(d, system != NULL);
	if (system == NULL) {
		doctor_skip(d, "ports",
		    masa_env("TURUNC_VAULT_DIR", NULL) != NULL
			? "the engine alone knows what it publishes: docker-compose ps shows it"
			: "the system is not on this machine (TURUNC_SYSTEM_DIR)");
		return;
	}
	snprintf(path, sizeof(path), "%s/ports", system);
	FILE *ports = fopen(path, "re");
	if (ports == NULL) {
		doctor_skip(d, "ports", "its folder has no list of ports");
		return;
	}
	look_at_listeners(d, ports);
	fclose(ports);
	doctor_looked(d, "ports");
}
