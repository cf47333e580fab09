/* What metrics is told by its environment. */
#include <stddef.h>

#include "metrics.h"

#define AT(member) offsetof(struct metrics_config, member)

const struct setting metrics_settings[] = {
	DAEMON_SETTINGS(struct metrics_config, daemon),
	LETTERS_SETTINGS(struct metrics_config, letters),
	{ "TURUNC_DATABASE", SETTING_TEXT, AT(database), "dbname=turunc user=turunc_metrics", 0, 0,
	    NULL, "the record: a libpq connection string" },
	{ "TURUNC_DATABASE_PASSWORD", SETTING_SECRET, AT(database_password), "", 0, 0, NULL,
	    "its password, unless the connection string or a passfile has it" },
	{ "TURUNC_REDIS", SETTING_TEXT, AT(redis), "127.0.0.1:6379", 1, 1000, NULL,
	    "Redis: a socket's path or host:port" },
	{ "TURUNC_REDIS_PASSWORD", SETTING_SECRET, AT(redis_password), "", 0, 0, NULL,
	    "its password" },
	{ "TURUNC_HTTP_LISTEN", SETTING_LISTEN, AT(http_listen), "127.0.0.1:8083", 0, 0, NULL,
	    "where HTTP is answered" },
	{ "TURUNC_HTTP_TRUSTED", SETTING_TEXT, AT(trusted_peers), "", 0, 1000, NULL,
	    "proxies whose X-Forwarded-For counts, beside loopback; comma separated" },
	{ "TURUNC_METRICS_VIEWERS", SETTING_INT, AT(board_viewers), "200", 1, 10000, NULL,
	    "boards open at one time; more are told 503" },
	{ "TURUNC_METRICS_VIEWERS_PER_ADDRESS", SETTING_INT, AT(board_viewers_per_address), "50", 0,
	    10000, NULL, "of one address; more are told 429; 0: no limit" },
	{ "TURUNC_METRICS_SHOWN_TO", SETTING_TEXT, AT(board_shown_to), "", 0, 1000, NULL,
	    "addresses that see the board, beside this machine's own; comma separated" },
	{ "TURUNC_BUS_STREAM", SETTING_ENDPOINT, AT(bus_stream), "tcp://127.0.0.1:5602", 0, 0, NULL,
	    "router's stream door" },
	{ "TURUNC_KEYS_DIR", SETTING_TEXT, AT(keys_dir), "keys", 1, 1000, NULL,
	    "folder of metrics.key and router.pub" },
	{ "TURUNC_STATE_DIR", SETTING_TEXT, AT(state_dir), ".", 1, 1000, NULL,
	    "folder for temporary files of workbooks; nothing is kept there" },
	{ "TURUNC_METRICS_LOOK", SETTING_DURATION, AT(look_ms), "500ms", 10, 60000, NULL,
	    "between two looks at how far the log is" },
	{ "TURUNC_METRICS_READ", SETTING_DURATION, AT(read_ms), "250ms", 10, 60000, NULL,
	    "between two readings of the figures while they change" },
	{ "TURUNC_METRICS_WINDOW", SETTING_INT, AT(window), "4096", 1, 10000, NULL,
	    "records delivered and not yet projected at most" },
	{ "TURUNC_METRICS_REPLAY", SETTING_INT, AT(replay_max), "100000", 0, 1000000000, NULL,
	    "records; a projection further behind is rebuilt instead" },
	{ "TURUNC_METRICS_REBUILD", SETTING_DURATION, AT(rebuild_ms), "2m", 1000, 3600000, NULL,
	    "how long the record may take to answer a rebuild" },
	{ "TURUNC_OPEN_DATA_KEPT", SETTING_DURATION, AT(open_data_kept_ms), "15m", 1000, 86400000,
	    NULL, "how long a month's open data are handed out before they are read again" },
	{ "TURUNC_OPEN_DATA_TICKETS", SETTING_INT, AT(open_data_tickets), "200000", 1, 10000000,
	    NULL, "tickets of a month's open data at most; a month with more is not published" },
	{ "TURUNC_METRICS_COUNT", SETTING_DURATION, AT(count_ms), "1s", 10, 60000, NULL,
	    "between two looks for records that the months' figures do not count yet" },
};
const size_t metrics_settings_count = ARRAY_LEN(metrics_settings);
