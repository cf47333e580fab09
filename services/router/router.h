/*
 * router - the service that decides where tickets go, takes the steps of their life and streams
 * the log to whoever may read it.
 *
 * This struct owns everything; parts receive what they need of it when they are made.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "bus.h"
#include "catalogue.h"
#include "commands.h"
#include "daemon.h"
#include "db.h"
#include "desk.h"
#include "doorbell.h"
#include "http.h"
#include "keys.h"
#include "letters.h"
#include "people.h"
#include "registry.h"
#include "routing.h"
#include "search_index.h"
#include "settings.h"
#include "stats.h"
#include "stream.h"
#include "sweeps.h"
#include "uuid.h"
#include "watch.h"

struct router_config {
	struct daemon_settings daemon;
	struct letters_settings letters;
	struct people_settings people;
	char *database;
	char *database_password;
	int64_t read_connections;
	struct setting_address http_listen;
	char *trusted_peers;
	char *bus_listen;
	int64_t bus_memory;
	char *doorbell;
	char *keys_dir;
	char *state_dir;
	int64_t look_ms;
	int64_t batch_records;
	int64_t batch_commands;
	int64_t held_commands;
	int64_t wait_ms;
	int64_t sweep_ms;
	int64_t watch_ms;
	int64_t desk_connections;
	int64_t desk_timeout_ms;
	int64_t search_timeout_ms;
	char *attachments_dir;
	int64_t attachments_bytes;
	int64_t photo_bytes;
	int64_t photo_pixels;
};

extern const struct setting router_settings[];
extern const size_t router_settings_count;

struct router {
	struct router_config config;
	struct daemon *daemon;
	struct stats *stats;
	struct uuid_source ids;
	struct acl *acl;
	struct registry *registry;
	struct db *writer; /* one connection: routing, commands, sweeps */
	struct db *reader; /* the registry and the stream */
	struct db *desk_reader; /* the desk's pages, ended by their own timeout */
	struct db *searcher; /* what people look for, likewise */
	struct db *indexer; /* keeps what they find */
	struct search_index *search_index;
	struct attachments *attachments; /* NULL: no folder of photos */
	struct letters *letters; /* of routing */
	struct routing *routing;
	struct commands *commands;
	struct sweeps *sweeps;
	struct stream *stream;
	struct watch *watch;
	struct desk *desk;
	struct http *http;
	struct http_common *pages;
	struct people *people; /* at the desk */
	struct bus_metrics *bus_metrics;
	struct key_pair keys;
	struct bus *bus;
	struct bus_door *door;
	struct doorbell *bell;
	struct uuid log_uuid; /* the history that head_seq belongs to */
	uint64_t head_seq; /* the newest record we know of, by a look or a ring */
	uint64_t follow_ms; /* when readers are told of a ring, at the latest; 0: they were */
	unsigned record_state; /* handles of daemon_set_dependency() */
	unsigned reading_state;
	unsigned desk_state;
	unsigned search_state;
	unsigned catalogue_state;
	unsigned door_state;
};

/* False: cannot start, and the log says why.  Close takes a half-open one. */
MUST_CHECK bool router_open(struct router *r);
void router_close(struct router *r);

/* The log is known to reach seq now, by whoever committed it. */
void router_log_grew(struct router *r, uint64_t seq);

/* The stream door's frames and sessions (inbound.c). */
extern const struct bus_door_calls router_door_calls;

#endif
