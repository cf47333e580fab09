/*
 * notifier - the service that tells citizens what became of their tickets.
 *
 * This struct owns everything; parts receive what they need of it when they are made.
 */
#ifndef NOTIFIER_NOTIFIER_H
#define NOTIFIER_NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "acl.h"
#include "asking.h"
#include "base.h"
#include "bouncing.h"
#include "daemon.h"
#include "db.h"
#include "delivery.h"
#include "following.h"
#include "http.h"
#include "http_common.h"
#include "keys.h"
#include "letters.h"
#include "recalling.h"
#include "registry.h"
#include "reminding.h"
#include "reply_address.h"
#include "settings.h"
#include "sms_door.h"
#include "stats.h"
#include "surveying.h"
#include "turunc/client.h"
#include "uuid.h"

struct event;

struct gateway_config {
	char *kind; /* a profile's name; the second: "" = there is none */
	char *url;
	char *user;
	char *password;
	char *authorization;
	char *fields;
	char *callback_secret;
	int64_t per_minute, asks_per_minute; /* 0: what the profile says */
};

struct notifier_config {
	struct daemon_settings daemon;
	struct letters_settings letters;
	char *database;
	char *database_password;
	struct setting_address http_listen;
	char *trusted_peers;
	char *stream;
	char *keys_dir;
	char *mail_secret;
	char *smtp_url;
	char *smtp_user;
	char *smtp_password;
	int64_t smtp_tls;
	char *smtp_ca_file;
	struct gateway_config gateways[DELIVERY_GATEWAYS];
	char *sms_store_dir;
	char *publish;
	int64_t ask_receipt_ms, ask_doubt_ms;
	int64_t send_timeout_ms;
	int64_t in_flight;
	int64_t per_minute;
	int64_t first_mails;
	int64_t attempts;
	int64_t retry_first_ms;
	int64_t retry_cap_ms;
	int64_t reminders_look_ms;
};

extern const struct setting notifier_settings[];
extern const size_t notifier_settings_count;

struct notifier {
	struct notifier_config config;
	struct daemon *daemon;
	struct stats *stats;
	struct uuid_source ids;
	struct reply_address_key mail_key;
	struct acl *acl; /* filled by the registry; the notifier lets nobody in */
	struct registry *registry;
	struct db *db;
	struct letters *letters;
	struct following *following;
	struct recalling *recalling;
	struct bouncing *bouncing;
	struct surveying *surveying;
	struct delivery *delivery;
	struct reminding *reminding;
	struct asking *asking[DELIVERY_GATEWAYS]; /* NULL: that one cannot be asked */
	struct sms_door *sms_door;
	struct gateway gateways[DELIVERY_GATEWAYS]; /* url NULL: not used */
	struct sms_door_gateway callers[DELIVERY_GATEWAYS];
	struct turunc_client *client;
	struct event *client_readable;
	struct turunc_client *publisher; /* of texts, to intake; NULL: no gateway calls us */
	struct event *publisher_readable;
	struct http *http;
	struct http_common *pages;
	unsigned record_state, catalogue_state, stream_state; /* daemon_set_dependency() */
};

/* False: cannot start, and the log says why.  Close takes a half-open one. */
MUST_CHECK bool notifier_open(struct notifier *n);
void notifier_close(struct notifier *n);

#endif
