/* What the router is told by its environment. */
#include <stddef.h>

#include "photos.h"
#include "router.h"

#define AT(member) offsetof(struct router_config, member)

const struct setting router_settings[] = {
	DAEMON_SETTINGS(struct router_config, daemon),
	LETTERS_SETTINGS(struct router_config, letters),
	PEOPLE_SETTINGS(struct router_config, people),
	{ "TURUNC_DATABASE", SETTING_TEXT, AT(database), "dbname=turunc user=turunc_router", 0, 0,
	    NULL, "the record: a libpq connection string" },
	{ "TURUNC_DATABASE_PASSWORD", SETTING_SECRET, AT(database_password), "", 0, 0, NULL,
	    "its password, unless the connection string or a passfile has it" },
	{ "TURUNC_ROUTER_READ_CONNECTIONS", SETTING_INT, AT(read_connections), "2", 1, 8, NULL,
	    "connections that the stream reads the log by" },
	{ "TURUNC_HTTP_LISTEN", SETTING_LISTEN, AT(http_listen), "127.0.0.1:8081", 0, 0, NULL,
	    "where HTTP is answered" },
	{ "TURUNC_HTTP_TRUSTED", SETTING_TEXT, AT(trusted_peers), "", 0, 1000, NULL,
	    "proxies whose X-Forwarded-For counts, beside loopback; comma separated" },
	{ "TURUNC_BUS_STREAM_LISTEN", SETTING_ENDPOINT, AT(bus_listen), "tcp://127.0.0.1:5602", 0,
	    0, NULL, "where the bus's stream door listens" },
	{ "TURUNC_BUS_MEMORY", SETTING_BYTES, AT(bus_memory), "512MiB", 67108864, 1099511627776,
	    NULL,
	    "resident memory beyond which a door cuts every connection, so that messages without "
	    "end "
	    "are freed; below the container's own limit" },
	{ "TURUNC_DOORBELL", SETTING_ENDPOINT, AT(doorbell), "tcp://127.0.0.1:5603", 0, 0, NULL,
	    "where intake rings after each commit" },
	{ "TURUNC_KEYS_DIR", SETTING_TEXT, AT(keys_dir), "keys", 1, 1000, NULL,
	    "folder of router.key" },
	{ "TURUNC_STATE_DIR", SETTING_TEXT, AT(state_dir), ".", 1, 1000, NULL,
	    "folder for what the router itself keeps (nothing yet)" },
	{ "TURUNC_ROUTER_LOOK", SETTING_DURATION, AT(look_ms), "250ms", 10, 10000, NULL,
	    "between two looks at the log when nobody rings" },
	{ "TURUNC_ROUTER_BATCH_RECORDS", SETTING_INT, AT(batch_records), "500", 1, 2000, NULL,
	    "records routed in one transaction" },
	{ "TURUNC_ROUTER_BATCH_COMMANDS", SETTING_INT, AT(batch_commands), "200", 1, 1000, NULL,
	    "commands decided in one transaction" },
	{ "TURUNC_ROUTER_HELD_COMMANDS", SETTING_INT, AT(held_commands), "4096", 1, 100000, NULL,
	    "commands waiting or on their way; more are told to come again" },
	{ "TURUNC_ROUTER_WAIT", SETTING_DURATION, AT(wait_ms), "5s", 100, 60000, NULL,
	    "how long a command may wait for the record before it is told to come again" },
	{ "TURUNC_ROUTER_SWEEP", SETTING_DURATION, AT(sweep_ms), "1s", 10, 3600000, NULL,
	    "between two looks at the clocks of tickets" },
	{ "TURUNC_ROUTER_WATCH", SETTING_DURATION, AT(watch_ms), "15s", 50, 3600000, NULL,
	    "between two looks at what operators watch (readers' lag, deadlines, backups)" },
	{ "TURUNC_ROUTER_DESK_CONNECTIONS", SETTING_INT, AT(desk_connections), "2", 1, 8, NULL,
	    "connections that the desk's pages are read by" },
	{ "TURUNC_ROUTER_DESK_TIMEOUT", SETTING_DURATION, AT(desk_timeout_ms), "3s", 50, 60000,
	    NULL, "how long the record may work on one page of the desk" },
	{ "TURUNC_ROUTER_SEARCH_TIMEOUT", SETTING_DURATION, AT(search_timeout_ms), "1s", 50, 60000,
	    NULL, "how long it may look for what somebody searches" },
	{ "TURUNC_ATTACHMENTS_DIR", SETTING_TEXT, AT(attachments_dir), "", 0, 1000, NULL,
	    "folder of the photos, the same as intake's; without it the desk shows and takes "
	    "none" },
	{ "TURUNC_ATTACHMENTS_BYTES", SETTING_BYTES, AT(attachments_bytes), "64GiB", 1048576,
	    1099511627776, NULL, "what all photos may take there; more are refused" },
	{ "TURUNC_ROUTER_PHOTO_BYTES", SETTING_BYTES, AT(photo_bytes), "10MiB", 65536,
	    PHOTOS_EACH_BYTES_MAX, NULL, "size of one photo that comes with a step" },
	{ "TURUNC_ROUTER_PHOTO_PIXELS", SETTING_INT, AT(photo_pixels), "64000000", 65536, 268435456,
	    NULL, "pixels of one photo, which a browser that shows it has to unpack" },
};
const size_t router_settings_count = ARRAY_LEN(router_settings);
