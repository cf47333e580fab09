/*
 * metrics - the service that keeps the live figures and shows them.
 *
 * This struct owns everything; parts receive what they need of it when they are made.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "acl.h"
#include "alarm_watch.h"
#include "base.h"
#include "board.h"
#include "daemon.h"
#include "db.h"
#include "history.h"
#include "http.h"
#include "keeper.h"
#include "keys.h"
#include "letters.h"
#include "live.h"
#include "open_data.h"
#include "picture.h"
#include "projector.h"
#include "redis.h"
#include "registry.h"
#include "reports.h"
#include "satisfaction.h"
#include "settings.h"
#include "worker.h"

struct metrics_config {
	struct daemon_settings daemon;
	struct letters_settings letters;
	char *database;
	char *database_password;
	char *redis;
	char *redis_password;
	struct setting_address http_listen;
	char *trusted_peers;
	int64_t board_viewers;
	int64_t board_viewers_per_address;
	char *board_shown_to;
	char *bus_stream;
	char *keys_dir;
	char *state_dir;
	int64_t look_ms;
	int64_t read_ms;
	int64_t window;
	int64_t replay_max;
	int64_t rebuild_ms;
	int64_t open_data_kept_ms;
	int64_t open_data_tickets;
	int64_t count_ms;
};

extern const struct setting metrics_settings[];
extern const size_t metrics_settings_count;

struct metrics {
	struct metrics_config config;
	struct daemon *daemon;
	struct acl *acl; /* filled by the registry; nobody connects to us over the bus */
	struct registry *registry;
	struct db *db; /* short questions */
	struct db *history; /* rebuilds, which may take a while */
	struct db *counting; /* the months' figures */
	struct redis *redis;
	struct live *live;
	struct letters *letters;
	struct projector *projector;
	struct picture *picture;
	struct keeper *keeper;
	struct history *past;
	struct alarm_watch *alarms;
	struct board *board;
	struct satisfaction *satisfaction;
	struct open_data *open_data;
	struct reports *reports;
	struct worker *worker; /* for what takes the processor for long */
	struct http *http;
	struct http_common *pages;
	struct key_pair keys;
	char server_key[KEYS_TEXT_SIZE];
	unsigned record_state; /* handles of daemon_set_dependency() */
	unsigned redis_state;
	unsigned stream_state;
	unsigned figures_state;
};

/* False: cannot start, and the log says why.  Close takes a half-open one. */
MUST_CHECK bool metrics_open(struct metrics *m);
void metrics_close(struct metrics *m);

#endif
