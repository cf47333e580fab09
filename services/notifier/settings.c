/* What the notifier is told by its environment. */
#include <stddef.h>

#include "notifier.h"

#define AT(member) offsetof(struct notifier_config, member)

/* Longer than anybody guesses at ten tries a minute an address. */
enum { CALLBACK_SECRET_MIN = 16, CALLBACK_SECRET_MAX = 200 };

#define GATEWAY(n, member) \
	AT(gateways) + (n) * sizeof(struct gateway_config) + offsetof(struct gateway_config, member)

/* One SMS gateway; the second takes over what the first has definitely not taken. */
#define GATEWAY_SETTINGS(prefix, n, kind_default)                                                 \
	{ prefix "GATEWAY", SETTING_TEXT, GATEWAY(n, kind), kind_default, 0, 20, NULL,            \
		"its protocol: generic, netgsm, iletimerkezi or verimor; empty: there is none" }, \
	    { prefix "URL", SETTING_TEXT, GATEWAY(n, url), "", 0, 500, NULL,                      \
		    "its address; generic: where a JSON object is posted; empty: texts wait" },   \
	    { prefix "USER", SETTING_TEXT, GATEWAY(n, user), "", 0, 200, NULL,                    \
		    "user name, or key, of the account" },                                        \
	    { prefix "PASSWORD", SETTING_SECRET, GATEWAY(n, password), "", 0, 0, NULL,            \
		    "its password, or hash" },                                                    \
	    { prefix "FIELDS", SETTING_TEXT, GATEWAY(n, fields), "to,from,text,id", 7, 160, NULL, \
		    "generic: its names of recipient, sender, text and the message's own id" },   \
	    { prefix "AUTHORIZATION", SETTING_SECRET, GATEWAY(n, authorization), "", 0, 0, NULL,  \
		    "generic: value of its Authorization header" },                               \
	    { prefix "RATE", SETTING_INT, GATEWAY(n, per_minute), "0", 0, 1000000, NULL,          \
		    "texts begun a minute; 0: what the provider allows" },                        \
	    { prefix "ASK_RATE", SETTING_INT, GATEWAY(n, asks_per_minute), "0", 0, 1000000, NULL, \
		    "questions about texts a minute; 0: what the provider allows" },              \
	{                                                                                         \
		prefix "CALLBACK_SECRET", SETTING_SECRET, GATEWAY(n, callback_secret), "",        \
		    CALLBACK_SECRET_MIN, CALLBACK_SECRET_MAX, NULL,                               \
		    "what it says when it calls /receipts/; without one it does not call"         \
	}

const struct setting notifier_settings[] = {
	DAEMON_SETTINGS(struct notifier_config, daemon),
	LETTERS_SETTINGS(struct notifier_config, letters),
	{ "TURUNC_DATABASE", SETTING_TEXT, AT(database), "dbname=turunc user=turunc_notifier", 0, 0,
	    NULL, "the record: a libpq connection string" },
	{ "TURUNC_DATABASE_PASSWORD", SETTING_SECRET, AT(database_password), "", 0, 0, NULL,
	    "its password, unless the connection string or a passfile has it" },
	{ "TURUNC_HTTP_LISTEN", SETTING_LISTEN, AT(http_listen), "127.0.0.1:8082", 0, 0, NULL,
	    "where HTTP is answered" },
	{ "TURUNC_HTTP_TRUSTED", SETTING_TEXT, AT(trusted_peers), "", 0, 1000, NULL,
	    "proxies whose X-Forwarded-For counts, beside loopback; comma separated" },
	{ "TURUNC_BUS_STREAM", SETTING_ENDPOINT, AT(stream), "tcp://127.0.0.1:5602", 0, 0, NULL,
	    "the router's stream door" },
	{ "TURUNC_KEYS_DIR", SETTING_TEXT, AT(keys_dir), "keys", 1, 1000, NULL,
	    "folder of notifier.key and router.pub" },
	REPLY_ADDRESS_SETTING(struct notifier_config, mail_secret),
	{ "TURUNC_SMTP_URL", SETTING_TEXT, AT(smtp_url), "", 0, 500, NULL,
	    "mail server, smtp://host:port or smtps://host:port; empty: mails wait" },
	{ "TURUNC_SMTP_USER", SETTING_TEXT, AT(smtp_user), "", 0, 200, NULL, "its user, if any" },
	{ "TURUNC_SMTP_PASSWORD", SETTING_SECRET, AT(smtp_password), "", 0, 0, NULL,
	    "and that user's password" },
	{ "TURUNC_SMTP_STARTTLS", SETTING_CHOICE, AT(smtp_tls), "offered", 0, 0, smtp_tls_words,
	    "required: never in the clear, and to a server with a valid certificate alone (as with "
	    "smtps:// or a user); offered: where it is, whatever the certificate" },
	{ "TURUNC_SMTP_CA_FILE", SETTING_TEXT, AT(smtp_ca_file), "", 0, 1000, NULL,
	    "certificates (PEM) that vouch for the mail server, in place of the system's" },
	GATEWAY_SETTINGS("TURUNC_SMS_", 0, "generic"),
	GATEWAY_SETTINGS("TURUNC_SMS2_", 1, ""),
	{ "TURUNC_SMS_STORE_DIR", SETTING_TEXT, AT(sms_store_dir), "", 0, 500, NULL,
	    "folder that keeps citizens' texts until intake has them; empty: the gateway waits "
	    "for intake" },
	{ "TURUNC_BUS_PUBLISH", SETTING_ENDPOINT, AT(publish), "tcp://127.0.0.1:5601", 0, 0, NULL,
	    "intake's publish door, for citizens' texts" },
	{ "TURUNC_SMS_ASK_RECEIPT", SETTING_DURATION, AT(ask_receipt_ms), "60s", 100, 86400000,
	    NULL, "after a text was taken, its receipt is asked for; twice as long each time" },
	{ "TURUNC_SMS_ASK_DOUBT", SETTING_DURATION, AT(ask_doubt_ms), "60s", 100, 86400000, NULL,
	    "after a text may have been taken, the gateway is asked whether it was" },
	{ "TURUNC_NOTIFIER_SEND_TIMEOUT", SETTING_DURATION, AT(send_timeout_ms), "30s", 100, 300000,
	    NULL, "for one message; after that its outcome may be unknown" },
	{ "TURUNC_NOTIFIER_IN_FLIGHT", SETTING_INT, AT(in_flight), "8", 1, 64, NULL,
	    "messages being sent on each channel: as many may be of unknown outcome after a "
	    "crash" },
	{ "TURUNC_NOTIFIER_ATTEMPTS", SETTING_INT, AT(attempts), "12", 1, 100, NULL,
	    "attempts before a message is given up; a server that is away costs none" },
	{ "TURUNC_NOTIFIER_RATE", SETTING_INT, AT(per_minute), "6000", 1, 1000000, NULL,
	    "messages begun on each channel a minute" },
	{ "TURUNC_NOTIFIER_FIRST_MAILS", SETTING_INT, AT(first_mails), "600", 0, 1000000, NULL,
	    "mails an hour to addresses that have had none, which anybody can give; the rest wait; "
	    "0: as many as come" },
	{ "TURUNC_NOTIFIER_RETRY_FIRST", SETTING_DURATION, AT(retry_first_ms), "10s", 10, 3600000,
	    NULL, "delay before the second attempt, doubled each time" },
	{ "TURUNC_NOTIFIER_RETRY_CAP", SETTING_DURATION, AT(retry_cap_ms), "1h", 10, 86400000, NULL,
	    "the longest delay" },
	{ "TURUNC_REMINDERS_LOOK", SETTING_DURATION, AT(reminders_look_ms), "30s", 0, 600000, NULL,
	    "how often is looked whether departments are to be reminded; 0: they are not" },
};
const size_t notifier_settings_count = ARRAY_LEN(notifier_settings);
