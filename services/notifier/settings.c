/* What the notifier is told by its environment. */
#include <stddef.h>

#include "notifier.h"

#define AT(member) offsetof(struct notifier_config, member)

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
	{ "TURUNC_SMS_URL", SETTING_TEXT, AT(sms_url), "", 0, 500, NULL,
	    "SMS gateway that takes POST of a JSON object; empty: texts wait" },
	{ "TURUNC_SMS_FIELDS", SETTING_TEXT, AT(sms_fields), "to,from,text,id", 7, 160, NULL,
	    "the gateway's names of recipient, sender, text and the message's own id" },
	{ "TURUNC_SMS_AUTHORIZATION", SETTING_SECRET, AT(sms_authorization), "", 0, 0, NULL,
	    "value of its Authorization header" },
	{ "TURUNC_NOTIFIER_SEND_TIMEOUT", SETTING_DURATION, AT(send_timeout_ms), "30s", 100, 300000,
	    NULL, "for one message; after that its outcome may be unknown" },
	{ "TURUNC_NOTIFIER_IN_FLIGHT", SETTING_INT, AT(in_flight), "8", 1, 64, NULL,
	    "messages being sent on each channel: as many may be of unknown outcome after a "
	    "crash" },
	{ "TURUNC_NOTIFIER_ATTEMPTS", SETTING_INT, AT(attempts), "12", 1, 100, NULL,
	    "attempts before a message is given up; a server that is away costs none" },
	{ "TURUNC_NOTIFIER_RATE", SETTING_INT, AT(per_minute), "6000", 1, 1000000, NULL,
	    "messages begun on each channel a minute" },
	{ "TURUNC_NOTIFIER_RETRY_FIRST", SETTING_DURATION, AT(retry_first_ms), "10s", 10, 3600000,
	    NULL, "delay before the second attempt, doubled each time" },
	{ "TURUNC_NOTIFIER_RETRY_CAP", SETTING_DURATION, AT(retry_cap_ms), "1h", 10, 86400000, NULL,
	    "the longest delay" },
	{ "TURUNC_REMINDERS_LOOK", SETTING_DURATION, AT(reminders_look_ms), "30s", 0, 600000, NULL,
	    "how often is looked whether departments are to be reminded; 0: they are not" },
};
const size_t notifier_settings_count = ARRAY_LEN(notifier_settings);
