/*
 * asterisk - the program between the manager interface of an Asterisk and intake's publish door.
 *
 * It signs in, listens to queue and agent events, and publishes what they say of calls with
 * store-and-forward: what was heard while intake is away is on this machine's disk.  What an
 * Asterisk says while the connection to it is lost nobody hears; the calls of that time stay with
 * what was heard before.
 */
#ifndef ASTERISK_ASTERISK_H
#define ASTERISK_ASTERISK_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "ami.h"
#include "base.h"
#include "daemon.h"
#include "pbx.h"
#include "settings.h"

struct bufferevent;
struct event;
struct turunc_client;

struct asterisk_config {
	struct daemon_settings daemon;
	struct setting_address manager;
	char *user;
	char *secret;
	char *agents;
	char *keys_dir;
	char *endpoint;
	char *state_dir;
	char *source;
	int64_t ping_ms;
	int64_t silence_ms;
};

extern const struct setting asterisk_settings[];
extern const size_t asterisk_settings_count;

enum asterisk_state {
	ASTERISK_WAITING, /* before the next attempt */
	ASTERISK_CONNECTING,
	ASTERISK_SIGNING_IN,
	ASTERISK_LISTENING,
};

struct asterisk {
	struct asterisk_config config;
	struct daemon *daemon;
	struct addresses addresses;
	size_t next_address;
	enum asterisk_state state;
	struct bufferevent *link; /* NULL: none */
	struct ami_reader reader;
	uint64_t action; /* the last ActionID given */
	uint64_t heard_ms, said_ms, retry_ms;
	uint32_t failures;
	bool lost; /* the link is to be dropped when its callback is done */
	bool link_ends; /* it was closed for good, and the loop has not turned since */
	struct pbx_agents agents;
	struct pbx *pbx;
	struct turunc_client *client;
	struct event *client_event;
	uint64_t published, dropped, unknown_agents;
	bool store_failed; /* its disk refused: it ends as failed, to be started again */
};

/* False: cannot start, and the log says why.  Close takes a half-open one. */
MUST_CHECK bool asterisk_open(struct asterisk *a);
void asterisk_close(struct asterisk *a);

/* The manager's side (manager.c): connects, signs in, pings; ms until it wants to be called. */
int64_t manager_tick(struct asterisk *a, uint64_t now_ms);
void manager_close(struct asterisk *a);
/* Each message that is no answer to us goes there. */
void asterisk_on_event(struct asterisk *a, const struct ami_message *message);

#endif
